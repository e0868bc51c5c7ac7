"""What the cache holds is what the logs hold, however late it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from chargemesh_node import entry_writes
from chargemesh_node.bundles import Bundles
from chargemesh_node.entry_writes import EntryWrites
from chargemesh_node.sim import loop as simulated
from chargemesh_node.sim.disk import MemoryCache
from chargemesh_node.sim.loop import LoopClock
from chargemesh_node.sim.network import SimulatedInternet
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.trust.catch_up import Taken
from chargemesh_protocol.trust.sync import Item
from tests.protocol.trust.people import BORN, NETWORK, Person


class SlowCache(MemoryCache):
    """A disk that takes a second for each entry, and none for a drop."""

    async def put_entries(self, rows: Sequence[tuple[bytes, bytes]], block: str = "") -> None:
        await asyncio.sleep(len(rows))
        await super().put_entries(rows, block)

    async def kept(self) -> list[tuple[bytes, str]]:
        return await self.entries()


def writes_to(cache: MemoryCache) -> EntryWrites:
    network, clock = SimulatedInternet(1).node("node"), LoopClock(BORN)
    writes = EntryWrites(
        cache, Bundles(network=network, cache=cache, clock=clock, directory=Directory(NETWORK))
    )
    writes.start()
    return writes


def items(count: int) -> list[Item]:
    anna, boris = Person("anna"), Person("boris")
    return [anna.vouches(boris) for _ in range(count)]


def rows(kept: list[Item], block: str = "1.1.1.0/24") -> list[tuple[bytes, str]]:
    return [(one.to_bytes(), block) for one in kept]


def taken(fresh: Sequence[Item] = (), displaced: Sequence[Item] = ()) -> Taken:
    return Taken(fresh=list(fresh), displaced=list(displaced))


def test_a_drop_does_not_overtake_what_is_written_behind() -> None:
    async def story() -> None:
        cache = SlowCache(LoopClock(BORN))
        writes, (one, other, third) = writes_to(cache), items(3)
        writes.add(taken([one]), "1.1.1.0/24")
        await asyncio.sleep(0.5)  # it is being written
        writes.add(taken([other]), "1.1.1.0/24")
        writes.add(taken([third], [one, other]), "1.1.1.0/24", waits=True)
        await writes.written()
        assert await cache.kept() == rows([third])
        writes.add(taken([one], [third]), "2.2.2.0/24")
        writes.add(taken([third]), "2.2.2.0/24")
        await writes.close()
        assert await cache.kept() == rows([one, third], "2.2.2.0/24")

    simulated.run(story())


def test_a_full_queue_loses_no_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_writes, "MAX_WRITES_WAITING", 2)

    async def story() -> None:
        cache = SlowCache(LoopClock(BORN))
        writes, said = writes_to(cache), items(6)
        assert writes.add(taken(said[:1]), "1.1.1.0/24") == 0
        await writes.written()
        assert [writes.add(taken([one]), "1.1.1.0/24") for one in said[1:4]] == [0, 0, 1]
        assert writes.add(taken(said[4:], said[:1]), "1.1.1.0/24") == 2
        await writes.close()
        assert await cache.kept() == rows(said[1:3])

    simulated.run(story())


def test_who_waits_is_not_given_up_with_another_that_is() -> None:
    async def story() -> None:
        cache = SlowCache(LoopClock(BORN))
        writes, said = writes_to(cache), items(2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                writes.add(taken(said), "1.1.1.0/24", waits=True)
                await writes.written()
        await writes.close()
        assert await cache.kept() == rows(said)

    simulated.run(story())
