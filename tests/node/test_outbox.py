"""The outbox: which delivery is tried when, what gives way, and what ends it."""

from __future__ import annotations

from chargemesh_node.outbox import FIRST_RETRY_MS, LAST_RETRY_MS, LATE_AFTER_TRIES, Outbox
from chargemesh_node.ports import OutboxRow
from chargemesh_protocol.effects import DropOutbox, PutDocument, PutOutbox
from chargemesh_protocol.limits import MAX_NOTICES

KEY = b"booking"
FAR = 10**12


def row(key: bytes = KEY, *, channel: str = "peer", expires: int = FAR, next_try: int = 0) -> OutboxRow:
    return OutboxRow(channel, key, b"", expires, 0, next_try)


def pauses(outbox: Outbox, tries: int) -> list[int]:
    """How long the row waits after each of so many tries that brought nothing."""
    found, now = [], 0
    for _ in range(tries):
        outbox.due(now, 1)
        left = outbox.tried("peer", KEY, now, progress=False)
        assert left is not None
        found.append(left.next_try - now)
        now = left.next_try
    return found


def test_a_row_waits_twice_as_long_each_time_up_to_a_bound() -> None:
    waited = pauses(Outbox([row()]), 40)
    assert waited[:4] == [FIRST_RETRY_MS, 2 * FIRST_RETRY_MS, 4 * FIRST_RETRY_MS, 8 * FIRST_RETRY_MS]
    assert waited[-1] == LAST_RETRY_MS == max(waited)


def test_a_row_is_late_once_it_was_tried_in_vain_for_some_seconds() -> None:
    outbox = Outbox([row()])
    assert not outbox.is_late("peer", KEY)
    pauses(outbox, LATE_AFTER_TRIES - 1)
    assert not outbox.is_late("peer", KEY)
    pauses(outbox, 1)
    assert outbox.is_late("peer", KEY)
    outbox.take([DropOutbox("peer", KEY)])
    assert not outbox.is_late("peer", KEY)


def test_progress_starts_the_waiting_over() -> None:
    outbox = Outbox([row()])
    pauses(outbox, 6)
    moved = outbox.tried("peer", KEY, 500_000, progress=True)
    assert moved is not None and (moved.attempts, moved.next_try) == (0, 500_000)
    assert pauses(outbox, 2) == [FIRST_RETRY_MS, 2 * FIRST_RETRY_MS]


def test_a_row_is_not_tried_twice_at_once_nor_more_than_so_many_together() -> None:
    outbox = Outbox(row(bytes([number]), next_try=number) for number in range(5))
    first = outbox.due(10, 3)
    assert [one.key for one in first] == [b"\0", b"\1", b"\2"]
    assert outbox.due(10, 3) == []
    assert outbox.next_due(3) is None, "whichever is tried first makes room; nobody need look before"
    outbox.tried("peer", b"\1", 10, progress=False)
    assert outbox.next_due(3) == 3
    assert [one.key for one in outbox.due(10, 3)] == [b"\3"]


def test_what_is_being_tried_stays_so_when_the_rows_are_loaded_again() -> None:
    before = Outbox([row()])
    before.due(0, 16)
    again = Outbox([row()], before.busy)
    assert again.due(0, 16) == []
    again.tried("peer", KEY, 0, progress=True)
    assert len(again.due(0, 16)) == 1


def test_news_while_a_row_is_tried_makes_a_new_row_that_waits_its_own_turn() -> None:
    outbox = Outbox([row()])
    outbox.due(0, 16)
    outbox.take([PutOutbox("peer", KEY, FAR, not_before=7000), PutDocument("other", b"", b"")])
    left = outbox.tried("peer", KEY, 1000, progress=True)
    assert left is not None and left.next_try == 7000


def test_a_row_that_is_gone_does_not_come_back() -> None:
    outbox = Outbox([row()])
    outbox.due(0, 16)
    outbox.take([DropOutbox("peer", KEY)])
    assert outbox.tried("peer", KEY, 0, progress=False) is None
    assert len(outbox) == 0 and outbox.next_due(16) is None


def test_rows_expire_but_not_while_they_are_tried() -> None:
    outbox = Outbox([row(expires=50)])
    assert outbox.next_due(16) == 0
    outbox.due(0, 16)
    assert outbox.expired(50) == []
    outbox.tried("peer", KEY, 0, progress=False)
    assert outbox.next_due(16) == 50
    assert [one.key for one in outbox.expired(50)] == [KEY]


def test_a_peer_that_is_back_gets_its_rows_at_once_and_nobody_else() -> None:
    outbox = Outbox([row(b"back", next_try=900), row(b"away", next_try=900), row(b"soon", next_try=5)])
    outbox.hurry([b"back", b"soon", b"no such"], 100)
    assert [one.key for one in outbox.due(100, 16)] == [b"soon", b"back"]


def test_the_oldest_notices_give_way_and_bookings_never_do() -> None:
    outbox = Outbox(row(bytes([number]), expires=1) for number in range(5))
    new = [PutOutbox("notify", number.to_bytes(2, "big"), number) for number in range(MAX_NOTICES)]
    assert outbox.crowded_out(new) == []
    outbox.take(new)
    more = [PutOutbox("notify", b"a", FAR), PutOutbox("notify", b"b", FAR), PutOutbox("peer", b"c", FAR)]
    gone = outbox.crowded_out(more)
    assert gone == [DropOutbox("notify", b"\0\0"), DropOutbox("notify", b"\0\1")]
    assert outbox.crowded_out([PutOutbox("peer", b"c", FAR)]) == []
