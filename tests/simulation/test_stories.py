"""How bookings end otherwise: cancelled, declined, expired, unused, unpaid."""

from __future__ import annotations

import pytest

from chargemesh_protocol.booking.records import CancelReason
from chargemesh_protocol.booking.table import Reservation
from tests.seeds import seeds
from tests.simulation.scene import ON_REQUEST, Scene, events_of, is_cancelled, play, share_of_cap
from tests.simulation.stories import Deal


@pytest.mark.parametrize(("starts_in_h", "percent"), [(40, 0), (6, 10), (1, 50)])
@pytest.mark.parametrize("seed", seeds(1))
def test_a_drivers_cancellation_costs_its_tier(seed: int, starts_in_h: float, percent: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, starts_in_h)
        slots = host.store.durable().slots
        assert len(slots) == 1, seed
        told = await driver.cancels(deal.id, CancelReason.DRIVER_CANCELED)
        owed = share_of_cap(driver.state(deal.id), percent)
        assert told["cost"] == owed, f"seed {seed}: {told}"
        await deal.reaches("the end", lambda state: is_cancelled(state, "driver") and state.cost == owed)
        if owed:
            await deal.reaches("an agreed receipt over it", lambda state: state.agreed is not None)
            assert driver.state(deal.id).receipt.body.total == -(-owed // 10_000) * 10_000  # type: ignore[union-attr]
            await deal.is_paid()
        assert not host.store.durable().slots, f"seed {seed}: the slot is still held"
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(2))
def test_a_hosts_cancellation_is_free_for_the_driver_and_owes_compensation(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 1)
        await host.cancels(deal.id, CancelReason.BROKEN_CHARGER)
        await deal.reaches("the end", lambda state: is_cancelled(state, "host"))
        state = driver.state(deal.id)
        assert (state.cost, state.compensation) == (0, share_of_cap(state, 20)), seed
        assert not host.store.durable().slots, seed
        again = await scene.reserved(host, driver, 1)
        assert again.id != deal.id, f"seed {seed}: the slot can be had again"
        await scene.closes()

    play(story())


@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.parametrize("seed", seeds(3))
def test_a_request_waits_for_its_person(seed: int, accept: bool) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens(rules=ON_REQUEST)
        deal = Deal(scene.world, host, driver)
        deal.id = await driver.books(host, starts_in_h=3, hours=1)
        await scene.world.until(lambda: host.knows_booking(deal.id), 60, "the request at the host")
        await scene.world.pass_time(minutes=10)
        assert driver.state(deal.id).reservation is Reservation.PENDING, seed
        assert not host.store.durable().slots, f"seed {seed}: what waits for a person holds nothing"
        await (host.accepts if accept else host.declines)(deal.id)
        wanted = Reservation.RESERVED if accept else Reservation.REJECTED
        await deal.reaches("the answer", lambda state: state.reservation is wanted)
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(4))
def test_a_request_that_nobody_answers_expires_on_both_sides(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens(rules=ON_REQUEST)
        deal = Deal(scene.world, host, driver)
        deal.id = await driver.books(host, starts_in_h=3, hours=1)
        await scene.world.pass_time(hours=1, minutes=3)
        await deal.reaches("the expiry", lambda state: state.reservation is Reservation.FAILED)
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(5))
def test_a_host_that_is_away_lets_the_request_expire(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        offer = await driver.gets_quote(host, starts_in_h=3, hours=1)
        await host.stop()
        booking = await driver.takes(offer)
        await scene.world.pass_time(hours=1, minutes=3)
        assert driver.state(booking).reservation is Reservation.FAILED, seed
        await scene.world.until(lambda: not driver.owes, 60, "nothing owed any more")
        await host.restart()
        await scene.world.pass_time(minutes=2)
        assert not host.knows_booking(booking), f"seed {seed}: an expired request came back"
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(6))
def test_a_driver_who_never_comes_owes_the_no_show(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 1)
        await deal.gets_address()
        await scene.world.pass_time(hours=1, minutes=10)
        assert driver.state(deal.id).reservation is Reservation.RESERVED, f"seed {seed}: too early"
        await scene.world.pass_time(minutes=10)
        await deal.reaches("the no-show", lambda state: state.reservation is Reservation.NO_SHOW)
        await deal.reaches("its receipt", lambda state: state.agreed is not None)
        state = driver.state(deal.id)
        assert state.cost == state.quote.cap, seed
        assert not host.store.durable().slots, seed
        assert events_of(host).count("booking.no_show") == 1, seed
        await deal.is_paid()
        await scene.closes()

    play(story())


@pytest.mark.parametrize("seed", seeds(13))
def test_an_unpaid_receipt_blocks_the_next_booking(seed: int) -> None:
    async def story() -> None:
        scene = Scene(seed)
        host, driver = await scene.opens()
        deal = await scene.reserved(host, driver, 0)
        await deal.gets_address()
        await deal.begins_charging()
        await deal.charges()
        await deal.ends_charging()
        refused = await driver.books(host, starts_in_h=3, hours=1)
        await scene.world.until(lambda: bool(driver.booking(refused).file.refused), 60, "a refusal")
        assert driver.booking(refused).file.refused == "unpaid-receipt", seed
        await deal.is_paid()
        await scene.reserved(host, driver, 3)
        await scene.closes()

    play(story())
