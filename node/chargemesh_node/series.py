"""Books what is due of the person's weekly series: asks each host for its price, and takes what was agreed.

What is due is `series.planner`'s to say and what came of it the engine's to keep: here are only the asking
and the waiting, so that a crash at any instant costs no more than one question asked again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import Quote
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import Book
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point, centre, region_of
from chargemesh_protocol.record import Record
from chargemesh_protocol.series.commands import (
    BookOccurrence,
    OccurrenceFailed,
    OccurrencePassed,
    SeriesStep,
)
from chargemesh_protocol.series.desk import objection
from chargemesh_protocol.series.kept import Series
from chargemesh_protocol.series.planner import Occurrence

from .discovery.finder import Search
from .errors import NetworkError
from .offers import QUOTE_TIMEOUT_S, opened
from .ports import Clock, Network
from .runner import LONGEST_NAP_S, Runner

_log = logging.getLogger(__name__)
_LOOK_AGAIN_MS = 5 * 60 * 1000  # what became of a booking is told by nobody
_LOOK_SOON_MS = 20 * 1000  # a host's rules answer at once, and then the next date has its turn
_SEARCH_RADIUS_M = 3000.0  # a listing's cell has a radius of about 1.5 km at most usual resolutions
_SHORTEST_WAIT_MS, _LONGEST_WAIT_MS = 15 * 60 * 1000, 48 * 3600 * 1000  # for a person's answer
_OBJECTIONS = {
    "price": "it costs more than you agreed to",
    "terms": "the host's conditions are others now",
    "currency": "it is priced in another currency now",
}


class SeriesKeeper:
    """`find`: searches listings about a point, as `Finder.find`."""

    def __init__(
        self,
        *,
        network: Network,
        clock: Clock,
        runner: Runner,
        directory: Directory,
        network_id: str,
        find: Callable[[Point, float, Need], Search],
    ) -> None:
        self._network = network
        self._clock = clock
        self._runner = runner
        self._directory = directory
        self._network_id = network_id
        self._find = find
        self._looked: dict[bytes, tuple[int, int]] = {}  # series -> when last, and when next (unix ms)
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._keep(), name="weekly series")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def look(self) -> None:
        """Something was said of a series, or of a booking: look again now."""
        self._looked.clear()
        self._wanted.set()

    # --- inside ---------------------------------------------------------------------------------

    async def _keep(self) -> None:
        while True:
            self._wanted.clear()
            for id_, _ in list(self._runner.engine.series.own):
                if self._is_due(id_):
                    try:
                        await self._advance(id_)
                    except PersonError as error:
                        _log.error("series %s has to wait: %s", id_.hex()[:8], error)
            try:
                async with asyncio.timeout(LONGEST_NAP_S):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    def _is_due(self, id_: bytes) -> bool:
        last, following = self._looked.get(id_, (0, 0))
        return not last <= self._clock.now() < following

    async def _advance(self, id_: bytes) -> None:
        """Everything that is due of one series; PersonError where nothing can be kept or signed now."""
        now = self._clock.now()
        self._looked[id_] = (now, now + _LOOK_AGAIN_MS)
        own = self._runner.engine.series.own
        plan = own.plan(id_, now)
        if plan.book or plan.left_out:
            self._runner.engine.require_signing(now)
        for one in plan.left_out:
            await self._submit(OccurrencePassed(id_, one.day))
        for one in plan.book:
            await self._book(id_, one)
        wake_at = self._runner.engine.series.own.plan(id_, self._clock.now()).wake_at
        soon = now + (_LOOK_SOON_MS if plan.book else _LOOK_AGAIN_MS)
        self._looked[id_] = (now, soon if wake_at is None else min(wake_at, soon))

    async def _book(self, id_: bytes, one: Occurrence) -> None:
        series = self._runner.engine.series.own.require(id_)
        try:
            given, quote, contact = await self._ask(series, one)
        except NetworkError:
            step: SeriesStep = OccurrenceFailed(id_, one.day, "host-away", "the host's node can't be reached")
        except Refused as refused:
            step = OccurrenceFailed(id_, one.day, refused.code[:40], refused.message[:300])
        else:
            step = self._answer_to(id_, series, one, given, quote, contact)
        await self._submit(step)

    def _answer_to(
        self,
        id_: bytes,
        series: Series,
        one: Occurrence,
        given: wire.QuoteGiven,
        quote: Record[Quote],
        contact: Contact,
    ) -> SeriesStep:
        why = objection(series, quote.body)
        if why == "currency":
            return OccurrenceFailed(id_, one.day, why, _OBJECTIONS[why])
        if why:
            cap, terms = quote.body.cap, quote.body.terms
            return OccurrenceFailed(id_, one.day, why, _OBJECTIONS[why], cap, terms)
        left = one.start - self._clock.now()
        book = Book(
            quote=quote.raw,
            host_bundle=given.bundle,
            to=contact,
            region=region_of(series.cell),
            title=series.title,
            zone=series.zone,
            wait_ms=max(_SHORTEST_WAIT_MS, min(left, _LONGEST_WAIT_MS)),
            vehicle=series.vehicle,
            plug=series.plug,
        )
        return BookOccurrence(id_, one.day, book)

    async def _ask(self, series: Series, one: Occurrence) -> tuple[wire.QuoteGiven, Record[Quote], Contact]:
        """The host's price; also where it answers from another address than it did."""
        contact = series.peer
        try:
            return (*await self._ask_at(contact, series, one), contact)
        except NetworkError:
            moved = await self._where_now(series)
            if moved is None or moved == contact:
                raise
            return (*await self._ask_at(moved, series, one), moved)

    async def _ask_at(
        self, contact: Contact, series: Series, one: Occurrence
    ) -> tuple[wire.QuoteGiven, Record[Quote]]:
        ask = wire.AskQuote(charger=series.charger, start=one.start, end=one.end, energy_wh=series.energy_wh)
        answer = await self._network.request(contact, wire.PROTOCOL, wire.write(ask), timeout=QUOTE_TIMEOUT_S)
        given = wire.read_as(wire.QuoteGiven, answer)
        return given, opened(given, ask, series.host, self._directory, self._network_id)

    async def _where_now(self, series: Series) -> Contact | None:
        """Where the host's newest listing says that it answers; None if it is not found."""
        async with self._find(centre(series.cell), _SEARCH_RADIUS_M, Need()) as search:
            for found in await search.all():
                if found.key == (series.host, series.charger):
                    return found.record.body.contact
        return None

    async def _submit(self, step: SeriesStep) -> None:
        try:
            await self._runner.submit(step)
        except PersonError as error:
            if error.code == "store":
                raise
            _log.info("series %s: %s", step.series.hex()[:8], error)  # the person said something meanwhile
