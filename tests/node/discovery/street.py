"""A street of nodes on simulated time: `street.node("anna")`, `node.lists()`, `await node.finds()`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from chargemesh_node.clock import SeededEntropy
from chargemesh_node.discovery.announcer import Announcer, OwnListings
from chargemesh_node.discovery.caretaker import Caretaker
from chargemesh_node.discovery.finder import Finder
from chargemesh_node.discovery.gossip import ListingGossip
from chargemesh_node.sim import loop as simulated
from chargemesh_node.sim.disk import MemoryCache
from chargemesh_node.sim.loop import LoopClock
from chargemesh_node.sim.network import SimNetwork, SimulatedInternet
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.places import Quotas
from chargemesh_protocol.discovery.search import FoundListing
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point
from tests.protocol.discovery.hosts import CHARGER, HERE, NETWORK, NOW, Host

T = TypeVar("T")


def run(story: Coroutine[Any, Any, T]) -> T:
    """Plays a story on simulated time."""
    return simulated.run(story)


class Node:
    """One node's discovery, without the rest of a node. `own` holds the raw newest record of its chargers."""

    def __init__(self, street: Street, name: str, cache: MemoryCache | None = None) -> None:
        self.street = street
        self.name = name
        self.host = Host(name)
        self.clock = LoopClock(NOW)
        self.network: SimNetwork = street.internet.node(name)
        self.cache = cache or MemoryCache(self.clock)
        self.directory = Directory(NETWORK)
        self.own: dict[bytes, Any] = {}
        self.neighbours: list[Contact] = []
        self.sequence = 0
        entropy = SeededEntropy(name.encode())
        self.caretaker = Caretaker(
            network=self.network,
            cache=self.cache,
            clock=self.clock,
            entropy=entropy,
            directory=self.directory,
            quotas=street.quotas,
        )
        self.gossip = ListingGossip(
            network=self.network, caretaker=self.caretaker, clock=self.clock, network_id=NETWORK
        )
        self.announcer = Announcer(
            network=self.network,
            gossip=self.gossip,
            clock=self.clock,
            entropy=entropy,
            directory=self.directory,
            network_id=NETWORK,
            own=OwnListings(
                lambda: self.own,
                lambda charger: self.own[charger].raw if charger in self.own else None,
                self._renewal,
                self.host.bundle.to_bytes,
            ),
            neighbours=lambda: self.neighbours,
        )
        self.finder = Finder(
            network=self.network,
            caretaker=self.caretaker,
            gossip=self.gossip,
            clock=self.clock,
            directory=self.directory,
            network_id=NETWORK,
            neighbours=lambda: self.neighbours,
        )

    def _renewal(self, charger: bytes) -> bytes | None:
        record = self.own[charger]
        return self.host.renews(record, self.clock.now()).raw if record.kind == "listing" else None

    async def start(self) -> Node:
        await self.network.start()
        for service in (self.caretaker, self.gossip, self.announcer):
            await service.start()
        return self

    async def stop(self) -> None:
        for service in (self.announcer, self.finder, self.gossip, self.caretaker):
            await service.close()
        await self.network.close()

    def lists(self, where: Point = HERE, charger: bytes = CHARGER, **changes: Any) -> None:
        """Offers a charger, or offers it anew."""
        self.sequence += 1
        changes.setdefault("sequence", self.sequence)
        self.own[charger] = self.host.lists(where, charger=charger, issued=self.clock.now(), **changes)
        self.announcer.announce(charger)

    def withdraws(self, charger: bytes = CHARGER) -> None:
        self.sequence += 1
        self.own[charger] = self.host.withdraws(self.own[charger], self.clock.now(), self.sequence)
        self.announcer.announce(charger)

    async def finds(
        self, where: Point = HERE, radius_m: float = 3000, need: Need | None = None
    ) -> list[FoundListing]:
        return await self.finder.find(where, radius_m, need or Need()).all()


class Street:
    def __init__(self, seed: int = 1, quotas: Quotas | None = None) -> None:
        self.internet = SimulatedInternet(seed)
        self.quotas = quotas
        self.nodes: list[Node] = []

    async def node(self, name: str, cache: MemoryCache | None = None) -> Node:
        """A new node, started and connected to the first one."""
        node = await Node(self, name, cache).start()
        if self.nodes:
            await node.network.connect(self.nodes[0].network.contact)
        self.nodes.append(node)
        return node

    async def all(self, count: int) -> list[Node]:
        return [await self.node(f"node {number}") for number in range(count)]

    async def stop(self) -> None:
        for node in self.nodes:
            await node.stop()


async def a_while(seconds: float) -> None:
    await asyncio.sleep(seconds)
