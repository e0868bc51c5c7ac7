"""What a vector file is made of, and the one way in which it is written.

A faulty case is proven when it is made: ours refuses it for the reason given, and takes it once the one fault
is repaired. So no case can fail for a second reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..conformance.runner import same
from ..conformance.subject import answer

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One entry of a file: `answer` is {"out": ...} or {"error": code, "why": sentence}."""

    name: str
    op: str
    given: Json
    answer: Json

    def line(self) -> str:
        """The entry, with each of its parts on a line of its own."""
        parts = {"name": self.name, "op": self.op, "in": self.given, **self.answer}
        rows = [f'"{part}": {json.dumps(value, separators=(", ", ": "))}' for part, value in parts.items()]
        return "    {" + ",\n     ".join(rows) + "}"


@dataclass(frozen=True, slots=True)
class VectorFile:
    """`specs/vectors/<name>.json`: one sentence about it, and its cases."""

    name: str
    about: str
    cases: tuple[Case, ...]

    def text(self) -> str:
        """The bytes of the file, the same on every machine."""
        cases = ",\n".join(case.line() for case in self.cases)
        return f'{{\n  "about": {json.dumps(self.about)},\n  "cases": [\n{cases}\n  ]\n}}\n'


def good(name: str, op: str, given: Json, out: Json) -> Case:
    """A case that is answered with `out`, which ours must say too."""
    said = answer(op, given)
    if not same(said, {"out": out}):
        raise AssertionError(f"{name}: expected {out}, ours says {said}")
    return Case(name, op, given, {"out": out})


def bad(name: str, op: str, given: Json, error: str, why: str, repaired: Json) -> Case:
    """A case that is refused as `error`; `repaired` are the parts of `given` without the fault."""
    said = answer(op, given)
    if said != {"error": error}:
        raise AssertionError(f"{name}: expected {error}, ours says {said}")
    mended = answer(op, {**given, **repaired})
    if "out" not in mended:
        raise AssertionError(f"{name}: has a second fault, ours still says {mended}")
    return Case(name, op, given, {"error": error, "why": why})
