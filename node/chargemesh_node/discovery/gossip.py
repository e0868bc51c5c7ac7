"""Changes of listings by gossip: whoever is interested in a place hears of them within seconds.

A message is a Store or a Withdraw, complete with what proves it, so that a node can judge and forward it
without asking anybody. Lost messages cost nothing: the caretakers have the listing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Iterable

from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.cells import listing_topic, topics_near
from chargemesh_protocol.discovery.offers import Offer, newer
from chargemesh_protocol.discovery.places import Hand, Source
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_HEARD_WAITING, MAX_LISTING_TOPICS
from chargemesh_protocol.listing import Withdrawal
from chargemesh_protocol.place import Point
from chargemesh_protocol.record import Record

from ..errors import NetworkError
from ..ports import Caller, Clock, GossipHandler, Network
from .allowance import Allowance
from .caretaker import Caretaker

HEARD_PER_SECOND, HEARD_BURST = 20.0, 200  # of one neighbour; to verify a message takes about 0.4 ms

_News = Offer | Record[Withdrawal]


class ListingGossip:
    """Follows the topics that the node is interested in and feeds what comes to the caretaker.

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
        self.topics: set[str] = set()
        self._allowance = Allowance(clock, HEARD_PER_SECOND, HEARD_BURST)
        self._heard: deque[tuple[_News, Source]] = deque()
        self._wake = asyncio.Event()
        self._feeder: asyncio.Task[None] | None = None
        self._to_follow: deque[int] = deque(maxlen=MAX_LISTING_TOPICS)
        caretaker.kept = self._cell_kept

    async def start(self) -> None:
        self._feeder = asyncio.create_task(self._feed(), name="listing gossip")

    async def close(self) -> None:
        if self._feeder is not None:
            self._feeder.cancel()
            await asyncio.gather(self._feeder, return_exceptions=True)

    async def follow_cell(self, cell: int) -> None:
        """Hears of changes around a public cell from now on."""
        await self._follow([listing_topic(self._network_id, cell)])

    async def follow_circle(self, point: Point, radius_m: float) -> None:
        """Hears of changes in a circle from now on, as far as there is room for topics: nearest first."""
        await self._follow(topics_near(self._network_id, point, radius_m))

    async def publish(self, cell: int, change: wire.Change) -> None:
        """Tells everybody interested in `cell`; NetworkError if it could not go out."""
        await self._network.publish(listing_topic(self._network_id, cell), wire.write(change))

    def _cell_kept(self, cell: int) -> None:
        """Caretakers follow what they keep: they are what a host and those who looked there have in common,
        so changes pass through them."""
        if listing_topic(self._network_id, cell) not in self.topics:
            self._to_follow.append(cell)
            self._wake.set()

    async def _follow(self, topics: Iterable[str]) -> None:
        for topic in topics:
            if topic in self.topics or len(self.topics) >= MAX_LISTING_TOPICS:
                continue
            self.topics.add(topic)
            try:
                await self._network.subscribe(topic, self._handler(topic))
            except NetworkError as error:
                self.topics.discard(topic)
                self._logger.info("can't follow %s: %s", topic, error)

    def _handler(self, topic: str) -> GossipHandler:
        def hear(caller: Caller, data: bytes) -> bool:
            return self._hear(topic, caller, data)

        return hear

    def _hear(self, topic: str, caller: Caller, data: bytes) -> bool:
        """Whether a message is worth forwarding; what is, waits for the cache."""
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
            return False
        self.counters["heard"] += 1
        if len(self._heard) < MAX_HEARD_WAITING:
            self._heard.append((news, Source(Hand.FORWARDED, caller.block)))
            self._wake.set()
        else:
            self.counters["dropped"] += 1
        return True

    def _require_news(self, topic: str, news: _News) -> None:
        body = news.listing.body if isinstance(news, Offer) else news.body
        record = news.listing if isinstance(news, Offer) else news
        if listing_topic(self._network_id, body.cell) != topic:
            raise Refused("topic", "this belongs to another topic")
        known = self._caretaker.newest((body.author, body.charger))
        if known is not None and newer(known, (body.sequence, record.id)):
            raise Refused("superseded", "a newer listing or withdrawal is known")

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
