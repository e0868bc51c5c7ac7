"""The peer book: contacts that worked are remembered on disk, and a few connections are always kept.

At a start the node dials the peers it was told of (invitation, configuration) and those that it remembers;
whenever too few are connected it tries more of them, each with a back-off of its own, and asks the DHT for
others. Peers do not yet tell each other of peers beyond that.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from chargemesh_protocol.contact import Contact

from ..errors import NetworkError
from ..ports import Cache, Clock, Entropy, Network

MIN_CONNECTED = 4  # with fewer peers, more are tried
LOOK_SECONDS = 10.0
LOOK_AROUND_SECONDS = 30.0  # between questions to the DHT, which may know no more than we do
MAX_CANDIDATES = 256
DIALS_AT_ONCE = 4
FIRST_BACK_OFF_SECONDS, MAX_BACK_OFF_SECONDS = 5.0, 600.0
REMEMBER_AGAIN_MS = 3600 * 1000  # a peer that stays connected is written down hourly at most


@dataclass(slots=True)
class _Candidate:
    contact: Contact
    told: bool  # by the person: such a contact is never dropped
    back_off: float = FIRST_BACK_OFF_SECONDS
    next_try: float = 0.0  # loop time
    remembered: int = 0  # unix ms
    remembered_as: Contact | None = None
    error: str = ""


class PeerBook:
    """`told` are bootstrap contacts. Construct before the network starts, `start` after it.

    `problem` says in a sentence why nobody is connected, empty if somebody is: for `doctor`.
    """

    def __init__(
        self,
        *,
        network: Network,
        cache: Cache,
        clock: Clock,
        entropy: Entropy,
        told: Iterable[Contact] = (),
        minimum: int = MIN_CONNECTED,
        logger: logging.Logger | None = None,
    ) -> None:
        self._network = network
        self._cache = cache
        self._clock = clock
        self._entropy = entropy
        self._minimum = minimum
        self._logger = logger or logging.getLogger(__name__)
        self.counters: Counter[str] = Counter()
        self._candidates: dict[str, _Candidate] = {}
        for contact in told:
            self.add(contact, told=True)
        self._next_look = 0.0  # loop time
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        network.on_peer(self._peer_changed)

    async def start(self) -> None:
        """Remembers, dials, and goes on looking after the connections."""
        for contact in await self._cache.peers(MAX_CANDIDATES // 2):
            self.add(contact)
        # Joining looks around already, and a person who has just started the node may be searching.
        self._next_look = asyncio.get_running_loop().time() + LOOK_SECONDS
        self._spawn(self._keep())

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def add(self, contact: Contact, *, told: bool = False) -> None:
        """Somebody to try when peers are wanted; with `told`, by the person's own word."""
        if contact.peer_id == self._network.contact.peer_id or not contact.addresses:
            return
        known = self._candidates.get(contact.peer_id)
        if known is not None:
            known.contact, known.told = contact, known.told or told
            return
        self._make_room()
        if len(self._candidates) < MAX_CANDIDATES or told:
            self._candidates[contact.peer_id] = _Candidate(contact, told)

    def neighbour_found(self, contact: Contact) -> None:
        """Somebody on the local network: connected to at once, whatever else there is."""
        self.add(contact)
        if contact.peer_id not in self._connected() and contact.peer_id in self._candidates:
            self._spawn(self._dial(self._candidates[contact.peer_id]))

    @property
    def problem(self) -> str:
        if self._connected():
            return ""
        if not self._candidates:
            return "No peer is known: join with an invitation, or wait for a neighbour on the local network."
        errors = Counter(one.error for one in self._candidates.values() if one.error)
        why = f" Most often: {errors.most_common(1)[0][0]}." if errors else ""
        return f"None of {len(self._candidates)} known peers is connected.{why}"

    # --- inside -----------------------------------------------------------------------------------

    def _connected(self) -> set[str]:
        return {one.peer_id for one in self._network.peers()}

    def _peer_changed(self, contact: Contact, connected: bool) -> None:
        if not connected:
            self._wake.set()
        elif contact.addresses:
            self.add(contact)
            self._spawn(self._remember(contact))

    async def _remember(self, contact: Contact) -> None:
        candidate = self._candidates.get(contact.peer_id)
        now = self._clock.now()
        if candidate is None:
            return
        candidate.error, candidate.back_off = "", FIRST_BACK_OFF_SECONDS
        # One that was started again answers at another port; after our own start the old one leads nowhere.
        if contact != candidate.remembered_as or now >= candidate.remembered + REMEMBER_AGAIN_MS:
            candidate.remembered, candidate.remembered_as = now, contact
            await self._cache.put_peer(contact, now)

    async def _keep(self) -> None:
        while True:
            self._wake.clear()
            await self._connect_some()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _connect_some(self) -> None:
        """Tries candidates until enough are connected or all have been tried."""
        loop = asyncio.get_running_loop()
        while (missing := self._minimum - len(self._connected())) > 0:
            due = self._due(loop.time())[: max(missing, DIALS_AT_ONCE)]
            if not due:
                break
            await asyncio.gather(*(self._dial(one) for one in due))
        if 0 < len(self._connected()) < self._minimum and loop.time() >= self._next_look:
            self._next_look = loop.time() + LOOK_AROUND_SECONDS
            await self._look_around()

    def _due(self, now: float) -> list[_Candidate]:
        connected = self._connected()
        due = [
            one
            for one in self._candidates.values()
            if one.next_try <= now and one.contact.peer_id not in connected
        ]
        return sorted(due, key=lambda one: (one.back_off, not one.told))

    async def _dial(self, candidate: _Candidate) -> None:
        loop = asyncio.get_running_loop()
        candidate.next_try = loop.time() + candidate.back_off
        candidate.back_off = min(2 * candidate.back_off, MAX_BACK_OFF_SECONDS)
        try:
            await self._network.connect(candidate.contact)
            candidate.back_off = FIRST_BACK_OFF_SECONDS
            self.counters["connected"] += 1
        except NetworkError as error:
            candidate.error = str(error)
            self.counters["failed"] += 1

    async def _look_around(self) -> None:
        """Whoever is nearest to a random key is as good a peer as any."""
        try:
            for contact in await self._network.closest(self._entropy.bytes(32)):
                self.add(contact)
        except NetworkError as error:
            self._logger.debug("no further peers found: %s", error)

    def _make_room(self) -> None:
        """The one that failed most goes, never one that the person named or that is connected."""
        if len(self._candidates) < MAX_CANDIDATES:
            return
        connected = self._connected()
        failing = [
            peer_id for peer_id, one in self._candidates.items() if not one.told and peer_id not in connected
        ]
        if failing:
            del self._candidates[max(failing, key=lambda one: self._candidates[one].back_off)]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="peer book")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
