"""Whom our own trust reaches: everybody on a path of completions and vouches from ourselves. specs/06, G3a.

Kept up to date entry by entry, so that a flood of strangers' entries costs no walk over the whole graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .entries import Completion, Vouch
from .log import Judged


class Reach:
    """The authors reached from `seeds` over accepted entries. A completion counts in both directions, a vouch
    from the voucher, also once it was taken back: that costs a score (graph.py), but nobody's place."""

    def __init__(self, seeds: Iterable[bytes]) -> None:
        self._seeds = frozenset(seeds)
        self._edges: dict[bytes, Counter[bytes]] = {}
        self._reached = set(self._seeds)

    def __contains__(self, author: bytes) -> bool:
        return author in self._reached

    def covers(self, entry: Judged) -> bool:
        """Whether the entry's author is reached, or would be by this entry alone."""
        body = entry.record.body
        return body.author in self or (isinstance(body, Completion) and entry.subject in self)

    def add(self, entry: Judged) -> set[bytes]:
        """An entry was accepted; the authors that are reached from now on."""
        found: set[bytes] = set()
        for one, other in _edges_of(entry):
            self._edges.setdefault(one, Counter())[other] += 1
            if one in self._reached:
                found |= self._spread(other)
        return found

    def remove(self, entries: Iterable[Judged]) -> set[bytes]:
        """These are accepted no more; the authors that are reached no more. One walk for all of them: a fork
        may take a whole log back."""
        cut = False
        for one, other in (edge for entry in entries for edge in _edges_of(entry)):
            targets = self._edges[one]
            targets[other] -= 1
            if not targets[other]:
                del targets[other]
                cut = cut or one in self._reached
            if not targets:
                del self._edges[one]
        if not cut:
            return set()
        before, self._reached = self._reached, set()
        for seed in self._seeds:
            self._spread(seed)
        return before - self._reached

    def _spread(self, start: bytes) -> set[bytes]:
        found: set[bytes] = set()
        open_ends = [start]
        while open_ends:
            author = open_ends.pop()
            if author not in self._reached:
                self._reached.add(author)
                found.add(author)
                open_ends += self._edges.get(author, ())
        return found


def _edges_of(entry: Judged) -> tuple[tuple[bytes, bytes], ...]:
    body = entry.record.body
    match body:
        case Completion():
            return (body.author, entry.subject), (entry.subject, body.author)
        case Vouch() if body.stands:
            return ((body.author, entry.subject),)
        case _:
            return ()
