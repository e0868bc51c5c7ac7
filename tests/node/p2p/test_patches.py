"""For each patch: stock py-libp2p still needs it (one that doesn't fails here), and the patch works."""

from __future__ import annotations

import inspect
import logging
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import trio
import trio.testing
from libp2p.host import basic_host
from libp2p.identity import update
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.identity.identify_push import identify_push
from libp2p.io.trio import TrioTCPStream
from libp2p.kad_dht import common, kad_dht, peer_routing, provider_store, value_store
from libp2p.network import swarm
from libp2p.protocol_muxer import multiselect_communicator
from libp2p.protocol_muxer.exceptions import MultiselectCommunicatorError
from libp2p.pubsub import pubsub, rpc_queue
from libp2p.pubsub.pb import rpc_pb2
from libp2p.stream_muxer.yamux import yamux
from libp2p.tools.anyio_service import Service, background_trio_service
from libp2p.tools.anyio_service.trio_manager import TrioManager
from libp2p.transport.tcp import tcp

from chargemesh_node.p2p import patches
from chargemesh_node.p2p.counters import Counters
from chargemesh_node.p2p.limits import DEFAULT_LIMITS

PATCHED: list[tuple[Any, str]] = [
    (logging.getLogger("libp2p"), "propagate"),
    *((module, "PROTOCOL_ID") for module in (common, kad_dht, peer_routing, provider_store, value_store)),
    (kad_dht, "MAX_DHT_MESSAGE_SIZE"),
    (yamux.Yamux, "_write_frame"),
    (yamux.Yamux, "_measure_rtt_loop"),
    (yamux, "YamuxStream"),
    (yamux, "read_exactly"),
    (yamux, "MAX_WINDOW_SIZE"),
    (multiselect_communicator.MultiselectCommunicator, "read"),
    (TrioManager, "run_task"),
    (TrioManager, "_find_parent_task"),
    (basic_host.BasicHost, "_identify_task_entry"),
    (basic_host.BasicHost, "_has_cached_protocols"),
    (TrioTCPStream, "get_remote_address"),
    (tcp, "_set_reuse_flags"),
    (pubsub, "RpcQueue"),
    (basic_host, "update_peerstore_from_identify"),
    (identify_push, "update_peerstore_from_identify"),
]


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counters]:
    """Patches libp2p for one test; what it counts. Other tests use it as it comes."""
    for owner, name in PATCHED:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    counters = Counters()
    patches.apply("chargemesh-test-patches", DEFAULT_LIMITS, counters)
    yield counters


def run(program: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        with trio.fail_after(10):
            await program()

    trio.run(bounded)


class Wire:
    """A secured connection whose writes take as long as the test says."""

    def __init__(self) -> None:
        self.is_initiator = True
        self.written: list[bytes] = []
        self.started = trio.Event()
        self.may_end = trio.Event()
        self.ended = trio.Event()

    async def write(self, data: bytes) -> None:
        self.started.set()
        await self.may_end.wait()
        self.written.append(data)

    async def read(self, n: int) -> bytes:
        await trio.sleep_forever()
        return b""

    async def close(self) -> None:
        self.ended.set()


async def cancel_in_mid_write(wire: Wire) -> None:
    connection = yamux.Yamux(wire, None)
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection._write_frame, bytes(12))
            await wire.started.wait()
            scope.cancel()
            wire.may_end.set()


def test_stock_yamux_abandons_a_frame_in_mid_write() -> None:
    async def program() -> None:
        wire = Wire()
        await cancel_in_mid_write(wire)
        assert wire.written == []

    run(program)


def test_a_cancelled_write_is_finished(counters: Counters) -> None:
    async def program() -> None:
        wire = Wire()
        await cancel_in_mid_write(wire)
        assert wire.written == [bytes(12)]

    run(program)


def test_stock_yamux_only_logs_a_window_overrun_and_ours_raises(counters: Counters) -> None:
    stock = patches.YamuxStream
    assert not isinstance(inspect.getattr_static(stock, "recv_window", None), property)

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


def test_stock_yamux_lives_with_a_silent_peer() -> None:
    source = inspect.getsource(yamux.Yamux._measure_rtt_loop)
    assert ".close(" not in source and "cancelled_caught" not in source


def test_a_silent_peer_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamux.Yamux, "_measure_rtt_loop", None)
    quick = replace(DEFAULT_LIMITS, ping_every_seconds=0.01, ping_answer_seconds=0.05)
    counted = Counters()
    patches.close_silent_connections(quick, counted)

    async def program() -> None:
        wire = Wire()
        wire.may_end.set()
        connection = yamux.Yamux(wire, None)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection._measure_rtt_loop)
            await wire.ended.wait()
            connection.event_shutting_down.set()
        assert counted.get("drop:peer-silent") >= 1

    run(program)


def test_a_flood_of_frames_is_read_slowly(counters: Counters) -> None:
    async def program() -> None:
        connection, frame = Bytes(b"x"), yamux.HEADER_SIZE
        began, limits = trio.current_time(), DEFAULT_LIMITS
        for _ in range(limits.frames_burst + 3 * int(limits.frames_per_second)):
            connection.data = bytes(frame)
            await yamux.read_exactly(connection, frame)
        assert 2.9 < trio.current_time() - began < 3.1

    trio.run(program, clock=trio.testing.MockClock(autojump_threshold=0))


class Bytes:
    """Something to read a protocol name from; notes how much was asked for at once."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.most = 0

    async def read(self, n: int) -> bytes:
        self.most = max(self.most, n)
        taken, self.data = self.data[:n], self.data[n:]
        return taken


HUGE_NAME = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"


def test_stock_negotiation_asks_for_as_much_memory_as_a_stranger_says() -> None:
    async def program() -> None:
        reader = Bytes(HUGE_NAME)
        with pytest.raises(MultiselectCommunicatorError):
            await multiselect_communicator.MultiselectCommunicator(reader).read()
        assert reader.most > 2**60

    run(program)


@pytest.mark.parametrize("data", [HUGE_NAME, b"\x03ab", b"\x03abc", b"\x03\xff\xfe\n", b"", b"\x80" * 12])
def test_what_is_no_protocol_name_is_refused(counters: Counters, data: bytes) -> None:
    async def program() -> None:
        reader = Bytes(data)
        with pytest.raises(MultiselectCommunicatorError):
            await multiselect_communicator.MultiselectCommunicator(reader).read()
        assert reader.most <= DEFAULT_LIMITS.max_multistream_bytes

    run(program)


class Shop(Service):
    """A service with one failing task, as a connection's or a message's can be."""

    async def run(self) -> None:
        async def fails() -> None:
            raise RuntimeError("one peer's fault")

        self.manager.run_task(fails)
        await self.manager.wait_finished()


async def lives_on(service: Shop) -> bool:
    async with background_trio_service(service) as manager:
        await trio.sleep(0.05)
        return bool(manager.is_running and not manager.is_cancelled)


def test_a_stock_service_ends_with_its_first_failing_task() -> None:
    async def program() -> None:
        with pytest.raises(BaseExceptionGroup):
            assert not await lives_on(Shop())

    run(program)


def test_a_service_survives_a_failing_task(counters: Counters) -> None:
    async def program() -> None:
        assert await lives_on(Shop())

    run(program)
    assert counters.get("fault:task") == 1


async def holds(stream: trio.SocketStream) -> None:
    await trio.sleep_forever()


async def address_seen_over_ipv6() -> Any:
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="::1")
        port = listeners[0].socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, holds, listeners)
        stream = TrioTCPStream(await trio.open_tcp_stream("::1", port))
        nursery.cancel_scope.cancel()
        return stream.get_remote_address()


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_stock_does_not_see_ipv6_addresses_and_ours_does(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stock() -> None:
        assert await address_seen_over_ipv6() is None

    async def ours() -> None:
        host, _ = await address_seen_over_ipv6()
        assert host == "::1"

    run(stock)
    monkeypatch.setattr(TrioTCPStream, "get_remote_address", None)
    patches.see_ipv6_peers()
    run(ours)


def reuses_port() -> bool:
    async def flag() -> bool:
        with trio.socket.socket() as sock:
            tcp._set_reuse_flags(sock)
            return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))

    return trio.run(flag)


def test_stock_shares_a_taken_port() -> None:
    assert reuses_port()


def test_ours_does_not(counters: Counters) -> None:
    assert not reuses_port()


def test_kademlia_speaks_our_networks_protocol(counters: Counters) -> None:
    for module in (common, kad_dht, peer_routing, provider_store, value_store):
        assert module.PROTOCOL_ID == "/chargemesh/chargemesh-test-patches/kad/1.0.0"


def test_stock_kademlia_ignores_the_protocol_it_is_given() -> None:
    assert "protocol_prefix" not in inspect.getsource(kad_dht.KadDHT.handle_stream)
    assert "set_stream_handler(PROTOCOL_ID" in inspect.getsource(kad_dht.KadDHT.__init__)


def test_stock_limits_are_too_wide_or_too_narrow_for_us() -> None:
    assert DEFAULT_LIMITS.max_kad_message_bytes < kad_dht.MAX_DHT_MESSAGE_SIZE
    assert rpc_queue.OutBoundQueueSize < DEFAULT_LIMITS.gossip_queue
    assert swarm._HAPPY_EYEBALLS_DELAY > 0.1, "why `swarm.GuardedSwarm` has a dialler of its own"
    assert "del " not in inspect.getsource(update.update_peerstore_from_identify)


def test_gossip_queues_are_wide(counters: Counters) -> None:
    async def program() -> None:
        queue = pubsub.RpcQueue()
        pushed = [queue.push(rpc_pb2.RPC()) for _ in range(DEFAULT_LIMITS.gossip_queue + 1)]
        assert pushed == [True] * DEFAULT_LIMITS.gossip_queue + [False]

    run(program)


class BackAgain:
    """A host that knew a peer which disconnected and now comes back."""

    _identified_peers: ClassVar[dict[str, str]] = {}

    class peerstore:
        has_peer = staticmethod(lambda peer_id: True)
        supports_protocols = staticmethod(lambda peer_id, protocols: protocols)


def test_stock_does_not_identify_a_peer_that_comes_back() -> None:
    assert basic_host.BasicHost._has_cached_protocols(BackAgain(), "peer")  # type: ignore[arg-type]


def test_ours_does(counters: Counters) -> None:
    assert not basic_host.BasicHost._has_cached_protocols(BackAgain(), "peer")  # type: ignore[arg-type]


def test_identify_keeps_only_so_much(counters: Counters, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    async def keep(peerstore: Any, peer_id: Any, message: Any) -> None:
        kept.append(message)

    monkeypatch.setattr(patches, "_update_peerstore", keep)
    message = Identify(listen_addrs=[b"a"] * 500, protocols=["p"] * 500)
    run(lambda: basic_host.update_peerstore_from_identify(None, None, message))
    assert len(kept[0].listen_addrs) == len(kept[0].protocols) == DEFAULT_LIMITS.max_identify_items


def test_the_log_of_libp2p_is_heard(counters: Counters) -> None:
    quiet = "import libp2p, logging; print(logging.getLogger('libp2p').propagate)"
    stock = subprocess.run([sys.executable, "-c", quiet], capture_output=True, text=True, check=True)
    assert stock.stdout.strip() == "False"
    assert logging.getLogger("libp2p").propagate
