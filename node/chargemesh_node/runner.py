"""Feed, commit, perform, re-arm: the one writer of a node.

Every event goes through `submit`: the engine says what to do, the saves become one transaction, and
only after that commit is anything done that the world can see. If the commit fails, or a defect of ours
interrupts the engine, it is built again from the store, so that memory never holds what the disk does not.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from chargemesh_protocol.booking.charging import Box
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.effects import (
    SAVES,
    AddRecord,
    Announce,
    AuthoriseTag,
    DropOutbox,
    Effect,
    EntriesCut,
    Reply,
    Result,
    StartWallbox,
    StopWallbox,
    Tell,
)
from chargemesh_protocol.engine import Engine
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import Event, MailHandedIn, ParcelAnswered, TimerDue
from chargemesh_protocol.moment import Moment

from .errors import DeliveryError, StoreError
from .outbox import LATE_AFTER_TRIES, Outbox
from .ports import Clock, Entropy, Loaded, OutboxRow, Performer, Store

_log = logging.getLogger(__name__)

DELIVERIES_AT_ONCE = 16
MAILBOX_AFTER_TRIES = 2  # at once and after a second: a laptop may be shut soon after
LONGEST_NAP_S = 15.0  # a laptop sleeps, a clock is set: neither moves a timer that is armed
# Whatever stays due (a start asked for again, a full disk) must not spin.
_AFTER_TIMER_S, _AFTER_FAILURE_S = 0.2, 2.0
_SEED_BYTES = 32
T = TypeVar("T")


class Runner:
    """Owns the engine, the store and the outbox; `submit` is the only way in."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        entropy: Entropy,
        build: Callable[[Loaded], Engine],
        performer: Performer,
    ) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._build = build
        self._performer = performer
        self._lock = asyncio.Lock()
        self._rearm = asyncio.Event()  # the engine's deadline may have moved
        self._owing = asyncio.Event()  # the outbox may have something to try
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turns: set[asyncio.Task[Any]] = set()
        self._outbox = Outbox()
        self._engine: Engine | None = None
        self._unlike_store: Mapping[bytes, Box] | None = None  # set while the engine must be built again
        self.is_running = False  # the network may be up before us, and after us
        self.counters: dict[str, int] = {}
        self.failed: asyncio.Future[None]  # set by `start`; done only if time or deliveries stand still

    @property
    def engine(self) -> Engine:
        """The core, for reading; only `submit` may change it."""
        if self._engine is None:
            raise AssertionError("the runner has not been started")
        return self._engine

    @property
    def outbox(self) -> Outbox:
        return self._outbox

    async def start(self) -> None:
        """Loads the store, does what has become due meanwhile, and begins to deliver."""
        self.failed = asyncio.get_running_loop().create_future()
        self._take(await self._store.open())
        await self._quietly(self.submit(TimerDue()), "start")  # with a full disk it is tried again
        self._spawn(self._keep_time(), vital=True)
        self._spawn(self._keep_delivering(), vital=True)
        self.is_running = True

    async def close(self) -> None:
        """Stops when what was begun is kept; what was not delivered is on disk."""
        self.is_running = False
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._turns, return_exceptions=True)
        if hasattr(self, "failed"):  # a node that could not begin is closed all the same
            self.failed.cancel()
        await self._store.close()

    def moment(self) -> Moment:
        return Moment(self._clock.now(), self._entropy.bytes(_SEED_BYTES))

    async def submit(self, event: Event) -> list[Effect]:
        """Handles one event and returns its effects, committed and under way.

        PersonError and Refused come from the engine and have changed nothing; a PersonError of code
        "store" says that the change could not be kept and did not happen. What was begun is finished, also
        when the caller no longer waits for it.
        """
        return await self._in_turn(functools.partial(self._handle, event))

    async def command(self, event: Event) -> Any:
        """Submits a person's command and returns its result as plain values."""
        effects = await self.submit(event)
        return next((one.value for one in effects if isinstance(one, Result)), None)

    async def answer(self, event: Event) -> bytes:
        """Submits a peer's request and returns the reply."""
        for one in await self.submit(event):
            if isinstance(one, Reply):
                return one.body
        raise AssertionError(f"no reply to {type(event).__name__}")

    async def build_again(self) -> None:
        """A new engine over the same store: what `build` gives it has changed.

        PersonError if the store can't be read; then every later event waits for that.
        """

        async def build() -> None:
            await self._rebuild(self.engine.charging.boxes)
            self._rearm.set()

        await self._in_turn(build)

    async def booking(self, booking: bytes) -> Booking:
        """A booking to look at, from the store if it is at rest: it may change any time. PersonError if there
        is none, or it can't be read."""
        ledger = self.engine.ledger
        if booking not in ledger.resting:
            return ledger.require(booking)
        try:
            rows = await self._store.booking(booking)
        except StoreError as error:
            raise PersonError("store", f"The booking could not be read: {error}.", error.hint) from error
        ledger = self.engine.ledger
        return ledger.rebuilt(booking, rows) if booking in ledger.resting else ledger.require(booking)

    def peer_is_back(self, peer_id: str) -> None:
        """What waits for this transport key need not wait for its next try."""
        waiting = [row.key for row in self._outbox if self._is_for(row, peer_id)]
        self._outbox.hurry(waiting, self._clock.now())
        if waiting:
            self._owing.set()

    def woke(self) -> None:
        """The machine has slept: what waited for its next try may be told now, or left in a mailbox."""
        self._outbox.hurry([row.key for row in self._outbox if row.channel == "peer"], self._clock.now())
        self._rearm.set()
        self._owing.set()

    # --- inside ---------------------------------------------------------------------------------

    async def _in_turn(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does `work` when nothing else of this kind runs, and to its end: a caller that goes away in mid
        commit would leave memory and disk apart."""

        async def alone() -> T:
            async with self._lock:
                return await work()

        turn = asyncio.get_running_loop().create_task(alone())
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)
        return await asyncio.shield(turn)

    async def _handle(self, event: Event) -> list[Effect]:
        if self._unlike_store is not None:
            await self._rebuild(self._unlike_store)
        at = self.moment()
        for booking in self.engine.wants(event, at.now):
            await self._load(booking, by_time=isinstance(event, TimerDue))
        boxes = self.engine.charging.boxes
        try:
            effects = self.engine.handle(event, at)
        except (PersonError, Refused):
            raise  # said before anything was changed
        except Exception:
            await self._rebuild(boxes)
            raise
        saves = [one for one in effects if isinstance(one, SAVES)]
        saves += self._outbox.crowded_out(saves)
        if saves:
            await self._commit(saves, boxes)
        arrived = self._outbox.late_among(saves)
        self._outbox.take(saves)
        self._perform(effects)
        for key in arrived:
            if self.engine.has_arrived(key):
                self._performer.tell(Tell("booking.delivered", {"booking": key.hex()}))
        self._rearm.set()
        self._owing.set()
        return effects

    async def _load(self, booking: bytes, *, by_time: bool = False) -> None:
        """Takes a booking out of its rest. PersonError if it can't be read; but one that is only due, and is
        damaged, keeps nothing else waiting."""
        try:
            self.engine.load(booking, await self._store.booking(booking))
        except StoreError as error:
            raise PersonError("store", f"A booking could not be read: {error}.", error.hint) from error
        except PersonError as error:
            if not by_time:
                raise
            self._count("damaged-bookings")
            _log.error("%s", error)
            self.engine.ledger.resting.sleep_on(booking)

    async def _wake(self, row: OutboxRow) -> None:
        """Loads the booking that a delivery is about, which may be at rest."""
        if self._rests(row):
            await self._load(row.key)

    def _rests(self, row: OutboxRow) -> bool:
        return row.channel == "peer" and row.key in self.engine.ledger.resting

    def _take(self, loaded: Loaded) -> None:
        self._engine = self._build(loaded)
        self._outbox = Outbox(loaded.outbox, self._outbox.busy)

    async def _commit(self, saves: Sequence[Any], boxes: Mapping[bytes, Box]) -> None:
        """`boxes`: the wallboxes as they stood before the event, which the new engine must know too."""
        try:
            await self._store.commit(saves)
        except StoreError as error:
            self._count("commit-failed")
            _log.error("a change could not be saved and is undone: %s", error)
            await self._rebuild(boxes)
            raise _not_saved(error) from error
        except Exception:
            await self._rebuild(boxes)
            raise

    async def _rebuild(self, boxes: Mapping[bytes, Box]) -> None:
        """The engine as the store has it. PersonError while the store can't be read: then every later event
        waits for that."""
        self._unlike_store = boxes
        try:
            loaded = await self._store.load()
        except StoreError as error:
            raise _not_saved(error) from error
        self._take(loaded)
        self.engine.charging.recall(boxes)
        self._unlike_store = None

    def _perform(self, effects: Sequence[Effect]) -> None:
        for one in effects:
            match one:
                case Tell():
                    self._performer.tell(one)
                case StartWallbox() | StopWallbox() | AuthoriseTag():
                    self._performer.wallbox(one)
                case Announce(charger=charger):
                    self._performer.announce(charger)
                case EntriesCut(raws=raws):
                    self._performer.entries_cut(raws)
        for booking in _untold(effects):
            self._performer.tell(Tell("booking.changed", {"booking": booking}))

    async def _keep_time(self) -> None:
        """One timer, armed at the engine's next deadline."""
        armed: int | None = None
        while True:
            self._rearm.clear()
            now = self._clock.now()
            deadline = self.engine.deadline(now)
            # An instant that has come is no longer ahead, so the engine need not name it any more.
            if any(one is not None and one <= now for one in (armed, deadline)):
                armed = None
                done = await self._quietly(self.submit(TimerDue()), "timer")
                await asyncio.sleep(_AFTER_TIMER_S if done else _AFTER_FAILURE_S)
                continue
            armed = deadline
            await _pause(self._rearm, self._until(deadline))

    async def _keep_delivering(self) -> None:
        while True:
            self._owing.clear()
            now = self._clock.now()
            expires = self.engine.trusts(now)  # by a clock that may be wrong nothing is over
            for row in self._outbox.expired(now) if expires else ():
                if not await self._quietly(self._drop(row), "expired"):
                    await asyncio.sleep(_AFTER_FAILURE_S)
            for row in self._outbox.due(self._clock.now(), DELIVERIES_AT_ONCE):
                self._spawn(self._deliver(row))
            await _pause(self._owing, self._until(self._outbox.next_due(DELIVERIES_AT_ONCE, expires=expires)))

    def _until(self, instant: int | None) -> float:
        """Seconds to sleep until `instant` (unix ms), or until the clock is looked at again."""
        ahead = LONGEST_NAP_S if instant is None else (instant - self._clock.now()) / 1000
        return max(0.0, min(LONGEST_NAP_S, ahead))

    async def _deliver(self, row: OutboxRow) -> None:
        """One try. Whatever comes of it, the row is free again and waits its turn."""
        before: tuple[int, ...] = ()
        try:
            if self._rests(row):
                await self._quietly(self._in_turn(functools.partial(self._wake, row)), "wake")
            before = self._progress(row)
            await self._try(row)
        finally:
            after = self._progress(row)
            moved = after not in ((), before)  # () for one that is at rest again
            left = self._outbox.tried(row.channel, row.key, self._clock.now(), progress=moved)
            self._owing.set()
            if left is not None and row.channel == "peer" and left.attempts == LATE_AFTER_TRIES:
                self._performer.tell(Tell("booking.undelivered", {"booking": row.key.hex()}))
        if left is not None:
            await self._quietly(self._store.reschedule(left), "reschedule")

    async def _try(self, row: OutboxRow) -> None:
        try:
            if row.channel == "notify":
                await self._performer.notify(row.key, row.body)
                await self._drop(row)
            else:
                await self._deliver_parcel(row)
        except DeliveryError as error:
            self._count(f"{row.channel}-undelivered")
            _log.info("not delivered yet (%s): %s", row.channel, error)
        except Refused as fault:
            self._count(f"refused-{fault.code}")
            _log.warning("the peer's answer is not acceptable: %s", fault)
        except PersonError as error:
            _log.error("%s", error)

    async def _deliver_parcel(self, row: OutboxRow) -> None:
        parcel = self.engine.parcel(row.key, self.moment())
        if parcel is None:
            await self._drop(row)
            return
        try:
            answer = await self._performer.deliver(parcel)
        except DeliveryError:
            if row.attempts + 1 >= MAILBOX_AFTER_TRIES:
                await self._hand_in(row.key)
            raise
        await self.submit(ParcelAnswered(row.key, answer))

    async def _hand_in(self, key: bytes) -> None:
        """Leaves it in the peer's mailbox; the tries to reach the peer itself go on."""
        if key in self.engine.ledger.resting:
            await self._in_turn(functools.partial(self._load, key))
        mail = self.engine.mailing(key, self.moment())
        if mail is not None:
            number, proof = await self._performer.hand_in(mail)
            await self.submit(MailHandedIn(mail, number, proof))

    def _progress(self, row: OutboxRow) -> tuple[int, ...]:
        return self.engine.progress(row.key) if row.channel == "peer" else ()

    async def _drop(self, row: OutboxRow) -> None:
        """Forgets a row, unless it was renewed while this waited for its turn."""
        await self._in_turn(functools.partial(self._drop_if_stale, row))

    async def _drop_if_stale(self, row: OutboxRow) -> None:
        now = self._outbox.get(row.channel, row.key)
        if now is None:
            return
        if now.expires > self._clock.now():
            await self._wake(now)
            if self._is_owed(now):
                return
        drop = DropOutbox(row.channel, row.key)
        try:
            await self._store.commit([drop])  # the engine knows nothing of rows: it stays as it is
        except StoreError as error:
            raise _not_saved(error) from error
        self._outbox.drop(drop)

    def _is_owed(self, row: OutboxRow) -> bool:
        return row.channel == "peer" and self.engine.parcel(row.key, self.moment()) is not None

    def _is_for(self, row: OutboxRow, peer_id: str) -> bool:
        booking = self.engine.ledger.get(row.key) if row.channel == "peer" else None
        return booking is not None and booking.file.peer.peer_id == peer_id

    async def _quietly(self, work: Awaitable[Any], name: str) -> bool:
        """For work of our own whose failure has been told and will be tried again; whether it succeeded."""
        try:
            await work
            return True
        except (PersonError, StoreError, Refused) as error:
            self._count(f"{name}-failed")
            _log.error("%s: %s", name, error)
            return False

    def _spawn(self, work: Coroutine[Any, Any, None], *, vital: bool = False) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._ended, vital))

    def _ended(self, vital: bool, task: asyncio.Task[None]) -> None:
        """A task that ends by an exception is a defect of ours: it is told, and a vital one ends the node."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        self._count("defects")
        _log.critical("a defect in this program", exc_info=error)
        if vital and not self.failed.done():
            self.failed.set_exception(error)

    def _count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1


def _untold(effects: Sequence[Effect]) -> list[str]:
    """Bookings (hex) that got records of which no event tells: whoever follows one hears of every change."""
    told = {one.facts.get("booking") for one in effects if isinstance(one, Tell)}
    changed = dict.fromkeys(one.booking.hex() for one in effects if isinstance(one, AddRecord))
    return [booking for booking in changed if booking not in told]


def _not_saved(error: StoreError) -> PersonError:
    return PersonError("store", f"The change could not be saved: {error}.", error.hint)


async def _pause(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, or for that long. (Python 3.11's wait_for can lose a cancellation here.)"""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
