"""What a machine asks of the world, as values: the runner commits the saves, then performs the rest.

Saves of one `handle` call are one transaction. An outbox row is a save: what must be delivered is on
disk before it is tried, and is tried again after a crash until it is dropped or expires.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .booking.post import Covers
from .contact import Contact, Mailbox

# --- saves --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PutDocument:
    """Writes one value of a named collection, replacing what was there."""

    collection: str
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class DropDocument:
    """Forgets one value; secrets are overwritten in the file (`secure_delete`)."""

    collection: str
    key: bytes


@dataclass(frozen=True, slots=True)
class AddRecord:
    """Adds a signed record to a booking's set; adding it twice is adding it once."""

    booking: bytes
    id: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class DropBooking:
    """Forgets every record of a booking (never one that was accepted)."""

    booking: bytes


@dataclass(frozen=True, slots=True)
class HoldSlot:
    """Reserves [start, end) of a charger; the store refuses an overlap, whatever memory says."""

    charger: bytes
    booking: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReleaseSlot:
    """Frees what a booking held."""

    booking: bytes


@dataclass(frozen=True, slots=True)
class PutOutbox:
    """Something to deliver until `expires`; a second row of the same channel and key replaces the first.

    channel "peer": `key` is a booking and the body is made when it is tried (`Engine.parcel`), so that a
    peer that was away gets everything at once. channel "notify": `body` is the event as JSON.
    """

    channel: str
    key: bytes
    expires: int
    body: bytes = b""
    not_before: int = 0  # unix ms; an answer that is under way anyway need not be pushed at once


@dataclass(frozen=True, slots=True)
class DropOutbox:
    """Delivered, or no longer wanted."""

    channel: str
    key: bytes


Save: TypeAlias = (
    PutDocument | DropDocument | AddRecord | DropBooking | HoldSlot | ReleaseSlot | PutOutbox | DropOutbox
)
SAVES = (PutDocument, DropDocument, AddRecord, DropBooking, HoldSlot, ReleaseSlot, PutOutbox, DropOutbox)

# --- outward, not kept: lost in a crash they are asked for again, or are worthless by then -----------


@dataclass(frozen=True, slots=True)
class Reply:
    """The response to the message being handled."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to the command being handled: plain values that become JSON."""

    value: Any


@dataclass(frozen=True, slots=True)
class StartWallbox:
    """Start charging for `tag` now; worthless once `until` has passed."""

    charger: bytes
    booking: bytes
    tag: str
    until: int


@dataclass(frozen=True, slots=True)
class StopWallbox:
    """End the running session."""

    charger: bytes
    session: str


@dataclass(frozen=True, slots=True)
class AuthoriseTag:
    """Let `tag` charge until then; None takes it back."""

    charger: bytes
    tag: str
    until: int | None


@dataclass(frozen=True, slots=True)
class Announce:
    """A charger's listing changed (or was withdrawn): caretakers, neighbours and gossip must hear of it."""

    charger: bytes


@dataclass(frozen=True, slots=True)
class EntriesCut:
    """New entries of our own log as gossip bodies (`trust.sync.Item`), to be replicated."""

    raws: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """One line of the event stream (API, logs). Never used for control flow."""

    name: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MailCopy:
    """A parcel for one mailbox. ephemeral: the 32 bytes that its key came from. replaces: the hash of an
    earlier parcel there that this one makes needless."""

    mailbox: Mailbox
    sealed: bytes
    ephemeral: bytes = field(repr=False)
    replaces: bytes | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """To be handed in at the first of the other side's mailboxes that takes it. covers: how far it brings
    them. letter: what is sealed in it, of which proof is to be kept if it `cancels`."""

    booking: bytes
    copies: tuple[MailCopy, ...]
    expires: int
    covers: Covers
    letter: bytes = field(repr=False)
    cancels: bool = False


Outward: TypeAlias = (
    Reply | Result | StartWallbox | StopWallbox | AuthoriseTag | Announce | EntriesCut | Mail | Tell
)
Effect: TypeAlias = Save | Outward


@dataclass(frozen=True, slots=True)
class Parcel:
    """What an outbox row of channel "peer" comes to when it is tried."""

    to: Contact
    protocol: str
    body: bytes
