"""The processes that the demo starts: each with a log of its own, and all of them ended, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chargemesh_protocol.errors import PersonError

from .interrupts import Interrupts

_POLITE_SECONDS = 6.0
_LAST_SECONDS = 3.0
_TAIL_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Child:
    """One process that we started; it leads a process group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def type_line(self, text: str) -> None:
        """Writes a line to its standard input, as a person would."""
        stdin: IO[bytes] | None = self.process.stdin
        if stdin is None:
            raise RuntimeError(f"{self.name} was started without an input")
        try:
            stdin.write(text.encode() + b"\n")
            stdin.flush()
        except BrokenPipeError as error:
            raise self.ended() from error

    def ended(self) -> PersonError:
        """The error that says where to look."""
        said = f"The process of {self.name} ended (exit code {self.process.poll()}). {self._last_words()}"
        return PersonError("demo-process", said.strip(), f"Its output is in {self.log}.")

    def _last_words(self) -> str:
        """The last line that was meant for people."""
        with self.log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines and not lines[-1].startswith("{") else ""


class Processes:
    """Starts commands of this program and ends them again."""

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts
        self._children: list[Child] = []

    def start(self, name: str, arguments: Sequence[str], log: Path, *, typed: bool = False) -> Child:
        """`python -m chargemesh_cli ARGUMENTS…`; it prints into `log`. `typed`: lines can be typed in.

        In a session of its own, so that a Ctrl-C of the terminal reaches the demo alone, which then ends it.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output, self._interrupts.held():
            process = subprocess.Popen(
                [sys.executable, "-m", "chargemesh_cli", *arguments],
                stdin=subprocess.PIPE if typed else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            child = Child(name, process, log)
            self._children.append(child)
        return child

    def require_alive(self) -> None:
        """PersonError if one of them has ended by itself."""
        for child in self._children:
            if not child.alive:
                raise child.ended()

    def pids(self) -> list[int]:
        """Those that we started and all that they started."""
        return descendants(child.process.pid for child in self._children)

    def end(self, child: Child) -> None:
        """Ends one, politely first."""
        self._children.remove(child)
        _end([child])

    def end_all(self) -> None:
        """Ends them all; returns once they are gone."""
        children, self._children = self._children, []
        _end(children)


def _end(children: Sequence[Child]) -> None:
    for child in children:
        if child.alive:
            child.process.terminate()
    deadline = time.monotonic() + _POLITE_SECONDS
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
    for child in children:
        # Also after a polite end: whatever it had started must not outlive the demo.
        _kill_group(child.process.pid)
        child.process.wait(_LAST_SECONDS)
        if child.process.stdin is not None:
            child.process.stdin.close()


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        pass


def descendants(roots: Iterable[int]) -> list[int]:
    """`roots` and every process below them, from /proc; `roots` alone where there is no /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        parent = _parent(entry)
        if parent is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def _parent(entry: Path) -> int | None:
    try:
        # The name in brackets may hold spaces and brackets itself: count from its end.
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return int(fields[1])
