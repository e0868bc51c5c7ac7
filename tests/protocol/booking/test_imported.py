"""Busy times of a host's other calendar: they keep new bookings away, survive restarts, and undo nothing."""

from __future__ import annotations

from chargemesh_protocol.booking.imported import BusyFound, source_of, wanted_span
from chargemesh_protocol.effects import Announce
from chargemesh_protocol.events import BusyRead, BusyUnreadable, PutCharger, RemoveCharger

from ..neighbours import CHARGER, DAY, HOUR, MINUTE, Person, Street, charger
from .strangers import refusal_of

MINE = charger(busy_from="/home/alice/mine.ics")
SOURCE = source_of(MINE)


def reads(alice: Person, *times: tuple[int, int]) -> None:
    alice.handles(BusyRead(CHARGER, SOURCE, BusyFound(times)))


def test_what_is_busy_can_not_be_booked_and_does_not_show_as_such() -> None:
    street = Street()
    alice, bob = street.host(busy_from=MINE.busy_from), street.driver()
    start = street.now + 4 * HOUR
    reads(alice, (start, start + HOUR))
    assert refusal_of(bob.asks(alice, start - HOUR // 2)) == ("not-offerable", "this time can't be had")
    assert bob.asks(alice, start + HOUR).quote
    listing = alice.engine.listings.listing(CHARGER)
    assert listing is not None and not listing.body.slots.offerable(start, start + HOUR)
    alice.restarts()
    assert refusal_of(bob.asks(alice, start))[0] == "not-offerable"
    assert alice.engine.calendar.busy(CHARGER, 0) == ()


def test_an_accepted_booking_stands_whatever_is_read_later() -> None:
    street = Street()
    alice, bob = street.host(busy_from=MINE.busy_from), street.driver()
    start = street.now + 4 * HOUR
    booking = bob.books(alice, start)
    reads(alice, (start, start + HOUR))
    alice.restarts()
    street.settle()
    assert bob.state(booking).reservation.name == "RESERVED"
    assert alice.engine.calendar.busy(CHARGER, 0) == ((start, start + HOUR),)


def test_a_listing_is_made_only_if_it_says_something_new() -> None:
    street = Street()
    alice = street.host(busy_from=MINE.busy_from)
    busy = (street.now + HOUR, street.now + 2 * HOUR)
    reads(alice, busy)
    announced = len(alice.asked(Announce))
    street.wait(HOUR // 2)
    reads(alice, busy, (street.now + 300 * DAY, street.now + 301 * DAY))
    assert len(alice.asked(Announce)) == announced
    reads(alice)
    assert len(alice.asked(Announce)) == announced + 1


def test_the_last_good_state_counts_while_it_can_not_be_read_and_its_host_hears_of_it_once() -> None:
    street = Street()
    alice, bob = street.host(busy_from=MINE.busy_from), street.driver()
    start = street.now + 10 * HOUR
    reads(alice, (start, start + HOUR))
    read_at = street.now
    for _ in range(5):
        street.wait(HOUR)
        alice.handles(BusyUnreadable(CHARGER, SOURCE, "example.org answered 503"))
    kept = alice.engine.imports.kept(CHARGER)
    assert kept is not None and (kept.read_at, kept.fault) == (read_at, "example.org answered 503")
    assert refusal_of(bob.asks(alice, start))[0] == "not-offerable"
    assert [one["reason"] for one in alice.told("charger.calendar_failed")] == ["example.org answered 503"]
    alice.restarts()
    reads(alice)
    assert bob.asks(alice, start).quote and len(alice.told("charger.calendar_back")) == 1


def test_another_calendar_begins_anew_and_none_ends_it() -> None:
    street = Street()
    alice, bob = street.host(busy_from=MINE.busy_from), street.driver()
    start = street.now + 4 * HOUR
    reads(alice, (start, start + HOUR))
    alice.handles(PutCharger(MINE))
    assert refusal_of(bob.asks(alice, start))[0] == "not-offerable", "the same calendar still counts"
    alice.handles(PutCharger(charger(busy_from="https://example.org/other.ics")))
    assert bob.asks(alice, start).quote
    reads(alice, (start, start + HOUR))
    assert bob.asks(alice, start).quote, "what was read for the earlier one comes too late"
    alice.handles(PutCharger(MINE, BusyFound(((start, start + HOUR),))))
    assert refusal_of(bob.asks(alice, start))[0] == "not-offerable"
    alice.handles(PutCharger(charger()))
    assert bob.asks(alice, start).quote
    alice.handles(RemoveCharger(CHARGER))
    assert alice.disk.documents.get("imported-busy", {}) == {}


def test_it_is_read_as_far_as_anybody_can_book() -> None:
    street = Street()
    start, end = wanted_span(MINE, street.now)
    assert start < street.now and end >= street.now + 28 * DAY
    assert (end - street.now) % MINUTE == 0
