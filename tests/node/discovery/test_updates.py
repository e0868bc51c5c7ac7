"""A charger that is listed is found at every instant, whatever is being changed about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from chargemesh_protocol.discovery.places import Hand, Source
from chargemesh_protocol.discovery.search import FoundListing
from chargemesh_protocol.listing import Need
from tests.protocol.discovery.hosts import CHARGER, seed

from .street import Node, Street, a_while, run

BEFORE_MS, AFTER_MS = 60, 240  # of the change; a request takes 10 to 100 ms in this simulation


async def searched_each_millisecond(
    street: Street, change: Callable[[], None], need: Need, not_by: Node
) -> list[list[FoundListing]]:
    """What searches find that begin one millisecond after the other, around a change."""
    searchers = [node for node in street.nodes if node is not not_by]

    async def search(ms: int) -> list[FoundListing]:
        await asyncio.sleep(ms / 1000)
        return await searchers[ms % len(searchers)].finds(need=need)

    searches = [asyncio.create_task(search(ms)) for ms in range(BEFORE_MS + AFTER_MS)]
    await asyncio.sleep(BEFORE_MS / 1000)
    change()
    return await asyncio.gather(*searches)


@pytest.mark.parametrize("random_seed", [1, 2, 3, 4])
def test_a_search_at_any_millisecond_around_a_change_finds_the_charger(random_seed: int) -> None:
    async def story() -> None:
        street = Street(random_seed)
        nodes = await street.all(14)
        host = nodes[3]
        host.lists()
        await a_while(20)
        for node in nodes:
            await node.finds()  # from now on they follow the place, and remember its caretakers
        await a_while(5)
        found = await searched_each_millisecond(street, host.lists, Need(), host)
        assert {len(listings) for listings in found} == {1}
        sequences = [listings[0].record.body.sequence for listings in found]
        assert sequences[0] == 1 and sequences[-1] == 2 and set(sequences) == {1, 2}
        await street.stop()

    run(story())


def test_a_change_by_which_a_charger_fits_no_longer_is_never_followed_by_the_old_offer() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(14)
        host = nodes[3]
        strong = replace(host.host.lists().body.connectors[0], max_power_w=22_000)
        host.lists(connectors=(strong,))
        await a_while(20)
        need = Need(min_power_w=20_000)
        for node in nodes:
            await node.finds(need=need)
        found = await searched_each_millisecond(street, host.lists, need, host)
        assert len(found[0]) == 1 and found[-1] == []
        # Who has heard of the change believes no caretaker that has not.
        for node in nodes:
            assert await node.finds(need=need) == []
        await street.stop()

    run(story())


def test_where_the_newer_listing_is_not_at_hand_the_older_one_stands() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(14)
        host, driver = nodes[3], nodes[9]
        host.lists()
        await a_while(20)
        old = host.own[CHARGER]
        new = host.host.offers(host.host.lists(sequence=2, issued=host.clock.now()), host.clock.now())
        # Our caretaker has decided on it, and its cache lost it: as a full disk would.
        driver.caretaker.places.put(new, Source(Hand.DIRECT, "peer:somebody"), False, bytes(8))
        await driver.cache.drop_listing(*new.key)
        (found,) = await driver.finds()
        assert found.record.id == old.id
        await street.stop()

    run(story())


def test_a_change_reaches_those_who_knew_the_charger_before_any_look_up_ends() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(14)
        host = nodes[3]
        host.lists()
        await a_while(20)
        keepers = [node for node in nodes if node.name in host.announcer.announcements[CHARGER].kept_by()]
        look_up = asyncio.Event()

        async def hangs(key: bytes, count: int = 8) -> list[object]:
            await look_up.wait()
            return []

        host.network.closest = hangs  # type: ignore[method-assign, assignment]
        host.lists()
        await a_while(0.3)
        for keeper in keepers:
            known = keeper.caretaker.newest((host.host.author, CHARGER))
            assert known is not None and known.version[0] == 2, keeper.name
        look_up.set()
        await street.stop()

    run(story())


def test_a_change_does_not_wait_for_another_charger_or_for_the_change_before() -> None:
    async def story() -> None:
        street = Street()
        nodes = await street.all(14)
        host, driver = nodes[3], nodes[9]
        other = seed("another")[:16]
        host.lists()
        host.lists(charger=other)
        await a_while(20)
        kept = host.announcer.announcements[CHARGER].kept_by()
        dead = next(name for name in kept if name not in (host.name, driver.name))
        street.internet.faults.cut.add((host.name, dead))  # each request to it takes five seconds
        host.lists()
        await a_while(0.2)
        host.lists()
        host.lists(charger=other)
        await a_while(0.5)
        shown = {one.record.body.charger: one.record.body.sequence for one in await driver.finds()}
        assert shown == {CHARGER: 4, other: 5}
        await street.stop()

    run(story())
