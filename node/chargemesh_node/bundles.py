"""Other people's bundles: answered to whoever asks, asked for where one is missing, kept in the cache."""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable
from hashlib import sha256

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.identity_wire import PROTOCOL, Get, Given, answer, read_as, take, write
from chargemesh_protocol.limits import MAX_ASKED_BUNDLES, MAX_KNOWN_AUTHORS

from .discovery.allowance import Allowance
from .errors import NetworkError
from .ports import Cache, Caller, Clock, Network

ASK_SECONDS = 5.0
ASKED_PER_SECOND, ASKED_BURST = 10.0, 100  # questions of one address block
_REFUSED = b""  # no message: whoever reads it knows that there was no answer


class Bundles:
    """Answers `/chargemesh/identity/1`. Construct before the network starts, `start` with an open cache."""

    def __init__(
        self,
        *,
        network: Network,
        cache: Cache,
        clock: Clock,
        directory: Directory,
        logger: logging.Logger | None = None,
    ) -> None:
        self.directory = directory
        self._network = network
        self._cache = cache
        self._logger = logger or logging.getLogger(__name__)
        self.counters: Counter[str] = Counter()
        self._allowance = Allowance(clock, ASKED_PER_SECOND, ASKED_BURST)
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()  # author -> hash of the bundle in the cache
        network.serve(PROTOCOL, self.answer)

    async def start(self) -> None:
        """Learns again what the cache kept."""
        for data in await self._cache.bundles():
            try:
                self._note(self.directory.learn(data).author, _hash(data))
            except Refused as fault:
                self.counters[f"refused:{fault.code}"] += 1

    async def answer(self, caller: Caller, body: bytes) -> bytes:
        """A peer's question; never raises for what a peer sends."""
        if not self._allowance.take(caller.block):
            self.counters["too-often"] += 1
            return _REFUSED
        try:
            given = answer(self.directory, read_as(Get, body))
        except Refused as fault:
            self.counters[f"refused:{fault.code}"] += 1
            return _REFUSED
        self.counters["answered"] += 1
        return write(given)

    async def ask(self, to: Contact, authors: Iterable[bytes]) -> list[bytes]:
        """The authors among these whom `to` could introduce; NetworkError or Refused if it did not answer."""
        asked = tuple(dict.fromkeys(authors))[:MAX_ASKED_BUNDLES]
        if not asked:
            return []
        self.counters["asked"] += 1
        body = await self._network.request(to, PROTOCOL, write(Get(authors=asked)), timeout=ASK_SECONDS)
        learned = take(self.directory, asked, read_as(Given, body))
        await self.keep(learned)
        return learned

    async def find(self, author: bytes, at: Iterable[Contact]) -> bool:
        """Asks one peer after the other until somebody knows the author; whether they are known now."""
        for contact in at:
            if self.directory.knows(author):
                break
            try:
                await self.ask(contact, [author])
            except (NetworkError, Refused) as error:
                self._logger.debug("%s did not introduce anybody: %s", contact.peer_id, error)
        return self.directory.knows(author)

    async def keep(self, authors: Iterable[bytes]) -> None:
        """Puts what the directory knows of these authors into the cache, as far as it isn't there."""
        for author in authors:
            bundle = self.directory.get(author)
            data = None if bundle is None else bundle.to_bytes()
            if data is not None and self._kept.get(author) != _hash(data):
                self._note(author, _hash(data))
                await self._cache.put_bundle(author, data)

    def _note(self, author: bytes, digest: bytes) -> None:
        """Strangers invent authors without end: whoever is forgotten here is written once more at worst."""
        self._kept[author] = digest
        self._kept.move_to_end(author)
        if len(self._kept) > MAX_KNOWN_AUTHORS:
            self._kept.popitem(last=False)


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()
