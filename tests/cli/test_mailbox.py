"""Mailboxes from the command line, and where a booking says that what was sent is."""

from __future__ import annotations

import pytest

from . import samples
from .person import Person
from .stub_node import StubNode

LATER = samples.at(1_800_600_000_000, "2027-01-22 06:40")
IN_MAILBOX = {
    "state": "in-mailbox",
    "tries": 4,
    "next_try": samples.END,
    "handed_in": samples.START,
    "kept_until": LATER,
}


def test_a_mailbox_is_named_chosen_or_left(person: Person, node: StubNode) -> None:
    node.answers |= {"POST mailbox": samples.MAILBOX, "GET mailbox": samples.MAILBOX}
    assert "12D3KooX  answered at 2027-01-15 09:00" in person.types("mailbox", "use", "--auto").out
    person.types("mailbox", "use", "chargemesh:mailbox/owAB", "chargemesh:mailbox/owAC")
    node.answers["POST mailbox"] = {"uses": [], "auto": False, "keeps": None}
    assert "others can leave nothing" in person.types("mailbox", "use", "none").out
    sent = [one.body for one in node.calls("POST mailbox")]
    assert sent == [
        {"links": [], "auto": True},
        {"links": ["chargemesh:mailbox/owAB", "chargemesh:mailbox/owAC"], "auto": False},
        {"links": [], "auto": False},
    ]
    assert "2 parcels, 8192 bytes" in person.types("mailbox", "show").out


@pytest.mark.parametrize("words", [(), ("--auto", "none")])
def test_which_mailbox_has_to_be_said(person: Person, node: StubNode, words: tuple[str, ...]) -> None:
    assert person.types("mailbox", "use", *words).code == 2
    assert not node.calls("POST mailbox")


def test_a_volunteer_passes_on_a_link(person: Person, node: StubNode) -> None:
    node.answers["GET mailbox/link"] = samples.MAILBOX_LINK
    assert person.types("mailbox", "link", "--no-qr").out.strip() == "chargemesh:mailbox/owAB"
    assert "▀▄▀" in person.types("mailbox", "link").out


def test_a_booking_says_where_what_was_sent_is(person: Person, node: StubNode) -> None:
    said = {"ours": True, "sent": samples.START, "text": "I come late"}
    view = {
        **samples.BOOKING_VIEW,
        "delivery": "in-mailbox",
        "post": IN_MAILBOX,
        "messages": [{**said, "delivery": "delivered"}, {**said, "delivery": "in-mailbox"}],
    }
    node.answers |= {f"GET bookings/{samples.BOOKING}": view, "GET bookings/last": view}
    out = " ".join(person.types("booking", "show", "last").out.split())
    assert "waits in their mailbox since 2027-01-15 09:00, at most until 2027-01-22 06:40" in out
    assert "The next try to reach the other side is at 2027-01-15 12:00." in out
    assert "you (delivered): I come late" in out and "you (in their mailbox): I come late" in out
    listed = {**samples.BOOKING_LINE, "delivery": "in-mailbox"}
    node.answers["GET bookings"] = {"bookings": [listed], "earlier": 0}
    assert "Yours waits in their mailbox." in " ".join(person.types("bookings").out.split())


def test_what_never_arrived_is_told_as_that(person: Person, node: StubNode) -> None:
    lost = {**samples.BOOKING_VIEW, "delivery": "given-up", "post": {**samples.POST, "state": "given-up"}}
    node.answers["GET bookings/last"] = lost
    assert "never reached the other side" in person.types("booking", "show", "last").out


def test_status_tells_of_both_sides_of_mailboxes(person: Person, node: StubNode) -> None:
    node.answers["GET status"] = {**samples.STATUS, "mailbox": samples.MAILBOX}
    out = " ".join(person.types("status").out.split())
    assert "1 mailbox holds parcels for it, which it chose itself" in out
    assert "It holds 2 sealed parcels for others" in out


def test_a_quote_of_a_host_that_is_away_says_what_becomes_of_a_request(
    person: Person, node: StubNode
) -> None:
    node.answers["POST quotes"] = {**samples.QUOTE_VIEW, "host_away": True, "mailbox": True}
    out = " ".join(person.types("quote", "1", "--from", "2027-01-15 09:00", "--for", "3h").out.split())
    assert "The request waits in its mailbox" in out
