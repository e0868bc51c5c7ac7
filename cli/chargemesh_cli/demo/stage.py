"""Where the story is told: as plain lines, as JSON, or on the live view (live.py)."""

from __future__ import annotations

import json
import sys
import textwrap
import threading
import time
from typing import Any, Protocol, TextIO

from .scene import Scene

_WIDTH = 100
_STAMP = 9


class Stage(Protocol):
    """`scene` may be changed at any time; `refresh` says that it was."""

    scene: Scene

    def open(self) -> None: ...

    def close(self) -> None: ...

    def step(self, name: str, text: str, **facts: Any) -> None:
        """Something happened: `text` for people, `name` and `facts` for programs."""

    def progress(self, name: str, text: str, **facts: Any) -> None:
        """As `step`, for what a live view shows by itself."""

    def refresh(self) -> None: ...


class Stopwatch:
    """Seconds since the demo began."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self._began, 1)


def stamped(seconds: float, text: str, width: int = _WIDTH) -> str:
    """A step as lines of at most `width` columns, behind the time."""
    return textwrap.fill(
        text,
        width,
        initial_indent=f"{seconds:6.1f} s ",
        subsequent_indent=" " * _STAMP,
        break_long_words=False,
        break_on_hyphens=False,
    )


class PlainStage:
    """A line a step, for pipes and files. Safe to use from several threads."""

    def __init__(self, watch: Stopwatch, out: TextIO | None = None) -> None:
        self.scene = Scene()
        self._watch = watch
        self._out = out or sys.stdout
        self._lock = threading.Lock()

    def open(self) -> None:
        """Nothing has to be prepared."""

    def close(self) -> None:
        """Nothing is left open."""

    def step(self, name: str, text: str, **facts: Any) -> None:
        self._write(stamped(self._watch.seconds, text))

    def progress(self, name: str, text: str, **facts: Any) -> None:
        self.step(name, text, **facts)

    def refresh(self) -> None:
        """The scene is not drawn here."""

    def _write(self, line: str) -> None:
        with self._lock:
            print(line, file=self._out, flush=True)


class JsonStage(PlainStage):
    """One JSON object a line: {"step", "at_s", "text", …facts}."""

    def step(self, name: str, text: str, **facts: Any) -> None:
        value = {"step": name, "at_s": self._watch.seconds, "text": text, **facts}
        self._write(json.dumps(value, ensure_ascii=False))
