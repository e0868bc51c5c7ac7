"""Keeping others' listings: what nodes do for the cells near whose keys they stand.

The rules are `Places`; the bytes lie in the cache. Whoever asks gets what fits, whoever stores is held to
signatures, sequences, freshness and quotas. Our own listings are kept here too, so that neighbours who ask us
directly find them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace

from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.offers import (
    ChargerKey,
    Newest,
    Offer,
    open_offer,
    open_renewal,
    open_withdrawal,
)
from chargemesh_protocol.discovery.places import OURSELVES, SUPERSEDED, Hand, Places, Quotas, Source
from chargemesh_protocol.discovery.search import fits
from chargemesh_protocol.errors import Refused, Severity
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.limits import MAX_CELL_PLACES, MAX_FOUND_ITEMS, MAX_LISTING_LIFE_MS
from chargemesh_protocol.listing import Listing, Withdrawal, require_fresh
from chargemesh_protocol.place import is_within, region_of
from chargemesh_protocol.record import Record, open_as
from chargemesh_protocol.tariff import TariffDimension, prices

from ..ports import Cache, CachedListing, CachedWithdrawal, Caller, Clock, Entropy, Network
from .allowance import Allowance
from .paging import Moved, cursor, item, page, rank

SWEEP_SECONDS = 60.0
CHANGES_PER_SECOND, CHANGES_BURST = 10.0, 200  # of one block: a host with 64 chargers moves house at once
QUERIES_PER_SECOND, QUERIES_BURST = 20.0, 200  # of one block
_FIRST_ROWS = 4 * MAX_FOUND_ITEMS  # read from the cache at first; more if few of them fit
_RESTORE_AT_ONCE = 32  # listings verified, about 10 ms, before others get their turn
_OPENED = 1024  # listings kept as values, since queries come again and again for the same


class Caretaker:
    """Answers `/chargemesh/listing/1`. Construct before the network starts; `start` after the cache is open.

    `proven` says whether an author has a completed pair. `counters` counts what was kept, answered and
    refused (`refused:<code>`), for `status`.
    """

    def __init__(
        self,
        *,
        network: Network,
        cache: Cache,
        clock: Clock,
        entropy: Entropy,
        directory: Directory,
        proven: Callable[[bytes], bool] = lambda author: False,
        quotas: Quotas | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self._network = network
        self._cache = cache
        self._clock = clock
        self._entropy = entropy
        self._directory = directory
        self._proven = proven
        self._logger = logger or logging.getLogger(__name__)
        self.on_kept: Callable[[int], None] = lambda cell: None  # told the public cell of whatever is kept
        self.places = Places(quotas or Quotas())
        self.counters: Counter[str] = Counter()
        self._changes = Allowance(clock, CHANGES_PER_SECOND, CHANGES_BURST)
        self._queries = Allowance(clock, QUERIES_PER_SECOND, QUERIES_BURST)
        self._moved = Moved(clock)
        self._opened: OrderedDict[bytes, Record[Listing]] = OrderedDict()
        self._writing = asyncio.Lock()  # a decision and what it writes are one step
        self._sweeper: asyncio.Task[None] | None = None
        network.serve(wire.PROTOCOL, self.answer)

    async def start(self) -> None:
        """Takes up what the cache still holds and begins to sweep out what has ended."""
        for gone in await self._cache.withdrawals():
            version, key = (gone.sequence, gone.id), (gone.author, gone.charger)
            proven = self._proven(gone.author)
            self.places.remember_withdrawn(key, version, gone.root, gone.ends, gone.source, proven)
        for number, row in enumerate(await self._cache.all_listings(), 1):
            if number % _RESTORE_AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                offer = open_offer(row.listing, row.renewal, row.bundle, self._directory, self._clock.now())
                self.places.remember(offer, row.source, self._proven(row.author))
            except Refused:
                await self._cache.drop_listing(row.author, row.charger)
        self._sweeper = asyncio.create_task(self._sweep(), name="caretaker")

    async def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)

    def newest(self, charger: ChargerKey) -> Newest | None:
        """The newest listing or withdrawal that is known here."""
        place = self.places.get(charger)
        return None if place is None else place.newest

    async def kept(self, charger: ChargerKey) -> wire.FoundItem | None:
        """What is kept of one charger, whatever it fits."""
        row = await self._cache.listing(*charger)
        return None if row is None else item(row)

    # --- answering --------------------------------------------------------------------------------

    async def answer(self, caller: Caller, body: bytes) -> bytes:
        """One request of a peer (or of ourselves); never raises for what a peer sends."""
        try:
            return wire.write(await self._answer(caller, wire.read(body)))
        except Refused as fault:
            self.counters[f"refused:{fault.code}"] += 1
            return wire.write(wire.failed(fault))

    async def _answer(self, caller: Caller, message: wire.Message) -> wire.Message:
        ours = caller.peer_id == self._network.contact.peer_id
        allowance = self._queries if isinstance(message, wire.Query) else self._changes
        if not ours and not allowance.take(caller.block):
            raise Refused("too-often", "more than this caretaker answers", Severity.STALE)
        source = OURSELVES if ours else Source(Hand.DIRECT, caller.block)
        match message:
            case wire.Query():
                return await self.find(message)
            case wire.Store() | wire.Withdraw():
                return await self._store(self.open(message), source)
            case wire.StoreRenewal():
                await self._renew(message)
            case _:
                raise Refused("unexpected", "this is an answer, not a request")
        return wire.Kept()

    # --- keeping ----------------------------------------------------------------------------------

    def open(self, change: wire.Change) -> Offer | Record[Withdrawal]:
        """Verifies a change completely, without keeping anything; Refused."""
        now = self._clock.now()
        if isinstance(change, wire.Withdraw):
            return open_withdrawal(change.withdrawal, change.bundle, self._directory, now)
        if change.shard != 0 or change.cell != region_of(change.cell):
            raise Refused("not-a-leaf", "this cell of the tree is not split here", Severity.STALE)
        offer = open_offer(change.listing, change.renewal, change.bundle, self._directory, now)
        if not is_within(offer.listing.body.cell, change.cell):
            raise Refused("cell", "the listing's public cell lies elsewhere")
        return offer

    async def take(self, news: Offer | Record[Withdrawal], source: Source) -> bool:
        """Keeps what `open` verified; False if it was known. Refused: superseded, or a quota is reached."""
        draw = self._entropy.bytes(8)
        async with self._writing:
            if isinstance(news, Offer):
                proven = self._proven(news.listing.body.author)
                changed, victims = self.places.put(news, source, proven, draw)
                if changed:
                    await self._keep(news, proven)
            else:
                proven = self._proven(news.body.author)
                changed, victims = self.places.withdraw(news, source, proven, draw)
                if changed:
                    await self._keep_withdrawn(news)
            await self._drop(victims)
        self.counters["kept" if changed else "known"] += 1
        return changed

    async def _store(self, news: Offer | Record[Withdrawal], source: Source) -> wire.Message:
        try:
            await self.take(news, source)
        except Refused as fault:
            if fault.code != SUPERSEDED:
                raise
            self.counters[f"refused:{fault.code}"] += 1
            body = news.listing.body if isinstance(news, Offer) else news.body
            return await self._proof(fault, (body.author, body.charger))
        return wire.Kept()

    async def _proof(self, fault: Refused, charger: ChargerKey) -> wire.Failed:
        """The refusal with what we know instead, as far as its bytes still lie here. specs/07, D5."""
        listed, withdrawn = await self._cache.listing(*charger), await self._cache.withdrawal(*charger)
        author = self._directory.get(charger[0])
        newer = listed.listing if listed is not None else withdrawn.raw if withdrawn is not None else None
        bundle = None if author is None or newer is None else author.to_bytes()
        return replace(wire.failed(fault), newer=newer, bundle=bundle)

    async def _renew(self, message: wire.StoreRenewal) -> None:
        async with self._writing:
            row = await self._cache.listing(message.author, message.charger)
            if row is None:
                raise Refused("unknown-listing", "the listing that this renews isn't here", Severity.STALE)
            listing = self._listing(row)
            renewal = open_renewal(message.renewal, listing, self._directory)
            require_fresh(listing, renewal, self._clock.now())
            if self.places.renew(listing, renewal.body):
                await self._keep(Offer(listing, renewal, row.bundle), self._proven(row.author))
        self.counters["renewed"] += 1

    async def _keep(self, offer: Offer, proven: bool) -> None:
        body = offer.listing.body
        self.on_kept(body.cell)
        row = CachedListing(
            author=body.author,
            charger=body.charger,
            sequence=body.sequence,
            cell=body.cell,
            listing=offer.listing.raw,
            renewal=offer.renewal.raw,
            bundle=offer.bundle,
            expires=offer.shown_until,
            connectors=tuple(dict.fromkeys(one.type for one in body.connectors)),
            max_power_w=max(one.max_power_w for one in body.connectors),
            price=prices(body.tariff, TariffDimension.ENERGY)[0],
            proven=proven,
            source=self._source_of(offer.key),
        )
        before = await self._cache.listing(*offer.key)
        if before is not None:
            self._moved.note(before, row)
        await self._cache.put_listing(row)

    async def _keep_withdrawn(self, withdrawal: Record[Withdrawal]) -> None:
        body = withdrawal.body
        await self._cache.put_withdrawal(
            CachedWithdrawal(
                author=body.author,
                charger=body.charger,
                sequence=body.sequence,
                id=withdrawal.id,
                root=region_of(body.cell),
                ends=body.issued + MAX_LISTING_LIFE_MS,
                source=self._source_of((body.author, body.charger)),
                raw=withdrawal.raw,
            )
        )

    def _source_of(self, charger: ChargerKey) -> Source:
        """Whose quota the place counts to that was just taken."""
        place = self.places.get(charger)
        return OURSELVES if place is None else place.source

    async def _drop(self, chargers: Iterable[ChargerKey]) -> None:
        for author, charger in chargers:
            self.counters["evicted"] += 1
            await self._cache.drop_listing(author, charger)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            async with self._writing:
                for author, charger in self.places.expire(self._clock.now()):
                    await self._cache.drop_listing(author, charger)

    # --- finding ----------------------------------------------------------------------------------

    async def find(self, query: wire.Query) -> wire.Found:
        """The page of fitting listings that `query` asks for, proven ones first, then the cheapest."""
        self.counters["queries"] += 1
        limit = _FIRST_ROWS
        while True:
            rows = await self._cache.listings(query.cells, query.need, limit)
            whole = len(rows) < limit or limit >= MAX_CELL_PLACES
            if not whole:
                # Others of the last one's rank may have been cut off, in an order that is not ours.
                rows = [row for row in rows if rank(row) < rank(rows[-1])]
            fitting = self._fitting(rows, query)
            if whole or len(fitting) > query.limit:
                return page(fitting, query.limit, query.after or b"")
            limit *= 2

    def _fitting(self, rows: Iterable[CachedListing], query: wire.Query) -> list[CachedListing]:
        now = self._clock.now()
        after = query.after or b""
        found = [
            row
            for row in rows
            if row.expires > now
            and (cursor(row) > after or self._moved.is_missed(row, after))
            and fits(self._listing(row).body, query.need)
        ]
        return sorted(found, key=cursor)

    def _listing(self, row: CachedListing) -> Record[Listing]:
        """The listing of a row, read anew only if it has not been for a while."""
        listing = self._opened.get(row.listing)
        if listing is None:
            listing = open_as(Listing, row.listing, self._directory.network)
            self._opened[row.listing] = listing
            if len(self._opened) > _OPENED:
                self._opened.popitem(last=False)
        return listing
