"""Booking and never coming, over and over: paid, unpaid, and under new names."""

from __future__ import annotations

from chargemesh_protocol.booking.table import Reservation
from tests.simulation.scene import Scene, share_of_cap

from .attack import Attack, Finding, money


async def unpaid(seed: int, size: int) -> Finding:
    """One no-show; then `size` further tries, none of it paid."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    first = await scene.reserved(host, driver, 0.05)
    await scene.world.pass_time(minutes=22)
    await first.reaches("the no-show", lambda state: state.reservation is Reservation.NO_SHOW)
    owed = driver.state(first.id).cost
    assert owed == share_of_cap(driver.state(first.id), 100)
    for _ in range(size):
        booking = await driver.books(host, starts_in_h=1, hours=1)
        await scene.world.until(lambda: bool(driver.booking(booking).file.refused), 60, "a refusal")  # noqa: B023
        assert driver.booking(booking).file.refused == "unpaid-receipt"
    assert not host.store.durable().slots
    await scene.closes()
    return Finding(f"{money(owed)}, owed and not paid", f"1 slot; {size} further tries refused")


async def paid(seed: int, size: int) -> Finding:
    """Each no-show is paid: that is a right, and the host is paid the whole slot for it."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    spent = 0
    for _ in range(size):
        deal = await scene.reserved(host, driver, 0.05)
        await scene.world.pass_time(minutes=22)
        await deal.reaches("the no-show", lambda state: state.reservation is Reservation.NO_SHOW)
        await deal.reaches("its receipt", lambda state: state.agreed is not None)
        await deal.is_paid()
        state = driver.state(deal.id)
        assert state.cost == state.quote.cap
        spent += state.cost
        assert not host.node.runner.engine.ledger.completions_with(driver.author), "and earns no trust"
    await scene.closes()
    return Finding(f"{money(spent)} for {size} no-show(s)", f"{size} slot(s), each paid in full; no trust")


ATTACKS = (
    Attack(
        "serial no-show",
        "Never come, and never pay",
        "the no-show is owed by the terms in the signed quote; who owes is refused",
        unpaid,
        size=2,
        long=50,
    ),
    Attack(
        "serial no-show",
        "Never come, and pay each time",
        "the price: the whole cap by these terms; a no-show proves no session",
        paid,
        size=1,
        long=20,
    ),
)
