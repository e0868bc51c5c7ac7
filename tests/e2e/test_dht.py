"""Finding by the DHT alone: the driver was told one address, of a node that is gone when it searches.

Of 25 nodes each look-up asks the 20 nearest, so that everybody soon knows nearly everybody. The host
therefore refuses the driver's connections until the listing is found: it can only come from caretakers.
"""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from chargemesh_node.p2p.limits import DEFAULT_LIMITS
from chargemesh_node.p2p.peer_id import peer_id_of
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.contact import Contact

from .nodes import People, Person, eventually, street

pytestmark = pytest.mark.asyncio

# Two cores serve all nodes here: they join one after the other, as a neighbourhood would.
UNHURRIED = replace(DEFAULT_LIMITS, join_jitter_seconds=4.0)


async def is_gone(person: Person) -> None:
    """Killed, and not coming back."""
    assert person.network.pid is not None
    os.kill(person.network.pid, signal.SIGKILL)
    await person.stop()


async def finds_a_host_it_never_met(people: People, nodes: int, *, dht: bool = True) -> None:
    """The story; without the DHT nobody learns who is nearest to a key."""
    bootstrap, others = await people.many(nodes - 3)
    host, driver = people.know("host"), people.know("driver")
    await host.start([bootstrap.contact])
    host.network.block(peer_id_of(driver.seed))
    few = min(4, nodes - 3)
    await eventually(lambda: all(one.knows_nodes() >= few for one in [host, *others]), "all have joined", 100)
    if not dht:
        without_dht(host)
    charger = await host.offers()
    announced = host.node.announcer.announcements
    keepers = min(8, nodes - 1) if dht else 0
    await eventually(
        lambda: charger in announced and len(announced[charger].kept_by()) >= keepers, "it is announced", 30
    )
    await driver.start([bootstrap.contact])
    if not dht:
        without_dht(driver)
    await eventually(lambda: driver.knows_nodes() >= few, "the driver has joined", 30)
    await is_gone(bootstrap)
    assert host.contact.peer_id not in driver.met and driver.contact.peer_id not in host.met
    found = await driver.finds()
    assert [one.record.body.author for one in found] == [host.author]
    assert found[0].source not in (host.contact.peer_id, driver.contact.peer_id, "")
    assert not driver.sees(host) and host.contact.peer_id not in driver.met
    host.network.block(driver.contact.peer_id, blocked=False)
    booking = await driver.books(host)
    await eventually(lambda: driver.state(booking).reservation is Reservation.RESERVED, "it is booked")


def without_dht(person: Person) -> None:
    async def nobody(key: bytes, count: int = 8) -> list[Contact]:
        return []

    person.network.closest = nobody  # type: ignore[method-assign]


async def test_twenty_five_nodes_told_one_address_which_is_dead_at_the_search() -> None:
    async with street(UNHURRIED) as people:
        await finds_a_host_it_never_met(people, 25)


async def test_without_the_dht_the_same_story_fails() -> None:
    async with street() as people:
        with pytest.raises(AssertionError, match=r"assert \[\] == \["):
            await finds_a_host_it_never_met(people, 6, dht=False)


async def test_with_the_dht_the_same_six_nodes_succeed() -> None:
    async with street() as people:
        await finds_a_host_it_never_met(people, 6)
