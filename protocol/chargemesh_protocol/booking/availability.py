"""Whether a time can be had, and the bitmap that strangers see: hours, rules and bookings asked in one place.

Whatever the reason for a "no", it is the same "no": nothing here says which (specs/04, L9).
"""

from __future__ import annotations

from ..chargers import ChargerSettings, shown_span
from ..opening import is_open, keeps_quiet
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


def taken(settings: ChargerSettings, calendar: Calendar, now: int) -> tuple[Interval, ...]:
    """What of the bitmap from `now` on is taken, buffers included."""
    buffer_ms = settings.calendar_rules.buffer_minutes * MINUTE_MS
    return tuple(calendar.taken(settings.charger, *shown_span(now), buffer_ms=buffer_ms))
