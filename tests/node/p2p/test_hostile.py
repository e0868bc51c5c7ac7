"""A victim, its friend, and strangers who misbehave: the process lives on (same pid), and so do its links.

One pair serves the whole module: what one attack leaves behind meets the next one.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.p2p.frames import LENGTH_BYTES

from . import attackers
from .attackers import attack
from .networks import ECHO, LIMITS, NETWORK_ID, SLOW, Make, close, echoes, eventually, reaches, sees, start

pytestmark = pytest.mark.asyncio(loop_scope="package")

KAD = f"/chargemesh/{NETWORK_ID}/kad/1.0.0"
MESHSUB = "/meshsub/1.1.0"
PROTOCOLS = (MESHSUB, KAD, "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0", ECHO)
TOPIC = "a-topic"


class Scene:
    def __init__(self, victim: Libp2pNetwork, friend: Libp2pNetwork) -> None:
        self.victim = victim
        self.friend = friend
        self.pid = victim.pid

    async def check(self) -> None:
        """The victim's process was not replaced, its friend is still connected and served."""
        assert (self.victim.pid, self.victim.restarts) == (self.pid, 0)
        assert sees(self.victim, self.friend) and sees(self.friend, self.victim)
        assert await echoes(self.friend, self.victim)
        assert await echoes(self.victim, self.friend)


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def scene(make_network: Make) -> AsyncIterator[Scene]:
    victim, friend = make_network(), make_network()
    await start(victim, friend)
    for network in (victim, friend):
        await network.subscribe(TOPIC, lambda caller, data: True)
    await friend.connect(victim.contact)
    await eventually(lambda: sees(victim, friend) and sees(friend, victim))
    yield Scene(victim, friend)
    await close(victim, friend)


@pytest.mark.parametrize("how", ["plaintext", "secio"])
async def test_a_key_that_is_not_proved_opens_nothing(scene: Scene, how: str) -> None:
    claimed = bytes(31) + b"\x7f"
    assert not await attack(attackers.impersonates, scene.victim.contact, claimed, how)
    await scene.check()


async def test_malformed_protobuf_on_the_gossip_stream(scene: Scene) -> None:
    chance = random.Random(6).randbytes(127)
    pieces = (b"\x05\xff\xff\xff\xff\xff", b"\xff" * 64, b"\x00", b"\x7f" + chance)
    await attack(attackers.says, scene.victim.contact, MESHSUB, *pieces)
    await scene.check()


async def test_rubbish_on_every_protocol(scene: Scene) -> None:
    chance = random.Random(7)
    rubbish = [b"", b"\x00", b"\xff" * 20, b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"]
    rubbish += [chance.randbytes(chance.randrange(1, 300)) for _ in range(4)]
    rubbish += [bytes([len(body)]) + body for body in (chance.randbytes(n) for n in (3, 30, 120))]
    await attack(attackers.talks_to_every_protocol, scene.victim.contact, PROTOCOLS, rubbish)
    await scene.check()


async def test_rubbish_on_bare_tcp(scene: Scene) -> None:
    huge_name = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"  # a protocol name of 2^63 bytes
    hello = b"\x13/multistream/1.0.0\n"
    not_text = hello + b"\x04\xff\xfe\xfd\n"
    noise = hello + b"\x07/noise\n" + b"\xff\xff" + bytes(100)
    chance = random.Random(8).randbytes(500)
    for data in (b"GET / HTTP/1.1\r\n\r\n", huge_name, hello + huge_name, not_text, noise, chance):
        await asyncio.to_thread(attackers.sends_bytes, scene.victim.contact, data)
    await scene.check()


async def test_a_flood_of_streams_is_bounded(scene: Scene) -> None:
    kept = await attack(attackers.opens_streams, scene.victim.contact, SLOW, 500)
    assert kept <= LIMITS.max_streams_per_peer
    await scene.check()
    await eventually(lambda: scene.victim.counters().get("drop:streams-of-peer", 0) > 300)


async def test_half_open_sockets_do_not_keep_others_out(scene: Scene, make_network: Make) -> None:
    sockets = []
    try:
        for _ in range(500):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(attackers.address_of(scene.victim.contact))
            sockets.append(sock)
        newcomer = make_network()
        await newcomer.start()
        try:
            await reaches(newcomer, scene.victim)  # which may close a dial among the others, being full
        finally:
            await newcomer.close()
    finally:
        for sock in sockets:
            sock.close()
    await scene.check()


async def test_a_websocket_that_never_speaks_is_closed(make_network: Make) -> None:
    """Stock libp2p waits a minute for the HTTP of a WebSocket, before any bound of ours."""
    victim = make_network(listen=["/ip4/127.0.0.1/tcp/0/ws"], limits=replace(LIMITS, upgrade_seconds=0.5))
    await victim.start()

    def knocks(data: bytes) -> bytes:
        with socket.create_connection(attackers.address_of(victim.contact), timeout=30) as sock:
            sock.sendall(data)
            return sock.recv(1)

    try:
        for data in (b"", b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n"):
            assert await asyncio.to_thread(knocks, data) == b""
    finally:
        await victim.close()


async def test_a_peer_that_ignores_its_window_is_shown_out_and_takes_no_memory(scene: Scene) -> None:
    before = scene.victim.counters()["rss_bytes"]
    assert not await attack(attackers.overruns_the_window, scene.victim.contact, SLOW, 60)
    await eventually(lambda: scene.victim.counters().get("drop:window-overrun", 0) >= 1)
    assert scene.victim.counters()["rss_bytes"] - before < 20 * 1024 * 1024
    await scene.check()


async def test_connections_of_the_past_take_no_place(make_network: Make) -> None:
    """Stock libp2p keeps an inbound place for each connection that ever succeeded, until it has none."""
    victim = make_network(limits=replace(LIMITS, max_connections=2))
    await victim.start()

    async def comes_and_goes(count: int) -> None:
        for _ in range(count):
            async with attackers.stock_host(victim.contact):
                pass

    try:
        await attack(comes_and_goes, 4)
        await eventually(lambda: victim.counters().get("connections") == 0)
    finally:
        await victim.close()


async def test_a_process_that_outgrows_its_memory_is_replaced(scene: Scene, make_network: Make) -> None:
    """The limit is real: with no headroom it ends, and only it."""
    tight = make_network(limits=replace(LIMITS, memory_headroom_bytes=3 * 1024 * 1024))
    await tight.start()
    try:
        pid = tight.pid
        body = bytes(LIMITS.max_message_bytes - LENGTH_BYTES)
        for _ in range(12):
            asking = (scene.friend.request(tight.contact, ECHO, body, timeout=8) for _ in range(16))
            await asyncio.gather(*asking, return_exceptions=True)
            if tight.pid != pid:
                break
        await eventually(lambda: tight.pid not in (None, pid))
        assert await echoes(scene.friend, tight)
    finally:
        await tight.close()
    await scene.check()
