"""A world of simulated nodes, and people who act like a story: what happens in it follows from its seed.

    world = World(seed=7)
    alice, bob = await world.add("alice"), await world.add("bob")
    await alice.offers()
    booking = await bob.books(alice)

Everything above the ports is the code that runs at home (see `people` for what one person does).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextvars import copy_context

from .checkers import Checkers
from .network import SimulatedInternet
from .parcels import MemoryParcels
from .people import YEAR_MS, Person

NETWORK = "chargemesh-test-sim"
_LOOK_EVERY_S = 0.25
_CHECK_EVERY_S = 1.5


class World:
    """Nodes, the internet between them, and simulated time."""

    def __init__(self, seed: int, *, network: str = NETWORK) -> None:
        self.seed = seed
        self.network = network
        self.internet = SimulatedInternet(seed)
        self.internet.tap = self._record
        self.people: dict[str, Person] = {}
        self.checkers = Checkers(self)
        self.taps: list[Callable[[str, str, str, bytes], None]] = []
        self.context = copy_context()  # outside every node: what the world itself does
        self._checked_at = 0.0
        self._trace = hashlib.blake2b(digest_size=16)

    async def add(
        self,
        name: str,
        *,
        skew_ms: int = 0,
        knows: Person | None = None,
        delegated_ms: int = YEAR_MS,
        keeps_mailbox: bool = False,
    ) -> Person:
        """A new person with a node that is up; connected to `knows`, by default to whoever came first.

        `delegated_ms`: for how long its device key may sign, from an hour before simulated time begins.
        """
        person = Person(self, name, skew_ms, delegated_ms)
        person.parcels = MemoryParcels() if keeps_mailbox else None
        await person.start()
        friend = knows or next(iter(self.people.values()), None)
        self.people[name] = person
        if friend is not None:
            await person.connects(friend)
        return person

    async def add_all(self, *names: str) -> list[Person]:
        return [await self.add(name) for name in names]

    def draw(self, label: str) -> bytes:
        """32 bytes of this world's seed for one purpose."""
        return hashlib.blake2b(f"{self.seed} {label}".encode(), digest_size=32).digest()

    async def pass_time(self, hours: float = 0, *, minutes: float = 0, seconds: float = 0) -> None:
        """Lets time pass; what must always hold is checked at every step of it."""
        end = self._time() + hours * 3600 + minutes * 60 + seconds
        step = max(_LOOK_EVERY_S, (end - self._time()) / 50)
        while self._time() < end:
            await asyncio.sleep(min(step, end - self._time()))
            self._check()

    async def until(self, reached: Callable[[], bool], within_s: float, what: str) -> None:
        """Waits in simulated time; AssertionError naming `what` if it does not come about."""
        end = self._time() + within_s
        while not reached():
            if self._time() >= end:
                raise AssertionError(f"seed {self.seed}: not within {within_s} s: {what}")
            await asyncio.sleep(_LOOK_EVERY_S)
            self._check()
        self.checkers.always()

    async def settles(self, within_s: float = 600) -> None:
        """Waits until nobody who is up owes anybody anything, then checks that all agree."""
        await self.until(
            lambda: all(not person.owes for person in self.people.values()), within_s, "everything delivered"
        )
        self.checkers.settled()

    async def end(self) -> None:
        """Every node stops as it does at home, and has left nothing broken behind."""
        for person in self.people.values():
            if person.is_up:
                await person.stop()
        self.checkers.nothing_broke()

    @property
    def trace(self) -> str:
        """A hash over everything that was sent and when: equal for equal seeds."""
        return self._trace.hexdigest()

    def _check(self) -> None:
        if self._time() >= self._checked_at + _CHECK_EVERY_S:
            self._checked_at = self._time()
            self.checkers.always()

    def _record(self, sender: str, receiver: str, protocol: str, body: bytes) -> None:
        head = f"{self._time():.6f} {sender} {receiver} {protocol} {len(body)} "
        self._trace.update(head.encode() + body)
        for tap in self.taps:
            tap(sender, receiver, protocol, body)

    def _time(self) -> float:
        return asyncio.get_running_loop().time()
