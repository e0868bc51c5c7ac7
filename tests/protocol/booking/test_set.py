"""The set: what may come in, and that the order of arrival plays no part."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking import set as set_module
from chargemesh_protocol.booking.cost import signed_for
from chargemesh_protocol.booking.records import Acknowledge, Cancel, CancelReason, Decline, DeclineReason
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.booking.table import Reservation, Session, Settlement
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.record import Record, sign
from tests.strategies import Step, bookings

from .story import (
    CAP,
    DRIVER,
    DRIVER_SEED,
    HOST_KIND_NAMES,
    HOUR,
    MINUTE,
    NETWORK,
    START,
    Story,
    quote_body,
)

INSTANTS = (START - 10 * MINUTE, START - MINUTE, START + HOUR, START + 10 * HOUR)


def told(steps: list[Step]) -> Story:
    """The story of random steps, forks and blindness included."""
    story = Story()
    for step in steps:
        story.now += step.wait
        chain = story.booking.chain
        seen = chain[-1 - step.back] if step.back < len(chain) else None
        if step.kind in HOST_KIND_NAMES:
            changes: dict[str, object] = {} if step.includes else {"includes": ()}
            if step.back and seen is not None:
                changes |= {"number": seen.body.number + 1, "previous": seen.id}
            story.of_host(step.kind, changes=changes)
        else:
            story.of_driver(step.kind, changes={"seen": seen.id} if seen else {"seen": story.request.id})
    return story


def states(booking: BookingSet) -> list[BookingState]:
    return [booking.state(instant) for instant in INSTANTS]


def charged() -> list[Record]:
    """Seven records: accept, access, check-in, its inclusion, two tickets, a stop that nothing includes."""
    story = Story().until("charging")
    story.of_driver("stop")
    return list(story.booking)


def test_every_order_of_seven_records_makes_one_state() -> None:
    quote, request, *records = charged()
    assert len(records) == 7
    expected = BookingSet(quote, request, records).state(START + HOUR)
    assert expected.session is Session.ACTIVE and expected.stopped_at is not None
    for order in itertools.permutations(records):
        assert BookingSet(quote, request, order).state(START + HOUR) == expected


@pytest.mark.parametrize("stage", ["cancelled", "forked", "paid"])
def test_every_order_of_other_small_sets(stage: str) -> None:
    story = Story().until("arrived")
    if stage == "cancelled":
        story.of_driver("problem")
        story.of_driver("cancel", changes={"seen": story.request.id})
        story.of_host("host-cancel", changes={"includes": ()})
        story.of_host("acknowledge")
    elif stage == "forked":
        first = story.of_host("acknowledge", add=False)
        story.of_host("host-cancel")
        story.booking.add(first)
        story.of_driver("authorisation")
        story.of_host("ticket")
    else:
        story.ticket(5000, end=True)
        story.of_host("receipt")
        story.of_driver("agreement")
        story.of_host("paid")
    quote, request, *records = story.booking
    expected = states(story.booking)
    for order in itertools.permutations(records):
        assert states(BookingSet(quote, request, order)) == expected


@given(bookings, st.randoms(use_true_random=False))
def test_random_sets_arrive_in_any_order_with_duplicates(steps: list[Step], chance: random.Random) -> None:
    story = told(steps)
    records = list(story.booking)[2:]
    shuffled = [*records, *chance.sample(records, len(records) // 2)]
    chance.shuffle(shuffled)
    other = story.fresh_set()
    for record in shuffled:
        before = record.id in other
        assert other.add(record) is not before
        other.state(START)  # asking in between leaves nothing behind
    assert states(other) == states(story.booking)
    assert list(other) == list(story.booking)


@given(bookings)
def test_every_prefix_has_a_sound_state(steps: list[Step]) -> None:
    story = told(steps)
    quote, request, *records = story.booking
    booking = BookingSet(quote, request)
    for record in [None, *records]:
        if record is not None:
            booking.add(record)
        for instant in INSTANTS:
            check_sound(booking.state(instant))


@given(bookings)
def test_time_alone_changes_a_state_exactly_at_its_deadlines(steps: list[Step]) -> None:
    booking = told(steps).booking
    instant = START - 24 * HOUR
    while (due := booking.state(instant).next_deadline) is not None:
        assert due > instant
        assert booking.state(due - 1) == booking.state(instant)
        assert booking.state(due) != booking.state(instant)
        instant = due
    assert booking.state(instant + 1000 * HOUR) == booking.state(instant)


def check_sound(state: BookingState) -> None:
    """What holds in every state, whatever the records."""
    assert 0 <= state.cost <= CAP and 0 <= state.compensation <= CAP
    assert not (state.cost and state.reservation not in (Reservation.CANCELED, Reservation.NO_SHOW))
    assert 0 <= state.countersigned <= len(state.tickets)
    if state.tickets:
        assert signed_for(state).energy_wh <= state.tickets[-1].body.energy_wh
    assert (state.cancellation is not None) == (state.reservation is Reservation.CANCELED)
    if state.reservation in (Reservation.REJECTED, Reservation.FAILED, Reservation.NO_SHOW):
        assert state.session is Session.INVALID
    if state.reservation is Reservation.FULFILLED:
        assert state.tickets and state.session in (Session.ACTIVE, Session.COMPLETED)
    if state.settlement is not Settlement.OPEN:
        assert state.receipt is not None
    kept = {one.record for one in state.ignored}
    assert kept.isdisjoint(one.id for one in state.tickets)


def test_records_wait_for_their_predecessor() -> None:
    story = Story().until("charging")
    quote, request, *_ = story.booking
    accept, access, acknowledge, first, second = story.booking.chain
    booking = BookingSet(quote, request, [second, first, acknowledge, access])
    state = booking.state(START - 9 * MINUTE)
    assert state.reservation is Reservation.PENDING and not state.tickets
    assert [one.body.number for one in booking.pending] == [2, 3, 4, 5]
    assert accept.id in state.missing
    booking.add(accept)
    assert booking.state(START).session is Session.ACTIVE
    assert booking.pending == ()


def test_a_fork_hides_what_followed_the_higher_id() -> None:
    story = Story()
    changes = {"number": 1, "previous": story.request.id}
    accept = story.of_host("accept", add=False, changes=changes)
    decline = story.of_host("decline", add=False, changes=changes)
    low, high = sorted((accept, decline), key=lambda one: one.id)
    story.booking.add(high)
    story.of_host("acknowledge")
    assert story.state().next_number == 3
    story.booking.add(low)
    state = story.state()
    assert (state.head, state.next_number) == (low.id, 2)
    assert state.faults[0].records == (low.id, high.id)
    assert {one.id for one in story.booking.pending} >= {high.id}


def test_a_lower_id_elsewhere_does_not_hide_the_chain() -> None:
    """A host record under the same number that follows something else is evidence, and no more."""
    story = Story().until("arrived")
    for stray in range(8):
        changes = {"number": 2, "previous": bytes([stray]) * 32}
        story.of_host("acknowledge", changes=changes)
    state = story.state()
    assert state.access_sent and state.next_number == 3
    assert len(state.faults) == 1


def test_a_clock_that_runs_back_is_a_fault() -> None:
    story = Story().until("reserved")
    story.of_host("acknowledge", changes={"issued": START - HOUR})
    assert [one.code for one in story.state().faults] == ["time-runs-back"]


def test_evidence_needs_no_place_in_the_chain() -> None:
    """A fault is found between two records, whatever else is missing or counts in their place."""
    story = Story().until("reserved")
    first = story.of_host("acknowledge")
    story.of_host("acknowledge", changes={"issued": first.body.issued - MINUTE})
    chain = list(story.booking.chain)
    known = BookingSet(story.quote, story.request, chain[1:])
    assert known.chain == () and [one.code for one in known.state(START).faults] == ["time-runs-back"]


def test_records_of_others_are_refused() -> None:
    story, other = Story(), Story(requested=START - 9 * MINUTE)
    with pytest.raises(Refused, match="other-booking"):
        story.booking.add(other.of_host("accept"))
    forged = Cancel(
        author=b"X" * 32,
        issued=1,
        booking=story.request.id,
        seen=story.request.id,
        reason=CancelReason.DRIVER_CANCELED,
    )
    with pytest.raises(Refused, match="wrong-author"):
        story.booking.add(sign(forged, DRIVER_SEED, NETWORK))
    head = story.booking.host_fields(story.now) | {"author": DRIVER}
    with pytest.raises(Refused, match="wrong-author"):
        story.booking.add(
            sign(Decline(**head, reason=DeclineReason.RULES), DRIVER_SEED, NETWORK)  # type: ignore[arg-type]
        )
    with pytest.raises(Refused, match="wrong-kind"):
        story.booking.add(sign(quote_body(), DRIVER_SEED, NETWORK))
    with pytest.raises(Refused, match="other-quote"):
        BookingSet(story.quote, other.request)
    with pytest.raises(Refused, match="same-author"):
        Story(author=DRIVER)


def test_quote_and_request_are_in_the_set_already() -> None:
    story = Story()
    assert not story.booking.add(story.request)
    assert not story.booking.add(story.quote)
    assert story.booking.get(story.quote.id) is story.quote


def test_neither_side_can_fill_the_other_ones_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_module, "MAX_RECORDS_A_SIDE", 3)
    story = Story().until("reserved")
    for _ in range(3):
        story.of_driver("problem")
    with pytest.raises(Refused, match="booking-full"):
        story.of_driver("problem")
    story.of_host("acknowledge")
    with pytest.raises(Refused, match="numbered up to"):
        story.host(Acknowledge, changes={"number": 4})


def test_the_fields_of_the_next_record() -> None:
    story = Story().until("reserved")
    one = story.of_driver("problem")
    two = story.of_driver("cancel")
    head = story.booking.chain[-1]
    assert story.booking.host_fields(START) == {
        "author": story.quote.body.author,
        "issued": START,
        "booking": story.request.id,
        "number": 2,
        "previous": head.id,
        "includes": (one.id, two.id),
    }
    assert story.booking.driver_fields(START) == {
        "author": DRIVER,
        "issued": START,
        "booking": story.request.id,
        "seen": head.id,
    }


def test_only_so_many_are_included_at_once() -> None:
    story = Story().until("reserved")
    for _ in range(40):
        story.of_driver("problem")
    assert len(story.of_host("acknowledge").body.includes) == 32
    assert len(story.of_host("acknowledge").body.includes) == 8
    assert story.state().not_included == ()


def test_five_hundred_tickets_make_one_state() -> None:
    story = Story().until("checked-in")
    for number in range(500):
        story.ticket(number * 10)
        if number % 2:
            story.of_driver("countersign")
    state = story.fresh_set_without().state(story.now)
    assert len(state.tickets) == 500 and state.energy_wh == 4990
