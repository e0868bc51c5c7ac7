"""A delegation that is renewed, and the old one that ends, while a booking is under way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.table import Settlement
from tests.seeds import seeds
from tests.simulation.stories import Deal

ENDS_IN_MIN = 15  # of simulated time, in the middle of the charging
LIFE_MS = HOUR_MS + ENDS_IN_MIN * 60_000


async def comes_back_delegated(person: Person) -> None:
    """As at home, where a node that is started again finds its delegation near its end."""
    await person.stop()
    await person.renews_delegation()
    await person.restart()


async def is_delegated_anew(person: Person) -> None:
    await person.renews_delegation()


@pytest.mark.parametrize("renews", [comes_back_delegated, is_delegated_anew])
@pytest.mark.parametrize("who", ["host", "driver", "host driver"])
def test_a_booking_goes_on_beyond_the_end_of_the_delegation_it_began_under(
    who: str, renews: Callable[[Person], object]
) -> None:
    async def story() -> None:
        world = World(7)
        neighbour = await world.add("neighbour")
        lives = {name: {"delegated_ms": LIFE_MS} if name in who else {} for name in ("host", "driver")}
        host = await world.add("host", **lives["host"])
        driver = await world.add("driver", **lives["driver"])
        await host.offers()
        await world.pass_time(seconds=20)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        await deal.begins_charging()
        renewing = [one for one in (host, driver) if one.name in who]
        for person in renewing:
            await renews(person)  # type: ignore[misc]
        await world.pass_time(minutes=ENDS_IN_MIN + 3)
        late = [
            one
            for one in (*deal.host.booking(deal.id).mine, *deal.driver.booking(deal.id).mine)
            if one.body.issued >= renewing[0].bundle.delegations[0].body.expires
        ]
        assert {one.kind for one in late} >= {"ticket", "countersign"}
        await deal.ends_charging()
        await deal.is_paid()
        await deal.is_reviewed(5, 4)
        await world.settles()
        assert deal.driver.state(deal.id).settlement is Settlement.PAID
        for person in renewing:
            known = neighbour.node.directory.get(person.author)
            assert known is not None and len(known.delegations) == 2, f"{person.name}'s log needs both"
        await world.end()

    run(story())


@pytest.mark.parametrize("seed", seeds(3))
def test_a_listing_is_shown_beyond_the_end_of_the_delegation_it_was_signed_under(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        _, host, driver = (
            await world.add("neighbour"),
            await world.add("host", delegated_ms=LIFE_MS),
            await world.add("driver"),
        )
        await host.offers()
        await world.pass_time(seconds=20)
        await host.renews_delegation()
        await world.pass_time(hours=5)
        assert [one.record.body.sequence for one in await driver.finds()] == [1], seed
        await world.end()

    run(story())
