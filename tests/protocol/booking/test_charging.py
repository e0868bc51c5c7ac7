"""From check-in to the receipt at the host: what the box is asked, what tickets say, what goes wrong."""

from __future__ import annotations

import pytest

from chargemesh_protocol.booking.charging import LOST_AFTER_MS, MAX_TICKETS, RETRY_MS, tag_of
from chargemesh_protocol.booking.cost import OVERSHOOT_WH
from chargemesh_protocol.booking.ledger import _KEPT_FOR_THE_END
from chargemesh_protocol.booking.records import Authorisation, CancelReason, ReadingContext, Stop
from chargemesh_protocol.booking.table import Reservation, Session
from chargemesh_protocol.booking.wire import MAX_RECORDS_A_MESSAGE
from chargemesh_protocol.charging.reports import (
    Connected,
    Disconnected,
    Reading,
    SessionEnded,
    SessionStarted,
    StatusChanged,
    UnknownTag,
)
from chargemesh_protocol.effects import AuthoriseTag, PutOutbox, StartWallbox, StopWallbox
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import CancelBooking, StartCharging, StartFailed, StopCharging, TimerDue
from chargemesh_protocol.limits import CLOCK_TOLERANCE_MS, MAX_RECORDS_A_SIDE

from ..neighbours import CHARGER, DAY, EURO, HOUR, MINUTE, SECOND, Person, Street, charger, charges


def reserved(
    ahead: int = 0, minutes: int = 60, energy: int = 5000, **changes: object
) -> tuple[Person, Person, bytes]:
    street = Street()
    alice, bob = street.host(**changes), street.driver()
    alice.known.add(bob.author)
    return alice, bob, bob.books(alice, street.now + ahead, minutes, energy)


def begun(**changes: object) -> tuple[Person, Person, bytes]:
    """Checked in and charging, with register 100 kWh."""
    alice, bob, booking = reserved(**changes)  # type: ignore[arg-type]
    bob.tells(StartCharging(booking))
    alice.box(SessionStarted("s1", tag_of(booking), 100_000, alice.street.now))
    return alice, bob, booking


def reads(host: Person, register: int, session: str = "s1", after: int = MINUTE) -> None:
    host.street.wait(after)
    host.box(Reading(session, register, 9000, host.street.now, "Sample.Periodic"))


# --- starting -------------------------------------------------------------------------------------


def test_the_box_is_started_for_the_booked_driver_in_the_booked_time_only() -> None:
    alice, bob, booking = reserved(ahead=5 * MINUTE)
    bob.street.wait(3 * MINUTE)
    bob.tells(StartCharging(booking))  # two minutes early, as clocks may differ
    assert not alice.asked(StartWallbox) and not alice.asked(AuthoriseTag)
    bob.street.wait(2 * MINUTE)
    end = alice.booking(booking).quote.body.end
    assert alice.asked(StartWallbox) == [StartWallbox(CHARGER, booking, tag_of(booking), end)]
    assert alice.asked(AuthoriseTag) == [AuthoriseTag(CHARGER, tag_of(booking), end)]
    assert len(tag_of(booking)) <= 20


def test_a_start_that_brings_nothing_is_asked_for_again_and_ends_with_the_time() -> None:
    alice, bob, booking = reserved(minutes=15)
    bob.tells(StartCharging(booking))
    bob.street.wait(RETRY_MS - 1)
    assert len(alice.asked(StartWallbox)) == 1
    bob.street.wait(1)
    assert len(alice.asked(StartWallbox)) == 2
    bob.street.wait(HOUR)
    assert len(alice.asked(StartWallbox)) == 15 * MINUTE // RETRY_MS
    assert alice.state(booking).reservation is Reservation.FAILED


def test_a_box_that_would_not_start_is_told_once_and_tried_again() -> None:
    alice, bob, booking = reserved()
    bob.tells(StartCharging(booking))
    for _ in range(3):
        alice.handles(StartFailed(CHARGER, booking, "Rejected", "the cable is loose"))
        alice.street.wait(RETRY_MS)
    assert len(alice.asked(StartWallbox)) == 4
    notices = [one for one in alice.asked(PutOutbox) if b"charging.start_failed" in one.body]
    assert len(notices) == 1
    assert [one.text for one in bob.booking(booking).messages] == [
        "The wallbox did not start: the cable is loose"
    ]
    alice.box(SessionStarted("s1", tag_of(booking), 0, alice.street.now))
    assert bob.state(booking).session is Session.ACTIVE


def test_a_stop_before_the_session_asks_for_nothing_more_and_no_timer_spins() -> None:
    alice, bob, booking = reserved()
    alice.handles(TimerDue())
    bob.tells(StartCharging(booking))
    bob.tells(StopCharging(booking))
    bob.street.wait(30 * MINUTE)
    assert len(alice.asked(StartWallbox)) == 1
    bob.tells(StartCharging(booking))
    assert len(alice.asked(StartWallbox)) == 2


def test_a_check_in_that_is_stopped_before_the_host_has_heard_of_it_starts_nothing() -> None:
    """The host is away: both wait, and count in their order also where a clock gave them one instant."""
    alice, bob, booking = reserved()
    for _ in range(2):  # as well where the host had an older check-in before
        bob.handles(StartCharging(booking))
        bob.handles(StopCharging(booking))
        assert len(bob.state(booking).not_included) == 2
        bob.street.now += SECOND
        bob.street.settle()  # the host is back
        assert bob.state(booking).checked_in and bob.state(booking).stopped_at is not None
    bob.street.wait(30 * MINUTE)
    assert not alice.asked(StartWallbox)
    bob.tells(StartCharging(booking))
    assert len(alice.asked(StartWallbox)) == 1


def test_a_stop_that_waits_is_written_once() -> None:
    _, bob, booking = reserved()
    bob.handles(StartCharging(booking))
    bob.handles(StopCharging(booking))
    bob.street.now += SECOND
    bob.handles(StopCharging(booking))
    assert len(bob.booking(booking).own(Stop)) == 1


def test_a_box_that_comes_back_is_asked_at_once() -> None:
    alice, bob, booking = reserved()
    alice.box(Disconnected())
    bob.tells(StartCharging(booking))
    assert not alice.asked(StartWallbox)
    alice.street.wait(5 * SECOND)
    alice.box(Connected())
    assert len(alice.asked(StartWallbox)) == 1


def test_the_owners_car_charges_and_both_are_told_when_it_is_in_the_way() -> None:
    alice, bob, booking = reserved(ahead=HOUR)
    alice.box(SessionStarted("own", "OWNER", 0, alice.street.now, owner=True))
    alice.street.wait(HOUR)
    assert not alice.asked(StopWallbox)
    assert alice.told("charging.owner_car")
    assert "in use by its owner" in bob.booking(booking).messages[0].text
    bob.tells(StartCharging(booking))
    assert not alice.asked(StartWallbox)
    alice.box(SessionEnded("own", 9000, alice.street.now, "Local"), StatusChanged(1, "Available"))
    alice.street.wait(RETRY_MS)
    assert len(alice.asked(StartWallbox)) == 1
    assert len(bob.booking(booking).messages) == 1
    assert not alice.state(booking).tickets


def test_an_unknown_tag_is_told() -> None:
    alice, _, _ = reserved()
    alice.box(UnknownTag("AFFE", alice.street.now))
    assert alice.told("wallbox.unknown_tag")[0]["tag"] == "AFFE"


# --- tickets --------------------------------------------------------------------------------------


def test_tickets_countersignatures_and_the_receipt() -> None:
    alice, bob, booking = reserved(energy=3000)
    bob.tells(StartCharging(booking))
    charges(alice, tag_of(booking), watt=9000, minutes=10)
    state = bob.state(booking)
    tickets = [one.body for one in state.tickets]
    assert [one.energy_wh for one in tickets] == [*range(0, 1501, 150), 1500]
    assert [one.cost for one in tickets][-1] == 600_000
    assert tickets[0].context is ReadingContext.TRANSACTION_BEGIN
    assert tickets[-1].context is ReadingContext.TRANSACTION_END
    assert tickets[-1].register_wh == 101_500
    assert state.countersigned == len(tickets)
    assert state.receipt is not None and state.agreed is not None
    assert state.receipt.body.beyond_authorisation_wh is None
    assert state.session is Session.COMPLETED and state == alice.state(booking)


def test_readings_come_too_often_for_a_ticket_each() -> None:
    alice, bob, booking = begun()
    for number in range(1, 31):
        reads(alice, 100_000 + number * 20, after=10 * SECOND)
    assert len(bob.state(booking).tickets) == 1 + 5


def test_what_a_box_says_never_runs_back_nor_into_the_future() -> None:
    alice, bob, booking = begun()
    street = alice.street
    reads(alice, 101_000)
    reads(alice, 99_000)
    street.wait(MINUTE)
    alice.box(Reading("s1", 102_000, None, street.now + DAY, "Sample.Periodic"))
    street.wait(MINUTE)
    alice.box(SessionEnded("s1", 101_999, 5, "Remote"))
    tickets = [one.body for one in bob.state(booking).tickets]
    assert [one.energy_wh for one in tickets] == [0, 1000, 1000, 2000, 2000]
    assert [one.at for one in tickets] == sorted(one.at for one in tickets)
    assert tickets[-1].at <= street.now + CLOCK_TOLERANCE_MS
    assert bob.state(booking).agreed is not None


def test_a_box_that_lives_in_1970_or_counts_beyond_reason_still_gets_a_receipt() -> None:
    alice, bob, booking = reserved()
    bob.tells(StartCharging(booking))
    alice.box(SessionStarted("s1", tag_of(booking), 0, 0))
    alice.box(
        Reading("s1", 10**12, None, 60_000, "Sample.Periodic"), SessionEnded("s1", 10**12, 90_000, "Local")
    )
    state = alice.state(booking)
    assert state.receipt is not None and state.receipt.body.energy_wh == 10**8
    # That much nobody has agreed to.
    assert bob.state(booking).agreed is None
    assert bob.told("receipt.wrong")


def test_a_long_booking_has_its_tickets_farther_apart() -> None:
    alice, bob, booking = begun(
        minutes=14 * 24 * 60 - 60,
        rules=charger().rules.__class__(
            instant=True, min_minutes=15, max_minutes=20_160, lead_minutes=0, min_trust=0
        ),
        ticket_seconds=1,
    )
    for number in range(1, 120):
        reads(alice, 100_000 + number, after=MINUTE)
    length = (14 * 24 - 1) * HOUR
    assert len(alice.state(booking).tickets) <= 2 + 119 * MINUTE * MAX_TICKETS // length
    alice.box(SessionEnded("s1", 100_200, alice.street.now, "Local"))
    assert bob.state(booking).agreed is not None


def test_neither_side_can_be_made_to_fill_the_booking() -> None:
    alice, bob, booking = begun()
    street = alice.street
    room = MAX_RECORDS_A_SIDE - _KEPT_FOR_THE_END
    driver = bob.booking(booking)
    fields = driver.set.driver_fields(street.now)
    for number in range(room):
        _, effects = bob.engine.ledger.write(driver, Authorisation(**fields, energy_wh=number, cost=5 * EURO))
        bob.disk.commit(effects)
    bob.handles(TimerDue())
    for _ in range(room // MAX_RECORDS_A_MESSAGE + 1):
        street.deliver(bob, booking)
    reads(alice, 100_500)
    alice.box(SessionEnded("s1", 101_000, street.now, "Local"))
    state = alice.state(booking)
    assert state.receipt is not None and state.receipt.body.energy_wh == 1000
    assert len(alice.booking(booking).mine) < MAX_RECORDS_A_SIDE


# --- ending ---------------------------------------------------------------------------------------


def test_charging_stops_at_what_the_driver_authorised() -> None:
    alice, bob, booking = reserved()
    bob.tells(StartCharging(booking, energy_wh=1000))
    alice.box(SessionStarted("s1", tag_of(booking), 100_000, alice.street.now))
    reads(alice, 100_900)
    assert not alice.asked(StopWallbox)
    reads(alice, 101_050)
    assert alice.asked(StopWallbox) == [StopWallbox(CHARGER, "s1")]
    assert alice.asked(AuthoriseTag)[-1] == AuthoriseTag(CHARGER, tag_of(booking), None)
    alice.box(SessionEnded("s1", 101_060, alice.street.now, "Remote"))
    state = bob.state(booking)
    assert state.receipt is not None and state.receipt.body.energy_wh == 1060
    assert state.agreed is not None  # no box stops at once


def test_what_goes_far_beyond_the_authorisation_is_the_hosts_claim_only() -> None:
    alice, bob, booking = reserved()
    bob.tells(StartCharging(booking, energy_wh=1000))
    alice.box(SessionStarted("s1", tag_of(booking), 100_000, alice.street.now))
    reads(alice, 101_050)
    alice.box(SessionEnded("s1", 101_001 + OVERSHOOT_WH, alice.street.now, "Remote"))
    state = bob.state(booking)
    assert state.receipt is not None and state.receipt.body.beyond_authorisation_wh == OVERSHOOT_WH + 1 - 50
    assert state.agreed is None and "authorised or countersigned" in str(bob.told("receipt.wrong"))


@pytest.mark.parametrize("cost", [400_000, 0])
def test_charging_stops_at_the_cost_the_driver_authorised(cost: int) -> None:
    alice, bob, booking = reserved()
    bob.tells(StartCharging(booking, cost=cost))
    alice.box(SessionStarted("s1", tag_of(booking), 100_000, alice.street.now))
    reads(alice, 101_000)
    assert alice.asked(StopWallbox)


def test_charging_stops_with_the_booked_time_and_is_asked_again_while_it_does_not() -> None:
    alice, _, booking = begun(minutes=15)
    street = alice.street
    street.wait(15 * MINUTE - 1)
    assert not alice.asked(StopWallbox)
    street.wait(1)
    assert len(alice.asked(StopWallbox)) == 1
    street.wait(5 * MINUTE)
    assert len(alice.asked(StopWallbox)) == 1 + 5 * MINUTE // RETRY_MS
    alice.box(SessionEnded("s1", 100_100, street.now, "Remote"))
    assert alice.state(booking).receipt is not None


def test_a_box_that_vanishes_in_mid_session_and_comes_back_loses_nothing() -> None:
    alice, bob, booking = begun()
    reads(alice, 100_500)
    alice.box(Disconnected())
    assert alice.told("wallbox.lost")
    alice.street.wait(12 * MINUTE)
    alice.box(Connected())
    reads(alice, 102_500)
    alice.box(SessionEnded("s1", 102_600, alice.street.now, "Local"))
    state = bob.state(booking)
    assert state.receipt is not None and state.receipt.body.energy_wh == 2600
    assert state.agreed is not None


def test_a_box_that_never_comes_back_has_had_its_last_word() -> None:
    alice, bob, booking = begun(minutes=15)
    reads(alice, 100_500)
    alice.box(Disconnected())
    end = alice.booking(booking).quote.body.end
    alice.street.wait(end + LOST_AFTER_MS - alice.street.now - 1)
    assert alice.state(booking).receipt is None
    alice.street.wait(1)
    state = bob.state(booking)
    assert state.receipt is not None and state.receipt.body.energy_wh == 500
    assert state.agreed is not None
    alice.box(Connected(), SessionEnded("s1", 109_000, alice.street.now, "PowerLoss"))
    assert alice.state(booking).receipt == state.receipt


def test_a_session_that_the_box_forgot_has_its_receipt_and_both_are_told_in_a_sentence() -> None:
    alice, bob, booking = begun()
    reads(alice, 100_500)
    lost = SessionEnded("s1", 100_500, alice.street.now, "Lost")
    alice.box(Connected(), lost, lost)
    state = bob.state(booking)
    assert state.receipt is not None and state.receipt.body.energy_wh == 500
    assert [one.text for one in bob.booking(booking).messages] == [alice.told("charging.ended")[0]["message"]]
    assert len(alice.told("charging.ended")) == 1


def test_a_forgotten_session_of_the_owner_lets_the_driver_begin_and_is_told_once() -> None:
    alice, bob, booking = reserved()
    alice.box(SessionStarted("own", "OWNER", 0, alice.street.now, owner=True))
    bob.tells(StartCharging(booking))
    assert not alice.asked(StartWallbox)
    alice.box(Connected(), SessionEnded("own", 900, alice.street.now, "Lost"))
    alice.street.wait(RETRY_MS)
    assert len(alice.asked(StartWallbox)) == 1
    told = alice.told("wallbox.forgot")
    assert len(told) == 1 and told[0]["message"].startswith("The wallbox has forgotten")
    alice.box(Disconnected(), SessionEnded("own", 900, alice.street.now, "Lost"), Connected())
    assert len(alice.told("wallbox.forgot")) == 1, "a repetition after a restart is no news"


def test_a_session_that_a_restarted_box_reports_again_is_the_same() -> None:
    alice, bob, booking = begun()
    reads(alice, 100_500)
    alice.restarts()
    alice.box(Connected(), SessionStarted("s1", tag_of(booking), 100_000, alice.street.now))
    reads(alice, 101_000)
    assert [one.body.energy_wh for one in bob.state(booking).tickets] == [0, 500, 1000]
    assert len(bob.told("charging.started")) == 0 and len(alice.told("charging.started")) == 1


def test_reports_about_sessions_of_nobody_are_told_and_change_nothing() -> None:
    alice, _, booking = reserved()
    alice.box(
        SessionStarted("x", "SOMEBODY", 0, alice.street.now),
        Reading("x", 50, 100, alice.street.now, "Sample.Periodic"),
        SessionEnded("x", 60, alice.street.now, "Local"),
        Reading("gone", 70, 100, alice.street.now, "Sample.Periodic"),
    )
    assert not alice.state(booking).tickets
    assert alice.told("wallbox.session_ended")


def test_starting_after_the_end_is_refused() -> None:
    alice, bob, booking = reserved(minutes=15)
    alice.street.wait(15 * MINUTE)
    with pytest.raises(PersonError) as error:
        bob.tells(StartCharging(booking))
    assert error.value.code == "too-late"


# --- ending ---------------------------------------------------------------------------------------


def test_the_plug_is_the_owners_again_when_the_session_is_over() -> None:
    """As long as the driver's tag may charge, the box takes no plug-and-charge of the owner's."""
    alice, _bob, booking = begun()
    alice.box(SessionEnded("s1", 101_000, alice.street.now, "EVDisconnected"))
    assert alice.asked(AuthoriseTag)[-1] == AuthoriseTag(CHARGER, tag_of(booking), None)


def test_the_plug_is_the_owners_again_when_the_driver_stops_before_it_began() -> None:
    alice, bob, booking = reserved()
    bob.tells(StartCharging(booking))
    end = alice.booking(booking).quote.body.end
    assert [one.until for one in alice.asked(AuthoriseTag)] == [end]
    bob.tells(StopCharging(booking))
    assert [one.until for one in alice.asked(AuthoriseTag)] == [end, None]
    alice.handles(TimerDue())
    assert len(alice.asked(AuthoriseTag)) == 2


def test_a_host_may_end_a_session_and_bills_what_was_drawn() -> None:
    alice, bob, booking = begun()
    reads(alice, 101_000)
    told = alice.tells(CancelBooking(booking, CancelReason.SAFETY))
    assert told["reservation"] == "FULFILLED"
    assert [one.session for one in alice.asked(StopWallbox)] == ["s1"]
    alice.box(SessionEnded("s1", 101_050, alice.street.now, "Remote"))
    state = bob.state(booking)
    assert state.receipt is not None and state.receipt.body.energy_wh == 1050 and state.agreed is not None
    with pytest.raises(PersonError) as refused:
        alice.tells(CancelBooking(booking, CancelReason.SAFETY))
    assert refused.value.code == "not-cancellable"
