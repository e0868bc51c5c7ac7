"""A runner with a stand-in engine on a simulated clock and disk: what the tests of the runner share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

from chargemesh_node.clock import SeededEntropy
from chargemesh_node.errors import Unreachable
from chargemesh_node.ports import Loaded
from chargemesh_node.runner import Runner
from chargemesh_node.sim.disk import MemoryStore
from chargemesh_node.sim.loop import LoopClock, run
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.effects import (
    Announce,
    Effect,
    Mail,
    Parcel,
    PutDocument,
    PutOutbox,
    Result,
    Tell,
)
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import ParcelAnswered, StopCharging, TimerDue, WriteMessage
from chargemesh_protocol.moment import Moment

MORNING = 1_804_464_000_000
FAR = MORNING + 10**10
KEY = b"k" * 32


class Engine:
    """What a runner sees of an engine. `notes`: as in the store, plus what `handle` was asked to add."""

    def __init__(self, home: Home, loaded: Loaded) -> None:
        self.home = home
        self.notes = set(loaded.documents.get("note", {}))
        self.boxes: dict[bytes, str] = {}
        self.charging = SimpleNamespace(boxes={}, recall=self.boxes.update)
        self.ledger = SimpleNamespace(get=lambda _: SimpleNamespace(file=home), resting=())
        self.due_at: int | None = None

    def trusts(self, now: int) -> bool:
        return self.home.clock_is_right

    def wants(self, event: Any, now: int) -> tuple[bytes, ...]:
        return ()

    def handle(self, event: Any, at: Moment) -> list[Effect]:
        self.home.events.append((self.home.seconds(), event))
        if isinstance(event, WriteMessage):
            self.notes.add(event.text.encode())
            if event.text == "defect":
                raise ZeroDivisionError("a defect")
            return note(event.text)
        if isinstance(event, StopCharging):
            raise PersonError("no", "That can't be done.")
        return self.home.effects_of(event)

    def deadline(self, now: int) -> int | None:
        return self.due_at

    def parcel(self, key: bytes, at: Moment) -> Parcel | None:
        return Parcel(self.home.peer, "/test", key) if key in self.home.owed else None

    def mailing(self, key: bytes, at: Moment) -> Mail | None:
        return self.home.mail

    def has_arrived(self, key: bytes) -> bool:
        return key not in self.home.owed

    def progress(self, key: bytes) -> tuple[int, ...]:
        return (self.home.progress,)


class Home:
    """A runner with everything around it, recording what the world can see and when."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = LoopClock(MORNING)
        self.peer = Contact("them", ())
        self.log: list[str] = []
        self.events: list[tuple[float, Any]] = []
        self.tries: list[float] = []
        self.owed: set[bytes] = set()
        self.mail: Mail | None = None  # what there is for the peer's mailbox
        self.handed_in: list[float] = []
        self.progress = 0
        self.clock_is_right = True
        self.built = 0
        self.effects_of: Callable[[Any], list[Effect]] = lambda _: []
        self.send: Callable[[bytes], Awaitable[bytes]] = self._nobody_answers
        self.store.after_commit = lambda _: self.log.append("committed")
        self.runner = Runner(self.store, self.clock, SeededEntropy(b"seed"), self._build, self)  # type: ignore[arg-type]

    def _build(self, loaded: Loaded) -> Any:
        self.built += 1
        return Engine(self, loaded)

    @property
    def engine(self) -> Any:
        return self.runner.engine

    def seconds(self) -> float:
        return (self.clock.now() - MORNING) / 1000

    def timers(self) -> int:
        return sum(isinstance(event, TimerDue) for _, event in self.events)

    def on_disk(self) -> set[tuple[str, bytes]]:
        return {(row.channel, row.key) for row in self.store.durable().outbox}

    async def owes(self, *keys: bytes, expires: int = FAR, channel: str = "peer") -> None:
        """Puts rows into the outbox, as an event would."""
        self.owed |= set(keys)
        self.effects_of = lambda event: (
            [] if isinstance(event, TimerDue) else [PutOutbox(channel, key, expires) for key in keys]
        )
        await self.runner.submit(ParcelAnswered(b"", b""))
        self.effects_of = lambda _: []

    async def _nobody_answers(self, key: bytes) -> bytes:
        raise Unreachable("nobody is there")

    # --- the performer ----------------------------------------------------------------------------

    async def deliver(self, parcel: Parcel) -> bytes:
        self.tries.append(self.seconds())
        return await self.send(parcel.body)

    async def hand_in(self, mail: Mail) -> tuple[int, bytes]:
        self.handed_in.append(self.seconds())
        return 0, b"proof"

    async def notify(self, key: bytes, body: bytes) -> None:
        self.tries.append(self.seconds())
        await self.send(key)

    def wallbox(self, effect: object) -> None:
        self.log.append("wallbox")

    def announce(self, charger: bytes) -> None:
        self.log.append("announced")

    def entries_cut(self, raws: Sequence[bytes]) -> None:
        self.log.append("cut")

    def tell(self, event: Tell) -> None:
        self.log.append(f"told {event.name}")


def note(text: str) -> list[Effect]:
    """Seen by the world, kept by the store: in the wrong order on purpose."""
    return [Tell(text), PutDocument("note", text.encode(), b""), Announce(b""), Result(text)]


def says(text: str) -> WriteMessage:
    return WriteMessage(KEY, text)


def at_home(story: Callable[[Home], Awaitable[None]]) -> Home:
    """Runs a story on a started runner, and stops it at the end."""

    async def whole() -> Home:
        home = Home()
        await home.runner.start()
        try:
            await story(home)
        finally:
            await home.runner.close()
        return home

    return run(whole())
