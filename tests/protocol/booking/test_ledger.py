"""The exchange: however messages are lost, doubled, delayed and disordered, both sides end with one set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.records import Acknowledge, CancelReason, ProblemKind, Stop
from chargemesh_protocol.booking.sealing import Message, open_message, seal_message
from chargemesh_protocol.charging.reports import Connected, Reading, SessionEnded, SessionStarted
from chargemesh_protocol.effects import DropOutbox
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import (
    CancelBooking,
    ClaimPaid,
    ConfirmPaid,
    MessageReceived,
    ParcelAnswered,
    ReportProblem,
    StartCharging,
    StopCharging,
    TimerDue,
    WallboxSaid,
    WriteMessage,
    WriteReview,
)
from chargemesh_protocol.limits import MAX_MESSAGES_A_SIDE
from chargemesh_protocol.trust.entries import CompletionStatement

from ..neighbours import CHARGER, HOUR, MINUTE, Person, Street, charges


@dataclass
class Pipe:
    """Carries parcels between two people, badly. `under_way` are bodies that may still arrive."""

    street: Street
    alice: Person
    bob: Person
    booking: bytes

    def __post_init__(self) -> None:
        self.under_way: list[tuple[Person, bytes]] = []
        self.answers: list[tuple[Person, bytes]] = []

    def send(self, sender: Person) -> None:
        parcel = sender.engine.parcel(self.booking, self.street.moment())
        if parcel is not None:
            self.under_way.append((self.bob if sender is self.alice else self.alice, parcel.body))

    def arrive(self, which: int, again: bool) -> None:
        if self.under_way:
            at = which % len(self.under_way)
            receiver, body = self.under_way[at] if again else self.under_way.pop(at)
            sender = self.bob if receiver is self.alice else self.alice
            self.answers.append((sender, receiver.answers(body, "peer:bob")))

    def answer(self, which: int, again: bool) -> None:
        if self.answers:
            at = which % len(self.answers)
            sender, body = self.answers[at] if again else self.answers.pop(at)
            sender.handles(ParcelAnswered(self.booking, body))

    def lose(self) -> None:
        self.under_way.clear()
        self.answers.clear()


def do(pipe: Pipe, what: str) -> None:
    """One thing that a person or the box does; what can't be done now is not done."""
    alice, bob, booking, now = pipe.alice, pipe.bob, pipe.booking, pipe.street.now
    register = 1000 + (now // MINUTE) % 1_000_000
    steps: dict[str, tuple[Person, Any]] = {
        "start": (bob, StartCharging(booking)),
        "plug": (alice, WallboxSaid(CHARGER, SessionStarted("s1", tag_of(booking), register, now))),
        "read": (alice, WallboxSaid(CHARGER, Reading("s1", register, 60, now, "Sample.Periodic"))),
        "unplug": (alice, WallboxSaid(CHARGER, SessionEnded("s1", register, now, "Local"))),
        "stop": (bob, StopCharging(booking)),
        "cancel": (bob, CancelBooking(booking, CancelReason.TRAFFIC)),
        "host cancels": (alice, CancelBooking(booking, CancelReason.POWER_OUTAGE)),
        "problem": (bob, ReportProblem(booking, ProblemKind.OTHER, "hm")),
        "pay": (bob, ClaimPaid(booking, "manual", "")),
        "confirm": (alice, ConfirmPaid(booking)),
        "bob writes": (bob, WriteMessage(booking, "hello")),
        "alice writes": (alice, WriteMessage(booking, "hello")),
        "bob reviews": (bob, WriteReview(booking, 5, "")),
        "alice reviews": (alice, WriteReview(booking, 5, "")),
        "bob restarts": (bob, TimerDue()),
        "alice restarts": (alice, TimerDue()),
    }
    person, event = steps[what]
    if what.endswith("restarts"):
        person.restarts()
        alice.handles(WallboxSaid(CHARGER, Connected()))
        return
    try:
        person.handles(event)
    except PersonError:
        return


LIKELY = ("start", "plug", "read", "read", "unplug", "pay", "confirm", "bob reviews", "alice reviews")
DOING = st.sampled_from((
    *LIKELY, *LIKELY, "stop", "cancel", "host cancels", "problem", "bob writes", "alice writes",
    "bob restarts", "alice restarts",
))  # fmt: skip
ACTIONS = st.one_of(
    st.tuples(st.just("do"), DOING),
    st.tuples(st.just("send"), st.booleans()),
    st.tuples(st.just("arrive"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("answer"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("lose")),
    st.tuples(st.just("wait"), st.sampled_from((1000, MINUTE, 20 * MINUTE))),
)


@given(st.lists(ACTIONS, max_size=40))
def test_both_sides_end_with_one_set_whatever_the_pipe_does(actions: list[tuple[Any, ...]]) -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    pipe = Pipe(street, alice, bob, bob.books(alice))
    for name, *how in actions:
        if name == "do":
            do(pipe, *how)
        elif name == "send":
            pipe.send(alice if how[0] else bob)
        elif name == "wait":
            street.now += how[0]
        else:
            getattr(pipe, name)(*how)
    for person in (alice, bob):
        person.handles(TimerDue())
    street.settle()
    same(alice, bob, pipe.booking)
    for person in (alice, bob):
        person.restarts()
    street.settle()
    same(alice, bob, pipe.booking)


def same(alice: Person, bob: Person, booking: bytes) -> None:
    one, other = alice.booking(booking), bob.booking(booking)
    assert [record.id for record in one.mine] == [record.id for record in other.theirs]
    assert [record.id for record in one.theirs] == [record.id for record in other.mine]
    assert alice.state(booking) == bob.state(booking)
    assert set(one.statements) == set(other.statements)
    assert _texts(one.messages, ours=True) == _texts(other.messages, ours=False)
    assert _texts(one.messages, ours=False) == _texts(other.messages, ours=True)
    assert not alice.owes() and not bob.owes()
    assert not alice.state(booking).faults


def _texts(messages: list[Any], ours: bool) -> list[tuple[int, str]]:
    return [(one.sent, one.text) for one in messages if one.ours is ours]


def pair() -> tuple[Street, Person, Person, bytes]:
    street = Street()
    alice, bob = street.host(), street.driver()
    return street, alice, bob, bob.books(alice)


def news(booking: bytes, **fields: Any) -> bytes:
    return wire.write(wire.Exchange(booking=booking, **fields))


def test_messages_go_both_ways_sealed_and_once() -> None:
    street, alice, bob, booking = pair()
    for number in range(10):
        (alice if number % 2 else bob).handles(WriteMessage(booking, f"line {number}"))
    for _ in range(3):
        bob.handles(WriteMessage(booking, "the same again"))
    street.settle()
    assert sorted(one.text for one in alice.booking(booking).messages) == sorted(
        one.text for one in bob.booking(booking).messages
    )
    assert len(alice.booking(booking).messages) == 13
    assert [one["event"] for one in alice.told("booking.message")] == ["booking.message"] * 8
    assert b"line" not in b"".join(alice.seen + bob.seen)


def test_a_message_is_for_one_booking_from_one_sender_to_one_recipient() -> None:
    _street, alice, bob, booking = pair()
    held = bob.booking(booking)
    good = Message(booking=booking, sender=bob.author, recipient=alice.author, sent=5, text="hi")
    for wrong in (
        replace(good, booking=b"?" * 32),
        replace(good, sender=alice.author),
        replace(good, recipient=bob.author),
    ):
        sealed = seal_message(wrong, b"n" * 24, held.their_key, held.file.secret)
        alice.answers(news(booking, sealed=(sealed,)))
    alice.answers(news(booking, sealed=(b"x" * 80,)))
    assert not alice.booking(booking).messages
    assert len(alice.told("booking.fault")) == 1  # of one kind, told once
    sealed = seal_message(good, b"n" * 24, held.their_key, held.file.secret)
    for _ in range(2):
        alice.answers(news(booking, sealed=(sealed,)))
    assert [one.text for one in alice.booking(booking).messages] == ["hi"]
    # Either side could have written it: deniable.
    mine = alice.booking(booking)
    assert open_message(sealed, mine.their_key, mine.file.secret) == good


def test_messages_are_bounded() -> None:
    _street, alice, bob, booking = pair()
    held = bob.booking(booking)
    for number in range(MAX_MESSAGES_A_SIDE + 5):
        text = Message(booking=booking, sender=bob.author, recipient=alice.author, sent=number, text="spam")
        alice.answers(
            news(booking, sealed=(seal_message(text, b"n" * 24, held.their_key, held.file.secret),))
        )
    assert len(alice.booking(booking).messages) == MAX_MESSAGES_A_SIDE


@pytest.mark.parametrize("kind", ["stranger", "own", "wrong side", "other booking", "forged"])
def test_records_that_do_not_belong_are_not_taken_and_what_came_before_is(kind: str) -> None:
    street, alice, bob, booking = pair()
    eve = street.driver("eve")
    fields = bob.booking(booking).set.driver_fields(street.now)
    stop = bob.me.sign(Stop(**fields)).raw
    wrong = {
        "stranger": eve.me.sign(Stop(**(fields | {"author": eve.author}))).raw,  # type: ignore[typeddict-item]
        "own": alice.me.sign(Acknowledge(**alice.booking(booking).set.host_fields(street.now))).raw,
        "wrong side": bob.me.sign(
            Acknowledge(**(alice.booking(booking).set.host_fields(street.now) | {"author": bob.author}))  # type: ignore[typeddict-item]
        ).raw,
        "other booking": bob.me.sign(Stop(**(fields | {"booking": b"?" * 32}))).raw,  # type: ignore[typeddict-item]
        "forged": eve.me.sign(Stop(**fields)).raw,
    }[kind]
    later = bob.me.sign(Stop(**(fields | {"issued": street.now + 1}))).raw  # type: ignore[typeddict-item]
    reply = wire.read(alice.answers(news(booking, records=(stop, wrong, later))))
    assert isinstance(reply, wire.Exchange)
    assert [one.raw for one in alice.booking(booking).theirs] == [stop]
    assert reply.known == 1
    assert alice.told("booking.fault")


def test_a_second_statement_of_a_side_is_refused() -> None:
    _street, alice, bob, booking = pair()
    bob.tells(StartCharging(booking))
    charges(alice, tag_of(booking), minutes=2)
    held = alice.booking(booking).statement(CompletionStatement, bob.author)
    assert held is not None
    other = bob.me.sign(replace(held.body, month=held.body.month + 1))
    alice.answers(news(booking, statements=(other.raw,)))
    assert alice.told("booking.fault")[0]["code"] == "second-statement"
    assert alice.booking(booking).statement(CompletionStatement, bob.author) == held
    mine = alice.booking(booking).statement(CompletionStatement, alice.author)
    assert mine is not None
    alice.answers(news(booking, statements=(mine.raw,)))
    assert alice.told("booking.fault")[1]["code"] == "not-a-party"


def test_whoever_claims_to_hold_more_than_there_is_changes_nothing() -> None:
    _street, alice, bob, booking = pair()
    alice.answers(news(booking, known=10**9, heard=10**9, held=(b"?" * 32,) * 4))
    alice.tells(WriteMessage(booking, "still comes"))
    assert bob.booking(booking).messages


def test_an_outbox_row_is_there_while_something_is_owed_and_gone_with_it() -> None:
    street, _alice, bob, booking = pair()
    bob.handles(WriteMessage(booking, "hi"))
    row = bob.disk.outbox["peer", booking]
    assert row.expires > street.now + 20 * 24 * HOUR
    bob.handles(TimerDue())
    assert bob.disk.outbox["peer", booking] is row  # not written again for nothing
    street.deliver(bob, booking)
    assert DropOutbox("peer", booking) in bob.effects
    assert bob.engine.parcel(booking, street.moment()) is None
    # After a restart nobody knows what the other side holds: asking once settles it.
    bob.restarts()
    street.settle()
    assert not bob.owes()


def test_many_records_go_in_several_messages() -> None:
    street, alice, bob, booking = pair()
    held = bob.booking(booking)
    fields = held.set.driver_fields(street.now)
    for number in range(300):
        fields["issued"] = street.now + number
        bob.disk.commit(bob.engine.ledger.write(held, Stop(**fields))[1])
    bob.handles(TimerDue())
    sizes = []
    while bob.owes():
        parcel = bob.engine.parcel(booking, street.moment())
        assert parcel is not None
        sent = wire.read(parcel.body)
        assert isinstance(sent, wire.Exchange)
        sizes.append(len(sent.records))
        street.deliver(bob, booking)
    assert sizes == [128, 128, 44]
    assert len(alice.booking(booking).theirs) == 300


def test_a_duplicate_of_the_first_message_makes_no_second_booking() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    first = next(one for one in bob.seen if (read := wire.read(one)) and getattr(read, "opening", None))
    slots = dict(alice.disk.slots)
    for _ in range(3):
        alice.handles(MessageReceived("x", "peer:bob", first))
    alice.restarts()
    alice.handles(MessageReceived("x", "peer:bob", first))
    assert [one.id for one in alice.engine.ledger] == [booking]
    assert alice.disk.slots == slots
    assert [one.number for one in (r.body for r in alice.booking(booking).mine)] == [1, 2]


def test_an_unknown_booking_is_told_how_to_be_found() -> None:
    _street, alice, _, _ = pair()
    with pytest.raises(PersonError) as error:
        alice.engine.ledger.require(b"?" * 32)
    assert error.value.exit_code == 3 and "bookings" in error.value.hint
    with pytest.raises(Refused):
        alice.answers(news(b"?" * 32))
