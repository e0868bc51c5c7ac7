"""On which dates a weekly time occurs, and the instants at which clocks show it, on every day of the year.

A wall time's instant is the first at which the clocks of the zone show that time or, where they go forward
over it, a later one. So a time that happens twice is its first, one that happens never is the moment of the
change, and what lies wholly within the missing hour does not occur.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..wall_clock import DAY_MS, LAST_DAY, day_of, wall_time, weekday_of
from ..zones import DAY_MINUTES, MINUTE_MS, wall_instants, zone_of

WEEK_MINUTES = 7 * DAY_MINUTES
_LONGEST_GAP_MINUTES = 26 * 60  # Samoa left out a whole day; no zone more than it can be ahead


@dataclass(frozen=True, slots=True)
class WallTimes:
    """From minute `opens` after midnight, `minutes` long by the clocks of `zone` (IANA)."""

    zone: str
    opens: int
    minutes: int


def instant_of(zone: str, day: int, minute: int) -> int:
    """When (unix ms) the clocks show `minute` of the date `day` (days from 1970-01-01), as the module says.

    A minute of 1440 or more is a wall time of a later day.
    """
    where, date = zone_of(zone), day_of(day)
    for later in range(_LONGEST_GAP_MINUTES + 1):
        found = wall_instants(date, minute + later, where)
        if found:
            return found[0]
    raise ValueError(f"no clock of {zone} goes on after {date}")


def occurrence(times: WallTimes, day: int) -> tuple[int, int] | None:
    """[start, end) on that date, unix ms; None where the clocks leave it out."""
    start = instant_of(times.zone, day, times.opens)
    end = instant_of(times.zone, day, times.opens + times.minutes)
    return (start, end) if start < end else None


def wall_day(zone: str, instant: int) -> int:
    """The date that the clocks of `zone` show."""
    return wall_time(instant, zone_of(zone)) // DAY_MS


def wall_times(zone: str, start: int, end: int) -> WallTimes:
    """What the clocks show of [start, end); ValueError if that is no time that can be said by the clock."""
    where = zone_of(zone)
    begins, past = wall_time(start, where), wall_time(end, where)
    if begins % MINUTE_MS or past % MINUTE_MS:
        raise ValueError("it begins and ends with a whole minute")
    minutes = (past - begins) // MINUTE_MS
    if not 0 < minutes <= WEEK_MINUTES:
        raise ValueError("by the clock it ends after it begins, and within a week")
    return WallTimes(zone, begins % DAY_MS // MINUTE_MS, minutes)


def dates(weekdays: Sequence[int], first: int, last: int) -> Iterator[int]:
    """The dates from `first` to `last` on those weekdays (1 Monday to 7 Sunday), ascending."""
    return (day for day in range(first, min(last, LAST_DAY) + 1) if weekday_of(day) in weekdays)


def last_of(weekdays: Sequence[int], first: int, count: int) -> int:
    """The date of occurrence number `count`; ValueError if there are not as many before the year 2200."""
    for number, day in enumerate(dates(weekdays, first, LAST_DAY), 1):
        if number == count:
            return day
    raise ValueError("a series has at least one date, and ends before the year 2200")
