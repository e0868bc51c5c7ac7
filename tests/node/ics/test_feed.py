"""Bookings as a calendar: what a phone that subscribed sees, and what nobody may see."""

from __future__ import annotations

from typing import Any

from icalendar import Calendar

from chargemesh_node.ics.busy_times import busy_times
from chargemesh_node.ics.feed import as_ics, event_of, shown, uid_of
from chargemesh_protocol.booking.records import CancelReason
from chargemesh_protocol.events import CancelBooking, Decide
from tests.protocol.neighbours import DAY, HOUR, ON_REQUEST, SECRETS, Person, Street

PAGE = "http://192.168.1.20:8080"


def feed(person: Person) -> bytes:
    engine, now = person.engine, person.street.now
    bookings = [person.booking(one) for one in shown(engine.ledger.overview(now), now)]
    return as_ics([event_of(one, engine.driver.access, PAGE, now) for one in bookings])


def only(person: Person) -> dict[str, Any]:
    (event,) = Calendar.from_ical(feed(person)).walk("VEVENT")
    return {name: event.decoded(name) if name.startswith("DT") else str(event[name]) for name in event}


def test_a_booking_from_being_asked_for_to_being_called_off() -> None:
    street = Street()
    alice, bob = street.host(rules=ON_REQUEST), street.driver()
    start = street.now + 30 * HOUR
    booking = bob.books(alice, start)
    seen = [(only(alice), only(bob))]
    alice.tells(Decide(booking, True))
    seen.append((only(alice), only(bob)))
    bob.tells(CancelBooking(booking, CancelReason.DRIVER_CANCELED))
    seen.append((only(alice), only(bob)))
    for side in (0, 1):
        events = [one[side] for one in seen]
        assert [one["STATUS"] for one in events] == ["TENTATIVE", "CONFIRMED", "CANCELLED"]
        assert len({one["UID"] for one in events}) == 1
        numbers = [int(one["SEQUENCE"]) for one in events]
        assert numbers == sorted(set(numbers))
        assert events[0]["DTSTART"].timestamp() * 1000 == start
        assert (events[0]["DTEND"] - events[0]["DTSTART"]).total_seconds() == 3600
        assert events[0]["URL"] == f"{PAGE}/#/{booking.hex()[:16]}"
    assert (seen[1][0]["SUMMARY"], seen[1][1]["SUMMARY"]) == ("Booked: Alice's", "Charging: Alice's")


def test_the_address_is_there_once_the_driver_knows_it_and_no_secret_ever() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 30 * HOUR)
    assert "LOCATION" not in only(bob)
    street.wait(29 * HOUR)
    assert only(bob)["LOCATION"] == SECRETS[0] and "LOCATION" not in only(alice)
    for person in (alice, bob):
        shown = feed(person).decode().replace("\r\n ", "")
        assert booking.hex() not in shown
        assert all(secret not in shown for secret in SECRETS[1:])
    assert uid_of(booking).partition("@")[0] not in booking.hex()


def test_a_request_that_ended_unanswered_or_refused_is_called_off() -> None:
    street = Street()
    alice, bob = street.host(rules=ON_REQUEST), street.driver()
    bob.books(alice, street.now + 3 * HOUR)
    before = int(only(bob)["SEQUENCE"])
    street.wait(2 * HOUR)
    after = only(bob)
    assert after["STATUS"] == "CANCELLED" and int(after["SEQUENCE"]) > before


def test_what_was_long_ago_is_left_out_and_our_own_feed_keeps_nobody_busy() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    bob.books(alice, street.now + 3 * HOUR)
    assert busy_times(feed(alice), "UTC", street.now, street.now + DAY) == ([], 0)
    known = bob.engine.ledger.overview(street.now)
    assert len(shown(known, street.now)) == 1 and not shown(known, street.now + 100 * DAY)
