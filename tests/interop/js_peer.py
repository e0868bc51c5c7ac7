"""A program in `js/` as a process: what it told so far, and waiting for more."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .node_tools import HERE, environment, node

STEP_SECONDS = 40.0


class JsProgram:
    """Each line that it prints is one step of its job: `{"event": NAME, …}`."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process = process
        self.heard: list[dict[str, Any]] = []
        self._errors = errors
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def tells(self, event: str) -> dict[str, Any]:
        """The step `event`, waited for; AssertionError with its stderr if it ends without."""
        end = time.monotonic() + STEP_SECONDS
        while not (found := [one for one in self.heard if one["event"] == event]):
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(self._story(event)) from None
            assert line, self._story(event)
            self.heard.append(json.loads(line))
        return found[0]

    @property
    def is_up(self) -> bool:
        return self.process.poll() is None

    def ends(self) -> None:
        """Waits until it has done its job."""
        self.tells("done")
        assert self.process.wait(STEP_SECONDS) == 0, self._story("its end")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _story(self, event: str) -> str:
        told = ", ".join(one["event"] for one in self.heard)
        return f"waiting for {event}; told so far: {told}; stderr: {self._errors.read_text()[-2000:]}"


@contextmanager
def js_program(folder: Path, script: str, *arguments: str) -> Iterator[JsProgram]:
    """Starts `js/SCRIPT`; at the end it is over, one way or another."""
    executable = node()
    assert executable is not None
    errors = folder / f"{script}.stderr"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [str(executable), str(HERE / "js" / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment(),
        )
    program = JsProgram(process, errors)
    try:
        yield program
    finally:
        process.kill()
        process.wait()
