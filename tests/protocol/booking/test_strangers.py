"""Crowds of fresh keys: the bounds that hold for drivers without a completed pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import Quote
from chargemesh_protocol.booking.retention import FORGOTTEN_AFTER_MS
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.record import open_as

from ..neighbours import DAY, HOUR, NETWORK, SECRETS, Street, charger
from .strangers import Stranger, ask_by_hand, refusal_of

STRICT = charger().strangers


def test_the_bounds_on_first_bookings() -> None:
    street = Street()
    alice, bob, carol = street.host(), street.driver(), street.driver("carol")
    for start, minutes in ((HOUR, 5 * 60), (49 * HOUR, 60)):
        refused = bob.books(alice, street.now + start, minutes)
        assert bob.booking(refused).file.refused == "stranger"
    bob.books(alice, street.now + HOUR)
    assert bob.booking(bob.books(alice, street.now + 6 * HOUR)).file.refused == "stranger"  # one open booking
    given = carol.asks(alice, street.now + 6 * HOUR)
    quote = open_as(Quote, given.quote, NETWORK)
    assert (
        refusal_of(ask_by_hand(street, alice, quote, given.quote, Stranger(1), "peer:bob"))[0] == "stranger"
    )
    # None of it holds for somebody known.
    alice.known.add(bob.author)
    assert bob.state(bob.books(alice, street.now + 60 * HOUR, 6 * 60)).reservation is Reservation.RESERVED


def test_first_timers_wait_for_a_person_by_default() -> None:
    street = Street()
    alice, bob = street.host(strangers=replace(STRICT, on_request=True)), street.driver()
    assert bob.state(bob.books(alice, street.now + HOUR)).reservation is Reservation.PENDING
    alice.known.add(bob.author)
    assert bob.state(bob.books(alice, street.now + 4 * HOUR)).reservation is Reservation.RESERVED


def test_a_host_may_ask_for_trust() -> None:
    street = Street()
    alice, bob = street.host(rules=replace(charger().rules, min_trust=100)), street.driver()
    assert bob.booking(bob.books(alice)).file.refused == "trust"
    alice.known.add(bob.author)
    assert bob.state(bob.books(alice)).reservation is Reservation.RESERVED


@pytest.mark.parametrize("ahead", [0, 10 * HOUR])
def test_three_strangers_a_week_learn_the_address_sent_or_promised(ahead: int) -> None:
    street = Street()
    alice = street.host()
    drivers = [street.driver(f"driver {number}") for number in range(5)]
    bookings = [
        one.books(alice, street.now + ahead + number * HOUR, 60) for number, one in enumerate(drivers)
    ]
    states = [one.state(key).reservation for one, key in zip(drivers, bookings, strict=True)]
    assert states == [Reservation.RESERVED] * 3 + [Reservation.PENDING] * 2
    street.wait(30 * HOUR)
    told = [one.engine.driver.access(one.booking(key)) for one, key in zip(drivers, bookings, strict=True)]
    assert [one is not None for one in told] == [True] * 3 + [False] * 2
    street.wait(7 * DAY)
    late = street.driver("late")
    assert late.state(late.books(alice)).reservation is Reservation.RESERVED


def test_five_thousand_fresh_keys_keep_no_known_driver_out_and_learn_no_address() -> None:
    street = Street()
    alice, bob = street.host(strangers=replace(STRICT, on_request=True)), street.driver()
    alice.known.add(bob.author)
    given = bob.asks(alice, street.now + 5 * HOUR)
    quote = open_as(Quote, given.quote, NETWORK)
    codes: dict[str, int] = {}
    for number in range(5000):
        answer = ask_by_hand(street, alice, quote, given.quote, Stranger(number))
        code = answer.code if isinstance(answer, wire.Failed) else "pending"
        codes[code] = codes.get(code, 0) + 1
        alice.effects.clear()
    assert codes == {"pending": STRICT.pending_requests, "busy": 5000 - STRICT.pending_requests}
    assert len(list(alice.engine.ledger)) == STRICT.pending_requests
    kept = sum(len(value) for of in alice.disk.documents.values() for value in of.values())
    assert kept < 200_000
    booking = bob.takes(alice, given)
    assert bob.state(booking).reservation is Reservation.RESERVED
    street.wait(4 * HOUR)
    assert bob.engine.driver.access(bob.booking(booking)) is not None
    everything = b"".join(alice.seen)
    assert not any(secret.encode() in everything for secret in SECRETS)
    # What the strangers left behind goes by itself.
    street.wait(FORGOTTEN_AFTER_MS)
    assert [one.id for one in alice.engine.ledger] == [booking]
