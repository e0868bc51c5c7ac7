"""Time and entropy: the only module that asks the machine for either.

Everything else takes a Clock and an Entropy (ports.py), so that a whole network replays from one seed.
Whether the machine's time can be believed is judged in chargemesh_protocol.clock.
"""

from __future__ import annotations

import hashlib
import os
import time


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> int:
        """Unix milliseconds, UTC."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def advance(self, milliseconds: int) -> None:
        """Move forward; ValueError for a negative step (to set a clock back, say so with `set`)."""
        if milliseconds < 0:
            raise ValueError("a clock does not run backwards; use set()")
        self._now += milliseconds

    def set(self, now: int) -> None:
        self._now = now


class SystemEntropy:
    """The operating system's random bytes."""

    def bytes(self, n: int) -> bytes:
        return os.urandom(n)


class SeededEntropy:
    """An endless stream that one seed determines: for simulations and tests, never for real keys."""

    def __init__(self, seed: bytes) -> None:
        self._key = hashlib.blake2b(seed, digest_size=64).digest()
        self._count = 0

    def bytes(self, n: int) -> bytes:
        """The next `n` bytes; they depend on how many calls came before, not on the sizes of those."""
        self._count += 1
        stream = hashlib.shake_256(self._key + self._count.to_bytes(8, "big"))
        return stream.digest(n)
