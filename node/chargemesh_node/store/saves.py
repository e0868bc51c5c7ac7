"""Each kind of Save as the SQL statements that carry it out on node.db."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chargemesh_protocol.effects import (
    AddRecord,
    DropBooking,
    DropDocument,
    DropOutbox,
    HoldSlot,
    PutDocument,
    PutOutbox,
    ReleaseSlot,
    Save,
)

from ..ports import OutboxRow
from .database import Statement

_PUT_DOCUMENT = """
    INSERT INTO document (collection, key, value) VALUES (?, ?, ?)
    ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value"""
_ADD_RECORD = "INSERT INTO record (booking, id, raw) VALUES (?, ?, ?) ON CONFLICT (booking, id) DO NOTHING"
_HOLD_SLOT = "INSERT OR REPLACE INTO slot (booking, charger, start, end) VALUES (?, ?, ?, ?)"
_PUT_OUTBOX = "INSERT OR REPLACE INTO outbox (channel, key, body, expires, next_try) VALUES (?, ?, ?, ?, ?)"
_RESCHEDULE = """
    UPDATE outbox SET attempts = ?, next_try = ?
    WHERE channel = ? AND key = ? AND body = ? AND expires = ?"""


def statements(saves: Sequence[Save]) -> Iterator[Statement]:
    """What `saves` come to, in their order."""
    for save in saves:
        yield _statement(save)


def _statement(save: Save) -> Statement:
    match save:
        case PutDocument(collection, key, value):
            return _PUT_DOCUMENT, (collection, key, value)
        case DropDocument(collection, key):
            return "DELETE FROM document WHERE collection = ? AND key = ?", (collection, key)
        case AddRecord(booking, id, raw):
            return _ADD_RECORD, (booking, id, raw)
        case DropBooking(booking):
            return "DELETE FROM record WHERE booking = ?", (booking,)
        case HoldSlot(charger, booking, start, end):
            return _HOLD_SLOT, (booking, charger, start, end)
        case ReleaseSlot(booking):
            return "DELETE FROM slot WHERE booking = ?", (booking,)
        case PutOutbox(channel, key, expires, body, not_before):
            return _PUT_OUTBOX, (channel, key, body, expires, not_before)
        case DropOutbox(channel, key):
            return "DELETE FROM outbox WHERE channel = ? AND key = ?", (channel, key)


def reschedule(row: OutboxRow) -> Statement:
    """Leaves a row alone that has been replaced meanwhile: the newer one has its own schedule."""
    return _RESCHEDULE, (row.attempts, row.next_try, row.channel, row.key, row.body, row.expires)
