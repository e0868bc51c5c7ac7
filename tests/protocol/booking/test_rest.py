"""Years of bookings cost nothing: what is over rests, a restart repeats nothing, strangers leave no trace."""

from __future__ import annotations

import pytest

from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.retention import FORGOTTEN_AFTER_MS, SECRETS_KEPT_MS
from chargemesh_protocol.booking.rules import WEEK_MS
from chargemesh_protocol.effects import PutOutbox
from chargemesh_protocol.events import (
    ClaimPaid,
    ConfirmPaid,
    Decide,
    OwnLogFound,
    StartCharging,
    WriteMessage,
    WriteReview,
)
from chargemesh_protocol.trust.logset import LogSet

from ..neighbours import (
    DAY,
    HOUR,
    NETWORK,
    ON_REQUEST,
    Person,
    Street,
    charges,
)


def settled() -> tuple[Street, Person, Person, bytes]:
    """A booking that was charged, paid and written about, and everything delivered."""
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(WriteMessage(booking, "hello"))
    bob.tells(StartCharging(booking))
    charges(alice, tag_of(booking))
    street.settle()
    bob.tells(ClaimPaid(booking, "manual", ""))
    alice.tells(ConfirmPaid(booking))
    return street, alice, bob, booking


def peer_rows(person: Person) -> list[PutOutbox]:
    return [one for one in person.asked(PutOutbox) if one.channel == "peer"]


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_restart_sends_nothing_that_the_other_side_has(who: str) -> None:
    """Else each start of a node writes to everybody it ever had a booking with."""
    _, alice, bob, booking = settled()
    person = alice if who == "alice" else bob
    assert not person.owes()
    person.effects.clear()
    person.restarts()
    assert not peer_rows(person) and not person.owes()
    assert not person.engine.ledger.owes(person.booking(booking))
    person.tells(WriteMessage(booking, "one more thing"))
    other = bob if person is alice else alice
    assert [one.text for one in other.booking(booking).messages][-1] == "one more thing"


def test_what_was_not_delivered_is_owed_after_a_restart() -> None:
    street, alice, bob, booking = settled()
    alice.handles(WriteMessage(booking, "lost on the way"))
    alice.restarts()
    assert alice.owes() == [booking]
    street.settle()
    assert [one.text for one in bob.booking(booking).messages] == ["hello", "lost on the way"]


def test_a_restored_node_asks_the_other_side_even_if_it_owes_it_nothing() -> None:
    street, alice, bob, booking = settled()
    alice.handles(OwnLogFound(LogSet(NETWORK, alice.engine.directory)))
    assert alice.booking(booking).file.restored and alice.owes() == [booking]
    street.settle()
    assert not alice.booking(booking).file.restored
    assert not alice.owes() and not bob.owes()


def test_a_booking_rests_when_no_time_brings_anything_more_and_wakes_with_news() -> None:
    street, alice, bob, booking = settled()
    assert [one.id for one in alice.engine.ledger.awake()] == [booking], "the one-time keys are still there"
    street.wait(SECRETS_KEPT_MS + 3 * HOUR)
    for one in (alice, bob):
        assert one.engine.ledger.awake() == []
    assert bob.engine.deadline(street.now) is None
    bob.tells(WriteReview(booking, 5, "Easy."))
    assert [one.id for one in bob.engine.ledger.awake()] == [booking]
    assert bob.engine.deadline(street.now) is not None, "the review opens by itself"
    street.wait(20 * DAY)
    assert bob.engine.ledger.awake() == []
    assert len(bob.engine.keeper.entries) == 2
    bob.restarts()
    assert bob.engine.ledger.awake() == []


def test_who_asked_in_vain_is_forgotten_with_the_request() -> None:
    street = Street()
    alice, bob, eve = street.host(rules=ON_REQUEST), street.driver(), street.driver("eve")
    alice.known.add(bob.author)  # who may have more than one open booking
    kept = bob.books(alice, street.now + 3 * HOUR)
    alice.tells(Decide(kept, accept=True))
    for driver in (bob, eve):
        refused = driver.books(alice, street.now + 30 * HOUR)
        alice.tells(Decide(refused, accept=False))
    assert set(alice.disk.documents["bundle"]) == {bob.author, eve.author}
    street.wait(FORGOTTEN_AFTER_MS)
    assert [one.id for one in alice.engine.ledger] == [kept]
    assert set(alice.disk.documents["bundle"]) == {bob.author}
    assert alice.engine.directory.knows(bob.author)
    assert not alice.rebuilt().directory.knows(eve.author)


def test_how_many_strangers_got_the_address_is_counted_for_a_week_only() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    assert set(alice.disk.documents["stranger-access"]) == {booking}
    street.wait(WEEK_MS - 1)
    assert set(alice.disk.documents["stranger-access"]) == {booking}
    street.wait(2)
    assert not alice.disk.documents["stranger-access"]
    assert alice.engine.deadline(street.now) != street.now
