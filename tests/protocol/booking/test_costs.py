"""What cancelling costs, and whose time counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking.cost import cost_of_cancelling, effective_time
from chargemesh_protocol.booking.records import Accept, Cancel, CancelReason, HostCancel, Problem, ProblemKind
from chargemesh_protocol.booking.state import BookingState, Party
from chargemesh_protocol.booking.table import Reservation

from .story import CAP, HOUR, MINUTE, NO_SHOW_FROM, SECOND, START, Story

HALF = CAP // 2
COMPENSATION = CAP // 4
FREE_UNTIL = START - HOUR


def reserved(access_due: int = START - 2 * HOUR, sent: bool = True) -> Story:
    """Accepted a day before the start, the address due two hours before it."""
    story = Story(requested=START - 24 * HOUR)
    story.host(Accept, access_due=access_due)
    if sent:
        story.of_host("access")
    return story


def cancelled(story: Story, claimed: int, acknowledged: int | None, **more: Any) -> BookingState:
    reason = more.pop("reason", CancelReason.DRIVER_CANCELED)
    story.driver(Cancel, changes={"issued": claimed} | more, reason=reason)
    if acknowledged is not None:
        story.of_host("acknowledge", changes={"issued": acknowledged})
    state = story.state(START)
    assert state.reservation is Reservation.CANCELED and state.cancelled_by is Party.DRIVER
    return state


@pytest.mark.parametrize(
    ("claimed", "acknowledged", "cost"),
    [
        (FREE_UNTIL - SECOND, FREE_UNTIL + 119 * SECOND, 0),  # within the tolerance: the claimed time
        (FREE_UNTIL - SECOND, FREE_UNTIL + 120 * SECOND, HALF),  # later: the acknowledgement's
        (FREE_UNTIL + SECOND, FREE_UNTIL - 119 * SECOND, HALF),  # the driver's clock is ahead
        (FREE_UNTIL + SECOND, FREE_UNTIL - 120 * SECOND, 0),
        (START - 20 * HOUR, START - 30 * MINUTE, HALF),
        (START - 20 * HOUR, None, CAP),  # with none: the booking's start, where a no-show costs all
        (START - 20 * HOUR, START + 5 * MINUTE, CAP),
        (START + 5 * MINUTE, START + 5 * MINUTE, CAP),
    ],
)
def test_whose_time_counts(claimed: int, acknowledged: int | None, cost: int) -> None:
    state = cancelled(reserved(), claimed, acknowledged)
    assert state.cost == cost
    assert state.cancellation is not None and state.cancellation.final == (acknowledged is not None)


@given(st.integers(0, 10**13), st.none() | st.integers(0, 10**13), st.integers(0, 10**13))
def test_the_time_that_counts_is_one_of_the_three(claimed: int, acknowledged: int | None, start: int) -> None:
    at = effective_time(claimed, acknowledged, start)
    assert at in (claimed, acknowledged, start)
    if acknowledged is None:
        assert at >= start


def test_a_claimed_time_before_what_the_driver_had_seen_is_not_believed() -> None:
    story = Story(requested=START - 24 * HOUR)
    story.of_host("accept")
    story.now = FREE_UNTIL
    story.of_host("access")  # a second into the tier
    state = cancelled(story, FREE_UNTIL - SECOND, FREE_UNTIL + 30 * SECOND)
    assert state.cost == HALF


def test_taking_a_request_back_before_the_acceptance_is_free() -> None:
    story = Story(requested=START - 10 * MINUTE)
    claimed = story.now + SECOND
    story.now += 10 * SECOND
    story.of_host("accept")
    state = cancelled(story, claimed, story.now + MINUTE, seen=story.request.id)
    assert state.cost == 0
    later = Story(requested=START - 10 * MINUTE)
    later.of_host("accept")
    assert cancelled(later, later.now + SECOND, later.now + MINUTE, seen=later.request.id).cost == HALF


def test_a_request_that_nobody_accepted_is_taken_back_for_nothing() -> None:
    story = Story()
    assert cancelled(story, story.now, None).cost == 0


def test_safety_is_always_free() -> None:
    story = reserved()
    state = cancelled(story, START - SECOND, START, reason=CancelReason.SAFETY)
    assert (state.cost, state.compensation) == (0, 0)


@pytest.mark.parametrize(
    ("problem", "reported", "cost"),
    [
        (ProblemKind.WONT_START, START + MINUTE, 0),
        (ProblemKind.BLOCKED, START - 16 * MINUTE, 0),
        (ProblemKind.BLOCKED, START - 18 * MINUTE, CAP),  # before the driver's own time
        (ProblemKind.OTHER, START + MINUTE, CAP),
    ],
)
def test_a_problem_at_the_plug_frees_the_driver(problem: ProblemKind, reported: int, cost: int) -> None:
    story = reserved()
    story.driver(Problem, changes={"issued": reported}, problem=problem, text="")
    story.of_host("acknowledge", changes={"issued": reported})
    assert cancelled(story, START + 2 * MINUTE, START + 2 * MINUTE).cost == cost


def test_problem_and_cancellation_in_one_message_are_taken_in_their_order() -> None:
    story = reserved()
    story.now = START + MINUTE
    story.of_driver("problem")
    story.of_driver("cancel")
    story.of_host("acknowledge")
    assert story.state().cost == 0


def test_an_address_that_does_not_come_frees_the_driver_and_costs_the_host() -> None:
    due = START - 30 * MINUTE
    late = cancelled(reserved(due, sent=False), due + 2 * MINUTE, due + 2 * MINUTE)
    assert (late.cost, late.compensation) == (0, COMPENSATION)
    soon = cancelled(reserved(due, sent=False), due + MINUTE, due + MINUTE)
    assert (soon.cost, soon.compensation) == (HALF, 0)
    unheard = cancelled(reserved(due, sent=False), due - HOUR, None)
    assert unheard.cost == CAP


@pytest.mark.parametrize(("sent", "owed"), [(-1, 0), (0, 0), (1, COMPENSATION)])
def test_an_address_that_comes_after_the_cancellation_is_no_excuse(sent: int, owed: int) -> None:
    """No delay on the way decides: what the host had sent by the cancellation's time does."""
    due = START - 30 * MINUTE
    left = due + 3 * MINUTE
    story = reserved(due, sent=False)
    cancel = story.driver(Cancel, False, {"issued": left}, reason=CancelReason.DRIVER_CANCELED)
    story.of_host("access", changes={"issued": left + sent})
    story.booking.add(cancel)
    story.of_host("acknowledge", changes={"issued": left + MINUTE})
    state = story.state(START)
    assert state.access_sent and state.cancelled_by is Party.DRIVER
    assert (state.cost, state.compensation) == (HALF if owed == 0 else 0, owed)


def test_nobody_came_because_nobody_was_told() -> None:
    story = reserved(START - 30 * MINUTE, sent=False)
    assert story.state(START - 28 * MINUTE).access_overdue
    assert not story.state(START - 28 * MINUTE - 1).access_overdue
    state = story.state(START + 10 * HOUR)
    assert (state.reservation, state.cost) == (Reservation.FAILED, 0)
    assert state.compensation == COMPENSATION


@pytest.mark.parametrize(
    ("reason", "accepted", "owed"),
    [
        (CancelReason.HOST_CANCELED, True, COMPENSATION),
        (CancelReason.POWER_OUTAGE, True, COMPENSATION),
        (CancelReason.SAFETY, True, 0),
        (CancelReason.HOST_CANCELED, False, 0),
    ],
)
def test_what_a_host_owes_for_cancelling(reason: CancelReason, accepted: bool, owed: int) -> None:
    story = reserved() if accepted else Story()
    story.host(HostCancel, reason=reason)
    state = story.state()
    assert (state.cancelled_by, state.cost, state.compensation) == (Party.HOST, 0, owed)


def test_a_no_show_costs_what_the_terms_say() -> None:
    story = Story().until("arrived")
    story.now = NO_SHOW_FROM - SECOND
    story.of_host("no-show")
    state = story.state()
    assert (state.reservation, state.cost, state.no_show_at) == (Reservation.NO_SHOW, CAP, NO_SHOW_FROM)


@pytest.mark.parametrize("acknowledged", [True, False])
def test_an_invented_cancellation_is_no_cheaper_than_the_no_show(acknowledged: bool) -> None:
    story = Story(requested=START - 24 * HOUR).until("arrived")
    before = story.booking.chain[-1].id
    story.now = NO_SHOW_FROM
    story.of_host("no-show")
    story.of_driver("cancel", changes={"issued": START - 20 * HOUR, "seen": before})
    if acknowledged:
        story.of_host("acknowledge")
    state = story.state()
    assert state.reservation is Reservation.CANCELED
    assert state.cost == CAP


def test_a_cancellation_by_who_had_seen_the_no_show_is_too_late() -> None:
    story = Story().until("arrived")
    story.now = NO_SHOW_FROM
    story.of_host("no-show")
    story.of_driver("cancel", changes={"issued": START})
    assert story.state().reservation is Reservation.NO_SHOW


@given(st.integers(-20 * HOUR, 3 * HOUR))
def test_the_price_shown_is_the_price_charged(offset: int) -> None:
    story = reserved()
    at = START + offset
    shown = cost_of_cancelling(story.state(at), at)
    assert cancelled(story, at, at).cost == shown


def test_cancelling_costs_nothing_where_nothing_is_reserved() -> None:
    assert cost_of_cancelling(Story().state(), START) == 0
    assert cost_of_cancelling(Story().until("charging").state(), START) == 0
