"""Announcing, keeping and finding between nodes on simulated time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from chargemesh_node.discovery.finder import Search
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.cells import cell_key
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point, region_of
from tests.protocol.discovery.hosts import CHARGER, HERE, NETWORK, seed

from .street import Street, a_while, run

HOUR_SECONDS = 3600.0


def test_a_driver_finds_a_host_it_never_met_and_the_bootstrap_node_is_gone() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(25)
        host = nodes[20]
        host.lists()
        await a_while(10)
        met = {one.peer_id for one in host.network.peers()}
        driver = next(node for node in nodes if node.name not in met and node is not host)
        assert host.name not in {one.peer_id for one in driver.network.peers()}
        await nodes[0].stop()
        search = driver.finder.find(HERE, 3000, Need())
        (found,) = await search.all()
        assert found.record.body.author == host.host.author
        assert found.bundle == host.host.bundle.to_bytes()
        assert search.report.believable and len(search.report.answered) >= 2
        kept = host.announcer.announcements[CHARGER]
        assert len(kept.kept_by()) == 8
        await street.stop()

    run(story())


def test_without_anybody_to_look_up_nothing_is_found_and_that_is_said() -> None:
    async def story() -> None:
        street = Street()
        alone = await street.node("alone")
        search = alone.finder.find(HERE, 3000, Need())
        assert await search.all() == []
        assert not search.report.believable
        await street.stop()

    run(story())


def test_a_host_that_listed_before_anybody_came_is_found_soon_after() -> None:
    async def story() -> None:
        street = Street()
        host = await street.node("host")
        host.lists()
        await a_while(2 * HOUR_SECONDS)
        driver = await street.node("driver")
        await a_while(5)
        assert [one.source for one in await driver.finds()] != []
        assert "driver" in host.announcer.announcements[CHARGER].kept_by()
        await street.stop()

    run(story())


def test_a_network_that_grows_around_a_listing_keeps_it_findable() -> None:
    async def story() -> None:
        street = Street()
        host = await street.node("host")
        host.lists()
        await a_while(1)
        nodes = await street.all(30)
        await a_while(60)
        nearest = await host.network.closest(cell_key(NETWORK, region_of(host.own[CHARGER].body.cell)))
        keepers = {node.name for node in nodes if node.caretaker.places.shown()}
        assert {one.peer_id for one in nearest} - {"host"} <= keepers
        assert len(await nodes[-1].finds()) == 1
        await street.stop()

    run(story())


def test_a_listing_stays_for_days_and_goes_hours_after_its_host() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(12)
        host, driver = nodes[3], nodes[7]
        host.lists()
        for day in range(2):
            await a_while(20 * HOUR_SECONDS)
            assert len(await driver.finds()) == 1, day
            host.lists()  # as the host's core does well before a listing expires
        await host.stop()
        street.nodes.remove(host)
        await a_while(HOUR_SECONDS / 2)
        assert len(await driver.finds()) == 1
        await a_while(2 * HOUR_SECONDS)
        assert await driver.finds() == []
        assert all(not node.caretaker.places.shown() for node in street.nodes)
        await street.stop()

    run(story())


def test_a_change_and_a_withdrawal_reach_every_caretaker() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(12)
        host, driver = nodes[3], nodes[7]
        host.lists()
        await a_while(10)
        host.lists(connectors=(replace(host.own[CHARGER].body.connectors[0], max_power_w=22_000),))
        await a_while(10)
        (found,) = await driver.finds()
        assert found.record.body.sequence == 2
        assert await driver.finds(need=Need(min_power_w=20_000)) != []
        host.withdraws()
        await a_while(10)
        assert await driver.finds() == []
        assert all(not node.caretaker.places.shown() for node in nodes)
        await a_while(30 * HOUR_SECONDS)
        assert host.announcer.announcements == {}  # nobody needs to be told any more
        await street.stop()

    run(story())


def test_caretakers_that_vanish_are_replaced() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(25)
        host, driver = nodes[0], nodes[24]
        host.lists()
        await a_while(10)
        for name in host.announcer.announcements[CHARGER].kept_by():
            node = next(one for one in nodes if one.name == name)
            if node not in (host, driver):
                await node.stop()
                street.nodes.remove(node)
        await a_while(HOUR_SECONDS)
        assert len(await driver.finds()) == 1
        assert len(host.announcer.announcements[CHARGER].kept_by()) == 8
        await street.stop()

    run(story())


def test_two_neighbours_without_a_look_up_find_each_other_on_the_local_network() -> None:
    async def story() -> None:
        street = Street()
        host, driver = await street.node("host"), await street.node("driver")

        async def nobody(key: bytes, count: int = 8) -> list[Contact]:
            return []

        for one, other in ((host, driver), (driver, host)):
            one.network.closest = nobody  # type: ignore[method-assign]
            one.neighbours.append(other.network.contact)
        host.lists()
        await a_while(1)
        assert driver.caretaker.places.shown() != []
        (found,) = await driver.finds()
        assert found.record.body.author == host.host.author
        late = await street.node("late")
        late.network.closest = nobody  # type: ignore[method-assign]
        host.neighbours.append(late.network.contact)
        await a_while(200)
        host.announcer.neighbour_found(late.network.contact)
        await a_while(2)
        assert late.caretaker.places.shown() != []
        await street.stop()

    run(story())


def test_who_is_interested_hears_of_a_change_by_gossip() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(25)
        host, driver = nodes[3], nodes[20]
        await driver.finds()  # from now on it follows that place
        host.lists()
        await a_while(2)
        assert driver.caretaker.places.shown() == [(host.host.author, CHARGER)]
        assert driver.gossip.counters["heard"] >= 1
        host.withdraws()
        await a_while(2)
        assert driver.caretaker.places.shown() == []
        await street.stop()

    run(story())


def test_results_come_while_slow_caretakers_are_still_waited_for() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(14)
        host, driver = nodes[3], nodes[9]
        host.lists()
        await a_while(10)
        kept = host.announcer.announcements[CHARGER].kept_by()
        for frozen in kept[:5]:
            street.internet.faults.cut.add((driver.name, frozen))
        began = asyncio.get_running_loop().time()
        search = driver.finder.find(HERE, 3000, Need())
        async for found in search:
            assert found.fits
            break
        assert asyncio.get_running_loop().time() - began < 6
        await search.all()
        assert search.report.believable
        await street.stop()

    run(story())


def test_a_search_that_is_left_asks_nobody_any_more() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(10)
        nodes[0].lists()
        await a_while(10)
        async with nodes[5].finder.find(HERE, 3000, Need()) as search:
            assert isinstance(search, Search)
            async for _ in search:
                break
        assert len([task for task in asyncio.all_tasks() if task.get_name() == "search"]) == 0
        await street.stop()

    run(story())


def test_many_listings_come_page_by_page_and_all_of_them() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(3)
        count = 60
        for number in range(count):
            for node in nodes:
                node.lists(charger=seed(f"charger {number}")[:16])
        await a_while(20)
        assert [len(node.caretaker.places) for node in nodes] == [3 * count] * 3
        assert len(await nodes[0].finder.find(HERE, 3000, Need(), limit=1000).all()) == 3 * count
        await street.stop()

    run(story())


def test_a_caretaker_that_starts_again_still_has_its_places() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(5)
        nodes[0].lists()
        await a_while(10)
        keeper = nodes[4]
        await keeper.stop()
        street.nodes.remove(keeper)
        again = await street.node("node 4", keeper.cache)
        assert again.caretaker.places.shown() == [(nodes[0].host.author, CHARGER)]
        await a_while(3 * HOUR_SECONDS)
        assert len(again.caretaker.places.shown()) == 1  # renewed meanwhile
        await street.stop()

    run(story())


def test_far_away_chargers_are_neither_asked_for_nor_shown() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(5)
        nodes[0].lists(Point(48.137, 11.575))
        nodes[1].lists(Point(52.54, 13.44))
        await a_while(10)
        assert [one.record.body.author for one in await nodes[3].finds(radius_m=5000)] == [
            nodes[1].host.author
        ]
        assert await nodes[3].finds(radius_m=500) == []
        await street.stop()

    run(story())
