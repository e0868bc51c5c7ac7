"""When a node catches up with whom: as two meet, every few minutes with somebody by lot, and when asked to.

What is said in a session is its giver's matter; here is only who has one, and how many run or wait at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from chargemesh_protocol.contact import Contact

from .ports import Entropy, Network

MEET_SECONDS = 1.0  # at most this long after two nodes met; the other one begins at another instant
AGAIN_SECONDS = 60.0  # not sooner with the same peer, however often it connects
SESSIONS_AT_ONCE = 3
MAX_SESSIONS = 64  # running or waiting: whom we meet beyond them has its turn by lot, if it is still there


class CatchUps:
    """`session` talks to one peer and says whether both sides have the same now; it never raises for a peer.

    `caught_up`: PeerIds with whom that came true, as far as they are connected still. Counts "crowded" into
    `counters`: peers met while too many others waited.
    """

    def __init__(
        self,
        *,
        network: Network,
        entropy: Entropy,
        session: Callable[[Contact], Awaitable[bool]],
        every_seconds: float,
        counters: Counter[str],
    ) -> None:
        self.caught_up: set[str] = set()
        self._network = network
        self._entropy = entropy
        self._session = session
        self._every = every_seconds
        self._counters = counters
        self._turns = asyncio.Semaphore(SESSIONS_AT_ONCE)
        self._sessions: dict[str, asyncio.Task[bool]] = {}
        self._last: dict[str, float] = {}  # loop time at which a session with a peer began
        self._tasks: set[asyncio.Task[None]] = set()
        network.on_peer(self._peer_changed)

    def start(self) -> None:
        self._spawn(self._keep(), "catch-ups")

    async def close(self) -> None:
        tasks = [*self._tasks, *self._sessions.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def with_peer(self, contact: Contact) -> bool:
        """A whole session with one peer; whether both sides have the same now."""
        return await asyncio.shield(self.begin(contact))

    async def with_some(self, count: int) -> int:
        """Sessions with up to `count` connected peers; how many were completed."""
        done = await asyncio.gather(*(self.with_peer(one) for one in self.choose(count)))
        return sum(done)

    def begin(self, contact: Contact) -> asyncio.Task[bool]:
        """The session with that peer, which all share who want it now."""
        running = self._sessions.get(contact.peer_id)
        if running is not None:
            return running
        task = asyncio.create_task(self._in_turn(contact), name=f"catch-up with {contact.peer_id}")
        self._sessions[contact.peer_id] = task
        task.add_done_callback(lambda _: self._sessions.pop(contact.peer_id, None))
        return task

    def choose(self, count: int) -> list[Contact]:
        """Up to `count` of the connected peers, by lot."""
        peers = sorted(self._network.peers(), key=lambda one: one.peer_id)
        return [peers.pop(int(self._chance() * len(peers))) for _ in range(min(count, len(peers)))]

    # --- inside ---------------------------------------------------------------------------------

    async def _in_turn(self, contact: Contact) -> bool:
        async with self._turns:
            self._last[contact.peer_id] = asyncio.get_running_loop().time()
            done = await self._session(contact)
        if done:
            self.caught_up.add(contact.peer_id)
        return done

    def _peer_changed(self, contact: Contact, connected: bool) -> None:
        if connected:
            self._spawn(self._meet(contact), "meeting")

    async def _meet(self, contact: Contact) -> None:
        """Two nodes that connect both come here; a little chance keeps them from asking at one instant."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(MEET_SECONDS * self._chance())
        last = self._last.get(contact.peer_id)
        if last is not None and loop.time() - last < AGAIN_SECONDS:
            return
        if len(self._sessions) >= MAX_SESSIONS:
            self._counters["crowded"] += 1
            return
        await self.with_peer(contact)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._every * (0.75 + self._chance() / 2))
            connected = {one.peer_id for one in self._network.peers()}
            self._last = {peer: at for peer, at in self._last.items() if peer in connected}
            self.caught_up &= connected
            for contact in self.choose(1):
                await self.with_peer(contact)

    def _chance(self) -> float:
        """From 0 to just below 1."""
        return int.from_bytes(self._entropy.bytes(4), "big") / 2**32

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
