"""Accepting, cancelling, moving and booking again so as to pay less, or to be paid more."""

from __future__ import annotations

from chargemesh_protocol.booking.records import CancelReason, Change
from chargemesh_protocol.booking.table import Reservation
from tests.simulation.scene import Scene, is_cancelled, share_of_cap

from .attack import Attack, Finding, money
from .forge import exchange, forged, try_send


async def move_and_leave(seed: int, size: int) -> Finding:
    """An hour before the start, when leaving costs half, the driver moves the booking by days and leaves."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 1)
    state = driver.state(deal.id)
    floor = share_of_cap(state, 50)
    for number in range(size):
        await driver.changes(await driver.asks_terms(deal.id, later_h=40 + number))
        await deal.reaches("the question", lambda state: state.change is not None)
        await host.accepts(deal.id)
        wanted = number + 2
        await deal.reaches("the new time", lambda state: len(state.in_force) == wanted)  # noqa: B023
    told = await driver.cancels(deal.id, CancelReason.DRIVER_CANCELED)
    assert told["cost"] >= floor, f"{told['cost']} instead of {floor}"
    await deal.reaches("the end", lambda state: is_cancelled(state, "driver") and state.cost >= floor)
    await scene.closes()
    return Finding(
        f"{size} move(s) by more than a day, each agreed to by the host",
        f"leaving still costs {money(told['cost'])}, as before the first ({money(floor)})",
    )


async def names_an_offer(seed: int, size: int) -> Finding:
    """A change that the host offered sets no floor; so the driver's own change names the host's offer."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 6)
    start = host.state(deal.id).quote.start
    terms = await driver.asks_terms(deal.id, later_h=40)
    await host.offers_terms(deal.id, start=start + 3_600_000, text="an hour later?")
    await deal.reaches("the offer", lambda state: state.offer is not None)
    offer = driver.state(deal.id).offer
    assert offer is not None
    booking = driver.booking(deal.id)
    driver.crash()
    now = driver.clock.now()
    for number in range(size):
        change = forged(driver, booking, Change, now + number, quote=terms.quote.raw, offer=offer.id)
        await try_send(host, driver.name, exchange(deal.id, change))
        state = host.state(deal.id)
        assert state.change is None and len(state.in_force) == 1 and state.quote.start == start
        assert "another quote" in state.ignored_reason(change.id)
    await scene.world.end()
    return Finding(f"{size} changes to its own quote that name the host's offer", "none is asked of the host")


async def cancel_and_book_again(seed: int, size: int) -> Finding:
    """The driver leaves when that costs something, and books the same time again at once."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 1)
    told = await driver.cancels(deal.id, CancelReason.DRIVER_CANCELED)
    again = await driver.books(host, starts_in_h=1, hours=1)
    await scene.world.until(lambda: bool(driver.booking(again).file.refused), 60, "a refusal")
    assert driver.booking(again).file.refused == "unpaid-receipt"
    await scene.closes()
    return Finding(f"{money(told['cost'])} for the first", "refused until that is paid; the fee stays")


async def host_takes_it_back(seed: int, size: int) -> Finding:
    """The host accepts, takes it back, and accepts again, to sell the time for more."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    owed = 0
    for _ in range(size):
        deal = await scene.reserved(host, driver, 1)
        await host.cancels(deal.id, CancelReason.BROKEN_CHARGER)
        await deal.reaches("the end", lambda state: is_cancelled(state, "host"))
        state = driver.state(deal.id)
        assert (state.cost, state.compensation) == (0, share_of_cap(state, 20))
        assert state.reservation is Reservation.CANCELED
        owed += state.compensation
    await scene.closes()
    return Finding(f"{size} acceptances taken back", f"owes {money(owed)} to the driver, who owes nothing")


ATTACKS = (
    Attack(
        "accept, cancel, rebook",
        "Move a booking to where leaving is free, and leave",
        "what leaving cost when it was moved stays as a floor",
        move_and_leave,
    ),
    Attack(
        "accept, cancel, rebook",
        "Pass the own change off as the host's offer, which sets no floor",
        "a change that names an offer carries the very quote of that offer",
        names_an_offer,
        size=2,
        long=60,
    ),
    Attack(
        "accept, cancel, rebook",
        "Cancel late, and book the same time again",
        "the tier is owed, and who owes is refused",
        cancel_and_book_again,
    ),
    Attack(
        "accept, cancel, rebook",
        "A host accepts, takes it back, and accepts again",
        "the compensation of the signed terms, whatever the reason but safety",
        host_takes_it_back,
        size=2,
        long=20,
    ),
)
