"""What the engine makes of parcels: owed answers, delivery states, contacts, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.post import Delivery, delivery_of, message_delivery
from chargemesh_protocol.booking.records import CancelReason
from chargemesh_protocol.booking.rules import FORWARDED
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.contact import Contact, Mailbox
from chargemesh_protocol.effects import Effect, Mail, Result, Tell
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.events import (
    CancelBooking,
    MailCollected,
    MailHandedIn,
    UseMailboxes,
    WriteMessage,
)
from chargemesh_protocol.limits import MAX_DEPOSITS_KEPT, MAX_PARCEL_LIFE_MS, QUOTE_LIFE_MS
from chargemesh_protocol.mailbox.keys import mailbox_key
from chargemesh_protocol.mailbox.sealing import Letter, parcel_hash, seal_letter
from chargemesh_protocol.mailbox.wire import Deposited
from chargemesh_protocol.record import sign
from tests.protocol.neighbours import HOUR, MINUTE, NETWORK, Person, Street

SIGNER = b"v" * 32
VOLUNTEER = Contact("volunteer", ("/dns4/volunteer/tcp/1",))


class Apart(Street):
    """Nobody reaches anybody while `apart`."""

    apart = False

    def settle(self) -> None:
        if not self.apart:
            super().settle()


class Post:
    """Alice and Bob, who are never there at the same time, and what lies at the volunteer's."""

    def __init__(self) -> None:
        self.street = Apart()
        self.alice, self.bob = self.street.host("alice"), self.street.driver("bob")
        for one in (self.alice, self.bob):
            one.handles(UseMailboxes(((VOLUNTEER, mailbox_key(SIGNER)),)))
            one.contact = one.engine.listings.contact

    @property
    def now(self) -> int:
        return self.street.now

    def books(self, *, apart: bool = False) -> bytes:
        """Bob books Alice's charger for the afternoon; `apart`: he has her quote, and then she is away."""
        given = self.bob.asks(self.alice, self.now + 8 * HOUR)
        self.street.apart = apart
        booking = self.bob.takes(self.alice, given, wait_ms=6 * HOUR)
        self.street.apart = True
        return booking

    def meet(self) -> None:
        """For a moment both are there."""
        self.street.apart = False
        self.street.settle()
        self.street.apart = True

    def mail(self, sender: Person, booking: bytes) -> Mail:
        """What the sender would hand in now, which must be something."""
        mail = sender.engine.mailing(booking, self.street.moment())
        assert mail is not None
        return mail

    def has_mail(self, sender: Person, booking: bytes) -> bool:
        return sender.engine.mailing(booking, self.street.moment()) is not None

    def hands_in(self, sender: Person, booking: bytes) -> Mail:
        """The volunteer takes it, and the sender keeps the proof."""
        mail = self.mail(sender, booking)
        sender.handles(MailHandedIn(mail, 0, self.proof(mail)))
        return mail

    def proof(self, mail: Mail, *, signer: bytes = SIGNER, **changes: Any) -> bytes:
        said = Deposited(issued=self.now, parcel=parcel_hash(mail.copies[0].sealed), expires=mail.expires)
        return sign(replace(said, **changes), signer, NETWORK).raw

    def collects(self, reader: Person, mail: Mail, handed_in: int | None = None) -> list[Effect]:
        sealed = mail.copies[0].sealed
        mailbox = reader.engine.mail.in_use[0]
        return reader.handles(MailCollected(mailbox, sealed, self.now if handed_in is None else handed_in))

    def where(self, one: Person, booking: bytes) -> Delivery:
        return delivery_of(one.booking(booking), self.now)

    def owes(self, one: Person, booking: bytes) -> bool:
        return one.engine.parcel(booking, self.street.moment()) is not None


@pytest.fixture
def post() -> Post:
    return Post()


def test_a_booking_goes_through_parcels_alone_and_ends_in_silence(post: Post) -> None:
    booking = post.books(apart=True)
    assert post.where(post.bob, booking) is Delivery.WAITING
    request = post.hands_in(post.bob, booking)
    assert post.where(post.bob, booking) is Delivery.IN_MAILBOX
    post.collects(post.alice, request)
    assert post.alice.booking(booking).file.block == FORWARDED + "volunteer"
    accepted = post.hands_in(post.alice, booking)
    assert post.where(post.alice, booking) is Delivery.IN_MAILBOX
    post.collects(post.bob, accepted)
    assert post.bob.state(booking).reservation is Reservation.RESERVED
    post.street.wait(MINUTE)
    thanks = post.hands_in(post.bob, booking)
    assert post.where(post.bob, booking) is Delivery.DELIVERED
    assert not post.owes(post.bob, booking), "the thanks are with the volunteer"
    post.collects(post.alice, thanks)
    assert post.where(post.alice, booking) is Delivery.DELIVERED
    assert not post.owes(post.alice, booking), "thanks are owed no thanks"
    for reader, again in ((post.bob, accepted), (post.alice, thanks), (post.alice, request)):
        post.collects(reader, again)
    assert post.bob.state(booking) == post.alice.state(booking)


def test_a_message_is_delivered_only_by_the_other_sides_word(post: Post) -> None:
    booking = post.books()
    for number in range(2):
        post.bob.handles(WriteMessage(booking, f"number {number}"))
    held = post.bob.booking(booking)
    assert [message_delivery(held, n, post.now) for n in (0, 1)] == [Delivery.WAITING] * 2
    first = post.hands_in(post.bob, booking)
    post.street.wait(2 * MINUTE)
    post.bob.handles(WriteMessage(booking, "number 2"))
    assert [message_delivery(held, n, post.now) for n in (0, 1, 2)] == [
        Delivery.IN_MAILBOX,
        Delivery.IN_MAILBOX,
        Delivery.WAITING,
    ]
    post.collects(post.alice, first)
    post.collects(post.bob, post.hands_in(post.alice, booking))
    assert [message_delivery(held, n, post.now) for n in (0, 1, 2)] == [
        Delivery.DELIVERED,
        Delivery.DELIVERED,
        Delivery.WAITING,
    ]
    post.street.wait(MAX_PARCEL_LIFE_MS)
    assert message_delivery(held, 2, post.now) is Delivery.WAITING, "what has expired lies nowhere"


def test_the_same_is_not_handed_in_again_before_a_day_nor_anything_before_a_minute(post: Post) -> None:
    booking = post.books()
    post.bob.handles(WriteMessage(booking, "hello"))
    first = post.hands_in(post.bob, booking)
    post.bob.handles(WriteMessage(booking, "hello again"))
    assert not post.has_mail(post.bob, booking), "within a minute"
    post.street.wait(MINUTE)
    second = post.hands_in(post.bob, booking)
    assert second.copies[0].replaces == parcel_hash(first.copies[0].sealed)
    post.street.wait(23 * HOUR)
    assert not post.has_mail(post.bob, booking), "it lies there"
    post.street.wait(HOUR)
    assert post.has_mail(post.bob, booking), "it may have been lost"


def test_a_proof_that_proves_nothing_is_refused_and_nothing_is_in_their_mailbox(post: Post) -> None:
    booking = post.books(apart=True)
    mail = post.mail(post.bob, booking)
    for proof, code in (
        (post.proof(mail, signer=b"x" * 32), "mismatch"),
        (post.proof(mail, parcel=bytes(32)), "mismatch"),
        (post.proof(mail, issued=post.now - 3 * MINUTE), "clock"),
        (b"no record", "encoding"),
    ):
        with pytest.raises(Refused) as refused:
            post.bob.handles(MailHandedIn(mail, 0, proof))
        assert refused.value.code == code
    assert post.where(post.bob, booking) is Delivery.WAITING


def test_the_quote_had_to_be_good_when_the_request_was_handed_in(post: Post) -> None:
    booking = post.books(apart=True)
    mail, in_time = post.mail(post.bob, booking), post.now
    post.street.wait(QUOTE_LIFE_MS + 10 * MINUTE)
    refused = post.collects(post.alice, mail, handed_in=post.now)
    [answer] = [one for one in refused if isinstance(one, Mail)]
    post.collects(post.alice, mail, handed_in=in_time)
    assert post.alice.booking(booking).state(post.now).reservation is Reservation.RESERVED
    post.collects(post.bob, answer)
    assert post.bob.booking(booking).file.refused == "quote-expired"


def test_a_stored_exchange_neither_lowers_what_is_known_nor_ends_a_restored_nodes_wait(post: Post) -> None:
    booking = post.books()
    post.bob.handles(WriteMessage(booking, "hello"))
    old = post.mail(post.bob, booking)
    post.meet()
    known = post.alice.booking(booking).peer_known
    assert known > 0
    post.collects(post.alice, old)
    assert post.alice.booking(booking).peer_known == known
    ledger = post.alice.engine.ledger
    ledger.mark_restored(post.now)
    post.collects(post.alice, old)
    assert post.alice.booking(booking).file.restored, "nobody knows how old it is"


def test_the_newest_letter_says_where_its_sender_is(post: Post) -> None:
    booking = post.books()
    here, there = Contact("bob", ("/ip4/192.0.2.1/tcp/1",)), Contact("bob", ("/ip4/192.0.2.2/tcp/1",))
    body = wire.write(wire.Exchange(booking=booking))
    mailbox = post.alice.engine.mail.in_use[0]
    for sender, sent in ((there, post.now + 2), (here, post.now + 1)):  # the older comes last
        letter = Letter(protocol=wire.PROTOCOL, body=body, sender=sender, sent=sent, booking=booking)
        sealed = seal_letter(letter, mailbox.recipient, bytes(32))
        post.alice.handles(MailCollected(mailbox, sealed, post.now))
    assert post.alice.booking(booking).file.peer == there


def letters(booking: bytes) -> dict[str, Letter]:
    usual = Letter(
        protocol=wire.PROTOCOL,
        body=wire.write(wire.Exchange(booking=booking)),
        sender=VOLUNTEER,
        sent=1,
        booking=booking,
    )
    ask = wire.AskQuote(charger=bytes(16), start=1, end=2, energy_wh=0)
    return {
        "of another protocol": replace(usual, protocol="/chargemesh/log/1"),
        "a question for a quote": replace(usual, body=wire.write(ask)),
        "about two bookings": replace(usual, booking=bytes(32)),
        "about nothing that is known": replace(
            usual, body=wire.write(wire.Exchange(booking=bytes(32))), booking=bytes(32)
        ),
        "no message": replace(usual, body=b"\xa1\x00\x63abc"),
    }


@pytest.mark.parametrize("name", letters(bytes(32)))
def test_a_letter_that_makes_no_sense_is_refused_and_changes_nothing(post: Post, name: str) -> None:
    booking = post.books()
    before = post.alice.booking(booking).file
    mailbox = post.alice.engine.mail.in_use[0]
    sealed = seal_letter(letters(booking)[name], mailbox.recipient, bytes(32))
    with pytest.raises(Refused):
        post.alice.handles(MailCollected(mailbox, sealed, post.now))
    assert post.alice.booking(booking).file == before


def test_an_unsigned_refusal_ends_nothing_that_the_host_has_answered(post: Post) -> None:
    booking = post.books()
    assert post.bob.state(booking).reservation is Reservation.RESERVED
    mailbox = post.bob.engine.mail.in_use[0]
    failed = wire.write(wire.Failed(code="busy", message="no"))
    letter = Letter(protocol=wire.PROTOCOL, body=failed, sender=VOLUNTEER, sent=1, booking=booking)
    with pytest.raises(Refused):
        post.bob.handles(MailCollected(mailbox, seal_letter(letter, mailbox.recipient, bytes(32)), post.now))
    assert not post.bob.booking(booking).file.refused


def test_another_mailbox_is_told_to_open_bookings_and_the_old_one_still_visited(post: Post) -> None:
    booking = post.books()
    post.meet()
    elsewhere = Contact("elsewhere", ("/dns4/elsewhere/tcp/1",))
    told = post.bob.handles(UseMailboxes(((elsewhere, mailbox_key(b"w" * 32)),)))
    assert [one.value for one in told if isinstance(one, Result)] == [{"mailboxes": ["elsewhere"]}]
    assert [one.peer_id for one in post.bob.engine.mail.to_visit(post.now)] == ["elsewhere", "volunteer"]
    post.bob.handles(WriteMessage(booking, "hello"))
    post.meet()
    peer = post.alice.booking(booking).file.peer
    assert peer.mailboxes is not None and peer.mailboxes[0].peer_id == "elsewhere"
    later = post.now + 3 * MAX_PARCEL_LIFE_MS
    assert [one.peer_id for one in post.bob.engine.mail.to_visit(later)] == ["elsewhere"]


def test_a_key_that_is_none_is_passed_over_and_one_that_is_gets_the_parcel(post: Post) -> None:
    booking = post.books(apart=True)
    held = post.bob.booking(booking)
    good = held.file.peer.mailboxes
    assert good is not None
    bad = Mailbox("odd", (), bytes(32), bytes(32))
    held.file = replace(held.file, peer=replace(held.file.peer, mailboxes=(bad, *good)))
    assert [one.mailbox for one in post.mail(post.bob, booking).copies] == list(good)


def test_so_many_proofs_are_kept_and_those_of_a_cancellation_longest(post: Post) -> None:
    booking = post.books()
    post.bob.handles(CancelBooking(booking, CancelReason.DRIVER_CANCELED))
    post.hands_in(post.bob, booking)
    [cancelled] = post.bob.booking(booking).deposits
    assert cancelled.letter is not None
    for number in range(MAX_DEPOSITS_KEPT + 4):
        later = replace(cancelled, made=post.now + 1 + number, letter=None)
        post.bob.disk.commit(post.bob.engine.mail.keep(post.bob.booking(booking), later))
    post.bob.restarts()
    kept = post.bob.booking(booking).deposits
    assert len(kept) == MAX_DEPOSITS_KEPT and kept[0] == cancelled
    assert kept[-1].made == post.now + MAX_DEPOSITS_KEPT + 4


def test_long_messages_go_one_parcel_after_the_other(post: Post) -> None:
    booking = post.books()
    for _ in range(4):
        post.bob.handles(WriteMessage(booking, "\U0001f415" * 2000))
    mail = post.hands_in(post.bob, booking)
    assert mail.covers.messages == 2 and len(mail.copies[0].sealed) == 65_536
    post.collects(post.alice, mail)
    assert len(post.alice.booking(booking).messages) == 2


def test_the_event_stream_says_that_it_lies_in_their_mailbox(post: Post) -> None:
    booking = post.books(apart=True)
    mail = post.mail(post.bob, booking)
    effects = post.bob.handles(MailHandedIn(mail, 0, post.proof(mail)))
    [told] = [one for one in effects if isinstance(one, Tell) and one.name == "booking.in_mailbox"]
    assert told.facts["booking"] == booking.hex() and told.facts["at"] == post.now
