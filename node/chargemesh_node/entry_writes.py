"""The one way by which entries of the logs get into the cache and out of it again, in the order of the logs.

What gossip brings is written behind, what a peer is answered about only after it is written. Both go
through the same batch: else the drop of an entry could overtake the entry, which would then stay for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from itertools import groupby

from chargemesh_protocol.trust.catch_up import Taken
from chargemesh_protocol.trust.news import signers
from chargemesh_protocol.trust.sync import Item

from .bundles import Bundles
from .ports import Cache

MAX_WRITES_WAITING = 1024  # entries that gossip brought and the cache hasn't got yet


class _Batch:
    """What is to be written next. Of one row the last word counts: put after drop, or drop alone."""

    def __init__(self) -> None:
        self.drops: dict[bytes, None] = {}  # at most as many as the cache has rows
        self.puts: dict[bytes, tuple[Item, bytes, str]] = {}  # row: entry, its bytes, the block it came from
        self.written = asyncio.Event()


class EntryWrites:
    """`start` with an open cache; `close` writes what is left."""

    def __init__(self, cache: Cache, bundles: Bundles) -> None:
        self._cache = cache
        self._bundles = bundles
        self._batch = _Batch()
        self._wake = asyncio.Event()
        self._closing = False
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._worker = asyncio.create_task(self._work(), name="log writes")

    async def close(self) -> None:
        self._closing = True
        self._wake.set()
        if self._worker is not None:
            await self._worker

    def add(self, taken: Taken, block: str, *, waits: bool = False) -> int:
        """What was taken is to be written; how many entries found no place. What was dropped always has its
        place, and so has all of a caller who `waits` until it is `written`."""
        # An entry may come again with its content: then it is another row, and restoring takes both.
        bare = [replace(item, content=None) for item in taken.displaced]
        for row, _, _ in _rows([*taken.displaced, *bare]):
            self._batch.puts.pop(row, None)
            self._batch.drops[row] = None
        lost = 0
        for row, item, data in _rows(taken.fresh):
            if waits or len(self._batch.puts) < MAX_WRITES_WAITING:
                self._batch.puts.setdefault(row, (item, data, block))
            else:
                lost += 1
        self._wake.set()
        return lost

    async def written(self) -> None:
        """Once all that was added so far is in the cache."""
        self._wake.set()
        await self._batch.written.wait()

    async def _work(self) -> None:
        while not self._closing or self._batch.drops or self._batch.puts:
            await self._wake.wait()
            self._wake.clear()
            batch, self._batch = self._batch, _Batch()
            try:
                await self._write(batch)
            finally:
                batch.written.set()

    async def _write(self, batch: _Batch) -> None:
        if batch.drops:
            await self._cache.drop_entries(list(batch.drops))
        if not batch.puts:
            return
        await self._bundles.keep({author for item, _, _ in batch.puts.values() for author in signers(item)})
        for block, puts in groupby(batch.puts.items(), key=lambda put: put[1][2]):  # in the order they came
            await self._cache.put_entries([(row, data) for row, (_, data, _) in puts], block)


def _rows(items: Iterable[Item]) -> list[tuple[bytes, Item, bytes]]:
    return [(sha256(data).digest(), item, data) for item in items for data in (item.to_bytes(),)]
