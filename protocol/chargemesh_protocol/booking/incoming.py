"""What the other side sends about a booking: judged piece by piece, and what is good of it kept.

What each piece means is the booking set's matter, and what to do about it the desks'.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..effects import Effect
from ..errors import Refused, Severity
from ..identity import Directory, Scope
from ..limits import MAX_MESSAGES_A_SIDE
from ..me import Me
from ..record import Record, open_as, open_record
from ..trust.entries import CompletionStatement, ReviewCommitment
from .kept import Booking, KeptMessage
from .ledger import Ledger
from .records import Change, Offer, Quote
from .sealing import open_message
from .wire import Exchange


@dataclass(slots=True)
class Merged:
    """What came of one message of the other side."""

    saves: list[Effect] = field(default_factory=list)
    fresh: list[Record[Any]] = field(default_factory=list)  # new records and statements
    messages: list[KeptMessage] = field(default_factory=list)
    fault: Refused | None = None


class Incoming:
    """Makes our set of a booking the union of both."""

    def __init__(self, me: Me, directory: Directory, ledger: Ledger) -> None:
        self._me = me
        self._directory = directory
        self._ledger = ledger

    def asked(self, booking: Booking, news: Exchange) -> None:
        """A request says what its sender holds: after a restore that is less than it once said, and all from
        there goes to it again. An answer may be a late one, which lowers nothing (`merge`)."""
        booking.peer_known = min(booking.peer_known, news.known)
        booking.peer_heard = min(booking.peer_heard, news.heard)
        booking.peer_held &= frozenset(news.held)

    def merge(self, booking: Booking, news: Exchange, *, stored: bool = False) -> Merged:
        """Takes what is good of the other side's message.

        A record that does not fit ends the taking, since order is what `known` counts; what came before
        it is kept, and the fault is reported. `stored`: it lay in a mailbox, nobody knows for how long, so
        that it doesn't tell what the other side holds by now.
        """
        booking.compared |= not stored
        booking.peer_known = max(booking.peer_known, min(news.known, len(booking.mine)))
        booking.peer_heard = max(booking.peer_heard, min(news.heard, len(booking.our_messages)))
        booking.peer_held |= frozenset(news.held) & frozenset(booking.statements)
        merged = Merged()
        brings = bool(news.records or news.statements or news.sealed)
        post = replace(booking.post, heard=True, answers=stored and (brings or booking.post.answers))
        if booking.post != post and (booking.file.post or not booking.is_host or post.answers):
            merged.saves += self._ledger.update(booking, post=post)
        if not stored and booking.file.restored and news.known <= len(booking.mine):
            merged.saves += self._ledger.update(booking, restored=None)
        try:
            for raw in news.records:
                self._take_record(booking, raw, merged)
            for raw in news.statements:
                self._take_statement(booking, raw, merged)
            for sealed in news.sealed:
                self._take_message(booking, sealed, merged)
        except Refused as fault:
            merged.fault = fault
        return merged

    # --- inside ---------------------------------------------------------------------------------

    def _take_record(self, booking: Booking, raw: bytes, merged: Merged) -> None:
        if raw == booking.request.raw or any(raw == one.raw for one in reversed(booking.theirs)):
            return
        record = open_record(raw, self._me.network)
        if getattr(record.body, "author", None) != booking.other:
            raise Refused("not-a-party", "a record of somebody else", Severity.FORGED)
        self._directory.authorise(record, booking.other, Scope.BOOK)
        if isinstance(record.body, Change | Offer):
            quote = open_as(Quote, record.body.quote, self._me.network)
            if quote.body.author == booking.host:  # else it takes no effect, whoever signed it
                self._directory.authorise(quote, booking.host, Scope.LIST)
        if saved := self._ledger.add(booking, record):
            merged.saves += saved
            merged.fresh.append(record)

    def _take_statement(self, booking: Booking, raw: bytes, merged: Merged) -> None:
        record = open_record(raw, self._me.network)
        body = record.body
        if type(body) not in (CompletionStatement, ReviewCommitment) or body.author != booking.other:
            raise Refused("not-a-party", "no statement of the other side", Severity.FORGED)
        held = booking.statement(type(body), booking.other)
        if held is not None:
            if held.id != record.id:
                raise Refused("second-statement", "the other side has already made this statement")
            return
        # A statement names a month at the most: a delegation that covers the quote's time will do.
        self._directory.authorise(record, booking.other, Scope.LOG, booking.quote.body.issued)
        merged.saves += self._ledger.add_statement(booking, record)
        merged.fresh.append(record)

    def _take_message(self, booking: Booking, sealed: bytes, merged: Merged) -> None:
        theirs = len(booking.messages) - len(booking.our_messages)
        if not booking.file.secret or theirs >= MAX_MESSAGES_A_SIDE:
            return
        message = open_message(sealed, booking.their_key, booking.file.secret)
        parties = (message.booking, message.sender, message.recipient)
        if parties != (booking.id, booking.other, self._me.author):
            raise Refused("sealed", "a message of another booking", Severity.FORGED)
        kept = KeptMessage(ours=False, sent=message.sent, text=message.text)
        if kept not in booking.messages:
            merged.saves += self._ledger.add_message(booking, kept)
            merged.messages.append(kept)
