"""Whom our trust reaches, and through whom, is right after any accepted and taken back entries."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from chargemesh_protocol.trust.entries import Completion
from chargemesh_protocol.trust.log import Judged, judge
from chargemesh_protocol.trust.reach import Reach

from .people import NETWORK, Person, directory_of

WE, *OTHERS = (Person(name) for name in ("we", "ann", "ben", "cat", "dan", "eve"))
PAIRS = [(one, other) for one in (WE, *OTHERS) for other in (WE, *OTHERS) if one is not other]


@cache
def entry(pair: int, is_vouch: bool) -> Judged:
    one, other = PAIRS[pair]
    item = one.vouches(other) if is_vouch else one.completes(other, f"booking {pair}")
    return judge(item.raw, NETWORK, directory_of(WE, *OTHERS))


def edges(entries: list[Judged]) -> set[tuple[bytes, bytes]]:
    """From whom an entry leads to whom."""
    there = {(one.record.body.author, one.subject) for one in entries}
    return there | {(one.subject, one.record.body.author) for one in entries if is_completion(one)}


def is_completion(one: Judged) -> bool:
    return isinstance(one.record.body, Completion)


def led_to(start: bytes, known: set[tuple[bytes, bytes]]) -> set[bytes]:
    """Everybody on a path from there that does not lead over us."""
    found, before = {start}, 0
    while before != len(found):
        before = len(found)
        found |= {other for one, other in known if one in found and other != WE.author}
    return found


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(PAIRS) - 1), st.booleans(), st.booleans()), max_size=25))
def test_everybody_is_reached_through_a_first_hop_that_leads_to_them(
    steps: list[tuple[int, bool, bool]],
) -> None:
    reach, accepted = Reach([WE.author]), list[Judged]()
    told: dict[bytes, bytes | None] = {}
    for pair, is_vouch, takes_back in steps:
        if takes_back and accepted:
            lost, accepted = accepted[-3:], accepted[:-3]
            changed = reach.remove(lost)
        else:
            accepted.append(entry(pair, is_vouch))
            changed = reach.add(accepted[-1])
        told.update({author: reach.hop(author) for author in changed})
        known = edges(accepted)
        direct = {other for one, other in known if one == WE.author}
        for person in OTHERS:
            hop = reach.hop(person.author)
            leading = {first for first in direct if person.author in led_to(first, known)}
            assert hop in leading if leading else hop is None
            assert hop == person.author or person.author not in direct
            assert told.get(person.author) == hop, "every change is told"
            assert reach.hops_into(person.author) <= leading
