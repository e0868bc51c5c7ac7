"""The slot bitmap against a brute-force reading of wall clocks, also on the days the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargemesh_protocol.encoding import decode, encode
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.limits import LISTING_SLOTS, SLOT_MS
from chargemesh_protocol.schedule import (
    SlotMap,
    WeeklyHours,
    WeeklySpan,
    Window,
    always_open,
    format_hours,
    free_windows,
    parse_hours,
    quarter_hour,
    slot_map,
)
from chargemesh_protocol.shape import from_tree, to_tree

HOUR = 4  # slots
# The days on which the clocks change in 2027, as the UTC midnight before.
CHANGES = {
    "Europe/Berlin": ("2027-03-28", "2027-10-31"),
    "America/New_York": ("2027-03-14", "2027-11-07"),
    "Australia/Lord_Howe": ("2027-10-03", "2027-04-04"),
}
ONE_EACH = [(zone, day) for zone, days in CHANGES.items() for day in days]
SPANS = st.builds(WeeklySpan, st.integers(1, 7), st.integers(0, 1439), st.integers(0, 1440))
HALF_PAST = st.builds(WeeklySpan, st.integers(1, 7), st.integers(0, 47).map(lambda n: n * 30), st.just(0))


def utc(text: str) -> int:
    """Unix ms of a UTC time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@lru_cache(maxsize=8)
def walls(zone: str, start: int, slots: int) -> list[datetime]:
    """The wall time of every minute of `slots` slots from `start`, without zone."""
    begin = datetime.fromtimestamp(start // 1000, UTC)
    minutes = (begin + timedelta(minutes=n) for n in range(slots * 15))
    return [minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) for minute in minutes]


def is_open(hours: WeeklyHours, wall: datetime) -> bool:
    """The meaning of weekly hours, word by word: a span that began today or yesterday covers `wall`."""
    for days_ago in (0, 1):
        day = datetime(wall.year, wall.month, wall.day) - timedelta(days=days_ago)
        for span in hours.spans:
            begin = day + timedelta(minutes=span.opens)
            end = day + timedelta(days=int(span.closes <= span.opens), minutes=span.closes)
            if span.weekday == day.isoweekday() and begin <= wall < end:
                return True
    return False


@pytest.mark.parametrize(("zone", "day"), ONE_EACH)
@settings(max_examples=12)
@given(spans=st.lists(SPANS | HALF_PAST, max_size=4))
def test_the_bitmap_is_what_the_wall_clocks_say(zone: str, day: str, spans: list[WeeklySpan]) -> None:
    hours = WeeklyHours(zone, tuple(spans))
    start = utc(day) - 24 * 4 * SLOT_MS
    minutes = walls(zone, start, 3 * 96)
    expected = tuple(
        all(is_open(hours, wall) for wall in minutes[slot * 15 : slot * 15 + 15]) for slot in range(3 * 96)
    )
    assert slot_map(hours, start).slots()[: 3 * 96] == expected


@pytest.mark.parametrize(
    ("zone", "day", "times", "slots"),
    [
        ("Europe/Berlin", "2027-03-28", "02:00-03:00", 0),  # the missing hour
        ("Europe/Berlin", "2027-03-28", "01:00-04:00", 2 * HOUR),
        ("Europe/Berlin", "2027-10-31", "02:00-03:00", 2 * HOUR),  # the doubled hour
        ("Europe/Berlin", "2027-10-31", "00:00-24:00", 25 * HOUR),
        ("America/New_York", "2027-03-14", "00:00-24:00", 23 * HOUR),
        ("Australia/Lord_Howe", "2027-10-03", "02:00-03:00", 2),  # half an hour is missing
        ("Australia/Lord_Howe", "2027-04-04", "01:30-02:00", 4),  # and doubled
    ],
)
def test_missing_and_doubled_hours(zone: str, day: str, times: str, slots: int) -> None:
    weekday = datetime.fromisoformat(day).isoweekday()
    opens, closes = (int(part[:2]) * 60 + int(part[3:]) for part in times.split("-"))
    only_then = WeeklyHours(zone, (WeeklySpan(weekday, opens, closes),))
    # From two days before, so that the map holds the day in question and the same weekday a week later.
    found = slot_map(only_then, utc(day) - 2 * 96 * SLOT_MS).slots()
    assert sum(found[: 5 * 96]) == slots


def test_the_first_slot_is_the_highest_bit() -> None:
    start = utc("2027-06-07 00:00")  # a Monday
    hours = WeeklyHours("UTC", (WeeklySpan(1, 0, 15), WeeklySpan(1, 120, 135)))
    bits = slot_map(hours, start).bits
    assert (bits[0], bits[1]) == (0b1000_0000, 0b1000_0000)
    assert len(bits) == 168


def test_busy_intervals_take_every_slot_they_touch() -> None:
    start = utc("2027-06-07 00:00")
    busy = [(start + SLOT_MS + 1, start + 2 * SLOT_MS + 1), (start - 10 * SLOT_MS, start), (start, start)]
    found = slot_map(always_open("UTC"), start, busy).slots()
    assert [number for number, free in enumerate(found) if not free] == [1, 2]


@given(
    st.lists(st.tuples(st.integers(-100, 1500), st.integers(0, 300)), max_size=5), st.integers(0, SLOT_MS - 1)
)
def test_no_offerable_time_overlaps_a_busy_one(busy: list[tuple[int, int]], shift: int) -> None:
    start = utc("2027-06-07 00:00")
    taken = [(start + at * SLOT_MS + shift, start + (at + length) * SLOT_MS + shift) for at, length in busy]
    slots = slot_map(always_open("Europe/Berlin"), start, taken)
    for number, free in enumerate(slots.slots()):
        at = start + number * SLOT_MS
        overlaps = any(begin < at + SLOT_MS and at < end and begin < end for begin, end in taken)
        assert free is not overlaps
        assert slots.offerable(at, at + SLOT_MS) is free


def test_reading_a_bitmap() -> None:
    start = utc("2027-06-07 00:00")
    slots = slot_map(parse_hours("mon 01:00-03:00; tue 01:00-01:30", "UTC"), start)
    assert slots.offerable(start + HOUR * SLOT_MS, start + 3 * HOUR * SLOT_MS)
    assert slots.offerable(start + HOUR * SLOT_MS + 1, start + HOUR * SLOT_MS + 2)
    assert not slots.offerable(start + HOUR * SLOT_MS - 1, start + 2 * HOUR * SLOT_MS)
    assert not slots.offerable(start + HOUR * SLOT_MS, start + 3 * HOUR * SLOT_MS + 1)
    assert not slots.offerable(start - SLOT_MS, start)
    assert not slots.offerable(slots.end, slots.end + 1)
    with pytest.raises(ValueError, match="after the start"):
        slots.offerable(start, start)


def test_the_next_free_windows() -> None:
    start = utc("2027-06-07 00:00")
    slots = slot_map(parse_hours("mon 01:00-03:00; tue 01:00-01:30", "UTC"), start)
    hour, day = HOUR * SLOT_MS, 96 * SLOT_MS
    monday, tuesday = (
        Window(start + hour, start + 3 * hour),
        Window(start + day + hour, start + day + 6 * hour // 4),
    )
    assert free_windows(slots, start, count=2) == (monday, tuesday)
    assert free_windows(slots, start + 2 * hour)[0] == Window(start + 2 * hour, start + 3 * hour)
    assert [window.start for window in free_windows(slots, start, 2 * hour)] == [
        monday.start,
        monday.start + 7 * day,
    ]
    assert free_windows(slot_map(always_open("UTC"), start), start) == (Window(start, slots.end),)


@pytest.mark.parametrize(
    "text",
    [
        "always",
        "mon-fri 18:00-08:00; sat-sun 00:00-24:00",
        "mon 09:00-12:00; mon 13:00-17:00",
        "sat-mon 22:00-06:00",
    ],
)
def test_hours_print_and_read_back(text: str) -> None:
    hours = parse_hours(text, "Europe/Berlin")
    assert format_hours(hours) == text
    assert parse_hours(format_hours(hours), "Europe/Berlin") == hours


@given(st.lists(SPANS, min_size=1, max_size=10))
def test_any_hours_print_and_read_back(spans: list[WeeklySpan]) -> None:
    hours = WeeklyHours("UTC", tuple(spans))
    assert parse_hours(format_hours(hours), "UTC") == hours


@pytest.mark.parametrize(
    "text", ["", "never", "evenings", "mon,mon 1:00-2:00", "mon 18-20", "mon 24:00-02:00", "xyz 1:00-2:00"]
)
def test_hours_that_make_no_sense_say_what_to_write(text: str) -> None:
    with pytest.raises(PersonError) as caught:
        parse_hours(text, "UTC")
    assert caught.value.hint.startswith("Write ")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("mon-fri", "Name the times as well: mon-fri 18:00-08:00."),
        ("18:00-08:00", "Name the days as well: mon-sun 18:00-08:00."),
    ],
)
def test_hours_without_one_half_are_told_the_other(text: str, hint: str) -> None:
    with pytest.raises(PersonError) as caught:
        parse_hours(text, "UTC")
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Mon - Fri 18:00 – 08:00", "mon-fri 18:00-08:00"),
        ("weekdays 9:00-17:00; weekend 10:00-12:00", "mon-fri 09:00-17:00; sat-sun 10:00-12:00"),
    ],
)
def test_hours_may_be_written_as_people_do(text: str, same: str) -> None:
    assert format_hours(parse_hours(text, "UTC")) == same


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "localtime", "../etc/passwd", "Europe", "", "CEST"])
def test_zones_that_do_not_exist(zone: str) -> None:
    with pytest.raises(PersonError, match="no time zone"):
        parse_hours("always", zone)
    with pytest.raises(ValueError, match="time zone"):
        WeeklyHours(zone, ())


def test_a_map_crosses_the_wire_and_a_bad_one_is_refused() -> None:
    slots = slot_map(always_open("UTC"), quarter_hour(utc("2027-06-07 00:07")))
    assert from_tree(SlotMap, decode(encode(to_tree(slots)))) == slots
    assert sum(slots.slots()) == LISTING_SLOTS
    for start, bits in ((slots.start + 1, slots.bits), (slots.start, slots.bits[1:])):
        with pytest.raises(Refused):
            from_tree(SlotMap, {0: start, 1: bits})
    hours = parse_hours("mon-fri 18:00-08:00", "Europe/Berlin")
    assert from_tree(WeeklyHours, decode(encode(to_tree(hours)))) == hours
