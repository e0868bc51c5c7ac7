"""This node's mailboxes and those of its counterparties: what is sealed for whom, and what a parcel means.

Pure: the visits themselves, in both directions, are `node/mailbox`. A parcel that was collected is judged by
the same rules as a message that came over a connection; here it is opened, and noted whom to answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..booking.kept import Booking
from ..booking.ledger import Ledger
from ..booking.post import Covers, KeptDeposit
from ..booking.records import Cancel
from ..booking.rows import DEPOSITS, deposit_key
from ..booking.wire import PROTOCOL as BOOKING
from ..booking.wire import write
from ..contact import Contact, Mailbox
from ..effects import DropDocument, Effect, Mail, MailCopy, PutDocument, Reply, Result, Tell
from ..encoding import decode, encode
from ..errors import ExitCode, PersonError, Refused
from ..limits import (
    CLOCK_TOLERANCE_MS,
    MAX_ADDRESS_CHARS,
    MAX_DEPOSITS_KEPT,
    MAX_MAILBOX_ADDRESSES,
    MAX_MAILBOXES,
    MAX_PARCEL_LIFE_MS,
)
from ..me import Me
from ..moment import Moment
from ..record import open_as
from ..shape import Bool, Seq, Struct, Uint, from_tree, key, shape, to_tree
from .keys import mailbox_key, mailbox_seed, sign_collect
from .sealing import Letter, letter_room, open_parcel, parcel_hash, seal_letter
from .wire import Deposited

MAILBOXES = "mailbox"
_OWN = b"own"
_MAX_LEFT = 8  # mailboxes used no more, that may still hold something
_AGAIN_AFTER_MS = 60_000  # between two parcels of one booking: the later one holds what the earlier did
_ANEW_AFTER_MS = 24 * 3600 * 1000  # a volunteer may have lost what it said it holds


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMailbox:
    """A mailbox of ours. left: when we stopped using it, 0 while we do."""

    mailbox: Mailbox = key(0, Struct(Mailbox))
    left: int = key(1, Uint(), default=0)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMailboxes:
    """What a node keeps of its choice. auto: it chose by itself, and may choose again."""

    chosen: tuple[OwnMailbox, ...] = key(0, Seq(Struct(OwnMailbox), MAX_MAILBOXES + _MAX_LEFT))
    auto: bool = key(1, Bool(), default=False)


class MailDesk:
    """Our mailboxes, and the parcels of our bookings both ways."""

    def __init__(self, me: Me, ledger: Ledger, documents: Mapping[str, Mapping[bytes, bytes]]) -> None:
        self._me = me
        self._ledger = ledger
        kept = documents.get(MAILBOXES, {}).get(_OWN)
        self._own = OwnMailboxes(chosen=()) if kept is None else from_tree(OwnMailboxes, decode(kept))

    # --- ours -----------------------------------------------------------------------------------

    @property
    def in_use(self) -> tuple[Mailbox, ...]:
        """What our contact names."""
        return tuple(one.mailbox for one in self._own.chosen if not one.left)

    @property
    def auto(self) -> bool:
        return self._own.auto

    def to_visit(self, now: int) -> tuple[Mailbox, ...]:
        """Those in use, and those left so lately that a parcel may still lie there."""
        return tuple(
            one.mailbox for one in self._own.chosen if not one.left or now < one.left + 2 * MAX_PARCEL_LIFE_MS
        )

    def contact(self, contact: Contact) -> Contact:
        """Where we answer, with where to leave what we can't be told."""
        return replace(contact, mailboxes=self.in_use or None)

    def key_at(self, signer: bytes) -> bytes:
        """Our public key at the volunteer who signs as `signer`."""
        return mailbox_key(self._seed(signer))

    def use(self, volunteers: Sequence[tuple[Contact, bytes]], auto: bool, now: int) -> list[Effect]:
        """From now on our contact names these (contact, signer), in that order; none for none."""
        if len(volunteers) > MAX_MAILBOXES:
            raise PersonError(
                "too-many-mailboxes",
                f"A node names {MAX_MAILBOXES} mailboxes at most.",
                "Use fewer.",
                ExitCode.USAGE,
            )
        chosen = [OwnMailbox(mailbox=self._mailbox(contact, signer)) for contact, signer in volunteers]
        signers = {one.mailbox.signer for one in chosen}
        left = [
            replace(one, left=one.left or now)
            for one in self._own.chosen
            if one.mailbox.signer not in signers and (not one.left or now < one.left + 2 * MAX_PARCEL_LIFE_MS)
        ]
        self._own = OwnMailboxes(chosen=(*chosen, *left[:_MAX_LEFT]), auto=auto)
        return [
            PutDocument(MAILBOXES, _OWN, encode(to_tree(self._own))),
            Result({"mailboxes": [one.mailbox.peer_id for one in chosen]}),
        ]

    def sign_collect(self, mailbox: Mailbox, challenge: bytes, drop: Sequence[bytes]) -> bytes:
        """Our signature for one request to collect."""
        return sign_collect(self._seed(mailbox.signer), self._me.network, mailbox.peer_id, challenge, drop)

    def open(self, mailbox: Mailbox, sealed: bytes) -> Letter:
        """A parcel of ours; Refused unless it holds a message about a booking."""
        letter = open_parcel(sealed, self._seed(mailbox.signer))
        if letter.protocol != BOOKING:
            raise Refused("unexpected", "a parcel holds messages about bookings only")
        return letter

    # --- theirs ---------------------------------------------------------------------------------

    def mailing(self, booking: Booking, nonces: Sequence[bytes], sender: Contact, at: Moment) -> Mail | None:
        """What the other side lacks, for its mailboxes. None if it has none, or lacks nothing; if what was
        handed in brings it as far, or was handed in just now; or if it is too long for a parcel."""
        last = booking.deposits[-1] if booking.deposits else None
        soon = last is not None and last.made <= at.now < last.made + _AGAIN_AFTER_MS
        if soon or not booking.file.peer.mailboxes or not self._ledger.owes(booking):
            return None
        exchange, covers = self._ledger.parcel(booking, nonces, small=True)
        lies_there = last is not None and at.now < min(last.expires, last.made + _ANEW_AFTER_MS)
        if last is not None and lies_there and last.covers == covers and not booking.post.answers:
            return None
        body, until = write(exchange), at.now + MAX_PARCEL_LIFE_MS
        if not booking.is_host and not booking.theirs:
            until = min(until, booking.request.body.expires)
        cancels = any(type(one.body) is Cancel for one in booking.mine[booking.peer_known : covers.records])
        return self._mail(booking.file.peer, booking.id, body, sender, covers, until, at, last, cancels)

    def reply(self, letter: Letter, effects: Sequence[Effect], sender: Contact, at: Moment) -> list[Effect]:
        """`effects` of a letter that was refused at once, with the reply sealed for whoever sent it: of such
        a request nothing is kept that could be answered later."""
        nothing = Covers(records=0, messages=0, statements=())
        until, found = at.now + MAX_PARCEL_LIFE_MS, list[Effect]()
        for one in effects:
            if isinstance(one, Reply):
                to, about = letter.sender, letter.booking
                mail = self._mail(to, about, one.body, sender, nothing, until, at, None, False)
                found += [] if mail is None else [mail]
            else:
                found.append(one)
        return found

    def handed_in(self, mail: Mail, number: int, proof: bytes, at: Moment) -> list[Effect]:
        """A volunteer took copy `number`; Refused unless it says so in the form that proves it."""
        copy = mail.copies[number]
        record = open_as(Deposited, proof, self._me.network)
        said, parcel = record.body, parcel_hash(copy.sealed)
        if record.kid != copy.mailbox.signer or said.parcel != parcel:
            raise Refused("mismatch", "the proof of a deposit is not this volunteer's or parcel's")
        if abs(said.issued - at.now) > CLOCK_TOLERANCE_MS:
            raise Refused("clock", "the mailbox dates a deposit by more than two minutes wrongly")
        booking = self._ledger.get(mail.booking)
        if booking is None:
            return []
        deposit = KeptDeposit(
            parcel=parcel,
            recipient=copy.mailbox.recipient,
            at=said.issued,
            expires=min(said.expires, mail.expires),
            made=at.now,
            records=mail.covers.records,
            messages=mail.covers.messages,
            statements=mail.covers.statements,
            proof=proof,
            ephemeral=copy.ephemeral if mail.cancels else None,
            letter=mail.letter if mail.cancels else None,
        )
        told = {"booking": mail.booking.hex(), "mailbox": copy.mailbox.peer_id, "at": said.issued}
        return [*self.keep(booking, deposit), Tell("booking.in_mailbox", told)]

    def keep(self, booking: Booking, deposit: KeptDeposit) -> list[Effect]:
        """Keeps the proof of a parcel for the other side; the oldest go that prove no cancellation."""
        kept, gone = booking.deposits, list[KeptDeposit]()
        kept.append(deposit)
        if len(kept) > MAX_DEPOSITS_KEPT:
            gone = [next((one for one in kept[:-1] if one.letter is None), kept[0])]
            kept.remove(gone[0])
        return [
            PutDocument(DEPOSITS, deposit_key(booking.id, deposit), encode(to_tree(deposit))),
            *(DropDocument(DEPOSITS, deposit_key(booking.id, one)) for one in gone),
            *self._ledger.update(booking, post=replace(booking.post, answers=False)),
        ]

    def noted(self, booking: Booking, letter: Letter) -> list[Effect]:
        """Where the other side is now, if the letter is the newest that says so."""
        if letter.sent <= booking.post.contact_at:
            return []
        return self.moved(booking, letter.sender, letter.sent)

    def moved(self, booking: Booking, contact: Contact, said_at: int) -> list[Effect]:
        """The other side is reached there from now on."""
        if booking.file.peer == contact:
            return []
        post = replace(booking.post, contact_at=max(booking.post.contact_at, said_at))
        return self._ledger.update(booking, peer=contact, post=post)

    # --- inside ---------------------------------------------------------------------------------

    def _mail(
        self,
        to: Contact,
        booking: bytes,
        body: bytes,
        sender: Contact,
        covers: Covers,
        until: int,
        at: Moment,
        last: KeptDeposit | None,
        cancels: bool,
    ) -> Mail | None:
        if not to.mailboxes or until <= at.now or len(body) > letter_room(sender, BOOKING):
            return None
        letter = Letter(protocol=BOOKING, body=body, sender=sender, sent=at.now, booking=booking)
        copies = []
        for number, mailbox in enumerate(to.mailboxes):
            ephemeral = at.fresh(f"parcel {booking.hex()} {number}")
            try:
                sealed = seal_letter(letter, mailbox.recipient, ephemeral)
            except Refused:
                continue  # their contact names a key that is none; the next may be one
            same = last is not None and last.recipient == mailbox.recipient and last.expires > at.now
            copies.append(MailCopy(mailbox, sealed, ephemeral, last.parcel if last and same else None))
        if not copies:
            return None
        return Mail(booking, tuple(copies), until, covers, encode(to_tree(letter)), cancels)

    def _mailbox(self, contact: Contact, signer: bytes) -> Mailbox:
        addresses = tuple(one for one in contact.addresses if len(one) <= MAX_ADDRESS_CHARS)
        return Mailbox(contact.peer_id, addresses[:MAX_MAILBOX_ADDRESSES], self.key_at(signer), signer)

    def _seed(self, signer: bytes) -> bytes:
        return mailbox_seed(self._me.device_seed, signer)


def proven_time(deposit: KeptDeposit, record: bytes, signer: bytes, network: str) -> int | None:
    """When `record` (raw) was handed in to the mailbox of `signer`, as a third party can verify; None if the
    deposit doesn't prove it."""
    if deposit.letter is None or deposit.ephemeral is None:
        return None
    proof = open_as(Deposited, deposit.proof, network)
    letter = from_tree(Letter, decode(deposit.letter))
    sealed = seal_letter(letter, deposit.recipient, deposit.ephemeral)
    good = proof.kid == signer and proof.body.parcel == parcel_hash(sealed) == deposit.parcel
    return proof.body.issued if good and record in letter.body else None
