"""The small parts of the network process, each by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.lowlevel
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from chargemesh_node.addresses import UNKNOWN_BLOCK, block_of
from chargemesh_node.p2p import frames
from chargemesh_node.p2p.addresses import parse_addresses, reachable
from chargemesh_node.p2p.counters import Counters
from chargemesh_node.p2p.framed import BrokenStream, Framed, encode_length
from chargemesh_node.p2p.guard import Guard
from chargemesh_node.p2p.limits import DEFAULT_LIMITS
from chargemesh_node.p2p.peer_id import peer_id_of
from chargemesh_node.p2p.rates import MAX_KEYS, Rates


def run(program: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        with trio.fail_after(1000):  # of the test's own clock
            await program()

    trio.run(bounded, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize(
    ("host", "block"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("127.0.0.1", "peer:P"),
        ("::1", "peer:P"),
        ("169.254.1.2", "peer:P"),
        ("fe80::1", "peer:P"),
        (None, "unknown"),
        ("a name", "unknown"),
    ],
)
def test_blocks(host: str | None, block: str) -> None:
    assert block_of(host, "P") == block


def test_addresses_lose_their_peer_and_nonsense_is_left_out() -> None:
    peer = peer_id_of(bytes(32))
    texts = [f"/ip4/192.0.2.1/tcp/4001/p2p/{peer}", "nonsense", "/ip4/300.1.1.1/tcp/1", "/dns4/host/tcp/1"]
    assert [str(a) for a in parse_addresses(texts)] == ["/ip4/192.0.2.1/tcp/4001", "/dns4/host/tcp/1"]


def test_a_wildcard_becomes_real_addresses() -> None:
    named = [str(a) for a in reachable([Multiaddr("/ip4/0.0.0.0/tcp/4001/ws")])]
    assert named
    assert all(text.startswith("/ip4/") and text.endswith("/tcp/4001/ws") for text in named)
    assert not any("/0.0.0.0/" in text for text in named)


@given(st.binary(min_size=32, max_size=32))
def test_a_peer_id_is_the_one_that_libp2p_computes(seed: bytes) -> None:
    assert peer_id_of(seed) == str(ID.from_pubkey(create_new_key_pair(seed).public_key))


def test_rates_give_a_burst_and_then_a_trickle() -> None:
    async def program() -> None:
        rates = Rates(per_second=2.0, burst=3)
        assert [rates.take("a") for _ in range(5)] == [True, True, True, False, False]
        assert rates.take("b")
        await trio.sleep(1.0)
        assert [rates.take("a") for _ in range(3)] == [True, True, False]
        assert [rates.wait_for("c") for _ in range(5)] == [0.0, 0.0, 0.0, 0.5, 1.0]
        for n in range(MAX_KEYS * 2):
            rates.take(f"stranger {n}")
        assert len(rates._buckets) <= MAX_KEYS

    run(program)


class Pipe:
    """A stream that gives what the test put in, in pieces of at most `piece` bytes."""

    def __init__(self, data: bytes, piece: int) -> None:
        self.data = data
        self.piece = piece
        self.written = b""

    async def read(self, n: int) -> bytes:
        taken, self.data = self.data[: self.piece], self.data[self.piece :]
        return taken

    async def write(self, data: bytes) -> None:
        self.written += data


@given(st.lists(st.binary(max_size=400), max_size=5), st.integers(1, 700))
def test_messages_come_out_as_they_went_in(bodies: list[bytes], piece: int) -> None:
    async def program() -> None:
        out = Pipe(b"", 1)
        for body in bodies:
            await Framed(out, 400).write(body)
        framed = Framed(Pipe(out.written, piece), 400)
        assert [await framed.read(1) for _ in bodies] == bodies
        assert await framed.read(1) is None

    run(program)


@pytest.mark.parametrize("data", [b"\x05abc", encode_length(401) + bytes(401), b"\xff\xff\xff\xff", b"\x80"])
def test_broken_messages(data: bytes) -> None:
    async def program() -> None:
        with pytest.raises(BrokenStream):
            await Framed(Pipe(data, 64), 400).read(1)

    run(program)


@given(st.binary(max_size=200))
def test_frames_of_nonsense_are_refused(data: bytes) -> None:
    for parse in (frames.parse_command, frames.parse_report):
        try:
            parse(data)
        except frames.FrameError:
            pass


def test_frames_have_a_bound() -> None:
    with pytest.raises(frames.FrameError):
        frames.pack(frames.Publish(id=1, topic="t", data=bytes(frames.MAX_FRAME_BYTES)))
    with pytest.raises(frames.FrameError):
        frames.frame_length(b"\xff\xff\xff\xff")


class Stream:
    """An inbound stream of a peer, as a guard sees it."""

    def __init__(self, peer_id: str) -> None:
        self.muxed_conn = type("Connection", (), {"peer_id": peer_id})()
        self.was_reset = False

    async def reset(self) -> None:
        self.was_reset = True


async def stays(stream: Any) -> None:
    await trio.sleep_forever()


async def leaves(stream: Any) -> None:
    await trio.lowlevel.checkpoint()


def test_a_guard_contains_caps_and_shows_out() -> None:
    async def program() -> None:
        counters, shown_out = Counters(), []
        guard = Guard(DEFAULT_LIMITS, counters)
        guard.on_ban(shown_out.append, lambda peer_id: UNKNOWN_BLOCK)

        async def fails(stream: Any) -> None:
            raise ExceptionGroup("of a nursery", [ValueError("a stranger's bytes")])

        broken = Stream("peer")
        await guard.wrap(fails)(broken)
        assert broken.was_reset and counters.get("fault:stream") == 1

        async with trio.open_nursery() as nursery:
            streams = [Stream("peer") for _ in range(DEFAULT_LIMITS.max_streams_per_peer + 3)]
            for stream in streams:
                nursery.start_soon(guard.wrap(stays), stream)
            await trio.testing.wait_all_tasks_blocked()
            assert sum(stream.was_reset for stream in streams) == 3
            other = Stream("another")
            nursery.start_soon(guard.wrap(leaves), other)
            await trio.testing.wait_all_tasks_blocked()
            assert not other.was_reset
            nursery.cancel_scope.cancel()
        assert guard.streams == 0

        for _ in range(DEFAULT_LIMITS.offences_burst + 1):
            guard.offence("peer", "broken-stream")
        assert guard.refuses("peer") and shown_out == ["peer"] and not guard.refuses("another")
        await trio.sleep(DEFAULT_LIMITS.ban_seconds + 1)
        assert not guard.refuses("peer")

    run(program)


GREEDY = """
from chargemesh_node.p2p.memory import limit_memory
limit_memory(64 * 2**20)
kept = bytearray(16 * 2**20)
try:
    bytearray(256 * 2**20)
except MemoryError:
    print("bounded")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is relative to /proc/self/statm")
def test_memory_is_bounded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GREEDY], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "bounded"
