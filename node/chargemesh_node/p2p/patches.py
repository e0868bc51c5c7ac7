"""Every change we make to py-libp2p 0.8.1 itself, each with its reason.

A test for each fails when a newer libp2p no longer needs it (tests/node/p2p/test_patches.py). Line
numbers are those of 0.8.1. What a subclass or an argument can do is not here: see `swarm`,
`gossip` and `host` (the dialler, for one, replaces the 250 ms wait of `Swarm.dial_peer`).
"""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import trio
from libp2p.exceptions import ParseError
from libp2p.host import basic_host
from libp2p.host.basic_host import BasicHost
from libp2p.identity.identify_push import identify_push
from libp2p.io.exceptions import ConnectionClosedError, MessageTooLarge
from libp2p.io.trio import TrioTCPStream
from libp2p.kad_dht import common, kad_dht, peer_routing, provider_store, value_store
from libp2p.protocol_muxer import multiselect_communicator
from libp2p.protocol_muxer.exceptions import MultiselectCommunicatorError
from libp2p.pubsub import pubsub
from libp2p.pubsub.rpc_queue import RpcQueue
from libp2p.stream_muxer.yamux import yamux
from libp2p.tools.anyio_service.trio_manager import TrioManager
from libp2p.transport.tcp import tcp
from libp2p.utils.varint import read_varint_prefixed_bytes_limited

from .counters import Counters
from .limits import NetworkLimits
from .rates import Rates

FRAME_WRITE_SECONDS = 15.0  # a peer that reads nothing for so long is gone

YamuxStream: Any = yamux.YamuxStream  # the original, also when apply() runs twice
_read_exactly = yamux.read_exactly
_run_task = TrioManager.run_task
_identify_task_entry = BasicHost._identify_task_entry
_update_peerstore = identify_push.update_peerstore_from_identify


def kad_protocol(network_id: str) -> str:
    """The Kademlia protocol of one chargemesh network: others' nodes never enter its tables."""
    return f"/chargemesh/{network_id}/kad/1.0.0"


def apply(network_id: str, limits: NetworkLimits, counters: Counters) -> None:
    """Patches the imported libp2p; once per process, before a host is made."""
    let_logs_through()
    bind_kademlia_to(network_id)
    write_frames_whole(counters)
    close_silent_connections(limits, counters)
    hold_peers_to_their_window(counters)
    pace_frames(limits)
    bound_protocol_negotiation(limits)
    contain_failing_tasks(counters)
    see_ipv6_peers()
    notice_taken_ports()
    widen_gossip_queues(limits)
    identify_whoever_connects()
    bound_identify(limits)
    bound_kademlia_messages(limits)


def let_logs_through() -> None:
    """`import libp2p` sets propagate=False and no handler: errors would vanish (utils/logging.py)."""
    logging.getLogger("libp2p").propagate = True


def bind_kademlia_to(network_id: str) -> None:
    """KadDHT ignores its `protocol_prefix` (kad_dht.py:198,340): five modules hold the constant."""
    for module in (common, kad_dht, peer_routing, provider_store, value_store):
        module.PROTOCOL_ID = kad_protocol(network_id)


def write_frames_whole(counters: Counters) -> None:
    """Shields the write of a Yamux frame: cancelled half-way it spends a Noise nonce for nothing,
    and the connection is dead while it is still listed as live (yamux.py `_write_frame`). The wait
    for the lock is shielded too: `open_stream` loses one of its 256 places if it is cancelled there."""

    async def write_frame(self: Any, data: bytes) -> None:
        deadline = trio.current_time() + FRAME_WRITE_SECONDS
        with trio.CancelScope(shield=True, deadline=deadline) as scope:
            async with self._write_lock:
                await self.secured_conn.write(data)
        if scope.cancelled_caught:
            counters.add("drop:peer-reads-nothing")
            await self.secured_conn.close()
            raise ConnectionClosedError("the peer reads nothing", transport="tcp")

    yamux.Yamux._write_frame = write_frame


def close_silent_connections(limits: NetworkLimits, counters: Counters) -> None:
    """A frozen peer stays connected for ever and stalls what asks it: the loop that measures the
    round trip ignores a missing answer (yamux.py `_measure_rtt_loop`). Ours closes then."""

    async def watch(self: Any) -> None:
        while not self.event_shutting_down.is_set():
            with trio.move_on_after(limits.ping_every_seconds):
                await self.event_shutting_down.wait()
                return
            self._ping_id = (self._ping_id + 1) % 2**32
            self._ping_event = trio.Event()
            ping = (0, yamux.TYPE_PING, yamux.FLAG_SYN, 0, self._ping_id)
            try:
                await self._write_frame(struct.pack(yamux.YAMUX_HEADER_FORMAT, *ping))
            except Exception as error:  # noqa: BLE001  # the reader sees the same break and cleans up
                counters.fault("yamux-ping", error)
                return
            self._ping_sent_time = trio.current_time()
            with trio.move_on_after(limits.ping_answer_seconds) as answer:
                await self._ping_event.wait()
            if answer.cancelled_caught and not self.event_shutting_down.is_set():
                counters.add("drop:peer-silent")
                await self.secured_conn.close()

    yamux.Yamux._measure_rtt_loop = watch


class WindowOverrun(trio.TooSlowError):
    """A peer sent more than the window that it was given.

    Yamux's reader closes the connection on TooSlowError alone, and carries on after anything else.
    """


def hold_peers_to_their_window(counters: Counters) -> None:
    """A peer that ignores the receive window grows our memory: it is only logged (yamux.py:1543).

    Also no update for every small read (yamux.py:441: CPU per look-up 94 ms instead of 24), and no
    growth to 16 MiB a stream: our messages are 256 KiB at most.
    """
    window = yamux.DEFAULT_WINDOW_SIZE

    class BoundedStream(YamuxStream):
        _pending_recv_release: int

        @property
        def recv_window(self) -> int:
            return self._recv_window

        @recv_window.setter
        def recv_window(self, value: int) -> None:
            if value < 0:
                counters.add("drop:window-overrun")
                raise WindowOverrun
            self._recv_window = value

        async def _auto_tune_and_send_window_update(self, *, bytes_read: int = 0) -> None:
            self._pending_recv_release += bytes_read
            if self._pending_recv_release < window // 2 or self.recv_closed:
                return
            increment, self._pending_recv_release = self._pending_recv_release, 0
            self.recv_window += increment
            await self.send_window_update(increment)

    yamux.YamuxStream = BoundedStream
    yamux.MAX_WINDOW_SIZE = window  # a longer frame is refused before it is read


def pace_frames(limits: NetworkLimits) -> None:
    """Nothing holds back a connection that sends frames as fast as it can, be they pings, and Python
    handles some thousands a second: one peer would have our whole core (yamux.py `handle_incoming`)."""

    async def read(connection: Any, n: int) -> bytes:
        if n == yamux.HEADER_SIZE:
            rates = getattr(connection, "_frame_rates", None)
            if rates is None:
                rates = connection._frame_rates = Rates(limits.frames_per_second, limits.frames_burst)
            pause = rates.wait_for("")
            if pause:
                await trio.sleep(pause)
        data: bytes = await _read_exactly(connection, n)
        return data

    yamux.read_exactly = read


def bound_protocol_negotiation(limits: NetworkLimits) -> None:
    """`read_delim` reads a length of up to 2^64 and then asks for as much memory, before any key
    is proved (utils/varint.py:144); names that are not UTF-8 raise something nobody catches."""

    async def read(self: Any) -> str:
        try:
            line: bytes = await read_varint_prefixed_bytes_limited(
                self.read_writer, limits.max_multistream_bytes
            )
        except (MessageTooLarge, ParseError, multiselect_communicator.IOException) as error:
            raise MultiselectCommunicatorError("no protocol name") from error
        if not line.endswith(b"\n"):
            raise MultiselectCommunicatorError("a protocol name without its end")
        try:
            return line[:-1].decode()
        except UnicodeDecodeError as error:
            raise MultiselectCommunicatorError("a protocol name that is not text") from error

    multiselect_communicator.MultiselectCommunicator.read = read


def contain_failing_tasks(counters: Counters) -> None:
    """An exception in one connection's or message's task stops the whole service, and so the host
    (tools/anyio_service/trio_manager.py:376); the identify task raises into trio itself, which
    ends the program. Each new task also scanned all others for its parent: quadratic in a flood.
    """

    def run_task(
        self: Any,
        async_fn: Callable[..., Awaitable[Any]],
        *args: Any,
        daemon: bool = False,
        name: str | None = None,
        _internal: bool = False,
    ) -> None:
        async def contained() -> None:
            try:
                await async_fn(*args)
            except Exception as error:  # noqa: BLE001  # one peer's task; the others live on
                counters.fault("task", error)

        if daemon or _internal:
            _run_task(self, async_fn, *args, daemon=daemon, name=name, _internal=_internal)
        else:
            _run_task(self, contained, name=name or getattr(async_fn, "__name__", "task"))

    async def identify(self: Any, peer_id: Any, reason: str) -> None:
        try:
            await _identify_task_entry(self, peer_id, reason)
        except Exception as error:  # noqa: BLE001  # runs as a trio system task
            counters.fault("identify", error)

    TrioManager.run_task = run_task
    TrioManager._find_parent_task = lambda self, task: None
    BasicHost._identify_task_entry = identify


def see_ipv6_peers() -> None:
    """`get_remote_address` knows only pairs; IPv6 sockets give four values (io/trio.py:104), so
    that no limit by address would hold for them."""

    def get_remote_address(self: Any) -> tuple[str, int] | None:
        if self._cached_remote_address is None:
            try:
                name = self.stream.socket.getpeername()
            except (OSError, AttributeError):
                return None
            host = str(name[0]).split("%")[0].removeprefix("::ffff:")
            self._cached_remote_address = (host, int(name[1]))
        cached: tuple[str, int] = self._cached_remote_address
        return cached

    TrioTCPStream.get_remote_address = get_remote_address


def see_websocket_peers(connection_class: Any) -> None:
    """WebSocket connections tell no remote address at all (transport/websocket/connection.py:536)."""

    def get_remote_address(self: Any) -> tuple[str, int] | None:
        remote = getattr(self._ws_connection, "remote", None)
        if remote is None or isinstance(remote, str):
            return None
        return str(remote.address).removeprefix("::ffff:"), int(remote.port)

    connection_class.get_remote_address = get_remote_address


def notice_taken_ports() -> None:
    """Listeners set SO_REUSEPORT for hole punching (tcp.py:51): a second node on the same port
    starts as if all were well and takes half of the first one's connections."""

    def reuse_address_only(sock: Any) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    tcp._set_reuse_flags = reuse_address_only


def widen_gossip_queues(limits: NetworkLimits) -> None:
    """32 messages may wait for a peer, the rest are dropped in silence (pubsub/rpc_queue.py:39)."""
    pubsub.RpcQueue = partial(RpcQueue, max_size=limits.gossip_queue)


def identify_whoever_connects() -> None:
    """A peer that comes back is not asked again while the peerstore remembers its protocols (basic_host.py
    `_has_cached_protocols`): the one that restarted on another port is told of at its old one for 2 h."""

    def is_identified(self: Any, peer_id: Any) -> bool:
        return peer_id in self._identified_peers

    BasicHost._has_cached_protocols = is_identified


def bound_identify(limits: NetworkLimits) -> None:
    """Identify stores whatever addresses and protocols a peer names, megabytes of them for each."""

    async def update(peerstore: Any, peer_id: Any, message: Any) -> None:
        del message.listen_addrs[limits.max_identify_items :]
        del message.protocols[limits.max_identify_items :]
        await _update_peerstore(peerstore, peer_id, message)

    basic_host.update_peerstore_from_identify = update
    identify_push.update_peerstore_from_identify = update


def bound_kademlia_messages(limits: NetworkLimits) -> None:
    """4 MiB may be announced for a Kademlia message; ours, without values, are a few hundred bytes."""
    kad_dht.MAX_DHT_MESSAGE_SIZE = limits.max_kad_message_bytes
