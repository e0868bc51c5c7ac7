"""Random walks: the same each time, capped at the first hop, and worth nothing to a ring."""

from __future__ import annotations

from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.trust.graph import Completed, TrustGraph, Vouched
from chargemesh_protocol.trust.walks import FIRST_HOP_SHARE, RESTART_PER_MILLE, Walks

SECRET = b"a node's own secret, 32 bytes...."[:32]
COUNT = 2000


def who(name: object) -> bytes:
    return sha256(str(name).encode()).digest()


def done(one: object, other: object, times: int = 1) -> list[Completed]:
    return [Completed(who(one), who(other), who((one, other, n)), 680) for n in range(times)]


def town(seed: int, size: int = 30, bookings: int = 60) -> list[Completed]:
    """Neighbours 0..size-1 who completed bookings with each other at random."""
    draw = Random(seed)
    return [Completed(*map(who, draw.sample(range(size), 2)), who(("town", n)), 680) for n in range(bookings)]


def ring(size: int) -> list[Completed]:
    """Fresh keys that all completed bookings with each other."""
    return [pair for a in range(size) for b in range(a) for pair in done(("fake", a), ("fake", b), 2)]


def reaches(walks: Walks, people: list[bytes]) -> list[int]:
    return [walks.reach(person) for person in people]


@given(seed=st.integers(0, 2**32))
def test_the_order_of_the_evidence_changes_nothing(seed: int) -> None:
    pairs = town(seed)
    shuffled = list(pairs)
    Random(seed + 1).shuffle(shuffled)
    swapped = [Completed(c.other, c.one, c.booking, c.month) for c in shuffled]
    everybody = [who(n) for n in range(30)]
    one = Walks(TrustGraph(pairs), who(0), SECRET, 200)
    other = Walks(TrustGraph([*swapped, *pairs]), who(0), SECRET, 200)
    assert reaches(one, everybody) == reaches(other, everybody)


def test_another_secret_walks_otherwise() -> None:
    graph = TrustGraph(town(1))
    everybody = [who(n) for n in range(30)]
    assert reaches(Walks(graph, who(0), SECRET, COUNT), everybody) != reaches(
        Walks(graph, who(0), bytes(32), COUNT), everybody
    )


def test_an_unconnected_ring_changes_no_walk_and_is_reached_by_none() -> None:
    everybody = [who(n) for n in range(30)]
    without = Walks(TrustGraph(town(2)), who(0), SECRET, COUNT)
    vouches = [Vouched(who(("fake", n)), who(n), 680) for n in range(20)]
    within = Walks(TrustGraph([*town(2), *ring(12)], vouches), who(0), SECRET, COUNT)
    assert reaches(without, everybody) == reaches(within, everybody)
    assert all(within.reach(who(("fake", n))) == 0 for n in range(12))


def test_a_ring_behind_somebody_gains_them_nothing_and_is_bounded() -> None:
    pairs = [*done("home", "neighbour"), *done("neighbour", "host"), *done("neighbour", "another")]
    without = Walks(TrustGraph(pairs), who("home"), SECRET, COUNT)
    fakes = [pair for n in range(12) for pair in done("host", ("fake", n), 5)]
    within = Walks(TrustGraph([*pairs, *fakes, *ring(12)]), who("home"), SECRET, COUNT)
    assert within.reach(who("host")) == without.reach(who("host")) > 0
    mass = sum(within.reach(who(("fake", n))) for n in range(12))
    assert mass <= within.reach(who("host")) * 1000 / RESTART_PER_MILLE
    assert all(within.reach_before(who(("fake", n)), who("host")) == 0 for n in range(12))


def test_one_first_hop_brings_at_most_a_fifth() -> None:
    walks = Walks(TrustGraph(done("home", "only", 50)), who("home"), SECRET, COUNT)
    assert walks.reach(who("only")) == COUNT // FIRST_HOP_SHARE
    assert walks.through(who("only")) == {who("only"): COUNT // FIRST_HOP_SHARE}
    loud = [*done("home", "loud", 1000), *(p for n in range(4) for p in done("home", n))]
    walks = Walks(TrustGraph(loud), who("home"), SECRET, COUNT)
    assert walks.reach(who("loud")) == COUNT // FIRST_HOP_SHARE
    # What the loud one lost was dropped: the others did not get it.
    assert sum(walks.reach(who(n)) for n in range(4)) < COUNT // 50


def test_edges_are_taken_by_their_weight() -> None:
    pairs = [*done("home", "hub"), *done("hub", "often", 9), *done("hub", "once", 3)]
    walks = Walks(TrustGraph(pairs), who("home"), SECRET, 20_000)
    assert 2.0 < walks.reach(who("often")) / walks.reach(who("once")) < 3.6


def test_a_vouch_is_walked_one_way_only() -> None:
    graph = TrustGraph(
        [], [Vouched(who("home"), who("friend"), 1), Vouched(who("flatterer"), who("home"), 1)]
    )
    walks = Walks(graph, who("home"), SECRET, 100)
    assert walks.reach(who("friend")) == 20
    assert walks.reach(who("flatterer")) == 0
    assert walks.reach(who("home")) == 100


def test_whoever_knows_nobody_reaches_nobody() -> None:
    walks = Walks(TrustGraph(town(3)), who("newcomer"), SECRET, 100)
    assert not any(walks.reach(who(n)) for n in range(30))


def test_a_new_edge_changes_only_the_walks_that_pass_it() -> None:
    pairs = [*done("home", "a"), *done("home", "b"), *done("a", "x"), *done("b", "y")]
    before = Walks(TrustGraph(pairs), who("home"), SECRET, COUNT)
    after = Walks(TrustGraph([*pairs, *done("y", "z", 3)]), who("home"), SECRET, COUNT)
    for name in ("a", "b", "x", "y"):
        assert after.reach(who(name)) == before.reach(who(name))
    assert after.reach(who("z")) > 0
