"""A target: what reads what a stranger sends, the promise that it keeps, and bytes to begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from ..conformance.vector_files import Case, load


@dataclass(frozen=True, slots=True)
class Target:
    """check: raises (AssertionError or whatever escapes) if the promise is broken by these bytes.
    seeds: inputs that get far. grown: an input about so many times as large as grown(1), which is taken or
    at least read to its end; the cost of reading it must grow no faster than it. max_bytes: of one input."""

    name: str
    check: Callable[[bytes], object]
    seeds: Callable[[], Iterator[bytes]]
    grown: Callable[[int], bytes]
    max_bytes: int = 4096


@cache
def cases() -> tuple[Case, ...]:
    """Every case of the vector files."""
    return tuple(load())


def vectors(op: str, part: str) -> Iterator[bytes]:
    """One part of what an operation is given, in all of its cases."""
    for case in cases():
        if case.op == op and part in case.given:
            yield bytes.fromhex(case.given[part])
