"""libp2p's peerstore, with a peer's addresses in the order in which they are worth dialling.

As shipped it appends what is new and keeps it all: once a peer has been started again on more ports than
we dial (`max_dial_addresses`), the one where it listens is never among them, however often it is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from multiaddr import Multiaddr

from .addresses import without_peer


class AddressBook(PeerStore):
    """What was told last of a peer comes first; of each peer at most `most` addresses are kept."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def add_addrs(self, peer_id: ID, addrs: Sequence[Multiaddr], ttl: int = 0) -> None:
        told = [without_peer(address) for address in addrs]
        super().add_addrs(peer_id, told, ttl)
        peer = self.peer_data_map.get(peer_id)
        if peer is not None:  # there may be more peers than are kept
            peer.addrs = list(dict.fromkeys([*told, *peer.addrs]))[: self._most]
