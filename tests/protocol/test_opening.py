"""The calendar by the wall clocks of its zone, held against a reading of its rules minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargemesh_protocol.metering import PowerStep, fitting
from chargemesh_protocol.opening import (
    PLAIN,
    CalendarRules,
    DayException,
    DaySpan,
    OneOff,
    PowerSpan,
    is_open,
    keeps_quiet,
    open_times,
    power_steps,
)
from chargemesh_protocol.opening_text import joined
from chargemesh_protocol.schedule import WeeklyHours, WeeklySpan, parse_hours
from chargemesh_protocol.wall_clock import day_number
from chargemesh_protocol.zones import MINUTE_MS, to_instant, zone_of

HOUR = 60 * MINUTE_MS
# Days around which the clocks change: Europe, New York, a change of half an hour, and one at midnight.
PLACES = [
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Europe/Berlin", date(2027, 10, 31)),
    ("America/New_York", date(2027, 11, 7)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("America/Santiago", date(2027, 9, 5)),
    ("Africa/Casablanca", date(2027, 2, 7)),
    ("Asia/Kathmandu", date(2027, 5, 1)),
]


def berlin(text: str) -> int:
    return to_instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")))


# --- the oracle: every minute is asked for by itself ---------------------------------------------------


@lru_cache(maxsize=100_000)
def wall(zone: str, instant: int) -> datetime:
    return datetime.fromtimestamp(instant / 1000, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def covers(opens: int, closes: int, minute: int, evening_before: bool) -> bool:
    """Whether a span covers a minute of its own date, or of the date after it."""
    past = closes if closes > opens else closes + 24 * 60
    return opens <= minute + (24 * 60 if evening_before else 0) < past


def open_at(hours: WeeklyHours, rules: CalendarRules, instant: int) -> bool:
    shown = wall(hours.zone, instant)
    today, minute = day_number(shown.date()), shown.hour * 60 + shown.minute

    def rule_of(day: int) -> DayException | None:
        return next((one for one in rules.exceptions if one.first <= day <= one.last), None)

    for day, evening_before in ((today, False), (today - 1, True)):
        if any(
            one.day == day and covers(one.span.opens, one.span.closes, minute, evening_before)
            for one in rules.one_offs
        ):
            return True
        if evening_before and rule_of(today) not in (None, rule_of(day)):
            continue
        weekday = (shown.date() - timedelta(days=int(evening_before))).isoweekday()
        rule = rule_of(day)
        spans = rule.spans if rule else [one for one in hours.spans if one.weekday == weekday]
        if any(covers(one.opens, one.closes, minute, evening_before) for one in spans):
            return True
    return False


def quiet_at(rules: CalendarRules, zone: str, instant: int) -> bool:
    shown = wall(zone, instant)
    minute = shown.hour * 60 + shown.minute
    return any(
        one.weekday == (shown.date() - timedelta(days=ago)).isoweekday()
        and covers(one.opens, one.closes, minute, bool(ago))
        for one in rules.quiet
        for ago in (0, 1)
    )


def watts_at(rules: CalendarRules, zone: str, most: int, instant: int) -> int:
    found = [
        one.max_power_w for one in rules.power if quiet_at(CalendarRules(quiet=(one.span,)), zone, instant)
    ]
    return min([most, *found])


# --- made at random ---------------------------------------------------------------------------------

minutes = st.integers(0, 95).map(lambda n: n * 15) | st.integers(0, 1439)
weekly = st.builds(WeeklySpan, st.integers(1, 7), minutes, minutes | st.just(1440))
day_spans = st.builds(DaySpan, minutes, minutes | st.just(1440))


@st.composite
def calendars(draw: st.DrawFn) -> tuple[WeeklyHours, CalendarRules, int]:
    """Hours, rules, and an instant on the day before the clocks change (or about then)."""
    zone, day = draw(st.sampled_from(PLACES))
    near = st.integers(day_number(day) - 3, day_number(day) + 3)
    exceptions: list[DayException] = []
    for first in sorted(draw(st.sets(near, max_size=3))):
        if not exceptions or first > exceptions[-1].last:
            spans = tuple(draw(st.lists(day_spans, max_size=2)))
            exceptions.append(DayException(first, first + draw(st.integers(0, 2)), spans))
    rules = CalendarRules(
        exceptions=tuple(exceptions),
        one_offs=tuple(draw(st.lists(st.builds(OneOff, near, day_spans), max_size=2))),
        quiet=tuple(draw(st.lists(weekly, max_size=2))),
        power=tuple(draw(st.lists(st.builds(PowerSpan, weekly, st.integers(1000, 12_000)), max_size=3))),
    )
    hours = WeeklyHours(zone, tuple(draw(st.lists(weekly, max_size=6))))
    noon_before = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)) - timedelta(days=1)
    return hours, rules, to_instant(noon_before) + draw(st.integers(-12 * 60, 0)) * MINUTE_MS


@given(calendars(), st.integers(1, 42 * 60))
@settings(max_examples=60, deadline=None)
def test_open_is_what_the_clock_on_the_wall_says(
    made: tuple[WeeklyHours, CalendarRules, int], length: int
) -> None:
    hours, rules, start = made
    end = start + length * MINUTE_MS
    found = {
        at for begin, past in open_times(hours, rules, start, end) for at in range(begin, past, MINUTE_MS)
    }
    expected = {at for at in range(start, end, MINUTE_MS) if open_at(hours, rules, at)}
    assert found == expected
    assert is_open(hours, rules, start, end) is (len(expected) == length)


@given(calendars(), st.integers(1, 42 * 60))
@settings(max_examples=100, deadline=None)
def test_quiet_hours_forbid_begin_and_end_but_not_what_lasts_through_them(
    made: tuple[WeeklyHours, CalendarRules, int], length: int
) -> None:
    hours, rules, start = made
    end = start + length * MINUTE_MS
    ends_within = quiet_at(rules, hours.zone, end) and quiet_at(rules, hours.zone, end - MINUTE_MS)
    assert keeps_quiet(hours, rules, start, end) is not (quiet_at(rules, hours.zone, start) or ends_within)


@given(calendars(), st.integers(1, 30 * 60))
@settings(max_examples=50, deadline=None)
def test_power_is_the_least_that_any_period_allows(
    made: tuple[WeeklyHours, CalendarRules, int], length: int
) -> None:
    hours, rules, start = made
    end = start + length * MINUTE_MS
    steps = power_steps(hours, rules, 11_000, start, end)
    expected = [watts_at(rules, hours.zone, 11_000, at) for at in range(start, end, MINUTE_MS)]
    found = [
        max((one for one in steps if one.start <= at), key=lambda one: one.start).max_power_w
        for at in range(start, end, MINUTE_MS)
    ]
    assert found == expected and steps[0].start == start
    assert fitting(end, steps) == sum(expected) * MINUTE_MS // HOUR


# --- the same in a few plain cases ------------------------------------------------------------------

NIGHTS = parse_hours("daily 18:00-08:00", "Europe/Berlin")
CHRISTMAS = DayException(day_number(date(2027, 12, 24)), day_number(date(2027, 12, 26)), ())


@pytest.mark.parametrize(
    ("begins", "ends", "whether"),
    [
        ("2027-12-23 20:00", "2027-12-24 00:00", True),
        ("2027-12-23 20:00", "2027-12-24 00:15", False),  # the evening before does not run into a closed day
        ("2027-12-25 20:00", "2027-12-25 21:00", False),
        ("2027-12-27 00:00", "2027-12-27 08:00", False),  # nor does a closed evening have a morning after
        ("2027-12-27 18:00", "2027-12-28 08:00", True),
        ("2027-12-25 10:00", "2027-12-25 14:00", True),  # opened once, though closed
        ("2027-12-25 10:00", "2027-12-25 14:15", False),
    ],
)
def test_closed_days_and_one_off_openings(begins: str, ends: str, whether: bool) -> None:
    once = OneOff(day_number(date(2027, 12, 25)), DaySpan(10 * 60, 14 * 60))
    rules = CalendarRules(exceptions=(CHRISTMAS,), one_offs=(once,))
    assert is_open(NIGHTS, rules, berlin(begins), berlin(ends)) is whether


def test_nights_go_on_within_one_exception() -> None:
    first = day_number(date(2027, 8, 2))
    rules = CalendarRules(exceptions=(DayException(first, first + 1, (DaySpan(20 * 60, 6 * 60),)),))
    shut = parse_hours("mon 12:00-13:00", "Europe/Berlin")
    for begins, ends, whether in (
        ("2027-08-02 20:00", "2027-08-03 06:00", True),
        ("2027-08-03 20:00", "2027-08-04 06:00", True),  # into a day with no exception
        ("2027-08-02 12:00", "2027-08-02 12:30", False),
    ):
        assert is_open(shut, rules, berlin(begins), berlin(ends)) is whether


def test_a_day_on_which_the_clocks_go_back_is_an_hour_longer() -> None:
    hours = parse_hours("sun 00:00-24:00", "Europe/Berlin")
    begin, past = berlin("2027-10-31 00:00"), berlin("2027-11-01 00:00")
    assert past - begin == 25 * HOUR
    assert open_times(hours, PLAIN, begin - 24 * HOUR, past + 24 * HOUR) == [(begin, past)]


def test_only_one_rule_for_a_date() -> None:
    with pytest.raises(ValueError, match="a date has one"):
        CalendarRules(exceptions=(CHRISTMAS, CHRISTMAS))
    day = DayException(CHRISTMAS.last + 1, CHRISTMAS.last + 1, ())
    assert joined([day, CHRISTMAS]) == [DayException(CHRISTMAS.first, day.last, ())]


def test_without_periods_there_is_one_step() -> None:
    start = berlin("2027-05-01 10:00")
    assert power_steps(NIGHTS, PLAIN, 7_400, start, start + HOUR) == (PowerStep(start, 7_400),)
    assert zone_of(NIGHTS.zone).key == "Europe/Berlin"
