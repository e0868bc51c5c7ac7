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
from chargemesh_protocol.discovery.cells import by_root, query_cells
from chargemesh_protocol.discovery.search import Behind, FoundListing, Results
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.limits import MAX_FOUND_ITEMS, MAX_LOCAL_PEERS
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point

from ..errors import NetworkError
from ..ports import Clock, Network
from .caretaker import Caretaker
from .caretaker_book import CaretakerBook
from .gossip import ListingGossip

SEARCH_SECONDS = 15.0
ASK_SECONDS = 4.0
WIDEN_SECONDS = 0.3  # without an answer by then the next caretaker is asked as well
ANSWERS_WANTED = 2  # of each root's caretakers; absence is believed from no fewer
MAX_PAGES = 16  # of one caretaker
ROOTS_AT_ONCE = 8
FOLLOW_RADIUS_M = 20_000  # of wider searches changes are not followed
_VERIFY_AT_ONCE = 16  # items, about 5 ms, before others get their turn


@dataclass(slots=True)
class SearchReport:
    """Who answered, as PeerIds. `answers`: by root cell, those of its caretakers who did, ourselves too where
    we are one. `answered`: other nodes, and of them `neighbours` on the local network. `failed`: reasons of
    those who did not, with their number."""

    cells: int = 0
    answers: dict[int, set[str]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    neighbours: set[str] = field(default_factory=set)
    failed: Counter[str] = field(default_factory=Counter)

    def is_answered(self, root: int) -> bool:
        """Whether several caretakers answered for that part, so that what was not found isn't there."""
        return len(self.answers[root]) >= ANSWERS_WANTED

    @property
    def believable(self) -> bool:
        return bool(self.answers) and all(self.is_answered(root) for root in self.answers)


class Search(AsyncIterator[FoundListing]):
    """One running search: iterate for results as they come. A charger comes again if something newer is
    found, with `fits` False if it must go. `async with` ends it early; `results.found` is what stands so far.
    """

    def __init__(self, finder: Finder, results: Results, cells: Sequence[int]) -> None:
        self.results = results
        self.report = SearchReport(cells=len(cells))
        self._finder = finder
        self._cells = cells
        self._unknown: list[int] = []  # roots whose caretakers the next search will want to know
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
                self.report.answers[root] = set()
                group.create_task(self._ask_root(root, cells, turn))
        if self.results.radius_m <= FOLLOW_RADIUS_M:
            # Only now: to join a topic is work for each of our peers, which the answers should not wait for.
            await finder.gossip.follow_circle(self.results.point, self.results.radius_m)
        for root in self._unknown:
            finder.book.refresh(root)

    async def _ask_neighbour(self, neighbour: Contact) -> None:
        if await self._ask(neighbour, self._cells):
            self.report.neighbours.add(neighbour.peer_id)

    async def _ask_root(self, root: int, cells: Sequence[int], turn: asyncio.Semaphore) -> None:
        """Whom we remember to keep it, or the nearest; where they don't answer, whom a look-up names now."""
        book = self._finder.book
        remembered = book.remembered(root)
        asked: set[str] = set()
        async with turn:
            try:
                await self._ask_caretakers(root, cells, remembered or await book.nearest(root), asked)
                if not self.report.is_answered(root):
                    await self._ask_caretakers(root, cells, await book.look_up(root), asked)
                elif not remembered:
                    self._unknown.append(root)
            except NetworkError as error:
                self.report.failed[type(error).__name__] += 1

    async def _ask_caretakers(
        self, root: int, cells: Sequence[int], caretakers: Sequence[Contact], asked: set[str]
    ) -> None:
        """Two of them in parallel, connected ones first, and others for those that fail or are slow."""
        network, answers = self._finder.network, self.report.answers[root]
        own = network.contact.peer_id
        if any(one.peer_id == own for one in caretakers):
            answers.add(own)  # our own cache is asked anyway
        connected = {one.peer_id for one in network.peers()}
        others = [one for one in caretakers if one.peer_id not in asked | {own}]
        waiting = sorted(others, key=lambda one: one.peer_id not in connected)
        running: dict[asyncio.Task[bool], str] = {}
        slow: set[str] = set()

        def ask(count: int) -> None:
            for contact in waiting[: max(count, 0)]:
                waiting.remove(contact)
                asked.add(contact.peer_id)
                running[asyncio.create_task(self._ask(contact, cells))] = contact.peer_id

        try:
            while not self.report.is_answered(root):
                ask(ANSWERS_WANTED - len(answers) - len(running))
                if not running:
                    return
                done, _ = await asyncio.wait(
                    running, timeout=WIDEN_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    peer_id = running.pop(task)
                    if task.result():
                        answers.add(peer_id)
                if not done:
                    slow.update(running.values())
                    ask(1)
        finally:
            for task, peer_id in running.items():
                task.cancel()
                if peer_id in slow:  # others were asked later and have answered
                    self._finder.book.failed(peer_id)
            await asyncio.gather(*running, return_exceptions=True)

    async def _ask(self, contact: Contact, cells: Sequence[int]) -> bool:
        """Every page of one node's answer; whether it gave all of it."""
        finder = self._finder
        after: bytes | None = None
        for _ in range(MAX_PAGES):
            try:
                found = await self._page(contact, cells, after)
            except NetworkError as error:
                self.report.failed[type(error).__name__] += 1
                finder.book.failed(contact.peer_id)
                return False
            except Refused as fault:
                self.report.failed[fault.code] += 1
                return False
            if contact.peer_id != finder.network.contact.peer_id:
                self.report.answered.add(contact.peer_id)
            await self._judge(found, contact)
            if found.more is None or (after is not None and found.more <= after):
                return True  # the end, or one who would send us in a circle
            after = found.more
        return True

    async def _page(self, contact: Contact, cells: Sequence[int], after: bytes | None) -> wire.Found:
        query = wire.Query(cells=tuple(cells), need=self.results.need, limit=MAX_FOUND_ITEMS, after=after)
        answer = await self._finder.network.request(
            contact, wire.PROTOCOL, wire.write(query), timeout=ASK_SECONDS
        )
        return wire.read_as(wire.Found, answer)

    async def _judge(self, found: wire.Found, contact: Contact) -> None:
        finder = self._finder
        now = finder.clock.now()
        own = finder.network.contact.peer_id
        for number, item in enumerate(found.items, 1):
            news = self.results.take(item, contact.peer_id, now, ours=contact.peer_id == own)
            if isinstance(news, Behind):
                # A change reached us before it reached who answered: ours counts, if it can be had already.
                kept = await finder.caretaker.kept(news.offer.key)
                if kept is not None:
                    self._tell(self.results.take(kept, own, now, ours=True))
                news = self.results.accept(news.offer, news.source)
            self._tell(news)
            if number % _VERIFY_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _tell(self, news: FoundListing | Behind | None) -> None:
        if isinstance(news, FoundListing):
            self._news.put_nowait(news)


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
        self.caretaker = caretaker
        self.gossip = gossip
        self.clock = clock
        self.neighbours = neighbours
        self._directory = directory
        self._proven = proven
        self.book = CaretakerBook(network, network_id, logger or logging.getLogger(__name__))

    async def close(self) -> None:
        await self.book.close()

    def find(self, point: Point, radius_m: float, need: Need, *, limit: int = 100) -> Search:
        """Searches around a point that never leaves this machine. PersonError for a bad radius.

        At most `limit` different chargers are found; `results.left_off` counts those beyond.
        """
        cells = query_cells(point, radius_m)
        known = self.caretaker.newest
        results = Results(point, radius_m, need, limit, self._directory, self._proven, known)
        return Search(self, results, cells)
