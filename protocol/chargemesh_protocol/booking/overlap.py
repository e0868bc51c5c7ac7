"""Whether a host promised one charger to two bookings at once: the evidence of specs/05, B24.

Only what the host has signed frees a slot: a cancellation that it had not taken in yet is no excuse for what
it accepted meanwhile.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import takewhile

from .set import BookingSet
from .state import BookingState


class Overlap(StrEnum):
    """What two bookings are to each other; of several reasons against, the first of this list."""

    DOUBLE_BOOKED = "double-booked"  # evidence against the host
    SAME_BOOKING = "same-booking"
    OTHER_HOST = "other-host"
    OTHER_CHARGER = "other-charger"
    NOT_ACCEPTED = "not-accepted"  # at least one of them
    APART = "apart"  # one ends no later than the other starts
    RELEASED = "released"  # one was over, by the host's own records, when the other was accepted


def overlap(one: BookingSet, other: BookingSet) -> Overlap:
    """Compares two bookings whose records are verified; the order of the two plays no part.

    What a set lacks may rebut what it shows: the host has all that it signed, and can bring it.
    """
    if one.id == other.id:
        return Overlap.SAME_BOOKING
    if one.host != other.host:
        return Overlap.OTHER_HOST
    if one.quote.body.charger != other.quote.body.charger:
        return Overlap.OTHER_CHARGER
    promised = [_promised_at(booking) for booking in (one, other)]
    if not promised[0] or not promised[1]:
        return Overlap.NOT_ACCEPTED
    both = max(promised[0][0], promised[1][0])
    found = [_at(one, other, instant) for instant in sorted({*promised[0], *promised[1]}) if instant >= both]
    return next((worst for worst in Overlap if worst in found), Overlap.APART)


def _at(one: BookingSet, other: BookingSet, instant: int) -> Overlap:
    """What the two were to each other when the host had just promised one of them a time."""
    first, second = _as_signed(one, instant), _as_signed(other, instant)
    if first.quote.end <= second.quote.start or second.quote.end <= first.quote.start:
        return Overlap.APART
    return Overlap.DOUBLE_BOOKED if first.holds_slot and second.holds_slot else Overlap.RELEASED


def _promised_at(booking: BookingSet) -> list[int]:
    """When the host accepted, and when it put each later quote in force; unix ms, empty if it never did."""
    state = booking.state(booking.quote.body.end)
    if state.accept is None:
        return []
    return [state.accept.body.issued, *(one.since for one in state.in_force[1:])]


def _as_signed(booking: BookingSet, at: int) -> BookingState:
    """The state at `at` (unix ms) by what the host had signed until then, and what that includes."""
    signed = list(takewhile(lambda one: one.body.issued <= at, booking.chain))
    included = {one for host in signed for one in host.body.includes}
    heard = [one for one in booking.driver_records if one.id in included]
    return BookingSet(booking.quote, booking.request, [*signed, *heard]).state(at)
