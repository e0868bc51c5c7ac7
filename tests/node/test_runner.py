"""The runner: kept before anything is seen, one event at a time, nothing lost by a failure or a lost caller.

The engine here is a stand-in that does what a test says and keeps what the store keeps; loop, clock, store
and entropy are those of the simulation.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from chargemesh_node.errors import StoreError
from chargemesh_node.ports import Loaded
from chargemesh_node.sim.loop import run
from chargemesh_protocol.effects import (
    AddRecord,
    Effect,
    PutDocument,
    Reply,
    Tell,
)
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.events import ParcelAnswered, StopCharging, TimerDue

from .runner_house import KEY, MORNING, Home, at_home, says

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


def test_whoever_follows_a_booking_hears_once_of_every_change_after_it_is_kept() -> None:
    async def story(home: Home) -> None:
        booking, other = b"b" * 32, b"o" * 32
        tickets = [AddRecord(booking, bytes([n]) * 32, b"ticket") for n in (1, 2)]
        home.effects_of = lambda _: list(tickets)
        home.log.clear()
        await home.runner.submit(ParcelAnswered(b"", b""))
        assert home.log == ["committed", "told booking.changed"]
        told = Tell("booking.accept", {"booking": booking.hex()})
        home.effects_of = lambda _: [told, tickets[0], AddRecord(other, b"3" * 32, b"ticket")]
        home.log.clear()
        await home.runner.submit(ParcelAnswered(b"", b""))
        assert home.log == ["committed", "told booking.accept", "told booking.changed"]

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
