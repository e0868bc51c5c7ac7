"""What the logs prove between people, and the graph of trust that it makes.

Nodes are authors (32-byte identities). Edges come from completions and vouches only: reviews never make an
edge, so nobody can be praised into the graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Completed:
    """A booking that both sides signed as completed; `booking` is its salted hash, equal in both halves."""

    one: bytes
    other: bytes
    booking: bytes
    month: int


@dataclass(frozen=True)
class Vouched:
    """`author` stands up for `subject`."""

    author: bytes
    subject: bytes
    month: int


@dataclass(frozen=True)
class Reviewed:
    """`author` judged `subject` after `booking`; `stars` (1..5) is None when the content was erased or is not
    here. `entry` is the id of the log entry."""

    author: bytes
    subject: bytes
    booking: bytes
    month: int
    stars: int | None
    entry: bytes


@dataclass(frozen=True)
class Evidence:
    """Everything a node knows about people; the result of every score is a function of this set.

    `taken_back`: (author, subject) of vouches that no longer count, whatever other evidence says.
    """

    completed: frozenset[Completed] = frozenset()
    vouched: frozenset[Vouched] = frozenset()
    reviewed: frozenset[Reviewed] = frozenset()
    taken_back: frozenset[tuple[bytes, bytes]] = frozenset()

    def __or__(self, other: Evidence) -> Evidence:
        gone = self.taken_back | other.taken_back
        return Evidence(
            self.completed | other.completed,
            frozenset(one for one in self.vouched | other.vouched if (one.author, one.subject) not in gone),
            self.reviewed | other.reviewed,
            gone,
        )


class TrustGraph:
    """Weighted out-edges of every author, and the completed pairs behind them.

    A completion is walked in both directions (both signed it), a vouch only from the voucher. The weight of
    an edge is the number of distinct completed bookings, plus one for a vouch.
    """

    def __init__(self, completed: Iterable[Completed] = (), vouched: Iterable[Vouched] = ()) -> None:
        weights: dict[bytes, dict[bytes, int]] = defaultdict(lambda: defaultdict(int))
        self._bookings: dict[bytes, dict[bytes, bytes]] = defaultdict(dict)
        pairs = {(min(c.one, c.other), max(c.one, c.other), c.booking) for c in completed if c.one != c.other}
        for one, other, booking in pairs:
            weights[one][other] += 1
            weights[other][one] += 1
            self._bookings[one][booking] = other
            self._bookings[other][booking] = one
        for author, subject in {(v.author, v.subject) for v in vouched if v.author != v.subject}:
            weights[author][subject] += 1
        self._pairs = pairs
        self._edges = {author: dict(targets) for author, targets in weights.items()}

    def edges_from(self, author: bytes) -> Mapping[bytes, int]:
        """Whom a walk at `author` may go on to, with weights."""
        return self._edges.get(author, {})

    def has_completed(self, one: bytes, other: bytes, booking: bytes) -> bool:
        """Whether both of them signed that booking as completed."""
        return (min(one, other), max(one, other), booking) in self._pairs

    def counterparties(self, author: bytes) -> Mapping[bytes, bytes]:
        """Completed bookings of `author` (salted hash -> the other side)."""
        return self._bookings.get(author, {})
