"""The engine: a whole booking from both sides, with a restart after every event, and what it must refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.records import CancelReason, ProblemKind
from chargemesh_protocol.booking.retention import FORGOTTEN_AFTER_MS, SECRETS_KEPT_MS
from chargemesh_protocol.booking.table import Reservation, Session, Settlement
from chargemesh_protocol.charging.reports import Connected, Reading, SessionEnded, SessionStarted
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.effects import AuthoriseTag, StartWallbox, StopWallbox
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import (
    CancelBooking,
    ChangeBooking,
    ClaimPaid,
    ConfirmPaid,
    ContactChanged,
    Decide,
    MessageReceived,
    OfferTerms,
    OwnLogFound,
    ParcelAnswered,
    PauseCharger,
    RemoveCharger,
    ReportProblem,
    SayFault,
    StartCharging,
    StopCharging,
    WallboxRemembered,
    WallboxSaid,
    WriteMessage,
    WriteReview,
)
from chargemesh_protocol.trust.entries import CompletionStatement
from chargemesh_protocol.trust.logset import LogSet

from .neighbours import CHARGER, DAY, HOUR, MINUTE, NETWORK, ON_REQUEST, SECOND, SECRETS, Person, Street


def story(street: Street, alice: Person, bob: Person) -> Iterator[bytes]:
    """A booking from the question to the reviews; pauses after each event that a person or a box makes."""
    booking = bob.books(alice, street.now + 3 * HOUR, energy=4000)
    yield booking
    alice.tells(WriteMessage(booking, "The gate sticks, push hard."))
    yield booking
    street.wait(2 * HOUR)
    bob.tells(WriteMessage(booking, "Thanks!"))
    yield booking
    street.wait(HOUR)
    bob.tells(StartCharging(booking))
    yield booking
    alice.box(Connected(), SessionStarted("s1", tag_of(booking), 50_000, street.now))
    yield booking
    for number in range(1, 4):
        street.wait(5 * MINUTE)
        alice.box(Connected(), Reading("s1", 50_000 + 700 * number, 8400, street.now, "Sample.Periodic"))
        yield booking
    bob.tells(StopCharging(booking))
    yield booking
    street.wait(10 * SECOND)
    alice.box(SessionEnded("s1", 52_150, street.now, "Remote"))
    yield booking
    bob.tells(ClaimPaid(booking, "sepa", "chargemesh"))
    yield booking
    alice.tells(ConfirmPaid(booking))
    yield booking
    bob.tells(WriteReview(booking, 5, "Easy."))
    yield booking
    alice.tells(WriteReview(booking, 4, "Left on time."))
    yield booking
    street.wait(MINUTE)
    yield booking


def told(street: Street, alice: Person, bob: Person) -> bytes:
    """The whole story at once."""
    *_, booking = story(street, alice, bob)
    return booking


def what_counts(one: Person) -> dict[str, Any]:
    """All of an engine that a restart must not change."""
    engine, now = one.engine, one.street.now
    return {
        booking.id: (
            booking.file,
            booking.state(now),
            [record.raw for record in booking.mine],
            [record.raw for record in booking.theirs],
            booking.messages,
            {key: record.raw for key, record in booking.statements.items()},
            engine.driver.access(booking),
        )
        for booking in engine.ledger
    } | {
        "calendar": engine.calendar.busy(CHARGER, 0),
        "listing": engine.listings.newest_raw(CHARGER),
        "settings": engine.listings.all_settings(),
        "log": engine.keeper.entries,
        "drafts": engine.keeper.deadline(),
        "wallbox": engine.wallbox_memory,
    }


def test_a_whole_booking() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    for booking in story(street, alice, bob):
        assert what_counts(alice)[booking][1] == what_counts(bob)[booking][1]
    state = bob.state(booking)
    assert (state.reservation, state.session, state.settlement) == (
        Reservation.FULFILLED,
        Session.COMPLETED,
        Settlement.PAID,
    )
    assert state.receipt is not None
    assert (state.receipt.body.energy_wh, state.receipt.body.total) == (2150, 860_000)
    assert state.finished and not state.faults and not state.ignored
    assert [one.ours for one in bob.booking(booking).messages] == [False, True]
    assert [len(one.engine.keeper.entries) for one in (alice, bob)] == [2, 2]
    assert {one.channel for person in (alice, bob) for one in person.disk.outbox.values()} == {"notify"}
    assert alice.asked(StopWallbox) and alice.asked(AuthoriseTag)[-1].until is None


def test_after_every_event_an_engine_from_the_disk_equals_the_running_one() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()

    def compare(person: Person) -> None:
        running = what_counts(person)
        engine, person.engine = person.engine, person.rebuilt()
        assert what_counts(person) == running
        person.engine = engine

    alice.after_event = bob.after_event = compare
    for _ in story(street, alice, bob):
        pass


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_restarts_between_all_steps_change_nothing(who: str) -> None:
    ends = []
    for restarting in (False, True):
        street = Street()
        alice, bob = street.host(), street.driver()
        for booking in story(street, alice, bob):
            if restarting:
                (alice if who == "alice" else bob).restarts()
            last = booking
        state = bob.state(last)
        assert state.receipt is not None
        ends.append((state.reservation, state.settlement, len(state.tickets), state.receipt.body.total))
        assert alice.state(last) == state
        assert len(alice.engine.keeper.entries) == len(bob.engine.keeper.entries) == 2
    assert ends[0] == ends[1]


def test_nothing_private_leaves_before_its_time_and_never_in_clear() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = told(street, alice, bob)
    everything = b"".join([*alice.seen, *bob.seen, alice.engine.listings.newest_raw(CHARGER) or b""])
    for secret in (*SECRETS, "The gate sticks", "Thanks!"):
        assert secret.encode() not in everything
    assert (52_519_999).to_bytes(4, "big") not in everything
    notices = b"".join(one.body for one in [*alice.disk.outbox.values(), *bob.disk.outbox.values()])
    assert not any(secret.encode() in notices for secret in SECRETS)
    access = bob.engine.driver.access(bob.booking(booking))
    assert access is not None and (access.address, access.code) == (SECRETS[0], SECRETS[2])


def test_secrets_go_seven_days_after_the_end_and_records_stay() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = told(street, alice, bob)
    end = bob.booking(booking).quote.body.end
    records = len(bob.booking(booking).set)
    street.wait(end + SECRETS_KEPT_MS - street.now - 1)
    assert all(one.booking(booking).file.secret for one in (alice, bob))
    assert bob.engine.driver.access(bob.booking(booking)) is not None
    secrets = {one.booking(booking).file.secret for one in (alice, bob)}
    street.wait(1)
    for one in (alice, bob):
        one.restarts()
        assert not one.booking(booking).file.secret
        assert one.engine.driver.access(one.booking(booking)) is None
        assert len(one.booking(booking).set) == records
        kept = b"".join(value for of in one.disk.documents.values() for value in of.values())
        assert not any(secret in kept for secret in secrets)
        assert (SECRETS[0].encode() in kept) == (one is alice)  # whose settings they are
        with pytest.raises(PersonError) as error:
            one.handles(WriteMessage(booking, "still there?"))
        assert error.value.code == "keys-gone"
    assert not bob.disk.documents["access-record"]
    assert not alice.disk.documents["quote-epoch"]
    street.wait(1)  # what the command loaded goes to rest again
    assert all(one.engine.deadline(street.now) is None for one in (bob,))


def test_requests_that_came_to_nothing_are_forgotten_by_the_host_alone() -> None:
    street = Street()
    alice, bob = street.host(rules=ON_REQUEST), street.driver()
    booking = bob.books(alice, street.now + HOUR)
    alice.tells(Decide(booking, accept=False))
    street.wait(FORGOTTEN_AFTER_MS - 1)
    assert alice.engine.ledger.get(booking) is not None
    street.wait(1)
    assert alice.engine.ledger.get(booking) is None
    assert not alice.disk.records.get(booking) and not alice.disk.documents["booking"]
    assert alice.rebuilt().ledger.get(booking) is None
    assert bob.state(booking).reservation is Reservation.REJECTED
    # The driver's node has nothing more to say, and hears that the booking is unknown if it does.
    with pytest.raises(Refused) as refused:
        alice.answers(wire.write(wire.Exchange(booking=booking)))
    assert refused.value.code == "unknown-booking"


def test_an_accepted_booking_is_never_forgotten() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 3 * HOUR)
    bob.tells(CancelBooking(booking, CancelReason.TRAFFIC))
    street.wait(30 * DAY)
    assert alice.state(booking).reservation is Reservation.CANCELED


# --- commands and messages that must be refused ---------------------------------------------------


def test_each_side_has_its_own_commands() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    for person, command in (
        (bob, OfferTerms(booking)),
        (bob, SayFault(booking, ProblemKind.OTHER, "")),
        (alice, ChangeBooking(booking, b"")),
        (bob, ConfirmPaid(booking)),
        (alice, StartCharging(booking)),
        (alice, StopCharging(booking)),
        (alice, ReportProblem(booking, ProblemKind.OTHER, "")),
        (alice, ClaimPaid(booking, "manual", "")),
    ):
        with pytest.raises(PersonError) as error:
            person.handles(command)
        assert error.value.code == "wrong-side" and error.value.exit_code == 5


def test_commands_that_come_too_soon_say_so_and_change_nothing() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 3 * HOUR)
    before = what_counts(alice), what_counts(bob)
    for person, command, code in (
        (bob, StartCharging(booking), "too-early"),
        (bob, StopCharging(booking), "not-started"),
        (bob, ClaimPaid(booking, "manual", ""), "no-receipt"),
        (bob, WriteReview(booking, 5, ""), "not-completed"),
        (bob, WriteMessage(booking, "  "), "empty"),
        (alice, ConfirmPaid(booking), "no-receipt"),
        (alice, Decide(booking, accept=True), "not-pending"),
        (alice, RemoveCharger(CHARGER), "booked"),
        (alice, PauseCharger(b"?" * 16, True), "no-such-charger"),
        (bob, CancelBooking(b"?" * 32, CancelReason.TRAFFIC), "no-such-booking"),
    ):
        with pytest.raises(PersonError) as error:
            person.handles(command)
        assert error.value.code == code
    assert (what_counts(alice), what_counts(bob)) == before


def test_messages_that_are_none_of_ours_are_refused() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    given = bob.asks(alice)
    for body, code in (
        (b"", "encoding"),
        (b"\xff" * 50, "encoding"),
        (b"\xa0", "unknown-operation"),
        (wire.write(given), "unexpected"),
        (wire.write(wire.Failed(code="no", message="")), "unexpected"),
        (wire.write(wire.Exchange(booking=b"?" * 32)), "unknown-booking"),
    ):
        with pytest.raises(Refused) as refused:
            alice.handles(MessageReceived("somebody", "peer:somebody", body))
        assert refused.value.code == code
    assert not list(alice.engine.ledger)


def test_an_answer_about_something_else_is_refused() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    for body in (
        wire.write(bob.asks(alice, street.now + 4 * HOUR)),
        wire.write(wire.Exchange(booking=b"?" * 32)),
    ):
        with pytest.raises(Refused, match="something else"):
            bob.handles(ParcelAnswered(booking, body))
    with pytest.raises(Refused, match="later"):
        bob.handles(ParcelAnswered(booking, wire.write(wire.Failed(code="no", message="later"))))
    assert bob.handles(ParcelAnswered(b"?" * 32, b"whatever")) == []
    assert bob.state(booking).reservation is Reservation.RESERVED


def test_the_bundle_of_a_stranger_does_not_ride_along() -> None:
    street = Street()
    alice, bob, eve = street.host(), street.driver(), street.driver("eve")
    booking = bob.books(alice)
    with pytest.raises(Refused) as refused:
        alice.answers(wire.write(wire.Exchange(booking=booking, bundle=eve.me.bundle)))
    assert refused.value.code == "mismatch"
    assert not alice.engine.directory.knows(eve.author)


def test_a_charger_with_bookings_is_not_removed_but_may_be_paused() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    alice.tells(PauseCharger(CHARGER, True))
    assert alice.engine.listings.listing(CHARGER) is None
    bob.tells(StartCharging(booking))
    assert len(alice.asked(StartWallbox)) == 1
    bob.tells(StopCharging(booking))
    street.wait(2 * HOUR)
    alice.tells(RemoveCharger(CHARGER))
    assert not alice.engine.listings.all_settings()


def test_an_address_that_changed_is_published_and_told_to_hosts() -> None:
    street = Street()
    alice = street.host()
    moved = Contact("12D3KooMoved", ("/ip4/127.0.0.1/tcp/5",))
    before = alice.engine.listings.require(CHARGER), alice.engine.listings.listing(CHARGER)
    assert before[1] is not None
    alice.handles(ContactChanged(moved))
    after = alice.engine.listings.listing(CHARGER)
    assert after is not None and after.body.contact == moved
    assert after.body.sequence == before[1].body.sequence + 1
    assert alice.handles(ContactChanged(moved)) == []


def test_what_a_wallbox_driver_must_find_again_is_kept() -> None:
    street = Street()
    alice = street.host()
    alice.handles(WallboxRemembered(CHARGER, b"transaction 7"))
    assert alice.rebuilt().wallbox_memory == {CHARGER: b"transaction 7"}


def test_only_what_both_sides_signed_completes_a_pair() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    alice.box(SessionStarted("s1", tag_of(booking), 0, street.now))
    street.wait(MINUTE)
    alice.handles(WallboxSaid(CHARGER, SessionEnded("s1", 500, street.now, "Local")))
    assert alice.state(booking).receipt is not None and alice.state(booking).agreed is None
    assert alice.booking(booking).statement(CompletionStatement, alice.author) is None
    assert not alice.engine.ledger.completed_with(bob.author)
    street.settle()
    assert alice.engine.ledger.completed_with(bob.author) and bob.engine.ledger.completed_with(alice.author)


def test_a_clock_that_is_set_back_signs_nothing_and_makes_no_evidence_against_its_host() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + HOUR)
    street.now -= 90 * SECOND
    with pytest.raises(PersonError) as refused:
        alice.tells(CancelBooking(booking, CancelReason.POWER_OUTAGE))
    assert refused.value.code == "clock-wrong" and "90 seconds behind" in refused.value.message
    street.now += 90 * SECOND
    alice.tells(CancelBooking(booking, CancelReason.POWER_OUTAGE))
    for one in (alice, bob):
        assert one.state(booking).reservation is Reservation.CANCELED
        assert not one.state(booking).faults


def test_each_of_several_messages_at_once_has_a_notice_of_its_own() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    for text in ("one", "two", "three"):
        bob.handles(WriteMessage(booking, text))
    alice.disk.outbox.clear()
    street.settle()
    assert [one["text"] for one in alice.told("booking.message")] == ["one", "two", "three"]
    assert len(alice.disk.outbox) == 3


def test_an_address_that_changed_while_a_restored_node_may_not_sign_is_published_after() -> None:
    street = Street()
    alice = street.host()
    before = alice.engine.listings.listing(CHARGER)
    alice.engine.keeper.read_only = True
    moved = Contact("12D3KooMoved", ("/ip4/127.0.0.1/tcp/5",))
    assert alice.handles(ContactChanged(moved)) == []
    alice.handles(OwnLogFound(LogSet(NETWORK, alice.engine.directory)))
    after = alice.engine.listings.listing(CHARGER)
    assert before is not None and after is not None
    assert after.body.contact == moved
    assert after.body.sequence > before.body.sequence + 1000, "beyond all that the backup can't know of"
