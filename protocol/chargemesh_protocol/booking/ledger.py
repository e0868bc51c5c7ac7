"""The bookings of a node, either side: what is kept of each, and which of them are loaded.

What records mean is the booking set's matter, what to do about them the desks'; what comes of the other side
is judged in `incoming`, and what goes to it packed in `outgoing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..effects import AddRecord, DropBooking, DropDocument, DropOutbox, Effect, PutDocument, PutOutbox
from ..encoding import encode
from ..identity import Bundle, Directory
from ..limits import MAX_MESSAGES_A_SIDE, MAX_RECORDS_A_SIDE
from ..me import Me
from ..record import Record, open_as
from ..shape import to_tree
from .at_rest import AtRest, Resting, is_completed, is_unpaid, sum_up
from .kept import Booking, BookingFile, KeptMessage, PeerHas
from .outgoing import pack, unheard
from .post import Covers
from .records import Quote, Request
from .rows import (
    AT_REST,
    BUNDLES,
    DEPOSITS,
    FILES,
    MESSAGES,
    STATEMENTS,
    BookingRows,
    apart,
    build,
    damaged,
    deposit_key,
    no_such_booking,
)
from .set import BookingSet
from .wire import Exchange

RESTORED = "restored"  # when this node last went on after a restore from a backup

_KEPT_FOR_THE_END = 64
OUTBOX_LIFE_MS = 21 * 24 * 3600 * 1000  # reviews open up to 14 days after the receipt


class Ledger:
    """The bookings of this node. Changes memory and says what to save, never one alone.

    Only those are loaded for which something may fall due, and those that an event names. The others are at
    rest, known by their summaries (`at_rest`), so that years of them cost next to nothing; whoever wants one
    loads it from its rows first.
    """

    def __init__(self, me: Me, directory: Directory) -> None:
        self._me = me
        self._directory = directory
        self._bookings: dict[bytes, Booking] = {}
        self._with: dict[bytes, list[Booking]] = {}  # by the other party
        self.resting = Resting()
        self._summaries: dict[bytes, bytes] = {}  # on disk, of bookings that are loaded and unchanged
        self._unsaved: set[bytes] = set()  # of these, whose file was changed by the load
        self._woken: list[bytes] = []  # changed since `woken` was asked, and not at rest again
        self._restored_at = 0

    def restore(
        self, documents: Mapping[str, Mapping[bytes, bytes]], records: Mapping[bytes, Mapping[bytes, bytes]]
    ) -> None:
        """Rebuilds from what the store holds; rows of bookings at rest may be missing. PersonError if it is
        damaged."""
        try:
            self.resting = Resting(documents.get(AT_REST))
        except ValueError as error:
            raise damaged("the list of past bookings", error) from error
        self._restored_at = int.from_bytes(documents.get(RESTORED, {}).get(b"", b""), "big")
        for booking_id, rows in apart(documents, records):
            if booking_id not in self.resting:
                self._enter(self.rebuilt(booking_id, rows))

    # --- which there are ------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Booking]:
        """Those that are loaded: for which something may still fall due."""
        return iter(self._bookings.values())

    def awake(self) -> list[Booking]:
        """As `iter`, for whoever changes which are loaded meanwhile."""
        return list(self._bookings.values())

    def known(self) -> list[bytes]:
        """Ids of all, loaded or at rest."""
        return [*self._bookings, *self.resting]

    def overview(self, now: int) -> dict[bytes, AtRest]:
        """A summary of each, also of those that are loaded."""
        loaded = {booking.id: sum_up(booking, None, self._restored_at, now) for booking in self}
        return {**loaded, **dict(self.resting.items())}

    def get(self, booking_id: bytes) -> Booking | None:
        """The booking, if it is loaded."""
        return self._bookings.get(booking_id)

    def require(self, booking_id: bytes) -> Booking:
        """The booking, which is loaded, or a PersonError that says how to find the right one."""
        booking = self._bookings.get(booking_id)
        if booking is None:
            raise no_such_booking()
        return booking

    def rebuilt(self, booking_id: bytes, rows: BookingRows) -> Booking:
        """The booking from its rows, to look at: the ledger doesn't know of it. PersonError if damaged."""
        booking = build(booking_id, rows, self._me.network)
        summary = self.resting.get(booking_id)
        compared = summary is None or summary.done or summary.compared_since >= self._restored_at
        if not compared:
            booking.file = replace(booking.file, restored=True, peer_has=None)
        self._recall_peer(booking)
        if summary is not None:
            # A row that stands is not written anew, which would try it at once and for longer.
            booking.queued = _amount(booking) if summary.queued or not compared else ()
        return booking

    def load(self, booking_id: bytes, rows: BookingRows) -> None:
        """Takes a booking out of its rest. PersonError if it is damaged."""
        booking = self.rebuilt(booking_id, rows)
        summary = self.resting.leave(booking_id)
        self._summaries[booking_id] = summary.to_bytes()
        if booking.file.restored and summary.compared_since < self._restored_at:
            self._unsaved.add(booking_id)
        self._enter(booking)

    def rest(self, booking: Booking, wake: int | None, now: int) -> list[Effect]:
        """Nothing falls due for it before `wake`: it is forgotten here, until it is loaded again."""
        summary = sum_up(booking, wake, self._restored_at, now)
        effects: list[Effect] = self._saved_late(booking)
        if self._summaries.get(booking.id) != summary.to_bytes():
            effects.append(PutDocument(AT_REST, booking.id, summary.to_bytes()))
        if booking.id in self._woken:
            self._woken.remove(booking.id)  # changed in this very turn, and summed up since
        self._leave(booking)
        self.resting.enter(booking.id, summary)
        return effects

    def woken(self) -> list[Effect]:
        """What drops the summaries of bookings that were changed: to be committed with the changes."""
        effects: list[Effect] = []
        for booking_id in self._woken:
            booking = self._bookings.get(booking_id)
            effects += [DropDocument(AT_REST, booking_id), *(self._saved_late(booking) if booking else [])]
        self._woken.clear()
        return effects

    def mark_restored(self, now: int) -> list[Effect]:
        """After a restore: nothing is signed in a booking until its other side has said that it holds no
        record of ours that the backup lacks; a second record in one place would be evidence against us."""
        self._restored_at = max(now, self._restored_at + 1)
        effects: list[Effect] = [PutDocument(RESTORED, b"", self._restored_at.to_bytes(8, "big"))]
        for booking in self.awake():
            if not booking.file.done:
                booking.compared = False
                effects += self.update(booking, restored=True, peer_has=None)
        # Those at rest are marked once they are loaded (`rebuilt`): to be tried, each of them is.
        effects += [
            PutOutbox("peer", booking, now + OUTBOX_LIFE_MS)
            for booking, summary in self.resting.items()
            if not summary.done
        ]
        return effects

    # --- what is kept of one --------------------------------------------------------------------

    def open(self, file: BookingFile) -> tuple[Booking, list[Effect]]:
        """Begins a booking with its quote and request, both already judged."""
        quote = open_as(Quote, file.quote, self._me.network)
        request = open_as(Request, file.request, self._me.network)
        booking = Booking(request.id, file, BookingSet(quote, request), quote, request)
        saved = self._saved(booking)
        return self._enter(booking), [saved]

    def update(self, booking: Booking, **changes: Any) -> list[Effect]:
        """Changes the file of a booking."""
        booking.file = replace(booking.file, **changes)
        self._wake(booking)
        self._unsaved.discard(booking.id)
        return [self._saved(booking)]

    def write(self, booking: Booking, body: Any) -> tuple[Record[Any], list[Effect]]:
        """Signs a record of ours and adds it to the set; the same record again in one millisecond is one."""
        record = self._me.sign(body)
        return record, self.add(booking, record)

    def add(self, booking: Booking, record: Record[Any]) -> list[Effect]:
        """Takes a record of either side into the set; nothing if it is there. Refused if it can't belong."""
        if not booking.set.add(record):
            return []
        self._wake(booking)
        ours = record.body.author == self._me.author
        (booking.mine if ours else booking.theirs).append(record)
        return [AddRecord(booking.id, record.id, record.raw)]

    def has_room(self, booking: Booking) -> bool:
        """Whether the other side may still make us sign: the last records of ours are for how it ends."""
        return len(booking.mine) < MAX_RECORDS_A_SIDE - _KEPT_FOR_THE_END

    def may_message(self, booking: Booking) -> bool:
        """Whether the other side would take one more message of ours."""
        return bool(booking.file.secret) and len(booking.our_messages) < MAX_MESSAGES_A_SIDE

    def forget(self, booking: Booking) -> list[Effect]:
        """As if it had never been: for requests of others that came to nothing."""
        self._wake(booking)
        self._leave(booking)
        others = booking.other in self._with or any(self.resting.having(booking.other))
        if not others:
            # Strangers can make many identities: whom we have no booking with is not kept either.
            self._directory.release(booking.other)
        messages = [booking.id + number.to_bytes(4, "big") for number in range(len(booking.messages))]
        return [
            DropBooking(booking.id),
            DropDocument(FILES, booking.id),
            *(DropDocument(MESSAGES, one) for one in messages),
            *(DropDocument(STATEMENTS, booking.id + one) for one in booking.statements),
            *(DropDocument(DEPOSITS, deposit_key(booking.id, one)) for one in booking.deposits),
            DropOutbox("peer", booking.id),
            *([] if others else [DropDocument(BUNDLES, booking.other)]),
        ]

    def add_message(self, booking: Booking, message: KeptMessage) -> list[Effect]:
        """Keeps one message of either side; ours only if `may_message`. ValueError if it is too long."""
        number = len(booking.messages)
        while message in booking.messages:
            # The other side knows a repetition by its time and text.
            message = replace(message, sent=message.sent + 1)
        data = encode(to_tree(message))
        booking.messages.append(message)
        self._wake(booking)
        return [PutDocument(MESSAGES, booking.id + number.to_bytes(4, "big"), data)]

    def add_statement(self, booking: Booking, record: Record[Any]) -> list[Effect]:
        booking.statements[record.id] = record
        self._wake(booking)
        return [PutDocument(STATEMENTS, booking.id + record.id, record.raw)]

    def completed_with(self, author: bytes) -> bool:
        """Whether a session with this counterparty was charged and signed for by both."""
        return self.completions_with(author) > 0

    def completions_with(self, author: bytes) -> int:
        """How many sessions with this counterparty were charged and signed for by both."""
        return sum(is_completed(one) for one in self._with.get(author, ())) + sum(
            one.completed for one in self.resting.having(author)
        )

    def owed_by(self, driver: bytes, now: int) -> bool:
        """Whether this driver has a receipt of ours that is not paid."""
        return any(is_unpaid(one, now) for one in self._with.get(driver, ())) or any(
            one.unpaid for one in self.resting.having(driver)
        )

    # --- the exchange ---------------------------------------------------------------------------

    def owes(self, booking: Booking) -> bool:
        """Whether the other side has not yet said that it holds everything of ours."""
        return not booking.file.refused and (
            booking.peer_known < len(booking.mine)
            or bool(unheard(booking))
            or any(id_ not in booking.peer_held for id_ in booking.our_statements)
            or (not booking.is_host and not booking.theirs)
            or booking.post.answers
            or bool(booking.file.restored and not booking.compared)
        )

    def delivery(self, booking: Booking, now: int, *, wait_ms: int = 0) -> list[Effect]:
        """The outbox row of this booking: there while something is owed or asked for, gone if not."""
        unanswered = not booking.is_host and not booking.theirs and now > booking.request.body.expires
        if unanswered or not (self.owes(booking) or booking.lacks):
            was_queued, booking.queued = booking.queued, ()
            return [DropOutbox("peer", booking.id), *self._remember_peer(booking)] if was_queued else []
        owed = _amount(booking)
        if booking.queued == owed:
            return []
        booking.queued = owed
        expires = max(now, booking.state(now).quote.end) + OUTBOX_LIFE_MS
        if not booking.is_host and not booking.theirs:
            expires = booking.request.body.expires
        return [PutOutbox("peer", booking.id, expires, not_before=now + wait_ms)]

    def parcel(
        self, booking: Booking, fresh_nonces: Sequence[bytes], *, small: bool = False
    ) -> tuple[Exchange, Covers]:
        """Everything the other side lacks (see `outgoing`)."""
        us = self._directory.get(self._me.author)
        return pack(booking, self._me, us, fresh_nonces, small=small)

    # --- inside ---------------------------------------------------------------------------------

    def _enter(self, booking: Booking) -> Booking:
        self._bookings[booking.id] = booking
        self._with.setdefault(booking.other, []).append(booking)
        return booking

    def _leave(self, booking: Booking) -> None:
        del self._bookings[booking.id]
        self._summaries.pop(booking.id, None)
        self._unsaved.discard(booking.id)
        others = self._with[booking.other]
        others.remove(booking)
        if not others:
            del self._with[booking.other]

    def _wake(self, booking: Booking) -> None:
        """It is about to change: what the store says of its rest holds no longer."""
        if self._summaries.pop(booking.id, None) is not None:
            self._woken.append(booking.id)

    def _saved_late(self, booking: Booking) -> list[Effect]:
        """The file, if the load changed it and nothing has saved it since."""
        if booking.id not in self._unsaved:
            return []
        self._unsaved.discard(booking.id)
        return [self._saved(booking)]

    def _remember_peer(self, booking: Booking) -> list[Effect]:
        """Keeps what the other side holds, now that it holds everything."""
        has = PeerHas(
            records=booking.peer_known,
            messages=booking.peer_heard,
            statements=tuple(sorted(booking.peer_held)),
        )
        return [] if booking.file.peer_has == has else self.update(booking, peer_has=has)

    def _recall_peer(self, booking: Booking) -> None:
        has = booking.file.peer_has
        if has is not None:
            booking.peer_known, booking.peer_heard = min(has.records, len(booking.mine)), has.messages
            booking.peer_held = frozenset(has.statements)
        # There may be a row: nothing owed must drop it, news must renew it.
        booking.queued = () if has is not None and not self.owes(booking) else (-1,)

    def _saved(self, booking: Booking) -> PutDocument:
        return PutDocument(FILES, booking.id, encode(to_tree(booking.file)))


def _amount(booking: Booking) -> tuple[int, ...]:
    """How much there is to be delivered of it, all in all."""
    kept = (booking.mine, booking.messages, booking.statements, booking.lacks)
    return (*(len(one) for one in kept), booking.post.answers)


def learn_bundle(directory: Directory, data: bytes) -> tuple[Bundle, list[Effect]]:
    """Keeps a bundle of somebody we have a booking with; it must still be there after a restart."""
    bundle = directory.learn(data, keep=True)
    return bundle, [PutDocument(BUNDLES, bundle.author, bundle.to_bytes())]
