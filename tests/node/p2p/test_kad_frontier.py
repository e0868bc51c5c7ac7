"""The shortlist alone, over invented networks: it converges, stops, and pays liars no more than their due."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libp2p.peer.id import ID

from chargemesh_node.p2p.kad_frontier import Frontier, State, distance
from chargemesh_node.p2p.kad_limits import DEFAULT_LOOKUP_LIMITS, LookupLimits
from chargemesh_node.p2p.peer_health import PeerHealth

KEY = b"\x07" * 32
Network = dict[ID, list[ID]]


def peers(rng: random.Random, count: int) -> list[ID]:
    return [ID(b"\x12\x20" + rng.randbytes(32)) for _ in range(count)]


def network(rng: random.Random, size: int, bucket: int = 8) -> Network:
    """Each node knows up to `bucket` others at every distance from itself, as Kademlia's tables do.

    They are sorted by their distance from KEY: what a node answers is the beginning of its list.
    """
    far = {peer: distance(KEY, peer) for peer in peers(rng, size)}
    everybody = sorted(far, key=far.__getitem__)
    tables: Network = {}
    for me in everybody:
        held: dict[int, int] = {}
        for other in rng.sample(everybody, size):  # in the order of meeting: a full bucket stays as it is
            place = (far[me] ^ far[other]).bit_length()
            held[place] = held.get(place, 0) + 1
            if other != me and held[place] <= bucket:
                tables.setdefault(me, []).append(other)
        tables[me].sort(key=far.__getitem__)
    return tables


def frontier(width: int = 20, credit: int = 6) -> Frontier:
    return Frontier(KEY, width=width, credit=credit, max_candidates=256, max_addresses=8)


def look_up(
    start: ID, search: Frontier, reply: Callable[[ID], list[ID] | None], alpha: int = 10
) -> tuple[list[ID], list[ID]]:
    """(answered, nearest first; asked, in order). Replies come in the order of asking, `alpha` at a time."""
    search.add_known(start)
    asked: list[ID] = []
    flying: list[ID] = []
    while not search.finished:
        while len(flying) < alpha and (candidate := search.next()) is not None:
            flying.append(candidate.peer)
            asked.append(candidate.peer)
        if not flying:
            break
        peer = flying.pop(0)
        told = reply(peer)
        if told is None:
            search.failed(peer)
            continue
        search.answered(peer)
        for other in told[:20]:
            search.add_told(peer, other, [])
    return [candidate.peer for candidate in search.nearest(20)], asked


def nearest(of: list[ID], key: bytes = KEY) -> list[ID]:
    return sorted(of, key=lambda peer: distance(key, peer))


@pytest.mark.timeout(900)  # with the many examples of `make test-long`
@given(st.integers(0, 2**32))
def test_from_any_node_of_a_large_network_the_nearest_are_found(seed: int) -> None:
    rng = random.Random(seed)
    tables = network(rng, 100)
    found, asked = look_up(rng.choice(list(tables)), frontier(), lambda peer: tables[peer])
    assert found[:8] == nearest(list(tables))[:8]
    assert len(asked) == len(set(asked)) < 50


@pytest.mark.timeout(900)  # with the many examples of `make test-long`
@given(st.integers(0, 2**32))
def test_a_quarter_that_never_answers_changes_nothing(seed: int) -> None:
    rng = random.Random(seed)
    tables = network(rng, 80, bucket=16)  # with 8, one network in 1500 lets dead nodes cut a living one off
    dead = set(rng.sample(list(tables), 20))
    living = [peer for peer in tables if peer not in dead]
    found, _ = look_up(
        rng.choice(living),
        frontier(),
        lambda peer: None if peer in dead else tables[peer],
    )
    assert found[:8] == nearest(living)[:8]


@pytest.mark.timeout(900)  # with the many examples of `make test-long`
@given(st.integers(0, 2**32))
def test_liars_cost_at_most_their_credit_and_hide_nobody(seed: int) -> None:
    """A tenth of the network names only inventions, ground to lie nearer to the key than anybody."""
    rng = random.Random(seed)
    tables = network(rng, 80)
    liars = set(rng.sample(list(tables), 8))
    honest = [peer for peer in tables if peer not in liars]
    inventions = {liar: nearest(peers(rng, 200))[:20] for liar in liars}

    def reply(peer: ID) -> list[ID] | None:
        if peer in liars:
            return inventions[peer]
        return tables.get(peer)

    found, asked = look_up(rng.choice(honest), frontier(), reply)
    assert [peer for peer in found if peer in honest][:4] == nearest(honest)[:4]
    liars_asked = sum(1 for peer in asked if peer in liars)
    assert sum(1 for peer in asked if peer not in tables) <= 6 * liars_asked


def test_an_honest_peers_word_gives_its_credit_back() -> None:
    search = frontier(credit=2)
    [teller, *others] = peers(random.Random(1), 9)
    search.add_known(teller)
    assert search.next() is not None
    search.answered(teller)
    for other in others:
        search.add_told(teller, other, [])
    first, second = search.next(), search.next()
    assert first and second and search.next() is None
    search.answered(first.peer)
    assert search.next() is not None
    search.failed(second.peer)
    assert search.next() is None


def test_a_second_teller_brings_its_own_credit() -> None:
    search = frontier(credit=1)
    one, two, *others = peers(random.Random(2), 5)
    for teller in (one, two):
        search.add_known(teller, answered=True)
    for other in others:
        search.add_told(one, other, [])
    assert search.next() is not None
    assert search.next() is None
    for other in others:
        search.add_told(two, other, [])
    assert search.next() is not None
    assert search.next() is None


def test_candidates_are_bounded_and_the_farthest_go_first() -> None:
    search = Frontier(KEY, width=5, credit=100, max_candidates=10, max_addresses=1)
    crowd = peers(random.Random(3), 50)
    for peer in crowd:
        search.add_told(crowd[0], peer, [])
    kept = []
    while (candidate := search.next()) is not None:
        search.answered(candidate.peer)
        kept.append(candidate)
    assert [candidate.peer for candidate in kept] == nearest(crowd)[:5]
    assert all(candidate.state is State.ANSWERED for candidate in kept)


def test_two_failures_leave_a_peer_out_until_it_lives() -> None:
    health = PeerHealth(LookupLimits())
    [peer] = peers(random.Random(4), 1)
    assert not health.failed(peer, 0.0)
    assert not health.failed(peer, 0.1)  # the same moment, seen by another look-up
    assert not health.left_out(peer)
    assert health.failed(peer, 1.0)
    assert health.left_out(peer)
    health.alive(peer)
    assert not health.left_out(peer)


def test_probes_come_later_and_later_and_end() -> None:
    limits = LookupLimits()
    health = PeerHealth(limits)
    [peer] = peers(random.Random(5), 1)
    health.failed(peer, 0.0)
    health.failed(peer, 1.0)
    probes = [second for second in range(4000) if health.due(float(second), at_most=2)]
    assert probes[:4] == [5, 15, 35, 75]
    assert len(probes) == 7
    assert not health.left_out(peer)


def test_remembered_failures_are_bounded() -> None:
    limits = LookupLimits(max_remembered=10)
    health = PeerHealth(limits)
    crowd = peers(random.Random(6), 30)
    for peer in crowd:
        health.failed(peer, 0.0)
        health.failed(peer, 1.0)
    assert [peer for peer in crowd if health.left_out(peer)] == crowd[-10:]


def test_a_look_up_goes_half_as_wide_again_as_what_is_wanted_and_never_wider_than_a_bucket() -> None:
    assert [DEFAULT_LOOKUP_LIMITS.width_for(count) for count in (1, 3, 8, 20, 30)] == [1, 4, 12, 20, 30]


@pytest.mark.parametrize("dead_share", [0, 4])
def test_a_look_up_for_few_asks_few_and_finds_none_but_the_nearest(dead_share: int) -> None:
    for seed in range(20):
        rng = random.Random(seed)
        tables = network(rng, 80, bucket=16)
        dead = set(rng.sample(list(tables), 80 // dead_share)) if dead_share else set()
        living = [peer for peer in tables if peer not in dead]
        for count, at_most in ((8, 30), (3, 16)):
            found, asked = look_up(
                rng.choice(living),
                frontier(DEFAULT_LOOKUP_LIMITS.width_for(count)),
                lambda peer: None if peer in dead else tables[peer],  # noqa: B023  # called in this round
            )
            assert found[:count] == nearest(living)[:count]
            assert len(asked) <= at_most
