"""The plug-in in pytest itself: an inner run for each way it is used. The mock is the one of `understudy_command`."""

import os
import re
from importlib.metadata import entry_points

import pytest

CLIENT = """
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

def order(understudy, video="https://example.com/cat.mp4", **headers):
    headers = {"X-Api-Key": understudy.key, "Content-Type": "application/json", **headers}
    body = json.dumps({"video_url": video}).encode()
    try:
        with urlopen(Request(understudy.url + "/v1/jobs", body, headers)) as answer:
            return answer.status
    except HTTPError as error:
        return error.code
"""


@pytest.fixture
def project(pytester, pytestconfig):
    """A project with a client; the command is that of this run."""
    command = pytestconfig.getini("understudy_command")
    is_installed = any(one.value == "understudy_pytest.plugin" for one in entry_points(group="pytest11"))
    load = "" if is_installed else "addopts = -p understudy_pytest.plugin\n"
    pytester.makeini(f"[pytest]\nunderstudy_command = {command}\n{load}")
    pytester.makepyfile(shop=CLIENT)
    pytester.syspathinsert()
    return pytester


def test_a_good_client_is_green_one_that_breaks_err_3_red_with_the_journal(project):
    project.makepyfile(
        """
        from shop import order
        import pytest

        def test_one_order(understudy):
            understudy.use("internal-error-once")
            assert order(understudy) == 500
            understudy.step("2s")
            assert order(understudy) == 200
            assert [call["status"] for call in understudy.calls("createJob")] == [500, 200]
            understudy.assert_conduct("RL-3")
            understudy.assert_waited("createJob", ["2s"], tolerance=0.2)
            with pytest.raises(AssertionError, match="waited .* expected"):
                understudy.assert_waited("createJob", ["9s"])
            with pytest.raises(AssertionError, match="RL-2 was skipped: the situation never arose; provoke it with"):
                understudy.assert_conduct("RL-2")

        def test_the_scenario_of_the_test_before_is_off(understudy):
            understudy.set_key(credits=0)
            assert order(understudy) == 402
            understudy.set_key(top_up=50)
            assert order(understudy) == 200

        def test_again(understudy):
            order(understudy, "none")
            order(understudy, "none")

        def test_again_by_name(understudy):
            order(understudy, "none")
            order(understudy, "none")
            understudy.assert_conduct("ERR-3")

        @pytest.mark.understudy(conduct="off")
        def test_again_on_purpose(understudy):
            order(understudy, "none")
            order(understudy, "none")
        """
    )
    result = project.runpytest_inprocess("--junit-xml=junit.xml")
    result.assert_outcomes(passed=3, failed=2)
    text = result.stdout.str()
    assert re.search(r"1 rule of conduct failed\n +errors\.client-errors-not-retried \(ERR-3\)", text)
    assert "ERR-3 failed" in text
    journals = re.findall(r"Understudy journal -+\nkey test_\w+-again[\w-]*\n#\d+ POST /v1/jobs → 400 invalid_request", text)
    assert len(journals) == 2
    junit = (project.path / "junit.xml").read_text()
    assert junit.count('name="understudy_journal"') == 2
    assert "sent POST /v1/jobs again" in junit


@pytest.mark.parametrize("per, mocks", [("worker", 2), ("run", 1)])
def test_workers_of_xdist_have_a_mock_each_or_share_one(project, per, mocks):
    pytest.importorskip("xdist")
    project.makepyfile(
        """
        import pathlib, time
        import pytest
        from shop import order

        @pytest.mark.parametrize("own, other", [("a", "b"), ("b", "a")])
        def test_both(understudy, own, other):
            order(understudy)
            pathlib.Path(own).write_text(understudy.url)
            while not pathlib.Path(other).exists():  # in the other worker, at the same time
                time.sleep(0.01)
            assert len(understudy.calls()) == 1
        """
    )
    result = project.runpytest_subprocess("-n", "2", "-o", f"understudy_mock_per={per}", "--dist", "load")
    result.assert_outcomes(passed=2)
    assert len({(project.path / name).read_text() for name in "ab"}) == mocks


@pytest.mark.parametrize(
    "args, said",
    [
        (["-o", "understudy_command=no-such-command"], "understudy: no-such-command serve .* could not be started"),
        (["-o", "understudy_command="], "understudy: the command understudy was not found .*npm install --save-dev understudy-mock"),
        (["--understudy-url", "http://127.0.0.1:1"], "UnderstudyError: POST http://127.0.0.1:1/.* is the mock running?"),
        (["-o", "understudy_options=--speed never"], 'ended with exit code 2: understudy: --speed is "never"'),
    ],
)
def test_what_is_wrong_is_said(project, monkeypatch, args, said):
    monkeypatch.setenv("PATH", re.sub(r"[^:]*node_modules/.bin:?", "", os.environ["PATH"]))
    project.makepyfile("def test_it(understudy): pass")
    result = project.runpytest_inprocess(*args)
    result.assert_outcomes(errors=1)
    assert re.search(said, result.stdout.str())


def test_a_wrong_level_ends_the_run(project):
    result = project.runpytest_inprocess("-o", "understudy_conduct=strict")
    result.stderr.fnmatch_lines(["*understudy_conduct is 'strict'; expected must, should or off"])
