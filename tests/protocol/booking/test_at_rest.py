"""What isn't loaded is not forgotten: bookings at rest answer, wake and are restored as if in memory."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargemesh_protocol.booking.at_rest import AtRest, read_summary, sum_up
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.ledger import OUTBOX_LIFE_MS
from chargemesh_protocol.booking.records import CancelReason
from chargemesh_protocol.booking.rest import MOST_WOKEN_AT_ONCE, RESTS_AFTER_MS
from chargemesh_protocol.booking.retention import SECRETS_KEPT_MS
from chargemesh_protocol.booking.rows import AT_REST, FILES
from chargemesh_protocol.booking.table import Settlement
from chargemesh_protocol.effects import AddRecord, DropDocument, PutDocument
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import (
    CancelBooking,
    ClaimPaid,
    ConfirmPaid,
    OwnLogFound,
    StartCharging,
    TimerDue,
    WriteMessage,
    WriteReview,
)
from chargemesh_protocol.trust.logset import LogSet

from ..neighbours import DAY, HOUR, MINUTE, NETWORK, Disk, Person, Street, charges
from .test_ledger import DOING, Pipe, do


def charged() -> tuple[Street, Person, Person, bytes]:
    """A booking that was charged and not paid, which both sides have put to rest."""
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    charges(alice, tag_of(booking))
    street.wait(HOUR + RESTS_AFTER_MS)
    for person in (alice, bob):
        assert list(person.engine.ledger) == [] and list(person.engine.ledger.resting) == [booking]
        assert set(person.disk.documents[AT_REST]) == {booking}
    return street, alice, bob, booking


def summary(person: Person, booking: bytes) -> AtRest:
    found = person.engine.ledger.resting.get(booking)
    assert found is not None
    return found


def test_a_start_reads_nothing_of_a_booking_at_rest_but_its_summary() -> None:
    _, alice, _, booking = charged()
    assert booking not in alice.disk.state().records
    alice.restarts()
    assert list(alice.engine.ledger) == [] and alice.engine.ledger.known() == [booking]


def test_what_is_asked_of_people_is_known_of_bookings_at_rest() -> None:
    street, alice, bob, _ = charged()
    for _ in range(2):
        assert alice.engine.standing(bob.author, street.now).unpaid
        assert alice.engine.ledger.completed_with(bob.author) and bob.engine.ledger.completed_with(
            alice.author
        )
        assert not alice.engine.ledger.owed_by(alice.author, street.now)
        alice.restarts()
        bob.restarts()


def test_late_news_wakes_it_on_both_sides_in_the_commit_that_changes_it() -> None:
    street, alice, bob, booking = charged()
    for person in (alice, bob):
        person.effects.clear()
    bob.tells(ClaimPaid(booking, "manual", ""))
    alice.tells(ConfirmPaid(booking))
    for person in (alice, bob):
        assert person.state(booking).settlement is Settlement.PAID
        assert DropDocument(AT_REST, booking) in person.effects and person.asked(AddRecord)
        assert not person.disk.documents[AT_REST]
    assert not alice.engine.standing(bob.author, street.now).unpaid
    street.wait(1)
    assert not summary(alice, booking).unpaid and summary(alice, booking).finished
    assert not alice.engine.ledger.awake() and not bob.engine.ledger.awake()


def test_looking_at_it_saves_nothing_and_so_does_a_command_that_is_refused() -> None:
    street, alice, _, booking = charged()
    kept = dict(alice.disk.documents[AT_REST])
    alice.effects.clear()
    with pytest.raises(PersonError):
        alice.tells(CancelBooking(booking, CancelReason.POWER_OUTAGE))
    street.wait(1)
    assert alice.effects == [] and alice.disk.documents[AT_REST] == kept
    assert list(alice.engine.ledger) == []


def test_time_wakes_it_for_secrets_and_for_reviews() -> None:
    street, alice, bob, booking = charged()
    bob.tells(WriteReview(booking, 5, "Easy."))
    street.wait(1)
    assert list(bob.engine.ledger) == [] and summary(bob, booking).wake
    end = bob.booking(booking).quote.body.end
    street.wait(end + SECRETS_KEPT_MS - street.now)
    assert not bob.booking(booking).file.secret and not alice.booking(booking).file.secret
    street.wait(20 * DAY)
    assert bob.told("review-opened") and not summary(bob, booking).wake
    assert len(bob.engine.keeper.entries) == 2


def test_many_are_woken_a_few_at_a_time() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    alice.known.add(bob.author)
    count = MOST_WOKEN_AT_ONCE + 8
    made = [bob.books(alice, street.now + number * 15 * MINUTE, minutes=15) for number in range(count)]
    street.wait(15 * MINUTE * count + HOUR + RESTS_AFTER_MS)
    assert set(bob.engine.ledger.resting) == set(made)
    street.now += 10 * DAY  # the node was off
    loaded = []
    while True:
        bob.handles(TimerDue())
        loaded.append(len(bob.asked(PutDocument)))
        if bob.engine.deadline(street.now) is None or bob.engine.deadline(street.now) > street.now:  # type: ignore[operator]
            break
        assert len(bob.engine.ledger.awake()) <= MOST_WOKEN_AT_ONCE
    assert len(loaded) > 1
    assert not any(bob.booking(one).file.secret for one in made)


def test_a_peer_that_vanished_is_written_to_for_three_weeks_and_keeps_nothing_in_memory() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    alice.handles(WriteMessage(booking, "where are you?"))
    street.people.pop(bob.contact.peer_id)  # for good
    street.settle = lambda: None  # type: ignore[method-assign]
    alice.restarts()
    street.wait(3 * HOUR + RESTS_AFTER_MS)
    assert list(alice.engine.ledger) == [] and alice.owes() == [booking]
    kept = alice.disk.outbox["peer", booking]
    alice.wakes(booking)
    assert alice.engine.parcel(booking, street.moment()) is not None
    street.wait(1)
    assert list(alice.engine.ledger) == [] and alice.disk.outbox["peer", booking] == kept
    alice.disk.outbox.clear()  # the runner gives up
    alice.restarts()
    street.wait(OUTBOX_LIFE_MS)
    assert alice.owes() == [], "a restart begins nothing anew"


# --- restored from a backup ---------------------------------------------------------------------


def restored(person: Person) -> None:
    person.handles(OwnLogFound(LogSet(NETWORK, person.engine.directory)))


def test_a_restored_node_compares_its_bookings_at_rest_before_it_signs_in_them() -> None:
    street, alice, bob, booking = charged()
    bob.tells(ClaimPaid(booking, "manual", ""))
    street.wait(1)
    restored(alice)
    assert alice.owes() == [booking] and alice.booking(booking).file.restored
    alice.restarts()
    with pytest.raises(PersonError) as told:
        alice.handles(ConfirmPaid(booking))
    assert told.value.code == "restored-booking"
    alice.handles(TimerDue())
    assert list(alice.engine.ledger) == [] and alice.booking(booking).file.restored
    street.settle()
    assert not alice.booking(booking).file.restored and alice.owes() == []
    alice.tells(ConfirmPaid(booking))
    assert bob.state(booking).settlement is Settlement.PAID
    street.wait(1)
    alice.restarts()
    assert not alice.booking(booking).file.restored


def test_the_mark_of_a_restore_is_kept_with_whatever_else_changes() -> None:
    _, alice, bob, booking = charged()
    restored(alice)
    alice.wakes(booking)
    effects = alice.engine.ledger.update(alice.booking(booking), title="another")
    alice.disk.commit([*effects, *alice.engine.ledger.woken()])
    assert alice.rebuilt().ledger.require(booking).file.restored
    # The same where only a record came.
    _, alice, bob, booking = charged()
    restored(alice)
    alice.wakes(booking)
    claim = ClaimPaid(booking, "manual", "")
    bob.handles(claim)
    record = bob.booking(booking).mine[-1]
    saved = alice.engine.ledger.add(alice.booking(booking), record)
    alice.disk.commit([*saved, *alice.engine.ledger.woken()])
    assert alice.rebuilt().ledger.require(booking).file.restored


def test_a_backup_from_before_the_payment_learns_of_it_from_the_other_side() -> None:
    """All is over between the two, and still the host would refuse this driver for what was paid."""
    street, alice, bob, booking = charged()
    backup = Disk()
    backup.documents = {name: dict(found) for name, found in alice.disk.documents.items()}
    backup.records = {one: dict(found) for one, found in alice.disk.records.items()}
    bob.tells(ClaimPaid(booking, "manual", ""))
    alice.tells(ConfirmPaid(booking))
    street.wait(DAY)
    alice.disk = backup
    alice.engine = alice.rebuilt()
    restored(alice)
    assert alice.engine.standing(bob.author, street.now).unpaid
    street.settle()
    # Bob holds a record of ours that the backup lacks: nothing is signed in this booking any more.
    assert alice.booking(booking).file.restored
    assert alice.booking(booking).state(street.now).claimed is None or alice.booking(booking).theirs


# --- the store ----------------------------------------------------------------------------------


def test_a_store_without_summaries_gets_them_at_the_next_start() -> None:
    """As a version before this one has left it: nothing else has to be migrated."""
    _, alice, _, booking = charged()
    kept = alice.disk.documents.pop(AT_REST)
    alice.engine = alice.rebuilt()
    assert [one.id for one in alice.engine.ledger] == [booking]
    alice.handles(TimerDue())
    assert alice.disk.documents[AT_REST] == kept and list(alice.engine.ledger) == []


def test_damage_is_found_and_keeps_nothing_else_from_being_read() -> None:
    street, alice, _, booking = charged()
    other = street.driver("eve").books(alice, street.now + HOUR)
    records = alice.disk.records[booking]
    id_, raw = next(iter(records.items()))
    for damaged in (raw[:-70] + bytes([raw[-70] ^ 1]) + raw[-69:], raw[:40], b"", bytes(len(raw))):
        records[id_] = damaged
        with pytest.raises(PersonError) as told:
            alice.booking(booking)
        assert told.value.code == "damaged-booking" and booking.hex()[:8] in str(told.value)
    records[id_] = raw
    file = alice.disk.documents[FILES][booking]
    alice.disk.documents[FILES][booking] = file[:200] + bytes([file[200] ^ 1]) + file[201:]
    with pytest.raises(PersonError, match="damaged"):
        alice.booking(booking)
    alice.restarts()
    assert alice.booking(other).request


def test_a_damaged_summary_is_told_at_the_start() -> None:
    _, alice, _, booking = charged()
    alice.disk.documents[AT_REST][booking] = b"short"
    with pytest.raises(PersonError) as told:
        alice.rebuilt()
    assert told.value.code == "damaged-booking"


SUMMARIES: Any = st.builds(
    AtRest,
    st.binary(min_size=32, max_size=32),
    *[st.booleans()] * 6,
    *[st.integers(0, 2**64 - 1)] * 6,
)


@given(SUMMARIES)
def test_a_summary_is_read_as_it_was_written(made: AtRest) -> None:
    assert read_summary(made.to_bytes()) == made


# --- any history --------------------------------------------------------------------------------


def everything_loaded(person: Person) -> Any:
    """An engine that was told of no rest: its ledger is what all records say."""
    resting = person.disk.documents.pop(AT_REST, {})
    try:
        return person.rebuilt().ledger
    finally:
        person.disk.documents[AT_REST] = resting


def agree(person: Person, others: list[Person], now: int) -> None:
    """What the engine knows of people and bookings is what the full fold says, loaded or not."""
    ledger, full = person.engine.ledger, everything_loaded(person)
    assert set(ledger.known()) == set(full.known())
    for other in others:
        assert ledger.completions_with(other.author) == full.completions_with(other.author)
        assert ledger.owed_by(other.author, now) == full.owed_by(other.author, now)
    for booking_id, kept in ledger.resting.items():
        booking = full.require(booking_id)
        derived = sum_up(booking, kept.wake, kept.compared_since, now)
        assert {**_facts(kept), "queued": None} == {**_facts(derived), "queued": None}
        assert person.disk.documents[AT_REST][booking_id] == kept.to_bytes()
        assert person.engine.calendar.holds(booking_id) is False
    assert set(person.disk.documents.get(AT_REST, {})) <= set(ledger.known())
    loaded = {one.id for one in full}
    assert {one.id for one in person.engine.ledger} <= loaded


def _facts(one: AtRest) -> dict[str, Any]:
    return {name: getattr(one, name) for name in AtRest.__dataclass_fields__}


STEPS = st.one_of(
    st.tuples(st.just("do"), st.integers(0, 2), DOING),
    st.tuples(st.just("settle"), st.just(0), st.just("")),
    st.tuples(st.just("wait"), st.sampled_from([20 * MINUTE, DAY, 8 * DAY]), st.just("")),
    st.tuples(st.just("restart"), st.integers(0, 1), st.just("")),
)


@settings(max_examples=settings().max_examples // 5)
@given(st.lists(STEPS, max_size=12))
def test_summaries_say_what_the_full_fold_says_whatever_happened(steps: list[tuple[str, int, str]]) -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    alice.known.add(bob.author)
    pipes = [
        Pipe(street, alice, bob, bob.books(alice, street.now + number * 2 * HOUR)) for number in range(3)
    ]
    for what, which, action in (*steps, ("wait", 30 * DAY, "")):
        match what:
            case "do":
                do(pipes[which], action)
            case "settle":
                street.settle()
            case "wait":
                do(pipes[0], "unplug")  # a car that charges for days keeps its booking awake
                street.wait(which)
            case "restart":
                (alice, bob)[which].restarts()
        for person, other in ((alice, bob), (bob, alice)):
            agree(person, [other], street.now)
    assert not alice.engine.ledger.awake() and not bob.engine.ledger.awake()
