"""Other terms: offers, changes and their answers, the floor under fees, faults of the host's equipment."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking import set as set_module
from chargemesh_protocol.booking.cost import cost_of_cancelling
from chargemesh_protocol.booking.overlap import Overlap, overlap
from chargemesh_protocol.booking.records import (
    Accept,
    Amend,
    Cancel,
    CancelReason,
    Change,
    DeclineReason,
    Offer,
    Refuse,
)
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.booking.state import Authorised
from chargemesh_protocol.booking.table import Reservation, Session
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.record import carried, open_record, sign

from .story import (
    CAP,
    DRIVER_SEED,
    EURO,
    HOUR,
    MINUTE,
    NETWORK,
    SECOND,
    START,
    Story,
    quote_body,
)

DAY = 24 * HOUR
OVER = START + 3 * HOUR + 2 * MINUTE


def early() -> Story:
    """Reserved a day ahead, the address sent, an hour and a half before the start."""
    story = Story(requested=START - DAY, start=START, end=START + 3 * HOUR).until("arrived")
    story.now = START - 90 * MINUTE
    return story


# --- terms in force --------------------------------------------------------------------------------


def test_a_counter_offer_taken_is_what_was_accepted() -> None:
    story = Story()
    offer = story.offer(start=START + HOUR, cap=2 * CAP)
    assert story.state().reservation is Reservation.PENDING and story.state().offered is not None
    change = story.change(offer)
    story.host(Accept, access_due=START, change=change.id)
    state = story.state()
    assert state.reservation is Reservation.RESERVED
    assert (state.quote.start, state.quote.cap) == (START + HOUR, 2 * CAP)
    assert state.change is None and state.offer is None and state.fee_floor == 0
    assert state.no_show_from is None and state.next_deadline == START + 2 * MINUTE
    story.of_host("access")
    assert story.state().no_show_from == START + HOUR + 17 * MINUTE


def test_a_counter_offer_let_pass_leaves_the_request_as_it_was() -> None:
    story = Story()
    story.offer(start=START + HOUR)
    state = story.state(story.request.body.expires + 2 * MINUTE)
    assert state.reservation is Reservation.FAILED and state.quote == story.quote.body


def test_only_the_newest_offer_can_be_taken_and_only_as_it_was_made() -> None:
    story = Story()
    first = story.offer(start=START + HOUR)
    second = story.offer(start=START + 2 * HOUR)
    too_late = story.change(first)
    other = story.driver(Change, quote=story.requote(cap=1).raw, offer=second.id)
    nothing = story.driver(Change, quote=story.requote().raw, offer=b"?" * 32)
    story.of_host("acknowledge")
    assert story.state().change is None
    for record in (too_late, other, nothing):
        assert story.state().ignored_reason(record.id)
    taken = story.change(second)
    story.of_host("acknowledge")
    assert story.state().change == taken


@pytest.mark.parametrize(
    "changes",
    [
        {"author": b"X" * 32},
        {"charger": b"x" * 16},
        {"one_time_key": b"x" * 32},
        {"plan": quote_body().plan.__class__(currency="SEK", periods=quote_body().plan.periods)},
    ],
    ids=["host", "charger", "key", "currency"],
)
def test_a_quote_of_something_else_takes_no_effect(changes: dict[str, Any]) -> None:
    story = Story().until("reserved")
    change = story.change(**changes)
    offer = story.offer(**changes)
    state = story.state()
    assert state.ignored_reason(change.id) and state.ignored_reason(offer.id)
    assert state.change is None and state.offer is None


def test_a_refused_change_leaves_all_as_it_was() -> None:
    story = Story().until("arrived")
    change = story.change()
    story.host(Refuse, change=change.id, reason=DeclineReason.NOT_OFFERABLE)
    state = story.state()
    assert state.quote == story.quote.body and state.change is None and state.refusal is not None
    again = story.amend(change)
    assert story.ignores(again)
    asked = story.change()
    story.of_host("acknowledge")
    assert story.state().change == asked and story.state().refusal is None


def test_a_later_change_takes_the_place_of_an_earlier() -> None:
    story = Story().until("arrived")
    first, second = story.change(), story.change(end=START + 5 * HOUR)
    assert story.ignores(story.amend(first))
    story.amend(second)
    assert story.state().quote.end == START + 5 * HOUR


def test_the_deadlines_are_those_of_the_new_time() -> None:
    story = early()
    story.moved(start=START + DAY, end=START + DAY + HOUR)
    state = story.state(OVER + 1)
    assert state.reservation is Reservation.RESERVED
    assert state.no_show_from == START + DAY + 17 * MINUTE
    assert state.next_deadline == START + DAY + HOUR + 2 * MINUTE


def test_a_start_in_the_past_gives_the_grace_from_the_amendment() -> None:
    story = Story().until("arrived")
    story.now = START + 5 * MINUTE
    amend = story.moved(start=START - HOUR, end=START + 3 * HOUR)
    assert story.state().no_show_from == amend.body.issued + 17 * MINUTE
    longer = story.moved()
    assert story.state().quote.end == START + 4 * HOUR
    assert story.state().no_show_from == amend.body.issued + 17 * MINUTE < longer.body.issued + 17 * MINUTE


def test_the_address_is_due_anew_unless_it_was_sent() -> None:
    story = Story(requested=START - DAY).until("reserved")
    change = story.change(start=START + DAY, end=START + DAY + HOUR)
    story.host(Amend, change=change.id, access_due=START + 22 * HOUR)
    assert not story.state(START + 10 * HOUR).access_overdue
    assert story.state(START + 22 * HOUR + 2 * MINUTE).access_overdue


# --- check-in and charging -------------------------------------------------------------------------


def test_who_has_checked_in_pays_for_more_without_signing_again() -> None:
    story = Story().until("checked-in")
    since = story.state().authorised.since  # type: ignore[union-attr]
    story.moved(energy_wh=30_000, cap=2 * CAP)
    assert story.state().authorised == Authorised(30_000, 2 * CAP, since)
    story.moved(energy_wh=1_000, cap=EURO)
    assert story.state().authorised == Authorised(30_000, 2 * CAP, since)


def test_who_has_moved_away_has_not_checked_in_there() -> None:
    story = Story().until("checked-in")
    story.moved(start=START + DAY, end=START + DAY + HOUR)
    state = story.state()
    assert state.authorised is None and state.no_show_from == START + DAY + 17 * MINUTE


def test_a_running_session_can_only_be_made_longer() -> None:
    for wrong in ({"start": START + HOUR}, {"end": START + 2 * HOUR}):
        story = Story().until("charging")
        assert story.ignores(story.moved(**wrong))
    story = Story().until("charging")
    story.moved(energy_wh=30_000)
    state = story.state()
    assert (state.reservation, state.session) == (Reservation.FULFILLED, Session.ACTIVE)
    assert state.quote.end == START + 4 * HOUR and state.fee_floor == 0
    story.ticket(9_000, at=START + 4 * HOUR, end=True)
    assert story.state().session is Session.COMPLETED
    over = story.change()
    story.of_host("acknowledge")
    assert story.ignores(over)


def test_what_fitted_when_it_was_asked_for_may_not_fit_any_more() -> None:
    story = Story().until("checked-in")
    change = story.change(start=START + HOUR)
    story.ticket(0)
    assert story.state().change == change
    assert story.ignores(story.amend(change))


# --- what leaving costs -----------------------------------------------------------------------------


def test_moving_never_makes_leaving_cheaper() -> None:
    story = early()
    story.now = START - 30 * MINUTE  # half of the cap by now
    story.moved(start=START + DAY, end=START + DAY + HOUR, cap=CAP // 4)
    assert story.state().fee_floor == CAP // 2
    assert cost_of_cancelling(story.state(), story.now + HOUR) == CAP // 2
    story.of_driver("cancel")
    story.of_host("acknowledge")
    assert story.state().cost == CAP // 2


def test_the_floor_stays_and_rises_over_several_moves() -> None:
    story = early()
    story.now = START - 30 * MINUTE
    story.moved(start=START + DAY, end=START + DAY + HOUR)
    story.moved(start=START + 2 * DAY, end=START + 2 * DAY + HOUR, cap=4 * CAP)
    assert story.state().fee_floor == CAP // 2
    story.now = START + 2 * DAY - 30 * MINUTE
    story.moved(start=START + 3 * DAY, end=START + 3 * DAY + HOUR)
    assert story.state().fee_floor == 2 * CAP
    story.now = START + 3 * DAY + 20 * MINUTE
    story.of_host("no-show")
    assert story.state().cost == 4 * CAP


def test_what_the_host_offered_sets_no_floor() -> None:
    story = early()
    story.now = START - 30 * MINUTE
    offer = story.offer(start=START + DAY, end=START + DAY + HOUR)
    story.amend(story.change(offer))
    assert story.state().fee_floor == 0
    story.of_driver("cancel")
    story.of_host("acknowledge")
    assert story.state().cost == 0


def test_a_driver_who_may_leave_for_nothing_may_move_for_nothing() -> None:
    story = Story(requested=START - DAY).until("arrived")
    story.now = START
    story.of_driver("problem")
    story.moved(start=START + DAY, end=START + DAY + HOUR)
    assert story.state().fee_floor == 0


def test_a_driver_who_left_first_owes_by_the_terms_of_then() -> None:
    story = Story(requested=START - 3 * HOUR).until("reserved")
    change = story.change(start=START - 2 * HOUR)
    story.of_host("acknowledge")
    cancel = story.driver(Cancel, add=False, reason=CancelReason.DRIVER_CANCELED)
    story.amend(change)
    story.booking.add(cancel)
    story.of_host("acknowledge")
    state = story.state()
    assert state.reservation is Reservation.CANCELED and state.cost == 0
    late = Story(requested=START - 3 * HOUR).until("reserved")
    late.moved(start=START - 2 * HOUR)
    late.of_driver("cancel")
    late.of_host("acknowledge")
    assert late.state().cost == CAP // 2


# --- faults -----------------------------------------------------------------------------------------


def test_a_fault_frees_the_driver_and_costs_the_host() -> None:
    story = Story().until("checked-in")
    story.of_host("fault")
    assert cost_of_cancelling(story.state(), story.now) == 0
    story.of_driver("cancel")
    state = story.state()
    assert (state.cost, state.compensation) == (0, CAP // 4)


def test_a_fault_and_no_charge_costs_the_host_also_if_nobody_says_more() -> None:
    story = Story().until("checked-in")
    story.of_host("fault")
    state = story.state(OVER)
    assert (state.reservation, state.compensation) == (Reservation.FAILED, CAP // 4)


def test_a_fault_that_was_mended_costs_nothing() -> None:
    story = Story().until("checked-in")
    story.of_host("fault")
    story.ticket(0)
    assert story.state().reservation is Reservation.FULFILLED and story.state(OVER).compensation == 0


def test_nobody_is_absent_where_the_equipment_fails() -> None:
    story = Story().until("arrived")
    story.of_host("fault")
    assert story.state().no_show_from is None
    story.now = START + HOUR
    assert story.ignores(story.of_host("no-show"))


def test_a_host_cannot_undo_its_fault() -> None:
    story = Story().until("arrived")
    story.of_host("fault")
    story.host(type(story.of_host("host-cancel", add=False).body), reason=CancelReason.SAFETY)
    assert story.state().compensation == CAP // 4


# --- records ----------------------------------------------------------------------------------------


def test_the_record_inside_is_checked_with_the_one_that_carries_it() -> None:
    story = Story().until("reserved")
    raw = bytearray(story.requote().raw)
    raw[-1] ^= 1
    forged = sign(Change(**story.booking.driver_fields(story.now), quote=bytes(raw)), DRIVER_SEED, NETWORK)
    with pytest.raises(Refused, match="bad-signature"):
        open_record(forged.raw, NETWORK)
    other = sign(
        Change(**story.booking.driver_fields(story.now), quote=story.request.raw), DRIVER_SEED, NETWORK
    )
    with pytest.raises(Refused, match="wrong-kind"):
        open_record(other.raw, NETWORK)
    with pytest.raises(Refused, match="wrong-kind"):
        story.booking.add(other)
    good = story.change()
    assert (
        carried(open_record(good.raw, NETWORK))
        == story.requote(issued=story.now - SECOND, expires=story.now - SECOND + 15 * MINUTE).body
    )
    assert carried(story.request) is None


def test_neither_side_fills_the_other_ones_memory_with_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_module, "MAX_CHANGES_A_SIDE", 2)
    story = Story().until("reserved")
    for _ in range(2):
        story.change()
        story.offer()
    assert not story.booking.has_room_for_change(True) and not story.booking.has_room_for_change(False)
    with pytest.raises(Refused, match="booking-full"):
        story.change()
    with pytest.raises(Refused, match="booking-full"):
        story.offer()
    story.of_host("acknowledge")


def test_an_amendment_can_promise_a_plug_twice() -> None:
    first = Story().until("reserved")
    second = Story(START - 2 * MINUTE, start=START + 3 * HOUR, end=START + 5 * HOUR).until("reserved")
    assert overlap(first.booking, second.booking) is Overlap.APART
    first.now = START - MINUTE
    first.moved()
    assert overlap(first.booking, second.booking) is Overlap.DOUBLE_BOOKED
    assert overlap(second.booking, first.booking) is Overlap.DOUBLE_BOOKED


# --- whatever the order -----------------------------------------------------------------------------

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("change", "take", "offer", "amend", "refuse", "accept", "accept-change"),
                *("cancel", "fault", "authorisation", "ticket", "acknowledge", "access"),
                *("no-show", "host-cancel"),
            ]
        ),
        st.sampled_from([SECOND, MINUTE, 5 * MINUTE, HOUR]),
        st.sampled_from([0, HOUR, DAY]),
        st.booleans(),
    ),
    min_size=2,
    max_size=14,
)


@given(_STEPS, st.randoms(use_true_random=False))
def test_both_sides_and_anybody_else_compute_one_state(
    steps: list[tuple[str, int, int, bool]], chance: random.Random
) -> None:
    """Whatever is asked, refused and cancelled, in whatever order it arrives."""
    story = Story(requested=START - 2 * HOUR, waits=HOUR)
    for kind, wait, later, seen in steps:
        story.now += wait
        _tell(story, kind, later, seen)
    records = list(story.booking)[2:]
    instants = (story.now, START, OVER, START + DAY, START + 3 * DAY)
    expected = [story.booking.state(one) for one in instants]
    for _ in range(3):
        chance.shuffle(records)
        other = BookingSet(story.quote, story.request, [open_record(one.raw, NETWORK) for one in records])
        assert [other.state(one) for one in instants] == expected
    for state in expected:
        most = max(one.quote.cap for one in state.in_force)
        assert 0 <= state.fee_floor <= most and 0 <= state.cost <= most
        assert state.quote == state.in_force[-1].quote
        floors = [one.fee_floor for one in state.in_force]
        sent, due = state.access_sent_at, state.access_due or 0
        failed = sent is None or sent >= due + 2 * MINUTE or any(kind == "fault" for kind, *_ in steps)
        assert failed or floors == sorted(floors), "a floor only rises, unless the host fails the driver"


def _tell(story: Story, kind: str, later: int, seen: bool) -> None:
    """One step; with `seen` false the driver had not seen what the host wrote last."""
    state = story.state()
    terms = {"start": state.quote.start + later, "end": state.quote.end + max(later, HOUR)}
    unseen = {} if seen else {"seen": story.request.id}
    match kind:
        case "change":
            story.driver(Change, changes=unseen, quote=story.requote(**terms).raw)
        case "take" if state.offer is not None:
            story.driver(Change, changes=unseen, quote=state.offer.body.quote, offer=state.offer.id)
        case "offer":
            story.host(Offer, quote=story.requote(**terms).raw, text="")
        case "accept-change":
            open_ = state.change.id if state.change else b"?" * 32
            story.host(Accept, access_due=story.now, change=open_)
        case "take":
            return
        case "change" | "cancel" | "authorisation":
            story.of_driver(kind, changes=unseen)
        case _:
            story.of_host(kind, changes={} if seen else {"includes": ()})
