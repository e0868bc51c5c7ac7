"""What people type becomes integers, and back; a mistake becomes a sentence that says what to write."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol import units
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.zones import HOUR_MS, LAST_INSTANT, MINUTE_MS, to_local, zone_of

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
NOW = 1804333200_000 + 20_000  # Saturday 2027-03-06 11:40:20 UTC, 12:40:20 in Berlin


def berlin(text: str, now: int = NOW) -> str:
    """The instant that `text` means in Berlin, printed with its second."""
    return f"{to_local(units.parse_instant(text, 'Europe/Berlin', now), zone_of('UTC')):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (units.parse_distance, "2km", 2000),
        (units.parse_distance, " 1.5 KM ", 1500),
        (units.parse_distance, "500m", 500),
        (units.parse_power, "7kW", 7000),
        (units.parse_power, "7,4 kW", 7400),
        (units.parse_power, "7400W", 7400),
        (units.parse_energy, "20kWh", 20_000),
        (units.parse_energy, "0.5kwh", 500),
        (units.parse_duration, "3h", 3 * HOUR_MS),
        (units.parse_duration, "90m", 90 * MINUTE_MS),
        (units.parse_duration, "1h30m", 90 * MINUTE_MS),
        (units.parse_duration, "1.5 hours", 90 * MINUTE_MS),
        (units.parse_duration, "2 days 10s", 48 * HOUR_MS + 10_000),
        (units.parse_clock, "18:00", 1080),
        (units.parse_clock, "24:00", 1440),
        (units.parse_weekday, "Thurs", 4),
        (units.parse_weekday, "Mo", 1),
    ],
)
def test_reads_what_people_type(parse: Callable[[str], int], text: str, value: int) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "hint"),
    [
        (units.parse_distance, "2", "2km"),
        (units.parse_distance, "-2km", "2km"),
        (units.parse_distance, "two km", "2km"),
        (units.parse_power, "1,000 kW", "7kW"),
        (units.parse_power, "1.0005kW", "7kW"),
        (units.parse_energy, "20kW", "20kWh"),
        (units.parse_energy, "٢kWh", "20kWh"),
        (units.parse_duration, "", "3h"),
        (units.parse_duration, "3", "3h"),
        (units.parse_duration, "3h soon", "3h"),
        (units.parse_clock, "18", "18:00"),
        (units.parse_clock, "24:01", "18:00"),
        (units.parse_clock, "12:60", "18:00"),
        (units.parse_weekday, "someday", "mon"),
    ],
)
def test_says_what_to_write_instead(parse: Callable[[str], int], text: str, hint: str) -> None:
    with pytest.raises(PersonError) as caught:
        parse(text)
    assert hint in caught.value.hint
    assert caught.value.message.endswith(".")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("now", "2027-03-06 11:40:20"),
        ("in 2h", "2027-03-06 13:40:20"),
        ("+90m", "2027-03-06 13:10:20"),
        ("18:00", "2027-03-06 17:00:00"),
        ("12:40", "2027-03-06 11:40:00"),  # this very minute
        ("12:39", "2027-03-07 11:39:00"),
        ("today 8:00", "2027-03-06 07:00:00"),
        ("Tomorrow 18:00", "2027-03-07 17:00:00"),
        ("sat 18:00", "2027-03-06 17:00:00"),
        ("sat 08:00", "2027-03-13 07:00:00"),
        ("Monday 18:00", "2027-03-08 17:00:00"),
        ("2027-06-01T18:00", "2027-06-01 16:00:00"),
        ("2027-06-01 18:00:05", "2027-06-01 16:00:05"),
        ("2027-06-01T18:00Z", "2027-06-01 18:00:00"),
        ("2027-06-01T18:00:00.250-04:00", "2027-06-01 22:00:00"),
        ("2027-10-31 02:30", "2027-10-31 00:30:00"),  # happens twice: the first
        ("2027-10-31 02:30+01:00", "2027-10-31 01:30:00"),
    ],
)
def test_reads_times(text: str, utc: str) -> None:
    assert berlin(text) == utc


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2027-03-28 02:30", "clocks go forward"),
        ("2027-02-30 12:00", "does not exist"),
        ("2027-06-01", "Add the time of day"),
        ("tomorrow", "Add the time of day"),
        ("18:00Z", "needs a date"),
        ("25:00", "Hours go from 00 to 23"),
        ("2027-06-01T18:00+19:00", "offset"),
        ("1969-06-01T18:00Z", "too far away"),
        ("in 900000 days", "too far away"),
        ("blursday 18:00", "day of the week"),
        ("soon", "Write for example"),
    ],
)
def test_refuses_times_that_do_not_exist(text: str, says: str) -> None:
    with pytest.raises(PersonError) as caught:
        berlin(text)
    assert says in str(caught.value)


def test_a_time_alone_skips_the_day_on_which_it_does_not_happen() -> None:
    saturday_evening = units.parse_instant("2027-03-27 20:00", "Europe/Berlin", NOW)
    assert berlin("02:30", saturday_evening) == "2027-03-29 00:30:00"


@given(st.integers(0, 10**9))
def test_quantities_print_and_read_back(value: int) -> None:
    assert units.parse_distance(f"{value} m") == value
    assert units.parse_power(units.format_power(value)) == value
    assert units.parse_energy(units.format_energy(value)) == value
    assert units.parse_duration(units.format_duration(value * 1000)) == value * 1000
    assert units.parse_clock(units.format_clock(value % 1441)) == value % 1441


@given(st.integers(0, LAST_INSTANT // 1000), st.sampled_from(ZONES))
def test_instants_print_and_read_back(second: int, zone: str) -> None:
    assert units.parse_instant(units.format_instant(second * 1000, zone), zone, NOW) == second * 1000


@given(st.integers(0, 3 * 24 * 60), st.sampled_from(ZONES[:3]))
def test_instants_read_back_around_a_doubled_hour(minute: int, zone: str) -> None:
    back = {
        "Europe/Berlin": "2027-10-30",
        "America/New_York": "2027-11-06",
        "Australia/Lord_Howe": "2027-04-03",
    }
    instant = units.parse_instant(f"{back[zone]}T00:00Z", "UTC", NOW) + minute * MINUTE_MS
    assert units.parse_instant(units.format_instant(instant, zone), zone, NOW) == instant


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for parse in (units.parse_distance, units.parse_duration, units.parse_clock, berlin):
        try:
            parse(text)
        except PersonError as error:
            assert error.message and error.hint


def test_a_span_shows_its_second_date_only_where_it_differs() -> None:
    start = units.parse_instant("2027-06-01T18:00", "Europe/Berlin", NOW)
    assert units.format_span(start, start + 3 * HOUR_MS, "Europe/Berlin") == "Tue 2027-06-01 18:00 to 21:00"
    assert units.format_span(start, start + 9 * HOUR_MS, "Europe/Berlin").endswith("to 2027-06-02 03:00")
