"""Hosts of one trio process for the look-up's tests: honest, frozen, lying, and how they are joined.

The sockets are real, the time is not: it stands still while anybody has something to do, and jumps to the
next deadline when nobody has. A busy machine makes no peer look slow, and waiting for one costs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import trio
import trio.testing
from libp2p.kad_dht import common as kad_common
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.tools.anyio_service import background_trio_service
from multiaddr import Multiaddr

from chargemesh_node.p2p.counters import Counters
from chargemesh_node.p2p.guard import Guard
from chargemesh_node.p2p.host import make_dht, make_host
from chargemesh_node.p2p.kad_frontier import distance
from chargemesh_node.p2p.kad_limits import LookupLimits
from chargemesh_node.p2p.limits import DEFAULT_LIMITS
from chargemesh_node.p2p.lookup import Lookup

from .patched import patched

NETWORK = "chargemesh-test-lookup"
LIMITS = LookupLimits(join_jitter_s=0.2, tick_s=0.2)
QUIET_SECONDS = 0.01  # of real time in which no socket has anything: loopback delivers at once

Answer = Callable[[Any], Awaitable[None]]  # a stream of our protocol, to be treated badly


@dataclass(frozen=True, slots=True)
class House:
    """One node: a host, its Kademlia and our look-up."""

    host: Any
    dht: Any
    lookup: Lookup

    @property
    def id(self) -> ID:
        peer: ID = self.host.get_id()
        return peer

    @property
    def address(self) -> Multiaddr:
        return Multiaddr(str(self.host.get_addrs()[0]).split("/p2p/")[0])

    def knows(self, other: House) -> bool:
        return bool(self.dht.routing_table.peer_in_table(other.id))

    async def told_of(self, other: House) -> None:
        await self.host.connect(PeerInfo(other.id, [other.address]))


class Street:
    """Opens houses that run until the test's nursery is cancelled."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self.houses: list[House] = []

    async def open(self, number: int, answer: Answer | None = None, limits: LookupLimits = LIMITS) -> House:
        """A node; with `answer` it answers look-ups in that way, otherwise honestly."""
        house: House = await self._nursery.start(self._live, number, answer, limits)
        self.houses.append(house)
        return house

    async def _live(self, number: int, answer: Answer | None, limits: LookupLimits, task_status: Any) -> None:
        counters = Counters()
        listen = [Multiaddr("/ip4/127.0.0.1/tcp/0")]
        seed = hashlib.sha256(f"house {number}".encode()).digest()
        host = make_host(seed, listen, [], DEFAULT_LIMITS, Guard(DEFAULT_LIMITS, counters), counters)
        dht = make_dht(host, replace(DEFAULT_LIMITS, kad_requests_per_second=1000.0))
        lookup = Lookup(host, dht, limits, rng_seed=number)
        if answer is not None:
            host.set_stream_handler(kad_common.PROTOCOL_ID, answer)
        async with background_trio_service(host.get_network()), trio.open_nursery() as nursery:
            await host.get_network().listen(*listen)
            await nursery.start(lookup.run)
            task_status.started(House(host, dht, lookup))
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True), trio.move_on_after(1):
                    await host.close()

    async def honest(self, count: int) -> list[House]:
        """`count` nodes that are told of the first one alone, and then join."""
        houses = [await self.open(number) for number in range(count)]
        await self.join(houses)
        return houses

    async def join(self, houses: list[House]) -> None:
        for house in houses[1:]:
            await house.told_of(houses[0])
        await trio.sleep(2 * LIMITS.tick_s)  # the first one takes in who connected to it
        async with trio.open_nursery() as nursery:
            for house in houses:
                nursery.start_soon(house.lookup.join)


def key(number: int) -> bytes:
    return hashlib.sha256(f"cell {number}".encode()).digest()


def nearest(houses: list[House], target: bytes, count: int) -> list[ID]:
    """By brute force."""
    return sorted((house.id for house in houses), key=lambda peer: distance(target, peer))[:count]


async def recall(asker: House, houses: list[House], keys: range, count: int = 8) -> float:
    """The share of the truly nearest that look-ups of `asker` find; asserts their order."""
    right = 0
    for number in keys:
        found = [peer for peer, _ in await asker.lookup.closest(key(number), count)]
        assert found == sorted(found, key=lambda peer: distance(key(number), peer))
        right += len(set(found) & set(nearest(houses, key(number), count)))
    return right / (len(keys) * min(count, len(houses)))


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    with trio.fail_after(seconds):
        while not true():  # noqa: ASYNC110 - peers have no event to wait for
            await trio.sleep(0.1)


async def read_request(stream: Any) -> bytes:
    """The key of the FIND_NODE that comes next; b"" at the end."""
    data = await stream.read(1024)
    message = Message()
    message.ParseFromString(data[1:])
    return bytes(message.key)


async def send(stream: Any, message: Message) -> None:
    body = message.SerializeToString()
    length, out = len(body), bytearray()
    while length >= 0x80:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    await stream.write(bytes(out) + bytes((length,)) + body)


def in_a_street(story: Callable[[Street], Awaitable[None]], seconds: float = 300.0) -> None:
    """Runs the story in a trio of its own, for so many of its seconds; all it opened ends with it."""

    async def main() -> None:
        with trio.fail_after(seconds):
            async with trio.open_nursery() as nursery:
                await story(Street(nursery))
                nursery.cancel_scope.cancel()

    with patched(NETWORK):
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=QUIET_SECONDS))
