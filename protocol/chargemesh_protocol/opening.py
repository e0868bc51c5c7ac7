"""When a charger may be booked, beyond its weekly hours: exceptions, one-off openings, quiet hours and more.

Everything is said by the wall clocks of the charger's zone. What is open at a wall time, the first that fits:
1. a one-off opening covers it: open;
2. its date has an exception: open in that date's own spans, else closed. A span that runs over midnight goes
   on into the next date of the same exception, and no further into a date that has another;
3. open in the weekly hours, also of the evening before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .limits import MAX_CALENDAR_DAYS, MAX_LIST_ITEMS, MAX_POWER_SPANS
from .metering import PowerStep
from .schedule import WeeklyHours, WeeklySpan, by_weekday, days_around, week_minutes, weekly_walls
from .shape import Int, Seq, Struct, key, shape
from .wall_clock import DAY_MS, LAST_DAY, Interval, instants, merged, wall_time, weekday_of
from .zones import DAY_MINUTES, MINUTE_MS, zone_of

MAX_HORIZON_MINUTES = 2 * 366 * DAY_MINUTES
DEFAULT_HORIZON_MINUTES = 14 * DAY_MINUTES
MIN_POWER_W = 1000  # less than any car charges with


@shape
@dataclass(frozen=True, slots=True)
class DaySpan:
    """From minute `opens` after midnight to `closes`; a `closes` at or before `opens` is on the next day."""

    opens: int = key(0, Int(0, DAY_MINUTES - 1))
    closes: int = key(1, Int(0, DAY_MINUTES))

    @property
    def minutes(self) -> int:
        return (
            self.closes - self.opens if self.closes > self.opens else DAY_MINUTES + self.closes - self.opens
        )


@shape
@dataclass(frozen=True, slots=True)
class DayException:
    """The dates `first` to `last` (days from 1970-01-01) have hours of their own, or are closed: no spans."""

    first: int = key(0, Int(0, LAST_DAY))
    last: int = key(1, Int(0, LAST_DAY))
    spans: tuple[DaySpan, ...] = key(2, Seq(Struct(DaySpan), MAX_LIST_ITEMS))

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("an exception ends on the day on which it begins, or later")


@shape
@dataclass(frozen=True, slots=True)
class OneOff:
    """Open once, also outside the weekly hours and on a closed day."""

    day: int = key(0, Int(0, LAST_DAY))
    span: DaySpan = key(1, Struct(DaySpan))


@shape
@dataclass(frozen=True, slots=True)
class PowerSpan:
    """At most `max_power_w` in this span of each week; where several hold, the least."""

    span: WeeklySpan = key(0, Struct(WeeklySpan))
    max_power_w: int = key(1, Int(MIN_POWER_W, 1_000_000))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRules:
    """What a host adds to the weekly hours; see the module. No wish of a driver overrides any of it.

    quiet: no booking begins or ends in these spans, one may last through them. buffer_minutes: between two
    bookings. horizon_minutes: how long ahead a booking may begin.
    """

    exceptions: tuple[DayException, ...] = key(0, Seq(Struct(DayException), MAX_CALENDAR_DAYS), default=())
    one_offs: tuple[OneOff, ...] = key(1, Seq(Struct(OneOff), MAX_CALENDAR_DAYS), default=())
    quiet: tuple[WeeklySpan, ...] = key(2, Seq(Struct(WeeklySpan), MAX_LIST_ITEMS), default=())
    buffer_minutes: int = key(3, Int(0, DAY_MINUTES), default=0)
    horizon_minutes: int = key(4, Int(15, MAX_HORIZON_MINUTES), default=DEFAULT_HORIZON_MINUTES)
    power: tuple[PowerSpan, ...] = key(5, Seq(Struct(PowerSpan), MAX_POWER_SPANS), default=())

    def __post_init__(self) -> None:
        for one, following in pairwise(self.exceptions):
            if following.first <= one.last:
                raise ValueError("exceptions are in order, and a date has one at most")


PLAIN = CalendarRules()


def open_times(hours: WeeklyHours, rules: CalendarRules, start: int, end: int) -> list[Interval]:
    """When in [start, end) the charger is open, as instants in order, neither overlapping nor touching."""
    zone = zone_of(hours.zone)
    walls = _open_walls(hours, rules, *days_around(start, end, hours.zone))
    return instants(walls, zone, start, end)


def is_open(hours: WeeklyHours, rules: CalendarRules, start: int, end: int) -> bool:
    """Whether the charger is open all of [start, end)."""
    return open_times(hours, rules, start, end) == [(start, end)]


def keeps_quiet(hours: WeeklyHours, rules: CalendarRules, start: int, end: int) -> bool:
    """Whether a booking neither begins nor ends in quiet hours; it may begin as they end, and end as they
    begin."""
    if not rules.quiet:
        return True
    week = week_minutes(rules.quiet)

    def quiet(instant: int) -> bool:
        wall = wall_time(instant, zone_of(hours.zone))
        return bool(week[(weekday_of(wall // DAY_MS) - 1) * DAY_MINUTES + wall % DAY_MS // MINUTE_MS])

    return not quiet(start) and not (quiet(end) and quiet(end - 1))


def power_steps(
    hours: WeeklyHours, rules: CalendarRules, most_w: int, start: int, end: int
) -> tuple[PowerStep, ...]:
    """What may be drawn in [start, end): the first step at `start`, each until the next."""
    zone, days = zone_of(hours.zone), days_around(start, end, hours.zone)
    limits = [
        (one.max_power_w, instants(weekly_walls((one.span,), *days), zone, start, end))
        for one in rules.power
        if one.max_power_w < most_w
    ]
    edges = sorted({start, *(edge for _, times in limits for time in times for edge in time if edge < end)})
    steps: list[PowerStep] = []
    for at in edges:
        watts = min((w for w, times in limits if any(a <= at < b for a, b in times)), default=most_w)
        if not steps or steps[-1].max_power_w != watts:
            steps.append(PowerStep(at, watts))
    return tuple(steps)


def _open_walls(hours: WeeklyHours, rules: CalendarRules, first: int, last: int) -> list[Interval]:
    """The wall times at which it is open, of what begins on the dates `first` to `last`."""
    if not rules.exceptions and not rules.one_offs:
        return weekly_walls(hours.spans, first, last)
    of_weekday = by_weekday(hours.spans)
    found: list[Interval] = []
    here = _exception_of(rules.exceptions, first)
    for day in range(first, last + 1):
        following = _exception_of(rules.exceptions, day + 1)
        goes_on = following is None or following is here
        spans = of_weekday[weekday_of(day)] if here is None else [(s.opens, s.minutes) for s in here.spans]
        for opens, minutes in spans:
            past = opens + minutes if goes_on else min(opens + minutes, DAY_MINUTES)
            found.append((day * DAY_MS + opens * MINUTE_MS, day * DAY_MS + past * MINUTE_MS))
        here = following
    for one in rules.one_offs:
        if first <= one.day <= last:
            begin = one.day * DAY_MS + one.span.opens * MINUTE_MS
            found.append((begin, begin + one.span.minutes * MINUTE_MS))
    return merged(found)


def _exception_of(exceptions: Sequence[DayException], day: int) -> DayException | None:
    at = bisect_right(exceptions, day, key=lambda one: one.first) - 1
    return exceptions[at] if at >= 0 and day <= exceptions[at].last else None
