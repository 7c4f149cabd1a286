"""The fixture `understudy`: one mock for each worker of pytest-xdist, or one for all; one key for each test."""

from __future__ import annotations

import shlex
from typing import Iterator, Optional

import pytest

from .fixture import Mock, Understudy, checked_level, key_of
from .process import Process, UnderstudyError, find_command

_shared = pytest.StashKey[Process]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("understudy")
    group.addoption("--understudy-url", help="a mock that runs already, such as http://127.0.0.1:4010; then none is started")
    parser.addini("understudy_url", "the same as --understudy-url")
    parser.addini("understudy_admin_token", "the token of that mock, where it is not on loopback")
    parser.addini("understudy_command", "the command, if it is in no node_modules and not on the PATH: npx understudy")
    parser.addini("understudy_options", "options of `understudy serve`, such as --seed 42", default="--speed instant")
    parser.addini("understudy_conduct", "which broken rules of conduct fail a test: must, should or off", default="must")
    parser.addini("understudy_mock_per", "with pytest-xdist, one mock for each worker, or one for the run", default="worker")
    parser.addini("understudy_timeout", "seconds that the mock may take to start", default="60")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "understudy(conduct): which broken rules fail this test: must, should or off")
    per = config.getini("understudy_mock_per")
    if per not in ("worker", "run"):
        raise pytest.UsageError(f"understudy_mock_per is {per!r}; expected worker or run")
    try:
        checked_level(config.getini("understudy_conduct"))
    except UnderstudyError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:  # of pytest-xdist: a worker is about to be started
    config = node.config
    if config.getini("understudy_mock_per") != "run" or _url_of(config) is not None:
        return
    if _shared not in config.stash:
        config.stash[_shared] = _start(config)
    node.workerinput["understudy_url"] = config.stash[_shared].url


def pytest_unconfigure(config: pytest.Config) -> None:
    if _shared in config.stash:
        config.stash[_shared].stop()


def _url_of(config: pytest.Config) -> Optional[str]:
    given = getattr(config, "workerinput", {}).get("understudy_url")
    return given or config.getoption("--understudy-url") or config.getini("understudy_url") or None


def _start(config: pytest.Config) -> Process:
    command = shlex.split(config.getini("understudy_command")) or find_command(config.rootpath)
    options = shlex.split(config.getini("understudy_options"))
    return Process(command, options, float(config.getini("understudy_timeout")))


@pytest.fixture(scope="session")
def understudy_mock(pytestconfig: pytest.Config) -> Iterator[Mock]:
    """The mock of this worker."""
    url = _url_of(pytestconfig)
    if url is not None:
        yield Mock(url, pytestconfig.getini("understudy_admin_token") or None)
        return
    why = ""
    try:
        process = _start(pytestconfig)
    except UnderstudyError as error:
        why = str(error)
    if why:
        pytest.fail(f"understudy: {why}", pytrace=False)
    try:
        yield Mock(process.url)
    finally:
        process.stop()


@pytest.fixture
def understudy(request: pytest.FixtureRequest, understudy_mock: Mock) -> Iterator[Understudy]:
    """This test's world of the mock: `url` and `key` for the client, and what to do to it."""
    marker = request.node.get_closest_marker("understudy")
    level = (marker.kwargs if marker else {}).get("conduct") or request.config.getini("understudy_conduct")
    own = Understudy(understudy_mock, key_of(request.node.nodeid), checked_level(level))
    # A mock that runs on may still have what an earlier run left.
    own.reset()
    yield own
    own.reset()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    result = yield
    own = _fixture_of(item)
    problem = own and own.problem()
    if problem:
        pytest.fail(problem, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    own = _fixture_of(item)
    text = None
    if own is not None and call.when == "call" and call.excinfo is not None:
        try:
            text = own.journal_text()
        except UnderstudyError as error:
            text = str(error)
        # In the JUnit report, too.
        item.user_properties.append(("understudy_journal", text))
    report = yield
    if text is not None and report.failed:
        report.sections.append(("Understudy journal", text))
    return report


def _fixture_of(item: pytest.Item) -> Optional[Understudy]:
    found = getattr(item, "funcargs", {}).get("understudy")
    return found if isinstance(found, Understudy) else None
