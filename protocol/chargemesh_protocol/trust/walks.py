"""Random walks over the graph of trust, the same every time for one secret.

A walk leaves home by one of home's own edges (its trust seeds: own completed counterparties and vouches) and
goes on until it restarts. What counts is whether a walk reaches somebody at all (*first visit only*): going
round in a ring of one's own keys earns nothing. specs/06, "What is made of it".

Step i of walk w at v takes the edge that minimises `-ln H(secret, w, i, edge) / weight`, where the edge is
the ordered pair (v, target). So each choice depends only on the edges at v: a new edge elsewhere changes no
walk that does not pass there, and an incremental update can equal a full run.
"""

from dataclasses import dataclass
from hashlib import blake2b
from math import log
from struct import Struct
from typing import TypeAlias

from .graph import TrustGraph

WALKS = 5_000  # a fifth of them makes one full voice; a share of 1 % is known to within a seventh of itself
RESTART_PER_MILLE = 300  # the reach of a ring behind one edge is at most 1/0.3 times that edge's own
MAX_STEPS = 48  # 0.7^48 is below one walk in ten million
FIRST_HOP_SHARE = 5  # one first-hop neighbour brings at most a fifth of all walks

_PRIME = (1 << 61) - 1
_LOG_PRIME = log(_PRIME)
_RESTART_BELOW = (RESTART_PER_MILLE << 64) // 1000

_STEPS_A_BLOCK = 4  # as many as 64 bytes of hash have draws for
_UNPACK = Struct(">8Q").unpack

_Draws: TypeAlias = "tuple[int, ...]"


@dataclass(frozen=True, slots=True)
class _Edges:
    """The ways on from one place; `equal` weights need no logarithms to find the winner."""

    targets: list[bytes]
    hashes: list[int]
    weights: list[int]
    equal: bool


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
            draws = self._draws(walk, 0)
            hop = self._follow_edge(draws[0], self.home)
            # The excess of a first hop is dropped, not shared out among the others.
            if hop is None or brought.get(hop, 0) >= allowed:
                continue
            brought[hop] = brought.get(hop, 0) + 1
            self._first_hop[walk] = hop
            self._walk_on(walk, hop, draws)

    def _walk_on(self, walk: int, at: bytes, draws: _Draws) -> None:
        for step in range(1, MAX_STEPS):
            self._visits.setdefault(at, {}).setdefault(walk, step)
            block, place = divmod(step, _STEPS_A_BLOCK)
            if place == 0:
                draws = self._draws(walk, block)
            if draws[2 * place + 1] < _RESTART_BELOW:
                return
            following = self._follow_edge(draws[2 * place], at)
            if following is None:
                return
            at = following

    def _follow_edge(self, draw: int, at: bytes) -> bytes | None:
        """The target of the winning edge at `at`, or None where no edge leads on."""
        edges = self._edges_at(at)
        if not edges.targets:
            return None
        # H is the product of two secret hashes modulo a prime: never 0, and as uniform as the hashes are.
        factor = draw % (_PRIME - 1) + 1
        drawn = [factor * edge % _PRIME for edge in edges.hashes]
        if edges.equal:
            return edges.targets[drawn.index(max(drawn))]
        # The smallest -ln H / weight, as the largest ln H / weight.
        raced = [(log(one) - _LOG_PRIME) / weight for one, weight in zip(drawn, edges.weights, strict=True)]
        return edges.targets[raced.index(max(raced))]

    def _edges_at(self, at: bytes) -> _Edges:
        edges = self._edges.get(at)
        if edges is None:
            # Sorted, so that not even a tie depends on the order in which the graph was built. No walk comes
            # home again: from there it could leave by another neighbour than the one it is counted for.
            onward = [
                (target, weight)
                for target, weight in sorted(self._graph.edges_from(at).items())
                if target != self.home
            ]
            weights = [weight for _, weight in onward]
            edges = _Edges(
                targets=[target for target, _ in onward],
                hashes=[self._edge_hash(at, target) for target, _ in onward],
                weights=weights,
                equal=len(set(weights)) <= 1,
            )
            self._edges[at] = edges
        return edges

    def _edge_hash(self, at: bytes, target: bytes) -> int:
        digest = blake2b(at + target, digest_size=8, key=self._secret, person=b"edge").digest()
        return int.from_bytes(digest, "big") % (_PRIME - 1) + 1

    def _draws(self, walk: int, block: int) -> _Draws:
        """For each step of a block two numbers below 2^64: one chooses the edge, one decides to restart."""
        place = walk.to_bytes(4, "big") + block.to_bytes(4, "big")
        return _UNPACK(blake2b(place, digest_size=64, key=self._secret, person=b"step").digest())
