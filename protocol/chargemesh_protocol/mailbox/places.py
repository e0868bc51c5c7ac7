"""Which parcels a volunteer holds, and for which it has room: every quota in one place, without the bytes.

The bytes lie on a disk that is slow; the quotas are judged here, over the same rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..errors import Refused, Severity
from ..limits import (
    MAX_COLLECTED_BYTES,
    MAX_COLLECTED_PARCELS,
    MAX_PARCEL_BYTES_OF_BLOCK,
    MAX_PARCEL_BYTES_OF_RECIPIENT,
    MAX_PARCELS,
    MAX_PARCELS_OF_BLOCK,
    MAX_PARCELS_OF_BLOCK_FOR_RECIPIENT,
    MAX_PARCELS_OF_RECIPIENT,
)


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A parcel as its place knows it. hash: SHA-256 of the sealed bytes. block: of its depositor, or a word
    that stands for it. at, expires: unix ms."""

    hash: bytes
    recipient: bytes
    block: str
    size: int
    at: int
    expires: int


@dataclass(slots=True)
class _Taken:
    """Parcels and bytes by whom they count to."""

    parcels: Counter[object] = field(default_factory=Counter)
    bytes: Counter[object] = field(default_factory=Counter)

    def add(self, who: object, size: int, sign: int) -> None:
        for counter, amount in ((self.parcels, 1), (self.bytes, size)):
            counter[who] += sign * amount
            if not counter[who]:
                del counter[who]


class ParcelPlaces:
    """Every parcel held, by its hash; `max_bytes` of all of them together."""

    def __init__(self, max_bytes: int, rows: Iterable[HeldRow] = ()) -> None:
        self._max_bytes = max_bytes
        self._rows: dict[bytes, HeldRow] = {}
        self._of_recipient: dict[bytes, dict[bytes, HeldRow]] = {}
        self._recipients, self._blocks, self._pairs = _Taken(), _Taken(), _Taken()
        self.total_bytes = 0
        for row in sorted(rows, key=lambda one: one.at):
            self.add(row)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[HeldRow]:
        return iter(self._rows.values())

    def get(self, parcel: bytes) -> HeldRow | None:
        return self._rows.get(parcel)

    @property
    def full(self) -> bool:
        """Whether the smallest parcel of a newcomer would be refused."""
        return len(self._rows) >= MAX_PARCELS or self.total_bytes >= self._max_bytes

    def judge(self, row: HeldRow, replaces: bytes | None, now: int) -> HeldRow | None:
        """The row that `row` takes the place of, None if of none; Refused if there is no room for it.

        What `replaces` names counts only where it is held for the same recipient. Nothing is changed.
        """
        if row.expires <= now:
            raise Refused("expired", "nobody is to have this parcel any more", Severity.STALE)
        old = self._rows.get(replaces) if replaces is not None else None
        if old is not None and old.recipient != row.recipient:
            old = None
        if old is not None:
            self.drop(old.hash)
        try:
            self._require_room(row)
        finally:
            if old is not None:
                self.add(old)
        return old

    def add(self, row: HeldRow) -> None:
        """Gives it its place; twice is once."""
        if row.hash in self._rows:
            return
        self._rows[row.hash] = row
        self._of_recipient.setdefault(row.recipient, {})[row.hash] = row
        self._count(row, 1)

    def drop(self, parcel: bytes) -> HeldRow | None:
        """Takes its place away; None if it had none."""
        row = self._rows.pop(parcel, None)
        if row is None:
            return None
        theirs = self._of_recipient[row.recipient]
        del theirs[parcel]
        if not theirs:
            del self._of_recipient[row.recipient]
        self._count(row, -1)
        return row

    def of(self, recipient: bytes, now: int) -> tuple[list[HeldRow], bool]:
        """The parcels of this key for one answer, those held longest first, and whether there are more."""
        waiting = sorted(
            (row for row in self._of_recipient.get(recipient, {}).values() if row.expires > now),
            key=lambda row: (row.at, row.hash),
        )
        chosen: list[HeldRow] = []
        size = 0
        for row in waiting[:MAX_COLLECTED_PARCELS]:
            size += row.size
            if size > MAX_COLLECTED_BYTES:
                break
            chosen.append(row)
        return chosen, len(chosen) < len(waiting)

    def expired(self, now: int) -> list[HeldRow]:
        return [row for row in self._rows.values() if row.expires <= now]

    # --- inside ---------------------------------------------------------------------------------

    def _require_room(self, row: HeldRow) -> None:
        recipients, blocks = self._recipients, self._blocks
        if len(self._rows) >= MAX_PARCELS or self.total_bytes + row.size > self._max_bytes:
            raise Refused("mailbox-full", "this mailbox is full", Severity.STALE)
        if (
            recipients.parcels[row.recipient] >= MAX_PARCELS_OF_RECIPIENT
            or recipients.bytes[row.recipient] + row.size > MAX_PARCEL_BYTES_OF_RECIPIENT
        ):
            raise Refused("mailbox-full", "too much waits for this recipient", Severity.STALE)
        if (
            blocks.parcels[row.block] >= MAX_PARCELS_OF_BLOCK
            or blocks.bytes[row.block] + row.size > MAX_PARCEL_BYTES_OF_BLOCK
            or self._pairs.parcels[row.block, row.recipient] >= MAX_PARCELS_OF_BLOCK_FOR_RECIPIENT
        ):
            raise Refused("block-full", "enough is held from your network", Severity.STALE)

    def _count(self, row: HeldRow, sign: int) -> None:
        self.total_bytes += sign * row.size
        self._recipients.add(row.recipient, row.size, sign)
        self._blocks.add(row.block, row.size, sign)
        self._pairs.add((row.block, row.recipient), row.size, sign)
