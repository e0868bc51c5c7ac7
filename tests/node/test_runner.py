"""The runner: kept before anything is seen, one event at a time, nothing lost by a failure or a lost caller.

The engine here is a stand-in that does what a test says and keeps what the store keeps; loop, clock, store
and entropy are those of the simulation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from chargemesh_node.clock import SeededEntropy
from chargemesh_node.errors import StoreError, Unreachable
from chargemesh_node.outbox import FIRST_RETRY_MS
from chargemesh_node.ports import Loaded
from chargemesh_node.runner import DELIVERIES_AT_ONCE, Runner
from chargemesh_node.sim.disk import MemoryStore
from chargemesh_node.sim.loop import LoopClock, run
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.effects import (
    Announce,
    Effect,
    Parcel,
    PutDocument,
    PutOutbox,
    Reply,
    Result,
    Tell,
)
from chargemesh_protocol.errors import PersonError, Refused
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
        self.ledger = SimpleNamespace(get=lambda _: SimpleNamespace(file=home))
        self.due_at: int | None = None

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
        self.progress = 0
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


# --- one event ------------------------------------------------------------------------------------


def test_nothing_is_seen_before_it_is_kept() -> None:
    async def story(home: Home) -> None:
        assert await home.runner.command(says("hello")) == "hello"
        assert home.log == ["committed", "told hello", "announced"]

    at_home(story)


def test_a_reply_is_found_and_its_lack_is_a_defect() -> None:
    async def story(home: Home) -> None:
        home.effects_of = lambda _: [Tell("x"), Reply(b"yes")]
        assert await home.runner.answer(ParcelAnswered(b"", b"")) == b"yes"
        home.effects_of = lambda _: []
        with pytest.raises(AssertionError, match="no reply to ParcelAnswered"):
            await home.runner.answer(ParcelAnswered(b"", b""))

    at_home(story)


def test_a_commit_that_fails_is_told_and_memory_is_as_before() -> None:
    async def story(home: Home) -> None:
        await home.runner.submit(says("kept"))
        before = home.engine
        before.charging.boxes = {b"box": "as it was"}
        home.store.full = True
        with pytest.raises(PersonError) as told:
            await home.runner.command(says("lost"))
        assert (told.value.code, told.value.hint) == ("store", "Free some disk space and try again.")
        assert home.engine is not before and home.engine.notes == {b"kept"}
        assert home.engine.boxes == {b"box": "as it was"}, "what no store holds is handed on"
        assert "told lost" not in home.log
        home.store.full = False
        await home.runner.submit(says("again"))
        assert home.engine.notes == {b"kept", b"again"}
        assert home.runner.counters["commit-failed"] == 1

    at_home(story)


def test_rows_of_a_commit_that_failed_are_never_tried() -> None:
    async def story(home: Home) -> None:
        home.store.full = True
        with pytest.raises(PersonError):
            await home.owes(KEY)
        home.effects_of = lambda _: []
        home.store.full = False
        await asyncio.sleep(60)
        assert not home.tries and not len(home.runner.outbox)

    at_home(story)


def test_while_the_store_cannot_even_be_read_nothing_is_done_on_top_of_what_it_lacks() -> None:
    async def story(home: Home) -> None:
        readable = home.store.load

        async def unreadable() -> Loaded:
            raise StoreError("input/output error")

        home.store.full, home.store.load = True, unreadable  # type: ignore[method-assign]
        for text in ("lost", "lost too"):
            with pytest.raises(PersonError) as told:
                await home.runner.submit(says(text))
            assert told.value.code == "store"
        home.store.full, home.store.load = False, readable  # type: ignore[method-assign]
        await home.runner.submit(says("kept"))
        assert home.engine.notes == {b"kept"}

    at_home(story)


def test_a_refusal_changes_nothing_and_a_defect_is_undone_and_raised() -> None:
    async def story(home: Home) -> None:
        before = home.engine
        with pytest.raises(PersonError, match="can't be done"):
            await home.runner.submit(StopCharging(KEY))
        assert home.engine is before
        with pytest.raises(ZeroDivisionError):
            await home.runner.submit(says("defect"))
        assert home.engine is not before and not home.engine.notes

    at_home(story)


def test_a_caller_that_leaves_in_mid_commit_changes_nothing() -> None:
    """A page that is closed, a peer that hangs up: what was begun is kept, told and on its way."""

    async def story(home: Home) -> None:
        home.store._sync_seconds = 5.0
        caller = asyncio.create_task(home.runner.command(says("hello")))
        await asyncio.sleep(1)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        assert caller.cancelled() and not home.log
        await home.runner.submit(says("next"))
        assert home.log[:3] == ["committed", "told hello", "announced"]
        assert set(home.store.durable().documents["note"]) == {b"hello", b"next"} == home.engine.notes

    at_home(story)


def test_events_take_turns() -> None:
    async def story(home: Home) -> None:
        home.store._sync_seconds = 1.0
        texts = [str(number) for number in range(5)]
        await asyncio.gather(*(home.runner.submit(says(text)) for text in texts))
        assert [one for one in home.log if one.startswith("told")] == [f"told {text}" for text in texts]
        assert home.log[:3] == ["committed", "told 0", "announced"]

    at_home(story)


def test_close_waits_for_what_was_begun() -> None:
    async def story() -> None:
        home = Home()
        await home.runner.start()
        home.store._sync_seconds = 3.0
        caller = asyncio.create_task(home.runner.submit(says("hello")))
        await asyncio.sleep(1)
        await home.runner.close()
        await caller
        assert set(home.store.durable().documents["note"]) == {b"hello"}

    run(story())


# --- the timer ------------------------------------------------------------------------------------


def test_the_timer_fires_once_at_its_instant() -> None:
    async def story(home: Home) -> None:
        home.engine.due_at = MORNING + 100_000
        await home.runner.submit(says("arms"))
        started = home.timers()

        def over(event: Any) -> list[Effect]:
            home.engine.due_at = None
            return []

        home.effects_of = over
        await asyncio.sleep(99)
        assert home.timers() == started
        await asyncio.sleep(2)
        fired = [at for at, event in home.events[started:] if isinstance(event, TimerDue)]
        assert fired == [100.0]

    at_home(story)


def test_nothing_is_due_without_a_deadline() -> None:
    async def story(home: Home) -> None:
        await asyncio.sleep(3600)
        assert home.timers() == 1, "the one at the start"

    at_home(story)


def test_what_stays_due_does_not_spin() -> None:
    async def story(home: Home) -> None:
        home.engine.due_at = MORNING
        await home.runner.submit(says("arms"))
        await asyncio.sleep(60)
        assert 60 <= home.timers() <= 5 * 60 + 1

    at_home(story)


def test_a_timer_whose_change_cannot_be_kept_tries_again_at_leisure() -> None:
    async def story(home: Home) -> None:
        home.effects_of = lambda event: [PutDocument("note", b"due", b"")]
        home.engine.due_at = MORNING
        home.store.full = True
        started = home.timers()
        with pytest.raises(PersonError):
            await home.runner.submit(says("arms"))
        home._build = lambda loaded: home.engine  # type: ignore[method-assign]
        home.engine.due_at = MORNING
        home.runner._rearm.set()
        await asyncio.sleep(60)
        assert home.timers() - started <= 31
        assert not home.runner.failed.done()

    at_home(story)


def test_a_defect_in_the_timer_ends_the_node_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def story(home: Home) -> None:
        def broken(event: Any) -> list[Effect]:
            raise ZeroDivisionError("a defect")

        home.effects_of = broken
        home.engine.due_at = MORNING
        home.runner._rearm.set()
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(asyncio.shield(home.runner.failed), 5)
        assert home.runner.counters["defects"] == 1

    with caplog.at_level(logging.CRITICAL):
        at_home(story)
    assert "a defect in this program" in caplog.text


# --- deliveries -----------------------------------------------------------------------------------


def test_a_delivery_is_tried_at_once_and_then_less_and_less_often() -> None:
    async def story(home: Home) -> None:
        assert FIRST_RETRY_MS == 1000
        await home.owes(KEY)
        await asyncio.sleep(40)
        assert [round(at) for at in home.tries] == [0, 1, 3, 7, 15, 31]
        assert home.runner.counters["peer-undelivered"] == 6

    at_home(story)


def test_a_delivery_that_brings_something_goes_on_at_once_until_nothing_is_owed() -> None:
    async def story(home: Home) -> None:
        async def more(key: bytes) -> bytes:
            await asyncio.sleep(0.1)
            home.progress += 1
            if home.progress == 4:
                home.owed.clear()
            return b"answer"

        home.send = more
        await home.owes(KEY)
        await asyncio.sleep(2)
        assert len(home.tries) == 4 and home.seconds() < 3
        assert not len(home.runner.outbox) and not home.on_disk()
        assert sum(event == ParcelAnswered(KEY, b"answer") for _, event in home.events) == 4

    at_home(story)


def test_a_peer_that_is_back_is_tried_at_once() -> None:
    async def story(home: Home) -> None:
        await home.owes(KEY)
        await asyncio.sleep(20)
        before = len(home.tries)
        home.runner.peer_is_back("somebody else")
        await asyncio.sleep(0.1)
        assert len(home.tries) == before
        home.runner.peer_is_back("them")
        await asyncio.sleep(0.1)
        assert len(home.tries) == before + 1

    at_home(story)


def test_a_delivery_expires_and_leaves_the_disk() -> None:
    async def story(home: Home) -> None:
        await home.owes(KEY, expires=MORNING + 10_000)
        assert home.on_disk() == {("peer", KEY)}
        await asyncio.sleep(60)
        assert not home.on_disk() and not len(home.runner.outbox)
        assert max(home.tries) < 10

    at_home(story)


def test_an_expired_row_that_cannot_be_dropped_waits_for_room_and_does_not_spin() -> None:
    async def story(home: Home) -> None:
        await home.owes(KEY, expires=MORNING + 5_000)
        home.store.full = True
        await asyncio.sleep(60)
        assert 5 <= home.runner.counters["expired-failed"] <= 30
        assert home.built == 1, "the engine knows nothing of rows"
        home.store.full = False
        await asyncio.sleep(5)
        assert not home.on_disk()

    at_home(story)


def test_a_row_that_was_renewed_while_it_was_to_be_dropped_stays() -> None:
    """Nothing was owed when it was looked at; the event whose turn came before the drop changed that."""

    async def story(home: Home) -> None:
        home.effects_of = lambda _: [PutOutbox("peer", KEY, FAR, not_before=MORNING + 10_000)]
        await home.runner.submit(ParcelAnswered(b"", b""))

        def renews(event: Any) -> list[Effect]:
            home.owed.add(KEY)
            return [PutOutbox("peer", KEY, FAR, not_before=MORNING + 20_000)]

        home.effects_of = renews
        home.store._sync_seconds = 1.0
        await asyncio.sleep(9.5)
        first = asyncio.create_task(home.runner.submit(says("takes its turn")))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(home.runner.submit(ParcelAnswered(b"", b"")))
        await asyncio.gather(first, second)
        assert not home.tries
        await asyncio.sleep(5)
        assert home.on_disk() == {("peer", KEY)}
        await asyncio.sleep(10)
        assert home.tries

    at_home(story)


def test_a_notice_is_delivered_once_and_gone() -> None:
    async def story(home: Home) -> None:
        async def taken(key: bytes) -> bytes:
            return b""

        home.send = taken
        await home.owes(KEY, channel="notify")
        await asyncio.sleep(60)
        assert len(home.tries) == 1 and not home.on_disk()

    at_home(story)


def test_a_defect_in_a_delivery_frees_its_row_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    async def story(home: Home) -> None:
        async def broken(key: bytes) -> bytes:
            raise ZeroDivisionError("a defect")

        home.send = broken
        await home.owes(KEY)
        await asyncio.sleep(10)
        assert len(home.tries) == home.runner.counters["defects"] == 4
        assert not home.runner.failed.done()
        assert not home.runner.outbox.busy

    with caplog.at_level(logging.CRITICAL):
        at_home(story)
    assert "a defect in this program" in caplog.text


def test_an_answer_that_is_refused_is_counted_and_tried_again() -> None:
    async def story(home: Home) -> None:
        def refuse(event: Any) -> list[Effect]:
            raise Refused("encoding", "garbage")

        async def garbage(key: bytes) -> bytes:
            await asyncio.sleep(0.1)
            return b"garbage"

        home.send = garbage
        await home.owes(KEY)
        home.effects_of = refuse
        await asyncio.sleep(2.5)
        assert len(home.tries) == home.runner.counters["refused-encoding"] == 2

    at_home(story)


def test_only_so_many_are_tried_at_once_and_waiting_for_them_costs_nothing() -> None:
    class CountingClock(LoopClock):
        looks = 0

        def now(self) -> int:
            self.looks += 1
            return super().now()

    async def story(home: Home) -> None:
        home.clock = home.runner._clock = CountingClock(MORNING)  # type: ignore[assignment]

        async def never(key: bytes) -> bytes:
            await asyncio.sleep(10**6)
            return b""

        home.send = never
        await home.owes(*(bytes([number]) for number in range(DELIVERIES_AT_ONCE + 5)))
        await asyncio.sleep(0.1)
        looks = home.clock.looks  # type: ignore[attr-defined]
        await asyncio.sleep(600)
        assert len(home.tries) == DELIVERIES_AT_ONCE
        assert home.clock.looks - looks < 10 * 600 / 15  # type: ignore[attr-defined]

    at_home(story)


def test_rows_survive_a_restart_with_their_schedule() -> None:
    async def story() -> None:
        first = Home()
        await first.runner.start()
        await first.owes(KEY)
        await asyncio.sleep(20)
        await first.runner.close()
        second = Home()
        second.store = first.store
        second.owed = {KEY}
        second.runner._store = first.store
        await second.runner.start()
        await asyncio.sleep(20)
        await second.runner.close()
        assert [round(at) for at in second.tries] == [31], "not all over again"

    run(story())


def test_many_notices_that_nobody_takes_are_bounded_on_the_disk() -> None:
    async def story(home: Home) -> None:
        def tells(keys: Iterable[int]) -> list[Effect]:
            return [PutOutbox("notify", key.to_bytes(2, "big"), FAR + key) for key in keys]

        for start in range(0, 1500, 500):
            home.effects_of = lambda event, at=start: tells(range(at, at + 500))  # type: ignore[misc]
            await home.runner.submit(ParcelAnswered(b"", b""))
        assert len(home.on_disk()) == len(home.runner.outbox) == 1000
        assert min(key for _, key in home.on_disk()) == (500).to_bytes(2, "big")

    at_home(story)
