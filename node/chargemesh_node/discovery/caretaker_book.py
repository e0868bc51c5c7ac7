"""Who keeps which leaf of the tree of cells, remembered for a while: a look-up costs more than a search.

A leaf is looked up before its first search, and again beside a later one that finds the answer old. Who
leaves for good is noticed at the first request; who comes nearer meanwhile is told of changes as well as
those it came between, so that any of the remembered still has what was listed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.cells import cell_key
from chargemesh_protocol.limits import CARETAKERS

from ..errors import NetworkError
from ..ports import Network

FRESH_SECONDS = 60.0  # beyond it a search has the leaf looked up again, without waiting for it
STALE_SECONDS = 600.0  # beyond it nothing is remembered
NEAREST = 3  # two that answer are enough, and one may fail
MAX_LEAVES = 256  # a circle of 100 km touches about 30


@dataclass(slots=True)
class _Leaf:
    """`looked_up` in loop time."""

    caretakers: tuple[Contact, ...]
    looked_up: float


class CaretakerBook:
    """`remembered` first, then `nearest`, and `look_up` where those do not lead far enough.

    `look_ups` counts the whole ones that were made.
    """

    def __init__(self, network: Network, network_id: str, logger: logging.Logger) -> None:
        self._network = network
        self._network_id = network_id
        self._logger = logger
        self._leaves: OrderedDict[int, _Leaf] = OrderedDict()  # the one unused for longest first
        self._running: dict[int, asyncio.Task[tuple[Contact, ...]]] = {}
        self.look_ups = 0

    async def close(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def remembered(self, cell: int) -> tuple[Contact, ...]:
        """The leaf's caretakers as of a while ago, nearest first; none if they are not known."""
        leaf = self._leaves.get(cell)
        age = 0.0 if leaf is None else asyncio.get_running_loop().time() - leaf.looked_up
        if leaf is None or age >= STALE_SECONDS:
            return ()
        self._leaves.move_to_end(cell)
        if age >= FRESH_SECONDS:
            self._begin(cell)
        return leaf.caretakers

    async def nearest(self, cell: int) -> tuple[Contact, ...]:
        """Three of the leaf's caretakers, who are found with less than half the connections. NetworkError."""
        return tuple(await self._network.closest(cell_key(self._network_id, cell), NEAREST))

    def refresh(self, cell: int) -> None:
        """Has all of the leaf's caretakers looked up, for the next search."""
        self._begin(cell)

    async def look_up(self, cell: int) -> tuple[Contact, ...]:
        """The leaf's caretakers now, nearest first, ourselves among them where we belong. NetworkError."""
        return await asyncio.shield(self._begin(cell))

    def failed(self, peer_id: str) -> None:
        """It did not answer: until a look-up names it again nobody is sent there."""
        old = asyncio.get_running_loop().time() - FRESH_SECONDS
        for leaf in self._leaves.values():
            left = tuple(one for one in leaf.caretakers if one.peer_id != peer_id)
            if len(left) < len(leaf.caretakers):
                leaf.caretakers, leaf.looked_up = left, min(leaf.looked_up, old)

    def _begin(self, cell: int) -> asyncio.Task[tuple[Contact, ...]]:
        """The look-up of that leaf, which all share who want it now."""
        task = self._running.get(cell)
        if task is None:
            task = self._running[cell] = asyncio.create_task(self._look_up(cell), name="caretakers")
            task.add_done_callback(lambda done: self._over(cell, done))
        return task

    async def _look_up(self, cell: int) -> tuple[Contact, ...]:
        self.look_ups += 1
        found = tuple(await self._network.closest(cell_key(self._network_id, cell), CARETAKERS))
        # Fewer are all there are: a small network, which is quickly asked, or one that we are just joining.
        if len(found) == CARETAKERS:
            self._leaves[cell] = _Leaf(found, asyncio.get_running_loop().time())
            self._leaves.move_to_end(cell)
            while len(self._leaves) > MAX_LEAVES:
                self._leaves.popitem(last=False)
        return found

    def _over(self, cell: int, task: asyncio.Task[tuple[Contact, ...]]) -> None:
        del self._running[cell]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, NetworkError):
            self._logger.info("no caretakers found: %s", error)
