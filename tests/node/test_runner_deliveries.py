"""The runner delivers: less and less often, until a row expires, and loses none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import pytest

from chargemesh_node.outbox import FIRST_RETRY_MS
from chargemesh_node.runner import DELIVERIES_AT_ONCE
from chargemesh_node.sim.loop import LoopClock, run
from chargemesh_protocol.booking.post import Covers
from chargemesh_protocol.effects import (
    Effect,
    Mail,
    PutOutbox,
)
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.events import MailHandedIn, ParcelAnswered

from .runner_house import FAR, KEY, MORNING, Home, at_home, says

# --- deliveries -----------------------------------------------------------------------------------


def test_a_delivery_is_tried_at_once_and_then_less_and_less_often() -> None:
    async def story(home: Home) -> None:
        assert FIRST_RETRY_MS == 1000
        await home.owes(KEY)
        await asyncio.sleep(40)
        assert [round(at) for at in home.tries] == [0, 1, 3, 7, 15, 31]
        assert home.runner.counters["peer-undelivered"] == 6

    at_home(story)


def test_what_does_not_arrive_is_left_in_the_peers_mailbox_and_tried_as_before() -> None:
    async def story(home: Home) -> None:
        home.mail = Mail(KEY, (), FAR, Covers(records=0, messages=0, statements=()), b"")
        await home.owes(KEY)
        await asyncio.sleep(10)
        assert [round(at) for at in home.tries] == [0, 1, 3, 7]
        assert [round(at) for at in home.handed_in] == [1, 3, 7], "not before the second try"
        told = [event for _, event in home.events if isinstance(event, MailHandedIn)]
        assert [(one.number, one.proof) for one in told] == [(0, b"proof")] * 3
        assert home.log.count("told booking.undelivered") == 1

    at_home(story)


def test_after_a_sleep_what_waits_is_tried_at_once() -> None:
    async def story(home: Home) -> None:
        await home.owes(KEY)
        await asyncio.sleep(20)
        home.runner.woke()
        await asyncio.sleep(1)
        assert [round(at) for at in home.tries] == [0, 1, 3, 7, 15, 20]

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
