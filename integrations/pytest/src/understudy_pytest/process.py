"""Starts and stops the command of Understudy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Sequence


class UnderstudyError(Exception):
    """The mock could not be started, or refused what it was asked."""


def find_command(start: Path) -> list[str]:
    """The command in the nearest node_modules, or on the PATH. Raises an UnderstudyError that says how to get it."""
    for folder in [start, *start.parents]:
        local = shutil.which("understudy", path=str(folder / "node_modules" / ".bin"))
        if local is not None:
            return [local]
    on_path = shutil.which("understudy")
    if on_path is not None:
        return [on_path]
    raise UnderstudyError(
        f"the command understudy was not found in a node_modules from {start} up, nor on the PATH; "
        "run `npm install --save-dev understudy-mock`, or set understudy_command or understudy_url in the pytest config"
    )


class Process:
    """A mock on a free port, in a process of its own."""

    def __init__(self, command: Sequence[str], options: Sequence[str], timeout_s: float) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="understudy-"))
        self._output = self._folder / "output.txt"
        ready = self._folder / "ready.json"
        line = [*command, "serve", "--port", "0", "--ready-file", str(ready), *options]
        try:
            with self._output.open("wb") as output:
                self._process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise UnderstudyError(f"{' '.join(line)} could not be started: {error}") from error
        self._pid = self._process.pid
        try:
            document = self._wait(ready, timeout_s, line)
        except BaseException:
            self.stop()
            raise
        # The command may be npx, which has the mock as a child.
        self._pid = document["pid"]
        self.url: str = document["url"]

    def _wait(self, ready: Path, timeout_s: float, line: Sequence[str]) -> dict:
        until = time.monotonic() + timeout_s
        while not ready.exists():
            why = None
            if self._process.poll() is not None:
                why = f"ended with exit code {self._process.returncode}"
            elif time.monotonic() > until:
                why = f"was not ready within {timeout_s:g} s"
            if why is not None:
                said = self._output.read_text(errors="replace").strip()[-2000:]
                raise UnderstudyError(f"{' '.join(line)} {why}: {said or 'it printed nothing'}")
            time.sleep(0.02)
        return json.loads(ready.read_text())

    def stop(self) -> None:
        """Ends the mock and waits until it is gone."""
        if self._process.poll() is None:
            try:
                os.kill(self._pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
