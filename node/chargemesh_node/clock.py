"""Time and entropy: the only module that asks the machine for either, and whether its time can be believed.

Everything else takes a Clock and an Entropy (ports.py), so that a whole network replays from one seed.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from chargemesh_protocol.limits import CLOCK_TOLERANCE_MS

# Fewer peers than this could all be wrong, or be one person's.
_SEVERAL_PEERS = 3


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


@dataclass(frozen=True, slots=True)
class ClockVerdict:
    """Whether the node may sign what is bound to a time; if not, `reason` is a sentence for `doctor`."""

    trusted: bool
    reason: str = ""


def judge_clock(now: int, newest_own_record: int | None, peer_offsets: Sequence[int] = ()) -> ClockVerdict:
    """Design, section 3, Clocks: a Raspberry Pi wakes up in the past and would sign records dated there.

    `newest_own_record` is the latest `issued` that this node ever signed (unix ms), None before the
    first; `peer_offsets` holds (peer's clock - ours) in ms, one value per peer.
    """
    if newest_own_record is not None and now < newest_own_record:
        behind = _duration(newest_own_record - now)
        return ClockVerdict(
            False,
            f"This machine's clock is {behind} behind the newest record that this node signed. "
            "Nothing is signed until the clock is right: set it, or wait for time synchronisation.",
        )
    if len(peer_offsets) >= _SEVERAL_PEERS:
        offset = median_low(peer_offsets)
        if abs(offset) > CLOCK_TOLERANCE_MS:
            side = "behind" if offset > 0 else "ahead of"
            return ClockVerdict(
                False,
                f"This machine's clock is {_duration(abs(offset))} {side} the clocks of {len(peer_offsets)} "
                "peers. Nothing is signed until the clock is right: turn on time synchronisation.",
            )
    return ClockVerdict(True)


def _duration(milliseconds: int) -> str:
    """A length of time as people say it, rounded down: "3 days", "2 minutes", "0.4 seconds"."""
    for unit, size in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000)):
        if milliseconds >= 2 * size:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds / 1000:g} seconds"
