"""What can go wrong around two nodes and a neighbour, drawn from one seed, while they do business."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.limits import CLOCK_TOLERANCE_MS
from tests.simulation.stories import Deal

MAX_SKEW_MS = 90_000
NAMES = ("host", "driver", "neighbour")


@dataclass(frozen=True, slots=True)
class Weather:
    """What a seed brings. Probabilities per message, seconds, milliseconds."""

    loss: float
    duplication: float
    max_delay_s: float
    skew_ms: dict[str, int]
    crashes: int


def weather(seed: int) -> Weather:
    drawn = random.Random(f"weather {seed}")
    first, second = drawn.randint(-MAX_SKEW_MS, MAX_SKEW_MS), drawn.randint(-MAX_SKEW_MS, MAX_SKEW_MS)
    if abs(first - second) > CLOCK_TOLERANCE_MS:
        second = -first // 4  # clocks further apart than that make no booking, which is another test
    return Weather(
        loss=drawn.choice((0.0, 0.05, 0.15, 0.3)),
        duplication=drawn.choice((0.0, 0.1, 0.4)),
        max_delay_s=drawn.choice((0.05, 0.5, 2.0)),
        skew_ms=dict(zip(NAMES, (first, second, drawn.randint(-MAX_SKEW_MS, MAX_SKEW_MS)), strict=True)),
        crashes=drawn.choice((0, 0, 1, 3)),
    )


class Chaos:
    """Partitions, full disks and crashes that come and go until `stop`, which leaves all whole again."""

    def __init__(self, world: World, people: list[Person], crashes: int) -> None:
        self._world = world
        self._people = people
        self._crashes = crashes
        self._drawn = random.Random(f"chaos {world.seed}")
        self._task = asyncio.get_running_loop().create_task(self._rage())
        self.happened: list[str] = []

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._world.internet.heal()
        self._world.internet.faults.loss = self._world.internet.faults.duplication = 0.0
        for person in self._people:
            person.store.full = False
            person.dies_at = None
            await self._world.until(lambda person=person: person.is_up, 60, f"{person.name} is back")  # type: ignore[misc]

    async def _rage(self) -> None:
        while True:
            await asyncio.sleep(self._drawn.uniform(2, 20))
            fault = self._drawn.choice(("partition", "one way", "full disk", "crash"))
            one, other = self._drawn.sample(self._people, 2)
            self.happened.append(f"{fault} {one.name} {other.name}")
            match fault:
                case "partition":
                    self._world.internet.partition({one.name}, {other.name})
                case "one way":
                    self._world.internet.cut({one.name}, {other.name})
                case "full disk":
                    one.store.full = True
                case "crash":
                    self._crash(one)
            await asyncio.sleep(self._drawn.uniform(1, 40))
            self._world.internet.heal()
            one.store.full = False

    def _crash(self, person: Person) -> None:
        if self._crashes and person.is_up:
            self._crashes -= 1
            person.power_cut = self._drawn.random() < 0.5
            person.dies_at = len(person.points) + self._drawn.randint(0, 10)


async def booking_in_bad_weather(seed: int) -> World:
    """A whole booking while it rains; everything is delivered and agreed once it has cleared up."""
    falls = weather(seed)
    world = World(seed)
    people = [await world.add(name, skew_ms=falls.skew_ms[name]) for name in NAMES]
    host, driver, _ = people
    await host.offers()
    await world.pass_time(seconds=20)
    faults = world.internet.faults
    faults.loss, faults.duplication, faults.max_delay = falls.loss, falls.duplication, falls.max_delay_s
    chaos = Chaos(world, people, falls.crashes)
    try:
        deal = Deal(world, host, driver, hours=1)
        await deal.happens()
        await chaos.stop()
        await world.settles()
    except AssertionError as error:
        raise AssertionError(f"{error} (in {falls}, after {chaos.happened})") from error
    await world.end()
    return world
