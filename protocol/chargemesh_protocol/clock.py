"""Whether the time that a node is told can be believed: by what it signed itself, and by its peers' clocks.

A Raspberry Pi has no clock of its own and wakes up in the past; what it signed there would be dated wrongly
for good. specs/08, Clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from .effects import SAVES, Effect, PutDocument
from .errors import ExitCode, PersonError
from .limits import CLOCK_TOLERANCE_MS

CLOCK = "clock"  # what a node knows of its own time
NEWEST_SIGNED = b"newest-signed"
# Fewer peers than this could all be wrong, or be one person's.
SEVERAL_PEERS = 3
# Signing what is not kept itself (quotes, renewals) costs no write more often than this.
_WRITTEN_EVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class ClockVerdict:
    """Whether the node may sign what is bound to a time; if not, `reason` is a sentence for people."""

    trusted: bool
    reason: str = ""


@dataclass(slots=True)
class NewestSigned:
    """The latest `issued` that a node ever signed (unix ms), 0 before the first."""

    instant: int = 0

    def note(self, issued: int) -> None:
        self.instant = max(self.instant, issued)


def judge_clock(now: int, newest_signed: int, peer_offsets: Sequence[int] = ()) -> ClockVerdict:
    """Whether `now` (unix ms) can be right.

    `newest_signed` is the latest `issued` that this node ever signed, 0 before the first; `peer_offsets`
    holds (peer's clock - ours) in ms, one value per peer. One that several peers show to lie in the future
    was signed by a wrong clock and does not count: it would silence the node until then.
    """
    several = len(peer_offsets) >= SEVERAL_PEERS
    offset = median_low(peer_offsets) if several else 0
    if several and abs(offset) > CLOCK_TOLERANCE_MS:
        side = "behind" if offset > 0 else "ahead of"
        return ClockVerdict(
            False,
            f"This machine's clock is {_duration(abs(offset))} {side} the clocks of {len(peer_offsets)} "
            "peers. Nothing is signed until the clock is right: turn on time synchronisation.",
        )
    dated_wrongly = several and newest_signed > now + offset + CLOCK_TOLERANCE_MS
    if now < newest_signed and not dated_wrongly:
        behind = _duration(newest_signed - now)
        return ClockVerdict(
            False,
            f"This machine's clock is {behind} behind the newest record that this node signed. "
            "Nothing is signed until the clock is right: set it, or wait for time synchronisation.",
        )
    return ClockVerdict(True)


def differing_clocks(peer_offsets: Sequence[int]) -> str:
    """A sentence where too few peers were heard to judge our clock and one of theirs differs; else empty.

    `peer_offsets` as for `judge_clock`. Which of them is wrong can't be told from so few.
    """
    most = max(peer_offsets, key=abs, default=0)
    if len(peer_offsets) >= SEVERAL_PEERS or abs(most) <= CLOCK_TOLERANCE_MS:
        return ""
    side = "ahead of" if most > 0 else "behind"
    whose = "a peer's clock" if len(peer_offsets) > 1 else "the one peer's clock"
    return (
        f"This machine's clock and {whose} differ: theirs is {_duration(abs(most))} {side} ours. "
        "One of the two clocks is wrong."
    )


class ClockWatch:
    """One node's judgement of its clock, and the newest instant it signed: a restart must not forget it."""

    def __init__(
        self,
        newest: NewestSigned,
        documents: Mapping[str, Mapping[bytes, bytes]],
        peer_offsets: Callable[[], Sequence[int]],
    ) -> None:
        """`peer_offsets` gives what is known now of the peers' clocks, as `judge_clock` takes it."""
        self._newest = newest
        self._written = int.from_bytes(documents.get(CLOCK, {}).get(NEWEST_SIGNED, b""), "big")
        self._newest.note(self._written)
        self._peer_offsets = peer_offsets

    def judge(self, now: int) -> ClockVerdict:
        return judge_clock(now, self._newest.instant, self._peer_offsets())

    def saved(self, effects: Sequence[Effect]) -> list[Effect]:
        """What to write of it beside `effects`: whatever is kept of a record, its instant is kept with it."""
        ahead = self._newest.instant - self._written
        writes = any(isinstance(one, SAVES) for one in effects)
        if ahead <= 0 or not (writes or ahead >= _WRITTEN_EVERY_MS):
            return []
        self._written = self._newest.instant
        return [PutDocument(CLOCK, NEWEST_SIGNED, self._written.to_bytes(8, "big"))]

    def deadline(self) -> int | None:
        """When to write it though nothing else is."""
        ahead = self._newest.instant - self._written
        return self._newest.instant + _WRITTEN_EVERY_MS if ahead >= _WRITTEN_EVERY_MS else None


def clock_is_wrong(verdict: ClockVerdict) -> PersonError:
    """What a person is told whose command would sign."""
    return PersonError(
        "clock-wrong",
        verdict.reason,
        "Everything goes on by itself once the clock is right; `chargemesh doctor` tells when it is.",
        ExitCode.NOT_ALLOWED,
    )


def _duration(milliseconds: int) -> str:
    """A length of time as people say it, rounded down: "3 days", "2 minutes", "0.4 seconds"."""
    for unit, size in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000)):
        if milliseconds >= 2 * size:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds / 1000:g} seconds"
