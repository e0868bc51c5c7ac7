"""How charges go otherwise: a box that fails or vanishes, a car in the way, a meter that people read."""

from __future__ import annotations

import pytest

from chargemesh_node.node import RunnerBook
from chargemesh_node.sim.people import Person
from chargemesh_node.wallbox.errors import WallboxError
from chargemesh_node.wallbox.manual import ManualDriver
from chargemesh_protocol.booking.records import CancelReason, ProblemKind
from chargemesh_protocol.booking.table import Session, Settlement
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import ConfirmReading, StartCharging
from tests.seeds import seeds
from tests.simulation.scene import TERMS, Scene, events_of, is_cancelled, play


@pytest.mark.parametrize("seed", seeds(7))
def test_a_box_that_will_not_start_costs_the_driver_nothing(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        host.box.broken = True
        deal = await scene.reserved(host, driver, 0)
        await deal.gets_address()
        await driver.starts_charging(deal.id)
        await scene.world.until(
            lambda: bool(driver.booking(deal.id).messages), 60, "the driver is told that it did not start"
        )
        assert "did not start" in driver.booking(deal.id).messages[0].text, seed
        assert events_of(host).count("charging.start_failed") == 1, seed
        await scene.world.pass_time(minutes=5)
        assert events_of(host).count("charging.start_failed") == 1, f"seed {seed}: told once"
        await driver.reports(deal.id, ProblemKind.WONT_START, "It only blinks.")
        cost = await driver.cancels(deal.id, CancelReason.BROKEN_CHARGER)
        assert cost["cost"] == 0, seed
        await deal.reaches("the end", lambda state: is_cancelled(state, "driver") and state.cost == 0)
        assert not host.box.sessions, seed
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(8))
def test_a_box_that_is_mended_in_time_starts_by_itself(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        host.box.broken = True
        deal = await scene.reserved(host, driver, 0)
        await deal.gets_address()
        await driver.starts_charging(deal.id)
        await scene.world.pass_time(minutes=3)
        host.box.broken = False
        await deal.reaches("charging", lambda state: state.session is Session.ACTIVE, 60)
        await deal.charges()
        await deal.ends_charging()
        await scene.closes()

    play(story())


@pytest.mark.parametrize("charging", [True, False])
@pytest.mark.parametrize("seed", seeds(9))
def test_the_owners_car_in_the_way_is_told_to_both(seed: int, charging: bool) -> None:
    """Outside bookings it charges as it likes; when a booking begins, it is not cut off."""

    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        host.box.owner_plugs_in(host.clock.now())
        await scene.world.pass_time(minutes=5)
        if not charging:
            host.box.owner_stops(host.clock.now())
        deal = await scene.reserved(host, driver, 0.25)
        await deal.gets_address()
        await scene.world.pass_time(minutes=16)
        assert events_of(host).count("charging.owner_car") == 1, f"seed {seed}: {events_of(host)}"
        assert "owner" in driver.booking(deal.id).messages[0].text, seed
        await driver.starts_charging(deal.id)
        await scene.world.pass_time(minutes=2)
        assert driver.state(deal.id).session is Session.PENDING, seed
        if charging:
            assert host.box.running is not None and host.box.running.owner, (
                f"seed {seed}: the owner was cut off"
            )
        host.box.unplug(host.clock.now())
        await deal.reaches("charging", lambda state: state.session is Session.ACTIVE, 60)
        await deal.charges()
        await deal.ends_charging()
        mine = host.box.sessions[-1]
        assert driver.state(deal.id).receipt.body.energy_wh == mine.end_wh - mine.start_wh, seed  # type: ignore[union-attr]
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(10))
def test_a_box_that_vanishes_in_mid_charge_loses_no_energy(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 0)
        await deal.gets_address()
        await deal.begins_charging()
        await deal.charges()
        host.box.vanish()
        await scene.world.pass_time(minutes=12)
        assert "wallbox.lost" in events_of(host), seed
        host.box.come_back(host.clock.now())
        await deal.charges(tickets=len(driver.state(deal.id).tickets) + 1)
        await deal.ends_charging()
        mine = host.box.sessions[-1]
        assert len(host.box.sessions) == 1, seed
        assert driver.state(deal.id).receipt.body.energy_wh == mine.end_wh - mine.start_wh, seed  # type: ignore[union-attr]
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(11))
def test_a_box_that_never_comes_back_is_billed_as_far_as_it_told(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 0)
        await deal.gets_address()
        await deal.begins_charging()
        await deal.charges(tickets=5)
        host.box.vanish()
        told = host.state(deal.id).tickets[-1].body.energy_wh
        await scene.world.pass_time(hours=1, minutes=40)
        await deal.reaches("an agreed receipt", lambda state: state.agreed is not None)
        assert driver.state(deal.id).receipt.body.energy_wh == told, seed  # type: ignore[union-attr]
        await deal.is_paid()
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(12))
def test_charging_ends_with_what_was_authorised_and_a_stranger_gets_nothing(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 0)
        await deal.gets_address()
        await driver.starts_charging(deal.id)
        host.box.stranger_holds_up("SOMEBODY", host.clock.now())
        await scene.world.pass_time(hours=1, minutes=2)
        await deal.reaches("an agreed receipt", lambda state: state.agreed is not None)
        session = host.box.sessions[-1]
        assert session.ended_at is not None and session.ended_at < driver.state(deal.id).quote.end, seed
        assert "wallbox.unknown_tag" in events_of(host), seed
        receipt = driver.state(deal.id).receipt
        assert receipt is not None and receipt.body.energy_wh >= 10_000, (
            f"seed {seed}: up to what was authorised"
        )
        assert driver.state(deal.id).settlement is Settlement.OPEN, seed
        await deal.is_paid()
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(15))
def test_two_people_read_a_meter_that_no_box_reads(seed: int) -> None:
    """Both nodes fall over in between: a reading is told again, and asked for once."""

    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.world.add_all("host", "driver")
        host.make_driver = lambda settings: ManualDriver(
            settings.charger.hex(), host.clock, max_power_w=11_000, book=RunnerBook(lambda: host.node.runner)
        )
        charger = await host.offers(terms=TERMS)
        await scene.world.pass_time(seconds=20)
        deal = await scene.reserved(host, driver, 0)
        await deal.gets_address()
        await driver.starts_charging(deal.id)
        await deal.reaches("the check-in", lambda state: state.checked_in)
        await scene.world.pass_time(minutes=1)
        await _reads_meter(host, charger, 100_000)
        await deal.reaches("charging", lambda state: state.session is Session.ACTIVE)
        host.crash()
        await host.restart()
        await scene.world.pass_time(minutes=20)
        await driver.stops_charging(deal.id)
        await deal.reaches("the stop", lambda state: state.stopped_at is not None)
        await scene.world.pass_time(minutes=10)
        with pytest.raises(WallboxError, match="more than this charger can give"):
            await _reads_meter(host, charger, 1_030_000)
        await _reads_meter(host, charger, 103_000)
        await deal.reaches("the receipt", lambda state: state.receipt is not None)
        driver.crash()
        await driver.restart()
        await scene.world.pass_time(minutes=5)
        state = driver.state(deal.id)
        assert [one.body.register_wh for one in state.tickets] == [100_000, 103_000], seed
        assert (state.countersigned, state.agreed) == (0, None), f"seed {seed}: nobody but the host has read"
        assert events_of(driver).count("charging.reading") == 2, seed
        newest = state.tickets[-1].id
        with pytest.raises(PersonError, match="Nothing was signed"):
            await driver.does(ConfirmReading(deal.id, newest, 102_000))
        await driver.does(ConfirmReading(deal.id, newest, 103_000))
        await deal.reaches("an agreed receipt", lambda state: state.agreed is not None)
        await deal.is_paid()
        await scene.closes()

    play(story())


async def _reads_meter(host: Person, charger: bytes, register_wh: int) -> None:
    """The host's person types in what the meter shows."""
    driver = host.node.wallboxes.get(charger)
    assert isinstance(driver, ManualDriver)
    await host.asks(driver.enter_reading(register_wh, host.clock.now()))


@pytest.mark.parametrize("seed", seeds(16))
def test_a_driver_takes_a_check_in_back_while_the_host_is_away(seed: int) -> None:
    """Both records wait for the host, who starts nothing by them, and starts by the next check-in."""

    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 0)
        await deal.gets_address()
        await host.stop()
        await driver.starts_charging(deal.id)
        await scene.world.pass_time(minutes=1)
        await driver.stops_charging(deal.id)
        await host.restart()
        await deal.reaches("both", lambda state: state.checked_in and state.stopped_at is not None)
        await scene.world.pass_time(minutes=5)
        assert not host.box.sessions, f"seed {seed}: the box was started"
        await driver.starts_charging(deal.id)
        await deal.charges()
        await deal.ends_charging()
        await deal.is_paid()
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(14))
def test_charging_ends_with_the_slot(seed: int) -> None:
    """All of the hour at full power: the last second beyond it is nobody's quarrel."""

    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 0)
        await deal.gets_address()
        await driver.does(StartCharging(deal.id, energy_wh=50_000))
        await scene.world.pass_time(hours=1, minutes=2)
        await deal.reaches("an agreed receipt", lambda state: state.agreed is not None)
        ended = host.box.sessions[-1].ended_at
        assert ended is not None, seed
        assert 0 <= ended - driver.state(deal.id).quote.end <= 5_000, f"seed {seed}: ended at {ended}"
        await deal.is_paid()
        await scene.closes()

    play(story())
