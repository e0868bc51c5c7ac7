"""Gossip along a line of three: Alice - Bob - Carol, where Alice and Carol share no connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chargemesh_node.errors import NetworkError
from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.ports import Caller

from .networks import Make, close, eventually, sees, start

pytestmark = pytest.mark.asyncio(loop_scope="package")

TOPIC = "chargemesh/a-topic"
QUIET = "chargemesh/another"


class Listener:
    """What one node heard, and its rule: what starts with `bad` is not valid."""

    def __init__(self, network: Libp2pNetwork) -> None:
        self.network = network
        self.heard: list[bytes] = []
        self.callers: set[str] = set()

    def __call__(self, caller: Caller, data: bytes) -> bool:
        if data.startswith(b"bug"):
            raise RuntimeError("a bug in the node's validator")
        self.callers.add(caller.peer_id)
        if data.startswith(b"bad"):
            return False
        self.heard.append(data)
        return True


Line = tuple[Listener, Listener, Listener]


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def line(make_network: Make) -> AsyncIterator[Line]:
    alice, bob, carol = networks = [make_network() for _ in range(3)]
    listeners = tuple(Listener(network) for network in networks)
    await start(*networks)
    alice.block(carol.contact.peer_id)  # look-ups would soon connect them
    carol.block(alice.contact.peer_id)
    for network, listener in zip(networks, listeners, strict=True):
        await network.subscribe(TOPIC, listener)
    await alice.connect(bob.contact)
    await carol.connect(bob.contact)
    await eventually(lambda: sees(bob, alice) and sees(bob, carol))
    async with asyncio.timeout(60):
        while not all(listener.heard for listener in listeners[1:]):
            await alice.publish(TOPIC, b"are you there?")
            await asyncio.sleep(0.3)
    for listener in listeners:
        listener.heard.clear()
    yield listeners
    await close(*networks)


async def test_a_message_reaches_those_who_are_not_connected_to_its_author(line: Line) -> None:
    alice, bob, carol = line
    sent = [f"message {n}".encode() for n in range(20)]
    for data in sent:
        await alice.network.publish(TOPIC, data)
    await eventually(lambda: set(sent) <= set(carol.heard) and set(sent) <= set(bob.heard))
    assert len(carol.heard) == len(set(carol.heard)), "each once"
    assert carol.callers == {bob.network.contact.peer_id}, "the caller is who forwarded, not the author"
    assert not sees(carol.network, alice.network)


async def test_what_is_not_valid_is_not_forwarded_nor_is_what_makes_a_validator_raise(line: Line) -> None:
    alice, bob, carol = line
    pids = [listener.network.pid for listener in line]
    await alice.network.publish(TOPIC, b"bad news")
    await alice.network.publish(TOPIC, b"bug in the validator")
    await alice.network.publish(TOPIC, b"good news")
    await eventually(lambda: b"good news" in carol.heard)
    assert not any(data.startswith((b"bad", b"bug")) for data in carol.heard + bob.heard)
    assert pids == [listener.network.pid for listener in line]


async def test_nobody_hears_a_topic_that_he_does_not_follow(line: Line) -> None:
    alice, bob, carol = line
    await carol.network.subscribe(QUIET, carol)
    await alice.network.publish(QUIET, b"for those who follow")
    await alice.network.publish(TOPIC, b"and for all")
    await eventually(lambda: b"and for all" in bob.heard)
    assert b"for those who follow" not in bob.heard


async def test_who_leaves_a_topic_hears_and_forwards_no_more_of_it(line: Line) -> None:
    alice, bob, carol = line
    for listener in line:
        await listener.network.subscribe(QUIET, listener)
    async with asyncio.timeout(60):
        while b"quiet" not in carol.heard:
            await alice.network.publish(QUIET, b"quiet")
            await asyncio.sleep(0.3)
    for listener in line:
        await listener.network.unsubscribe(QUIET)
    await alice.network.publish(QUIET, b"nobody follows")
    await alice.network.publish(TOPIC, b"everybody follows")
    await eventually(lambda: b"everybody follows" in carol.heard)
    assert b"nobody follows" not in bob.heard + carol.heard
    assert alice.network.counters().get("fault:unsubscribe", 0) == 0


async def test_too_large_a_message_is_refused_at_home(line: Line) -> None:
    with pytest.raises(NetworkError, match="over"):
        await line[0].network.publish(TOPIC, bytes(65 * 1024))


async def test_a_peer_that_sends_invalid_messages_is_not_listened_to(line: Line) -> None:
    """Last, for it spoils Alice's name with Bob."""
    alice, bob, _ = line
    for n in range(40):
        await alice.network.publish(TOPIC, f"bad {n}".encode())
    await eventually(lambda: bob.network.counters().get("drop:gossip-invalid", 0) >= 15)
    await alice.network.publish(TOPIC, b"and now a good one")
    await eventually(lambda: bob.network.counters().get("drop:gossip-unwelcome", 0) >= 1)
    assert b"and now a good one" not in bob.heard
