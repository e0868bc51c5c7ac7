"""A weekly series in a sentence, and its dates as people type them."""

from __future__ import annotations

from datetime import date

from ..errors import ExitCode, PersonError
from ..units import WEEKDAY_NAMES, format_clock
from ..wall_clock import LAST_DAY, day_number, day_of
from ..zones import DAY_MINUTES
from .kept import Series


def describe_series(series: Series) -> str:
    """ "Every Monday and Thursday, 18:00 to 21:00 (Europe/Berlin), from 2027-01-04 to 2027-03-29"."""
    names = [WEEKDAY_NAMES[weekday - 1] for weekday in series.weekdays]
    days = "day" if len(names) == len(WEEKDAY_NAMES) else _joined(names)
    past = series.opens + series.minutes
    later = f" {past // DAY_MINUTES} days later" if past >= 2 * DAY_MINUTES else ""
    times = f"{format_clock(series.opens)} to {format_clock(past % DAY_MINUTES)}{later}"
    end = "" if series.last is None else f" to {format_date(series.last)}"
    return f"Every {days}, {times} ({series.zone}), from {format_date(series.first)}{end}"


def format_date(day: int) -> str:
    return day_of(day).isoformat()


def parse_date(text: str) -> int:
    """Days from 1970-01-01 of "2027-01-04"; PersonError for anything else."""
    try:
        day = day_number(date.fromisoformat(text.strip()))
    except ValueError:
        day = -1
    if not 0 <= day <= LAST_DAY:
        raise PersonError(
            "bad-date", f"{text[:40]!r} is not a date.", "Write it as YYYY-MM-DD.", ExitCode.USAGE
        )
    return day


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
