"""The doorkeeper by itself: limits by address, which on loopback never apply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from libp2p.transport.tcp.tcp import TCP
from multiaddr import Multiaddr

from chargemesh_node.addresses import UNKNOWN_BLOCK
from chargemesh_node.p2p.counters import Counters
from chargemesh_node.p2p.guard import Guard
from chargemesh_node.p2p.limits import DEFAULT_LIMITS, NetworkLimits
from chargemesh_node.p2p.swarm import GuardedSwarm

FAR = "203.0.113.{}"


def peer(number: int) -> ID:
    return ID.from_pubkey(create_new_key_pair(number.to_bytes(32, "big")).public_key)


class Connection:
    """A live connection from an address, as the swarm lists it."""

    is_closed = False

    def __init__(self, peer_id: ID, host: str) -> None:
        self.muxed_conn = self
        self.peer_id = peer_id
        self.host = host

    def get_remote_address(self) -> tuple[str, int]:
        return self.host, 4001


class Knock(Connection):
    """A fresh socket from an address."""

    closed = False

    async def close(self) -> None:
        self.closed = True


def make_swarm(limits: NetworkLimits = DEFAULT_LIMITS) -> tuple[GuardedSwarm, Counters]:
    counters = Counters()
    guard = Guard(limits, counters)
    return GuardedSwarm(peer(0), PeerStore(), None, [TCP()], limits, guard, counters), counters


def run(program: Callable[[], Awaitable[None]]) -> None:
    trio.run(program, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_block_of_addresses_has_only_so_many_connections() -> None:
    async def program() -> None:
        swarm, _ = make_swarm(replace(DEFAULT_LIMITS, max_connections_per_block=3))
        for n in range(1, 4):
            assert swarm._refusal(peer(n), FAR.format(n)) is None
            swarm.connections[peer(n)] = [Connection(peer(n), FAR.format(n))]
        assert swarm._refusal(peer(9), FAR.format(200)) == "connections-of-block"
        assert swarm._refusal(peer(9), "198.51.100.1") is None
        assert swarm._refusal(peer(9), "127.0.0.1") is None
        assert swarm._refusal(peer(0), "127.0.0.1") == "own-key"

    run(program)


def test_who_is_banned_under_ever_new_names_is_known_by_the_address() -> None:
    async def program() -> None:
        limits = replace(DEFAULT_LIMITS, max_bans_of_block=2, offences_burst=5)
        swarm, counters = make_swarm(limits)
        swarm._guard.on_ban(lambda peer_id: None, swarm._block_of)  # it doesn't run, and can close nothing

        def misbehaves(number: int, host: str) -> None:
            swarm.connections[peer(number)] = [Connection(peer(number), host)]
            for _ in range(limits.offences_burst + 1):
                swarm._guard.offence(str(peer(number)), "broken-stream")
            del swarm.connections[peer(number)]

        for n in (1, 2):
            misbehaves(n, FAR.format(n))
            assert swarm._refusal(peer(9), FAR.format(9)) is None, "a neighbour of one or two"
        misbehaves(3, FAR.format(3))
        assert swarm._refusal(peer(9), FAR.format(9)) == "block-banned"
        assert swarm._refusal(peer(9), "198.51.100.1") is None
        assert counters.get("blocks-banned") == 1
        await trio.sleep(limits.ban_seconds + 1)
        assert swarm._refusal(peer(9), FAR.format(9)) is None
        for n in range(10, 20):
            misbehaves(n, "127.0.0.1")
        assert swarm._refusal(peer(9), "127.0.0.1") is None, "on loopback each is a block of their own"

    run(program)


def test_a_peer_is_where_it_connects_from_and_not_where_it_says() -> None:
    async def program() -> None:
        swarm, _ = make_swarm()
        swarm.peerstore.add_addrs(peer(1), [Multiaddr("/ip4/192.0.2.1/tcp/4001")], 100)
        assert swarm.address_block(peer(1)) == UNKNOWN_BLOCK
        swarm.connections[peer(1)] = [Connection(peer(1), FAR.format(7))]
        assert swarm.address_block(peer(1)) == FAR.format(0) + "/24"

    run(program)


def test_an_address_that_knocks_too_often_is_not_opened_to() -> None:
    async def program() -> None:
        swarm, counters = make_swarm(replace(DEFAULT_LIMITS, accepts_burst=5, accepts_per_second=1))
        swarm._upgrade = refuse  # type: ignore[method-assign]
        for _ in range(8):
            await swarm._handle_inbound_connection(
                Knock(peer(1), FAR.format(1)), Multiaddr("/ip4/0.0.0.0/tcp/1")
            )
        assert counters.get("drop:accepts-of-address") == 3
        for _ in range(8):
            await swarm._handle_inbound_connection(Knock(peer(1), "::1"), Multiaddr("/ip6/::/tcp/1"))
        assert counters.get("drop:accepts-of-address") == 3

    run(program)


async def refuse(closer: Any, host: str | None) -> None:
    return None


def test_only_what_can_be_dialled_is_dialled() -> None:
    async def program() -> None:
        swarm, _ = make_swarm()
        told = ["/ip4/127.0.0.1/tcp/80", "/ip4/192.0.2.1/udp/1/quic-v1", "/ip4/192.0.2.1/tcp/4001"]
        swarm.peerstore.add_addrs(peer(1), [Multiaddr(text) for text in told], 100)
        assert [str(a) for a in swarm._dialable(peer(1))] == ["/ip4/192.0.2.1/tcp/4001"]
        with pytest.raises(SwarmException, match="no address"):
            swarm._dialable(peer(2))
        with pytest.raises(SwarmException, match="not to be dialled"):
            swarm._dialable(peer(0))

    run(program)


def test_after_a_failed_dial_there_is_a_pause_that_grows() -> None:
    async def program() -> None:
        swarm, _ = make_swarm()
        swarm.peerstore.add_addrs(peer(1), [Multiaddr("/ip4/192.0.2.1/tcp/4001")], 1000)
        for seconds in (1.0, 2.0, 4.0):
            swarm._pause(peer(1))
            with pytest.raises(SwarmException, match="a moment ago"):
                swarm._dialable(peer(1))
            await trio.sleep(seconds + 0.1)
            assert swarm._dialable(peer(1))
        swarm._pause(peer(1))
        swarm.forgive(peer(1))
        assert swarm._dialable(peer(1))

    run(program)
