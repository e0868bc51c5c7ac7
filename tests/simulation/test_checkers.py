"""The checkers find what they are there for: each rule is broken on purpose, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.records import Acknowledge
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.effects import AddRecord, PutOutbox
from tests.seeds import seeds
from tests.simulation.stories import Deal, neighbours

Breakage = Callable[[Deal], None]


def hold_the_slot_twice(deal: Deal) -> None:
    slots = deal.host.store._synced.slots
    slot = slots[deal.id]
    slots[b"another"] = replace(slot, booking=b"another", start=slot.start + 1000)


def fork_the_chain(deal: Deal) -> None:
    booking = deal.host.booking(deal.id)
    last = booking.set.chain[-1].body
    fields = {"number": last.number, "previous": last.previous, "includes": ()}
    body = Acknowledge(author=last.author, issued=last.issued + 1, booking=deal.id, **fields)
    record = deal.host.node.me.sign(body)
    booking.set.add(record)
    deal.host.store._synced.apply([AddRecord(deal.id, record.id, record.raw)])


def forget_a_record_that_was_told(deal: Deal) -> None:
    deal.world.checkers.forgive(deal.driver)  # only what the host holds against itself is asked
    deal.host.booking(deal.id).mine.pop()
    deal.world.checkers._durable.clear()


def never_try_a_delivery(deal: Deal) -> None:
    outbox = deal.host.node.runner.outbox
    now = deal.host.clock.now()
    outbox.put(PutOutbox("peer", b"stuck", now + 10**9, not_before=now - 100_000))
    outbox._busy.add(("peer", b"stuck"))


def stop_the_clockwork(deal: Deal) -> None:
    deal.host.node.runner.failed.set_result(None)


def break_over_a_message(deal: Deal) -> None:
    deal.world.internet.broken.append(KeyError("oops"))


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (hold_the_slot_twice, "two bookings at one time"),
        (fork_the_chain, "a forked chain"),
        (forget_a_record_that_was_told, "host lost"),
        (never_try_a_delivery, "does not try a peer delivery"),
        (stop_the_clockwork, "stands still"),
        (break_over_a_message, "broke over a message"),
    ],
)
@pytest.mark.parametrize("seed", seeds(1))
def test_what_is_broken_on_purpose_is_found(seed: int, breaks: Breakage, said: str) -> None:
    async def story() -> None:
        world = World(seed)
        host, driver = await neighbours(world)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        await deal.reaches("the end", lambda state: state.reservation is Reservation.RESERVED)
        await world.settles()
        breaks(deal)
        with pytest.raises(AssertionError, match=f"seed {seed}: .*{said}"):
            world.checkers.always()
            world.checkers.nothing_broke()

    run(story())


@pytest.mark.parametrize("seed", seeds(2))
def test_two_sides_that_hold_different_records_do_not_agree(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        host, driver = await neighbours(world)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        await world.settles()
        driver.booking(deal.id).set._host.popitem()
        with pytest.raises(AssertionError, match=f"seed {seed}: host and driver hold different records"):
            world.checkers.settled()

    run(story())
