"""What a host says about the calendar, as people type and read it. Dates and times are the charger's own.

Every `parse_…` raises PersonError with what to write instead; every `format_…` prints what it reads back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import NoReturn

from .errors import ExitCode, PersonError
from .limits import MAX_CALENDAR_DAYS, MAX_LIST_ITEMS
from .metering import PowerStep
from .opening import MIN_POWER_W, CalendarRules, DayException, DaySpan, OneOff, PowerSpan
from .schedule import WeeklySpan, format_spans, parse_spans
from .units import format_clock, format_duration, format_instant, format_power, parse_clock, parse_power
from .wall_clock import LAST_DAY, day_number, day_of
from .zones import DAY_MINUTES, MINUTE_MS

_DATE = r"\d{4}-\d{2}-\d{2}"
_DATES = re.compile(rf"({_DATE})(?:\s*(?:\.\.|to|–)\s*({_DATE}))?", re.ASCII)
_POWER = re.compile(r"(.*\S)\s+([0-9.,]+\s*k?w)", re.IGNORECASE | re.ASCII | re.DOTALL)


def parse_dates(text: str) -> tuple[int, int]:
    """The first and last day of "2026-12-24..2026-12-26" or of "2026-12-24"."""
    match = _DATES.fullmatch(text.strip())
    if not match:
        _mistake(text, "names no dates", "Write for example 2026-12-24 or 2026-12-24..2026-12-26.")
    first = _day(match[1], text)
    last = _day(match[2], text) if match[2] else first
    if last < first:
        _mistake(text, "ends before it begins", "Write the earlier date first.")
    return first, last


def format_dates(first: int, last: int) -> str:
    return f"{day_of(first)}" if first == last else f"{day_of(first)}..{day_of(last)}"


def parse_hours_on(text: str) -> DayException:
    """ "2026-12-24..2026-12-26 10:00-14:00, 16:00-18:00": these dates, and no other hours on them."""
    dates, times = _dates_and_times(text)
    return DayException(*parse_dates(dates), tuple(_span(one, text) for one in times.split(",")))


def format_hours_on(one: DayException) -> str:
    return f"{format_dates(one.first, one.last)} {', '.join(map(_format_span, one.spans))}"


def parse_open_on(text: str) -> OneOff:
    """ "2026-12-31 10:00-14:00"."""
    dates, times = _dates_and_times(text)
    first, last = parse_dates(dates)
    if first != last:
        _mistake(text, "names more than one date", "Say each date by itself.")
    return OneOff(first, _span(times, text))


def format_open_on(one: OneOff) -> str:
    return f"{day_of(one.day)} {_format_span(one.span)}"


def parse_quiet(texts: Iterable[str]) -> tuple[WeeklySpan, ...]:
    """ "22:00-07:00" of every day, or "mon-fri 22:00-07:00"."""
    return tuple(span for text in texts for span in parse_spans(text, daily=True))


def format_quiet(spans: Sequence[WeeklySpan]) -> str:
    return format_spans(spans, daily=True)


def parse_power_by(text: str) -> tuple[PowerSpan, ...]:
    """ "17:00-21:00 3.7kW", or "mon-fri 17:00-21:00 3.7kW"."""
    match = _POWER.fullmatch(text.strip())
    if not match:
        _mistake(text, "names no times and power", 'Write for example "17:00-21:00 3.7kW".')
    watts = parse_power(match[2])
    if not MIN_POWER_W <= watts <= 1_000_000:
        _mistake(
            text,
            "is not a power that a car charges with",
            "It goes from 1 kW to 1 MW; close those hours else.",
        )
    return tuple(PowerSpan(span, watts) for span in parse_spans(match[1], daily=True))


def format_power_by(power: Sequence[PowerSpan]) -> tuple[str, ...]:
    """A text for each power, in the order in which it is first named."""
    found = []
    for watts in dict.fromkeys(one.max_power_w for one in power):
        spans = [one.span for one in power if one.max_power_w == watts]
        found += [f"{part} {format_power(watts)}" for part in format_spans(spans, daily=True).split("; ")]
    return tuple(found)


def read_rules(
    *,
    closed: Iterable[str],
    hours_on: Iterable[str],
    open_on: Iterable[str],
    quiet: Iterable[str],
    power_by: Iterable[str],
    buffer_minutes: int,
    horizon_minutes: int,
) -> CalendarRules:
    """All of it from what a person wrote; PersonError for what contradicts itself or is too much."""
    exceptions = [DayException(*parse_dates(text), ()) for text in closed]
    exceptions += [parse_hours_on(text) for text in hours_on]
    exceptions = joined(exceptions)
    for one, following in pairwise(exceptions):
        if following.first <= one.last:
            day = f"{day_of(following.first)}"
            _mistake(day, "has two rules", "Say --as-usual with that date first, then the one that counts.")
    one_offs = tuple(
        sorted({parse_open_on(text) for text in open_on}, key=lambda one: (one.day, one.span.opens))
    )
    if max(len(exceptions), len(one_offs)) > MAX_CALENDAR_DAYS:
        most = f"at most {MAX_CALENDAR_DAYS} dates can have rules of their own"
        _mistake("The calendar", f"is too full: {most}", "Take back what is over, with --as-usual.")
    spans = parse_quiet(quiet)
    if len(spans) > MAX_LIST_ITEMS:
        _mistake("; ".join(quiet), "are too many quiet hours", f"At most {MAX_LIST_ITEMS} a week.")
    return CalendarRules(
        exceptions=tuple(exceptions),
        one_offs=one_offs,
        quiet=spans,
        buffer_minutes=buffer_minutes,
        horizon_minutes=horizon_minutes,
        power=tuple(one for text in power_by for one in parse_power_by(text)),
    )


def joined(exceptions: Iterable[DayException]) -> list[DayException]:
    """In order; what is the same on neighbouring or shared dates is one."""
    found: list[DayException] = []
    for one in sorted(exceptions, key=lambda one: (one.first, one.last)):
        last = found[-1] if found else None
        if last and one.spans == last.spans and one.first <= last.last + 1:
            found[-1] = DayException(last.first, max(last.last, one.last), one.spans)
        else:
            found.append(one)
    return found


def as_usual(exceptions: Iterable[DayException], first: int, last: int) -> list[DayException]:
    """Without what is said about the dates `first` to `last`."""
    found = []
    for one in exceptions:
        if one.first < first:
            found.append(DayException(one.first, min(one.last, first - 1), one.spans))
        if one.last > last:
            found.append(DayException(max(one.first, last + 1), one.last, one.spans))
    return found


def describe_rules(rules: CalendarRules) -> tuple[tuple[str, str], ...]:
    """(what, in words) of everything that a host has said beyond the weekly hours."""
    closed = [format_dates(one.first, one.last) for one in rules.exceptions if not one.spans]
    other = [format_hours_on(one) for one in rules.exceptions if one.spans]
    found = [
        ("closed on", "; ".join(closed)),
        ("other hours on", "; ".join(other)),
        ("also open on", "; ".join(map(format_open_on, rules.one_offs))),
    ]
    if rules.quiet:
        found.append(("quiet hours", f"no booking begins or ends {format_quiet(rules.quiet)}"))
    if rules.buffer_minutes:
        found.append(("pause", f"{format_duration(rules.buffer_minutes * MINUTE_MS)} between two bookings"))
    ahead = format_duration(rules.horizon_minutes * MINUTE_MS)
    found.append(("booked ahead", f"at most {ahead}"))
    found.append(("less power", "; ".join(format_power_by(rules.power))))
    return tuple((what, text) for what, text in found if text)


def describe_power(steps: Sequence[PowerStep], zone: str) -> str:
    """What a quote says of power: "11 kW at most, 3.7 kW from 2027-03-01 17:00.", by the clocks of `zone`."""
    if not steps:
        return ""
    later = [f", {format_power(one.max_power_w)} from {format_instant(one.start, zone)}" for one in steps[1:]]
    return f"{format_power(steps[0].max_power_w)} at most{''.join(later)}."


def _dates_and_times(text: str) -> tuple[str, str]:
    match = re.fullmatch(rf"\s*({_DATES.pattern})\s+(\S.*)", text, re.ASCII | re.DOTALL)
    if not match:
        _mistake(text, "names no date and times", 'Write for example "2026-12-31 10:00-14:00".')
    return match[1], match[match.re.groups]


def _span(text: str, whole: str) -> DaySpan:
    opens, dash, closes = text.replace("–", "-").partition("-")
    if not dash:
        _mistake(whole, "names no times", 'Write for example "2026-12-31 10:00-14:00".')
    begin, end = parse_clock(opens), parse_clock(closes)
    if begin == DAY_MINUTES:
        _mistake(whole, "begins at the end of the day", "Write 00:00 of the next date.")
    return DaySpan(begin, end)


def _format_span(span: DaySpan) -> str:
    return f"{format_clock(span.opens)}-{format_clock(span.closes)}"


def _day(text: str, whole: str) -> int:
    try:
        number = day_number(date.fromisoformat(text))
    except ValueError:
        _mistake(whole, "names a day that does not exist", "Write it as YYYY-MM-DD.")
    if not 0 <= number <= LAST_DAY:
        _mistake(whole, "is too far away", "Choose a date from 1970 to 2199.")
    return number


def _mistake(text: str, what: str, hint: str) -> NoReturn:
    raise PersonError("bad-calendar", f"{text.strip()[:60]!r} {what}.", hint, ExitCode.USAGE)
