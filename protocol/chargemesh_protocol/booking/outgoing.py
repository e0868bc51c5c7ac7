"""What goes to the other side of a booking in one message: all that it has not said it holds, within bounds.

Pure, and made anew at each try; what became of it is in `post`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..identity import Bundle
from ..me import Me
from ..record import Record
from .kept import Booking, KeptMessage
from .post import Covers
from .sealing import NONCE_BYTES, Message, seal_message
from .wire import MAX_MESSAGES_A_PARCEL, MAX_RECORDS_A_MESSAGE, MAX_STATEMENTS, Exchange

_MAX_EXCHANGE_RECORD_BYTES = 128 * 1024  # leaves room for statements and messages in one body
# Of a mailbox's parcel, beside the largest quote and bundle.
_MAX_SMALL_RECORD_BYTES, _MAX_SMALL_MESSAGE_BYTES = 16 * 1024, 20 * 1024
_BESIDE_A_TEXT = 256  # booking, parties, nonce and tag


def pack(
    booking: Booking, me: Me, us: Bundle | None, fresh_nonces: Sequence[bytes], *, small: bool = False
) -> tuple[Exchange, Covers]:
    """Everything the other side lacks, within the bounds of one message, and how far that brings it.

    `small`: within those of a mailbox's parcel.
    """
    records: list[Record[Any]] = []
    size = 0
    most = _MAX_SMALL_RECORD_BYTES if small else _MAX_EXCHANGE_RECORD_BYTES
    for one in booking.mine[booking.peer_known :]:
        size += len(one.raw)
        if len(records) == MAX_RECORDS_A_MESSAGE or size > most:
            break
        records.append(one)
    opening = booking.file.quote if not booking.is_host and not booking.theirs else None
    unknown = opening is not None or (booking.is_host and not booking.peer_known)
    bundle = me.bundle if unknown or _outlive_their_bundle(booking, me, us, records) else None
    texts = unheard(booking)[:MAX_MESSAGES_A_PARCEL]
    if small:
        texts = _first_of(texts, _MAX_SMALL_MESSAGE_BYTES)
    lacking = [id_ for id_ in booking.our_statements if id_ not in booking.peer_held][:MAX_STATEMENTS]
    covers = Covers(
        records=booking.peer_known + len(records),
        messages=booking.peer_heard + len(texts),
        statements=tuple(lacking),
    )
    exchange = Exchange(
        booking=booking.id,
        records=tuple(([booking.request.raw] if opening else []) + [one.raw for one in records]),
        known=len(booking.theirs),
        statements=tuple(booking.statements[id_].raw for id_ in lacking),
        held=tuple(id_ for id_ in booking.statements if id_ not in booking.our_statements),
        sealed=tuple(
            _sealed(booking, me, message, nonce) for message, nonce in zip(texts, fresh_nonces, strict=False)
        ),
        heard=len(booking.messages) - len(booking.our_messages),
        opening=opening,
        bundle=bundle,
    )
    return exchange, covers


def unheard(booking: Booking) -> list[KeptMessage]:
    """Our messages that can still reach the other side: once the keys are deleted, none can."""
    return booking.our_messages[booking.peer_heard :] if booking.file.secret else []


def _first_of(messages: list[KeptMessage], most: int) -> list[KeptMessage]:
    """As many of the first as fit into so many bytes when they are sealed."""
    chosen, size = list[KeptMessage](), 0
    for one in messages:
        size += len(one.text.encode()) + _BESIDE_A_TEXT
        if size > most:
            break
        chosen.append(one)
    return chosen


def _sealed(booking: Booking, me: Me, message: KeptMessage, nonce: bytes) -> bytes:
    text = Message(
        booking=booking.id,
        sender=me.author,
        recipient=booking.other,
        sent=message.sent,
        text=message.text,
    )
    return seal_message(text, nonce[:NONCE_BYTES], booking.their_key, booking.file.secret)


def _outlive_their_bundle(
    booking: Booking, me: Me, us: Bundle | None, records: Sequence[Record[Any]]
) -> bool:
    """Whether the other side may lack the delegation of a record that it is to get: what it had of us
    when the booking began has ended since."""
    began = booking.quote if booking.is_host else booking.request
    had = [one.body for one in us.delegations if one.body.issued <= began.body.issued] if us else []
    return not all(
        any(one.device == record.kid and one.issued <= record.body.issued < one.expires for one in had)
        for record in records
    )
