"""Stories of single bookings: what each record makes of the state, and what time makes of it."""

from __future__ import annotations

import pytest

from chargemesh_protocol.booking.cost import signed_for
from chargemesh_protocol.booking.records import Authorisation, Countersign, Stop
from chargemesh_protocol.booking.state import Authorised
from chargemesh_protocol.booking.table import Reservation, Session, Settlement

from .story import CAP, EURO, HOUR, MINUTE, NO_SHOW_FROM, SECOND, START, Story

OVER = START + 3 * HOUR + 2 * MINUTE


def test_the_whole_way() -> None:
    story = Story()
    assert story.state().reservation is Reservation.PENDING
    story.of_host("accept")
    assert story.state().reservation is Reservation.RESERVED
    story.of_host("access")
    assert story.state().access_sent
    story.now = START
    authorisation = story.of_driver("authorisation")
    assert not story.state().checked_in and story.state().not_included == (authorisation.id,)
    story.of_host("acknowledge")
    assert story.state().authorised == Authorised(20_000, CAP, START + SECOND)
    assert story.state().session is Session.PENDING
    story.ticket(0)
    assert (story.state().reservation, story.state().session) == (Reservation.FULFILLED, Session.ACTIVE)
    story.ticket(3000)
    seen = story.of_driver("countersign")
    story.ticket(4000, end=True)
    state = story.state()
    assert state.session is Session.COMPLETED and state.energy_wh == 4000
    assert state.countersigned_up_to is not None and state.countersigned_up_to.id == seen.body.ticket
    receipt = story.receipt(2 * EURO)
    story.of_driver("agreement")
    story.of_driver("claim")
    story.of_host("acknowledge")
    state = story.state()
    assert state.settlement is Settlement.CLAIMED and state.receipt == receipt and state.agreed is not None
    assert not state.finished
    story.of_host("paid")
    state = story.state()
    assert state.settlement is Settlement.PAID and state.paid is not None
    assert state.finished and state.ignored == () and state.faults == () and state.missing == ()


def test_an_unanswered_request_fails_two_minutes_after_it_expires() -> None:
    story = Story()
    due = story.request.body.expires + 2 * MINUTE
    assert story.state().next_deadline == due
    assert story.state(due - 1).reservation is Reservation.PENDING
    assert story.state(due).reservation is Reservation.FAILED
    assert story.state(due).next_deadline is None and story.state(due).finished


def test_a_request_that_waits_longer_than_the_slot_fails_with_it() -> None:
    story = Story(waits=1000 * HOUR)
    assert story.state(OVER - 1).reservation is Reservation.PENDING
    assert story.state(OVER).reservation is Reservation.FAILED


def test_a_slot_that_nobody_used_fails() -> None:
    story = Story().until("arrived")
    assert story.state().next_deadline == OVER
    assert story.state(OVER - 1).reservation is Reservation.RESERVED
    state = story.state(OVER)
    assert (state.reservation, state.session, state.cost) == (Reservation.FAILED, Session.INVALID, 0)


@pytest.mark.parametrize(
    ("issued", "counts"),
    [(NO_SHOW_FROM - 1, False), (NO_SHOW_FROM, True), (OVER - 1, True), (OVER, False)],
)
def test_when_a_no_show_counts(issued: int, counts: bool) -> None:
    story = Story().until("arrived")
    assert story.state().no_show_from == NO_SHOW_FROM
    story.of_host("no-show", changes={"issued": issued})
    assert (story.state().reservation is Reservation.NO_SHOW) == counts


def test_no_no_show_of_a_driver_who_was_there_or_was_not_told() -> None:
    for stage in ("reserved", "checked-in", "charging"):
        story = Story().until(stage)
        assert story.state().no_show_from is None
        record = story.of_host("no-show", changes={"issued": NO_SHOW_FROM})
        assert story.state().ignored_reason(record.id)
    story = Story().until("arrived")
    story.of_driver("problem")
    story.of_host("no-show", changes={"issued": NO_SHOW_FROM})
    assert story.state().reservation is Reservation.RESERVED


def test_a_short_slot_leaves_time_to_say_that_nobody_came() -> None:
    story = Story(end=START + 15 * MINUTE).until("arrived")
    assert story.state().next_deadline == NO_SHOW_FROM + 2 * MINUTE
    story.of_host("no-show", changes={"issued": NO_SHOW_FROM + MINUTE})
    assert story.state().reservation is Reservation.NO_SHOW


@pytest.mark.parametrize(
    ("issued", "counts"),
    [
        (START - 17 * MINUTE - 1, False),
        (START - 17 * MINUTE, True),
        (OVER - 1, True),
        (OVER, False),
    ],
)
def test_when_a_check_in_counts(issued: int, counts: bool) -> None:
    story = Story(requested=START - HOUR).until("arrived")
    story.driver(Authorisation, changes={"issued": issued}, energy_wh=1, cost=1)
    story.of_host("acknowledge")
    assert story.state().checked_in == counts


def test_authorisations_add_up_to_the_larger_bounds() -> None:
    story = Story().until("charging")
    story.driver(Authorisation, energy_wh=5000, cost=2 * CAP)
    story.of_host("acknowledge")
    authorised = story.state().authorised
    assert authorised is not None
    assert (authorised.energy_wh, authorised.cost) == (20_000, 2 * CAP)


def test_tickets_without_a_check_in_are_a_claim_that_comes_to_nothing() -> None:
    story = Story().until("arrived")
    story.ticket(0)
    story.ticket(3000, end=True)
    state = story.state()
    assert (state.reservation, state.session) == (Reservation.RESERVED, Session.COMPLETED)
    assert signed_for(state).energy_wh == 0
    failed = story.state(OVER)
    assert (failed.reservation, failed.session) == (Reservation.FAILED, Session.INVALID)
    story.of_driver("countersign")
    story.of_host("acknowledge")
    assert story.state(OVER).reservation is Reservation.FULFILLED
    assert signed_for(story.state()).energy_wh == 3000


def test_an_agreement_makes_a_session_without_check_in_the_drivers() -> None:
    story = Story().until("arrived")
    story.ticket(3000, end=True)
    story.receipt(2 * EURO)
    story.of_driver("agreement")
    story.of_host("acknowledge")
    assert story.state().reservation is Reservation.FULFILLED


@pytest.mark.parametrize(
    ("energy_wh", "cost", "covered"),
    [(20_000, CAP, 6000), (5000, CAP, 5000), (20_000, 2 * EURO, 4000), (0, 0, 0)],
)
def test_what_an_authorisation_covers(energy_wh: int, cost: int, covered: int) -> None:
    story = Story().until("arrived")
    story.driver(Authorisation, energy_wh=energy_wh, cost=cost)
    for energy in (0, 4000, 6000):
        story.ticket(energy)  # half a euro a kWh
    assert signed_for(story.state()).energy_wh == covered


def test_a_countersigned_ticket_covers_beyond_the_authorisation() -> None:
    story = Story().until("arrived")
    story.driver(Authorisation, energy_wh=1000, cost=CAP)
    tickets = [story.ticket(energy) for energy in (0, 4000, 6000)]
    story.driver(Countersign, ticket=tickets[1].id)
    story.of_host("acknowledge")
    assert signed_for(story.state()).energy_wh == 4000


@pytest.mark.parametrize(("included_after", "covered"), [(MINUTE, 6000), (10 * MINUTE, 8000), (None, 9000)])
def test_a_stop_bounds_the_authorisation(included_after: int | None, covered: int) -> None:
    """Tickets at 1, 5 and 20 minutes after the stop; acknowledged in time, late, or never."""
    story = Story().until("charging")
    stop = story.driver(Stop)
    wished = stop.body.issued
    story.ticket(6000, at=wished + MINUTE, changes={"includes": (), "issued": wished + 30 * SECOND})
    if included_after is not None:
        story.of_host("acknowledge", changes={"issued": wished + included_after})
    story.ticket(8000, at=wished + 5 * MINUTE, changes={"includes": ()})
    story.ticket(9000, at=wished + 20 * MINUTE, changes={"includes": ()})
    state = story.state()
    assert state.stopped_at == wished
    assert signed_for(state).energy_wh == covered


def test_a_new_check_in_goes_on_after_a_stop() -> None:
    story = Story().until("charging")
    story.of_driver("stop")
    assert story.state().stopped_at is not None
    story.of_host("acknowledge")
    story.of_driver("authorisation")
    story.of_host("acknowledge")
    assert story.state().stopped_at is None


def test_a_cancellation_while_charging_is_a_stop() -> None:
    story = Story().until("charging")
    cancel = story.of_driver("cancel")
    state = story.state()
    assert state.reservation is Reservation.FULFILLED and state.stopped_at == cancel.body.issued
    assert state.cancellation is None and state.cost == 0


def test_a_meter_does_not_go_back() -> None:
    story = Story().until("charging")
    back = story.ticket(3999)
    earlier = story.ticket(5000, at=START - HOUR)
    absurd = story.ticket(10**9)
    state = story.state()
    assert len(state.tickets) == 2
    for record in (back, earlier, absurd):
        assert state.ignored_reason(record.id)


def test_final_values_may_come_twice_but_not_after_the_bill() -> None:
    story = Story().until("charging")
    story.ticket(5000, end=True)
    assert story.ignores(story.ticket(5100))
    story.ticket(5200, end=True)
    assert story.state().energy_wh == 5200
    story.receipt(EURO)
    assert story.ignores(story.ticket(5300, end=True))


def test_a_receipt_in_another_currency_is_none() -> None:
    story = Story().until("charging")
    record = story.receipt(EURO, currency="USD")
    assert story.state().ignored_reason(record.id) and story.state().receipt is None


def test_nothing_is_billed_where_nothing_happened() -> None:
    for stage in ("requested", "reserved", "checked-in"):
        story = Story().until(stage)
        assert story.ignores(story.receipt(EURO))


def test_a_fee_is_billed_and_paid() -> None:
    story = Story().until("arrived")
    story.now = NO_SHOW_FROM
    story.of_host("no-show")
    assert not story.state().finished
    story.receipt(CAP)
    story.of_driver("agreement")
    story.of_host("paid")
    state = story.state()
    assert (state.reservation, state.session) == (Reservation.NO_SHOW, Session.INVALID)
    assert state.settlement is Settlement.PAID and state.finished


def test_a_free_cancellation_leaves_nothing_open() -> None:
    story = Story()
    story.of_driver("cancel")
    assert story.state().finished


def test_a_receipt_over_nothing_is_paid_by_agreeing() -> None:
    story = Story().until("charging")
    story.receipt(0)
    story.of_driver("agreement")
    story.of_host("acknowledge")
    assert story.state().settlement is Settlement.PAID


def test_a_dispute_ends_with_a_corrected_receipt() -> None:
    story = Story().until("billed")
    story.of_driver("agreement")
    story.of_driver("problem")
    story.of_host("acknowledge")
    assert story.state().settlement is Settlement.DISPUTED
    corrected = story.receipt(EURO)
    state = story.state()
    assert (state.settlement, state.agreed, state.receipt) == (Settlement.OPEN, None, corrected)
    story.of_driver("agreement")
    story.of_host("paid")
    assert story.state().settlement is Settlement.PAID


def test_an_agreed_receipt_can_not_be_replaced() -> None:
    story = Story().until("billed")
    first = story.state().receipt
    story.of_driver("agreement")
    second = story.receipt(9 * EURO)  # includes the agreement
    state = story.state()
    assert state.receipt == first and state.ignored_reason(second.id)


def test_a_drivers_word_counts_only_when_included() -> None:
    story = Story().until("billed")
    for kind in ("agreement", "claim", "problem"):
        story.of_driver(kind)
    state = story.state()
    assert state.agreed is None and state.claimed is None and state.problems == ()
    assert len(state.not_included) == 3 and state.ignored == ()
