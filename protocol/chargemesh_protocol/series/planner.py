"""Which dates of a series are to be booked now, and when to look again: a pure function of what is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..booking.kept import Booking
from ..booking.records import DeclineReason
from ..booking.table import Reservation
from ..limits import LISTING_SLOTS, SLOT_MS
from ..moment import earliest
from ..wall_clock import LAST_DAY
from ..zones import DAY_MINUTES, HOUR_MS, MINUTE_MS
from .dates import dates, occurrence, wall_day
from .kept import NOTHING_YET, DateState, Outcome, Series

# As far ahead as hosts' calendars are open unless they say otherwise, and a slot less: clocks differ.
AHEAD_MS = (LISTING_SLOTS - 1) * SLOT_MS
# What begins later than that waits until the host has answered for the date before: it may answer for all,
# and is not asked by heaps.
HURRY_MS = 72 * HOUR_MS
_NEAR_DAYS = 8  # a date may be moved by a week, and clocks may be a day apart
_FIRST_WAIT_MS, _LONGEST_WAIT_MS = 10 * MINUTE_MS, 12 * HOUR_MS
# The same request would be refused again.
_FOR_GOOD = frozenset({"rules", "trust", "duration", "members-only", "lead-time"})
_NOT_NOW = (DeclineReason.NOT_OFFERABLE, DeclineReason.QUOTE_EXPIRED, DeclineReason.UNPAID_RECEIPT)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of a series, and its times [start, end), unix ms."""

    day: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Plan:
    """book: whose quote is to be asked for now, the soonest first: one at a time, but all that hurry.
    left_out: whose time came without a booking. wake_at: when time alone changes the plan, None if never."""

    book: tuple[Occurrence, ...] = ()
    left_out: tuple[Occurrence, ...] = ()
    wake_at: int | None = None


def plan(series: Series, kept: Mapping[int, DateState], now: int) -> Plan:
    """`kept`: by date. In proportion to the next weeks, however long the series is."""
    if series.ended:
        return Plan()
    book: list[Occurrence] = []
    left_out: list[Occurrence] = []
    wake_at: int | None = None
    today = wall_day(series.zone, now)
    ahead = -(-AHEAD_MS // (DAY_MINUTES * MINUTE_MS))
    for one in occurrences(series, today - _NEAR_DAYS, today + ahead + _NEAR_DAYS):
        state = kept.get(one.day, NOTHING_YET)
        if is_settled(series, one.day, state):
            continue
        if now >= one.start:
            left_out.append(one)
            continue
        due = due_at(series, one, state)
        if due <= now:
            book.append(one)
        wake_at = earliest(wake_at, one.start, due if due > now else None)
    wake_at = earliest(wake_at, _beyond(series, today + ahead + _NEAR_DAYS + 1))
    book.sort(key=lambda one: one.start)
    first = [one for one in book if one.start <= now + HURRY_MS]
    if not first and not any(one.booking and one.outcome is Outcome.ASKED for one in kept.values()):
        first = book[:1]
    waiting = min((one.start for one in book if one not in first), default=None)
    return Plan(
        tuple(first), tuple(left_out), earliest(wake_at, None if waiting is None else waiting - HURRY_MS)
    )


def occurrences(series: Series, first: int, last: int) -> Iterator[Occurrence]:
    """The occurrences of the dates `first` to `last`, those that are moved at their new times; also skipped
    ones."""
    moved = series.moved
    until = last if series.last is None else min(last, series.last)
    for day in dates(series.weekdays, max(first, series.first), until):
        move = moved.get(day)
        span = (move.start, move.end) if move else occurrence(series.times, day)
        if span is not None:
            yield Occurrence(day, *span)


def is_settled(series: Series, day: int, state: DateState) -> bool:
    """Whether nothing more is to be tried for that date."""
    if day in series.skips or state.left_out:
        return True
    return state.booking is not None and state.outcome is not Outcome.AGAIN


def due_at(series: Series, one: Occurrence, state: DateState) -> int:
    """When its quote is to be asked for (unix ms): at once where the person has agreed to what it needs."""
    opens = one.start - AHEAD_MS
    agreed = state.cap is not None and state.cap <= series.at_most and state.terms == series.terms
    return opens if agreed else max(opens, state.not_before)


def next_try(now: int, start: int, tries: int) -> int:
    """When to try again after `tries` in vain: more and more seldom, but several times in what is left."""
    wait = min(_FIRST_WAIT_MS << min(tries - 1, 12), _LONGEST_WAIT_MS)
    return now + min(wait, max((start - now) // 2, _FIRST_WAIT_MS))


def outcome_of(booking: Booking, now: int) -> Outcome:
    """What became of it so far."""
    if booking.file.refused:
        return Outcome.OVER if booking.file.refused in _FOR_GOOD else Outcome.AGAIN
    state = booking.state(now)
    match state.reservation:
        case Reservation.PENDING:
            return Outcome.ASKED
        case Reservation.FAILED:
            return Outcome.AGAIN if state.accept is None else Outcome.STANDS  # it ran out, or nobody came
        case Reservation.REJECTED:
            not_now = state.decline is not None and state.decline.body.reason in _NOT_NOW
            return Outcome.AGAIN if not_now else Outcome.OVER
        case Reservation.CANCELED:
            return Outcome.OVER
        case _:
            return Outcome.STANDS


def _beyond(series: Series, first: int) -> int | None:
    """When the first occurrence of `first` or later comes within reach."""
    start = max(first, series.first)
    for one in occurrences(series, start, min(start + 2 * _NEAR_DAYS, LAST_DAY)):
        return one.start - AHEAD_MS
    return None
