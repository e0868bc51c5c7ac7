"""A calendar as people type it: what is read, what is read back, and what a mistake is answered with."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.metering import PowerStep
from chargemesh_protocol.opening import CalendarRules, DayException, DaySpan
from chargemesh_protocol.opening_text import (
    as_usual,
    describe_power,
    describe_rules,
    format_dates,
    format_hours_on,
    format_open_on,
    format_power_by,
    format_quiet,
    parse_hours_on,
    parse_open_on,
    parse_power_by,
    parse_quiet,
    read_rules,
)
from chargemesh_protocol.wall_clock import day_number

CHRISTMAS = day_number(date(2026, 12, 24))
NOTHING: dict[str, Any] = {
    "closed": (),
    "hours_on": (),
    "open_on": (),
    "quiet": (),
    "power_by": (),
    "buffer_minutes": 0,
    "horizon_minutes": 20_160,
}


def rules(**said: Any) -> CalendarRules:
    return read_rules(**(NOTHING | said))


@pytest.mark.parametrize(
    "text", ["2026-12-24 10:00-14:00", "2026-12-24..2026-12-26 10:00-14:00, 18:00-24:00"]
)
def test_hours_of_dates_are_read_back(text: str) -> None:
    assert format_hours_on(parse_hours_on(text)) == text


def test_openings_quiet_hours_and_power_are_read_back() -> None:
    assert format_open_on(parse_open_on(" 2026-12-31  22:00-02:00 ")) == "2026-12-31 22:00-02:00"
    for text in ("22:00-07:00", "mon-fri 22:00-07:00; sat 23:00-09:00"):
        assert format_quiet(parse_quiet([text])) == text
    for text in ("17:00-21:00 3.7 kW", "mon-fri 17:00-21:00 4 kW"):
        assert format_power_by(parse_power_by(text)) == (text,)
    twice = parse_power_by("mon-fri 6:00-8:00 4kW") + parse_power_by("17:00-21:00 4000W")
    assert format_power_by(twice) == ("mon-fri 06:00-08:00 4 kW", "17:00-21:00 4 kW")


def test_everything_in_words() -> None:
    made = rules(
        closed=["2026-12-24", "2026-12-25..2026-12-26"],
        hours_on=["2027-01-01 12:00-18:00"],
        open_on=["2026-12-25 10:00-14:00"],
        quiet=["22:00-07:00"],
        power_by=["17:00-21:00 3.7kW"],
        buffer_minutes=15,
        horizon_minutes=60 * 1440,
    )
    assert dict(describe_rules(made)) == {
        "closed on": "2026-12-24..2026-12-26",
        "other hours on": "2027-01-01 12:00-18:00",
        "also open on": "2026-12-25 10:00-14:00",
        "quiet hours": "no booking begins or ends 22:00-07:00",
        "pause": "15 min between two bookings",
        "booked ahead": "at most 60 d",
        "less power": "17:00-21:00 3.7 kW",
    }


def test_dates_go_back_to_as_usual() -> None:
    made = rules(closed=["2026-12-20..2026-12-30"]).exceptions
    left = as_usual(made, CHRISTMAS, CHRISTMAS + 2)
    assert [format_dates(one.first, one.last) for one in left] == [
        "2026-12-20..2026-12-23",
        "2026-12-27..2026-12-30",
    ]
    assert as_usual(left, 0, CHRISTMAS + 100) == []
    assert as_usual([DayException(5, 9, (DaySpan(0, 60),))], 9, 20) == [DayException(5, 8, (DaySpan(0, 60),))]


@pytest.mark.parametrize(
    "said",
    [
        {"closed": ["christmas"]},
        {"closed": ["2026-02-30"]},
        {"closed": ["2026-12-26..2026-12-24"]},
        {"closed": ["2026-12-24..2026-12-26"], "hours_on": ["2026-12-25 10:00-12:00"]},
        {"closed": [f"2{year:03d}-01-01" for year in range(199)] * 2 + ["2200-01-01"]},
        {"hours_on": ["2026-12-25"]},
        {"hours_on": ["2026-12-25 10:00"]},
        {"open_on": ["2026-12-25..2026-12-26 10:00-12:00"]},
        {"open_on": ["2026-12-25 24:00-02:00"]},
        {"power_by": ["17:00-21:00"]},
        {"power_by": ["17:00-21:00 500W"]},
    ],
)
def test_a_mistake_is_told_with_what_to_write(said: dict[str, Any]) -> None:
    with pytest.raises(PersonError) as told:
        rules(**said)
    assert told.value.code == "bad-calendar" and told.value.hint


def test_times_alone_are_those_of_every_day_only_where_that_is_meant() -> None:
    with pytest.raises(PersonError):
        rules(quiet=["at night"])
    assert len(parse_quiet(["22:00-07:00"])) == 7


def test_the_power_of_a_quote_in_words() -> None:
    steps = (PowerStep(1_804_464_000_000, 11_000), PowerStep(1_804_467_600_000, 3_700))
    assert describe_power(steps, "Europe/Berlin") == "11 kW at most, 3.7 kW from 2027-03-08 02:00."
    assert describe_power((), "Europe/Berlin") == ""
