"""Time and entropy of one event, as arguments: nothing in this package reads a clock or draws at random."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """now: unix ms. seed: 32 bytes that no one could predict, fresh for each event."""

    now: int
    seed: bytes

    def fresh(self, label: str, n: int = 32) -> bytes:
        """`n` (up to 64) bytes for one use; another label gives independent bytes."""
        return hashlib.blake2b(label.encode(), digest_size=n, key=self.seed, person=b"chargemesh").digest()


def earliest(*instants: int | None) -> int | None:
    """The first of several deadlines (unix ms), None standing for none."""
    return min((one for one in instants if one is not None), default=None)
