"""Where a peer is dialled that was somewhere else before."""

from __future__ import annotations

from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from multiaddr import Multiaddr

from chargemesh_node.p2p.address_book import AddressBook
from chargemesh_node.p2p.limits import DEFAULT_LIMITS
from chargemesh_node.p2p.peer_id import peer_id_of

PEER = ID.from_string(peer_id_of(bytes(32)))
RESTARTS = DEFAULT_LIMITS.max_dial_addresses + 2


def at_port(number: int) -> Multiaddr:
    return Multiaddr(f"/ip4/192.0.2.1/tcp/{number}")


def dialled_after_restarts(store: PeerStore) -> list[Multiaddr]:
    for number in range(1, RESTARTS + 1):
        store.add_addrs(PEER, [at_port(number)], 60)
    return list(store.addrs(PEER))[: DEFAULT_LIMITS.max_dial_addresses]


def test_stock_never_dials_where_the_peer_is_now() -> None:
    assert at_port(RESTARTS) not in dialled_after_restarts(PeerStore())


def test_ours_dials_there_first() -> None:
    assert dialled_after_restarts(AddressBook(64))[0] == at_port(RESTARTS)


def test_a_known_address_that_is_told_again_comes_first_again() -> None:
    store = AddressBook(64)
    store.add_addrs(PEER, [at_port(1), at_port(2)], 60)
    store.add_addrs(PEER, [at_port(3)], 60)
    store.add_addrs(PEER, [at_port(2)], 60)
    assert list(store.addrs(PEER)) == [at_port(2), at_port(3), at_port(1)]


def test_an_address_with_the_peers_name_is_the_same_and_there_are_only_so_many() -> None:
    store = AddressBook(3)
    store.add_addrs(PEER, [Multiaddr(f"{at_port(1)}/p2p/{PEER}"), at_port(1)], 60)
    assert list(store.addrs(PEER)) == [at_port(1)]
    store.add_addrs(PEER, [at_port(number) for number in range(10)], 60)
    assert list(store.addrs(PEER)) == [at_port(0), at_port(1), at_port(2)]
