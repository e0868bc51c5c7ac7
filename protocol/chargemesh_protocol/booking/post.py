"""What became of what we sent: told to the other side, in its mailbox by the volunteer's word, or with us.

"Delivered" is what the other side said it holds, and nothing else. A deposit proves that it was handed in,
and when, not that anybody has read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ..limits import MAX_PARCEL_BYTES
from ..shape import ID, Bool, Bytes, Seq, Uint, key, shape
from .wire import MAX_STATEMENTS

if TYPE_CHECKING:
    from .kept import Booking

_MAX_PROOF_BYTES = 512


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a node keeps of how it and the other side reach each other.

    heard: the other side has answered, so that it holds the request. answers: it must hear that its parcel
    came. contact_at: when the newest contact that its parcels told was written, by its clock.
    """

    heard: bool = key(0, Bool(), default=False)
    answers: bool = key(1, Bool(), default=False)
    contact_at: int = key(2, Uint(), default=0)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Covers:
    """How far a parcel brings the other side: so many of our records and messages, and these statements."""

    records: int = key(0, Uint())
    messages: int = key(1, Uint())
    statements: tuple[bytes, ...] = key(2, Seq(ID, MAX_STATEMENTS))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDeposit:
    """One parcel that was handed in, and the proof of it.

    at, expires: as the volunteer signed them. made: by our clock. proof: its record `deposit`. ephemeral and
    letter: kept where the time matters (a cancellation), since with them the parcel can be sealed again.
    """

    parcel: bytes = key(0, ID)
    recipient: bytes = key(1, ID)
    at: int = key(2, Uint())
    expires: int = key(3, Uint())
    made: int = key(4, Uint())
    records: int = key(5, Uint())
    messages: int = key(6, Uint())
    statements: tuple[bytes, ...] = key(7, Seq(ID, MAX_STATEMENTS))
    proof: bytes = key(8, Bytes(1, _MAX_PROOF_BYTES))
    ephemeral: bytes | None = key(16, Bytes(32), optional=True)
    letter: bytes | None = key(17, Bytes(1, MAX_PARCEL_BYTES), optional=True)

    @property
    def covers(self) -> Covers:
        return Covers(records=self.records, messages=self.messages, statements=self.statements)


class Delivery(Enum):
    """Where something of ours is. WAITING: still with us, tried or not."""

    DELIVERED = "delivered"
    IN_MAILBOX = "in-mailbox"
    WAITING = "waiting"


def delivery_of(booking: Booking, now: int) -> Delivery:
    """Where the least advanced thing of ours is: request, records, messages, statements."""
    if not undelivered(booking):
        return Delivery.DELIVERED
    deposit = live_deposit(booking, now)
    if deposit is None:
        return Delivery.WAITING
    covered = deposit.records >= len(booking.mine) and deposit.messages >= len(booking.our_messages)
    held = {*deposit.statements, *booking.peer_held}
    return Delivery.IN_MAILBOX if covered and held >= set(booking.our_statements) else Delivery.WAITING


def message_delivery(booking: Booking, number: int, now: int) -> Delivery:
    """Where our message of that number is (from 0, of ours alone)."""
    if number < booking.peer_heard:
        return Delivery.DELIVERED
    deposit = live_deposit(booking, now)
    covered = deposit is not None and number < deposit.messages
    return Delivery.IN_MAILBOX if covered else Delivery.WAITING


def undelivered(booking: Booking) -> bool:
    """Whether the other side has yet to say that it holds something of ours."""
    return (
        not _holds_request(booking)
        or booking.peer_known < len(booking.mine)
        or booking.peer_heard < len(booking.our_messages)
        or any(one not in booking.peer_held for one in booking.our_statements)
    )


def live_deposit(booking: Booking, now: int) -> KeptDeposit | None:
    """The newest parcel that may still lie in the other side's mailbox."""
    newest = booking.deposits[-1] if booking.deposits else None
    return newest if newest is not None and newest.expires > now else None


def _holds_request(booking: Booking) -> bool:
    return booking.is_host or booking.post.heard or bool(booking.theirs)
