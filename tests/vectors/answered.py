"""Cases whose answer is long: it is what ours says, and a few parts of it are stated by hand and compared."""

from __future__ import annotations

from typing import Any

from ..conformance.subject import answer
from .frame import Case, Json, good


def answered(name: str, op: str, given: Json, **parts: Any) -> Case:
    """A case with ours as its answer, in which `parts` must be as they are here."""
    said = answer(op, given)
    if "out" not in said:
        raise AssertionError(f"{name}: ours says {said}")
    differing = {
        part: said["out"].get(part) for part, value in parts.items() if said["out"].get(part) != value
    }
    if differing:
        raise AssertionError(f"{name}: expected {parts}, ours says {differing}")
    return good(name, op, given, said["out"])
