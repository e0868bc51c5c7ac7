"""06, stream /chargemesh/log/1: a made-up person's log, brought and asked for again. What comes stays."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.record import KINDS, kind, open_record, sign
from chargemesh_protocol.shape import Text, key, shape, to_tree
from chargemesh_protocol.trust.entries import LogEntry, OtherEntry, Vouch
from chargemesh_protocol.trust.month import month_of
from chargemesh_protocol.trust.sync import FIRST_KEY, LAST_KEY, CatchUp, Cursor, Item

from .dialogue import LOG, Answer, log, say
from .scene import DAY_MS, Chapter, Probe, Scene, Stranger, now

TRUST = Chapter("log")
_FOREIGN = "org.example.conformance"


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign(LogEntry):
    """A kind that no node knows."""

    note: str = key(7, Text(40))


def about(person: Stranger, items: tuple[Item, ...] = (), **changes: Any) -> CatchUp:
    """A question about one person's log alone, by somebody who has nothing of it."""
    question = CatchUp(first=person.key, last=person.key, cursors=(), items=items, wanted=(), bundles=())
    return replace(question, **changes)


async def _brings(scene: Scene, probe: Probe, person: Stranger, *items: Item) -> Answer:
    """Brings entries together with the bundle; the answer is a catch-up."""
    answer = await log(scene.honest, about(person, items, bundles=(person.bundle.to_bytes(),)))
    probe.sees(f"items: {len(items)} entries, with the bundle", "catch-up", answer.word)
    return answer


async def _held(scene: Scene, probe: Probe, person: Stranger) -> list[bytes]:
    """What the node gives of a log to somebody who has nothing of it."""
    answer = await log(scene.honest, about(person))
    probe.sees("a question with no cursor", "catch-up", answer.word)
    return [one.raw for one in answer.message.items]


@TRUST.check("from-the-beginning", "G11", "G12")
async def from_the_beginning(scene: Scene, probe: Probe) -> None:
    """A node that has nothing is given logs in order, every entry good, in the range that it asked for."""
    everything = CatchUp(first=FIRST_KEY, last=LAST_KEY, cursors=(), items=(), wanted=(), bundles=())
    answer = await log(scene.honest, everything)
    probe.sees("00…00 to ff…ff, no cursors", "catch-up", answer.word)
    reply = answer.message
    probe.holds("its first", "the question's", reply.first == FIRST_KEY, reply.first.hex())
    keys = [one.log for one in reply.cursors]
    within = keys == sorted(keys) and all(one <= reply.last for one in keys)
    probe.holds("its cursors", "ascending, up to its last", within, f"{len(keys)}")
    try:
        records = [open_record(one.raw, scene.network, unknown=OtherEntry) for one in reply.items]
        places = [(one.kid, one.body.sequence) for one in records]
        got = "in order" if places == sorted(places) else "in another order"
    except Refused as fault:
        got = f"an entry that is refused: {fault.code}"
    probe.sees("its items", "in order", got)


@TRUST.check("both-ways", "G12", "G13", "G14", "G15")
async def both_ways(scene: Scene, probe: Probe) -> None:
    """Entries of an unknown author are set aside until the bundle came, then given to whoever lacks them."""
    person, other = scene.stranger(), scene.stranger()
    items = tuple(person.enters(other) for _ in range(3))
    answer = await log(scene.honest, about(person, items))
    probe.sees("items: 3 entries of an unknown author", "catch-up", answer.word)
    wanted = person.author in answer.message.wanted
    probe.holds("its wanted", "their author", wanted, f"{len(answer.message.wanted)} others")
    answer = await _brings(scene, probe, person, *items)
    cursors = [(one.log, one.next, one.head, one.forked) for one in answer.message.cursors]
    probe.holds(
        "its cursor", "next 4", cursors == [(person.key, 4, person.ids[2], False)], str(cursors)[:200]
    )
    raws = [one.raw for one in items]
    for _ in range(2):
        held = await _held(scene, probe, person)
        probe.holds("its items", "the 3 entries, byte for byte", held == raws, f"{len(held)} items")
    stands = Cursor(log=person.key, next=3, head=person.ids[1], forked=False)
    answer = await log(scene.honest, about(person, cursors=(stands,)))
    held = [one.raw for one in answer.message.items]
    probe.holds("a cursor with next 3", "the third entry alone", held == raws[2:], f"{len(held)} items")
    answer = await log(scene.honest, about(person, wanted=(person.author, os.urandom(32))))
    given = list(answer.message.bundles)
    probe.holds("wanted: its author, and nobody", "one bundle", len(given) == 1, f"{len(given)} bundles")
    directory = Directory(scene.network)
    probe.holds("the bundle", "the author's", directory.learn(given[0]).author == person.author, "another's")


@TRUST.check("gaps-wait", "G1", "G3")
async def gaps_wait(scene: Scene, probe: Probe) -> None:
    """A later entry counts once all before it came, whatever the order."""
    person, other = scene.stranger(), scene.stranger()
    one, two, three = (person.enters(other) for _ in range(3))
    await _brings(scene, probe, person, three, two)
    held = await _held(scene, probe, person)
    probe.sees("its items without entry 1", "0", str(len(held)))
    await _brings(scene, probe, person, one)
    held = await _held(scene, probe, person)
    probe.holds("its items with entry 1", "1, 2, 3", held == [one.raw, two.raw, three.raw], f"{len(held)}")


@TRUST.check("forged-entries", "G1", "G2", "I6", "R5")
async def forged_entries(scene: Scene, probe: Probe) -> None:
    """Entries that are not the author's, or not as their rules say, are not taken; the good one beside is."""
    person, other = scene.stranger(), scene.stranger()
    foreign = Stranger(scene.network + "x")
    good = person.enters(other)
    tree: dict[str, Any] = {
        "author": person.author,
        "sequence": 2,
        "previous": person.ids[0],
        "month": month_of(now()),
        "region": 0x841F1D5FFFFFFFF,
        "subject": other.author,
        "stands": True,
    }

    def vouch(device: bytes = person.device, **changes: Any) -> Item:
        return Item(raw=sign(Vouch(**tree | changes), device, scene.network).raw)

    cut = bytearray(vouch().raw)
    cut[-1] ^= 1
    forged = {
        "a signature with one bit changed": Item(raw=bytes(cut)),
        "another's device": vouch(other.device),
        "another network": foreign.enters(other),
        "a month before the delegation": vouch(month=month_of(now() - 90 * DAY_MS)),
        "another one before it": vouch(previous=os.urandom(32)),
        "no entry": Item(raw=os.urandom(200)),
        "a delegation": Item(raw=person.bundle.delegations[0].raw),
    }
    for name, item in forged.items():
        bundles = (person.bundle.to_bytes(), other.bundle.to_bytes())
        answer = await log(scene.honest, about(person, (item, good), bundles=bundles))
        probe.sees(f"items: {name}, and a good one", "catch-up", answer.word)
        held = await _held(scene, probe, person)
        probe.holds("its items", "the good one alone", held == [good.raw], f"{len(held)} items")
    answer = await log(scene.honest, about(other))
    probe.sees("the log of the other device", "0", str(len(answer.message.items)))


@TRUST.check("fork", "G4", "G12")
async def fork(scene: Scene, probe: Probe) -> None:
    """Two entries of one number are a proof that is kept and handed on; nothing counts from there."""
    person, one, other = scene.stranger(), scene.stranger(), scene.stranger()
    first = person.enters(one)
    left = person.enters(one)
    right = person.signs(Vouch, 2, month=month_of(now()), subject=other.author, stands=True)
    third = person.enters(one)
    await _brings(scene, probe, person, first, left)
    answer = await _brings(scene, probe, person, right, third)
    cursors = [(one.next, one.forked) for one in answer.message.cursors]
    probe.sees("its cursor", "[(2, True)]", str(cursors))
    held = await _held(scene, probe, person)
    got = held[0] == first.raw and set(held) == {first.raw, left.raw, right.raw} and len(held) == 3
    probe.holds("its items", "entry 1 and both of the fork", got, f"{len(held)} items")
    knows = Cursor(log=person.key, next=2, head=person.ids[0], forked=True)
    answer = await log(scene.honest, about(person, cursors=(knows,)))
    probe.sees("to who knows of the fork", "0 items", f"{len(answer.message.items)} items")


@TRUST.check("unknown-kind", "G2", "R8")
async def unknown_kind(scene: Scene, probe: Probe) -> None:
    """An entry of a kind that nobody knows holds its place and is passed on byte for byte."""
    person, other = scene.stranger(), scene.stranger()
    kind(_FOREIGN)(Foreign)
    try:
        items = [
            person.enters(other),
            person.writes(Foreign, month=month_of(now()), note="what nobody knows"),
            person.enters(other),
        ]
    finally:
        del KINDS[_FOREIGN]
    await _brings(scene, probe, person, *items)
    held = await _held(scene, probe, person)
    same = held == [one.raw for one in items]
    probe.holds("its items", "all 3, byte for byte", same, f"{len(held)} items")


@TRUST.check("refusals", "N9", "E7")
async def refusals(scene: Scene, probe: Probe) -> None:
    """What is no catch-up message is refused by an empty response; an unknown optional key is not."""
    tree = to_tree(about(scene.stranger()))
    cases = {
        "no range": encode({k: v for k, v in tree.items() if k > 1}),
        "a key of 31 bytes": encode({**tree, 0: bytes(31)}),
        "1,025 cursors": encode({**tree, 2: [{0: bytes(32), 1: 1, 3: False}] * 1025}),
        "257 items": encode({**tree, 3: [{0: b"-"}] * 257}),
        "an entry of 1,025 bytes": encode({**tree, 3: [{0: bytes(1025)}]}),
        "a cursor with next 0": encode({**tree, 2: [{0: bytes(32), 1: 0, 3: False}]}),
        "an unknown critical key": encode({**tree, 9: 1}),
        "no bytes": b"",
    }
    async with scene.peer() as peer:
        for name, body in cases.items():
            probe.sees(name, "empty", (await say(peer, LOG, body)).word)
        optional = await say(peer, LOG, encode({**tree, 20: "later"}))
        probe.sees("an unknown optional key", "catch-up", optional.word)
