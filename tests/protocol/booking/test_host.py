"""The host's desk: quotes that reveal nothing, bounds on requests, the address in time, what it costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.records import CancelReason, DeclineReason, Quote
from chargemesh_protocol.booking.table import Reservation, Settlement
from chargemesh_protocol.effects import Announce, HoldSlot, ReleaseSlot
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import (
    CancelBooking,
    ClaimPaid,
    ConfirmPaid,
    Decide,
    PauseCharger,
    StartCharging,
    TimerDue,
)
from chargemesh_protocol.record import open_as

from ..neighbours import (
    CHARGER,
    DAY,
    EURO,
    HOUR,
    MINUTE,
    NETWORK,
    ON_REQUEST,
    SECRETS,
    Street,
    charger,
    charges,
)
from .strangers import Stranger, ask_by_hand, refusal_of

# --- quotes ---------------------------------------------------------------------------------------


def test_a_quote_holds_nothing_and_is_not_kept() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    first = bob.asks(alice)
    before = repr(alice.disk.documents), dict(alice.disk.slots)
    for _ in range(50):
        assert isinstance(bob.asks(alice), wire.QuoteGiven)
    assert (repr(alice.disk.documents), dict(alice.disk.slots)) == before
    # Somebody else takes it meanwhile: whoever asked first has no right to it.
    street.driver("carol").books(alice)
    booking = bob.takes(alice, first)
    assert bob.booking(booking).file.refused == "not-offerable"


def test_a_quote_is_what_the_charger_costs() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    quote = open_as(Quote, bob.asks(alice, minutes=120, energy=10_000).quote, NETWORK).body
    assert (quote.energy_wh, quote.estimate, quote.cap) == (10_000, 4 * EURO, 8_810_000)
    assert (quote.start, quote.end, quote.issued) == (street.now, street.now + 2 * HOUR, street.now)
    # More than fits into the time, or no wish at all: what fits.
    for wish in (50_000, 0):
        assert (
            open_as(Quote, bob.asks(alice, minutes=60, energy=wish).quote, NETWORK).body.energy_wh == 11_000
        )


def test_booked_closed_and_away_look_alike() -> None:
    night = replace(charger().hours, spans=())
    answers = set()
    for prepare in ("booked", "closed", "away", "unknown", "long past the bitmap"):
        street = Street()
        alice = street.host(**({"hours": night} if prepare == "closed" else {}))
        bob = street.driver()
        start = street.now + HOUR
        if prepare == "booked":
            street.driver("carol").books(alice, start)
        elif prepare == "away":
            alice.tells(PauseCharger(CHARGER, True))
        elif prepare == "unknown":
            alice = street.person("zoe")
        elif prepare == "long past the bitmap":
            start += 15 * DAY
        answers.add(refusal_of(bob.asks(alice, start)))
    assert answers == {("not-offerable", "this time can't be had")}


@pytest.mark.parametrize(
    ("start", "minutes", "code"),
    [
        (-30 * MINUTE, 60, "not-offerable"),
        (HOUR, 10, "duration"),
        (HOUR, 13 * 60, "duration"),
        (HOUR, 0, "duration"),
        (HOUR, -5, "duration"),
        (HOUR, 60, "lead-time"),
    ],
)
def test_what_the_rules_forbid_is_said_whoever_asks(start: int, minutes: int, code: str) -> None:
    street = Street()
    rules = replace(charger().rules, lead_minutes=120 if code == "lead-time" else 0)
    alice, bob = street.host(rules=rules), street.driver()
    assert refusal_of(bob.asks(alice, street.now + start, minutes))[0] == code


# --- requests -------------------------------------------------------------------------------------


def test_an_instant_request_is_accepted_at_once_and_holds_the_slot() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 4 * HOUR)
    assert bob.state(booking).reservation is Reservation.RESERVED
    assert alice.engine.calendar.busy(CHARGER, 0) == ((street.now + 4 * HOUR, street.now + 5 * HOUR),)
    listing = alice.engine.listings.listing(CHARGER)
    assert listing is not None and not listing.body.slots.offerable(
        street.now + 4 * HOUR, street.now + 5 * HOUR
    )
    assert alice.asked(Announce)
    assert [one.get("event") for one in alice.told("booking.accepted")] == ["booking.accepted"]


def test_a_request_that_waits_for_a_person_holds_nothing() -> None:
    street = Street()
    alice, bob, carol = street.host(rules=ON_REQUEST), street.driver(), street.driver("carol")
    booking, other = bob.books(alice, street.now + HOUR), carol.books(alice, street.now + HOUR)
    assert not alice.asked(HoldSlot)
    assert {one.state(key).reservation for one, key in ((bob, booking), (carol, other))} == {
        Reservation.PENDING
    }
    assert len(alice.told("booking.requested")) == 2
    alice.tells(Decide(booking, accept=True))
    assert bob.state(booking).reservation is Reservation.RESERVED
    with pytest.raises(PersonError) as error:
        alice.tells(Decide(other, accept=True))
    assert error.value.code == "slot-taken"
    alice.tells(Decide(other, accept=False))
    state = carol.state(other)
    assert state.reservation is Reservation.REJECTED
    assert state.decline is not None and state.decline.body.reason is DeclineReason.HOST_DECLINED


def test_a_request_that_nobody_answers_fails_on_both_sides() -> None:
    street = Street()
    alice, bob = street.host(rules=ON_REQUEST), street.driver()
    booking = bob.books(alice, street.now + HOUR)
    street.wait(10 * MINUTE + 2 * MINUTE)
    assert alice.state(booking).reservation is bob.state(booking).reservation is Reservation.FAILED
    with pytest.raises(PersonError) as error:
        alice.tells(Decide(booking, accept=True))
    assert error.value.code == "not-pending"


def test_an_expired_quote_is_refused() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    given = bob.asks(alice, street.now + HOUR)
    street.wait(15 * MINUTE + 1)
    with pytest.raises(PersonError) as error:
        bob.takes(alice, given)
    assert error.value.code == "quote-expired"
    quote = open_as(Quote, given.quote, NETWORK)
    street.wait(2 * MINUTE)
    assert refusal_of(ask_by_hand(street, alice, quote, given.quote, Stranger(1)))[0] == "quote-expired"


@pytest.mark.parametrize("spoil", ["opening", "bundle", "records", "quote of bob", "another's bundle", "id"])
def test_a_request_must_come_with_all_that_proves_it(spoil: str) -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    given = bob.asks(alice)
    quote = open_as(Quote, given.quote, NETWORK)
    stranger = Stranger(1)
    request = stranger.request(quote.id, street.now)
    exchange = wire.Exchange(
        booking=request.id, records=(request.raw,), opening=given.quote, bundle=stranger.bundle
    )
    changes: dict[str, Any] = {
        "opening": {"opening": None},
        "bundle": {"bundle": None},
        "records": {"records": ()},
        "quote of bob": {"opening": bob.me.sign(replace(quote.body, author=bob.author)).raw},
        "another's bundle": {"bundle": Stranger(2).bundle},
        "id": {"booking": b"?" * 32},
    }
    with pytest.raises(Refused):
        alice.answers(wire.write(replace(exchange, **changes[spoil])))
    assert not list(alice.engine.ledger)
    assert isinstance(wire.read(alice.answers(wire.write(exchange))), wire.Exchange)


def test_an_unpaid_receipt_blocks_new_bookings_until_it_is_paid() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    alice.known.add(bob.author)
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    charges(alice, tag_of(booking))
    for settle in (lambda: None, lambda: bob.tells(ClaimPaid(booking, "manual", ""))):
        settle()
        again = bob.books(alice, street.now + 3 * HOUR)
        assert bob.booking(again).file.refused == "unpaid-receipt"
    alice.tells(ConfirmPaid(booking))
    assert bob.state(bob.books(alice, street.now + 3 * HOUR)).reservation is Reservation.RESERVED


def test_a_receipt_over_nothing_is_no_debt() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    charges(alice, tag_of(booking), watt=0, minutes=2)
    assert bob.state(booking).settlement is Settlement.PAID
    assert bob.state(bob.books(alice, street.now + HOUR)).reservation is Reservation.RESERVED


# --- the address ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "lead", "tiers", "due"),
    [
        (6 * HOUR, 120, True, -HOUR),  # free cancellation ends an hour before, later than two hours before
        (6 * HOUR, 30, True, -30 * MINUTE),
        (6 * HOUR, 120, False, 0),  # free until the start
        (6 * HOUR, 0, True, 0),
        (30 * MINUTE, 120, True, -30 * MINUTE),  # accepted later than that: with the acceptance
        (0, 120, False, 0),
    ],
)
def test_the_address_comes_when_it_is_due_and_never_before(
    ahead: int, lead: int, tiers: bool, due: int
) -> None:
    street = Street()
    terms = charger().terms if tiers else replace(charger().terms, tiers=())
    alice, bob = street.host(access_lead_minutes=lead, terms=terms), street.driver()
    start = street.now + ahead
    booking = bob.books(alice, start)
    state = alice.state(booking)
    assert state.access_due == start + due
    if street.now < start + due:
        street.wait(start + due - street.now - 1)
        alice.handles(TimerDue())
        alice.restarts()
        street.settle()
        assert bob.engine.driver.access(bob.booking(booking)) is None
        street.wait(1)
    access = bob.engine.driver.access(bob.booking(booking))
    assert access is not None and access.address == SECRETS[0]
    assert bob.state(booking).access is not None


def test_a_cancelled_booking_never_gets_the_address_and_no_timer_runs_on() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 6 * HOUR)
    bob.tells(CancelBooking(booking, CancelReason.TRAFFIC))
    street.wait(20 * HOUR)
    assert not alice.state(booking).access_sent
    assert alice.engine.deadline(street.now) > street.now  # type: ignore[operator]


# --- cancellation and no-show ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "reason", "cost"),
    [
        (61 * MINUTE, CancelReason.TRAFFIC, 0),
        (30 * MINUTE, CancelReason.TRAFFIC, 2_205_000),
        (30 * MINUTE, CancelReason.SAFETY, 0),
        (-5 * MINUTE, CancelReason.DRIVER_CANCELED, 4_410_000),
    ],
)
def test_a_driver_cancels_at_the_price_of_the_tier(before: int, reason: CancelReason, cost: int) -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    start = street.now + 6 * HOUR
    booking = bob.books(alice, start)
    street.wait(start - before - street.now)
    assert bob.tells(CancelBooking(booking, reason))["cost"] == cost
    state = alice.state(booking)
    assert state.reservation is Reservation.CANCELED and state.cost == cost
    assert state == bob.state(booking)
    if cost:
        assert state.receipt is not None
        receipt = state.receipt.body
        assert [(one.dimension, one.amount) for one in receipt.lines] == [("CANCELLATION", cost)]
        assert receipt.total == cost + (receipt.rounding or 0) == -(-cost // 10_000) * 10_000
        assert bob.state(booking).agreed is not None
    else:
        assert state.receipt is None and state.finished
    assert alice.asked(ReleaseSlot) == [ReleaseSlot(booking)]
    assert alice.engine.calendar.free(CHARGER, start, start + HOUR)


def test_a_host_that_cancels_owes_what_its_terms_promise() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 6 * HOUR)
    alice.tells(CancelBooking(booking, CancelReason.BROKEN_CHARGER))
    state = bob.state(booking)
    assert state.reservation is Reservation.CANCELED
    assert (state.cost, state.compensation) == (0, 1_102_500)
    with pytest.raises(PersonError) as error:
        alice.tells(CancelBooking(booking, CancelReason.BROKEN_CHARGER))
    assert error.value.code == "not-cancellable"


def test_who_does_not_come_gets_a_receipt_for_the_fee() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + HOUR)
    street.wait(HOUR + 17 * MINUTE - 1)
    assert bob.state(booking).reservation is Reservation.RESERVED
    street.wait(1)
    state = bob.state(booking)
    assert state.reservation is Reservation.NO_SHOW
    assert state.receipt is not None and state.agreed is not None
    assert (state.receipt.body.lines[0].dimension, state.receipt.body.total) == ("NO_SHOW", 4_410_000)
    assert alice.told("booking.no_show") and not alice.engine.calendar.holds(booking)


def test_a_host_that_was_off_hears_the_driver_first() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + HOUR)
    street.wait(HOUR - MINUTE)
    del street.people[alice.contact.peer_id]
    street.now += 2 * MINUTE
    bob.handles(StartCharging(booking))
    street.now += 20 * MINUTE
    street.people[alice.contact.peer_id] = alice
    alice.restarts()
    assert alice.state(booking).reservation is Reservation.RESERVED
    street.settle()
    assert alice.state(booking).checked_in
    street.wait(5 * MINUTE)
    assert bob.state(booking).reservation is Reservation.RESERVED


def test_a_host_that_was_off_and_hears_nothing_says_so_later() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + HOUR)
    street.wait(HOUR - MINUTE)
    street.now += 30 * MINUTE
    alice.restarts()
    assert bob.state(booking).reservation is Reservation.RESERVED
    street.wait(10 * MINUTE)
    assert bob.state(booking).reservation is Reservation.NO_SHOW


def test_a_slot_that_passed_while_the_host_was_off_is_nobodys_fault() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + HOUR)
    street.now += 4 * HOUR
    for _ in range(3):
        alice.restarts()
        street.settle()
    assert alice.state(booking).reservation is bob.state(booking).reservation is Reservation.FAILED
    assert [one.kind for one in alice.booking(booking).mine] == ["accept", "access"]
