"""When a weekly time occurs: against an oracle that looks at the clock minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from chargemesh_protocol.series.dates import (
    WallTimes,
    dates,
    instant_of,
    last_of,
    occurrence,
    wall_day,
    wall_times,
)
from chargemesh_protocol.wall_clock import day_number

MINUTE = 60_000
BERLIN = "Europe/Berlin"
FORWARD, BACK = date(2027, 3, 28), date(2027, 10, 31)  # Sundays: 02:00 to 03:00, and 03:00 to 02:00
EPOCH = datetime(1970, 1, 1)


@cache
def clock(zone: str, day: date) -> list[tuple[int, int]]:
    """(instant, what the clock shows) of every minute from a day before to two days after."""
    first = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 60 - 24 * 60
    shown = []
    for at in range(first, first + 4 * 24 * 60):
        local = datetime.fromtimestamp(at * 60, ZoneInfo(zone)).replace(tzinfo=None)
        shown.append((at * MINUTE, (local - EPOCH).days * 1440 + (local - EPOCH).seconds // 60))
    return shown


def first_at_or_after(zone: str, day: date, minute: int) -> int:
    wanted = day_number(day) * 1440 + minute
    return next(at for at, wall in clock(zone, day) if wall >= wanted)


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize("day", [FORWARD, BACK, date(2027, 3, 14), date(2027, 10, 3), date(2027, 4, 4)])
def test_every_quarter_hour_is_when_the_clock_first_shows_it_or_more(zone: str, day: date) -> None:
    for minute in range(0, 1440 + 240, 30):
        expected = first_at_or_after(zone, day, minute)
        assert instant_of(zone, day_number(day), minute) == expected, (zone, day, minute)


@pytest.mark.parametrize(
    ("day", "opens", "minutes", "hours"),
    [
        (FORWARD, 18 * 60, 180, 3.0),  # long after the change
        (FORWARD, 60, 180, 2.0),  # over the missing hour
        (FORWARD, 150, 60, 0.5),  # 02:30 does not happen: from 03:00, when the clocks jump
        (BACK, 60, 180, 4.0),  # over the doubled hour
        (BACK, 150, 15, 0.25),  # 02:30 happens twice: the first
        (BACK, 150, 60, 2.0),  # and ends at the only 03:30
    ],
)
def test_how_long_it_is_on_the_days_of_the_change(day: date, opens: int, minutes: int, hours: float) -> None:
    found = occurrence(WallTimes(BERLIN, opens, minutes), day_number(day))
    assert found is not None and found[1] - found[0] == hours * 60 * MINUTE


def test_what_lies_in_the_missing_hour_does_not_occur() -> None:
    assert occurrence(WallTimes(BERLIN, 125, 50), day_number(FORWARD)) is None
    assert occurrence(WallTimes(BERLIN, 125, 50), day_number(BACK)) is not None


@pytest.mark.parametrize("opens", [0, 60, 130, 1080, 1439])
@pytest.mark.parametrize("day", [date(2027, 1, 7), FORWARD, date(2027, 6, 1)])
def test_what_clocks_show_of_a_time_gives_that_time_again(day: date, opens: int) -> None:
    """Except where 02:10 does not happen: then it is what the clocks show instead."""
    found = occurrence(WallTimes(BERLIN, opens, 180), day_number(day))
    assert found is not None
    again = occurrence(wall_times(BERLIN, *found), wall_day(BERLIN, found[0]))
    assert again == found


def test_times_that_cannot_be_said_by_the_clock_are_refused() -> None:
    start = instant_of(BERLIN, day_number(BACK), 170)  # 02:50, and 20 minutes later it is 02:10
    for span in (
        (start, start + 20 * MINUTE),
        (start + 1, start + 60 * MINUTE),
        (start, start + 15 * 86_400_000),
    ):
        with pytest.raises(ValueError):
            wall_times(BERLIN, *span)


def test_dates_and_the_last_of_a_count() -> None:
    thursday = day_number(date(2027, 1, 7))
    assert list(dates((4,), thursday, thursday + 21)) == [
        thursday,
        thursday + 7,
        thursday + 14,
        thursday + 21,
    ]
    assert list(dates((1, 4), thursday, thursday + 7)) == [thursday, thursday + 4, thursday + 7]
    assert last_of((1, 4), thursday, 4) == thursday + 11
    with pytest.raises(ValueError):
        last_of((4,), thursday, 100_000)
