"""For each patch: stock py-libp2p still needs it (one that doesn't fails here), and the patch works."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from libp2p.host import basic_host
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.protocol_muxer.exceptions import MultiselectCommunicatorError
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.pubsub import pubsub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.stream_muxer.yamux import yamux

from chargemesh_node.p2p import patches
from chargemesh_node.p2p.counters import Counters
from chargemesh_node.p2p.limits import DEFAULT_LIMITS

from . import stock
from .patched import KADEMLIA, patched
from .stock import HUGE_NAME, Bytes, Wire, run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def counters() -> Iterator[Counters]:
    """Patches libp2p for one test; what it counts."""
    with patched("chargemesh-test-patches") as counters:
        yield counters


@pytest.fixture(scope="module")
def stock_says() -> dict[str, bool]:
    command = [sys.executable, "-m", "tests.node.p2p.stock"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=100)
    verdicts: dict[str, bool] = json.loads(done.stdout)
    return verdicts


@pytest.mark.parametrize("defect", stock.CHECKS)
def test_stock_libp2p_still_needs_the_patch(stock_says: dict[str, bool], defect: str) -> None:
    assert stock_says[defect], f"stock libp2p no longer {defect}: the patch may go"


def whatever_libp2p_has() -> dict[tuple[str, ...], Any]:
    """Each name of its modules and of their classes."""
    found: dict[tuple[str, ...], Any] = {}
    for module_name, module in list(sys.modules.items()):
        if not module_name.startswith("libp2p."):
            continue
        for name, value in list(vars(module).items()):
            found[module_name, name] = value
            if isinstance(value, type) and value.__module__ == module_name:
                found |= {(module_name, name, inner): it for inner, it in vars(value).items()}
    return found


def test_nothing_stays_patched() -> None:
    """Other tests in this process want libp2p as it comes."""
    before = whatever_libp2p_has()
    with patched("chargemesh-test-patches"):
        assert yamux.YamuxStream is not before[yamux.__name__, "YamuxStream"]
    after = whatever_libp2p_has()
    assert {name for name in before | after if before.get(name) is not after.get(name)} == set()


def test_a_cancelled_write_is_finished(counters: Counters) -> None:
    assert run(stock.written_when_cancelled_in_mid_write) == [bytes(12)]


def test_a_window_overrun_raises(counters: Counters) -> None:
    async def program() -> None:
        stream: Any = yamux.YamuxStream(1, yamux.Yamux(Wire(), None), False)
        with pytest.raises(trio.TooSlowError):
            stream.recv_window -= yamux.DEFAULT_WINDOW_SIZE + 1
        assert counters.get("drop:window-overrun") == 1

    run(program)


def test_window_updates_come_in_large_steps(counters: Counters) -> None:
    async def program() -> None:
        wire = Wire()
        wire.may_end.set()
        stream: Any = yamux.YamuxStream(1, yamux.Yamux(wire, None), False)
        for _ in range(33):
            stream.recv_window -= 4096
            await stream._auto_tune_and_send_window_update(bytes_read=4096)
        assert len(wire.written) == 1
        assert stream.recv_window + stream._pending_recv_release == yamux.DEFAULT_WINDOW_SIZE

    run(program)


def test_a_silent_peer_is_closed(counters: Counters) -> None:
    quick = replace(DEFAULT_LIMITS, ping_every_seconds=0.01, ping_answer_seconds=0.05)
    patches.close_silent_connections(quick, counters)

    async def program() -> None:
        wire = Wire()
        wire.may_end.set()
        connection = yamux.Yamux(wire, None)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection._measure_rtt_loop)
            await wire.ended.wait()
            connection.event_shutting_down.set()
        assert counters.get("drop:peer-silent") >= 1

    run(program)


def test_a_flood_of_frames_is_read_slowly(counters: Counters) -> None:
    async def program() -> None:
        connection, frame = Bytes(b"x"), yamux.HEADER_SIZE
        patches.pace_frames(replace(DEFAULT_LIMITS, frames_burst=60, frames_per_second=20.0))
        began = trio.current_time()
        for _ in range(60 + 3 * 20):
            connection.data = bytes(frame)
            await yamux.read_exactly(connection, frame)
        assert 2.9 < trio.current_time() - began < 3.1

    trio.run(program, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize("data", [HUGE_NAME, b"\x03ab", b"\x03abc", b"\x03\xff\xfe\n", b"", b"\x80" * 12])
def test_what_is_no_protocol_name_is_refused(counters: Counters, data: bytes) -> None:
    async def program() -> None:
        reader = Bytes(data)
        with pytest.raises(MultiselectCommunicatorError):
            await MultiselectCommunicator(reader).read()
        assert reader.most <= DEFAULT_LIMITS.max_multistream_bytes

    run(program)


def test_a_service_survives_a_failing_task(counters: Counters) -> None:
    assert run(stock.shop_lives_on)
    assert counters.get("fault:task") == 1


@pytest.mark.skipif(not stock.has_ipv6(), reason="this machine has no IPv6 loopback")
def test_ipv6_addresses_are_seen(counters: Counters) -> None:
    host, _ = run(stock.address_seen_over_ipv6)
    assert host == "::1"


def test_a_taken_port_is_not_shared(counters: Counters) -> None:
    assert not run(stock.reuses_port)


def test_kademlia_speaks_our_networks_protocol(counters: Counters) -> None:
    for module in KADEMLIA:
        assert module.PROTOCOL_ID == "/chargemesh/chargemesh-test-patches/kad/1.0.0"


def test_gossip_queues_are_wide(counters: Counters) -> None:
    async def program() -> None:
        queue = pubsub.RpcQueue()
        pushed = [queue.push(rpc_pb2.RPC()) for _ in range(DEFAULT_LIMITS.gossip_queue + 1)]
        assert pushed == [True] * DEFAULT_LIMITS.gossip_queue + [False]

    run(program)


def test_a_peer_that_comes_back_is_identified(counters: Counters) -> None:
    assert not stock.thinks_it_knows_a_peer_that_comes_back()


def test_identify_keeps_only_so_much(counters: Counters, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    async def keep(peerstore: Any, peer_id: Any, message: Any) -> None:
        kept.append(message)

    monkeypatch.setattr(patches, "_update_peerstore", keep)
    message = Identify(listen_addrs=[b"a"] * 500, protocols=["p"] * 500)
    run(lambda: basic_host.update_peerstore_from_identify(None, None, message))
    assert len(kept[0].listen_addrs) == len(kept[0].protocols) == DEFAULT_LIMITS.max_identify_items


def test_the_log_of_libp2p_is_heard(counters: Counters) -> None:
    assert logging.getLogger("libp2p").propagate
