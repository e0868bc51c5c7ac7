"""Where a node answers: its transport PeerId and addresses. Not an identity: transport keys rotate."""

from __future__ import annotations

from dataclasses import dataclass

from .limits import MAX_ADDRESS_CHARS, MAX_ADDRESSES, MAX_PEER_ID_CHARS
from .shape import Seq, Text, key, shape


@shape
@dataclass(frozen=True, slots=True)
class Contact:
    """A libp2p PeerId (base58 text) and the multiaddrs (text, without /p2p) where it listens."""

    peer_id: str = key(0, Text(MAX_PEER_ID_CHARS))
    addresses: tuple[str, ...] = key(1, Seq(Text(MAX_ADDRESS_CHARS), MAX_ADDRESSES))
