"""Changes of listings by gossip: whoever is interested in a place hears of them within seconds.

A message is a Store or a Withdraw, complete with what proves it, so that a node can judge and forward it
without asking anybody. Lost messages cost nothing: the caretakers have the listing. A topic is followed for
two hours after the last search there, and as long as a listing from there is ours or is kept here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.cells import listing_topic, topics_near
from chargemesh_protocol.discovery.offers import Offer, newer
from chargemesh_protocol.discovery.places import Hand, Source
from chargemesh_protocol.errors import Refused, Severity
from chargemesh_protocol.limits import MAX_HEARD_WAITING, MAX_LISTING_TOPICS, RENEWAL_LIFE_MS
from chargemesh_protocol.listing import Withdrawal
from chargemesh_protocol.place import Point
from chargemesh_protocol.record import Record

from ..ports import Caller, Clock, GossipHandler, Network
from .allowance import Allowance
from .caretaker import Caretaker

HEARD_PER_SECOND, HEARD_BURST = 20.0, 200  # of one neighbour; to verify a message takes about 0.4 ms
FOLLOW_SECONDS = RENEWAL_LIFE_MS / 1000  # a listing that is still shown was renewed since, and so is this
SWEEP_SECONDS = 60.0

_News = Offer | Record[Withdrawal]


@dataclass(slots=True)
class Interest:
    """Why a topic is followed: until when (loop time), and whether only because it was searched there."""

    until: float
    only_searched: bool


class ListingGossip:
    """Follows the topics that the node is interested in and feeds what comes to the caretaker.

    `topics`: what is followed, at most MAX_LISTING_TOPICS; a search takes the place of the oldest one before.
    `counters`: heard, dropped (the queue was full: newer ones are dropped), too-often, refused:<code>.
    """

    def __init__(
        self,
        *,
        network: Network,
        caretaker: Caretaker,
        clock: Clock,
        network_id: str,
        logger: logging.Logger | None = None,
    ) -> None:
        self._network = network
        self._caretaker = caretaker
        self._network_id = network_id
        self._logger = logger or logging.getLogger(__name__)
        self.counters: Counter[str] = Counter()
        self.topics: dict[str, Interest] = {}
        self._allowance = Allowance(clock, HEARD_PER_SECOND, HEARD_BURST)
        self._heard: deque[tuple[_News, Source]] = deque()
        self._wake = asyncio.Event()
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._to_follow: deque[int] = deque(maxlen=MAX_LISTING_TOPICS)
        caretaker.on_kept = self._cell_kept

    async def start(self) -> None:
        self._tasks = (
            asyncio.create_task(self._feed(), name="listing gossip"),
            asyncio.create_task(self._sweep(), name="topics"),
        )

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def follow_cell(self, cell: int) -> None:
        """Hears of changes around the public cell of a listing for the next two hours."""
        await self._follow([listing_topic(self._network_id, cell)], searched=False)

    async def follow_circle(self, point: Point, radius_m: float) -> None:
        """Hears of changes in a circle for the next two hours, as far as there is room: nearest first."""
        await self._follow(topics_near(self._network_id, point, radius_m), searched=True)

    async def publish(self, cell: int, change: wire.Change) -> None:
        """Tells everybody interested in `cell`; NetworkError if it could not go out."""
        await self._network.publish(listing_topic(self._network_id, cell), wire.write(change))

    def _cell_kept(self, cell: int) -> None:
        """Caretakers follow what they keep: they are what a host and those who looked there have in common,
        so changes pass through them."""
        interest = self.topics.get(listing_topic(self._network_id, cell))
        if interest is None:
            self._to_follow.append(cell)
            self._wake.set()
        else:
            self._renew(interest, searched=False)

    async def _follow(self, topics: Iterable[str], *, searched: bool) -> None:
        for topic in topics:
            interest = self.topics.get(topic)
            if interest is not None:
                self._renew(interest, searched=searched)
            elif await self._make_room():
                self.topics[topic] = Interest(self._in_two_hours(), searched)
                await self._network.subscribe(topic, self._handler(topic))

    def _renew(self, interest: Interest, *, searched: bool) -> None:
        interest.until = self._in_two_hours()
        interest.only_searched &= searched

    def _in_two_hours(self) -> float:
        return asyncio.get_running_loop().time() + FOLLOW_SECONDS

    async def _make_room(self) -> bool:
        """Whether there is a place for one more topic; the search of longest ago may lose one."""
        if len(self.topics) < MAX_LISTING_TOPICS:
            return True
        until = self._in_two_hours()
        searched = [topic for topic, one in self.topics.items() if one.only_searched and one.until < until]
        if searched:
            await self._leave(min(searched, key=lambda topic: self.topics[topic].until))
        return bool(searched)

    async def _leave(self, topic: str) -> None:
        del self.topics[topic]
        await self._network.unsubscribe(topic)

    async def _sweep(self) -> None:
        """Leaves the topics that there is no more reason to follow."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = asyncio.get_running_loop().time()
            for topic in [topic for topic, one in self.topics.items() if one.until <= now]:
                await self._leave(topic)

    def _handler(self, topic: str) -> GossipHandler:
        def hear(caller: Caller, data: bytes) -> bool | None:
            return self._hear(topic, caller, data)

        return hear

    def _hear(self, topic: str, caller: Caller, data: bytes) -> bool | None:
        """Whether a message is worth forwarding, as a GossipHandler says it; what is, waits for the cache."""
        if not self._allowance.take(caller.peer_id):
            self.counters["too-often"] += 1
            return False
        try:
            change = wire.read(data)
            if not isinstance(change, wire.Store | wire.Withdraw):
                raise Refused("unexpected", "gossip carries changes only")
            news = self._caretaker.open(change)
            self._require_news(topic, news)
        except Refused as fault:
            self.counters[f"refused:{fault.code}"] += 1
            return None if fault.severity is Severity.STALE else False
        self.counters["heard"] += 1
        if len(self._heard) < MAX_HEARD_WAITING:
            self._heard.append((news, Source(Hand.FORWARDED, caller.block)))
            self._wake.set()
        else:
            self.counters["dropped"] += 1
        return True

    def _require_news(self, topic: str, news: _News) -> None:
        record = news.listing if isinstance(news, Offer) else news
        body = record.body
        if listing_topic(self._network_id, body.cell) != topic:
            raise Refused("topic", "this belongs to another topic")
        known = self._caretaker.newest((body.author, body.charger))
        if known is not None and newer(known.version, (body.sequence, record.id)):
            raise Refused("superseded", "a newer listing or withdrawal is known", Severity.STALE)

    async def _feed(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._to_follow and len(self.topics) < MAX_LISTING_TOPICS // 2:
                await self.follow_cell(self._to_follow.popleft())
            self._to_follow.clear()
            while self._heard:
                news, source = self._heard.popleft()
                try:
                    await self._caretaker.take(news, source)
                except Refused as fault:
                    self.counters[f"not-kept:{fault.code}"] += 1
