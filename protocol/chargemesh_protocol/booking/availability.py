"""Whether a time can be had, and the bitmap that strangers see: hours, rules and bookings asked in one place.

Whatever the reason for a "no", it is the same "no": nothing here says which (specs/04, L9).
"""

from __future__ import annotations

from ..chargers import ChargerSettings, shown_span
from ..opening import is_open, keeps_quiet, open_times
from ..schedule import quarter_hour
from ..wall_clock import Interval
from ..zones import MINUTE_MS
from .calendar import Calendar


def offerable(
    settings: ChargerSettings, calendar: Calendar, start: int, end: int, now: int, *, but: bytes | None = None
) -> bool:
    """Whether [start, end) can be booked by the host's calendar; the booking `but` does not count as taken.

    Also beyond the bitmap of 14 days. O(log n) in the bookings, and in proportion to the days asked for.
    """
    hours, rules = settings.hours, settings.calendar_rules
    return (
        start <= now + rules.horizon_minutes * MINUTE_MS
        and calendar.free(settings.charger, start, end, but=but, buffer_ms=rules.buffer_minutes * MINUTE_MS)
        and keeps_quiet(hours, rules, start, end)
        and is_open(hours, rules, start, end)
    )


def latest_end(
    settings: ChargerSettings, calendar: Calendar, start: int, end: int, wanted: int, but: bytes
) -> int | None:
    """Until when the booking `but` of [start, end) may go on: `wanted`, or the last quarter hour before it
    that can be had; None if no later end than the present one can."""
    hours, rules = settings.hours, settings.calendar_rules
    open_ = open_times(hours, rules, end, wanted)
    if not open_ or open_[0][0] != end:
        return None
    candidate = open_[0][1]
    while candidate > end:
        buffer_ms = rules.buffer_minutes * MINUTE_MS
        free = calendar.free(settings.charger, end, candidate, but=but, buffer_ms=buffer_ms)
        if free and keeps_quiet(hours, rules, start, candidate):
            return candidate
        candidate = quarter_hour(candidate - 1)
    return None


def taken(settings: ChargerSettings, calendar: Calendar, now: int) -> tuple[Interval, ...]:
    """What of the bitmap from `now` on is taken, buffers included."""
    buffer_ms = settings.calendar_rules.buffer_minutes * MINUTE_MS
    return tuple(calendar.taken(settings.charger, *shown_span(now), buffer_ms=buffer_ms))
