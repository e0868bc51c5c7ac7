"""Catch-up between two nodes: quiet only when both have everything, bounded whatever the peer does."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.limits import MAX_CATCH_UP_ITEMS, MAX_MESSAGE_BYTES
from chargemesh_protocol.trust import catch_up, sync
from chargemesh_protocol.trust.catch_up import Session, answer, take
from chargemesh_protocol.trust.entries import Vouch
from chargemesh_protocol.trust.logset import LogSet
from chargemesh_protocol.trust.sync import FIRST_KEY, LAST_KEY, CatchUp, Item, open_catch_up, open_item

from .people import NETWORK, Person, directory_of

EMPTY = CatchUp(first=FIRST_KEY, last=LAST_KEY, cursors=(), items=(), wanted=(), bundles=())


def node(*people: Person, items: list[Item] | None = None) -> LogSet:
    """A node that knows those people and holds those entries (by default all of theirs)."""
    logs = LogSet(NETWORK, directory_of(*people))
    taken = take(logs, [], items if items is not None else [item for one in people for item in one.log])
    assert not taken.refused and not taken.aside
    return logs


def meet(asker: LogSet, other: LogSet) -> tuple[Session, int]:
    """A whole session over the encoded messages; returns it and the number of rounds."""
    session, rounds = Session(asker), 0
    while (question := session.question()) is not None:
        sent = question.to_bytes()
        reply, _ = answer(other, open_catch_up(sent))
        received = reply.to_bytes()
        assert len(sent) <= MAX_MESSAGE_BYTES and len(received) <= MAX_MESSAGE_BYTES
        session.receive(open_catch_up(received))
        rounds += 1
    return session, rounds


def held(logs: LogSet) -> tuple[object, ...]:
    """What two nodes must agree on: accepted entries, contents, and from where each key is excluded."""
    entries = sorted((entry.record.kid, entry.sequence, entry.id) for entry in logs.accepted())
    contents = [logs.content(entry) for _, _, entry in entries]
    forks = [(proof[0].record.kid, proof[0].sequence) for proof in logs.forks()]
    return entries, contents, forks


def street(count: int) -> list[Person]:
    """Neighbours who completed a booking with the next one and reviewed it."""
    people = [Person(f"neighbour {n}") for n in range(count)]
    for n, one in enumerate(people):
        other = people[(n + 1) % count]
        one.completes(other, f"booking {n}")
        other.completes(one, f"booking {n}")
        one.reviews(other, f"booking {n}", 1 + n % 5)
    return people


def test_a_node_that_was_off_gets_everything_with_the_bundles() -> None:
    full = node(*street(6))
    fresh = LogSet(NETWORK, Directory(NETWORK))
    session, rounds = meet(fresh, full)
    assert session.done and session.brought == 18
    assert held(fresh) == held(full)
    assert rounds <= 4
    again, rounds = meet(fresh, full)
    assert (again.brought, rounds) == (0, 1)


def test_what_the_other_lacks_is_pushed() -> None:
    full, fresh = node(*street(6)), LogSet(NETWORK, Directory(NETWORK))
    session, _ = meet(full, fresh)
    assert session.done
    assert held(fresh) == held(full)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_two_nodes_with_any_parts_end_with_the_union(seed: int) -> None:
    draw, people = Random(seed), street(5)
    everything = [item for one in people for item in one.log]
    parts = [draw.sample(everything, draw.randint(0, len(everything))) for _ in range(2)]
    # Waiting entries are no part of what a cursor says, so only what is accepted is sure to travel.
    one, other = (node(*people, items=part) for part in parts)
    meet(one, other)
    union = node(*people, items=[*parts[0], *parts[1]])
    assert len(list(one.accepted())) >= len(list(node(*people, items=parts[0]).accepted()))
    assert held(one)[0] == held(other)[0]
    assert set(map(str, held(one)[0])) <= set(map(str, held(union)[0]))  # type: ignore[call-overload]


def test_a_long_log_takes_several_rounds_of_bounded_messages() -> None:
    writer, friends = Person("writer"), [Person("one"), Person("two")]
    for n in range(3 * MAX_CATCH_UP_ITEMS):
        writer.vouches(friends[n % 2])
    full, fresh = node(writer, *friends), node(writer, *friends, items=[])
    session, rounds = meet(fresh, full)
    assert session.done and 4 <= rounds <= 6
    assert held(fresh) == held(full)
    behind = node(writer, *friends, items=[])
    session, rounds = meet(full, behind)
    assert session.done and held(behind) == held(full)


def fork_at(sequence: int, length: int) -> tuple[Person, list[Item], list[Item]]:
    """A forger who shows two histories that part at `sequence` to two halves of the network."""
    forger, friend = Person("forger"), Person("friend")
    shown = [forger.vouches(friend, stands=bool(n % 2)) for n in range(length)]
    common = shown[: sequence - 1]
    rival = [forger.signs(Vouch, sequence, month=683, subject=friend.author, stands=True)]
    while len(forger.log) < length + 3:
        rival.append(forger.vouches(friend, month=683))
    return forger, shown, [*common, *rival]


@pytest.mark.parametrize(
    ("sequence", "length"), [(1, 1), (1, 5), (3, 5), (5, 5), (6, 5), (2, 150), (100, 150)]
)
@pytest.mark.parametrize("swapped", [False, True])
def test_a_fork_shown_to_two_halves_is_found_where_it_began(
    sequence: int, length: int, swapped: bool
) -> None:
    forger, shown, rival = fork_at(sequence, length)
    friend = Person("friend")
    one, other = node(forger, friend, items=shown), node(forger, friend, items=rival)
    session, _ = meet(other, one) if swapped else meet(one, other)
    assert session.done
    assert held(one) == held(other)
    if sequence <= length:
        assert [entry.sequence for entry in one.forks()[0]] == [sequence, sequence]
    else:
        assert not one.forks()
    # A third node, which saw one half, learns of the fork from any of them.
    third = node(forger, friend, items=shown)
    meet(third, one)
    assert held(third) == held(one)
    assert meet(third, one)[1] == 1


def test_a_fork_known_only_higher_up_is_corrected() -> None:
    forger, shown, rival = fork_at(3, 8)
    friend = Person("friend")
    low = node(forger, friend, items=[*shown, *rival])
    high = node(forger, friend, items=[*shown, rival[6]])
    assert (low.forks()[0][0].sequence, high.forks()[0][0].sequence) == (3, 7)
    meet(low, high)
    assert held(low) == held(high)
    assert high.forks()[0][0].sequence == 3


def test_authors_nobody_can_introduce_are_left_alone() -> None:
    stranger, friend = Person("stranger"), Person("friend")
    friend.vouches(stranger)
    for _ in range(5):
        stranger.vouches(friend)
    full = node(stranger, friend)
    full.directory = directory_of(friend)  # it has lost the stranger's bundle
    fresh = LogSet(NETWORK, Directory(NETWORK))
    session, rounds = meet(fresh, full)
    assert session.done and rounds <= 5
    assert session.unknown == {stranger.author}
    assert {entry.record.kid for entry in fresh.accepted()} == {friend.key}


def test_refused_entries_are_counted_and_block_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "MAX_CATCH_UP_ITEMS", 10)
    people = street(8)
    full = node(*people)
    fresh = node(*people, items=[])
    spoilt = min(people, key=lambda one: one.key)
    session, faults = Session(fresh), 0
    while (question := session.question()) is not None:
        reply, _ = answer(full, question)
        items = tuple(
            Item(raw=item.raw[:-1] + bytes([item.raw[-1] ^ 1]))
            if item.raw in {i.raw for i in spoilt.log}
            else item
            for item in reply.items
        )
        faults += len(session.receive(replace(reply, items=items)).refused)
    assert session.done and faults >= len(spoilt.log)
    assert {entry.record.kid for entry in fresh.accepted()} == {one.key for one in people} - {spoilt.key}


def test_strangers_who_are_not_let_in_hide_nobody_behind_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "MAX_CATCH_UP_ITEMS", 2)
    monkeypatch.setattr(catch_up, "_MAX_DECLINED", 2)
    people = sorted((Person(f"person {number}") for number in range(20)), key=lambda one: one.key)
    *flood, known = people
    first = known.vouches(flood[0])
    behind = node(*people, items=[first])
    known.vouches(flood[0])
    full = node(*people, items=[*(one.vouches(known) for one in flood), *known.log])
    session = Session(behind)
    while (question := session.question()) is not None:
        session.receive(answer(full, question)[0], strangers=0)
    assert session.done and session.brought == 1
    assert [(entry.record.kid, entry.sequence) for entry in behind.accepted()] == [
        (known.key, 1),
        (known.key, 2),
    ]


def test_a_peer_that_always_wants_more_costs_bounded_work() -> None:
    people = street(4)
    session, rounds = Session(node(*people)), 0
    while (question := session.question()) is not None:
        wanted = tuple(one.author for one in people)
        session.receive(replace(EMPTY, first=question.first, last=question.last, wanted=wanted))
        rounds += 1
    assert session.done and rounds <= 10


def test_an_answer_about_another_range_is_refused() -> None:
    session = Session(node(*street(2)))
    with pytest.raises(Refused):
        session.receive(EMPTY)
    session.question()
    with pytest.raises(Refused):
        session.receive(replace(EMPTY, first=LAST_KEY))


def test_more_logs_than_cursors_are_gone_through_range_by_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "MAX_CURSORS", 3)
    monkeypatch.setattr(catch_up, "MAX_CURSORS", 3)
    people = street(11)
    half = [item for n, one in enumerate(people) if n % 2 for item in one.log]
    full, behind = node(*people), node(*people, items=half)
    session, rounds = meet(behind, full)
    assert session.done and rounds > 4
    assert held(behind) == held(full)
    behind = node(*people, items=half)
    meet(full, behind)
    assert held(behind) == held(full)


def test_messages_read_back_and_odd_ones_are_refused() -> None:
    full = node(*street(3))
    question = Session(full).question()
    assert question is not None
    assert open_catch_up(question.to_bytes()) == question
    item = street(3)[0].log[2]
    assert open_item(item.to_bytes()) == item
    for data in (b"", b"\xa0", item.to_bytes()[:-1], question.to_bytes() + b"\x00"):
        with pytest.raises(Refused):
            open_item(data)
        with pytest.raises(Refused):
            open_catch_up(data)
