"""A booking that rests on both sides and is woken by late news survives a crash at every commit."""

from __future__ import annotations

from contextlib import suppress

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.process import ProcessGone
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.table import Reservation, Settlement
from tests.seeds import seeds
from tests.simulation.crashes import SIDES
from tests.simulation.stories import Deal

COMMIT = ("before commit", "before sync", "after commit")
AWAY_HOURS = 50.0


async def _play(
    seed: int, side: str = "", dies_at: int | None = None, power_cut: bool = False
) -> list[Person]:
    """Charged, then both are away for two days; the booking rests when they come back, and is paid late."""
    world = World(seed)
    people = host, driver = await world.add_all(*SIDES)
    await host.offers()
    await world.pass_time(seconds=20)
    deal = Deal(world, host, driver)
    for step in (deal.is_booked, deal.gets_address, deal.begins_charging, deal.charges, deal.ends_charging):
        await step()
    await world.settles()
    for one in people:
        one.crash()
    await world.pass_time(hours=AWAY_HOURS)
    for one in people:
        one.points.clear()
        if one.name == side:
            one.dies_at, one.power_cut = dies_at, power_cut
    for one in people:
        with suppress(ProcessGone):  # it died at its start, and comes back by itself
            await one.restart()
    for one in people:
        await world.until(lambda one=one: one.is_up and _rests(one), 60, "it rests")  # type: ignore[misc]
    await deal.is_paid()
    await world.settles()
    for one in people:
        await world.until(lambda one=one: one.is_up and _rests(one), 60, "it rests")  # type: ignore[misc]
        assert one.state(deal.id).settlement is Settlement.PAID
    world.checkers.settled()
    await world.end()
    return list(people)


def _rests(one: Person) -> bool:
    ledger = one.node.runner.engine.ledger
    return not ledger.awake() and len(ledger.resting) == 1


def commits(seed: int) -> dict[str, list[int]]:
    """By side: the numbers of the points that are instants of a commit, in a run without a fault."""
    return {
        one.name: [number for number, what in enumerate(one.points) if what in COMMIT]
        for one in run(_play(seed))
    }


@pytest.mark.parametrize("seed", seeds(1))
def test_it_rests_and_wakes_across_a_crash(seed: int) -> None:
    """At the first commits after the start, in which it goes to rest, and at some of those of the payment."""
    for side, found in commits(seed).items():
        assert len(found) >= 12, f"seed {seed}: the commits of {side} are not there to be hit"
        for number in (found[1], found[2], *found[4::7][:4]):
            run(_play(seed, side, number, power_cut=number == found[1]))


@pytest.mark.parametrize("seed", seeds(2))
def test_while_logs_are_still_read_only_new_bookings_wait(seed: int) -> None:
    """The rules may ask who somebody is; a booking that stands asks nobody."""

    async def story() -> None:
        world = World(seed)
        host, driver, newcomer = await world.add_all(*SIDES, "newcomer")
        await host.offers()
        await world.pass_time(seconds=20)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        host.node.replica.restored.clear()
        later = await newcomer.books(host, starts_in_h=3)
        await driver.writes(deal.id, "on my way")
        await world.pass_time(seconds=30)
        assert [one.text for one in host.booking(deal.id).messages] == ["on my way"], f"seed {seed}"
        assert not host.knows_booking(later) and not newcomer.booking(later).file.refused
        host.node.replica.restored.set()
        await world.settles()
        assert host.state(later).reservation is Reservation.RESERVED, f"seed {seed}"
        await world.end()

    run(story())


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("power_cut", [False, True])
@pytest.mark.parametrize("seed", seeds(1, 2))
def test_every_commit(seed: int, power_cut: bool) -> None:
    for side, found in commits(seed).items():
        for number in found:
            run(_play(seed, side, number, power_cut))
