"""Random walks over the graph of trust, the same every time for one secret.

A walk leaves home by one of home's own edges (its trust seeds: own completed counterparties and vouches) and
goes on until it restarts. What counts is whether a walk reaches somebody at all (*first visit only*): going
round in a ring of one's own keys earns nothing. Design §7.

Step i of walk w at v takes the edge that minimises `-ln H(secret, w, i, edge) / weight`, where the edge is
the ordered pair (v, target). So each choice depends only on the edges at v: a new edge elsewhere changes no
walk that does not pass there, and an incremental update can equal a full run.
"""

from hashlib import blake2b
from math import inf, log
from typing import TypeAlias

from .graph import TrustGraph

WALKS = 10_000
RESTART_PER_MILLE = 300  # the reach of a ring behind one edge is at most 1/0.3 times that edge's own
MAX_STEPS = 48  # 0.7^48 is below one walk in ten million
FIRST_HOP_SHARE = 5  # one first-hop neighbour brings at most a fifth of all walks

_MASK = (1 << 64) - 1
_RESTART_BELOW = (RESTART_PER_MILLE << 64) // 1000

_Edges: TypeAlias = "list[tuple[int, int, bytes]]"  # (hash of the edge, weight, target)


class Walks:
    """All first visits of `walks` walks from `home`.

    `secret` (32 bytes, private to the node) keeps others from knowing which walks would reach them.
    """

    def __init__(self, graph: TrustGraph, home: bytes, secret: bytes, walks: int = WALKS) -> None:
        self.home = home
        self.count = walks
        self._graph = graph
        self._secret = secret
        self._edges: dict[bytes, _Edges] = {}
        self._first_hop: dict[int, bytes] = {}
        self._visits: dict[bytes, dict[int, int]] = {}
        self._run()

    def reach(self, author: bytes) -> int:
        """How many walks visit `author`."""
        if author == self.home:
            return self.count
        return len(self._visits.get(author, ()))

    def reach_before(self, author: bytes, subject: bytes) -> int:
        """How many walks visit `author` without having passed `subject`.

        Who is known only through `subject` has no say about it: this is what its own ring is worth.
        """
        if author == self.home or subject == self.home:
            return self.reach(author)
        passed = self._visits.get(subject, {})
        visits = self._visits.get(author, {})
        return sum(1 for walk, step in visits.items() if step < passed.get(walk, MAX_STEPS + 1))

    def through(self, author: bytes) -> dict[bytes, int]:
        """How many of the walks that visit `author` left home by which neighbour."""
        counts: dict[bytes, int] = {}
        for walk in self._visits.get(author, ()):
            hop = self._first_hop[walk]
            counts[hop] = counts.get(hop, 0) + 1
        return counts

    def _run(self) -> None:
        allowed = self.count // FIRST_HOP_SHARE
        brought: dict[bytes, int] = {}
        if not self._edges_at(self.home):
            return
        for walk in range(self.count):
            hop = self._step(walk, 0, self.home)
            # The excess of a first hop is dropped, not shared out among the others.
            if hop is None or brought.get(hop, 0) >= allowed:
                continue
            brought[hop] = brought.get(hop, 0) + 1
            self._first_hop[walk] = hop
            self._follow(walk, hop)

    def _follow(self, walk: int, at: bytes) -> None:
        for step in range(1, MAX_STEPS):
            self._visits.setdefault(at, {}).setdefault(walk, step)
            if self._draw(b"restart", walk, step) < _RESTART_BELOW:
                return
            following = self._step(walk, step, at)
            if following is None:
                return
            at = following

    def _step(self, walk: int, step: int, at: bytes) -> bytes | None:
        """The target of the winning edge at `at`, or None where no edge leads on."""
        draw = self._draw(b"step", walk, step)
        best, chosen = inf, None
        for edge, weight, target in self._edges_at(at):
            # The finaliser of splitmix64 over two secret hashes; 53 bits of it make a number in (0, 1].
            x = draw ^ edge
            x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & _MASK
            x = ((x ^ x >> 27) * 0x94D049BB133111EB) & _MASK
            cost = -log((((x ^ x >> 31) >> 11) + 1) * 2.0**-53) / weight
            if cost < best:
                best, chosen = cost, target
        return chosen

    def _edges_at(self, at: bytes) -> _Edges:
        edges = self._edges.get(at)
        if edges is None:
            # Sorted, so that not even a tie depends on the order in which the graph was built. No walk comes
            # home again: from there it could leave by another neighbour than the one it is counted for.
            edges = [
                (self._hash(b"edge", at + target), weight, target)
                for target, weight in sorted(self._graph.edges_from(at).items())
                if target != self.home
            ]
            self._edges[at] = edges
        return edges

    def _draw(self, label: bytes, walk: int, step: int) -> int:
        return self._hash(label, walk.to_bytes(4, "big") + step.to_bytes(2, "big"))

    def _hash(self, label: bytes, data: bytes) -> int:
        digest = blake2b(data, digest_size=8, key=self._secret, person=label).digest()
        return int.from_bytes(digest, "big")
