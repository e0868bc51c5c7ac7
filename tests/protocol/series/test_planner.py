"""What is to be booked of a series, and when to look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.series.dates import occurrence
from chargemesh_protocol.series.kept import DateState, Move, Outcome, Series
from chargemesh_protocol.series.planner import AHEAD_MS, HURRY_MS, Plan, next_try, plan
from chargemesh_protocol.terms import Terms
from chargemesh_protocol.wall_clock import day_number, day_of

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BERLIN = "Europe/Berlin"
THURSDAY = day_number(date(2027, 3, 4))  # the fourth after it follows the change to summer time
BOOKED = DateState(tries=1, booking=b"b" * 32, outcome=Outcome.STANDS)
CANCELLED = DateState(tries=1, booking=b"b" * 32, outcome=Outcome.OVER)


def series(**changes: Any) -> Series:
    fields: dict[str, Any] = {
        "charger": b"c" * 16,
        "host": b"h" * 32,
        "zone": BERLIN,
        "weekdays": (4,),
        "opens": 18 * 60,
        "minutes": 180,
        "energy_wh": 20_000,
        "first": THURSDAY,
        "at_most": 10_000_000,
        "currency": "EUR",
        "terms": Terms(),
        "peer": Contact("12D3KooWTest", ()),
        "cell": 0,
        "title": "",
    }
    return Series(**(fields | changes))


def at(day: int, hour: int, minute: int = 0) -> int:
    wall = day_of(day)
    local = datetime(wall.year, wall.month, wall.day, hour, minute, tzinfo=ZoneInfo(BERLIN))
    return round(local.timestamp() * 1000)


def planned(one: Series, now: int, kept: dict[int, DateState] | None = None) -> Plan:
    return plan(one, kept or {}, now)


def days_of(found: Plan) -> list[int]:
    return [one.day for one in found.book]


def test_what_lies_within_14_days_is_booked_the_soonest_first() -> None:
    found = planned(series(), at(THURSDAY - 1, 12))
    assert [(one.day, one.start, one.end) for one in found.book] == [
        (THURSDAY, at(THURSDAY, 18), at(THURSDAY, 21))
    ]
    assert found.left_out == ()
    assert days_of(planned(series(), at(THURSDAY - 1, 12), {THURSDAY: BOOKED})) == [THURSDAY + 7]


def test_one_date_waits_for_the_answer_to_the_one_before_unless_it_begins_within_three_days() -> None:
    asked = {THURSDAY: replace(BOOKED, outcome=Outcome.ASKED)}
    waiting = planned(series(), at(THURSDAY - 1, 12), asked)
    assert waiting.book == () and waiting.wake_at == at(THURSDAY + 14, 18) - AHEAD_MS
    assert days_of(planned(series(), at(THURSDAY + 4, 18), asked)) == [THURSDAY + 7]
    every_day = series(weekdays=(1, 2, 3, 4, 5, 6, 7))
    assert days_of(planned(every_day, at(THURSDAY, 12))) == [THURSDAY, THURSDAY + 1, THURSDAY + 2]


@pytest.mark.parametrize("weekdays", [(7,), (1, 4), (1, 2, 3, 4, 5, 6, 7)])
@pytest.mark.parametrize("opens", [60, 150, 1260])
@pytest.mark.parametrize("around", [date(2027, 3, 28), date(2027, 10, 31)])
def test_it_agrees_with_an_oracle_over_both_days_of_the_change(
    weekdays: tuple[int, ...], opens: int, around: date
) -> None:
    """Due are the occurrences of wanted weekdays that hurry, else the next one within reach; no date becomes
    due, or passes, before the instant at which the plan says to look again."""
    middle = day_number(around)
    first = middle - 20
    one = series(weekdays=weekdays, opens=opens, minutes=120, first=first, last=middle + 12)
    told: int | None = None
    before: list[int] | None = None
    for now in range(at(first - 16, 0), at(middle + 14, 0), 7 * HOUR):
        expected: list[Any] = []
        for day in range(first, middle + 13):
            span = occurrence(one.times, day) if day_of(day).isoweekday() in weekdays else None
            if span is not None and now < span[0] <= now + AHEAD_MS:
                expected.append((span[0], day))
        soon = [day for start, day in expected if start <= now + HURRY_MS]
        expected = soon or [day for _, day in expected[:1]]
        found = planned(one, now)
        assert days_of(found) == expected
        if before is not None and before != expected:
            assert told is not None and told <= now
        before, told = expected, found.wake_at
        assert told is None or told > now
    assert planned(one, at(middle + 13, 23)).wake_at is None


def test_dates_that_are_settled_are_left_alone() -> None:
    days = (THURSDAY, THURSDAY + 7, THURSDAY + 14)
    kept = {days[0]: BOOKED, days[1]: CANCELLED}
    one = series(skips=(days[2],))
    assert planned(one, at(THURSDAY - 1, 12), kept).book == ()
    assert days_of(planned(one, at(THURSDAY + 8, 12), kept)) == [THURSDAY + 21]
    assert planned(replace(one, ended=True), at(THURSDAY + 8, 12), kept) == Plan()


def test_a_moved_date_has_its_new_times_and_keeps_its_place() -> None:
    day = THURSDAY + 7
    one = series(moves=(Move(day, at(day - 2, 9), at(day - 2, 11)),))
    found = planned(one, at(THURSDAY, 20))
    assert [(one.day, one.start) for one in found.book] == [(day, at(day - 2, 9))]
    later = planned(one, at(THURSDAY, 20), {day: BOOKED})
    assert [(one.day, one.start) for one in later.book] == [(day + 7, at(day + 7, 18))]


def test_what_came_to_nothing_waits_for_its_next_try_and_its_start_ends_it() -> None:
    now = at(THURSDAY, 12)
    again = {"booking": b"b" * 32, "outcome": Outcome.AGAIN}
    kept = {THURSDAY: DateState(tries=3, not_before=now + HOUR, **again)}
    one = series(last=THURSDAY)
    assert planned(one, now, kept) == Plan(wake_at=now + HOUR)
    assert days_of(planned(one, now + HOUR, kept)) == [THURSDAY]
    late = planned(one, at(THURSDAY, 18), kept)
    assert late.book == () and [one.day for one in late.left_out] == [THURSDAY]
    left_out = {THURSDAY: replace(kept[THURSDAY], left_out=True)}
    assert planned(one, at(THURSDAY, 18), left_out) == Plan()


def test_a_price_that_the_person_agrees_to_is_asked_for_again_at_once() -> None:
    now = at(THURSDAY, 12)
    one = series(last=THURSDAY)
    kept = {
        THURSDAY: DateState(tries=5, not_before=now + 3 * HOUR, code="price", cap=12_000_000, terms=Terms())
    }
    assert planned(one, now, kept).book == ()
    assert days_of(planned(replace(one, at_most=12_000_000), now, kept)) == [THURSDAY]
    other = Terms(no_show_percent=100, no_show_after=15)
    dear = {THURSDAY: replace(kept[THURSDAY], terms=other)}
    assert planned(replace(one, at_most=12_000_000), now, dear).book == ()
    assert days_of(planned(replace(one, at_most=12_000_000, terms=other), now, dear)) == [THURSDAY]


def test_a_series_that_begins_in_half_a_year_is_looked_at_when_it_comes_within_reach() -> None:
    later = THURSDAY + 26 * 7
    found = planned(series(first=later), at(THURSDAY, 12))
    assert found == Plan(wake_at=at(later, 18) - AHEAD_MS)


def test_tries_come_more_and_more_seldom_and_more_often_before_the_start() -> None:
    start = 14 * DAY
    waits = [next_try(0, start, tries) for tries in range(1, 12)]
    assert waits == sorted(waits) and waits[0] == 10 * MINUTE and waits[-1] == 12 * HOUR
    assert next_try(start - 2 * HOUR, start, 30) == start - HOUR
    assert next_try(start - MINUTE, start, 30) > start
