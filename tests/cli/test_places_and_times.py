"""Places, zones and spans as people write them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_cli.local_zone import local_zone
from chargemesh_cli.place_text import parse_place
from chargemesh_cli.times import read_span
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.zones import HOUR_MS, MINUTE_MS

NOW = 1_800_000_012_345  # 2027-01-15 08:00:12 UTC

# Codes and the middle of their areas, as Open Location Code's own test data has them.
PLUS_CODES = {
    "7FG49Q00+": (20.375, 2.775),
    "7FG49QCJ+2V": (20.3700625, 2.7821875),
    "4VCPPQGP+Q9": (-41.2730625, 174.7859375),
    "62G20000+": (0.5, -179.5),
    "22220000+": (-89.5, -179.5),
    "7FG49QCJ+2VX": (20.3701125, 2.782234375),
}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("52.52,13.405", (52.52, 13.405)),
        ("52.52, 13.405", (52.52, 13.405)),
        ("52.52 13.405", (52.52, 13.405)),
        ("(52.52; -13.405)", (52.52, -13.405)),
        ("-33.9,18.4", (-33.9, 18.4)),
        ("52.52° 13.405°", (52.52, 13.405)),
        ("52.1234567890,13", (52.123456, 13.0)),
        ("geo:52.5,13.4", (52.5, 13.4)),
        ("geo:52.5,13.4,30;crs=wgs84;u=35", (52.5, 13.4)),
        ("9F4MGCC4+2X Berlin", (52.5200625, 13.4074375)),
        ("work", (1.5, 2.5)),
        ("Home", (52.5200625, 13.4074375)),
    ],
)
def test_a_place_is_read(text: str, place: tuple[float, float]) -> None:
    saved = {"Work": "1.5,2.5", "home": "9F4MGCC4+2X"}
    assert parse_place(text, saved) == pytest.approx(place)


@pytest.mark.parametrize(("code", "centre"), PLUS_CODES.items())
def test_a_plus_code_is_its_areas_middle(code: str, centre: tuple[float, float]) -> None:
    assert parse_place(code) == pytest.approx(centre, abs=1e-6)
    assert parse_place(code.lower()) == parse_place(code)


@pytest.mark.parametrize(
    "text",
    [
        "", "Berlin", "52.52", "52,52,13,4", "95,13", "13.4,190", "1,2,3", "geo:1", "geo:1,2;crs=moon",
        "1e5,3",
        "GCC4+2X", "9F4MGCC4+2", "9F4M0CC4+2X", "9F4MG000+", "9F4MGC00+2X", "0F4MGCC4+2X",
        "ZZZZZZZZ+ZZ", "X2222222+",
        "52.52,13.4;rm", "٥٢,١٣",
    ],
)  # fmt: skip
def test_what_is_no_place_is_told(text: str) -> None:
    with pytest.raises(PersonError) as told:
        parse_place(text)
    assert told.value.exit_code == 2 and told.value.hint


def test_swapped_coordinates_are_guessed() -> None:
    with pytest.raises(PersonError, match="Is the longitude first"):
        parse_place("113.4,52.5")


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_what_is_written_is_read_back(latitude: float, longitude: float) -> None:
    assert parse_place(f"{latitude:.6f},{longitude:.6f}") == pytest.approx((latitude, longitude), abs=2e-6)


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading(text: str) -> None:
    try:
        latitude, longitude = parse_place(text)
    except PersonError:
        return
    assert -90 <= latitude <= 90 and -180 <= longitude <= 180


def test_the_local_zone(tmp_path: Path) -> None:
    none = tmp_path / "none"
    written, linked = tmp_path / "timezone", tmp_path / "localtime"
    written.write_text("Europe/Paris\n")
    linked.symlink_to("/usr/share/zoneinfo/Asia/Tokyo")
    assert local_zone({"TZ": "America/New_York"}, linked, written) == "America/New_York"
    assert local_zone({"TZ": ":Nowhere/Land"}, linked, written) == "Asia/Tokyo"
    assert local_zone({}, none, written) == "Europe/Paris"
    assert local_zone({}, none, none) == "UTC"


def test_a_span_begins_on_the_minute() -> None:
    span = read_span("now", "3h", None, "UTC", NOW)
    assert span is not None and span.start == NOW - NOW % MINUTE_MS and span.end == span.start + 3 * HOUR_MS
    assert str(span) == "Fri 2027-01-15 08:00 to 11:00"


def test_a_span_ends_by_duration_or_time() -> None:
    until = read_span("18:00", None, "21:30", "Europe/Berlin", NOW)
    assert until is not None and until.end - until.start == 7 * HOUR_MS // 2
    over_night = read_span("22:00", None, "02:00", "Europe/Berlin", NOW)
    assert over_night is not None and over_night.end - over_night.start == 4 * HOUR_MS
    assert read_span(None, None, None, None, NOW) is None


@pytest.mark.parametrize(
    "given", [("18:00", "3h", "20:00"), ("18:00", None, None), (None, "0h", None), ("18:00", "-1h", None)]
)
def test_a_span_that_cannot_be_is_told(given: tuple[str | None, str | None, str | None]) -> None:
    with pytest.raises((PersonError, click.UsageError)):
        read_span(*given, "UTC", NOW)
