"""Stretches of wall-clock time, and the instants at which the clocks of a zone show them.

A wall time counts milliseconds from 1970-01-01 00:00 as the clock on the wall shows it. On the day the
clocks go forward some wall times are shown at no instant, on the day they go back some at two: what is said
by the clock holds at each instant at which the clock shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from functools import lru_cache

from .zones import DAY_MINUTES, HOUR_MS, MINUTE_MS, to_local

Interval = tuple[int, int]  # [from, to)
DAY_MS = DAY_MINUTES * MINUTE_MS
# No zone changes its offset twice in such a time.
_STEADY_MS = 6 * HOUR_MS
_EPOCH_DAY = date(1970, 1, 1).toordinal()
LAST_DAY = date(2199, 12, 31).toordinal() - _EPOCH_DAY


def day_number(day: date) -> int:
    """Days from 1970-01-01."""
    return day.toordinal() - _EPOCH_DAY


def day_of(number: int) -> date:
    return date.fromordinal(number + _EPOCH_DAY)


def weekday_of(number: int) -> int:
    """1 Monday to 7 Sunday; 1970-01-01 was a Thursday."""
    return (number + 3) % 7 + 1


def wall_time(instant: int, zone: tzinfo) -> int:
    """What the clocks of `zone` show at `instant`."""
    return instant + _offset(instant, zone)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in order, without overlaps or seams."""
    found: list[Interval] = []
    for begin, past in sorted(intervals):
        if past <= begin:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], past))
        else:
            found.append((begin, past))
    return found


def instants(walls: Sequence[Interval], zone: tzinfo, start: int, end: int) -> list[Interval]:
    """When in [start, end) the clocks of `zone` show a time of `walls` (ascending), merged."""
    found: list[Interval] = []
    for begin, past, offset in _steady(zone, start, end):
        for wall_begin, wall_past in walls:
            first, last = max(wall_begin - offset, begin), min(wall_past - offset, past)
            if first < last:
                found.append((first, last))
    return merged(found)


def _steady(zone: tzinfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """[start, end) in parts within each of which one offset from UTC holds: (from, to, offset)."""
    begin, offset = start, _offset(start, zone)
    at = start
    while at < end:
        ahead = min(at + _STEADY_MS, end)
        then = _offset(ahead, zone)
        if then != offset:
            change = _change(zone, at, ahead, offset)
            yield begin, change, offset
            begin, offset = change, then
        at = ahead
    if begin < end:
        yield begin, end, offset


def _change(zone: tzinfo, before: int, after: int, offset: int) -> int:
    """The instant in (before, after] from which `offset` holds no more."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after


# Bookings of one street ask for the same few instants again and again; a change of offset is 25 questions.
@lru_cache(maxsize=4096)
def _offset(instant: int, zone: tzinfo) -> int:
    """What is added to UTC, milliseconds."""
    local: datetime = to_local(instant, zone)
    ahead = local.utcoffset()
    if ahead is None:
        raise ValueError("a zone knows its offset from UTC")
    return (ahead.days * 86_400 + ahead.seconds) * 1000
