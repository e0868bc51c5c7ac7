"""Which deliveries are owed and when each is tried next. Pure: the runner performs, the store keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from chargemesh_protocol.effects import DropOutbox, PutOutbox, Save
from chargemesh_protocol.limits import MAX_NOTICES

from .ports import OutboxRow

FIRST_RETRY_MS = 1_000
LAST_RETRY_MS = 5 * 60_000
LATE_AFTER_TRIES = 3  # at once, after 1 s and after 3 s: what takes a moment is no news to a person


class Outbox:
    """The rows of the store's outbox, by (channel, key)."""

    def __init__(self, rows: Iterable[OutboxRow] = (), busy: Iterable[tuple[str, bytes]] = ()) -> None:
        """`busy`: (channel, key) of what is being tried already."""
        self._rows = {(row.channel, row.key): row for row in rows}
        self._busy = set(busy)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[OutboxRow]:
        return iter(self._rows.values())

    @property
    def busy(self) -> frozenset[tuple[str, bytes]]:
        """(channel, key) of the rows that are being tried now."""
        return frozenset(self._busy)

    def take(self, saves: Iterable[Save]) -> None:
        """What was committed."""
        for save in saves:
            if isinstance(save, PutOutbox):
                self.put(save)
            elif isinstance(save, DropOutbox):
                self.drop(save)

    def put(self, save: PutOutbox) -> None:
        """A new row, or the same with a new deadline: it may be tried at once, unless told to wait."""
        self._rows[save.channel, save.key] = OutboxRow(
            save.channel, save.key, save.body, save.expires, 0, save.not_before
        )

    def drop(self, save: DropOutbox) -> None:
        self._rows.pop((save.channel, save.key), None)

    def get(self, channel: str, key: bytes) -> OutboxRow | None:
        return self._rows.get((channel, key))

    def is_late(self, channel: str, key: bytes) -> bool:
        """Whether such a row is there and was tried in vain for a few seconds."""
        row = self._rows.get((channel, key))
        return row is not None and row.attempts >= LATE_AFTER_TRIES

    def late_among(self, saves: Iterable[Save]) -> list[bytes]:
        """Keys of what `saves` drop after it had been tried in vain for a while: it has arrived, or is no
        longer wanted."""
        return [
            save.key
            for save in saves
            if isinstance(save, DropOutbox) and save.channel == "peer" and self.is_late("peer", save.key)
        ]

    def due(self, now: int, limit: int) -> list[OutboxRow]:
        """Rows to try now, the longest waiting first; each is busy until `tried`.

        None waits longer than LAST_RETRY_MS: one that seems to was put off before the clock was set back.
        """
        waiting = [
            row
            for place, row in self._rows.items()
            if place not in self._busy and not now < row.next_try <= now + LAST_RETRY_MS
        ]
        waiting.sort(key=lambda row: row.next_try)
        chosen = waiting[: max(0, limit - len(self._busy))]
        self._busy.update((row.channel, row.key) for row in chosen)
        return chosen

    def tried(self, channel: str, key: bytes, now: int, *, progress: bool) -> OutboxRow | None:
        """The row is free again; it waits twice as long each time that nothing moved. None if it is gone."""
        self._busy.discard((channel, key))
        row = self._rows.get((channel, key))
        if row is None:
            return None
        attempts = 0 if progress else row.attempts + 1
        pause = 0 if progress else min(FIRST_RETRY_MS << min(row.attempts, 16), LAST_RETRY_MS)
        row = replace(row, attempts=attempts, next_try=max(now + pause, row.next_try if progress else 0))
        self._rows[channel, key] = row
        return row

    def hurry(self, keys: Iterable[bytes], now: int) -> None:
        """A peer is back: what waits for it is tried at once."""
        for key in keys:
            row = self._rows.get(("peer", key))
            if row is not None:
                self._rows["peer", key] = replace(row, next_try=min(row.next_try, now))

    def crowded_out(self, saves: Iterable[Save]) -> list[DropOutbox]:
        """The oldest notices that no longer fit beside the new ones of `saves`: while nobody takes them, a
        peer may be the cause of many."""
        new = sum(1 for save in saves if isinstance(save, PutOutbox) and save.channel == "notify")
        waiting = [row for row in self._rows.values() if row.channel == "notify"] if new else []
        waiting.sort(key=lambda row: row.expires)
        too_many = max(0, len(waiting) + new - MAX_NOTICES)
        return [DropOutbox(row.channel, row.key) for row in waiting[:too_many]]

    def expired(self, now: int) -> list[OutboxRow]:
        """Rows whose time is over and that are not being tried."""
        return [row for place, row in self._rows.items() if row.expires <= now and place not in self._busy]

    def next_due(self, limit: int, *, expires: bool = True) -> int | None:
        """When the next row that is not busy is due or, if any `expires`, expires; None while `limit` rows
        are busy, since whichever is tried first makes room."""
        if len(self._busy) >= limit:
            return None
        waiting = (row for place, row in self._rows.items() if place not in self._busy)
        return min(
            (min(row.next_try, row.expires) if expires else row.next_try for row in waiting), default=None
        )
