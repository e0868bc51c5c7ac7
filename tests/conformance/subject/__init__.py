"""Our own implementation as a program that the runner can drive: each operation is a small function."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import IO, Any

from chargemesh_protocol.errors import Refused

from . import (
    bookings,
    encoding,
    identity,
    keys,
    listings,
    logs,
    mailboxes,
    messages,
    places,
    receipts,
    records,
    sealing,
    tariffs,
    walk_ins,
)

Operation = Callable[[dict[str, Any]], dict[str, Any]]
_MODULES = (
    encoding,
    keys,
    records,
    identity,
    places,
    listings,
    messages,
    tariffs,
    bookings,
    receipts,
    sealing,
    walk_ins,
    mailboxes,
    logs,
)
OPERATIONS: dict[str, Operation] = {
    operation: function for module in _MODULES for operation, function in module.OPERATIONS.items()
}


def answer(op: str, given: dict[str, Any]) -> dict[str, Any]:
    """{"out": ...}, {"error": code} or {"unsupported": True}; any other exception is a bug and ends us."""
    operation = OPERATIONS.get(op)
    if operation is None:
        return {"unsupported": True}
    try:
        return {"out": operation(given)}
    except Refused as refused:
        return {"error": refused.code}


def serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answers line by line until the questions end."""
    for line in questions:
        question = json.loads(line)
        said = {"id": question["id"], **answer(question["op"], question["in"])}
        answers.write(json.dumps(said).encode() + b"\n")
        answers.flush()
