"""One booking of two nodes, run again and again from one seed, each time with a crash at another point."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.charging import tag_of
from tests.simulation.stories import Deal

SIDES = ("host", "driver")


@dataclass(frozen=True, slots=True)
class Point:
    """An instant of a run at which a side may die: its number among that side's points, and what it is."""

    side: str
    number: int
    what: str


@cache
def without_fault(seed: int) -> Played:
    return run(_play(seed, None, False))


def points(seed: int) -> list[Point]:
    """Every commit (three instants each) and everything sent by either side, in a run without a fault."""
    counted = without_fault(seed)
    return [
        Point(side, number, what)
        for side in SIDES
        for number, what in enumerate(counted.points[side])
        if number >= counted.ready[side]
    ]


@dataclass(slots=True)
class Played:
    """What a run left behind. ready: how many points each side had passed before the booking began. told: the
    events that each side's person heard of."""

    points: dict[str, list[str]]
    ready: dict[str, int]
    told: dict[str, set[str]]


def crash_at(seed: int, point: Point, *, power_cut: bool, again_after: int | None = None) -> None:
    """Runs the story with that crash (and a second one so many points later); AssertionError names both."""
    try:
        told = run(_play(seed, point, power_cut, again_after)).told
        assert told == without_fault(seed).told, f"seed {seed}: other notices came: {told}"
    except AssertionError as error:
        fault = "power cut" if power_cut else "kill -9"
        raise AssertionError(
            f"{fault} of the {point.side} at its point {point.number} ({point.what}), "
            f"again after {again_after}: {error}"
        ) from error


async def _play(seed: int, point: Point | None, power_cut: bool, again_after: int | None = None) -> Played:
    world = World(seed)
    host, driver = await world.add_all(*SIDES)
    await host.offers()
    await world.pass_time(seconds=20)
    ready = {person.name: len(person.points) for person in (host, driver)}
    if point is not None:
        dies = world.people[point.side]
        dies.dies_at = point.number
        dies.power_cut = power_cut
        dies.dies_again_after = again_after
    deal = Deal(world, host, driver)
    await deal.happens()
    await world.settles()
    if point is not None:
        assert dies.starts > 1, f"seed {seed}: the crash never came"
    _once(world, deal, host, driver)
    await world.end()
    both = (host, driver)
    told = {one.name: {_event(body) for _, body in one.notices} for one in both}
    return Played({one.name: one.points for one in both}, ready, told)


def _once(world: World, deal: Deal, host: Person, driver: Person) -> None:
    """What the checkers of every world don't ask: in this story each thing happened exactly once."""
    state = host.state(deal.id)
    sessions = [one for one in host.box.sessions if one.tag == tag_of(deal.id)]
    assert len(sessions) == 1, f"seed {world.seed}: {len(sessions)} sessions in the wallbox"
    assert len(host.node.runner.engine.keeper.entries) == 2, f"seed {world.seed}: entries of the host"
    assert len(driver.node.runner.engine.keeper.entries) == 2, f"seed {world.seed}: entries of the driver"
    billed = sessions[0].end_wh - sessions[0].start_wh
    assert state.receipt is not None and state.receipt.body.energy_wh == billed, (
        f"seed {world.seed}: {billed} Wh"
    )
    for person in (host, driver):
        _notices_once(world, person)


def _notices_once(world: World, person: Person) -> None:
    """A notice may be delivered twice, under one key; it is never written twice."""
    by_event = Counter(event for _, event in {(key, _event(body)) for key, body in person.notices})
    twice = {event: count for event, count in by_event.items() if count > 1}
    assert not twice, f"seed {world.seed}: {person.name} was told twice: {twice}"


def _event(body: bytes) -> str:
    name: str = json.loads(body)["event"]
    return name
