"""What the other party of a booking may send to do harm: it is refused or named, and the node goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.records import Acknowledge, Agreement, Quote, Stop
from chargemesh_protocol.booking.retention import SECRETS_KEPT_MS
from chargemesh_protocol.booking.wire import MAX_MESSAGES_A_PARCEL
from chargemesh_protocol.charging.reports import SessionEnded, SessionStarted
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import (
    Book,
    ParcelAnswered,
    StartCharging,
    TimerDue,
    WallboxSaid,
    WriteMessage,
)
from chargemesh_protocol.limits import MAX_MESSAGES_A_SIDE
from chargemesh_protocol.record import open_as
from chargemesh_protocol.shape import from_tree, to_tree
from chargemesh_protocol.zones import LAST_INSTANT

from ..neighbours import CHARGER, DAY, HOUR, MINUTE, NETWORK, Street

SMALL_ORDER = (bytes(32), b"\x01" + bytes(31))  # X25519 gives the same shared secret for every key: none


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_request_with_a_key_that_nothing_can_be_sealed_to_is_refused(point: bytes) -> None:
    """Accepted, it would break the host's node when the address is due."""
    street = Street()
    alice, bob = street.host(), street.driver()
    given = bob.asks(alice)
    bob.handles(
        Book(
            given.quote, given.bundle, alice.contact, region=1, title="", zone="Europe/Berlin", wait_ms=MINUTE
        )
    )
    (booking,) = bob.engine.ledger
    request = bob.me.sign(replace(booking.request.body, one_time_key=point))
    exchange = wire.Exchange(
        booking=request.id, records=(request.raw,), opening=given.quote, bundle=bob.me.bundle
    )
    with pytest.raises(Refused) as refused:
        alice.answers(wire.write(exchange))
    assert refused.value.code == "bad-key"
    assert not list(alice.engine.ledger)


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_quote_with_such_a_key_is_not_booked(point: bytes) -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    given = bob.asks(alice)
    quote = alice.me.sign(replace(open_as(Quote, given.quote, NETWORK).body, one_time_key=point))
    with pytest.raises(Refused) as refused:
        bob.takes(alice, replace(given, quote=quote.raw))
    assert refused.value.code == "bad-key"
    assert not list(bob.engine.ledger)


@pytest.mark.parametrize("kind", [Acknowledge, Stop])
def test_a_record_from_after_the_last_calendar_is_refused(kind: type[Any]) -> None:
    """The month of such a receipt can't be told: computing it would break the reader's node."""
    street = Street()
    alice, bob = street.host(), street.driver()
    records = alice.booking(bob.books(alice)).set
    fields: Any = (
        records.host_fields(street.now) if kind is Acknowledge else records.driver_fields(street.now)
    )
    tree = to_tree(kind(**fields))
    assert from_tree(kind, tree | {1: LAST_INSTANT}).issued == LAST_INSTANT
    with pytest.raises(Refused) as refused:
        from_tree(kind, tree | {1: LAST_INSTANT + 1})
    assert refused.value.code == "schema"


def test_a_session_that_no_car_could_have_is_not_agreed_to_and_stops_no_timer() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    street.wait(MINUTE)
    alice.handles(WallboxSaid(CHARGER, SessionEnded("s1", 100, street.now, "Local")))
    receipt = alice.booking(booking).mine[-1].body
    last = alice.booking(booking).mine[-2].body
    # The host's node lies about its last ticket: it is from two hundred days later.
    late = alice.me.sign(replace(last, at=last.at + 200 * DAY))
    bill = alice.me.sign(replace(receipt, previous=late.id))
    bob.answers(wire.write(wire.Exchange(booking=booking, records=(late.raw, bill.raw))))
    assert bob.state(booking).receipt is not None
    assert not bob.booking(booking).own(Agreement)
    assert bob.told("receipt.wrong")[0]["differences"] == ["tickets: no car uses that much in one session"]
    bob.handles(TimerDue())


def test_messages_that_nobody_fetched_in_time_are_given_up_with_the_keys() -> None:
    """Nothing can be sealed any more: the records still travel, and nothing is owed for ever."""
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + HOUR)
    bob.handles(WriteMessage(booking, "is the gate open?"))
    assert bob.owes() == [booking]
    street.now += 3 * HOUR + SECRETS_KEPT_MS
    for one in (alice, bob):
        one.handles(TimerDue())
        assert not one.booking(booking).file.secret
    assert wire.read(bob.answers(wire.write(wire.Exchange(booking=booking))))
    street.settle()
    assert not bob.owes() and not alice.owes()


def test_a_fault_that_is_repeated_is_told_once() -> None:
    """Else a peer fills the outbox, and the person's phone, at the price of one bad record."""
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    held = bob.booking(booking)
    fields: Any = held.set.driver_fields(street.now) | {"booking": b"?" * 32}
    stop = bob.me.sign(Stop(**fields)).raw
    bad = wire.write(wire.Exchange(booking=booking, records=(stop,), known=len(held.theirs)))
    rows = len(alice.disk.outbox)
    for _ in range(5):
        alice.answers(bad)
    assert [one["code"] for one in alice.told("booking.fault")] == ["other-booking"]
    assert len(alice.disk.outbox) == rows + 1


def test_what_a_peer_calls_its_refusal_names_no_counter() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    failed = wire.write(wire.Failed(code="\x1b[31m\n", message="later\n"))
    with pytest.raises(Refused) as refused:
        bob.handles(ParcelAnswered(booking, failed))
    assert refused.value.code == "refused-by-peer"
    assert refused.value.message.isprintable()


def test_nobody_writes_more_messages_than_the_other_side_takes() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    for _ in range(MAX_MESSAGES_A_SIDE):
        bob.handles(WriteMessage(booking, "hello"))
    with pytest.raises(PersonError) as refused:
        bob.handles(WriteMessage(booking, "one more"))
    assert refused.value.code == "too-many-messages"
    with pytest.raises(ValueError, match="2000 characters"):
        alice.handles(WriteMessage(booking, "x" * 2001))
    assert not [one for one in alice.booking(booking).messages if one.ours]
    for _ in range(MAX_MESSAGES_A_SIDE // MAX_MESSAGES_A_PARCEL + 1):
        street.deliver(bob, booking)
    assert len(alice.booking(booking).messages) == MAX_MESSAGES_A_SIDE
    assert not bob.engine.ledger.owes(bob.booking(booking))


def test_receipts_without_end_do_not_fill_the_drivers_side() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    street.wait(MINUTE)
    alice.handles(WallboxSaid(CHARGER, SessionEnded("s1", 100, street.now, "Local")))
    records = [one.raw for one in alice.booking(booking).mine]
    last = alice.booking(booking).mine[-1]
    for _ in range(40):
        again = replace(last.body, number=last.body.number + 1, previous=last.id)
        bob.answers(wire.write(wire.Exchange(booking=booking, records=(*records, last.raw))))
        last = alice.me.sign(again)
        records = []
    assert len(bob.booking(booking).own(Agreement)) == 16
