"""What the simulation's store keeps and loses when its process or its power goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from chargemesh_node.errors import StoreError
from chargemesh_node.ports import OutboxRow
from chargemesh_node.sim.disk import MemoryStore, SimulatedCrash
from chargemesh_protocol.effects import PutDocument, PutOutbox, Save

from .disks import transaction, whole_transactions

pytestmark = pytest.mark.asyncio


def dies(saves: Sequence[Save]) -> None:
    raise SimulatedCrash("planned")


LEFT_AFTER: list[tuple[str, Callable[[MemoryStore], None], int]] = [
    ("before_commit", MemoryStore.crash, 1),
    ("before_commit", MemoryStore.power_cut, 1),
    ("before_sync", MemoryStore.crash, 2),
    ("before_sync", MemoryStore.power_cut, 1),
    ("after_commit", MemoryStore.crash, 2),
    ("after_commit", MemoryStore.power_cut, 2),
]


@pytest.mark.parametrize("hook, end, left", LEFT_AFTER)
async def test_what_is_left(hook: str, end: Callable[[MemoryStore], None], left: int) -> None:
    store = MemoryStore()
    await store.open()
    await store.commit(transaction(0))
    setattr(store, hook, dies)
    with pytest.raises(SimulatedCrash):
        await store.commit(transaction(1))
    with pytest.raises(SimulatedCrash):  # nothing that still runs can write
        await store.commit(transaction(2))
    end(store)
    setattr(store, hook, lambda saves: None)
    assert whole_transactions(await store.open()) == left


async def test_what_was_loaded_after_a_crash_survives_a_power_cut() -> None:
    store = MemoryStore()
    await store.open()
    store.before_sync = dies
    with pytest.raises(SimulatedCrash):
        await store.commit(transaction(0))
    store.crash()
    assert whole_transactions(await store.open()) == 1
    store.power_cut()
    assert whole_transactions(await store.open()) == 1


async def test_retries_that_waited_in_memory_are_lost() -> None:
    store = MemoryStore()
    await store.open()
    await store.commit([PutOutbox("peer", b"k", 100)])
    await store.reschedule(OutboxRow("peer", b"k", b"", 100, attempts=2))
    store.crash()
    assert (await store.open()).outbox == [OutboxRow("peer", b"k", b"", 100)]


async def test_a_commit_under_way_when_the_process_dies_never_returns_as_done() -> None:
    store = MemoryStore(sync_seconds=0.01)
    await store.open()
    under_way = asyncio.create_task(store.commit(transaction(0)))
    await asyncio.sleep(0)
    store.power_cut()
    assert whole_transactions(await store.open()) == 0
    with pytest.raises(SimulatedCrash):
        await under_way
    assert whole_transactions(await store.load()) == 0


async def test_a_commit_whose_caller_gives_up_reaches_the_disk() -> None:
    store = MemoryStore(sync_seconds=1)
    await store.open()
    under_way = asyncio.create_task(store.commit(transaction(0)))
    await asyncio.sleep(0)
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    assert whole_transactions(await store.load()) == 1


async def test_a_hook_may_fail_one_commit() -> None:
    def fails(saves: Sequence[Save]) -> None:
        raise StoreError("a bad sector")

    store = MemoryStore()
    await store.open()
    store.before_commit = fails
    with pytest.raises(StoreError):
        await store.commit([PutDocument("a", b"", b"")])
    store.before_commit = lambda saves: None
    assert (await store.load()).documents == {}
    await store.commit(transaction(0))
    assert store.commits == 1
