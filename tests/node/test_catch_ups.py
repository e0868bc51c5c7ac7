"""Who gets a session: everybody in turn, each once, and a crowd no more than there is room for."""

from __future__ import annotations

import asyncio
from collections import Counter

from chargemesh_node.catch_ups import AGAIN_SECONDS, MAX_SESSIONS, SESSIONS_AT_ONCE, CatchUps
from chargemesh_node.clock import SeededEntropy
from chargemesh_node.sim import loop as simulated
from chargemesh_node.sim.network import SimNetwork, SimulatedInternet
from chargemesh_protocol.contact import Contact

SESSION_SECONDS = 20.0


class Meeting:
    """A node that meets others; each session only takes its time."""

    def __init__(self, internet: SimulatedInternet) -> None:
        self.internet = internet
        self.network: SimNetwork = internet.node("node")
        self.begun: list[str] = []
        self.running = self.most = 0
        self.counters: Counter[str] = Counter()
        self.catch_ups = CatchUps(
            network=self.network,
            entropy=SeededEntropy(b"meeting"),
            session=self._session,
            every_seconds=3600.0,
            counters=self.counters,
        )

    async def _session(self, contact: Contact) -> bool:
        self.begun.append(contact.peer_id)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(SESSION_SECONDS)
        self.running -= 1
        return True

    async def meets(self, *names: str) -> None:
        for name in names:
            other = self.internet.node(name)
            await other.start()
            await other.connect(self.network.contact)


def test_a_crowd_waits_in_a_bounded_line() -> None:
    async def story() -> None:
        node = Meeting(SimulatedInternet(1))
        await node.network.start()
        await node.meets(*(f"peer {number}" for number in range(MAX_SESSIONS + 30)))
        await asyncio.sleep(MAX_SESSIONS * SESSION_SECONDS)
        assert node.most == SESSIONS_AT_ONCE and node.counters["crowded"] > 0
        assert len(node.begun) == len(set(node.begun)) == MAX_SESSIONS + 30 - node.counters["crowded"]
        await node.catch_ups.close()
        await node.network.close()

    simulated.run(story())


def test_a_peer_that_connects_again_and_again_gets_one_session() -> None:
    async def story() -> None:
        node = Meeting(SimulatedInternet(2))
        await node.network.start()
        await node.meets("restless")
        for _ in range(10):
            node.internet.nodes["restless"].vanish()
            await node.meets("restless")
            await asyncio.sleep(AGAIN_SECONDS / 20)
        assert node.begun == ["restless"]
        await asyncio.sleep(AGAIN_SECONDS)
        assert node.catch_ups.caught_up == {"restless"}
        await node.catch_ups.close()
        await node.network.close()

    simulated.run(story())


def test_whoever_has_gone_is_forgotten() -> None:
    async def story() -> None:
        node = Meeting(SimulatedInternet(3))
        await node.network.start()
        node.catch_ups.start()
        await node.meets("passing", "staying")
        await asyncio.sleep(3 * SESSION_SECONDS)
        assert node.catch_ups.caught_up == {"passing", "staying"}
        node.internet.nodes["passing"].vanish()
        await asyncio.sleep(2 * 3600)
        assert node.catch_ups.caught_up == {"staying"}
        await node.catch_ups.close()
        await node.network.close()

    simulated.run(story())
