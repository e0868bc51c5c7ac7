"""What an attack is, and what is found when it is tried."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table: what the attacker spent and what they got, as it was measured."""

    spends: str
    gets: str


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to abuse a node, tried on real nodes.

    play: (seed, size) -> Finding; AssertionError where the attacker gets more than `stops` allows. size: how
    often it is tried in `make test`; long: in `make test-long`, and for the table. Sizes of attacks that are
    tried once are 1. stops: what bounds it, for people.
    """

    family: str
    name: str
    stops: str
    play: Callable[[int, int], Coroutine[Any, Any, Finding]]
    size: int = 1
    long: int | None = None


def money(micro: int) -> str:
    """Micro-units as EUR."""
    return f"{micro / 1e6:.2f} EUR"
