"""Which logs have a place when there are more than we keep. specs/06, G3a.

First come, first kept would let two peers with many fresh keys shut out every new author. So a log whose
author our trust reaches goes before all others; of these each first hop of our trust has an equal claim, of
the others each address block that brings logs. What either loses is what came last of it, so that a flood
can't wash out what was there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..errors import Refused, Severity
from .log import Judged
from .reach import Reach


@dataclass(frozen=True, slots=True, order=True)
class _Group:
    """The logs that share one claim: those reached through one first hop, or a block's of strangers."""

    hop: bytes = b""
    block: str = ""


@dataclass(slots=True)
class _Place:
    author: bytes
    block: str
    group: _Group
    entries: int = 0


class Room:
    """The places of a `LogSet`: at most `max_logs` logs, `max_entries` entries of all together."""

    def __init__(self, seeds: Iterable[bytes], max_logs: int, max_entries: int) -> None:
        self.max_logs = max_logs
        self.max_entries = max_entries
        self._own = frozenset(seeds)
        self._reach = Reach(self._own)
        self._places: dict[bytes, _Place] = {}  # by signing key
        self._keys: dict[bytes, set[bytes]] = {}  # by author
        self._logs: dict[_Group, dict[bytes, None]] = {}  # the keys of a group, as they came
        self._entries = 0
        self._entries_of: Counter[_Group] = Counter()

    def is_of_stranger(self, entry: Judged) -> bool:
        """Whether `entry` would begin a log whose author our trust does not reach."""
        return entry.record.kid not in self._places and self._reach.hop_by(entry) is None

    def whose_place(self, entry: Judged, block: str) -> bytes | None:
        """The key whose log must go so that `entry`, brought from `block`, can stay; None if there is room.

        Refused("logs-full", STALE) where it has no better claim than any log that is kept.
        """
        key = entry.record.kid
        place = self._places.get(key)
        sizes: Mapping[_Group, int]
        if place is None and len(self._places) >= self.max_logs:
            sizes = {group: len(logs) for group, logs in self._logs.items()}
        elif self._entries >= self.max_entries:
            sizes = self._entries_of
        else:
            return None
        hop = self._reach.hop_by(entry)
        found = self._of_strangers(sizes, key, block if place is None else place.block, hop)
        if found is None and hop is not None:
            found = self._of_reached(sizes, key, entry.record.body.author, hop)
        if found is None:
            raise Refused("logs-full", "no room for more of this log", Severity.STALE)
        return found

    def keep(self, entry: Judged, block: str, grown: int) -> None:
        """The log of this entry has `grown` entries more than before; a new one was brought from `block`."""
        key, author = entry.record.kid, entry.record.body.author
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place(author, block, self._group_of(author, block))
            self._keys.setdefault(author, set()).add(key)
            self._join(key, place)
        place.entries += grown
        self._entries += grown
        self._entries_of[place.group] += grown

    def accept(self, gained: Iterable[Judged], lost: Iterable[Judged]) -> None:
        """What is accepted, and what no more: this may change whom our trust reaches, and through whom."""
        for entry in gained:
            self._regroup(self._reach.add(entry))
        self._regroup(self._reach.remove(lost))

    def drop(self, key: bytes, accepted: Iterable[Judged]) -> None:
        """The log of that key, with these accepted entries, is kept no more."""
        self.accept((), accepted)
        place = self._places.pop(key)
        self._leave(key, place)
        self._entries -= place.entries
        self._keys[place.author].discard(key)
        if not self._keys[place.author]:
            del self._keys[place.author]

    # --- whose place ------------------------------------------------------------------------------

    def _of_strangers(
        self, sizes: Mapping[_Group, int], key: bytes, block: str, hop: bytes | None
    ) -> bytes | None:
        """A stranger's log that gives way: always to whom our trust reaches, else to a smaller block."""
        fullest = self._fullest(sizes, lambda group: not group.hop)
        # One more than equal: else two blocks of one size would displace each other for ever.
        if hop is not None or sizes.get(_Group(block=block), 0) + 1 < sizes.get(fullest, 0):
            return self._last(fullest, key)
        return None

    def _of_reached(self, sizes: Mapping[_Group, int], key: bytes, author: bytes, hop: bytes) -> bytes | None:
        """As `_of_strangers`, for first hops. An author to whom several lead counts with the one that has
        least: else whoever vouches first for all newcomers could then fill their share, and shut them out."""
        fullest = self._fullest(sizes, lambda group: bool(group.hop) and group.hop not in self._own)
        if hop in self._own:
            return self._last(fullest, key)
        keys = self._keys.get(author, ())
        by_entries = sizes is self._entries_of
        brings = sum(self._places[one].entries if by_entries else 1 for one in keys)
        others = self._reach.hops_into(author) if author != hop else ()
        claims = {one: sizes.get(_Group(one), 0) + brings for one in others}
        claims[hop] = sizes.get(_Group(hop), 0)
        best = min(claims, key=lambda one: (claims[one], one))
        if claims[best] + 1 >= sizes.get(fullest, 0):
            return None
        if best != hop:
            self._reach.lead(author, best)
            self._regroup([author])
        return self._last(fullest, key)

    def _fullest(self, sizes: Mapping[_Group, int], counts: Callable[[_Group], bool]) -> _Group:
        groups = (group for group in self._logs if counts(group))
        return max(groups, key=lambda group: (sizes.get(group, 0), group), default=_Group())

    def _last(self, group: _Group, key: bytes) -> bytes | None:
        """What came last of a group, beside the log of `key`; a first hop's own logs go last of all."""
        own = None
        for one in reversed(self._logs.get(group, {})):
            if one != key and self._places[one].author != group.hop:
                return one
            own = own if one == key else own or one
        return own

    # --- groups -----------------------------------------------------------------------------------

    def _group_of(self, author: bytes, block: str) -> _Group:
        hop = self._reach.hop(author)
        return _Group(block=block) if hop is None else _Group(hop)

    def _regroup(self, authors: Iterable[bytes]) -> None:
        """The logs of these have another claim than before, or may have."""
        for author in authors:
            for key in self._keys.get(author, ()):
                place = self._places[key]
                self._leave(key, place)
                place.group = self._group_of(author, place.block)
                self._join(key, place)

    def _join(self, key: bytes, place: _Place) -> None:
        self._logs.setdefault(place.group, {})[key] = None
        self._entries_of[place.group] += place.entries

    def _leave(self, key: bytes, place: _Place) -> None:
        logs = self._logs[place.group]
        del logs[key]
        self._entries_of[place.group] -= place.entries
        if not logs:
            del self._logs[place.group], self._entries_of[place.group]
