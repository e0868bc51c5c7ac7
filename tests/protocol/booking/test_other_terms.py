"""Both desks over other terms: counter-offers, changes before the start, longer charges, faults."""

from __future__ import annotations

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.charging import RETRY_MS, tag_of
from chargemesh_protocol.booking.records import (
    Acknowledge,
    CancelReason,
    DeclineReason,
    ProblemKind,
)
from chargemesh_protocol.booking.table import Reservation, Settlement
from chargemesh_protocol.charging.reports import SessionEnded, SessionStarted
from chargemesh_protocol.effects import HoldSlot, ReleaseSlot
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.events import (
    CancelBooking,
    ChangeBooking,
    Decide,
    OfferTerms,
    SayFault,
    StartCharging,
    StartFailed,
    StopCharging,
)
from chargemesh_protocol.record import Record

from ..neighbours import (
    CHARGER,
    DAY,
    HOUR,
    MINUTE,
    MORNING,
    ON_REQUEST,
    Person,
    Street,
)
from .other_terms import agree, changes, charging, reserved, said, terms

# --- counter-offers --------------------------------------------------------------------------------


def requested(minutes: int = 60) -> tuple[Person, Person, bytes]:
    street = Street()
    alice, bob = street.host(rules=ON_REQUEST), street.driver()
    booking = bob.books(alice, MORNING + 6 * HOUR, minutes)
    assert bob.state(booking).reservation is Reservation.PENDING
    return alice, bob, booking


def test_a_counter_offer_taken_books_the_other_time() -> None:
    alice, bob, booking = requested()
    alice.tells(OfferTerms(booking, start=MORNING + 9 * HOUR, text="my own car comes home"))
    (told,) = bob.told("booking.offered")
    assert (told["offered_start"], told["text"]) == (MORNING + 9 * HOUR, "my own car comes home")
    assert not alice.disk.slots, "an offer holds nothing"
    bob.tells(Decide(booking, True, offer=bytes.fromhex(told["offer"])))
    state = bob.state(booking)
    assert state.reservation is Reservation.RESERVED
    assert (state.quote.start, state.quote.end) == (MORNING + 9 * HOUR, MORNING + 10 * HOUR)
    (slot,) = alice.disk.slots.values()
    assert (slot.start, slot.end) == (state.quote.start, state.quote.end)
    assert state.fee_floor == 0
    agree(alice, bob, booking)


def test_a_counter_offer_let_pass_takes_the_request_back_for_nothing() -> None:
    alice, bob, booking = requested()
    alice.tells(OfferTerms(booking, start=MORNING + 9 * HOUR))
    bob.tells(Decide(booking, False))
    state = alice.state(booking)
    assert (state.reservation, state.cost) == (Reservation.CANCELED, 0)
    assert not alice.disk.slots


def test_a_counter_offer_that_nobody_takes_ends_with_the_request() -> None:
    alice, bob, booking = requested()
    alice.tells(OfferTerms(booking, start=MORNING + 9 * HOUR))
    alice.street.wait(13 * MINUTE)
    assert bob.state(booking).reservation is Reservation.FAILED
    with said("offer-expired"):
        bob.tells(Decide(booking, True))


def test_a_newer_offer_is_not_taken_unseen() -> None:
    alice, bob, booking = requested()
    first = alice.tells(OfferTerms(booking, start=MORNING + 9 * HOUR))["offer"]
    alice.tells(OfferTerms(booking, start=MORNING + 12 * HOUR))
    with said("newer-offer"):
        bob.tells(Decide(booking, True, offer=bytes.fromhex(first)))


def test_a_counter_offer_for_a_time_that_somebody_took_meanwhile_is_refused() -> None:
    alice, bob, booking = requested()
    alice.tells(OfferTerms(booking, start=MORNING + 9 * HOUR))
    other = alice.street.driver("carol").books(alice, MORNING + 9 * HOUR)
    alice.tells(Decide(other, True))
    bob.tells(Decide(booking, True))
    state = bob.state(booking)
    assert state.reservation is Reservation.PENDING and state.refusal is not None
    assert bob.told("booking.change_refused")
    agree(alice, bob, booking)


def test_a_host_does_not_offer_what_it_has_promised() -> None:
    alice, _, booking = requested()
    other = alice.street.driver("carol").books(alice, MORNING + 9 * HOUR)
    alice.tells(Decide(other, True))
    with said("slot-taken"):
        alice.tells(OfferTerms(booking, start=MORNING + 9 * HOUR))


def test_the_host_accepts_what_the_driver_asked_for_instead() -> None:
    alice, bob, booking = requested()
    changes(bob, alice, booking, start=MORNING + 8 * HOUR, end=MORNING + 9 * HOUR)
    assert alice.told("booking.change_requested")
    assert bob.state(booking).reservation is Reservation.PENDING
    alice.tells(Decide(booking, True))
    state = bob.state(booking)
    assert (state.reservation, state.quote.start) == (Reservation.RESERVED, MORNING + 8 * HOUR)


def test_a_proposal_to_move_sets_no_floor_and_can_be_let_pass() -> None:
    alice, bob, booking = reserved(MORNING + HOUR)
    alice.street.wait(30 * MINUTE)
    alice.tells(OfferTerms(booking, start=MORNING + DAY))
    bob.tells(Decide(booking, False))
    assert bob.state(booking).quote.start == MORNING + HOUR
    assert "offer" in alice.booking(booking).messages[-1].text
    with said("no-offer"):
        bob.tells(Decide(booking, True))
    alice.tells(OfferTerms(booking, start=MORNING + DAY))
    bob.tells(Decide(booking, True))
    state = bob.state(booking)
    assert (state.quote.start, state.fee_floor) == (MORNING + DAY, 0)
    result = bob.tells(CancelBooking(booking, CancelReason.DRIVER_CANCELED))
    assert result["cost"] == 0
    agree(alice, bob, booking)


# --- changes before the start -----------------------------------------------------------------------


def test_a_change_before_the_start_moves_the_slot_in_one_go() -> None:
    alice, bob, booking = reserved()
    quote = changes(bob, alice, booking, start=MORNING + DAY + HOUR, end=MORNING + DAY + 3 * HOUR)
    state = bob.state(booking)
    assert state.quote == quote.body and state.change is None
    moved = [one for one in alice.effects if isinstance(one, HoldSlot | ReleaseSlot)][-2:]
    assert [type(one) for one in moved] == [ReleaseSlot, HoldSlot]
    (slot,) = alice.disk.slots.values()
    assert (slot.start, slot.end) == (quote.body.start, quote.body.end)
    assert bob.told("booking.changed")
    alice.restarts()
    agree(alice, bob, booking)
    assert isinstance(alice.street.driver("carol").asks(alice, MORNING + DAY), wire.QuoteGiven)


def test_what_it_would_cost_counts_the_own_slot_as_free_and_holds_nothing() -> None:
    alice, bob, booking = reserved(minutes=60)
    half = MORNING + DAY + 30 * MINUTE
    assert isinstance(terms(bob, alice, booking, start=half, end=half + HOUR), Record)
    assert isinstance(terms(bob, alice, booking, end=half), Record)
    assert isinstance(bob.asks(alice, half), wire.Failed)
    other = alice.street.driver("carol").books(alice, MORNING + DAY + HOUR)
    assert alice.street.people["12D3Koocarol"].state(other).reservation is Reservation.RESERVED
    assert terms(bob, alice, booking, start=half, end=half + HOUR) == "not-offerable"


def test_a_strange_booking_is_told_as_little_as_a_closed_charger() -> None:
    alice, bob, booking = reserved()
    ask = wire.AskQuote(charger=CHARGER, start=MORNING, end=MORNING + HOUR, energy_wh=0, booking=b"?" * 32)
    answer = wire.read(alice.answers(wire.write(ask)))
    assert isinstance(answer, wire.Failed) and answer.code == "not-offerable"
    assert isinstance(terms(bob, alice, booking, end=MORNING + DAY + HOUR - 1), Record)


def test_a_quote_for_one_booking_is_good_for_no_other() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    alice.known.add(bob.author)
    first, second = bob.books(alice, MORNING + DAY), bob.books(alice, MORNING + 2 * DAY)
    quote = terms(bob, alice, first, end=MORNING + DAY + 2 * HOUR)
    assert isinstance(quote, Record)
    with pytest.raises(Refused, match="mismatch"):
        bob.tells(ChangeBooking(second, quote.raw))
    given = wire.QuoteGiven(quote=quote.raw, bundle=alice.me.bundle)
    third = bob.takes(alice, given)
    assert bob.booking(third).file.refused == "quote-expired"


def test_moving_when_leaving_costs_is_asked_of_a_person_and_keeps_its_price() -> None:
    alice, bob, booking = reserved(MORNING + HOUR)
    alice.street.wait(30 * MINUTE)
    cap = bob.state(booking).quote.cap
    changes(bob, alice, booking, start=MORNING + DAY, end=MORNING + DAY + HOUR)
    (told,) = alice.told("booking.change_requested")
    assert "leaving" in told["why"]
    assert bob.state(booking).quote.start == MORNING + HOUR
    alice.tells(Decide(booking, True))
    state = bob.state(booking)
    assert (state.quote.start, state.fee_floor) == (MORNING + DAY, cap // 2)
    result = bob.tells(CancelBooking(booking, CancelReason.DRIVER_CANCELED))
    assert result["cost"] == cap // 2
    state = bob.state(booking)
    assert state.cost == cap // 2 and state.agreed is not None, "the bill over the floor is agreed to"


def test_a_known_driver_moves_at_once() -> None:
    alice, bob, booking = reserved(MORNING + HOUR)
    alice.known.add(bob.author)
    alice.street.wait(30 * MINUTE)
    changes(bob, alice, booking, start=MORNING + DAY, end=MORNING + DAY + HOUR)
    assert bob.state(booking).quote.start == MORNING + DAY
    assert bob.state(booking).fee_floor == bob.state(booking).in_force[0].quote.cap // 2


def test_a_change_that_nobody_answers_is_refused_when_its_time_comes() -> None:
    alice, bob, booking = reserved(MORNING + HOUR)
    alice.street.wait(30 * MINUTE)
    changes(bob, alice, booking, start=MORNING + DAY, end=MORNING + DAY + HOUR)
    alice.street.wait(30 * MINUTE)
    state = bob.state(booking)
    assert state.change is None and state.refusal is not None
    assert state.refusal.body.reason is DeclineReason.NOT_OFFERABLE
    assert state.quote.start == MORNING + HOUR
    agree(alice, bob, booking)


def test_the_host_refuses_a_change_and_all_stays() -> None:
    alice, bob, booking = reserved(MORNING + HOUR)
    alice.street.wait(30 * MINUTE)
    changes(bob, alice, booking, start=MORNING + DAY, end=MORNING + DAY + HOUR)
    alice.tells(Decide(booking, False))
    state = bob.state(booking)
    assert state.reservation is Reservation.RESERVED and state.quote.start == MORNING + HOUR
    assert state.refusal is not None and state.refusal.body.reason is DeclineReason.HOST_DECLINED


def test_a_later_wish_replaces_an_earlier_while_the_host_is_away() -> None:
    alice, bob, booking = reserved()
    first = terms(bob, alice, booking, end=MORNING + DAY + 2 * HOUR)
    second = terms(bob, alice, booking, end=MORNING + DAY + 3 * HOUR)
    assert isinstance(first, Record) and isinstance(second, Record)
    bob.handles(ChangeBooking(booking, first.raw))
    alice.street.now += 1
    bob.handles(ChangeBooking(booking, second.raw))
    alice.street.settle()
    state = bob.state(booking)
    assert state.quote == second.body and len(state.in_force) == 2
    kinds = [one.kind for one in alice.booking(booking).mine]
    assert kinds == ["accept", "acknowledge", "amend"]


def test_a_quote_that_expired_on_the_way_is_refused() -> None:
    alice, bob, booking = reserved()
    quote = terms(bob, alice, booking, end=MORNING + DAY + 2 * HOUR)
    assert isinstance(quote, Record)
    bob.handles(ChangeBooking(booking, quote.raw))
    alice.street.now += 18 * MINUTE
    alice.street.settle()
    state = bob.state(booking)
    assert state.refusal is not None and state.refusal.body.reason is DeclineReason.QUOTE_EXPIRED
    with said("quote-expired"):
        bob.tells(ChangeBooking(booking, quote.raw))


# --- faults ------------------------------------------------------------------------------------------


def test_a_box_that_will_not_start_is_signed_to_be_a_fault() -> None:
    alice, bob, booking = reserved(MORNING)
    bob.tells(StartCharging(booking))
    for _ in range(2):
        alice.handles(StartFailed(CHARGER, booking, "Rejected", "no answer"))
        alice.street.wait(RETRY_MS)
    assert bob.state(booking).equipment_fault is None
    for _ in range(2):
        alice.handles(StartFailed(CHARGER, booking, "Rejected", "no answer"))
        alice.street.wait(RETRY_MS)
    alice.street.settle()
    state = bob.state(booking)
    assert state.equipment_fault is not None
    assert state.equipment_fault.body.problem is ProblemKind.WONT_START
    assert len(bob.told("booking.equipment_fault")) == 1
    result = bob.tells(CancelBooking(booking, CancelReason.DRIVER_CANCELED))
    state = alice.state(booking)
    assert (result["cost"], state.compensation) == (0, state.quote.cap // 4)
    agree(alice, bob, booking)


def test_a_start_between_the_failures_is_no_fault() -> None:
    alice, bob, booking = reserved(MORNING)
    bob.tells(StartCharging(booking))
    for _ in range(2):
        alice.handles(StartFailed(CHARGER, booking, "Rejected", "no answer"))
    alice.box(SessionStarted("s1", tag_of(booking), 0, alice.street.now))
    alice.handles(StartFailed(CHARGER, booking, "Rejected", "no answer"))
    assert bob.state(booking).equipment_fault is None


def test_the_host_says_that_the_power_is_out() -> None:
    alice, bob, booking = reserved()
    alice.tells(SayFault(booking, ProblemKind.NO_POWER, "the street is dark"))
    alice.tells(SayFault(booking, ProblemKind.NO_POWER, "the street is dark"))
    kinds = [one.kind for one in alice.booking(booking).mine]
    assert kinds.count("fault") == 1
    assert bob.tells(CancelBooking(booking, CancelReason.DRIVER_CANCELED))["cost"] == 0
    with said("not-reserved"):
        alice.tells(SayFault(booking, ProblemKind.NO_POWER, ""))


# --- cancelling --------------------------------------------------------------------------------------


def test_nobody_pays_more_for_leaving_than_they_were_shown() -> None:
    alice, bob, booking = reserved(MORNING + 70 * MINUTE)
    shown = bob.state(booking)
    assert shown.cost == 0
    alice.street.wait(20 * MINUTE)
    with said("costs-more"):
        bob.tells(CancelBooking(booking, CancelReason.DRIVER_CANCELED, at_most=0))
    assert bob.state(booking).reservation is Reservation.RESERVED
    cost = bob.state(booking).quote.cap // 2
    bob.tells(CancelBooking(booking, CancelReason.DRIVER_CANCELED, at_most=cost))
    assert alice.state(booking).cost == cost


def test_only_the_host_offers_and_only_the_driver_changes() -> None:
    alice, bob, booking = reserved()
    with said("wrong-side"):
        bob.tells(OfferTerms(booking, start=MORNING + 2 * DAY))
    with said("wrong-side"):
        alice.tells(ChangeBooking(booking, b"quote"))
    with said("wrong-side"):
        bob.tells(SayFault(booking, ProblemKind.OTHER, ""))


def test_what_is_over_is_not_changed() -> None:
    alice, bob, booking = charging()
    bob.tells(StopCharging(booking))
    alice.box(SessionEnded("s1", 103_000, alice.street.now, "Remote"))
    assert bob.state(booking).settlement is Settlement.OPEN
    assert terms(bob, alice, booking, end=MORNING + 2 * HOUR) == "not-offerable"
    with said("not-changeable"):
        alice.tells(OfferTerms(booking, end=MORNING + 2 * HOUR))


def test_a_change_waits_in_no_acknowledgement_twice() -> None:
    """Each of the driver's changes costs the host two records at most."""
    alice, bob, booking = reserved()
    for hours in range(2, 5):
        changes(bob, alice, booking, end=MORNING + DAY + hours * HOUR)
    mine = alice.booking(booking).mine
    assert len(mine) <= 1 + 2 * 3
    assert sum(type(one.body) is Acknowledge for one in mine) <= 3
