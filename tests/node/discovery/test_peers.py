"""The peer book: a node comes back to its network by itself, and doesn't pester who is gone."""

from __future__ import annotations

from chargemesh_node.clock import SeededEntropy
from chargemesh_node.discovery.peers import PeerBook
from chargemesh_node.sim.disk import MemoryCache
from chargemesh_node.sim.loop import LoopClock
from chargemesh_node.sim.network import SimNetwork, SimulatedInternet
from chargemesh_protocol.contact import Contact
from tests.protocol.discovery.hosts import NOW

from .street import a_while, run


def book(network: SimNetwork, cache: MemoryCache, *told: Contact) -> PeerBook:
    entropy = SeededEntropy(network.contact.peer_id.encode())
    return PeerBook(network=network, cache=cache, clock=LoopClock(NOW), entropy=entropy, told=told)


async def some_nodes(internet: SimulatedInternet, count: int) -> list[SimNetwork]:
    nodes = [internet.node(f"peer {number}") for number in range(count)]
    for node in nodes:
        await node.start()
    return nodes


def test_one_told_address_leads_to_several_peers_which_are_remembered() -> None:
    async def story() -> None:
        internet = SimulatedInternet(1)
        nodes = await some_nodes(internet, 10)
        network, cache = internet.node("new"), MemoryCache(LoopClock(NOW))
        await network.start()
        peers = book(network, cache, nodes[0].contact)
        await peers.start()
        await a_while(60)
        assert len(network.peers()) >= 4 and peers.problem == ""
        remembered = await cache.peers(100)
        assert {one.peer_id for one in remembered} >= {one.peer_id for one in network.peers()}
        await peers.close()
        await network.close()
        await nodes[0].close()  # the one that was told is gone for good
        again = internet.node("new")
        await again.start()
        peers = book(again, cache, nodes[0].contact)
        await peers.start()
        await a_while(5)
        assert len(again.peers()) >= 4
        await peers.close()

    run(story())


def test_lost_connections_are_replaced() -> None:
    async def story() -> None:
        internet = SimulatedInternet(2)
        nodes = await some_nodes(internet, 12)
        network = internet.node("new")
        await network.start()
        peers = book(network, MemoryCache(LoopClock(NOW)), nodes[0].contact)
        await peers.start()
        await a_while(60)
        for contact in network.peers():
            await internet.nodes[contact.peer_id].close()
        await a_while(60)
        assert len(network.peers()) >= 1
        await peers.close()

    run(story())


def test_a_peer_that_was_started_again_on_another_port_is_remembered_there() -> None:
    async def story() -> None:
        internet = SimulatedInternet(5)
        (neighbour,) = await some_nodes(internet, 1)
        network, cache = internet.node("new"), MemoryCache(LoopClock(NOW))
        await network.start()
        peers = book(network, cache, neighbour.contact)
        await peers.start()
        await a_while(1)
        assert await cache.peers(10) == [neighbour.contact]
        moved = Contact(neighbour.contact.peer_id, ("/ip4/192.0.2.1/tcp/2",))
        network._tell_of(neighbour.contact, False)
        network._tell_of(moved, True)
        await a_while(1)
        assert await cache.peers(10) == [moved]
        await peers.close()

    run(story())


def test_who_does_not_answer_is_tried_less_and_less_and_the_problem_is_said() -> None:
    async def story() -> None:
        internet = SimulatedInternet(3)
        network = internet.node("new")
        await network.start()
        alone = book(network, MemoryCache(LoopClock(NOW)))
        assert "invitation" in alone.problem
        gone = Contact("gone", ("/ip4/192.0.2.1/tcp/1",))
        peers = book(network, MemoryCache(LoopClock(NOW)), gone)
        await peers.start()
        await a_while(3600)
        assert 8 <= peers.counters["failed"] <= 16
        assert "gone is down" in peers.problem
        back = internet.node("gone")
        await back.start()
        await a_while(700)
        assert peers.problem == ""
        await peers.close()

    run(story())


def test_ourselves_and_contacts_without_addresses_are_no_peers_and_the_book_is_bounded() -> None:
    async def story() -> None:
        internet = SimulatedInternet(4)
        network = internet.node("new")
        await network.start()
        peers = book(network, MemoryCache(LoopClock(NOW)), network.contact, Contact("mute", ()))
        assert peers._candidates == {}
        peers.add(Contact("told", ("/ip4/192.0.2.1/tcp/1",)), told=True)
        for number in range(1000):
            peers.add(Contact(f"peer {number}", ("/ip4/192.0.2.1/tcp/1",)))
        assert len(peers._candidates) == 256 and "told" in peers._candidates
        neighbour = internet.node("neighbour")
        await neighbour.start()
        await peers.start()
        peers.neighbour_found(neighbour.contact)
        await a_while(1)
        assert "neighbour" in {one.peer_id for one in network.peers()}
        await peers.close()

    run(story())
