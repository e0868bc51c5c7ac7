"""Clocks that are wrong: what is not signed by them, and that everything goes on when they are right."""

from __future__ import annotations

import copy

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import HOUR_MS, Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.records import CancelReason
from chargemesh_protocol.booking.table import Reservation, Session, Settlement
from chargemesh_protocol.errors import ExitCode, PersonError
from tests.seeds import seeds
from tests.simulation.stories import Deal, neighbours

DAY_MS = 24 * HOUR_MS


async def refused(person: Person, code: str = "clock-wrong") -> PersonError:
    """What this person is told who wants to sign something."""
    with pytest.raises(PersonError) as told:
        await person.offers()
    assert told.value.code == code
    return told.value


def wakes_at(person: Person, skew_ms: int) -> None:
    person.clock.skew_ms = skew_ms


def newest(person: Person) -> int:
    """The newest instant in whatever this node has signed and kept."""
    mine = [one.body.issued for booking in person.bookings() for one in booking.mine]
    listings = person.node.runner.engine.listings
    known = [listings.listing(charger) for charger in listings.known()]
    return max([*mine, *(one.body.issued for one in known if one is not None)])


@pytest.mark.parametrize("seed", seeds(1))
def test_a_node_that_wakes_in_the_past_signs_nothing_until_its_clock_is_right(seed: int) -> None:
    """Two nodes alone: only what it has signed itself, before it was switched off, tells it so."""

    async def story() -> None:
        world = World(seed)
        host, driver = await neighbours(world)
        deal = Deal(world, host, driver)
        deal.id = await driver.books(host, starts_in_h=3, hours=1)
        await deal.reaches("the acceptance", lambda state: state.reservation is Reservation.RESERVED)
        await world.settles()
        signed, records = newest(host), len(host.booking(deal.id).mine)

        await host.stop()
        wakes_at(host, -3 * DAY_MS)
        await host.restart()
        error = await refused(host)
        assert "2 days behind the newest record" in error.message and error.exit_code is ExitCode.NOT_ALLOWED
        with pytest.raises(PersonError) as told:
            await driver.gets_quote(host, starts_in_h=6)
        assert told.value.code == "unavailable", seed
        # News of a booking are taken, so that the other side need not send them for ever.
        await driver.writes(deal.id, "Are you there?")
        await driver.cancels(deal.id, CancelReason.DRIVER_CANCELED)
        await world.pass_time(minutes=2)
        assert [one.text for one in host.booking(deal.id).messages] == ["Are you there?"]
        assert host.state(deal.id).reservation is Reservation.CANCELED
        assert (newest(host), len(host.booking(deal.id).mine)) == (signed, records), f"seed {seed}: it signed"

        wakes_at(host, 0)
        await world.pass_time(seconds=40)
        assert len(host.booking(deal.id).mine) == records + 1, f"seed {seed}: it acknowledges by itself"
        again = Deal(world, host, driver)
        await again.is_booked()
        await world.settles()
        await world.end()

    run(story())


@pytest.mark.parametrize("behind_ms", [-3 * DAY_MS, -1000_000])
def test_a_session_under_way_goes_on_and_is_billed_when_the_clock_is_right(behind_ms: int) -> None:
    """A power cut in mid-charge: the wallbox goes on, and the node wakes in the past."""

    async def story() -> None:
        world = World(5)
        host, driver = await neighbours(world)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        await deal.begins_charging()
        await deal.charges()
        await world.settles()
        tickets = len(host.state(deal.id).tickets)
        host.crash(power_cut=True)
        wakes_at(host, behind_ms)
        await host.restart()
        await world.pass_time(minutes=5)
        assert host.box.running is not None, "the car charges on"
        assert len(host.state(deal.id).tickets) == tickets
        host.box.end(host.box_clock.now(), "EVDisconnected")
        await world.pass_time(minutes=1)
        drawn = host.box.register_wh - host.box.sessions[-1].start_wh

        wakes_at(host, 0)
        await deal.reaches("a receipt", lambda state: state.agreed is not None)
        receipt = driver.state(deal.id).receipt
        assert receipt is not None and receipt.body.energy_wh == drawn
        assert receipt.body.ended <= driver.clock.now()
        await deal.is_paid()
        await world.settles()
        assert driver.state(deal.id).settlement is Settlement.PAID
        await world.end()

    run(story())


def test_a_driver_can_still_stop_at_a_host_whose_clock_is_wrong() -> None:
    async def story() -> None:
        world = World(6)
        host, driver = await neighbours(world)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        await deal.begins_charging()
        await deal.charges()
        wakes_at(host, -DAY_MS)
        await driver.stops_charging(deal.id)
        await world.until(lambda: host.box.running is None, 120, "the box stops")
        assert host.state(deal.id).session is Session.ACTIVE, "and nothing is signed about it yet"
        host.box.owner_plugs_in(host.box_clock.now())
        assert host.box.running is not None, "the owner's own car charges"
        wakes_at(host, 0)
        await deal.reaches("a receipt", lambda state: state.agreed is not None)
        assert host.box.running is not None, "and is not stopped by what was signed late"
        await world.settles()
        await world.end()

    run(story())


def test_a_session_ends_at_the_authorised_energy_though_no_ticket_can_be_signed() -> None:
    async def story() -> None:
        world = World(8)
        host, driver = await neighbours(world)
        deal = Deal(world, host, driver, hours=2)
        await deal.is_booked()
        await deal.begins_charging()
        await deal.charges()
        wakes_at(host, -DAY_MS)
        authorised = host.state(deal.id).authorised
        assert authorised is not None
        await world.until(lambda: host.box.running is None, 3 * 3600, "the box stops")
        drawn = host.box.register_wh - host.box.sessions[-1].start_wh
        assert authorised.energy_wh <= drawn < authorised.energy_wh + 500
        await world.end()

    run(story())


@pytest.mark.parametrize(("skew_ms", "signs"), [(100_000, True), (300_000, False), (-300_000, False)])
def test_a_clock_beside_those_of_several_peers(skew_ms: int, signs: bool) -> None:
    async def story() -> None:
        world = World(11)
        await world.add_all("one", "two", "three")
        liar = await world.add("liar", skew_ms=500 * DAY_MS)
        liar.node.clocks.trusted = lambda: True  # it insists
        late = await world.add("late", skew_ms=skew_ms)
        for name in ("two", "three", "liar"):
            await late.connects(world.people[name])
        await world.pass_time(seconds=30)
        assert len(late.node.clocks.offsets()) == 4
        if signs:
            await late.offers()
        else:
            assert "the clocks of 4 peers" in (await refused(late)).message
            wakes_at(late, 0)
            await world.pass_time(seconds=30)
            await late.offers()
        await world.end()

    run(story())


def test_a_clock_that_was_far_ahead_for_a_while_loses_nothing() -> None:
    """Nothing is over by it: no delivery is given up, no secret deleted, no request forgotten."""

    async def story() -> None:
        world = World(12)
        one, two, three, host = await world.add_all("one", "two", "three", "host")
        driver = await world.add("driver")
        for friend in (one, two, three):
            await host.connects(friend)
        await host.offers()
        await world.pass_time(seconds=30)
        deal = Deal(world, host, driver)
        deal.id = await driver.books(host, starts_in_h=3, hours=1)
        await deal.reaches("the acceptance", lambda state: state.reservation is Reservation.RESERVED)
        await world.settles()
        world.internet.partition({"host"}, {"driver"})
        await host.writes(deal.id, "See you later")
        await world.pass_time(seconds=5)
        before = copy.deepcopy(host.store.durable().documents)
        wakes_at(host, 60 * DAY_MS)
        await world.until(lambda: not host.node.clock_verdict().trusted, 60, "the peers tell")
        await world.pass_time(minutes=10)
        assert host.owes, "what is owed is owed still"
        kept = host.store.durable().documents
        assert kept["booking"] == before["booking"] and kept["quote-epoch"] == before["quote-epoch"]

        wakes_at(host, 0)
        world.internet.heal()
        await world.until(lambda: bool(driver.booking(deal.id).messages), 60, "the message arrives")
        await world.settles()
        assert [one.record.body.author for one in await driver.finds()] == [host.author]
        await host.cancels(deal.id, CancelReason.POWER_OUTAGE)
        await world.settles()
        await world.end()

    run(story())


def test_a_node_that_doubts_its_clock_tells_nobody_the_time() -> None:
    """Else a street that lost power would agree on the wrong time among itself."""

    async def story() -> None:
        world = World(13)
        people = await world.add_all("one", "two", "three", "four")
        for person in people:
            for other in people:
                if other is not person:
                    await person.connects(other)
        await people[0].offers()
        await world.pass_time(seconds=30)
        wakes_at(people[0], -DAY_MS)
        await world.until(lambda: not people[0].node.clock_verdict().trusted, 30, "it doubts")
        assert people[0].node.clocks.told() is None
        assert people[1].node.clocks.told() is not None
        await world.pass_time(minutes=10)
        assert all(len(one.node.clocks.offsets()) == 3 for one in people[:1])
        await world.end()

    run(story())
