"""What every check has at hand: the node, peers to send, made-up people, and what was found out so far."""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chargemesh_node.clock import SystemClock
from chargemesh_protocol.identity import create_identity, public_key
from chargemesh_protocol.place import Point
from chargemesh_protocol.trust.month import month_of
from tests.protocol.discovery.hosts import Host

from .mesh import Ear
from .peer import NoAnswer, Peer, Target, connected

_CLOCK = SystemClock()
_LIMITS = Path(__file__).parents[3] / "specs" / "limits.json"
DAY_MS = 24 * 3_600_000


def now() -> int:
    """Unix milliseconds by this machine's clock, which must be right within two minutes."""
    return _CLOCK.now()


class Stranger(Host):
    """A made-up person with new keys, who may list chargers, book, and write a log."""

    def __init__(self, network: str) -> None:
        self.name = "stranger"
        self.network = network
        self.device = os.urandom(32)
        self.bundle = create_identity(
            root_seed=os.urandom(32),
            recovery_key=public_key(os.urandom(32)),
            device_key=public_key(self.device),
            network=network,
            now=now() - DAY_MS,
            life_ms=10 * DAY_MS,
        )
        self.log = []
        self.ids = []

    def lists_now(self, where: Point, **changes: Any) -> Any:
        """A listing of a charger of its own; `changes` as for `listing_of`."""
        fields = {"issued": now(), "charger": os.urandom(16)} | changes
        return self.lists(where, **fields)

    def enters(self, other: Host, **fields: Any) -> Any:
        """The next entry of its log, of this month."""
        return self.vouches(other, month=month_of(now()), **fields)


def nowhere() -> Point:
    """A place in the South Pacific, far from any charger; another one at each call."""
    lot = random.Random(int.from_bytes(os.urandom(8), "big"))
    return Point(lot.uniform(-54, -42), lot.uniform(-138, -112))


class Mismatch(Exception):
    """The node did something else than its rule says."""


class NotHere(Exception):
    """The check can't be made with this node; the message says why."""


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was sent, and what came of it."""

    sent: str
    expected: str
    got: str


@dataclass
class Scene:
    """One run against one node. `found` is what checks learn once and share, by name.

    Everything is listed at one `place`, since a node follows the topics of so many cells and no more.
    """

    target: Target
    network: str
    honest: Peer
    ear: Ear
    listing: str = ""
    place: Point = field(default_factory=nowhere)
    found: dict[str, Any] = field(default_factory=dict)
    farewells: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    limits: dict[str, Any] = field(
        default_factory=lambda: {one["name"]: one["value"] for one in json.loads(_LIMITS.read_text())}
    )

    @property
    def kad(self) -> str:
        return f"/chargemesh/{self.network}/kad/1.0.0"

    @property
    def log_topic(self) -> str:
        return f"chargemesh/{self.network}/log"

    def stranger(self) -> Stranger:
        return Stranger(self.network)

    @asynccontextmanager
    async def peer(self, ear: Ear | None = None, **options: Any) -> AsyncIterator[Peer]:
        """A new peer with a PeerId of its own; NoAnswer if the node doesn't take it."""
        async with connected(self.target, (ear or Ear()).attach, **options) as peer:
            yield peer

    async def greets(self) -> str:
        """The honest ping: on the connection that stands since the start, and on a new one."""
        first = await self.honest.ping()
        if first != "pong":
            return f"{first} (on the old connection)"
        try:
            async with self.peer() as newcomer:
                return await newcomer.ping()
        except NoAnswer as none:
            return f"{none} (for a newcomer)"


class Probe:
    """Takes down what one check sees."""

    def __init__(self) -> None:
        self.looks: list[Look] = []

    def sees(self, sent: str, expected: str | Collection[str], got: str) -> None:
        """Mismatch unless `got` is `expected` (or one of them)."""
        allowed = (expected,) if isinstance(expected, str) else tuple(expected)
        self.looks.append(Look(sent, " or ".join(allowed), got))
        if got not in allowed:
            raise Mismatch

    def holds(self, sent: str, expected: str, holds: bool, got: str) -> None:
        """As `sees`, for what is not one word: `got` tells what came where it doesn't hold."""
        self.sees(sent, expected, expected if holds else got)


@dataclass(frozen=True, slots=True)
class Check:
    """`rules`: numbers of requirements in specs/. `hostile`: the honest ping follows. `slow`: it waits for
    the node to lose patience, and runs beside the others."""

    name: str
    rules: tuple[str, ...]
    about: str
    run: Callable[[Scene, Probe], Awaitable[None]]
    hostile: bool = False
    slow: bool = False


class Chapter:
    """The checks of one file, in order: `@chapter.check("name", "D5")` above `async def f(scene, probe)`,
    whose docstring says in one line what must hold."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.checks: list[Check] = []

    def check(self, name: str, *rules: str, hostile: bool = False, slow: bool = False) -> Any:
        def register(run: Callable[[Scene, Probe], Awaitable[None]]) -> Any:
            about = (run.__doc__ or "").strip().split("\n")[0]
            self.checks.append(Check(f"{self.name}:{name}", rules, about, run, hostile, slow))
            return run

        return register
