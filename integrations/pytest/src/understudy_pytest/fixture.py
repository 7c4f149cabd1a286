"""What a test is given, over the mock's control routes."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Mapping, Optional, Sequence, Union
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from .process import UnderstudyError

# A proxy of the environment is for the world outside.
_opener = build_opener(ProxyHandler({}))

Wait = Union[str, Sequence[str]]


class Mock:
    """A running mock. What is done to it without a key concerns every test that uses it."""

    def __init__(self, url: str, admin_token: Optional[str] = None) -> None:
        self.url = url.rstrip("/")
        self._token = admin_token

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Calls a control route: mock.ask("POST", "clock", {"step": "10m"}). Raises an UnderstudyError where it refuses."""
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._token is not None:
            headers["X-Admin-Token"] = self._token
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.url}/__mock/{path}{'?' + asked if asked else ''}"
        try:
            with _opener.open(Request(url, data, headers, method=method), timeout=70) as answer:
                text = answer.read()
        except HTTPError as error:
            said = error.read().decode(errors="replace")
            raise UnderstudyError(f"{method} {url}: {error.code} {_message(said)}") from error
        except URLError as error:
            raise UnderstudyError(f"{method} {url}: {error.reason}; is the mock running?") from error
        return json.loads(text) if text else None


class Understudy:
    """One test's world of the mock: its methods concern its own key alone."""

    def __init__(self, mock: Mock, key: str, level: str) -> None:
        #: What the client takes as its base URL.
        self.url = mock.url
        #: The API key of this test; no other test has it at the same time.
        self.key = key
        self.mock = mock
        self._level = level

    def use(self, scenario: Union[str, Mapping[str, Any], Sequence[Mapping[str, Any]]]) -> None:
        """Switches a scenario on until the end of the test: its name, a document, or a list of rules."""
        is_list = not isinstance(scenario, (str, Mapping))
        self.mock.ask("POST", "scenario", {"scenario": {"rules": list(scenario)} if is_list else scenario, "key": self.key})

    def set_key(self, **change: Any) -> Any:
        """credits, top_up, rate_limit, job_limit, revoked."""
        return self.mock.ask("POST", "keys", {**change, "key": self.key})

    def set_job(self, job_id: str, **change: Any) -> Any:
        """status, progress, error, hold."""
        return self.mock.ask("POST", f"jobs/{job_id}", change)

    def step(self, time: str) -> None:
        """Moves the time of this test's world on: step("10m"). No test sleeps."""
        self.mock.ask("POST", "clock", {"step": time, "key": self.key})

    def journal(self, **filter: Any) -> list[dict]:
        """The calls and webhooks of this test: route="createJob", status="4xx", kind="webhook", job_id=…"""
        return self.mock.ask("GET", "journal", key=self.key, limit=10_000, **filter)["entries"]

    def wait_for(self, at_least: int = 1, within: str = "5s", **filter: Any) -> list[dict]:
        """The same, once so many fit. Raises an AssertionError when they do not come in time, 60s at the most."""
        page = self.mock.ask("GET", "journal", key=self.key, wait=within, atLeast=at_least, **filter)
        if not page.get("met"):
            raise AssertionError(f"{len(page['entries'])} entries came within {within}; expected {at_least} of {filter}")
        return page["entries"]

    def calls(self, route: Optional[str] = None) -> list[dict]:
        """The requests of an operation ("createJob"), or all: assert len(understudy.calls("createJob")) == 1"""
        return self.journal(kind="exchange", route=route)

    def conduct(self, **options: Any) -> dict:
        """The grade of this test's client up to now, as the JSON report of `understudy conduct`."""
        return self.mock.ask("GET", "conduct", key=self.key, **options)

    def grade_conduct(self, level: str) -> None:
        """Which broken rules fail this test after it has run: "must", "should", or "off"."""
        self._level = checked_level(level)

    def assert_conduct(self, *names: str) -> None:
        """Each of the rules, or some rule of each of the clauses ("ERR-3"), was kept, and none broken."""
        rules = self.conduct(**({"require": ",".join(names)} if names else {}))["rules"]
        named = [rule for rule in rules if not names or {rule["id"], *rule["clauses"]} & set(names)]
        broken = [rule for rule in named if rule["verdict"] == "failed"]
        if broken:
            raise AssertionError("\n".join([f"{', '.join(names) or 'conduct'} failed", *map(_broken_text, broken)]))
        for name in names:
            own = [rule for rule in named if name in (rule["id"], *rule["clauses"])]
            if not any(rule["verdict"] == "passed" for rule in own):
                provoke = sorted({scenario for rule in own for scenario in rule["provoke"]})
                raise AssertionError(f"{name} was skipped: the situation never arose; provoke it with {' or '.join(provoke)}")

    def assert_waited(self, operation: str, waits: Sequence[Wait], tolerance: float = 0.1) -> None:
        """Each call that was tried again was tried with these waits: ["2s", "4s"]; a pair is the shortest and the longest."""
        chains = [chain for chain in self.conduct()["chains"] if chain["operation"] == operation]
        if not chains and waits:
            raise AssertionError(f"no call of {operation} was tried again; expected the waits {list(waits)}")
        for chain in chains:
            found = [one.get("wait_ms", 0) for one in chain["tries"][1:]]
            ranges = [_range(wait, tolerance) for wait in waits]
            fits = len(found) == len(ranges) and all(low <= ms <= high for ms, (low, high) in zip(found, ranges))
            if not fits:
                raise AssertionError(f"{operation} waited {[f'{ms} ms' for ms in found]}; expected {list(waits)}")

    # What the plug-in calls.

    def problem(self) -> Optional[str]:
        """What of the client's conduct fails the test."""
        if self._level == "off":
            return None
        report = self.conduct(level=self._level)
        failing = ("must",) if self._level == "must" else ("must", "should")
        broken = [rule for rule in report["rules"] if rule["verdict"] == "failed" and rule["level"] in failing]
        if not broken:
            return None
        count = "1 rule" if len(broken) == 1 else f"{len(broken)} rules"
        return "\n".join([f"{count} of conduct failed", *map(_broken_text, broken)])

    def journal_text(self) -> str:
        """The journal in lines, for people."""
        entries = self.journal()
        if not entries:
            return f"no call of this test came to the mock. Does the client send the key {self.key} to {self.url}?"
        return "\n".join([f"key {self.key}", *map(_line, entries)])

    def reset(self) -> None:
        """Makes the world as new; the scenario is off."""
        self.mock.ask("POST", "reset", {"key": self.key})


def key_of(name: str) -> str:
    """No clash with the keys that mean something to the mock (test_invalid…): a hexadecimal number follows the prefix."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.split("::")[-1].lower())[:40].strip("-")
    return "_".join(["test", hashlib.sha256(name.encode()).hexdigest()[:13], *([slug] if slug else [])])


def checked_level(level: str) -> str:
    if level not in ("must", "should", "off"):
        raise UnderstudyError(f"understudy_conduct is {level!r}; expected must, should or off")
    return level


def _message(said: str) -> str:
    try:
        return str(json.loads(said)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return said[:500]


def _broken_text(rule: Mapping[str, Any]) -> str:
    lines = [f"  {rule['id']} ({rule['clause']}): {rule['title']}"]
    for piece in rule["evidence"][:3]:
        lines.append(f"    {piece['said']}")
        lines += [f"      #{one['number']} {one['time'][11:23]} {one['what']}" for one in piece["entries"]]
    return "\n".join([*lines, f"    advice: {rule['advice']}"])


def _line(entry: Mapping[str, Any]) -> str:
    if entry["kind"] == "webhook":
        return f"#{entry['seq']} webhook {entry['event']}, attempt {entry['attempt']} → {entry['status'] or entry['error']}"
    body = (entry.get("response") or {}).get("body")
    error = body.get("error") if isinstance(body, dict) else None
    code = f" {error['code']}" if isinstance(error, dict) and "code" in error else ""
    rule = f" (rule {entry['rule']})" if "rule" in entry else ""
    answer = f"{entry['status']}{code}" if entry["status"] else "no answer"
    return f"#{entry['seq']} {entry['method']} {entry['url']} → {answer}{rule} {entry['request_id']}"


_units = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def _ms(time: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", time)
    if found is None:
        raise UnderstudyError(f"a wait is {time!r}; expected a time such as 500ms or 2s")
    return float(found[1]) * _units[found[2]]


def _range(wait: Wait, tolerance: float) -> tuple[float, float]:
    low, high = (wait, wait) if isinstance(wait, str) else wait
    return _ms(low) * (1 - tolerance), _ms(high) * (1 + tolerance)
