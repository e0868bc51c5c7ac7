"""Two families of errors: a peer's fault (`Refused`) and a person's mistake (`PersonError`).

Anything else that escapes is our own bug and is never caught to be hidden.
"""

from __future__ import annotations

from enum import IntEnum


class ChargemeshError(Exception):
    """Root of every error that chargemesh raises on purpose."""


class Severity(IntEnum):
    """How much a peer's fault says about the peer; the sum bounds what we take from it."""

    STALE = 0  # an honest peer can send it: expired, superseded, already known
    WRONG = 1  # a broken peer sends it: a rule of the protocol is not kept
    FORGED = 3  # only a lying or hopelessly broken peer sends it: bad signature, garbage bytes


class Refused(ChargemeshError):
    """What a peer sent is not acceptable; it is dropped and counted, never half used.

    `code` is one of the registered reasons (specs/errors.json), stable across versions.
    """

    def __init__(self, code: str, message: str, severity: Severity = Severity.WRONG) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.severity = severity

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ExitCode(IntEnum):
    """Exit codes of the command line (also the class of an API error)."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_RUNNING = 4
    NOT_ALLOWED = 5
    REJECTED_BY_PEER = 6
    TIMED_OUT = 7


class PersonError(ChargemeshError):
    """A mistake or a circumstance that a person can act on: says what is wrong and what to do."""

    def __init__(
        self, code: str, message: str, hint: str = "", exit_code: ExitCode | int = ExitCode.FAILURE
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.exit_code = ExitCode(exit_code)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
