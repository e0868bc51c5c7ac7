"""Searching: ask who keeps the cells of a circle, judge every answer here, and show results as they come."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.cells import by_root, cell_key, query_cells
from chargemesh_protocol.discovery.search import FoundListing, Results
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.limits import CARETAKERS, MAX_FOUND_ITEMS, MAX_LOCAL_PEERS
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point

from ..errors import NetworkError
from ..ports import Clock, Network
from .caretaker import Caretaker
from .gossip import ListingGossip

SEARCH_SECONDS = 15.0
ASK_SECONDS = 4.0
WIDEN_SECONDS = 0.7  # without an answer by then the next caretaker is asked as well
ANSWERS_WANTED = 2  # of each root's caretakers; absence is believed from no fewer
MAX_PAGES = 16  # of one caretaker
ROOTS_AT_ONCE = 8
FOLLOW_RADIUS_M = 20_000  # of wider searches changes are not followed
_VERIFY_AT_ONCE = 16  # items, about 5 ms, before others get their turn


@dataclass(slots=True)
class SearchReport:
    """Who answered. `answers`: by root cell, how many of its caretakers did (ourselves counted where we are
    one); `failed`: reasons of those who did not, with their number."""

    cells: int = 0
    answers: dict[int, int] = field(default_factory=dict)
    asked: int = 0
    answered: int = 0
    neighbours: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def believable(self) -> bool:
        """Whether several caretakers answered for every part, so that what was not found isn't there."""
        return bool(self.answers) and min(self.answers.values()) >= ANSWERS_WANTED


class Search(AsyncIterator[FoundListing]):
    """One running search: iterate for results as they come. A charger comes again if something newer is
    found, with `fits` False if it must go. `async with` ends it early; `results.found` is what stands so far.
    """

    def __init__(self, finder: Finder, results: Results, cells: Sequence[int]) -> None:
        self.results = results
        self.report = SearchReport(cells=len(cells))
        self._finder = finder
        self._cells = cells
        self._news: asyncio.Queue[FoundListing | None] = asyncio.Queue()  # bounded by what may be answered
        self._task = asyncio.create_task(self._run(), name="search")

    async def __aenter__(self) -> Search:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Asks nobody any more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def __aiter__(self) -> Search:
        return self

    async def __anext__(self) -> FoundListing:
        found = await self._news.get()
        if found is None:
            self._news.put_nowait(None)
            await self._task  # a fault of ours is not swallowed
            raise StopAsyncIteration
        return found

    async def all(self) -> list[FoundListing]:
        """Waits for the end; what fits, the nearest first."""
        async for _ in self:
            pass
        return sorted(self.results.found.values(), key=lambda one: (one.distance, one.key))

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                await self._ask_everybody()
        except TimeoutError:
            self.report.failed["search-too-slow"] += 1
        finally:
            self._news.put_nowait(None)

    async def _ask_everybody(self) -> None:
        finder = self._finder
        own = finder.network.contact
        neighbours = [one for one in finder.neighbours() if one.peer_id != own.peer_id][:MAX_LOCAL_PEERS]
        turn = asyncio.Semaphore(ROOTS_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask(own, self._cells))
            for neighbour in neighbours:
                group.create_task(self._ask_neighbour(neighbour))
            for root, cells in by_root(self._cells).items():
                self.report.answers[root] = 0
                group.create_task(self._ask_root(root, cells, turn))
        if self.results.radius_m <= FOLLOW_RADIUS_M:
            # Only now: to join a topic is work for each of our peers, which the answers should not wait for.
            await finder.gossip.follow_circle(self.results.point, self.results.radius_m)

    async def _ask_neighbour(self, neighbour: Contact) -> None:
        if await self._ask(neighbour, self._cells):
            self.report.neighbours += 1

    async def _ask_root(self, root: int, cells: Sequence[int], turn: asyncio.Semaphore) -> None:
        """Two caretakers in parallel, and the next ones for those that fail or are slow."""
        finder = self._finder
        async with turn:
            try:
                key = cell_key(finder.network_id, root)
                caretakers = await finder.network.closest(key, CARETAKERS)
            except NetworkError as error:
                self.report.failed[type(error).__name__] += 1
                return
            own = finder.network.contact.peer_id
            if any(one.peer_id == own for one in caretakers):
                self.report.answers[root] += 1  # our own cache is asked anyway
            waiting = [one for one in caretakers if one.peer_id != own]
            asked: set[asyncio.Task[bool]] = set()
            try:
                while self.report.answers[root] < ANSWERS_WANTED and (waiting or asked):
                    missing = ANSWERS_WANTED - self.report.answers[root] - len(asked)
                    asked |= self._start(waiting, cells, max(missing, 0))
                    done, asked = await asyncio.wait(
                        asked, timeout=WIDEN_SECONDS, return_when=asyncio.FIRST_COMPLETED
                    )
                    self.report.answers[root] += sum(one.result() for one in done)
                    if not done:
                        asked |= self._start(waiting, cells, 1)
            finally:
                for task in asked:
                    task.cancel()
                await asyncio.gather(*asked, return_exceptions=True)

    def _start(self, waiting: list[Contact], cells: Sequence[int], count: int) -> set[asyncio.Task[bool]]:
        chosen = [waiting.pop(0) for _ in range(min(count, len(waiting)))]
        return {asyncio.create_task(self._ask(one, cells)) for one in chosen}

    async def _ask(self, contact: Contact, cells: Sequence[int]) -> bool:
        """Every page of one node's answer; whether it answered at all."""
        self.report.asked += 1
        after: bytes | None = None
        for page in range(MAX_PAGES):
            try:
                found = await self._page(contact, cells, after)
            except (NetworkError, Refused) as fault:
                reason = fault.code if isinstance(fault, Refused) else type(fault).__name__
                self.report.failed[reason] += 1
                return page > 0
            self.report.answered += page == 0
            await self._judge(found, contact)
            if found.more is None or (after is not None and found.more <= after):
                return True
            after = found.more
        return True

    async def _page(self, contact: Contact, cells: Sequence[int], after: bytes | None) -> wire.Found:
        query = wire.Query(cells=tuple(cells), need=self.results.need, limit=MAX_FOUND_ITEMS, after=after)
        answer = await self._finder.network.request(
            contact, wire.PROTOCOL, wire.write(query), timeout=ASK_SECONDS
        )
        return wire.read_as(wire.Found, answer)

    async def _judge(self, found: wire.Found, contact: Contact) -> None:
        now = self._finder.clock.now()
        for number, item in enumerate(found.items, 1):
            result = self.results.take(item, contact.peer_id, now)
            if result is not None:
                self._news.put_nowait(result)
            if number % _VERIFY_AT_ONCE == 0:
                await asyncio.sleep(0)


class Finder:
    """Starts searches. `neighbours` gives the contacts found on the local network, who are asked directly."""

    def __init__(
        self,
        *,
        network: Network,
        caretaker: Caretaker,
        gossip: ListingGossip,
        clock: Clock,
        directory: Directory,
        network_id: str,
        proven: Callable[[bytes], bool] = lambda author: False,
        neighbours: Callable[[], Iterable[Contact]] = tuple,
        logger: logging.Logger | None = None,
    ) -> None:
        self.network = network
        self.gossip = gossip
        self.clock = clock
        self.network_id = network_id
        self.neighbours = neighbours
        self._caretaker = caretaker
        self._directory = directory
        self._proven = proven
        self._logger = logger or logging.getLogger(__name__)

    def find(self, point: Point, radius_m: float, need: Need, *, limit: int = 100) -> Search:
        """Searches around a point that never leaves this machine. PersonError for a bad radius.

        At most `limit` different chargers are found; `results.left_off` counts those beyond.
        """
        cells = query_cells(point, radius_m)
        results = Results(point, radius_m, need, limit, self._directory, self._proven, self._caretaker.newest)
        return Search(self, results, cells)
