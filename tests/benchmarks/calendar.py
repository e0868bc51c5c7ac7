"""A host's calendar of five years with 10,000 bookings: is it free, and the bitmap of its next 14 days.

With every rule that a host can set: holidays, one-off openings, quiet hours, pauses, imported busy times.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from chargemesh_protocol.booking.availability import offerable, taken
from chargemesh_protocol.booking.calendar import Calendar
from chargemesh_protocol.chargers import ChargerSettings, make_listing
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.effects import HoldSlot
from chargemesh_protocol.opening import (
    MAX_HORIZON_MINUTES,
    CalendarRules,
    DayException,
    DaySpan,
    OneOff,
    PowerSpan,
)
from chargemesh_protocol.schedule import WeeklySpan, parse_hours
from chargemesh_protocol.wall_clock import DAY_MS
from chargemesh_protocol.zones import HOUR_MS, MINUTE_MS

from ..protocol.neighbours import CHARGER, MORNING, charger

BOOKINGS, DAYS = 10_000, 5 * 365
QUESTIONS, BITMAPS = 2_000, 200
NOW = MORNING


def measure() -> dict[str, float]:
    """Milliseconds by name."""
    dice = random.Random(2027)
    settings, calendar = _settings(), _booked(dice)
    questions = [_question(dice) for _ in range(QUESTIONS)]
    instants = [NOW + dice.randrange(14 * 96) * 15 * MINUTE_MS for _ in range(BITMAPS)]
    free = [_timed(lambda one=one: offerable(settings, calendar, one[0], one[1], NOW)) for one in questions]
    maps = [_timed(lambda now=now: _bitmap(settings, calendar, now)) for now in instants]
    return {
        "bookings": len(calendar.busy(CHARGER, 0)),
        "imported": len(calendar.imported(CHARGER)),
        "free_of_questions": sum(offerable(settings, calendar, *one, NOW) for one in questions) / QUESTIONS,
        **_percentiles("is_it_free", free),
        **_percentiles("bitmap", maps),
    }


def _settings() -> ChargerSettings:
    today = NOW // DAY_MS
    rules = CalendarRules(
        exceptions=tuple(DayException(today + day, today + day + 1, ()) for day in range(5, 730, 12)),
        one_offs=tuple(OneOff(today + day, DaySpan(600, 840)) for day in range(3, 730, 9)),
        quiet=tuple(WeeklySpan(day, 23 * 60, 5 * 60) for day in range(1, 8)),
        buffer_minutes=10,
        horizon_minutes=MAX_HORIZON_MINUTES,
        power=tuple(PowerSpan(WeeklySpan(day, 17 * 60, 21 * 60), 4_000) for day in range(1, 8)),
    )
    return charger(hours=parse_hours("daily 05:00-01:00", "Europe/Berlin"), calendar=rules)


def _booked(dice: random.Random) -> Calendar:
    """Five or six bookings a day, and an office's calendar beside them."""
    calendar = Calendar()
    step = DAYS * DAY_MS // BOOKINGS
    for number in range(BOOKINGS):
        start = NOW - 30 * DAY_MS + number * step + dice.randrange(HOUR_MS)
        calendar.hold(HoldSlot(CHARGER, number.to_bytes(32, "big"), start, start + 2 * HOUR_MS))
    calendar.put_imported(
        CHARGER,
        [(at, at + HOUR_MS) for at in range(NOW, NOW + 730 * DAY_MS, 9 * HOUR_MS) if dice.random() < 0.9],
    )
    return calendar


def _question(dice: random.Random) -> tuple[int, int]:
    start = NOW + dice.randrange(700 * 96) * 15 * MINUTE_MS
    return start, start + dice.choice([1, 2, 4, 12]) * HOUR_MS


def _bitmap(settings: ChargerSettings, calendar: Calendar, now: int) -> bytes:
    return make_listing(
        settings,
        author=bytes(32),
        sequence=1,
        contact=Contact("peer", ()),
        busy=taken(settings, calendar, now),
        now=now,
    ).slots.bits


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000


def _percentiles(name: str, times: list[float]) -> dict[str, float]:
    times = sorted(times)
    return {f"{name}_p50_ms": times[len(times) // 2], f"{name}_p99_ms": times[len(times) * 99 // 100]}
