"""Acceptance is a function of the set: whatever the order of arrival, and whoever forks."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_LOG_GAP
from chargemesh_protocol.trust.entries import Vouch
from chargemesh_protocol.trust.graph import Evidence
from chargemesh_protocol.trust.log import Standing
from chargemesh_protocol.trust.logset import LogSet
from chargemesh_protocol.trust.sync import Item

from .people import NETWORK, Person, directory_of, hashed

alice, bob, carol = Person("alice"), Person("bob"), Person("carol")
EVERYBODY = directory_of(alice, bob, carol)


def logset(items: Any = ()) -> LogSet:
    logs = LogSet(NETWORK, EVERYBODY)
    for item in items:
        logs.offer(item.raw, item.content)
    return logs


def seen(logs: LogSet) -> tuple[Any, ...]:
    """Everything that a node concludes."""
    people = (alice, bob, carol)
    held = [log for person in people if (log := logs.log(person.key)) is not None]
    return (
        [(log.key, [entry.id for entry in log.accepted], log.fork, log.waiting) for log in held],
        logs.evidence(),
        [[entry.id for entry in logs.entries_about(person.author)] for person in people],
    )


def story() -> list[Item]:
    """Two logs that complete a pair, review it, and vouch."""
    host, driver = Person("alice"), Person("bob")
    return [
        host.completes(driver, "monday"),
        host.reviews(driver, "monday", 5),
        driver.completes(host, "monday"),
        driver.reviews(host, "monday", 4),
        driver.vouches(host),
    ]


def forked() -> list[Item]:
    """Entries 1 to 4 of one key, with two entries 3, of which each has a successor."""
    forger = Person("alice")
    items = [forger.vouches(bob), forger.completes(bob, "monday"), forger.vouches(carol)]
    items.append(forger.vouches(carol, stands=False))
    items.append(forger.signs(Vouch, 3, subject=carol.author, stands=False))
    items.append(forger.vouches(bob, stands=False))
    return items


@pytest.mark.parametrize("items", [story(), forked()[:5]], ids=["honest", "forked"])
def test_every_order_of_arrival_ends_the_same(items: list[Item]) -> None:
    expected = seen(logset(items))
    for order in permutations(items):
        assert seen(logset(order)) == expected


@given(seed=st.integers(0, 2**32), copies=st.integers(1, 3))
def test_duplicates_change_nothing(seed: int, copies: int) -> None:
    items = [*story(), *forked()] * copies
    expected = seen(logset(items))
    Random(seed).shuffle(items)
    assert seen(logset(items)) == expected


def test_a_pair_is_one_completion_whichever_halves_arrive() -> None:
    first, _, other, *_ = story()
    both, left, right = (logset(items).evidence() for items in ([first, other], [first], [other]))
    assert both.completed == left.completed == right.completed
    (completed,) = both.completed
    assert {completed.one, completed.other} == {alice.author, bob.author}
    assert completed.booking == hashed("monday")


def test_a_fork_excludes_from_there_on_and_the_others_half_stands() -> None:
    forger, honest = Person("alice"), Person("bob")
    logs = logset(
        [forger.vouches(carol), forger.completes(honest, "monday"), forger.reviews(honest, "monday", 1)]
    )
    logs.offer(honest.completes(forger, "monday").raw)
    assert len(logs.evidence().reviewed) == 1
    rival = forger.signs(Vouch, 2, subject=carol.author, stands=False)
    offered = logs.offer(rival.raw)
    assert (offered.standing, offered.fresh) == (Standing.FORK, True)
    log = logs.log(forger.key)
    assert log is not None
    assert [entry.sequence for entry in log.accepted] == [1]
    assert {entry.sequence for proof in logs.forks() for entry in proof} == {2}
    evidence = logs.evidence()
    assert len(evidence.completed) == 1  # the honest half still proves the pair
    assert not evidence.reviewed
    assert logs.offer(forger.vouches(bob).raw).standing is Standing.EXCLUDED


def test_the_lowest_fork_counts_even_if_it_is_found_last() -> None:
    forger = Person("alice")
    old = [forger.vouches(person) for person in (bob, carol, bob, carol)]
    new = [forger.signs(Vouch, 2, subject=bob.author, stands=False)]
    new += [forger.vouches(person, stands=False) for person in (bob, carol)]
    logs = logset([*old, new[2]])
    assert [proof[0].sequence for proof in logs.forks()] == [4]
    logs.offer(new[0].raw)
    assert [proof[0].sequence for proof in logs.forks()] == [2]
    assert seen(logs) == seen(logset([*reversed(old), *new]))


def test_a_third_entry_for_a_forked_place_proves_nothing_new() -> None:
    people = [Person(f"friend {n}") for n in range(4)]
    logs = LogSet(NETWORK, directory_of(alice, *people))
    rivals = [Person("alice").vouches(friend) for friend in people]
    standings = [logs.offer(item.raw).standing for item in rivals]
    assert standings[:2] == [Standing.ACCEPTED, Standing.FORK]
    ids = sorted(logs.offer(item.raw).entry.id for item in rivals)
    (proof,) = logs.forks()
    assert [entry.id for entry in proof] == ids[:2]


def test_gaps_wait_within_bounds() -> None:
    writer = Person("alice")
    items = [writer.vouches(bob if n % 2 else carol) for n in range(MAX_LOG_GAP + 1)]
    logs = LogSet(NETWORK, EVERYBODY)
    assert logs.offer(items[-1].raw).standing is Standing.TOO_FAR
    assert logs.log(writer.key) is None
    assert logs.offer(items[-2].raw).standing is Standing.WAITING
    for item in items[1:-2]:
        assert logs.offer(item.raw).standing is Standing.WAITING
    assert logs.offer(items[0].raw).standing is Standing.ACCEPTED
    log = logs.log(writer.key)
    assert log is not None
    assert (log.next, log.waiting) == (MAX_LOG_GAP + 1, 0)


def test_an_entry_whose_links_lie_is_never_accepted() -> None:
    honest, liar = Person("alice"), Person("alice")
    first = honest.vouches(bob)
    liar.vouches(carol)
    dangling = liar.vouches(bob)  # continues another first entry than the one we have
    for order in ([first, dangling], [dangling, first]):
        logs = logset(order)
        log = logs.log(alice.key)
        assert log is not None
        assert (log.next, log.waiting, log.fork) == (2, 1, None)


def test_a_lying_skip_link_stops_the_log() -> None:
    liar = Person("alice")
    for n in range(5):
        liar.vouches(bob if n % 2 else carol)
    liar.ids[3], true = bytes(32), liar.ids[3]
    bent = liar.vouches(bob)
    liar.ids[3] = true
    log = logset([*liar.log[:5], bent]).log(alice.key)
    assert log is not None
    assert log.next == 6


def test_the_last_vouch_counts() -> None:
    writer = Person("alice")
    given_, taken = writer.vouches(bob), writer.vouches(bob, stands=False)
    assert len(logset([given_]).evidence().vouched) == 1
    assert logset([taken, given_]).evidence().vouched == frozenset()
    assert len(logset([given_, taken, writer.vouches(bob)]).evidence().vouched) == 1


def test_content_must_match_its_hash_and_can_be_erased() -> None:
    _, review, *_ = story()
    logs = logset(story()[:1])
    with pytest.raises(Refused, match="committed to"):
        logs.offer(review.raw, (review.content or b"") + b"!")
    with pytest.raises(Refused, match="committed to"):
        logs.offer(story()[0].raw, review.content)
    entry = logs.offer(review.raw).entry
    assert [one.stars for one in logs.evidence().reviewed] == [None]
    later = logs.offer(review.raw, review.content)
    assert (later.standing, later.fresh) == (Standing.KNOWN, True)
    assert logs.offer(review.raw, review.content).fresh is False
    assert [one.stars for one in logs.evidence().reviewed] == [5]
    logs.drop_content(entry.id)
    assert [one.stars for one in logs.evidence().reviewed] == [None]
    assert logs.content(entry.id) is None


def test_an_unknown_authors_entry_is_refused_and_taken_once_they_are_known() -> None:
    stranger = Person("stranger")
    item = stranger.vouches(bob)
    logs = LogSet(NETWORK, directory_of(bob))
    with pytest.raises(Refused, match="unknown-author"):
        logs.offer(item.raw)
    assert logs.evidence() == Evidence()
    logs.directory.learn(stranger.bundle.to_bytes())
    assert logs.offer(item.raw).standing is Standing.ACCEPTED
