"""What can be said about a charger's calendar: flags, how they are read, and how dates add to what stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.units import format_duration, parse_duration
from chargemesh_protocol.zones import MINUTE_MS

Answers = dict[str, Any]
_DATED = ("closed", "hours_on", "open_on", "as_usual")
_MOST_BUFFER = 24 * 60
_LEAST_HORIZON, _MOST_HORIZON = 15, 2 * 366 * 24 * 60
_TIMES_AND_PRICE = re.compile(r"(.*?\d{1,2}:\d{2}\s*[-–]\s*\d{1,2}:\d{2})\s+(\S.*)", re.ASCII)
_NONE = "none"


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the calendar's flags."""
    for flag, metavar, text, multiple in reversed(
        (
            ("--closed", "DATES", "Closed on a date, or 2026-12-24..2026-12-26.", True),
            ("--hours-on", '"DATES HOURS"', 'Other hours: "2026-12-31 10:00-14:00, 16:00-18:00".', True),
            ("--open-on", '"DATE HOURS"', "Open once more, whatever else is said.", True),
            ("--as-usual", "DATES", "Takes back what was said about these dates.", True),
            ("--quiet", '"HOURS"', 'No booking begins or ends then: "22:00-07:00"; none.', True),
            ("--buffer", "DURATION", "Pause between two bookings.", False),
            ("--horizon", "DURATION", "How long ahead a booking may begin. [14d]", False),
            ("--power-by", '"HOURS POWER"', 'Less power at times: "17:00-21:00 3.7kW"; none.', True),
            ("--price-by", '"HOURS PRICE"', 'A kWh at times: "mon-fri 17:00-21:00 0.45"; none.', True),
            ("--busy-from", "FILE|URL", "A calendar (.ics) of yours: its times are taken; none.", False),
        )
    ):
        command = click.option(flag, metavar=metavar, help=text, multiple=multiple)(command)
    return command


def read_flags(given: Mapping[str, Any], read_price: Callable[[str], int]) -> Answers:
    """The answers that the calendar's flags give; PersonError names the flag."""
    answers: Answers = {name: list(given[name]) for name in (*_DATED, "quiet", "power_by") if given.get(name)}
    for name in ("quiet", "power_by"):
        if name in answers:
            answers[name] = _unless_none(answers[name])
    if given.get("price_by"):
        texts = _unless_none(given["price_by"])
        answers["price_by"] = [_told("--price-by", _priced, text, read_price) for text in texts]
    if given.get("buffer") is not None:
        answers["buffer"] = _told("--buffer", _minutes, given["buffer"], 0, _MOST_BUFFER)
    if given.get("horizon") is not None:
        answers["horizon"] = _told("--horizon", _minutes, given["horizon"], _LEAST_HORIZON, _MOST_HORIZON)
    if given.get("busy_from") is not None:
        answers["busy_from"] = _source(given["busy_from"])
    _check(answers)
    return answers


def needs_what_stands(answers: Answers) -> bool:
    """Whether the answers add to dates that were said before."""
    return bool(answers.keys() & set(_DATED))


def with_what_stands(calendar: Mapping[str, Any], answers: Answers) -> Answers:
    """The answers with every date that counts from then on: what was said before, without those that go back
    to as usual, and what is said now."""
    from chargemesh_protocol.opening import DayException
    from chargemesh_protocol.opening_text import (
        as_usual,
        format_dates,
        format_hours_on,
        parse_dates,
        parse_hours_on,
        parse_open_on,
    )

    closed = [DayException(*parse_dates(text), ()) for text in calendar["closed"]]
    hours = [parse_hours_on(text) for text in calendar["hours_on"]]
    once = list(calendar["open_on"])
    for text in answers.get("as_usual", ()):
        first, last = parse_dates(text)
        closed, hours = as_usual(closed, first, last), as_usual(hours, first, last)
        once = [one for one in once if not first <= parse_open_on(one).day <= last]
    return {
        **answers,
        "closed": [format_dates(one.first, one.last) for one in closed] + answers.get("closed", []),
        "hours_on": [format_hours_on(one) for one in hours] + answers.get("hours_on", []),
        "open_on": once + answers.get("open_on", []),
    }


def put_into(body: dict[str, Any], answers: Answers) -> None:
    """Lays the answers into the API's body of a charger."""
    names = ("closed", "hours_on", "open_on", "quiet", "power_by")
    calendar = {name: answers[name] for name in names if name in answers}
    for name, path in (("buffer", "buffer_minutes"), ("horizon", "horizon_minutes")):
        if name in answers:
            calendar[path] = answers[name]
    if calendar:
        body["calendar"] = calendar
    if "price_by" in answers:
        body.setdefault("tariff", {})["by_period"] = answers["price_by"]
    if "busy_from" in answers:
        body["busy_from"] = answers["busy_from"]


def _check(answers: Answers) -> None:
    """Reads every text once here, so that a mistake is told by its flag."""
    if not answers.keys() & {*_DATED, "quiet", "power_by"}:
        return
    from chargemesh_protocol import opening_text as texts

    readers: dict[str, Callable[[str], Any]] = {
        "closed": texts.parse_dates,
        "as_usual": texts.parse_dates,
        "hours_on": texts.parse_hours_on,
        "open_on": texts.parse_open_on,
        "quiet": lambda text: texts.parse_quiet([text]),
        "power_by": texts.parse_power_by,
    }
    for name, read in readers.items():
        for text in answers.get(name, ()):
            _told("--" + name.replace("_", "-"), read, text)


def _unless_none(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text.strip().lower() != _NONE]


def _priced(text: str, read_price: Callable[[str], int]) -> dict[str, Any]:
    match = _TIMES_AND_PRICE.fullmatch(text.strip())
    if not match:
        raise PersonError(
            "bad-price",
            f"{text.strip()[:60]!r} names no times and price.",
            'Write for example "17:00-21:00 0.45".',
            ExitCode.USAGE,
        )
    from chargemesh_protocol.schedule import parse_spans

    parse_spans(match[1], daily=True)
    return {"when": match[1], "per_kwh": read_price(match[2])}


def _minutes(text: str, least: int, most: int) -> int:
    minutes = parse_duration(text) // MINUTE_MS
    if not least <= minutes <= most:
        low, high = (format_duration(one * MINUTE_MS) for one in (least, most))
        raise PersonError(
            "bad-duration",
            f"{text.strip()[:40]!r} is out of range: it goes from {low} to {high}.",
            "Write for example 15m or 60d.",
            ExitCode.USAGE,
        )
    return minutes


def _source(text: str) -> str:
    """A URL as it is; a file by its whole path, since the node runs in another folder; empty for none."""
    plain = text.strip()
    if plain.lower() == _NONE:
        return ""
    if re.match(r"(https?|webcal)://", plain, re.IGNORECASE):
        return plain
    return str(Path(plain.removeprefix("file://")).expanduser().absolute())


def _told(flag: str, read: Callable[..., Any], text: str, *more: Any) -> Any:
    try:
        return read(text, *more)
    except PersonError as error:
        raise PersonError(error.code, f"{flag}: {error.message}", error.hint, error.exit_code) from None
