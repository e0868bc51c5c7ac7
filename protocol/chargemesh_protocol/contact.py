"""Where a node answers: its transport PeerId and addresses. Not an identity: transport keys rotate.

A node that is not always there also names volunteers who hold sealed parcels for it meanwhile (specs/15).
"""

from __future__ import annotations

from dataclasses import dataclass

from .limits import (
    MAX_ADDRESS_CHARS,
    MAX_ADDRESSES,
    MAX_MAILBOX_ADDRESSES,
    MAX_MAILBOXES,
    MAX_PEER_ID_CHARS,
)
from .shape import ID, Seq, Struct, Text, key, shape


@shape
@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox of one recipient: where the volunteer's node answers, and under which key it keeps parcels.

    `recipient` is the recipient's Ed25519 key at this mailbox and no other; `signer` is the volunteer's, by
    which it says what was handed in and when.
    """

    peer_id: str = key(0, Text(MAX_PEER_ID_CHARS))
    addresses: tuple[str, ...] = key(1, Seq(Text(MAX_ADDRESS_CHARS), MAX_MAILBOX_ADDRESSES))
    recipient: bytes = key(2, ID)
    signer: bytes = key(3, ID)

    @property
    def contact(self) -> Contact:
        """Where the volunteer's node answers."""
        return Contact(self.peer_id, self.addresses)


@shape
@dataclass(frozen=True, slots=True)
class Contact:
    """A libp2p PeerId (base58 text) and the multiaddrs (text, without /p2p) where it listens.

    `mailboxes`: where to leave what it can't be told now, the first that takes it; None for none.
    """

    peer_id: str = key(0, Text(MAX_PEER_ID_CHARS))
    addresses: tuple[str, ...] = key(1, Seq(Text(MAX_ADDRESS_CHARS), MAX_ADDRESSES))
    mailboxes: tuple[Mailbox, ...] | None = key(16, Seq(Struct(Mailbox), MAX_MAILBOXES, 1), optional=True)
