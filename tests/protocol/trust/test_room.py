"""A flood of fresh keys shuts nobody out: whom our trust reaches stays, other blocks get their share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.limits import MAX_LOG_GAP
from chargemesh_protocol.record import open_record
from chargemesh_protocol.trust.catch_up import take
from chargemesh_protocol.trust.entries import Vouch
from chargemesh_protocol.trust.log import Judged, Standing
from chargemesh_protocol.trust.logset import LogSet, Offered
from chargemesh_protocol.trust.reach import Reach

from .people import NETWORK, Person

PLACES = 12


class Kept:
    """The logs of one node, `we`, that keeps PLACES of them."""

    def __init__(self, *, max_logs: int = PLACES, max_entries: int = 1000) -> None:
        self.we = Person("we")
        self.directory = Directory(NETWORK)
        self.logs = LogSet(
            NETWORK,
            self.directory,
            seeds=[self.we.author],
            max_logs=max_logs,
            max_entries=max_entries,
        )

    def hears(self, item: Any, block: str, *people: Person) -> Offered:
        for person in people:
            self.directory.learn(person.bundle.to_bytes())
        return self.logs.offer(item.raw, item.content, block)

    def floods(self, block: str, count: int, *, each: int = 1) -> None:
        """That many fresh keys, as far as they are let in."""
        friend = Person("friend")
        for number in range(count):
            sybil = Person(f"{block} {number}")
            for _ in range(each):
                try:
                    self.hears(sybil.vouches(friend), block, sybil)
                except Refused as fault:
                    assert fault.code == "logs-full"

    def keeps(self, person: Person) -> bool:
        return self.logs.log(person.key) is not None


def test_a_flood_from_two_blocks_shuts_out_neither_friends_nor_a_third_block() -> None:
    node, friend, other, stranger = Kept(), Person("friend"), Person("other"), Person("stranger")
    node.hears(node.we.completes(friend, "monday"), "", node.we, friend)
    node.floods("1.1.1.0/24", 20)
    node.floods("2.2.2.0/24", 20)
    assert node.hears(friend.completes(other, "tuesday"), "1.1.1.0/24", other).fresh
    assert node.hears(other.vouches(friend), "1.1.1.0/24").fresh  # whom a friend completed with
    assert node.hears(stranger.vouches(friend), "3.3.3.0/24", stranger).fresh
    node.floods("1.1.1.0/24", 40)
    node.floods("2.2.2.0/24", 40)
    assert all(node.keeps(one) for one in (node.we, friend, other, stranger))
    assert len(node.logs.between(bytes(32), b"\xff" * 32)) == PLACES


def test_what_a_block_loses_is_what_it_brought_last() -> None:
    node, early, late = Kept(max_logs=3), Person("early"), Person("late")
    friend = Person("friend")
    node.hears(early.vouches(friend), "1.1.1.0/24", early)
    node.floods("1.1.1.0/24", 10)
    with pytest.raises(Refused, match="no room"):
        node.hears(late.vouches(friend), "1.1.1.0/24", late)
    displaced = node.hears(late.vouches(friend), "2.2.2.0/24")
    # Its first entry was refused above and this is the second, which waits: it has its place all the same.
    assert displaced.standing is Standing.WAITING and len(displaced.displaced) == 1
    assert node.keeps(early) and node.keeps(late)


def test_two_blocks_do_not_displace_each_other_for_ever() -> None:
    node = Kept(max_logs=5)
    node.floods("1.1.1.0/24", 9)
    node.floods("2.2.2.0/24", 9)
    before = [log.key for log in node.logs.between(bytes(32), b"\xff" * 32)]
    node.floods("1.1.1.0/24", 9)
    node.floods("2.2.2.0/24", 9)
    assert [log.key for log in node.logs.between(bytes(32), b"\xff" * 32)] == before


def test_long_logs_of_strangers_give_way_like_many() -> None:
    node, friend, stranger = Kept(max_entries=20), Person("friend"), Person("stranger")
    node.hears(node.we.vouches(friend), "", node.we, friend)
    node.floods("1.1.1.0/24", 5, each=12)
    assert node.hears(friend.vouches(stranger), "1.1.1.0/24").fresh
    assert node.hears(Person("newcomer").vouches(friend), "3.3.3.0/24", Person("newcomer")).fresh
    kept = sum(log.kept for log in node.logs.between(bytes(32), b"\xff" * 32))
    assert kept <= 20 and node.keeps(node.we) and node.keeps(friend)


def test_a_log_keeps_its_place_while_our_trust_reaches_it() -> None:
    node, friend, far = Kept(max_logs=6), Person("friend"), Person("far")
    node.hears(far.vouches(friend), "2.2.2.0/24", far)
    node.hears(node.we.vouches(friend), "", node.we, friend)
    node.hears(friend.vouches(far), "1.1.1.0/24")
    node.floods("2.2.2.0/24", 9)
    node.floods("1.1.1.0/24", 9)
    assert node.keeps(far), "it came first of the second block, and a friend vouches"
    rival = friend.signs(Vouch, 1, subject=node.we.author, stands=False)
    assert node.hears(rival, "1.1.1.0/24").standing is Standing.FORK
    for number in range(3, 9):
        node.floods(f"{number}.0.0.0/24", 1)
    assert node.keeps(friend), "we vouch for the friend, fork or not"
    assert len(node.logs.between(bytes(32), b"\xff" * 32)) == 6


def test_where_no_more_strangers_may_begin_a_log_friends_of_friends_still_may() -> None:
    node, friend, known = Kept(), Person("friend"), Person("known")
    other, stranger = Person("other"), Person("stranger")
    node.hears(node.we.completes(friend, "monday"), "", node.we, friend)
    assert node.hears(known.vouches(friend), "1.1.1.0/24", known).strange
    for person in (other, stranger):
        node.directory.learn(person.bundle.to_bytes())
    offers = [stranger.vouches(friend), known.vouches(friend), other.completes(friend, "tuesday")]
    taken = take(node.logs, (), offers, "1.1.1.0/24", strangers=0)
    assert [fault.code for fault, _ in taken.refused] == ["new-logs"]
    assert taken.fresh == offers[1:] and taken.strange == 0 and not node.keeps(stranger)


def test_an_entry_that_would_not_be_kept_displaces_nobody() -> None:
    node, far = Kept(max_logs=3), Person("far")
    node.floods("1.1.1.0/24", 3)
    for _ in range(MAX_LOG_GAP):
        far.vouches(Person("friend"))
    assert node.hears(far.vouches(Person("friend")), "2.2.2.0/24", far).standing is Standing.TOO_FAR
    assert len(node.logs.between(bytes(32), b"\xff" * 32)) == 3


def test_a_log_that_a_fork_takes_back_costs_one_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    node, liar = Kept(), Person("liar")
    node.hears(node.we.vouches(liar), "", node.we, liar)
    for number in range(20):
        node.hears(liar.vouches(Person(f"sybil {number}")), "1.1.1.0/24")
    removals: list[int] = []
    remove = Reach.remove

    def counted(reach: Reach, entries: Iterable[Judged]) -> set[bytes]:
        lost = list(entries)
        removals.append(len(lost))
        return remove(reach, lost)

    monkeypatch.setattr(Reach, "remove", counted)
    rival = liar.signs(Vouch, 1, subject=node.we.author, stands=False)
    assert node.hears(rival, "1.1.1.0/24").standing is Standing.FORK
    assert removals == [20]


class Befriended(Kept):
    """A node with two friends, one of whom, `liar`, vouches for ever new keys of their own."""

    def __init__(self, *, max_logs: int = PLACES, max_entries: int = 1000) -> None:
        super().__init__(max_logs=max_logs, max_entries=max_entries)
        self.liar, self.friend = Person("liar"), Person("friend")
        for person in (self.liar, self.friend):
            self.hears(self.we.vouches(person), "", self.we, person)

    def is_flooded(self, count: int, *, each: int = 1, tag: str = "") -> None:
        for number in range(count):
            sybil = Person(f"sybil {tag}{number}")
            self.directory.learn(sybil.bundle.to_bytes())
            for item in [self.liar.vouches(sybil), *(sybil.vouches(self.liar) for _ in range(each))]:
                try:
                    self.hears(item, "1.1.1.0/24")
                except Refused as fault:
                    assert fault.code == "logs-full"

    def count(self) -> int:
        return len(self.logs.between(bytes(32), b"\xff" * 32))


def test_keys_that_one_friend_vouches_for_leave_another_friend_their_share() -> None:
    node = Befriended()
    node.is_flooded(20)
    newcomers = [Person(f"newcomer {number}") for number in range(9)]
    refused = 0
    for newcomer in newcomers:
        node.hears(node.friend.vouches(newcomer), "1.1.1.0/24", newcomer)
        try:
            node.hears(newcomer.vouches(node.friend), "1.1.1.0/24")
        except Refused:
            refused += 1
    kept = [node.keeps(one) for one in newcomers]
    assert kept == [True] * 4 + [False] * 5 and refused == 5, (
        "five of eleven are the friend's, one of them own"
    )
    node.is_flooded(20, tag="more ")
    assert kept == [node.keeps(one) for one in newcomers] and node.count() == PLACES
    assert all(node.keeps(one) for one in (node.we, node.liar, node.friend))


def test_whom_we_know_ourselves_has_a_place_whoever_else_vouches_for_them() -> None:
    node, guest = Befriended(), Person("guest")
    node.hears(node.liar.vouches(guest), "1.1.1.0/24", guest)
    node.is_flooded(20)
    with pytest.raises(Refused, match="no room"):
        node.hears(guest.vouches(node.friend), "1.1.1.0/24")
    node.hears(node.we.vouches(guest), "")
    assert node.hears(guest.vouches(node.liar), "1.1.1.0/24").fresh


def test_who_vouches_first_for_a_newcomer_can_not_shut_them_out() -> None:
    node, newcomer = Befriended(), Person("newcomer")
    node.hears(node.liar.vouches(newcomer), "1.1.1.0/24", newcomer)
    node.hears(node.friend.vouches(newcomer), "1.1.1.0/24")
    node.is_flooded(20)
    assert node.hears(newcomer.vouches(node.friend), "1.1.1.0/24").fresh
    node.is_flooded(20, tag="more ")
    assert node.keeps(newcomer)


def test_long_logs_of_whom_one_friend_vouches_for_give_way_like_many() -> None:
    node, newcomer = Befriended(max_entries=30), Person("newcomer")
    node.is_flooded(4, each=12)
    node.hears(node.friend.vouches(newcomer), "2.2.2.0/24", newcomer)
    assert node.hears(newcomer.vouches(node.friend), "2.2.2.0/24").fresh
    assert node.keeps(node.friend) and node.keeps(node.liar)


def test_a_third_entry_in_the_place_of_a_fork_displaces_nobody() -> None:
    node, friend = Kept(max_entries=6), Person("friend")
    node.hears(node.we.vouches(friend), "", node.we, friend)
    rivals = [friend.signs(Vouch, 1, subject=Person(name).author, stands=True) for name in "abc"]
    low, middle, high = sorted(rivals, key=lambda one: open_record(one.raw, NETWORK).id)
    node.hears(low, "2.2.2.0/24")
    assert node.hears(high, "2.2.2.0/24").standing is Standing.FORK
    assert node.hears(middle, "2.2.2.0/24").standing is Standing.FORK, "the two lowest ids are the proof"
    node.floods("1.1.1.0/24", 3)
    before = len(node.logs.between(bytes(32), b"\xff" * 32))
    third = node.hears(high, "2.2.2.0/24")
    assert third.standing is Standing.EXCLUDED and not third.displaced
    assert len(node.logs.between(bytes(32), b"\xff" * 32)) == before


def test_what_came_and_went_in_one_message_is_not_fresh() -> None:
    node, friend = Kept(max_logs=2), Person("friend")
    node.hears(node.we.vouches(friend), "", node.we, friend)
    sybil = Person("sybil")
    node.directory.learn(sybil.bundle.to_bytes())
    brief, lasting = sybil.vouches(friend), friend.vouches(node.we)
    taken = take(node.logs, (), [brief, lasting], "1.1.1.0/24")
    assert taken.fresh == [lasting] and taken.displaced == [brief]
