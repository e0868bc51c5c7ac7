"""Gossip (09, N17 to N19): two peers that share no connection but the node; what one says the other hears."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.cells import listing_topic
from chargemesh_protocol.listing import Need
from chargemesh_protocol.trust.news import News
from chargemesh_protocol.trust.sync import Item

from .check_log import about
from .dialogue import listing, log
from .mesh import Ear, Mouth, until
from .peer import Peer, peer_bytes, peer_text
from .scene import Chapter, Probe, Scene, Stranger, now, nowhere

GOSSIP = Chapter("gossip")
TRIES, TRY_SECONDS = 10, 1.0
_WRONG, _ROUNDS = 60, 4  # messages close together, and how often


@asynccontextmanager
async def _pair(scene: Scene, *topics: str) -> AsyncIterator[tuple[Mouth, Ear, Peer]]:
    """Somebody who speaks, and what somebody else hears."""
    ear = Ear()
    async with scene.peer() as speaker, scene.peer(ear) as listener:
        await Mouth.open(listener, *topics)
        yield await Mouth.open(speaker, *topics), ear, speaker


async def _forwarded(mouth: Mouth, ear: Ear, topic: str, data: bytes) -> str:
    """Says it, each time as a new message, until it is heard: a young mesh may miss one."""
    for _ in range(TRIES):
        await mouth.publish(topic, data)
        if await until(lambda: ear.has(data), TRY_SECONDS):
            return "forwarded"
    return "not forwarded"


def _news(person: Stranger, *items: Item) -> bytes:
    return News(bundles=(person.bundle.to_bytes(),), items=items).to_bytes()


@GOSSIP.check("log-news", "N18", "G16", "G17", "G2")
async def log_news(scene: Scene, probe: Probe) -> None:
    """A message of good entries is forwarded, and its entries are kept."""
    person = scene.stranger()
    item = person.enters(scene.stranger())
    async with _pair(scene, scene.log_topic) as (mouth, ear, speaker):
        got = await _forwarded(mouth, ear, scene.log_topic, _news(person, item))
        probe.sees("log-news with a good entry and its bundle", "forwarded", got)
        probe.sees("RPCs of the node that are no protobuf", "0", str(ear.garbled))
        senders = {sender for _, data, sender in ear.heard if data == _news(person, item)}
        probe.sees("its `from`", speaker.peer_id, " ".join(peer_text(one) for one in senders))
    answer = await log(scene.honest, about(person))
    held = [one.raw for one in answer.message.items] if answer.word == "catch-up" else []
    probe.holds("catch-up", "the entry", held == [item.raw], f"{answer.word}, {len(held)} items")


@GOSSIP.check("changes-of-a-cell", "D14", "D15", "D7")
async def changes_of_a_cell(scene: Scene, probe: Probe) -> None:
    """The node follows the topic of a cell that it keeps, and forwards what is newer there, and only that."""
    host, charger = scene.stranger(), os.urandom(16)
    made = [host.lists_now(scene.place, charger=charger, sequence=n) for n in (1, 2, 3)]
    store = [wire.write(host.stores(one)) for one in made]
    answer = await listing(scene.honest, host.stores(made[0]))
    probe.sees("store: sequence 1", "kept", answer.word)
    topic = listing_topic(scene.network, made[0].body.cell)
    followed = await until(lambda: topic in scene.ear.topics, 10)
    probe.holds("its topics", "the cell's", followed, f"{len(scene.ear.topics)} others")
    elsewhere = wire.write(host.stores(host.lists_now(nowhere())))
    async with _pair(scene, topic) as (mouth, ear, _):
        probe.sees("store: sequence 2", "forwarded", await _forwarded(mouth, ear, topic, store[1]))
        wrong = {
            "sequence 1": store[0],
            "a listing of another cell's topic": elsewhere,
            "a query": wire.write(wire.Query(cells=(made[0].body.cell,), need=Need(), limit=1)),
            "kept": wire.write(wire.Kept()),
        }
        for data in wrong.values():
            await mouth.publish(topic, data)
        probe.sees("store: sequence 3", "forwarded", await _forwarded(mouth, ear, topic, store[2]))
        for name, data in wrong.items():
            probe.sees(name, "not forwarded", "forwarded" if ear.has(data) else "not forwarded")
        taken = wire.write(host.retracts(made[2], now()))
        probe.sees("withdraw", "forwarded", await _forwarded(mouth, ear, topic, taken))


@GOSSIP.check("garbage", "N17", "N18", "G16", "G17", hostile=True)
async def garbage(scene: Scene, probe: Probe) -> None:
    """What is not valid is forwarded to nobody, whatever is wrong with it."""
    person, other = scene.stranger(), scene.stranger()
    good, topic = person.enters(other), scene.log_topic
    cut = bytearray(good.raw)
    cut[-1] ^= 1
    async with _pair(scene, topic) as (mouth, ear, _):
        probe.sees("a good one", "forwarded", await _forwarded(mouth, ear, topic, _news(person, good)))
        fresh = iter(_news(person, person.enters(other)) for _ in range(20))
        wrong: dict[str, tuple[bytes, dict[str, Any]]] = {
            "random bytes": (os.urandom(200), {}),
            "no bytes": (b"", {}),
            "a forged entry": (_news(person, Item(raw=bytes(cut))), {}),
            "an unknown author without a bundle": (_news(person, other.enters(person)), {}),
            "17 entries": (_news(person, *(other.enters(person) for _ in range(16))) + b"x", {}),
            "over 49,152 bytes": (bytes(50_000), {}),
            "over 65,536 bytes": (bytes(66_000), {}),
            "a bad signature": (next(fresh), {"forged": True}),
            "a seqno of 7 bytes": (next(fresh), {"seqno": b"7 bytes"}),
            "the node's own `from`": (next(fresh), {"from_id": peer_bytes(scene.target.peer_id)}),
            "two topics": (next(fresh), {"topicIDs": [topic, topic + "x"]}),
            "a topic that it doesn't follow": (next(fresh), {"topicIDs": [topic + "x"]}),
        }
        for data, changes in wrong.values():
            await mouth.publish(topic, data, **changes)
        last = _news(person, person.enters(other))
        probe.sees("a good one after all that", "forwarded", await _forwarded(mouth, ear, topic, last))
        for name, (data, _) in wrong.items():
            probe.sees(name, "not forwarded", "forwarded" if ear.has(data) else "not forwarded")


@GOSSIP.check("counted-against-the-sender", "N18", "K7", hostile=True)
async def counted(scene: Scene, probe: Probe) -> None:
    """Who sends many wrong messages is no longer listened to; others are."""
    person, other = scene.stranger(), scene.stranger()
    topic = scene.log_topic
    async with _pair(scene, topic) as (mouth, ear, _), scene.peer() as rude:
        shouting = await Mouth.open(rude, topic)
        for _ in range(_ROUNDS):
            for _ in range(_WRONG):
                await shouting.publish(topic, os.urandom(60))
            await trio.sleep(0.5)  # they are judged at once, and counted when they were
            his, another = (_news(person, person.enters(other)) for _ in range(2))
            await shouting.publish(topic, his)
            got = await _forwarded(mouth, ear, topic, another)
            probe.sees("another's good message", "forwarded", got)
            if not ear.has(his):
                break
        got = "forwarded" if ear.has(his) else "not forwarded"
        probe.sees("a good message after many wrong ones", "not forwarded", got)
