"""Whom our own trust reaches: everybody on a path of completions and vouches from ourselves. specs/06, G3a.

Kept up to date entry by entry, so that a flood of strangers' entries costs no walk over the whole graph.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from .entries import Completion, Vouch
from .log import Judged


class Reach:
    """The authors reached from `seeds` over accepted entries. A completion counts in both directions, a vouch
    from the voucher, also once it was taken back: that costs a score (graph.py), but nobody's place.

    Each is reached through one *first hop*, the author next to a seed on a path; once found it stays while
    such a path is left.
    """

    def __init__(self, seeds: Iterable[bytes]) -> None:
        self._seeds = frozenset(seeds)
        self._edges: dict[bytes, Counter[bytes]] = {}
        self._sources: dict[bytes, set[bytes]] = {}  # the same edges from their ends
        self._hops = {seed: seed for seed in self._seeds}  # by author

    def __contains__(self, author: bytes) -> bool:
        return author in self._hops

    def hop(self, author: bytes) -> bytes | None:
        """The first hop through which this author is reached: a seed and a first hop are their own."""
        return self._hops.get(author)

    def hop_by(self, entry: Judged) -> bytes | None:
        """The first hop through which the entry's author is reached, or would be by this entry alone."""
        body = entry.record.body
        if body.author not in self and isinstance(body, Completion) and entry.subject in self:
            return self._hop_after(entry.subject, body.author)
        return self._hops.get(body.author)

    def hops_into(self, author: bytes) -> set[bytes]:
        """All the first hops of those who lead to this author."""
        sources = self._sources.get(author, ())
        return {self._hop_after(one, author) for one in sources if one in self}

    def lead(self, author: bytes, hop: bytes) -> None:
        """From now on it counts as reached through `hop`, one of `hops_into`."""
        self._hops[author] = hop

    def add(self, entry: Judged) -> set[bytes]:
        """An entry was accepted; the authors that are reached from now on, or through another first hop."""
        found: set[bytes] = set()
        for one, other in _edges_of(entry):
            self._edges.setdefault(one, Counter())[other] += 1
            self._sources.setdefault(other, set()).add(one)
            if one in self._seeds and self._hops.get(other, other) != other:
                self._hops[other] = other  # whom we know ourselves depends on nobody else
                found.add(other)
            if one in self and other not in self:
                self._hops[other] = self._hop_after(one, other)
                found.update((other, *self._spread([other])))
        return found

    def remove(self, entries: Iterable[Judged]) -> set[bytes]:
        """These are accepted no more; the authors that are reached no more, or through another first hop. One
        walk for all of them: a fork may take a whole log back."""
        cut = False
        for one, other in (edge for entry in entries for edge in _edges_of(entry)):
            targets = self._edges[one]
            targets[other] -= 1
            if not targets[other]:
                del targets[other]
                self._sources[other].discard(one)
                cut = cut or one in self
            if not targets:
                del self._edges[one]
            if not self._sources[other]:
                del self._sources[other]
        if not cut:
            return set()
        before, self._hops = self._hops, {seed: seed for seed in self._seeds}
        # Whoever can stays with their first hop: else a fork could move others to a crowded one.
        self._spread(self._seeds, before)
        self._spread(list(self._hops))
        return {author for author, hop in before.items() if self._hops.get(author) != hop}

    def _spread(self, starts: Iterable[bytes], before: dict[bytes, bytes] | None = None) -> Sequence[bytes]:
        """Everybody reached from there who was not yet; with `before` only through the hop named there."""
        found: list[bytes] = []
        open_ends = deque(starts)
        while open_ends:
            one = open_ends.popleft()
            for other in self._edges.get(one, ()):
                hop = self._hop_after(one, other)
                if other not in self._hops and (before is None or before.get(other) == hop):
                    self._hops[other] = hop
                    found.append(other)
                    open_ends.append(other)
        return found

    def _hop_after(self, one: bytes, other: bytes) -> bytes:
        """The first hop of a path to `one`, who is reached, and on to `other`."""
        return other if one in self._seeds else self._hops[one]


def _edges_of(entry: Judged) -> tuple[tuple[bytes, bytes], ...]:
    body = entry.record.body
    match body:
        case Completion():
            return (body.author, entry.subject), (entry.subject, body.author)
        case Vouch() if body.stands:
            return ((body.author, entry.subject),)
        case _:
            return ()
