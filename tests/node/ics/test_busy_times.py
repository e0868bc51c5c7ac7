"""What is busy in a host's own calendar: repetitions, exceptions, whole days, zones, and what is free."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from chargemesh_node.ics import busy_times as module
from chargemesh_node.ics.busy_times import Unreadable, busy_times
from chargemesh_protocol.zones import to_instant

from .samples import ics

ZONE = "Europe/Berlin"


def berlin(text: str) -> int:
    return to_instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)))


def read(data: bytes, start: str = "2027-03-01", end: str = "2027-04-30") -> list[tuple[str, str]]:
    """Busy times as the clocks in Berlin show them."""
    times, skipped = busy_times(data, ZONE, berlin(start), berlin(end))
    assert skipped == 0
    zone = ZoneInfo(ZONE)
    return [
        tuple(f"{datetime.fromtimestamp(one / 1000, zone):%Y-%m-%d %H:%M}" for one in time)  # type: ignore[misc]
        for time in times
    ]


def test_a_time_with_a_zone_without_one_and_in_utc() -> None:
    found = read(
        ics(
            "DTSTART;TZID=America/New_York:20270310T090000\nDTEND;TZID=America/New_York:20270310T100000",
            "DTSTART:20270311T090000\nDTEND:20270311T100000",
            "DTSTART:20270312T090000Z\nDURATION:PT90M",
        )
    )
    assert found == [
        ("2027-03-10 15:00", "2027-03-10 16:00"),
        ("2027-03-11 09:00", "2027-03-11 10:00"),
        ("2027-03-12 10:00", "2027-03-12 11:30"),
    ]


def test_whole_days_are_those_of_the_charger_also_where_the_clocks_change() -> None:
    found = read(ics("DTSTART;VALUE=DATE:20270327\nDTEND;VALUE=DATE:20270329", "DTSTART;VALUE=DATE:20270402"))
    assert found == [("2027-03-27 00:00", "2027-03-29 00:00"), ("2027-04-02 00:00", "2027-04-03 00:00")]
    assert berlin("2027-03-29") - berlin("2027-03-27") == 47 * 3_600_000


def test_repetitions_keep_the_wall_clock_and_their_exceptions() -> None:
    """Weekly at 18:00; once not, once at another time, once called off, and once more."""
    series = """
        UID:weekly
        DTSTART;TZID=Europe/Berlin:20270310T180000
        DTEND;TZID=Europe/Berlin:20270310T190000
        RRULE:FREQ=WEEKLY;COUNT=6
        EXDATE;TZID=Europe/Berlin:20270317T180000
        RDATE;TZID=Europe/Berlin:20270419T120000
        SUMMARY:Something private
    """
    moved = """
        UID:weekly
        RECURRENCE-ID;TZID=Europe/Berlin:20270324T180000
        DTSTART;TZID=Europe/Berlin:20270325T080000
        DTEND;TZID=Europe/Berlin:20270325T083000
    """
    called_off = """
        UID:weekly
        RECURRENCE-ID;TZID=Europe/Berlin:20270407T180000
        DTSTART;TZID=Europe/Berlin:20270407T180000
        DTEND;TZID=Europe/Berlin:20270407T190000
        STATUS:CANCELLED
    """
    assert read(ics(series, moved, called_off)) == [
        ("2027-03-10 18:00", "2027-03-10 19:00"),
        ("2027-03-25 08:00", "2027-03-25 08:30"),
        ("2027-03-31 18:00", "2027-03-31 19:00"),  # after the clocks went forward
        ("2027-04-14 18:00", "2027-04-14 19:00"),
        ("2027-04-19 12:00", "2027-04-19 13:00"),
    ]


@pytest.mark.parametrize(
    "line",
    ["TRANSP:TRANSPARENT", "STATUS:CANCELLED", f"UID:abc{module.OUR_UIDS}", "DTEND:20270310T090000Z"],
)
def test_what_is_free(line: str) -> None:
    end = [] if line.startswith("DTEND") else ["DTEND:20270310T100000Z"]
    assert read(ics("\n".join(["DTSTART:20270310T090000Z", *end, line]))) == []


def test_busy_times_are_cut_to_what_was_asked_and_joined() -> None:
    found = read(
        ics(
            "DTSTART:20260101T000000Z\nDTEND:20270301T050000Z",
            "DTSTART:20270301T040000Z\nDTEND:20270301T060000Z",
            "DTSTART:20270501T000000Z\nDTEND:20270502T000000Z",
        )
    )
    assert found == [("2027-03-01 00:00", "2027-03-01 07:00")]


def test_a_zone_of_the_file_s_own_and_one_that_nobody_knows() -> None:
    own = """
BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:-0300
TZOFFSETTO:-0300
END:STANDARD
END:VTIMEZONE"""
    at = "DTSTART;TZID={0}:20270310T090000\nDTEND;TZID={0}:20270310T100000"
    assert read(ics(at.format("Office"), head=own)) == [("2027-03-10 13:00", "2027-03-10 14:00")]
    assert read(ics(at.format("Nowhere/Land"))) == [("2027-03-10 09:00", "2027-03-10 10:00")]
    outlook = at.format("W. Europe Standard Time")
    assert read(ics(outlook)) == [("2027-03-10 09:00", "2027-03-10 10:00")]


def test_one_broken_event_spoils_no_other() -> None:
    data = ics(
        "DTSTART:20270310T090000Z\nDTEND:20270310T100000Z\nRRULE:FREQ=SOMETIMES",
        "DTSTART:soon\nDTEND:20270311T100000Z",
        "DTSTART:20270313T090000Z\nDTEND:20270313T100000Z",
    )
    assert busy_times(data, ZONE, berlin("2027-03-01"), berlin("2027-04-01")) == (
        [(berlin("2027-03-13 10:00"), berlin("2027-03-13 11:00"))],
        2,
    )


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"BEGIN:VCALENDAR\r\n", ics("DTSTART:20270312T090000Z")[:-20], b"END:VCALENDAR"]
)
def test_what_is_no_calendar(data: bytes) -> None:
    with pytest.raises(Unreadable):
        busy_times(data, ZONE, 0, 10**12)


def test_more_than_a_calendar_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ICS_OCCURRENCES", 20)
    daily = "DTSTART:20270301T090000Z\nDTEND:20270301T100000Z\nRRULE:FREQ=HOURLY"
    with pytest.raises(Unreadable, match="more than 20 appointments"):
        read(ics(daily))
    monkeypatch.setattr(module, "MAX_ICS_EVENTS", 1)
    with pytest.raises(Unreadable, match="more than 1 events"):
        read(ics(daily, daily))
