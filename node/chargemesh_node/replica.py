"""Our copy of the trust logs: gossip brings new entries at once, catch-up brings whatever gossip missed.

Catch-up runs when two nodes meet, after an entry of our own, and every few minutes with somebody at random,
so that a node that was off ends with every entry that any of its peers has. What is taken lies in memory
(`logs`) and in the cache; nothing here signs or decides whom to believe.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import Refused, Severity
from chargemesh_protocol.limits import MAX_NEW_LOGS_AT_ONCE, NEW_LOG_EVERY_MS
from chargemesh_protocol.trust.catch_up import Session, Taken, answer, take
from chargemesh_protocol.trust.drafts import QUICK, delay_of
from chargemesh_protocol.trust.graph import Evidence, TrustGraph
from chargemesh_protocol.trust.log import Judged
from chargemesh_protocol.trust.logset import LogSet
from chargemesh_protocol.trust.news import compose, open_news, signers
from chargemesh_protocol.trust.sync import PROTOCOL, CatchUp, Item, open_catch_up, open_item

from .bundles import Bundles
from .catch_ups import CatchUps
from .discovery.allowance import Allowance
from .entry_writes import EntryWrites
from .errors import NetworkError, TimedOut
from .peer_clocks import PeerClocks
from .ports import Cache, Caller, Clock, Entropy, Network

EVERY_SECONDS = 180.0  # between catch-ups with somebody at random
QUICK_SECONDS = 10.0  # the same on networks of tests and demos, whose entries are cut within seconds
ASK_SECONDS = 6.0
TRIES = 3  # of one question
SESSION_SECONDS = 120.0  # a peer with more to say has its turn at the next one
INTRODUCTIONS_AT_ONCE = 4
PUSH_TO = 2  # peers that get an own entry by catch-up, beside gossip
# An entry costs about 0.3 ms to verify, a question about 2 ms to answer (of 20,000 logs).
_ENTRY_TOKENS, _QUESTION_TOKENS = 1.0, 10.0
TOKENS_PER_SECOND, TOKENS_BURST = 50.0, 25_000  # of one peer: a whole new node at once, then a trickle
HEARD_PER_SECOND, HEARD_BURST = 20.0, 500  # entries by gossip, of one neighbour
_REFUSED = b""  # no message: whoever reads it knows that there was no answer
_RESTORE_AT_ONCE, _RESTORE_PAUSE_S = 16, 0.005  # other work goes before: a node that starts has some
RESTORE_SECONDS = 0.05  # that a start waits for the logs


class LogReplica:
    """Owns the `LogSet`. Construct before the network starts; `start` after the cache and `bundles`.

    `version` grows with everything new, for whoever keeps scores. `catch_ups`: with whom there are sessions.
    `counters`, for `status`: taken, refused:<code> (new-logs: of more strangers than one address block may
    bring), aside (authors unknown), too-often, sessions, failed, crowded, displaced, not-written. `author` is
    ourselves: from there trust begins, also as to whose logs stay when there are too many.
    """

    def __init__(
        self,
        *,
        network: Network,
        cache: Cache,
        clock: Clock,
        entropy: Entropy,
        bundles: Bundles,
        clocks: PeerClocks,
        network_id: str,
        author: bytes,
        every_seconds: float | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self.logs = LogSet(network_id, bundles.directory, seeds=[author])
        self.counters: Counter[str] = Counter()
        self.version = 0
        self.topic = f"chargemesh/{network_id}/log"
        quick = delay_of(network_id) == QUICK
        self._network = network
        self._cache = cache
        self._bundles = bundles
        self._clocks = clocks
        self._logger = logger or logging.getLogger(__name__)
        self._budget = Allowance(clock, TOKENS_PER_SECOND, TOKENS_BURST)
        self._heard_budget = Allowance(clock, HEARD_PER_SECOND, HEARD_BURST)
        # By address block, as places are (Room): PeerIds cost no more than keys do.
        self._strangers = Allowance(clock, 1000 / NEW_LOG_EVERY_MS, MAX_NEW_LOGS_AT_ONCE)
        self._introducing = 0
        self._proven: tuple[Evidence | None, frozenset[bytes]] = (None, frozenset())
        self._writes = EntryWrites(cache, bundles)
        self._tasks: set[asyncio.Task[None]] = set()
        self.restored = asyncio.Event()  # all that was kept is in `logs`, and the network is listened to
        self.catch_ups = CatchUps(
            network=network,
            entropy=entropy,
            session=self._session,
            every_seconds=every_seconds or (QUICK_SECONDS if quick else EVERY_SECONDS),
            counters=self.counters,
        )
        network.serve(PROTOCOL, self.answer)

    async def start(self, own: Sequence[bytes] = ()) -> None:
        """Begins to restore the own log and what the cache kept; then it listens and catches up. Returns when
        that is done or, with the logs of years, after RESTORE_SECONDS: `restored` tells when it is."""
        self._writes.start()
        restoring = asyncio.create_task(self._restore(own), name="restoring logs")
        self._tasks.add(restoring)
        restoring.add_done_callback(self._tasks.discard)
        await asyncio.wait([restoring], timeout=RESTORE_SECONDS)
        if restoring.done():
            restoring.result()

    async def _restore(self, own: Sequence[bytes]) -> None:
        cached = await self._cache.entries()
        known = {data for data, _ in cached}
        missing = [(data, None) for data in own if data not in known]
        for number, (data, block) in enumerate([*cached, *missing], 1):
            try:
                taken = self._take((), [open_item(data)], block or "")
            except Refused as fault:
                self.counters[f"refused:{fault.code}"] += 1
                continue
            if block is None:
                self._remember(taken)
            if number % _RESTORE_AT_ONCE == 0:
                await asyncio.sleep(_RESTORE_PAUSE_S)
        await self._network.subscribe(self.topic, self._hear)
        self.catch_ups.start()
        self.restored.set()

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.catch_ups.close()
        await self._writes.close()

    # --- what is known ----------------------------------------------------------------------------

    def evidence(self) -> Evidence:
        """What the accepted entries prove; the input of `Reputation`."""
        return self.logs.evidence()

    def graph(self) -> TrustGraph:
        """Who completed with whom, and who vouches."""
        evidence = self.evidence()
        return TrustGraph(evidence.completed, evidence.vouched)

    def entries_about(self, author: bytes) -> tuple[Judged, ...]:
        """Accepted entries by others that name `author`, oldest month first."""
        return self.logs.entries_about(author)

    def has_completed(self, author: bytes) -> bool:
        """Whether `author` has a completed pair with anybody: what makes a listing proven."""
        evidence = self.evidence()
        if self._proven[0] is not evidence:
            people = {who for pair in evidence.completed for who in (pair.one, pair.other)}
            self._proven = (evidence, frozenset(people))
        return author in self._proven[1]

    # --- our own entries --------------------------------------------------------------------------

    def publish(self, raws: Sequence[bytes]) -> None:
        """Own entries were cut (`EntriesCut.raws`): they are taken in now, and told to the world; both once
        those before them are there."""
        items = [open_item(raw) for raw in raws]
        if self.restored.is_set():
            self._remember(self._take((), items))
        self._spawn(self._tell(items), "own entries")

    def offer(self, bundles: Iterable[bytes], items: Iterable[Item]) -> Taken:
        """Entries of others that came by another way than the network: judged like a peer's, and told on."""
        taken = self._take(bundles, items)
        self._remember(taken)
        if taken.fresh:
            self._spawn(self._tell(taken.fresh), "offered entries")
        return taken

    async def _tell(self, items: Sequence[Item]) -> None:
        if not self.restored.is_set():
            await self.restored.wait()
            self._remember(self._take((), items))
        for news in compose(items, self._bundles.directory):
            try:
                await self._network.publish(self.topic, news.to_bytes())
            except NetworkError as error:
                self.counters["failed"] += 1
                self._logger.info("entries were not gossiped, catch-up will bring them: %s", error)
        # Young gossip meshes lose messages; with two peers catch-up makes sure of it at once.
        for contact in self.catch_ups.choose(PUSH_TO):
            self.catch_ups.begin(contact)

    # --- gossip -----------------------------------------------------------------------------------

    def _hear(self, caller: Caller, data: bytes) -> bool | None:
        """Whether a gossip message holds nothing but good entries, so that it is worth forwarding, as a
        GossipHandler says it: who forwards what only we have no room for is not to blame."""
        try:
            news = open_news(data)
            if not self._heard_budget.take(caller.peer_id, len(news.items)):
                self.counters["too-often"] += 1
                return False
            unknown = {author for item in news.items for author in signers(item)}
        except Refused as fault:
            self.counters[f"refused:{fault.code}"] += 1
            return False
        known = all(self._bundles.directory.knows(author) for author in unknown)
        taken = self._hear_from(caller.block, () if known else news.bundles, news.items)
        if taken.aside and known:  # by a device that was delegated since
            taken = self._hear_from(caller.block, news.bundles, news.items)
        if taken.wanting and self._introducing < INTRODUCTIONS_AT_ONCE:
            self._introducing += 1
            self._spawn(self._introduce(caller, taken), "introductions")
        if any(fault.severity is not Severity.STALE for fault, _ in taken.refused):
            return False
        return None if taken.refused or taken.aside else True

    async def _introduce(self, caller: Caller, taken: Taken) -> None:
        """Asks who brought entries of unknown authors for their bundles, and offers the entries again."""
        try:
            learned = set(await self._bundles.ask(Contact(caller.peer_id, ()), taken.wanting))
        except (NetworkError, Refused) as error:
            self._logger.debug("%s introduced nobody: %s", caller.peer_id, error)
            return
        finally:
            self._introducing -= 1
        items = [item for item, author in taken.aside if author in learned]
        self._hear_from(caller.block, (), items)

    def _hear_from(self, block: str, bundles: Iterable[bytes], items: Iterable[Item]) -> Taken:
        taken = take(self.logs, bundles, items, block, self._strangers_of(block))
        self._count(taken, block)
        self._remember(taken, block)
        return taken

    # --- catch-up ---------------------------------------------------------------------------------

    async def answer(self, caller: Caller, body: bytes) -> bytes:
        """A peer's question on `/chargemesh/log/1`; never raises for what a peer sends."""
        try:
            question = open_catch_up(body)
        except Refused as fault:
            self.counters[f"refused:{fault.code}"] += 1
            return _REFUSED
        work = len(question.items) + len(question.bundles)
        if not self._budget.take(caller.peer_id, _QUESTION_TOKENS + _ENTRY_TOKENS * work):
            self.counters["too-often"] += 1
            return _REFUSED
        reply, taken = answer(self.logs, question, caller.block, self._strangers_of(caller.block))
        self._count(taken, caller.block)
        await self._write(taken, caller.block)
        return replace(reply, now=self._clocks.told()).to_bytes()

    async def _session(self, contact: Contact) -> bool:
        """See `CatchUps`: a peer's fault ends it and is counted."""
        self.counters["sessions"] += 1
        try:
            async with asyncio.timeout(SESSION_SECONDS):
                return await self._ask_everything(contact)
        except (NetworkError, Refused, TimeoutError) as error:
            self.counters["failed"] += 1
            self._logger.debug("catch-up with %s ended: %s", contact.peer_id, error)
            return False

    async def _ask_everything(self, contact: Contact) -> bool:
        block = self._network.address_block(contact.peer_id)
        session = Session(self.logs, block)
        while (question := session.question()) is not None:
            reply = await self._ask(contact, question.to_bytes())
            if not self._budget.take(contact.peer_id, len(reply.items) + len(reply.bundles)):
                self.counters["too-often"] += 1
                return False
            taken = session.receive(reply, self._strangers_of(block))
            self._count(taken, block)
            await self._write(taken, block)
        return session.done

    async def _ask(self, contact: Contact, question: bytes) -> CatchUp:
        """An answer; a question that got none is put again, since answering it twice changes nothing."""
        for _ in range(TRIES - 1):
            try:
                return await self._ask_once(contact, question)
            except TimedOut:
                continue
        return await self._ask_once(contact, question)

    async def _ask_once(self, contact: Contact, question: bytes) -> CatchUp:
        asked = asyncio.get_running_loop().time()
        answer = await self._network.request(contact, PROTOCOL, question, timeout=ASK_SECONDS)
        reply = open_catch_up(answer)
        if reply.now is not None:
            self._clocks.heard(contact.peer_id, reply.now, asked)
        return reply

    # --- taking and keeping -----------------------------------------------------------------------

    def _take(self, bundles: Iterable[bytes], items: Iterable[Item], block: str = "") -> Taken:
        """Takes what no peer has just sent; what the cache kept has the block that once brought it."""
        taken = take(self.logs, bundles, items, block)
        self._count(taken)
        return taken

    def _strangers_of(self, block: str) -> int:
        """How many logs of strangers a peer at that block may begin now."""
        return int(self._strangers.left(block))

    def _count(self, taken: Taken, block: str | None = None) -> None:
        """`block`: of the peer who sent it, if one did."""
        if block is not None:
            self._strangers.take(block, taken.strange)
        self.version += bool(taken.fresh or taken.displaced)
        self.counters["taken"] += len(taken.fresh)
        self.counters["aside"] += len(taken.aside)
        self.counters["displaced"] += len(taken.displaced)
        for fault, _ in taken.refused:
            self.counters[f"refused:{fault.code}"] += 1

    def _remember(self, taken: Taken, block: str = "") -> None:
        """As `_write`, for callers that can't wait; a full queue costs a catch-up after the next start."""
        self.counters["not-written"] += self._writes.add(taken, block)

    async def _write(self, taken: Taken, block: str = "") -> None:
        if taken.fresh or taken.displaced:
            self._writes.add(taken, block, waits=True)
            await self._writes.written()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
