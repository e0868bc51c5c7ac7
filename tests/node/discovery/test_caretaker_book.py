"""Remembered caretakers: a second search looks nobody up, and nobody is remembered for too long."""

from __future__ import annotations

import asyncio
import logging

import pytest

from chargemesh_node.discovery import caretaker_book
from chargemesh_node.discovery.caretaker_book import (
    FRESH_SECONDS,
    MAX_LEAVES,
    NEAREST,
    STALE_SECONDS,
    CaretakerBook,
)
from chargemesh_node.errors import NetworkError, Unreachable
from chargemesh_node.sim.network import SimNetwork, SimulatedInternet
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.limits import CARETAKERS
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import public_cell
from tests.protocol.discovery.hosts import CHARGER, HERE, NETWORK

from .street import Node, Street, a_while, run

LEAF = public_cell(HERE, 4)


async def internet_of(count: int) -> tuple[CaretakerBook, list[SimNetwork]]:
    internet = SimulatedInternet(1)
    nodes = [internet.node(f"node {number}") for number in range(count)]
    for node in nodes:
        await node.start()
    return CaretakerBook(nodes[0], NETWORK, logging.getLogger(__name__)), nodes


async def searching_street(street: Street) -> tuple[Node, Node]:
    """A host that is listed, and a driver who keeps nothing itself, has searched and so knows who does."""
    nodes = await street.all(25)
    host = nodes[3]
    host.lists()
    await a_while(20)
    kept = host.announcer.announcements[CHARGER].kept_by()
    driver = next(node for node in nodes if node is not host and node.name not in kept)
    assert len(await driver.finds()) == 1
    await a_while(1)
    return host, driver


def test_caretakers_are_remembered_then_refreshed_beside_a_search_then_forgotten() -> None:
    async def story() -> None:
        book, nodes = await internet_of(20)
        assert book.remembered(LEAF) == ()
        found = await book.look_up(LEAF)
        assert len(found) == CARETAKERS
        await a_while(FRESH_SECONDS - 1)
        assert book.remembered(LEAF) == found and book.look_ups == 1
        await nodes[[one.contact for one in nodes].index(found[0])].close()
        await a_while(2)
        assert book.remembered(LEAF) == found  # as it was: the search does not wait
        await a_while(1)
        assert book.look_ups == 2 and found[0] not in book.remembered(LEAF)
        await a_while(STALE_SECONDS)
        assert book.remembered(LEAF) == ()

    run(story())


def test_who_fails_is_not_named_again_before_a_look_up_says_so() -> None:
    async def story() -> None:
        book, _ = await internet_of(20)
        first, *others = await book.look_up(LEAF)
        book.failed(first.peer_id)
        assert book.remembered(LEAF) == tuple(others)
        await a_while(1)  # it was looked up again meanwhile, and it lives
        assert book.look_ups == 2 and book.remembered(LEAF) == (first, *others)

    run(story())


def test_a_network_that_is_small_or_still_growing_is_looked_up_each_time() -> None:
    async def story() -> None:
        book, _ = await internet_of(CARETAKERS - 1)
        assert len(await book.look_up(LEAF)) == CARETAKERS - 1
        assert book.remembered(LEAF) == ()

    run(story())


def test_who_wants_the_same_leaf_at_once_shares_one_look_up_and_its_failure() -> None:
    async def story() -> None:
        book, nodes = await internet_of(20)
        found = await asyncio.gather(*(book.look_up(LEAF) for _ in range(5)))
        assert book.look_ups == 1 and len(set(found)) == 1

        async def fails(key: bytes, count: int = 8) -> list[Contact]:
            await asyncio.sleep(0.1)
            raise Unreachable("the network process is not running")

        nodes[0].closest = fails  # type: ignore[method-assign]
        failed = await asyncio.gather(*(book.look_up(LEAF) for _ in range(2)), return_exceptions=True)
        assert [type(one) for one in failed] == [Unreachable] * 2 and book.look_ups == 2
        assert book.remembered(LEAF) == found[0]
        with pytest.raises(NetworkError):
            await book.look_up(LEAF)

    run(story())


def test_the_leaves_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caretaker_book, "MAX_LEAVES", 3)
    assert MAX_LEAVES == 256

    async def story() -> None:
        book, _ = await internet_of(20)
        for leaf in range(5):
            await book.look_up(leaf)
        assert [leaf for leaf in range(5) if book.remembered(leaf)] == [2, 3, 4]

    run(story())


def test_a_first_search_looks_for_three_caretakers_and_learns_of_all_when_it_is_over() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(25)
        nodes[3].lists()
        await a_while(20)
        driver = nodes[9]
        wanted: list[int] = []
        closest = driver.network.closest

        async def counted(key: bytes, count: int = 8) -> list[Contact]:
            wanted.append(count)
            return await closest(key, count)

        driver.network.closest = counted  # type: ignore[method-assign]
        search = driver.finder.find(HERE, 3000, Need())
        assert len(await search.all()) == 1 and search.report.believable
        roots = list(search.report.answers)
        assert all(driver.finder.book.remembered(root) == () for root in roots)
        await a_while(1)
        assert wanted == [NEAREST] * len(roots) + [CARETAKERS] * len(roots)
        assert all(len(driver.finder.book.remembered(root)) == CARETAKERS for root in roots)
        await street.stop()

    run(story())


def test_a_second_search_looks_nobody_up() -> None:
    async def story() -> None:
        street = Street()
        _, driver = await searching_street(street)
        before = driver.finder.book.look_ups
        search = driver.finder.find(HERE, 3000, Need())
        assert len(await search.all()) == 1 and search.report.believable
        assert driver.finder.book.look_ups == before
        await street.stop()

    run(story())


def test_a_search_goes_on_where_all_remembered_caretakers_are_gone() -> None:
    async def story() -> None:
        street = Street()
        host, driver = await searching_street(street)
        gone = [one for one in street.nodes if one.name in host.announcer.announcements[CHARGER].kept_by()]
        for node in gone:
            if node is not host:
                await node.stop()
                street.nodes.remove(node)
        host.lists()
        await a_while(20)
        search = driver.finder.find(HERE, 3000, Need())
        assert len(await search.all()) == 1 and search.report.believable
        await street.stop()

    run(story())


def test_a_caretaker_that_hangs_delays_one_search_and_no_other() -> None:
    async def story() -> None:
        street = Street()
        _, driver = await searching_street(street)
        loop = asyncio.get_running_loop()
        first = driver.finder.book.remembered(LEAF)[:2]
        asked: list[str] = []
        street.internet.tap = lambda sender, receiver, protocol, body: (
            asked.append(receiver) if sender == driver.name and protocol == "/chargemesh/listing/1" else None
        )
        for contact in first:
            street.internet.faults.cut.add((driver.name, contact.peer_id))
        began = loop.time()
        assert len(await driver.finds()) == 1
        assert 0.3 <= loop.time() - began < 1.5
        asked.clear()
        began = loop.time()
        assert len(await driver.finds()) == 1
        assert loop.time() - began < 0.3 and not {one.peer_id for one in first} & set(asked)
        await street.stop()

    run(story())


def test_the_nodes_that_answered_are_counted_once_and_without_ourselves() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(3)
        nodes[0].lists()
        await a_while(10)
        nodes[0].neighbours.append(nodes[1].network.contact)
        search = nodes[0].finder.find(HERE, 20_000, Need())  # several leaves, all kept by all three
        await search.all()
        assert len(search.report.answers) > 1 and search.report.believable
        assert search.report.answered <= {"node 1", "node 2"} and "node 1" in search.report.neighbours
        alone = await Street().node("alone")
        search = alone.finder.find(HERE, 3000, Need())
        await search.all()
        assert search.report.answered == set() and not search.report.believable
        await street.stop()

    run(story())
