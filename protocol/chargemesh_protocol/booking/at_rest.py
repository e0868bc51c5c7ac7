"""Bookings at rest: nothing about them will change until an event names them, so they lie in the store alone.

Of each there is a small summary, written when it goes to rest and dropped in the commit that changes the
booking again. It answers what the engine asks of bookings that aren't loaded; whatever else is asked loads
the booking first (`Engine.wants`). Summaries are derived: without them a start loads everything and writes
them anew.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..trust.entries import CompletionStatement
from .kept import Booking
from .table import Settlement

# Of a fixed layout, because thousands are read at each start. Another layout needs another name of AT_REST.
_LAYOUT = struct.Struct(">32sB6Q")
_HOST, _FINISHED, _DONE, _COMPLETED, _UNPAID, _QUEUED = (1 << bit for bit in range(6))


@dataclass(frozen=True, slots=True)
class AtRest:
    """What is known of a booking that isn't loaded. Times in unix ms.

    start, end: of the slot. asked: when the request was signed. region: where it was (H3 cell). finished:
    nothing more is expected of either side. done: the host refused it at once. completed: the other side has
    signed that a session took place. unpaid: its driver hasn't paid our receipt. queued: an outbox row may
    stand for it. wake: when something falls due for it again, 0 for never. compared_since: the newest restore
    from a backup that it knew of.
    """

    other: bytes
    is_host: bool
    finished: bool
    done: bool
    completed: bool
    unpaid: bool
    queued: bool
    start: int
    end: int
    asked: int
    region: int
    wake: int
    compared_since: int

    def to_bytes(self) -> bytes:
        flags = (
            _HOST * self.is_host
            | _FINISHED * self.finished
            | _DONE * self.done
            | _COMPLETED * self.completed
            | _UNPAID * self.unpaid
            | _QUEUED * self.queued
        )
        numbers = (self.start, self.end, self.asked, self.region, self.wake, self.compared_since)
        return _LAYOUT.pack(self.other, flags, *numbers)


def read_summary(data: bytes) -> AtRest:
    """ValueError for what `AtRest.to_bytes` can't have written."""
    try:
        other, flags, *numbers = _LAYOUT.unpack(data)
    except struct.error as error:
        raise ValueError(f"no summary of a booking: {error}") from error
    return AtRest(
        other,
        flags & _HOST != 0,
        flags & _FINISHED != 0,
        flags & _DONE != 0,
        flags & _COMPLETED != 0,
        flags & _UNPAID != 0,
        flags & _QUEUED != 0,
        *numbers,
    )


def sum_up(booking: Booking, wake: int | None, compared_since: int, now: int) -> AtRest:
    """The summary of a booking that goes to rest at `now`."""
    state = booking.state(now)
    return AtRest(
        other=booking.other,
        is_host=booking.is_host,
        finished=bool(booking.file.refused) or state.finished,
        done=booking.file.done,
        completed=is_completed(booking),
        unpaid=is_unpaid(booking, now),
        queued=bool(booking.queued),
        start=state.quote.start,
        end=state.quote.end,
        asked=booking.request.body.issued,
        region=booking.file.region,
        wake=wake or 0,
        compared_since=compared_since,
    )


def is_completed(booking: Booking) -> bool:
    """Whether the other side has signed that a session took place."""
    return booking.statement(CompletionStatement, booking.other) is not None


def is_unpaid(booking: Booking, now: int) -> bool:
    """Whether its driver has a receipt of ours that is not paid: a claim alone pays nothing."""
    state = booking.state(now)
    due = booking.is_host and state.receipt is not None and state.receipt.body.total > 0
    return due and state.settlement in (Settlement.OPEN, Settlement.CLAIMED)


class Resting:
    """The summaries of all bookings at rest, by id."""

    def __init__(self, kept: Mapping[bytes, bytes] | None = None) -> None:
        """`kept`: as the store has them. ValueError if one is damaged."""
        self._summaries = {booking: read_summary(data) for booking, data in (kept or {}).items()}
        self._with: dict[bytes, set[bytes]] = {}
        for booking, summary in self._summaries.items():
            self._with.setdefault(summary.other, set()).add(booking)
        # When each is to be woken, sorted.
        self._wakes = sorted((one.wake, booking) for booking, one in self._summaries.items() if one.wake)

    def __contains__(self, booking: bytes) -> bool:
        return booking in self._summaries

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._summaries)

    def __len__(self) -> int:
        return len(self._summaries)

    def get(self, booking: bytes) -> AtRest | None:
        return self._summaries.get(booking)

    def items(self) -> Iterator[tuple[bytes, AtRest]]:
        return iter(self._summaries.items())

    def having(self, other: bytes) -> Iterator[AtRest]:
        """Those with this other party."""
        return (self._summaries[one] for one in self._with.get(other, ()))

    def enter(self, booking: bytes, summary: AtRest) -> None:
        self._summaries[booking] = summary
        self._with.setdefault(summary.other, set()).add(booking)
        if summary.wake:
            insort(self._wakes, (summary.wake, booking))

    def leave(self, booking: bytes) -> AtRest:
        """KeyError for one that isn't at rest."""
        summary = self._summaries.pop(booking)
        others = self._with[summary.other]
        others.remove(booking)
        if not others:
            del self._with[summary.other]
        if summary.wake:
            del self._wakes[bisect_left(self._wakes, (summary.wake, booking))]
        return summary

    def sleep_on(self, booking: bytes) -> None:
        """It can't be loaded, so that time doesn't wake it while this node runs."""
        self.enter(booking, replace(self.leave(booking), wake=0))

    def deadline(self) -> int | None:
        """When the first of them wakes."""
        return self._wakes[0][0] if self._wakes else None

    def due(self, now: int, limit: int) -> list[bytes]:
        """Those that should have woken by now, the longest overdue first."""
        return [booking for wake, booking in self._wakes[:limit] if wake <= now]
