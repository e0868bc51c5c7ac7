"""A node's replica of logs by itself, as the tests of replication need it."""

from __future__ import annotations

from collections.abc import Sequence

from chargemesh_node.bundles import Bundles
from chargemesh_node.clock import SeededEntropy
from chargemesh_node.peer_clocks import PeerClocks
from chargemesh_node.replica import LogReplica
from chargemesh_node.sim.disk import MemoryCache
from chargemesh_node.sim.loop import LoopClock
from chargemesh_node.sim.network import SimNetwork, SimulatedInternet
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.trust.sync import Item
from tests.protocol.trust.people import BORN, NETWORK, Person

ANNA = Person("anna")


class Keeping:
    """One node's replica, without the rest of a node."""

    def __init__(
        self,
        internet: SimulatedInternet,
        name: str,
        cache: MemoryCache | None = None,
        owner: Person = ANNA,
    ) -> None:
        self.name = name
        clock = LoopClock(BORN + 90 * 24 * 3600 * 1000)
        self.network: SimNetwork = internet.node(name)
        self.cache = cache or MemoryCache(clock)
        self.directory = Directory(NETWORK)
        self.bundles = Bundles(network=self.network, cache=self.cache, clock=clock, directory=self.directory)
        self.replica = LogReplica(
            network=self.network,
            cache=self.cache,
            clock=clock,
            entropy=SeededEntropy(name.encode()),
            bundles=self.bundles,
            clocks=PeerClocks(network=self.network, clock=clock),
            network_id=NETWORK,
            author=owner.author,
        )

    async def start(self, *met: Keeping, own: Sequence[Item] = ()) -> Keeping:
        await self.bundles.start()
        await self.replica.start([one.to_bytes() for one in own])
        await self.network.start()
        for other in met:
            await self.network.connect(other.network.contact)
        return self

    async def stop(self) -> None:
        await self.replica.close()
        await self.network.close()

    def says(self, *items: Item) -> None:
        """Entries of our own were cut."""
        self.replica.publish([item.to_bytes() for item in items])

    @property
    def entries(self) -> set[bytes]:
        return {entry.id for entry in self.replica.logs.accepted()}


def a_pair() -> tuple[Person, Person, list[Item], list[Item]]:
    """A host and a driver with a completed booking, reviewed by the driver."""
    host, driver = Person("host"), Person("driver")
    ours = [host.completes(driver, "booking")]
    theirs = [driver.completes(host, "booking"), driver.reviews(host, "booking", 2)]
    return host, driver, ours, theirs


def knowing(node: Keeping, *people: Person) -> Keeping:
    """As after a booking: both sides have each other's bundle."""
    for person in people:
        node.directory.learn(person.bundle.to_bytes())
    return node


def bundles_of(*people: Person) -> tuple[bytes, ...]:
    return tuple(person.bundle.to_bytes() for person in people)


async def stop(*nodes: Keeping) -> None:
    for node in nodes:
        await node.stop()
