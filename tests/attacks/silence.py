"""A driver, and a host, that never answers again, at each step of a booking: the other side is not stuck."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from chargemesh_node.sim.people import Person
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.booking.table import Reservation, Session
from tests.simulation.scene import ON_REQUEST, Scene, share_of_cap
from tests.simulation.stories import Deal

from .attack import Attack, Finding

Step = Callable[[Deal], Coroutine[Any, Any, Any]]


async def _plugged(deal: Deal) -> None:
    await deal.gets_address()
    await deal.begins_charging()
    await deal.charges()


async def _charged(deal: Deal) -> None:
    await _plugged(deal)
    await deal.ends_charging()


async def _nothing(deal: Deal) -> None:
    """The acceptance is the last that is heard."""


async def _booked(scene: Scene, step: Step, starts_in_h: float) -> tuple[Deal, Person, Person]:
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, starts_in_h)
    deal.hours = 1
    await step(deal)
    return deal, host, driver


def _over(state: BookingState) -> bool:
    """Whether nothing of it is still waited for at its plug."""
    return not state.holds_slot and state.reservation is not Reservation.PENDING


async def driver_goes(step: Step, seed: int, size: int) -> Finding:
    """The slot is free again once it is over, and what is owed stands in a receipt or a no-show."""
    scene = Scene(seed)
    deal, host, driver = await _booked(scene, step, 0.02)
    driver.crash()
    await scene.world.until(lambda: _over(host.state(deal.id)), 2 * 3600, "the host is done with it")
    await scene.world.pass_time(seconds=5)
    state = host.state(deal.id)
    assert not host.store.durable().slots
    assert host.box.running is None, "the box stopped"
    if state.session is Session.COMPLETED:
        assert state.receipt is not None and state.receipt.body.energy_wh >= state.energy_wh > 0
        outcome = f"slot free, receipt over {state.receipt.body.energy_wh / 1000:.1f} kWh"
    else:
        assert state.reservation is Reservation.NO_SHOW and state.cost == share_of_cap(state, 100)
        outcome = "slot free, the no-show owed"
    other = await scene.world.add("other")
    await scene.world.pass_time(seconds=5)
    await scene.reserved(host, other, 1)
    await scene.world.end()
    return Finding("its silence", f"{outcome}; the next driver books")


async def host_goes(step: Step, seed: int, size: int) -> Finding:
    """The driver owes nothing that the host has not proven, and is free to book elsewhere."""
    scene = Scene(seed)
    deal, host, driver = await _booked(scene, step, 0.02)
    host.crash()
    if driver.state(deal.id).reservation is Reservation.FULFILLED:
        signed = driver.state(deal.id).energy_wh
        if driver.state(deal.id).session is Session.ACTIVE:
            await driver.stops_charging(deal.id)
        await scene.world.pass_time(minutes=5)
        state = driver.state(deal.id)
        assert state.energy_wh == signed and state.cost == 0
        outcome = f"no more than the {signed / 1000:.1f} kWh that the driver has signed for"
    else:
        await scene.world.until(lambda: _over(driver.state(deal.id)), 2 * 3600, "the driver is done with it")
        state = driver.state(deal.id)
        assert state.reservation is Reservation.FAILED and state.cost == 0
        outcome = "nothing; the booking has FAILED for nothing"
    other = await scene.world.add("other host", knows=driver)
    await other.offers()
    await scene.world.pass_time(seconds=10)
    await scene.reserved(other, driver, 1)
    await scene.world.end()
    return Finding("its silence", f"{outcome}; the driver books elsewhere")


async def host_never_answers(seed: int, size: int) -> Finding:
    """A request that a person should answer, and nobody does."""
    scene = Scene(seed)
    host, driver = await scene.opens(rules=ON_REQUEST)
    offer = await driver.gets_quote(host, starts_in_h=3, hours=1)
    booking = await driver.takes(offer, wait_h=0.1)
    await scene.world.until(
        lambda: driver.state(booking).reservation is Reservation.FAILED, 3600, "the request has expired"
    )
    assert not host.store.durable().slots and driver.state(booking).cost == 0
    await scene.closes()
    return Finding("its silence", "nothing; the request fails when its time is over, and held nothing")


async def driver_never_requests(seed: int, size: int) -> Finding:
    """A quote, and nothing after it; then a request, and nothing after that."""
    scene = Scene(seed)
    host, driver = await scene.opens(rules=ON_REQUEST)
    await driver.gets_quote(host, starts_in_h=3, hours=1)
    assert not host.bookings() and not host.store.durable().slots
    booking = await driver.takes(await driver.gets_quote(host, starts_in_h=3, hours=1), wait_h=0.1)
    await scene.world.until(lambda: host.knows_booking(booking), 60, "the request")
    driver.crash()
    await scene.world.until(
        lambda: not host.sees(booking, lambda state: state.reservation is Reservation.PENDING),
        3600,
        "the request has expired",
    )
    assert not host.store.durable().slots
    await scene.world.end()
    return Finding("its silence after the quote, and after the request", "0 slots; the request expires")


_STEPS: tuple[tuple[str, Step], ...] = (
    ("the acceptance", _nothing),
    ("the address", Deal.gets_address),
    ("plugging in", _plugged),
    ("charging", _charged),
)
_DRIVER = "no-show after the grace; a session ends at what was authorised, and is billed without its driver"
_HOST = "deadlines in the signed quote; the driver owes for what it has signed, and nothing else"

ATTACKS = (
    Attack(
        "silent driver",
        "A driver never answers after the quote, nor after the request",
        "a quote holds nothing, a request that waits holds nothing and ends by itself",
        driver_never_requests,
    ),
    *(
        Attack("silent driver", f"A driver never answers after {name}", _DRIVER, partial(driver_goes, step))
        for name, step in _STEPS
    ),
    Attack(
        "silent host",
        "A host never answers a request",
        "the request says until when it waits",
        host_never_answers,
    ),
    *(
        Attack("silent host", f"A host never answers after {name}", _HOST, partial(host_goes, step))
        for name, step in _STEPS
    ),
)
