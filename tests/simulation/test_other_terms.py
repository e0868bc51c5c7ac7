"""Other terms in the simulated neighbourhood: counter-offers, moves, extensions, races, faults."""

from __future__ import annotations

import pytest

from chargemesh_protocol.booking.records import CancelReason, DeclineReason, ProblemKind
from chargemesh_protocol.booking.table import Reservation, Session, Settlement
from tests.seeds import seeds
from tests.simulation.scene import ON_REQUEST, Scene, is_cancelled, play, share_of_cap
from tests.simulation.stories import Deal

HOUR = 3_600_000


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("seed", seeds(1))
def test_a_counter_offer(seed: int, taken: bool) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens(rules=ON_REQUEST)
        deal = Deal(scene.world, host, driver)
        deal.id = await driver.books(host, starts_in_h=2, hours=1)
        await scene.world.until(lambda: host.knows_booking(deal.id), 60, "the request at the host")
        asked = host.state(deal.id).quote.start
        await host.offers_terms(deal.id, start=asked + HOUR, text="my own car comes home")
        await scene.world.until(
            lambda: driver.sees(deal.id, lambda state: state.offer is not None), 60, "the offer"
        )
        assert not host.store.durable().slots, f"seed {seed}: an offer holds nothing"
        await (driver.accepts if taken else driver.declines)(deal.id)
        if taken:
            await deal.reaches("the acceptance", lambda state: state.reservation is Reservation.RESERVED)
            assert driver.state(deal.id).quote.start == asked + HOUR, seed
            await scene.world.pass_time(hours=3.02)
            await deal.gets_address()
            await deal.begins_charging()
            await deal.charges()
            await deal.ends_charging()
        else:
            await deal.reaches("the end", lambda state: is_cancelled(state, "driver") and not state.cost)
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(2))
def test_a_booking_moved_before_its_start_keeps_its_floor(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 6)  # a tenth of the cap by now
        floor = share_of_cap(driver.state(deal.id), 10)
        await driver.changes(await driver.asks_terms(deal.id, later_h=40))
        await deal.reaches("the host's open question", lambda state: state.change is not None)
        assert driver.state(deal.id).quote.start < host.clock.now() + 7 * HOUR, seed
        await host.accepts(deal.id)
        await deal.reaches("the new time", lambda state: len(state.in_force) == 2)
        (slot,) = host.store.durable().slots
        assert slot.start == driver.state(deal.id).quote.start, seed
        assert driver.state(deal.id).fee_floor == floor, seed
        told = await driver.cancels(deal.id, CancelReason.DRIVER_CANCELED)
        assert told["cost"] == floor, f"seed {seed}: two days ahead it would be free"
        await deal.reaches("an agreed receipt over it", lambda state: state.agreed is not None)
        await deal.is_paid()
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(3))
def test_a_longer_charge_with_somebody_next(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        other = await scene.world.add("other")
        await other.connects(host)
        await scene.world.pass_time(seconds=20)
        deal = Deal(scene.world, host, driver, hours=1)
        await deal.is_booked()
        await deal.begins_charging()
        await deal.charges()
        end = driver.state(deal.id).quote.end
        next_ = Deal(scene.world, host, other)
        start_in = (end - other.clock.now()) / HOUR + 0.75
        next_.id = await other.books(host, starts_in_h=start_in, hours=1)
        await next_.reaches("the acceptance", lambda state: state.reservation is Reservation.RESERVED)
        terms = await driver.asks_terms(deal.id, longer_h=3)
        assert end < terms.quote.body.end < terms.asked_end, f"seed {seed}: the latest that can be had"
        await driver.changes(terms)
        await deal.reaches("the longer time", lambda state: state.quote.end == terms.quote.body.end)
        await scene.world.pass_time(hours=1)
        assert driver.state(deal.id).session is Session.ACTIVE, f"seed {seed}: beyond the first end"
        await scene.world.until(
            lambda: driver.sees(deal.id, lambda state: state.agreed is not None), 3600, "an agreed receipt"
        )
        assert driver.state(deal.id).tickets[-1].body.at <= terms.quote.body.end + 120_000, seed
        assert other.state(next_.id).reservation is Reservation.RESERVED, seed
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(4))
def test_somebody_books_between_the_price_and_the_change(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        other = await scene.world.add("other")
        await other.connects(host)
        await scene.world.pass_time(seconds=20)
        deal = Deal(scene.world, host, driver, hours=1)
        await deal.is_booked()
        await deal.begins_charging()
        terms = await driver.asks_terms(deal.id, longer_h=2)
        next_ = Deal(scene.world, host, other)
        start_in = (driver.state(deal.id).quote.end - other.clock.now()) / HOUR + 0.3
        next_.id = await other.books(host, starts_in_h=start_in, hours=1)
        await next_.reaches("the acceptance", lambda state: state.reservation is Reservation.RESERVED)
        await driver.changes(terms)
        await deal.reaches("the refusal", lambda state: state.refusal is not None)
        state = driver.state(deal.id)
        assert state.refusal is not None and state.refusal.body.reason is DeclineReason.NOT_OFFERABLE, seed
        assert state.session is Session.ACTIVE and len(state.in_force) == 1, seed
        assert len(host.store.durable().slots) == 2, seed
        await deal.ends_charging()
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(5))
def test_a_fault_of_the_hosts_frees_the_driver_and_is_owed_for(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 1)
        await host.says_fault(deal.id, ProblemKind.NO_POWER, "the street is dark")
        await deal.reaches("the fault", lambda state: state.equipment_fault is not None)
        told = await driver.cancels(deal.id, CancelReason.DRIVER_CANCELED)
        owed = share_of_cap(driver.state(deal.id), 20)
        await deal.reaches("the end", lambda state: is_cancelled(state, "driver"))
        state = host.state(deal.id)
        assert (told["cost"], state.cost, state.compensation) == (0, 0, owed), seed
        assert state.settlement is Settlement.OPEN and not host.store.durable().slots, seed
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(6))
def test_a_change_survives_a_host_that_dies_over_it(seed: int) -> None:
    """The host is gone when the driver asks; it comes back, and answers once."""

    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 48)
        terms = await driver.asks_terms(deal.id, longer_h=1)
        host.crash(power_cut=True)
        await driver.changes(terms)
        await scene.world.pass_time(minutes=5)
        await host.restart(knows=driver)
        await deal.reaches("the longer time", lambda state: len(state.in_force) == 2)
        kinds = [one.kind for one in host.booking(deal.id).mine]
        assert kinds.count("amend") == 1, seed
        await scene.closes()

    play(story())
