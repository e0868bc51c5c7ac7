"""How long `find` takes over 25 real nodes: look-up by the DHT, two caretakers asked, signatures verified.

Each node is a `Node` on a libp2p process of its own; all of them share this machine's cores. Ten offer a
charger. Warm: searches that are not a node's first, one at a time by all in turn. Cold: the first search of a
node that was just started and knows one other, two dozen handshakes included. Beside it stands the look-up
alone.

    python -m tests.benchmarks.find
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from chargemesh_node.p2p.limits import DEFAULT_LIMITS
from chargemesh_node.sim.home import BERLIN
from chargemesh_protocol.discovery.cells import cell_key
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import public_cell, region_of
from tests.e2e.nodes import LIMITS, People, Person, eventually, street

RADIUS_M = 3000
SETTLE_S = 5.0  # gossip of what was announced, new members of its meshes, and the last of joining
JOINING = replace(DEFAULT_LIMITS, join_jitter_seconds=4.0)
NOT_JOINING = replace(LIMITS, join_jitter_seconds=3600.0)  # joining would warm up what is measured cold


def measure(nodes: int = 25, hosts: int = 10, warm: int = 100, cold: int = 15) -> dict[str, Any]:
    """Milliseconds; `recall`: the share of all chargers that a search found. Takes about a minute."""
    return asyncio.run(_measure(nodes, hosts, warm, cold))


async def _measure(nodes: int, hosts: int, warm: int, cold: int) -> dict[str, Any]:
    async with street(JOINING) as people:
        bootstrap, others = await people.many(nodes - 1)
        everybody = [bootstrap, *others]
        await eventually(lambda: all(one.knows_nodes() for one in everybody), "joined", 60)
        for number in range(nodes):
            await _look_up(everybody[number % nodes], number)  # whoever joined in the crowd missed some
        for host in others[:hosts]:
            await host.offers()
        await _settled(others[:hosts])
        for one in everybody:
            await _find(one, hosts)  # from the first search on a node follows the place's changes
        await asyncio.sleep(SETTLE_S)
        later = [await _find(everybody[n % nodes], hosts) for n in range(warm)]
        alone = [await _look_up(everybody[n % nodes], n) for n in range(warm)]
        people.limits = NOT_JOINING
        first = [await _first_find(people, bootstrap, number, hosts) for number in range(cold)]
    return {
        "nodes": nodes,
        "chargers": hosts,
        "warm": _summary(later),
        "cold": _summary(first),
        "warm_look_up_alone": _quantiles(alone),
    }


async def _settled(hosts: Sequence[Person]) -> None:
    def announced() -> bool:
        rounds = [one for host in hosts for one in host.node.announcer.announcements.values()]
        return len(rounds) == len(hosts) and all(len(one.kept_by()) == 8 for one in rounds)

    await eventually(announced, "everything is announced", 60)
    await asyncio.sleep(SETTLE_S)


async def _find(person: Person, hosts: int) -> tuple[float, float]:
    """Milliseconds and recall of one search."""

    async def search() -> int:
        async with person.node.find(BERLIN, RADIUS_M, Need()) as results:
            return len(await results.all())

    ms, found = await _timed(search)
    return ms, found / hosts


async def _first_find(people: People, told: Person, number: int, hosts: int) -> tuple[float, float]:
    newcomer = await people.add(f"newcomer {number}", knows=told)
    try:
        return await _find(newcomer, hosts)
    finally:
        await newcomer.stop()


async def _look_up(person: Person, number: int) -> float:
    root = region_of(public_cell(BERLIN, 7))
    key = cell_key(f"{person.people.network_id} {number}", root)
    ms, _ = await _timed(lambda: person.network.closest(key))
    return ms


async def _timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = await work()
    return (time.perf_counter() - began) * 1000, result


def _summary(finds: list[tuple[float, float]]) -> dict[str, float]:
    recall = round(statistics.mean(recall for _, recall in finds), 3)
    return {**_quantiles([ms for ms, _ in finds]), "recall": recall}


def _quantiles(taken: list[float]) -> dict[str, float]:
    ms = sorted(taken)
    return {
        "p50": round(statistics.median(ms), 1),
        "p99": round(ms[min(len(ms) - 1, int(len(ms) * 0.99))], 1),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
