"""Which logs have a place when there are more than we keep. specs/06, G3a.

First come, first kept would let two peers with many fresh keys shut out every new author. So a log whose
author our trust reaches goes before all others; of the others each address block that brings logs has an
equal claim. What a block loses is what it brought last, so that a flood can't wash out what was there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import Refused, Severity
from .log import Judged
from .reach import Reach


@dataclass(slots=True)
class _Place:
    author: bytes
    block: str
    entries: int = 0


class Room:
    """The places of a `LogSet`: at most `max_logs` logs, `max_entries` entries of all together."""

    def __init__(self, seeds: Iterable[bytes], max_logs: int, max_entries: int) -> None:
        self.max_logs = max_logs
        self.max_entries = max_entries
        self._reach = Reach(seeds)
        self._places: dict[bytes, _Place] = {}  # by signing key
        self._keys: dict[bytes, set[bytes]] = {}  # by author
        self._strangers: dict[str, dict[bytes, None]] = {}  # unreached logs of a block, as they came
        self._entries = 0
        self._entries_of: Counter[str] = Counter()  # of the unreached logs of a block

    def is_of_stranger(self, entry: Judged) -> bool:
        """Whether `entry` would begin a log whose author our trust does not reach."""
        return entry.record.kid not in self._places and not self._reach.covers(entry)

    def whose_place(self, entry: Judged, block: str) -> bytes | None:
        """The key whose log must go so that `entry`, brought from `block`, can stay; None if there is room.

        Refused("logs-full", STALE) where it has no better claim than any log that is kept.
        """
        key = entry.record.kid
        place = self._places.get(key)
        if place is None and len(self._places) >= self.max_logs:
            sizes = Counter({name: len(logs) for name, logs in self._strangers.items()})
        elif self._entries >= self.max_entries:
            sizes = self._entries_of
        else:
            return None
        fullest = max(self._strangers, key=lambda name: (sizes[name], name), default="")
        block = place.block if place is not None else block
        # One more than equal: else two blocks of one size would displace each other for ever.
        if self._reach.covers(entry) or sizes[block] + 1 < sizes[fullest]:
            for last in reversed(self._strangers.get(fullest, {})):
                if last != key:
                    return last
        raise Refused("logs-full", "no room for more of this log", Severity.STALE)

    def keep(self, entry: Judged, block: str, grown: int) -> None:
        """The log of this entry has `grown` entries more than before; a new one was brought from `block`."""
        key, author = entry.record.kid, entry.record.body.author
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place(author, block)
            self._keys.setdefault(author, set()).add(key)
            if author not in self._reach:
                self._strangers.setdefault(block, {})[key] = None
        place.entries += grown
        self._entries += grown
        if key in self._strangers.get(place.block, ()):
            self._entries_of[place.block] += grown

    def accept(self, gained: Iterable[Judged], lost: Iterable[Judged]) -> None:
        """What is accepted, and what no more: this may change whom our trust reaches."""
        for entry in gained:
            for author in self._reach.add(entry):
                for key in self._keys.get(author, ()):
                    self._forget_stranger(key)
        for author in self._reach.remove(lost):
            for key in self._keys.get(author, ()):
                place = self._places[key]
                self._strangers.setdefault(place.block, {})[key] = None
                self._entries_of[place.block] += place.entries

    def drop(self, key: bytes, accepted: Iterable[Judged]) -> None:
        """The log of that key, with these accepted entries, is kept no more."""
        self.accept((), accepted)
        self._forget_stranger(key)
        place = self._places.pop(key)
        self._entries -= place.entries
        self._keys[place.author].discard(key)
        if not self._keys[place.author]:
            del self._keys[place.author]

    def _forget_stranger(self, key: bytes) -> None:
        place = self._places[key]
        logs = self._strangers.get(place.block, {})
        if key in logs:
            del logs[key]
            self._entries_of[place.block] -= place.entries
            if not logs:
                del self._strangers[place.block], self._entries_of[place.block]
