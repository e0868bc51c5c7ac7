"""Either side may die at any instant of a booking: it goes on, nothing durable is lost, nothing done twice.

The instants are counted in a run without a fault: at each commit before anything is written, written but
not synced, and durable; and before everything that leaves the node. Each is then a run of its own.
"""

from __future__ import annotations

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from tests.seeds import seeds
from tests.simulation.crashes import SIDES, Point, crash_at, points
from tests.simulation.stories import Deal

PARTS = 4  # so that the workers share a side's points
OUTSIDE_THE_BOOKING = ("/chargemesh/log/", "/chargemesh/listing/", "/chargemesh/identity/")


def part_of(seed: int, side: str, part: int) -> list[Point]:
    return [one for one in points(seed) if one.side == side][part::PARTS]


def tells_more(point: Point) -> bool:
    """Killed before the sync, a node comes back with what it has after it: the long test does both."""
    return point.what != "before sync" and not any(one in point.what for one in OUTSIDE_THE_BOOKING)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("seed", seeds(1))
def test_a_booking_survives_kill_9_at_every_commit_and_before_everything_it_sends(
    seed: int, side: str, part: int
) -> None:
    for point in filter(tells_more, part_of(seed, side, part)):
        crash_at(seed, point, power_cut=False)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("seed", seeds(1))
def test_a_booking_survives_a_power_cut_between_writing_and_syncing(seed: int, side: str) -> None:
    """At the other instants a power cut takes away no more than a kill does."""
    unsynced = [one for one in points(seed) if one.side == side and one.what == "before sync"]
    for point in unsynced[::3]:
        crash_at(seed, point, power_cut=True)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("power_cut", [False, True])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("seed", seeds(1, 2, 3))
def test_every_point_with_kill_and_power_cut(seed: int, side: str, power_cut: bool) -> None:
    for point in points(seed):
        if point.side == side:
            crash_at(seed, point, power_cut=power_cut)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("again_after", [0, 1, 2, 4, 8])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("seed", seeds(4))
def test_a_second_crash_during_the_recovery(seed: int, side: str, again_after: int) -> None:
    for point in points(seed):
        if point.side == side:
            crash_at(seed, point, power_cut=point.number % 2 == 0, again_after=again_after)


@pytest.mark.parametrize("seed", seeds(5))
def test_the_points_are_there_to_be_hit(seed: int) -> None:
    """A hook that no longer fires would let every crash test pass."""
    found = points(seed)
    for side in SIDES:
        of_side = [one.what for one in found if one.side == side]
        assert of_side.count("before commit") == of_side.count("before sync") == of_side.count("after commit")
        assert of_side.count("before commit") >= 15, f"seed {seed}: {side}"
        for what in ("send /chargemesh/booking/1", "answer /chargemesh/booking/1", "notify"):
            assert what in of_side, f"seed {seed}: {side} never reached {what}"
    assert {"start the wallbox", "stop the wallbox"} <= {one.what for one in found if one.side == "host"}


@pytest.mark.parametrize("seed", seeds(6))
def test_a_store_that_forgets_durable_records_is_found_out(seed: int) -> None:
    """The checkers see the loss that crashes must not cause."""

    async def story() -> None:
        world = World(seed)
        host, driver = await world.add_all(*SIDES)
        await host.offers()
        await world.pass_time(seconds=20)
        deal = Deal(world, host, driver)
        await deal.is_booked()
        host.crash()
        host.store._synced.records[deal.id].popitem()
        await host.restart()
        with pytest.raises(AssertionError, match=f"seed {seed}: host lost"):
            await world.pass_time(seconds=20)

    run(story())
