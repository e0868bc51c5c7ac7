"""What people type and read: distances, power, energy, durations, times. Integers inside, no floats.

Every `parse_…` raises PersonError with a sentence that says what to write instead; every `format_…`
prints what its `parse_…` reads back to the same value.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import NoReturn

from .errors import ExitCode, PersonError
from .zones import (
    DAY_MINUTES,
    HOUR_MS,
    LAST_INSTANT,
    MINUTE_MS,
    naive_instants,
    to_instant,
    to_local,
    zone_of,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_DISTANCE = {"m": 1, "km": 1000}
_POWER = {"w": 1, "kw": 1000}
_ENERGY = {"wh": 1, "kwh": 1000}
_DURATION = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE_MS),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOUR_MS),
    **dict.fromkeys(("d", "day", "days"), 24 * HOUR_MS),
}
_QUANTITY = re.compile(r"(\d{1,15}(?:[.,]\d{1,12})?)\s*([a-z]+)", re.IGNORECASE | re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_DAY = r"(?P<day>\d{4}-\d{2}-\d{2}|today|tomorrow|[a-z]{3,9})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?"
_OFFSET = r"(?P<offset>z|[+-]\d{2}:?\d{2})?"
_ONLY_A_DAY = re.compile(
    r"\d{4}-\d{2}-\d{2}|today|tomorrow|(mon|tue|wed|thu|fri|sat|sun)[a-z]*", re.IGNORECASE | re.ASCII
)
_INSTANT = re.compile(rf"(?:{_DAY}(?:t|\s+))?{_TIME}\s*{_OFFSET}", re.IGNORECASE | re.ASCII)
_RELATIVE = re.compile(r"(?:in\s+|\+\s*)(?P<duration>.+)", re.IGNORECASE)


def parse_decimal(text: str, scale: int) -> int:
    """A non-negative decimal ("0.40", "0,4") times `scale`; ValueError if that is not whole or no number."""
    match = re.fullmatch(r"(\d{1,15})(?:[.,](\d{1,12}))?", text.strip(), re.ASCII)
    if not match:
        raise ValueError("not a number")
    whole, fraction = match[1], match[2] or ""
    if "," in text and len(fraction) == 3:
        raise ValueError("a comma before three digits can mean two things; write a point or leave it out")
    ten_to_the_digits: int = 10 ** len(fraction)
    scaled, rest = divmod(int(whole + fraction) * scale, ten_to_the_digits)
    if rest:
        raise ValueError("too many digits after the point")
    return scaled


def format_decimal(value: int, scale: int, least_digits: int = 0) -> str:
    """`value / scale` (a power of ten) as the shortest decimal; `least_digits` or more after the point."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, rest = divmod(value, scale)
    fraction = str(rest).zfill(len(str(scale)) - 1) if scale > 1 else ""
    fraction = fraction.rstrip("0").ljust(least_digits, "0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def parse_distance(text: str) -> int:
    """Metres from "2km" or "500 m"."""
    return _quantity(text, _DISTANCE, "distance", "2km or 500m")


def parse_power(text: str) -> int:
    """Watts from "7kW", "7.4 kW" or "7400W"."""
    return _quantity(text, _POWER, "power", "7kW or 7400W")


def format_power(watts: int) -> str:
    return f"{watts} W" if watts < 1000 else f"{format_decimal(watts, 1000)} kW"


def parse_energy(text: str) -> int:
    """Watt hours from "20kWh" or "500 Wh"."""
    return _quantity(text, _ENERGY, "amount of energy", "20kWh or 500Wh")


def format_energy(watt_hours: int) -> str:
    return f"{watt_hours} Wh" if watt_hours < 1000 else f"{format_decimal(watt_hours, 1000)} kWh"


def parse_duration(text: str) -> int:
    """Milliseconds from "3h", "90m", "1h30m", "1.5 h", "2 days"."""
    stripped = text.strip()
    total, at = 0, 0
    while at < len(stripped):
        match = _QUANTITY.match(stripped, at)
        factor = _DURATION.get(match[2].lower()) if match else None
        if not match or factor is None:
            _mistake(
                "bad-duration", f"{_shown(text)} is not a duration.", "Write for example 3h, 90m or 1h30m."
            )
        total += _scaled(match[1], factor, text, "duration", "3h, 90m or 1h30m")
        at = match.end()
        while stripped[at : at + 1].isspace():
            at += 1
    if not stripped:
        _mistake("bad-duration", "The duration is missing.", "Write for example 3h, 90m or 1h30m.")
    return total


def format_duration(milliseconds: int) -> str:
    """ "3 h", "1 h 30 min", "2 d 4 h"; seconds only where there are some, less than a second is cut off."""
    parts = []
    rest = milliseconds
    for unit, size in (("d", 24 * HOUR_MS), ("h", HOUR_MS), ("min", MINUTE_MS), ("s", 1000)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 min"


def parse_clock(text: str) -> int:
    """Minutes after midnight from "18:00"; "24:00" is 1440, the end of the day."""
    match = _CLOCK.fullmatch(text.strip())
    if not match or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > DAY_MINUTES:
        _mistake("bad-time", f"{_shown(text)} is not a time of day.", "Write for example 18:00.")
    return int(match[1]) * 60 + int(match[2])


def format_clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def parse_weekday(text: str) -> int:
    """1 for Monday to 7 for Sunday (as OCPI and ISO count) from "Mo", "mon" or "Monday"."""
    wanted = text.strip().lower()
    for number, name in enumerate(WEEKDAY_NAMES, 1):
        if len(wanted) >= 2 and name.lower().startswith(wanted):
            return number
    _mistake(
        "bad-weekday", f"{_shown(text)} is not a day of the week.", f"Write one of {', '.join(WEEKDAYS)}."
    )


def parse_instant(text: str, zone: str, now: int) -> int:
    """Unix ms from "2027-03-01T18:00", "tomorrow 18:00", "fri 18:00", "18:00", "now" or "in 2h".

    Wall times are those of `zone` unless an offset or Z is written; fractions of a second are cut off. A
    time alone, and a weekday, mean the next such time from `now` on. Where the clocks go back, a wall time
    that happens twice is the first.
    """
    stripped = text.strip()
    if stripped.lower() == "now":
        return now
    if relative := _RELATIVE.fullmatch(stripped):
        return _in_range(now + parse_duration(relative["duration"]), text)
    match = _INSTANT.fullmatch(stripped)
    if not match:
        hint = "Write for example 2027-03-01T18:00, tomorrow 18:00, 18:00 or in 2h."
        if _ONLY_A_DAY.fullmatch(stripped):
            hint = f"Add the time of day, for example {stripped} 18:00."
        _mistake("bad-time", f"{_shown(text)} is not a time.", hint)
    clock = (int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
    if clock[0] > 23 or clock[1] > 59 or clock[2] > 59:
        _mistake("bad-time", f"{_shown(text)} is not a time.", "Hours go from 00 to 23, minutes to 59.")
    day = (match["day"] or "").lower()
    if match["offset"]:
        if not day[:4].isdigit():
            _mistake(
                "bad-time", f"{_shown(text)} needs a date.", "An offset goes with a date: 2027-03-01T18:00Z."
            )
        fixed = datetime(*_date(day, text), *clock, tzinfo=_offset(match["offset"], text))
        return _in_range(to_instant(fixed), text)
    return _in_range(_local_instant(day, clock, zone, now, text), text)


def format_instant(instant: int, zone: str) -> str:
    """ "2027-03-01 18:00" in `zone`; with its offset when that wall time happens twice."""
    local = to_local(instant, zone_of(zone))
    text = f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
    wall = local.replace(tzinfo=None, microsecond=0)
    if len(naive_instants(wall, zone_of(zone))) > 1:
        offset = f"{local:%z}"
        text += f"{offset[:3]}:{offset[3:5]}"
    return text


def format_span(start: int, end: int, zone: str) -> str:
    """ "Mon 2027-03-01 18:00 to 21:00"; the second date only where it differs."""
    first, last = to_local(start, zone_of(zone)), to_local(end, zone_of(zone))
    second = format_instant(end, zone)
    if first.date() == last.date():
        second = second[11:]
    return f"{WEEKDAYS[first.weekday()].title()} {format_instant(start, zone)} to {second}"


def _local_instant(day: str, clock: tuple[int, int, int], zone: str, now: int, text: str) -> int:
    """The first instant that fits from today on; a date, today and tomorrow leave no choice of day."""
    today = to_local(now, zone_of(zone)).date()
    if not day:
        candidates = [today + timedelta(days=ahead) for ahead in range(3)]
    elif day in ("today", "tomorrow"):
        candidates = [today + timedelta(days=int(day == "tomorrow"))]
    elif day[0].isdigit():
        candidates = [date(*_date(day, text))]
    else:
        ahead = (parse_weekday(day) - today.isoweekday()) % 7
        candidates = [today + timedelta(days=ahead), today + timedelta(days=ahead + 7)]
    for candidate in candidates:
        wall = datetime(candidate.year, candidate.month, candidate.day, *clock)
        instants = naive_instants(wall, zone_of(zone))
        if len(candidates) == 1 and not instants:
            _mistake(
                "bad-time",
                f"{_shown(text)} does not happen in {zone}: the clocks go forward then.",
                "Choose a time an hour earlier or later.",
            )
        for instant in instants:
            if len(candidates) == 1 or instant >= now - now % MINUTE_MS:
                return instant
    _mistake("bad-time", f"{_shown(text)} does not happen soon in {zone}.", "Write the date as well.")


def _date(day: str, text: str) -> tuple[int, int, int]:
    year, month, number = (int(part) for part in day.split("-"))
    try:
        date(year, month, number)
    except ValueError:
        _mistake("bad-time", f"{_shown(text)} names a day that does not exist.", "Write it as YYYY-MM-DD.")
    return year, month, number


def _offset(offset: str, text: str) -> timezone:
    if offset.lower() == "z":
        return timezone.utc  # noqa: UP017 - beside timezone(…) below
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 14 or minutes > 59:
        _mistake(
            "bad-time",
            f"{_shown(text)} has an offset from UTC that does not exist.",
            "Write for example +02:00.",
        )
    return timezone((1 if offset[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def _in_range(instant: int, text: str) -> int:
    if not 0 <= instant <= LAST_INSTANT:
        _mistake("bad-time", f"{_shown(text)} is too far away.", "Choose a time from 1970 to 2199.")
    return instant


def _quantity(text: str, units: dict[str, int], what: str, examples: str) -> int:
    match = _QUANTITY.fullmatch(text.strip())
    factor = units.get(match[2].lower()) if match else None
    if not match or factor is None:
        code = f"bad-{what.split()[-1]}"
        _mistake(
            code, f"{_shown(text)} is not {_article(what)} {what}.", f"Write it with its unit: {examples}."
        )
    return _scaled(match[1], factor, text, what, examples)


def _scaled(number: str, factor: int, text: str, what: str, examples: str) -> int:
    try:
        return parse_decimal(number, factor)
    except ValueError as error:
        code = f"bad-{what.split()[-1]}"
        _mistake(
            code, f"{_shown(text)} is not {_article(what)} {what}: {error}.", f"Write for example {examples}."
        )


def _article(what: str) -> str:
    return "an" if what[0] in "aeiou" else "a"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _mistake(code: str, message: str, hint: str) -> NoReturn:
    raise PersonError(code, message, hint, ExitCode.USAGE)
