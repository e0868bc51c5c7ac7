"""What every Store keeps to: the same tests for node.db and for the store of the simulation."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargemesh_node.errors import SlotTaken, StoreError, StoreFull
from chargemesh_node.ports import OutboxRow
from chargemesh_protocol.booking.rows import (
    AT_REST,
    ID_BYTES,
    OF_BOOKINGS,
    BookingRows,
)
from chargemesh_protocol.effects import (
    AddRecord,
    DropBooking,
    DropDocument,
    DropOutbox,
    HoldSlot,
    PutDocument,
    PutOutbox,
    ReleaseSlot,
)

from .disks import MemoryDisk, SqliteDisk, StoreDisk, id_of, row_named, transaction, whole_transactions

pytestmark = pytest.mark.asyncio
HOUR = 3_600_000
TAILS = (b"", bytes(4), b"s" * 32, b"\xff" * 32)  # of keys that begin with a booking's id


@pytest.fixture(params=["sqlite", "memory"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> StoreDisk:
    return SqliteDisk(tmp_path) if request.param == "sqlite" else MemoryDisk()


async def test_a_new_store_is_empty(disk: StoreDisk) -> None:
    store = disk.store()
    loaded = await store.open()
    assert (loaded.documents, loaded.records, list(loaded.slots), list(loaded.outbox)) == ({}, {}, [], [])
    await store.close()


async def test_reopened_it_is_what_it_was(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    for number in range(5):
        await store.commit(transaction(number))
    before = await store.load()
    await store.close()
    store = disk.store()
    after = await store.open()
    assert after == before
    assert whole_transactions(after) == 5
    await store.close()


async def test_a_document_is_replaced_and_forgotten(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    await store.commit(
        [PutDocument("a", b"1", b"x"), PutDocument("a", b"2", b""), PutDocument("b", b"1", b"z")]
    )
    await store.commit([PutDocument("a", b"1", b"y"), DropDocument("b", b"1"), DropDocument("b", b"none")])
    assert (await store.load()).documents == {"a": {b"1": b"y", b"2": b""}}
    await store.close()


async def test_a_record_added_twice_is_there_once_in_order_of_arrival(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    one, two = id_of(1, "booking"), id_of(2, "booking")
    await store.commit(
        [AddRecord(one, b"z", b"first"), AddRecord(two, b"z", b"other"), AddRecord(one, b"a", b"next")]
    )
    await store.commit([AddRecord(one, b"z", b"again"), AddRecord(one, b"m", b"last")])
    held = (await store.load()).records
    assert list(held[one].items()) == [(b"z", b"first"), (b"a", b"next"), (b"m", b"last")]
    assert (await store.booking(one)).records == held[one] and held[two] == {b"z": b"other"}
    await store.commit([DropBooking(one), DropBooking(id_of(3))])
    assert (await store.load()).records == {two: {b"z": b"other"}}
    await store.close()


async def test_a_booking_at_rest_is_not_loaded_but_when_it_is_asked_for(disk: StoreDisk) -> None:
    """All that belongs to it waits on disk, and nothing of the bookings beside it."""
    store = disk.store()
    await store.open()
    ids = [id_of(number, "booking") for number in range(3)]
    for one in ids:
        documents = [PutDocument(name, one + tail, one) for name in OF_BOOKINGS for tail in TAILS]
        await store.commit([*documents, AddRecord(one, b"1", b"raw"), PutDocument("other", one, b"")])
    everything = await store.load()
    await store.commit([PutDocument(AT_REST, ids[1], b"summary")])
    loaded, awake = await store.load(), {ids[0], ids[2]}
    assert set(loaded.records) == awake
    for name in OF_BOOKINGS:
        assert {key[:ID_BYTES] for key in loaded.documents[name]} == awake
    assert loaded.documents[AT_REST] == {ids[1]: b"summary"}
    assert loaded.documents["other"] == everything.documents["other"]
    for one in ids:
        rows = await store.booking(one)
        assert rows.records == {b"1": b"raw"}
        assert rows.documents == {
            name: {key: value for key, value in everything.documents[name].items() if key.startswith(one)}
            for name in OF_BOOKINGS
        }
    assert await store.booking(id_of(9, "booking")) == BookingRows()
    await store.commit([DropDocument(AT_REST, ids[1])])
    assert await store.load() == everything
    await store.close()


async def test_overlapping_slots_are_impossible(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    await store.commit([HoldSlot(b"left", b"A", 10 * HOUR, 12 * HOUR)])
    for start, end in ((9, 11), (11, 13), (10, 12), (11, 12), (9, 13)):
        with pytest.raises(SlotTaken):
            await store.commit([HoldSlot(b"left", b"B", start * HOUR, end * HOUR)])
    await store.commit([HoldSlot(b"left", b"B", 12 * HOUR, 13 * HOUR)])
    await store.commit([HoldSlot(b"left", b"C", 9 * HOUR, 10 * HOUR)])
    await store.commit([HoldSlot(b"right", b"D", 10 * HOUR, 12 * HOUR)])
    assert [slot.booking for slot in (await store.load()).slots] == [b"C", b"A", b"B", b"D"]
    await store.close()


async def test_a_refused_slot_takes_its_whole_commit_with_it(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    await store.commit(transaction(0))
    before = await store.load()
    taken = HoldSlot(b"charger", b"B", before.slots[0].start, before.slots[0].end)
    with pytest.raises(SlotTaken):
        await store.commit(
            [PutDocument("steps", b"x", b"half"), AddRecord(b"B", b"1", b""), taken, ReleaseSlot(b"A")]
        )
    assert await store.load() == before
    await store.commit(transaction(1))
    assert whole_transactions(await store.load()) == 2
    await store.close()


async def test_two_overlapping_slots_in_one_commit_are_refused(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    with pytest.raises(SlotTaken):
        await store.commit([HoldSlot(b"left", b"A", 0, 2), HoldSlot(b"left", b"B", 1, 3)])
    assert list((await store.load()).slots) == []
    await store.close()


async def test_a_released_slot_is_free_and_a_booking_may_move_its_own(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    await store.commit([HoldSlot(b"left", b"A", 10, 12)])
    await store.commit([HoldSlot(b"left", b"A", 10, 14)])  # an extension
    assert list((await store.load()).slots) == [HoldSlot(b"left", b"A", 10, 14)]
    await store.commit([ReleaseSlot(b"A"), HoldSlot(b"left", b"B", 11, 13)])
    assert list((await store.load()).slots) == [HoldSlot(b"left", b"B", 11, 13)]
    await store.close()


async def test_a_slot_that_ends_before_it_starts_is_an_error(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    with pytest.raises(StoreError):
        await store.commit([PutDocument("a", b"", b""), HoldSlot(b"left", b"A", 12, 12)])
    assert (await store.load()).documents == {}
    await store.close()


async def test_an_outbox_row_is_replaced_rescheduled_and_dropped(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    await store.commit([PutOutbox("peer", b"k", 100, b"one", not_before=7), PutOutbox("notify", b"k", 200)])
    assert list((await store.load()).outbox) == [
        OutboxRow("notify", b"k", b"", 200),
        OutboxRow("peer", b"k", b"one", 100, attempts=0, next_try=7),
    ]
    tried = OutboxRow("peer", b"k", b"one", 100, attempts=3, next_try=50)
    await store.reschedule(tried)
    assert tried in (await store.load()).outbox
    await store.commit([DropOutbox("notify", b"k")])
    assert list((await store.load()).outbox) == [tried]
    await store.commit([PutOutbox("peer", b"k", 300, b"two")])
    assert list((await store.load()).outbox) == [OutboxRow("peer", b"k", b"two", 300)]
    await store.commit([DropOutbox("peer", b"k"), DropOutbox("peer", b"none")])
    assert list((await store.load()).outbox) == []
    await store.close()


async def test_a_retry_of_a_replaced_row_does_not_delay_the_new_one(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    await store.commit([PutOutbox("peer", b"k", 100, b"old")])
    await store.commit([PutOutbox("peer", b"k", 100, b"new")])
    await store.reschedule(OutboxRow("peer", b"k", b"old", 100, attempts=9, next_try=90))
    await store.reschedule(OutboxRow("peer", b"gone", b"", 100, attempts=9, next_try=90))
    await store.commit([PutDocument("a", b"", b"")])
    assert list((await store.load()).outbox) == [OutboxRow("peer", b"k", b"new", 100)]
    await store.close()


async def test_retries_survive_a_stop_and_a_start(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    await store.commit([PutOutbox("peer", b"k", 100)])
    await store.reschedule(OutboxRow("peer", b"k", b"", 100, attempts=2, next_try=40))
    await store.close()
    store = disk.store()
    assert row_named(await store.open(), b"k").attempts == 2
    await store.close()


async def test_a_full_disk_refuses_the_commit_and_keeps_the_rest(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    await store.commit(transaction(0))
    await disk.fill(store)
    with pytest.raises(StoreFull):
        await store.commit(transaction(1, kibibytes=64))
    assert whole_transactions(await store.load()) == 1
    await disk.make_room(store)
    await store.commit(transaction(1, kibibytes=64))
    assert whole_transactions(await store.load()) == 2
    await store.close()


async def test_a_closed_store_says_so(disk: StoreDisk) -> None:
    store = disk.store()
    await store.open()
    await store.close()
    await store.close()
    with pytest.raises(StoreError):
        await store.commit(transaction(0))
