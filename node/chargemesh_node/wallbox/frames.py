"""Looks at an OCPP-J message before anything else does: bounded, well-formed, and addressed to somebody.

The `ocpp` package ends its receive loop over some of what arrives here (a deeply nested array, an action
that is a list), so it only ever sees what passed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chargemesh_protocol.limits import MAX_OCPP_JSON_DEPTH, MAX_OCPP_MESSAGE_ID_CHARS

CALL, RESULT, ERROR = 2, 3, 4


@dataclass(frozen=True, slots=True)
class Frame:
    """`kind` is CALL, RESULT or ERROR; `action` is empty but for a CALL."""

    kind: int
    unique_id: str
    action: str


class BadFrame(Exception):
    """Not OCPP-J. `answer` is the CALLERROR to send, None where nobody waits for one."""

    def __init__(self, reason: str, answer: str | None = None) -> None:
        super().__init__(reason)
        self.answer = answer


def read_frame(raw: str | bytes) -> Frame:
    """Raises BadFrame for whatever is no OCPP-J 1.6 message."""
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadFrame("not JSON") from None
    if not isinstance(message, list) or len(message) < 2 or message[0] not in (CALL, RESULT, ERROR):
        raise BadFrame("not a CALL, CALLRESULT or CALLERROR")
    kind, unique_id = message[0], message[1]
    if isinstance(kind, bool) or not isinstance(kind, int):
        raise BadFrame("the message type is no integer")
    if not isinstance(unique_id, str) or not 0 < len(unique_id) <= MAX_OCPP_MESSAGE_ID_CHARS:
        echo = unique_id if isinstance(unique_id, int) else "-1"
        answer = call_error(echo, "ProtocolError", "The message id must be a text.") if kind == CALL else None
        raise BadFrame("the message id is no text", answer)
    if kind != CALL:
        if len(message) < 3:
            raise BadFrame("an answer without a payload")
        if _deeper_than(message, MAX_OCPP_JSON_DEPTH + 1):
            raise BadFrame("nested too deeply")
        return Frame(kind, unique_id, "")
    if len(message) != 4 or not isinstance(message[2], str):
        raise BadFrame("no action or no payload", call_error(unique_id, "ProtocolError", "Not a whole CALL."))
    if not isinstance(message[3], dict):
        answer = call_error(unique_id, "TypeConstraintViolation", "The payload must be an object.")
        raise BadFrame("the payload is no object", answer)
    if _deeper_than(message[3], MAX_OCPP_JSON_DEPTH):
        raise BadFrame("nested too deeply", call_error(unique_id, "FormationViolation", "Nested too deeply."))
    return Frame(kind, unique_id, message[2])


def call_error(unique_id: str | int, code: str, description: str) -> str:
    """A CALLERROR as text."""
    return json.dumps([ERROR, unique_id, code, description, {}], separators=(",", ":"))


def _deeper_than(value: Any, depth: int) -> bool:
    """Whether containers are nested more than `depth` deep, found without recursion."""
    level = [value]
    for _ in range(depth):
        below = []
        for container in level:
            items = container.values() if isinstance(container, dict) else container
            below += [item for item in items if isinstance(item, (dict, list))]
        if not below:
            return False
        level = below
    return True
