"""`calendar`: the feed's URL, and reading a host's own calendar on command."""

from __future__ import annotations

from . import samples
from .person import Person
from .stub_node import Refusal, StubNode

FEED = {
    "url": "http://127.0.0.1:8080/calendar/5ec2e7.ics",
    "webcal": "webcal://127.0.0.1:8080/calendar/5ec2e7.ics",
    "on_lan": False,
}
BUSY = {
    "source": "calendar.example.org",
    "read": samples.START,
    "times": 12,
    "skipped": 1,
    "fault": "",
    "failing_since": None,
}


def test_the_url_is_shown_with_what_it_still_needs(person: Person, node: StubNode) -> None:
    node.answers |= {
        "POST calendar": FEED,
        "POST calendar/renew": {**FEED, "on_lan": True},
        "DELETE calendar": {"on": False},
    }
    said = person.types("calendar", "url")
    assert said.out.startswith(FEED["url"]) and "phone.address" in said.out
    assert person.types("calendar", "renew").out == f"{FEED['url']}\n"
    assert "No calendar can read" in person.types("calendar", "off").out
    assert person.types("--json", "calendar", "url").value == FEED


def test_a_calendar_is_read_on_command(person: Person, node: StubNode) -> None:
    path = f"POST chargers/{samples.CHARGER}/busy"
    node.answers[path] = {**samples.CHARGER_VIEW, "busy": BUSY}
    said = person.types("calendar", "refresh", samples.CHARGER).out
    assert "12 busy times" in said and "1 of its events could not be understood" in said
    failing = {**BUSY, "fault": "it answered 503", "failing_since": samples.START}
    node.answers[f"GET chargers/{samples.CHARGER}"] = {**samples.CHARGER_VIEW, "busy": failing}
    shown = " ".join(person.types("charger", "show", samples.CHARGER).out.split())
    assert "it answered 503. What was read before still counts." in shown
    node.answers[path] = Refusal(400, "calendar-unreadable", "The calendar could not be read: gone.", "", 2)
    assert person.types("calendar", "refresh", samples.CHARGER).code == 2
