"""Records dated otherwise than they were signed, and clocks that are wrong on either side."""

from __future__ import annotations

import pytest

from chargemesh_node.sim.people import HOUR_MS
from chargemesh_protocol.booking.records import Cancel, CancelReason, NoShow
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.errors import PersonError
from tests.simulation.scene import Scene, share_of_cap

from .attack import Attack, Finding, money
from .forge import exchange, forged, forged_by_host, try_send


async def backdated(seed: int, size: int) -> Finding:
    """Less than two hours before the start; the cancellation says that it was written when it cost less."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 2.1)
    booking, then = driver.booking(deal.id), driver.clock.now()
    seen = booking.state(then).head
    cheaper, owed = (share_of_cap(driver.state(deal.id), percent) for percent in (10, 50))
    driver.crash()
    await scene.world.pass_time(minutes=10)
    cancel = forged(driver, booking, Cancel, then, seen, reason=CancelReason.DRIVER_CANCELED)
    await try_send(host, driver.name, exchange(deal.id, cancel))
    await scene.world.pass_time(seconds=10)
    state = host.state(deal.id)
    assert state.reservation is Reservation.CANCELED and state.cost == owed, state.cost
    await scene.world.end()
    return Finding(
        "one cancellation dated 10 minutes back",
        f"owes {money(owed)}, the tier of now, and not {money(cheaper)}",
    )


async def backdated_after_no_show(seed: int, size: int) -> Finding:
    """The driver did not come, and then says that it had cancelled before."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 0.05)
    booking, now = driver.booking(deal.id), driver.clock.now()
    seen = booking.state(now).head
    driver.crash()
    await scene.world.until(
        lambda: host.state(deal.id).reservation is Reservation.NO_SHOW, 3600, "the no-show"
    )
    cancel = forged(driver, booking, Cancel, now, seen, reason=CancelReason.DRIVER_CANCELED)
    await try_send(host, driver.name, exchange(deal.id, cancel))
    await scene.world.pass_time(seconds=10)
    state = host.state(deal.id)
    least = share_of_cap(state, 50)
    assert state.cost >= least, f"{state.reservation} for {state.cost} of {state.quote.cap}"
    await scene.world.end()
    return Finding(
        "a cancellation from before the start, sent after the no-show",
        f"owes {money(state.cost)} of {money(state.quote.cap)}",
    )


async def early_no_show(seed: int, size: int) -> Finding:
    """The host signs a no-show while the driver still has an hour to come."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 1)
    await deal.gets_address()
    await scene.world.settles()
    booking = host.booking(deal.id)
    host.crash()
    record = forged_by_host(host, booking, NoShow, host.clock.now())
    await try_send(driver, host.name, exchange(deal.id, record, known=len(booking.theirs)))
    state = driver.state(deal.id)
    assert state.reservation is Reservation.RESERVED and state.cost == 0, state.reservation
    assert "still had time" in state.ignored_reason(record.id)
    await scene.world.end()
    return Finding("one no-show, an hour before the start", "nothing; it is ignored, and kept as its word")


async def drivers_clock(seed: int, size: int) -> Finding:
    """The driver's clock is set wrong, ahead and behind, to be priced by another time."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    came = []
    for wrong_ms in (10 * 60_000, -10 * 60_000, 24 * HOUR_MS):
        driver.clock.skew_ms = 0
        await scene.world.pass_time(seconds=5)
        offer = await driver.gets_quote(host, starts_in_h=3, hours=1)
        driver.clock.skew_ms = wrong_ms
        try:
            booking = await driver.takes(offer)
        except PersonError as error:
            came.append(error.code)
            continue
        await scene.world.until(
            lambda booking=booking: (
                bool(driver.booking(booking).file.refused)  # type: ignore[misc]
                or driver.state(booking).reservation is not Reservation.PENDING
            ),
            600,
            "an answer",
        )
        came.append(driver.booking(booking).file.refused or driver.state(booking).reservation.name)
    assert not any(one.request.body.issued > host.clock.now() + 120_000 for one in host.bookings()), came
    await scene.world.end()
    return Finding("a clock 10 minutes or a day off", ", ".join(came))


async def hosts_clock(seed: int, size: int) -> Finding:
    """The host's clock is set a day ahead or behind: it signs nothing by it."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    for name in ("one", "two", "three"):
        await (await scene.world.add(name)).connects(host)
    deal = await scene.reserved(host, driver, 1)
    await scene.world.settles()
    before = len(host.booking(deal.id).mine)
    for wrong_ms in (24 * HOUR_MS, -24 * HOUR_MS):
        host.clock.skew_ms = wrong_ms
        await scene.world.until(lambda: not host.node.clock_verdict().trusted, 60, "it doubts")
        with pytest.raises(PersonError):
            await host.cancels(deal.id, CancelReason.BROKEN_CHARGER)
        await scene.world.pass_time(minutes=2)
        assert len(host.booking(deal.id).mine) == before
        assert driver.state(deal.id).reservation is Reservation.RESERVED
    host.clock.skew_ms = 0
    await scene.world.until(lambda: host.node.clock_verdict().trusted, 60, "it is right again")
    await scene.world.settles()
    await scene.world.end()
    return Finding(
        "a host's clock a day ahead, then a day behind", "0 records signed by it; the booking stands"
    )


ATTACKS = (
    Attack(
        "backdated cancellation",
        "Cancel late, and date it back",
        "the time that counts is when the host included it, if the two are 2 minutes apart",
        backdated,
    ),
    Attack(
        "backdated cancellation",
        "Stay away, and say afterwards that one had cancelled in time",
        "as above: what nobody has heard of counts from the start on",
        backdated_after_no_show,
    ),
    Attack(
        "clocks",
        "A host signs a no-show before the time for it",
        "a no-show issued before start, grace and 2 minutes takes no effect",
        early_no_show,
    ),
    Attack(
        "clocks",
        "A driver's clock is set wrong",
        "requests more than 2 minutes ahead, and quotes that have expired, are refused",
        drivers_clock,
    ),
    Attack(
        "clocks",
        "A host's clock is set wrong",
        "a node whose clock differs from those of its peers signs nothing",
        hosts_clock,
    ),
)
