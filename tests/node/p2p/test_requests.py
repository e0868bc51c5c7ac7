"""Requests between two real network processes, and how each failure is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chargemesh_node.addresses import UNKNOWN_BLOCK
from chargemesh_node.errors import NetworkError, RefusedByPeer, TimedOut, Unreachable
from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.ports import Caller
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import PersonError

from .networks import (
    BROKEN,
    ECHO,
    HELD,
    Make,
    close,
    echoes,
    elsewhere,
    eventually,
    gate,
    reaches,
    sees,
    start,
)

pytestmark = pytest.mark.asyncio(loop_scope="package")

WHO = "/chargemesh/who/1"
Pair = tuple[Libp2pNetwork, Libp2pNetwork]


async def who(caller: Caller, body: bytes) -> bytes:
    return f"{caller.peer_id} {caller.block}".encode()


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def pair(make_network: Make) -> AsyncIterator[Pair]:
    alice, bob = make_network(), make_network()
    bob.serve(WHO, who)
    await start(alice, bob)
    yield alice, bob
    await close(alice, bob)


async def test_both_ways(pair: Pair) -> None:
    alice, bob = pair
    assert await alice.request(bob.contact, ECHO, b"hello") == b"olleh"
    assert await bob.request(alice.contact, ECHO, b"") == b""


async def test_the_caller_is_who_noise_proved(pair: Pair) -> None:
    alice, bob = pair
    own = alice.contact.peer_id
    assert (await alice.request(bob.contact, WHO, b"")).decode() == f"{own} peer:{own}"
    await eventually(lambda: sees(bob, alice))
    assert bob.address_block(own) == f"peer:{own}" and bob.address_block("nobody") == UNKNOWN_BLOCK


async def test_the_largest_message(pair: Pair) -> None:
    alice, bob = pair
    body = bytes(range(256)) * 1024
    assert await alice.request(bob.contact, ECHO, body, timeout=20) == body[::-1]
    with pytest.raises(NetworkError, match="over"):
        await alice.request(bob.contact, ECHO, body + b"x")


async def test_many_at_once_on_one_peer(pair: Pair) -> None:
    alice, bob = pair
    bodies = [str(n).encode() for n in range(12)]
    answers = await asyncio.gather(*(alice.request(bob.contact, ECHO, body) for body in bodies))
    assert answers == [body[::-1] for body in bodies]


async def test_a_slow_answer_does_not_hold_others_up_and_is_not_mixed_up(pair: Pair) -> None:
    alice, bob = pair
    slow, quick = gate(b"slow"), gate(b"quick")
    with pytest.raises(TimedOut):
        await alice.request(bob.contact, HELD, b"slow", timeout=0.2)
    assert await echoes(alice, bob)
    quick.set()
    assert await alice.request(bob.contact, HELD, b"quick") == b"quick"
    slow.set()
    for _ in range(3):  # the late answer comes in between, on the stream that was waited on
        assert await alice.request(bob.contact, HELD, b"quick") == b"quick"


async def test_a_handler_that_raises_refuses_and_nothing_else(pair: Pair) -> None:
    alice, bob = pair
    pid = bob.pid
    for _ in range(3):
        with pytest.raises(RefusedByPeer):
            await alice.request(bob.contact, BROKEN, b"")
    assert await alice.request(bob.contact, ECHO, b"ab") == b"ba"
    assert bob.pid == pid


async def test_a_protocol_that_the_peer_does_not_speak(pair: Pair) -> None:
    alice, bob = pair
    with pytest.raises(RefusedByPeer):
        await alice.request(bob.contact, "/chargemesh/unknown/1", b"")


async def test_ourselves(pair: Pair) -> None:
    alice, _ = pair
    assert await alice.request(alice.contact, ECHO, b"ab") == b"ba"


async def test_nobody_there(pair: Pair, make_network: Make) -> None:
    alice, _ = pair
    stranger = make_network().contact
    with pytest.raises(Unreachable):
        await alice.request(elsewhere(stranger), ECHO, b"")
    with pytest.raises(Unreachable):
        await alice.request(Contact("no peer id", ("/ip4/127.0.0.1/tcp/9",)), ECHO, b"")
    with pytest.raises(Unreachable):
        await alice.connect(Contact(stranger.peer_id, ("no multiaddr",)))


async def test_another_peer_at_the_address_is_not_taken_for_the_one_we_want(
    pair: Pair, make_network: Make
) -> None:
    alice, bob = pair
    stranger = make_network().contact
    with pytest.raises(Unreachable):
        await alice.request(Contact(stranger.peer_id, bob.contact.addresses), ECHO, b"")


async def test_peers_and_look_ups(pair: Pair) -> None:
    alice, bob = pair
    await alice.connect(bob.contact)
    await eventually(lambda: sees(alice, bob) and sees(bob, alice))
    assert bob.contact in alice.peers()
    assert alice.contact in bob.peers()
    found = await alice.closest(b"\x01" * 32)
    assert {contact.peer_id for contact in found} == {alice.contact.peer_id, bob.contact.peer_id}


async def test_a_taken_port_is_told_in_a_sentence(pair: Pair, make_network: Make) -> None:
    alice, _ = pair
    second = make_network(listen=alice.contact.addresses)
    with pytest.raises(PersonError) as caught:
        await second.start()
    assert caught.value.code == "port-taken"
    assert alice.contact.addresses[0] in str(caught.value)


async def test_a_blocked_peer_is_refused_until_it_is_let_in_again(pair: Pair) -> None:
    alice, bob = pair
    await alice.connect(bob.contact)
    bob.block(alice.contact.peer_id)
    await eventually(lambda: not sees(bob, alice))
    with pytest.raises(NetworkError):
        await alice.request(bob.contact, ECHO, b"ab", timeout=2)
    bob.block(alice.contact.peer_id, False)
    await reaches(alice, bob)


async def test_over_websocket(make_network: Make) -> None:
    carol = make_network(listen=["/ip4/127.0.0.1/tcp/0/ws"])
    carol.serve(WHO, who)
    dave = make_network(listen=["/ip4/127.0.0.1/tcp/0/ws"])
    await start(carol, dave)
    own = dave.contact.peer_id
    assert carol.contact.addresses[0].endswith("/ws")
    # The first address is dead: the next is tried without much ado.
    known = Contact(carol.contact.peer_id, ("/ip4/127.0.0.1/tcp/9", *carol.contact.addresses))
    assert (await dave.request(known, WHO, b"", timeout=2)).decode() == f"{own} peer:{own}"
    await close(carol, dave)


async def test_the_tap_hears_everything_that_the_node_sends(make_network: Make) -> None:
    heard: list[bytes] = []
    alice, bob = make_network(tap=heard.append), make_network()
    await start(alice, bob)
    await alice.request(bob.contact, ECHO, b"a coordinate: 52.5200, 13.4050")
    await bob.request(alice.contact, ECHO, b"5")
    await alice.publish("a-topic", b"published")
    await close(alice, bob)
    everything = b"".join(heard)
    for sent in (b"52.5200, 13.4050", b"published"):
        assert sent in everything
