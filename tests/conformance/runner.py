"""Asks a program one case after the other and judges its answers; standard library only.

The program reads one JSON object a line on stdin and writes one a line on stdout. It is killed and started
again when it takes too long, ends, or writes something that is no answer to the question.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .vector_files import Case

_MAX_LINE_BYTES = 8 * 1024 * 1024
_MAX_NESTING = 100  # of lists and objects in an answer; the deepest right one has a quarter of it
_EXCERPT_BYTES = 200
GIVE_UP = 5  # so many cases in a row that take too long: the next thousand would, too


class Outcome(Enum):
    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case went; `got` is the answer without its id, or a sentence about the lack of one.

    late: it took too long."""

    outcome: Outcome
    got: dict[str, Any] | str
    late: bool = False


class NoAnswer(Exception):
    """The program gave no answer that could be judged; the message says what happened instead."""


class Late(NoAnswer):
    """The program took too long."""


class CannotStart(Exception):
    """There is no such program, or it can't be run; the message says why."""


class Subject:
    """The program under test, started when it is first asked and again after it failed."""

    def __init__(self, command: Sequence[str], timeout: float) -> None:
        self._command = list(command)
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to `question`; NoAnswer, and a new start next time, if there is none. CannotStart."""
        process = self._process or self._start()
        late = threading.Event()
        timer = threading.Timer(self._timeout, self._give_up, (process, late))
        timer.start()
        try:
            return self._exchange(process, question)
        except NoAnswer as error:
            self.close()
            if late.is_set():
                raise Late(f"no answer within {self._timeout:g} seconds: {error}") from error
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """Ends the program, with whatever it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        _kill(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what was still to be written has no reader any more
        process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own, so that a shell that wraps the program goes together with it.
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
        except OSError as error:
            raise CannotStart(f"{self._command[0]} can't be started: {error.strerror}") from error
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], question: dict[str, Any]) -> dict[str, Any]:
        if process.stdin is None or process.stdout is None:
            raise NoAnswer("it has no stdin or stdout")
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            raise NoAnswer("it no longer read what it was asked") from error
        line = process.stdout.readline(_MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise NoAnswer(_unfinished(line))
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise NoAnswer(f"it wrote what can't be read as JSON: {_excerpt(line)}") from error
        if not isinstance(answer, dict) or answer.pop("id", None) != question["id"]:
            raise NoAnswer(f"it wrote something without the question's id: {_excerpt(line)}")
        if _is_deep(answer):
            raise NoAnswer(f"it wrote what is nested more than {_MAX_NESTING} deep: {_excerpt(line)}")
        return answer

    def _give_up(self, process: subprocess.Popen[bytes], late: threading.Event) -> None:
        late.set()
        _kill(process)


def run(
    command: Sequence[str], cases: Iterable[Case], *, timeout: float, give_up: int = GIVE_UP
) -> Iterator[tuple[Case, Verdict]]:
    """Each case with how it went, one after the other; no more of them after `give_up` in a row that took
    too long (0: however many). CannotStart if there is no such program."""
    subject, late = Subject(command, timeout), 0
    try:
        for case in cases:
            verdict = _judge(subject, case)
            yield case, verdict
            late = late + 1 if verdict.late else 0
            if late == give_up != 0:
                return
    finally:
        subject.close()


def _judge(subject: Subject, case: Case) -> Verdict:
    try:
        answer = subject.ask({"id": case.id, "op": case.op, "in": case.given})
    except NoAnswer as error:
        return Verdict(Outcome.FAILED, str(error), late=isinstance(error, Late))
    if answer == {"unsupported": True}:
        return Verdict(Outcome.UNSUPPORTED, answer)
    return Verdict(Outcome.PASSED if same(answer, case.expected) else Outcome.FAILED, answer)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; to Python alone, true would be 1 and 1 would be 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _unfinished(line: bytes) -> str:
    """What is wrong with an answer that has no end."""
    if len(line) >= _MAX_LINE_BYTES:
        return f"a line of more than {_MAX_LINE_BYTES} bytes"
    if not line:
        return "it wrote nothing"
    return f"it wrote no newline after {_excerpt(line)}"


def _excerpt(line: bytes) -> str:
    return f"{line[:_EXCERPT_BYTES]!r}{' ...' if len(line) > _EXCERPT_BYTES else ''}"


def _is_deep(answer: object) -> bool:
    """Whether comparing and printing it could be too much for Python, which does both by recursion."""
    level = [answer]
    for _ in range(_MAX_NESTING + 1):
        level = [item for one in level for item in _items(one)]
    return bool(level)


def _items(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it is gone already, which is what was wanted
