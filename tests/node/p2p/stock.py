"""What py-libp2p does as it comes, and why each of our patches is needed.

`python -m tests.node.p2p.stock` prints a JSON object: for each check whether the defect is still there. It
runs in a process of its own, so that nothing which the tests patched can answer in libp2p's place. What the
checks are made of (a wire, a shop) serves the tests of the patches too.
"""

from __future__ import annotations

import inspect
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

import trio
import trio.testing
from libp2p.host import basic_host
from libp2p.identity import update
from libp2p.io.trio import TrioTCPStream
from libp2p.kad_dht import kad_dht
from libp2p.network import swarm
from libp2p.protocol_muxer.exceptions import MultiselectCommunicatorError
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.pubsub import rpc_queue
from libp2p.stream_muxer.yamux import yamux
from libp2p.tools.anyio_service import Service, background_trio_service
from libp2p.transport.tcp import tcp
from libp2p.transport.websocket import listener

from chargemesh_node.p2p.limits import DEFAULT_LIMITS

T = TypeVar("T")


def run(program: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        with trio.fail_after(30):
            return await program()

    return trio.run(bounded)


# --- what the checks are made of


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


async def written_when_cancelled_in_mid_write() -> list[bytes]:
    wire = Wire()
    connection = yamux.Yamux(wire, None)
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection._write_frame, bytes(12))
            await wire.started.wait()
            scope.cancel()
            wire.may_end.set()
    return wire.written


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


class Shop(Service):
    """A service with one failing task, as a connection's or a message's can be."""

    async def run(self) -> None:
        async def fails() -> None:
            raise RuntimeError("one peer's fault")

        self.manager.run_task(fails)
        await self.manager.wait_finished()


async def shop_lives_on() -> bool:
    async with background_trio_service(Shop()) as manager:
        await trio.testing.wait_all_tasks_blocked(0.01)
        return bool(manager.is_running and not manager.is_cancelled)


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


async def reuses_port() -> bool:
    with trio.socket.socket() as sock:
        tcp._set_reuse_flags(sock)
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))


class BackAgain:
    """A host that knew a peer which disconnected and now comes back."""

    _identified_peers: ClassVar[dict[str, str]] = {}

    class peerstore:
        has_peer = staticmethod(lambda peer_id: True)
        supports_protocols = staticmethod(lambda peer_id, protocols: protocols)


def thinks_it_knows_a_peer_that_comes_back() -> bool:
    known = basic_host.BasicHost._has_cached_protocols(BackAgain(), "peer")  # type: ignore[arg-type]
    return bool(known)


# --- the checks


def asks_for_as_much_memory_as_a_stranger_says() -> bool:
    async def program() -> int:
        reader = Bytes(HUGE_NAME)
        try:
            await MultiselectCommunicator(reader).read()
        except MultiselectCommunicatorError:
            pass
        return reader.most

    return run(program) > 2**60


def a_failing_task_ends_its_service() -> bool:
    try:
        return not run(shop_lives_on)
    except BaseExceptionGroup:
        return True


def lives_with_a_silent_peer() -> bool:
    source = inspect.getsource(yamux.Yamux._measure_rtt_loop)
    return ".close(" not in source and "cancelled_caught" not in source


def ignores_the_protocol_it_is_given() -> bool:
    return "protocol_prefix" not in inspect.getsource(kad_dht.KadDHT.handle_stream) and (
        "set_stream_handler(PROTOCOL_ID" in inspect.getsource(kad_dht.KadDHT.__init__)
    )


CHECKS: dict[str, Callable[[], bool]] = {
    "abandons a frame in mid-write": lambda: run(written_when_cancelled_in_mid_write) == [],
    "only logs a window overrun": lambda: (
        not isinstance(inspect.getattr_static(yamux.YamuxStream, "recv_window", None), property)
    ),
    "lives with a silent peer": lives_with_a_silent_peer,
    "asks for as much memory as a stranger says": asks_for_as_much_memory_as_a_stranger_says,
    "a failing task ends its service": a_failing_task_ends_its_service,
    "sees no IPv6 address": lambda: not has_ipv6() or run(address_seen_over_ipv6) is None,
    "shares a taken port": lambda: run(reuses_port),
    "ignores the Kademlia protocol it is given": ignores_the_protocol_it_is_given,
    "takes large Kademlia messages": lambda: (
        DEFAULT_LIMITS.max_kad_message_bytes < kad_dht.MAX_DHT_MESSAGE_SIZE
    ),
    "has narrow gossip queues": lambda: rpc_queue.OutBoundQueueSize < DEFAULT_LIMITS.gossip_queue,
    "waits before each dial (see swarm.GuardedSwarm)": lambda: swarm._HAPPY_EYEBALLS_DELAY > 0.1,
    "waits a minute for a WebSocket's handshake": lambda: (
        "connect_timeout" not in inspect.getsource(listener)
    ),
    "keeps all that a peer names of itself": lambda: (
        "del " not in inspect.getsource(update.update_peerstore_from_identify)
    ),
    "does not identify a peer that comes back": thinks_it_knows_a_peer_that_comes_back,
    "keeps its log to itself": lambda: not logging.getLogger("libp2p").propagate,
}


def main() -> None:
    print(json.dumps({name: check() for name, check in CHECKS.items()}))


if __name__ == "__main__":
    main()
