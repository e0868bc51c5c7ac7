"""A node that comes back from an old backup signs nothing until it has asked, and then forks nothing."""

from __future__ import annotations

import copy

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.identity import public_key
from tests.seeds import seeds
from tests.simulation.stories import Deal, neighbours


async def comes_back(person: Person, backup: object) -> None:
    """The disk is an older copy now; the node starts on it, not yet sure of itself."""
    person.crash()
    person.store._synced = copy.deepcopy(backup)
    person.world.checkers.forgive(person)
    await person.start(read_only=True)


@pytest.mark.parametrize("seed", seeds(1))
def test_an_old_backup_goes_on_where_its_peers_know_it_to_be(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        neighbour, host, driver = await world.add_all("neighbour", "host", "driver")
        await host.offers()
        await world.pass_time(seconds=20)
        await Deal(world, host, driver).happens()
        await world.settles()
        backup = copy.deepcopy(host.store._synced)
        await Deal(world, host, driver).happens()
        await world.settles()
        await world.pass_time(seconds=30)
        said = [one.raw for one in host.node.runner.engine.keeper.entries]
        assert len(said) == 4, seed

        world.internet.partition({"host"}, {"neighbour", "driver"})
        await comes_back(host, backup)
        assert len(host.node.runner.engine.keeper.entries) == 2, seed
        with pytest.raises(PersonError) as refused:
            await host.offers()
        assert refused.value.code == "read-only", seed
        await world.pass_time(seconds=30)
        assert host.node.runner.engine.keeper.read_only, f"seed {seed}: nobody was asked yet"
        assert not await host.asks(host.node.adopt_own_log()), f"seed {seed}: there is no peer"

        world.internet.heal()
        await host.connects(neighbour)
        assert await host.asks(host.node.adopt_own_log()), seed
        assert [one.raw for one in host.node.runner.engine.keeper.entries] == said, seed
        await Deal(world, host, driver).happens()
        await world.pass_time(seconds=60)
        for person in (neighbour, driver):
            log = person.node.replica.logs.log(public_key(host.device))
            assert log is not None and log.fork is None, f"seed {seed}: {person.name} sees a fork"
            assert log.next == 7, f"seed {seed}: {log.next}"
        # A commit that fails builds the engine again: it must not fall back to silence.
        host.store.full = True
        with pytest.raises(PersonError):
            await host.offers()
        host.store.full = False
        assert not host.node.runner.engine.keeper.read_only, seed
        await world.end()

    run(story())


@pytest.mark.parametrize("seed", seeds(2))
def test_a_booking_that_went_on_without_the_backup_is_not_forked(seed: int) -> None:
    """The backup holds the booking as accepted; the driver holds more of the host's records than that."""

    async def story() -> None:
        world = World(seed)
        neighbour, host, driver = await world.add_all("neighbour", "host", "driver")
        await host.offers()
        await world.pass_time(seconds=20)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        await world.settles()
        backup = copy.deepcopy(host.store._synced)
        await deal.begins_charging()
        await deal.charges()
        await comes_back(host, backup)
        await host.connects(neighbour)
        await host.asks(host.node.adopt_own_log())
        await world.pass_time(seconds=120)
        assert not driver.state(deal.id).faults, f"seed {seed}: the driver sees a fork"
        assert host.booking(deal.id).file.restored, seed
        with pytest.raises(PersonError) as refused:
            await host.writes(deal.id, "hello")
        assert refused.value.code == "restored-booking", seed

    run(story())


@pytest.mark.parametrize("seed", seeds(4))
def test_a_forced_restore_lists_above_what_was_published_and_waits_with_each_booking(seed: int) -> None:
    """Nobody is asked for our own log, but a listing never goes back and a booking never forks."""

    async def story() -> None:
        world = World(seed)
        neighbour, host, driver = await world.add_all("neighbour", "host", "driver")
        charger = await host.offers()
        await world.pass_time(seconds=20)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        await world.settles()
        backup = copy.deepcopy(host.store._synced)
        for _ in range(3):  # three listings that the backup does not know of
            await host.offers()
        await deal.begins_charging()
        await world.pass_time(seconds=20)
        newest = host.node.runner.engine.listings.listing(charger)
        assert newest is not None
        for _ in range(2):  # the second time from the same backup
            seen = newest.body.sequence
            await comes_back(host, backup)
            await host.asks(host.node.go_on_unasked())
            await host.connects(neighbour)
            newest = host.node.runner.engine.listings.listing(charger)
            assert newest is not None and newest.body.sequence > seen, seed
            await world.pass_time(seconds=30)
            found = await driver.finds()
            assert [one.record.id for one in found] == [newest.id], f"seed {seed}: the old one is shown"
        await world.pass_time(seconds=120)
        assert not driver.state(deal.id).faults, f"seed {seed}: the driver sees a fork"
        await host.offers()  # it signs

    run(story())


@pytest.mark.parametrize("seed", seeds(3))
def test_a_booking_that_the_backup_holds_whole_goes_on(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        neighbour, host, driver = await world.add_all("neighbour", "host", "driver")
        await host.offers()
        await world.pass_time(seconds=20)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        await deal.gets_address()
        await world.settles()
        await comes_back(host, copy.deepcopy(host.store._synced))
        await host.connects(neighbour)
        await host.asks(host.node.adopt_own_log())
        await deal.begins_charging()
        assert deal.host.state(deal.id).reservation is Reservation.FULFILLED, seed
        await deal.charges()
        await deal.ends_charging()
        await deal.is_paid()
        await world.settles()
        await world.end()

    run(story())


@pytest.mark.parametrize("seed", seeds(6))
def test_what_the_other_side_wrote_since_the_backup_comes_again(seed: int) -> None:
    """The driver had said that it holds the address; its backup does not."""

    async def story() -> None:
        world = World(seed)
        host, driver = await neighbours(world)
        deal = Deal(world, host, driver)
        deal.id = await driver.books(host, starts_in_h=3, hours=1)
        await deal.reaches("the acceptance", lambda state: state.accept is not None)
        await world.settles()
        backup = copy.deepcopy(driver.store._synced)
        await world.pass_time(hours=2.99)
        await deal.gets_address()
        await world.settles()
        await comes_back(driver, backup)
        assert not driver.state(deal.id).access_sent, seed
        await driver.connects(host)
        await driver.asks(driver.node.adopt_own_log())
        await world.until(
            lambda: driver.sees(deal.id, lambda state: state.access_sent), 60, "the address, once more"
        )
        assert not driver.booking(deal.id).file.restored, seed

    run(story())
