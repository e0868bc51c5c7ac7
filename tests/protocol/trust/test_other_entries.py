"""Entries of kinds that a node never heard of hold their place in a log, are passed on, and say nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.record import KINDS, kind, sign
from chargemesh_protocol.shape import ID, Text, key, shape
from chargemesh_protocol.trust.entries import LogEntry, OtherEntry
from chargemesh_protocol.trust.log import Standing
from chargemesh_protocol.trust.logset import LogSet
from chargemesh_protocol.trust.sync import Item

from .people import MONTH, NETWORK, Person, directory_of

bob = Person("bob")
EVERYBODY = directory_of(Person("alice"), bob)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Solar(LogEntry):
    """Somebody's own kind of entry: which inverter feeds the charger."""

    inverter: str = key(7, Text(40))
    meter: bytes = key(8, ID)


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Somebody's own kind that is no entry of a log."""

    author: bytes = key(0, ID)
    text: str = key(1, Text(40))


@pytest.fixture
def written() -> list[Item]:
    """A log with an entry of a foreign kind in its midst, and then a process that doesn't know the kind."""
    kind("org.example.solar")(Solar)
    alice = Person("alice")
    try:
        alice.vouches(bob)
        alice.writes(Solar, month=MONTH, inverter="roof", meter=bytes(32))
        alice.completes(bob, "monday")
    finally:
        del KINDS["org.example.solar"]
    return alice.log


def test_a_log_goes_on_behind_an_unknown_kind(written: list[Item]) -> None:
    logs = LogSet(NETWORK, EVERYBODY)
    assert [logs.offer(one.raw, one.content).standing for one in written] == [Standing.ACCEPTED] * 3
    _, foreign, _ = (one.record for one in logs.accepted())
    assert foreign.kind == "org.example.solar"
    assert foreign.raw == written[1].raw, "it is passed on as it came"
    assert isinstance(foreign.body, OtherEntry)


def test_an_unknown_kind_says_nothing_about_anybody(written: list[Item]) -> None:
    logs, without = LogSet(NETWORK, EVERYBODY), LogSet(NETWORK, EVERYBODY)
    for one in written:
        logs.offer(one.raw, one.content)
    plain = Person("alice")
    for one in (plain.vouches(bob), plain.completes(bob, "monday")):
        without.offer(one.raw, one.content)
    assert logs.evidence().completed == without.evidence().completed
    assert logs.evidence().vouched == without.evidence().vouched
    assert len(logs.entries_about(bob.author)) == 2


def test_a_node_that_knows_the_kind_reads_its_fields(written: list[Item]) -> None:
    kind("org.example.solar")(Solar)
    try:
        logs = LogSet(NETWORK, EVERYBODY)
        for one in written:
            logs.offer(one.raw, one.content)
        body = next(one.record.body for one in logs.accepted() if one.record.kind == "org.example.solar")
    finally:
        del KINDS["org.example.solar"]
    assert isinstance(body, Solar) and body.inverter == "roof"


def test_what_does_not_begin_as_an_entry_is_refused() -> None:
    kind("org.example.note")(Note)
    try:
        raw = sign(Note(author=bob.author, text="hello"), bob.device, NETWORK).raw
    finally:
        del KINDS["org.example.note"]
    with pytest.raises(Refused, match=r"OtherEntry\.sequence is missing"):
        LogSet(NETWORK, EVERYBODY).offer(raw)
