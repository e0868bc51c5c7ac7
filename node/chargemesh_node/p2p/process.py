"""The network process: takes the node's commands from a socket, runs the host, reports back.

It dies with its parent: the end of the socket ends it, and on Linux the kernel sees to it as well.
"""

from __future__ import annotations

import ctypes
import itertools
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import trio
from libp2p.peer.id import ID
from libp2p.tools.anyio_service import background_trio_service

from . import frames, patches
from .addresses import parse_addresses, without_peer
from .answering import Answerer
from .asking import Asker, AskError, CannotReach
from .counters import Counters
from .frames import Peer
from .gossip import Gossip, GuardedPubsub, make_router
from .guard import Guard
from .host import make_dht, make_host, serve
from .kad_limits import DEFAULT_LOOKUP_LIMITS, LookupLimits
from .limits import NetworkLimits
from .lookup import Lookup
from .memory import limit_memory, resident_bytes
from .neighbours import Neighbours

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
REPORTS_WAITING = 1024  # beyond it the process waits for the node to read


def main(fd: int) -> None:
    """Runs on the socket with that file descriptor until it ends. Returns to exit with 0."""
    die_with_parent()
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("libp2p").setLevel(logging.CRITICAL)  # to it, what any stranger does is an error
    trio.run(_run, socket.socket(fileno=fd))


def die_with_parent() -> None:
    """On Linux the kernel kills us when the node dies, also while we are too busy to read the socket."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


async def _run(plain: socket.socket) -> None:
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(plain))
    reader = FrameReader(stream)
    first = await reader.next()
    if not isinstance(first, frames.Configure):
        raise frames.FrameError("the first frame must configure")
    await NetworkProcess(first, stream, reader).run()


class FrameReader:
    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._buffer = bytearray()

    async def next(self) -> frames.Command | None:
        """The next command; None once the node is gone."""
        if not await self._have(frames.LENGTH_BYTES):
            return None
        end = frames.LENGTH_BYTES + frames.frame_length(bytes(self._buffer[: frames.LENGTH_BYTES]))
        if not await self._have(end):
            return None
        command = frames.parse_command(bytes(self._buffer[frames.LENGTH_BYTES : end]))
        del self._buffer[:end]
        return command

    async def _have(self, n: int) -> bool:
        while len(self._buffer) < n:
            try:
                data = await self._stream.receive_some(65536)
            except trio.BrokenResourceError:
                return False
            if not data:
                return False
            self._buffer += data
        return True


class NetworkProcess:
    def __init__(self, config: frames.Configure, stream: trio.SocketStream, reader: FrameReader) -> None:
        self._config = config
        self._limits = config.limits
        self._stream = stream
        self._reader = reader
        self._counters = Counters()
        patches.apply(config.network_id, config.limits, self._counters)
        self._guard = Guard(config.limits, self._counters)
        for peer_id in config.blocked:
            self._guard.block(peer_id, True)
        listen = parse_addresses(config.listen)
        announce = parse_addresses(config.announce)
        self._listen = listen
        self._host = make_host(config.seed, listen, announce, config.limits, self._guard, self._counters)
        self._dht = make_dht(self._host, config.limits)
        self._lookup = Lookup(
            self._host, self._dht, lookup_limits(config.limits), rng_seed=config.lookup_seed
        )
        router = make_router(self._counters)
        self._pubsub = GuardedPubsub(
            self._host, router, self._judge, config.limits, self._guard, self._counters
        )
        self._router = router
        self._gossip = Gossip(self._pubsub, config.limits, self._counters)
        self._reports, self._outbox = trio.open_memory_channel[frames.Report](REPORTS_WAITING)
        self._ids = itertools.count(1)
        self._waiting: dict[int, Pending] = {}

    # --- the life of the process ----------------------------------------------------------------
    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write_reports)
            async with background_trio_service(self._host.get_network()):
                if await self._listens():
                    await self._serve()
            nursery.cancel_scope.cancel()

    async def _listens(self) -> bool:
        """Listens on all our addresses, or tells the node on which we can't."""
        network = self._host.get_network()
        await network.listen(*self._listen)
        nonsense = [text for text in self._config.listen if not parse_addresses([text])]
        silent = [str(a) for a in self._listen if str(a) not in network.listeners]
        if nonsense or silent:
            code = "bad-address" if nonsense else "port-taken"
            report = frames.CannotStart(code=code, message=", ".join(nonsense or silent))
            await self._stream.send_all(frames.pack(report))
        return not (nonsense or silent)

    async def _serve(self) -> None:
        """Everything that runs while we are up. Ends the process when the node says so or is gone."""
        answerer = Answerer(self._ask_node, self._limits, self._counters)
        for protocol in self._config.protocols:
            serve(self._host, protocol, answerer.handler(protocol))
        async with (
            background_trio_service(self._pubsub),
            background_trio_service(self._router),
            trio.open_nursery() as inner,
        ):
            await self._pubsub.wait_until_ready()
            self._asker = Asker(self._host, inner, self._limits, self._counters)
            self._neighbours = Neighbours(
                self._host, self._lookup, self._reports, self._limits, self._counters
            )
            for topic in self._config.topics:
                await self._gossip.subscribe(topic)
            limit_memory(self._limits.memory_headroom_bytes)
            await self._reports.send(self._ready())
            await inner.start(self._lookup.run)
            inner.start_soon(self._gossip.run)
            inner.start_soon(self._asker.sweep)
            inner.start_soon(self._neighbours.run, [*self._config.bootstrap, *self._config.remembered])
            inner.start_soon(self._say_alive)
            await self._obey(inner)
            # Nothing is to be saved, and libp2p takes 0.2 s to close each connection: the kernel closes
            # the sockets, and our peers see it at once.
            os._exit(0)

    def _ready(self) -> frames.Ready:
        bound = [a for listener in self._host.get_network().listeners.values() for a in listener.get_addrs()]
        return frames.Ready(
            contact=Peer(str(self._host.get_id()), _texts(self._host.get_addrs())), bound=_texts(bound)
        )

    async def _say_alive(self) -> None:
        while True:
            await trio.sleep(self._limits.alive_seconds)
            await self._reports.send(
                frames.Alive(
                    rss_bytes=resident_bytes(),
                    connections=len(self._host.get_network().get_connections()),
                    streams=self._guard.streams,
                    routing_table=self._dht.routing_table.size(),
                    counters=self._counters.snapshot(),
                )
            )

    async def _write_reports(self) -> None:
        async for report in self._outbox:
            try:
                await self._stream.send_all(frames.pack(report))
            except trio.BrokenResourceError:
                return  # the reader sees the end too, and ends everything

    # --- commands -------------------------------------------------------------------------------
    async def _obey(self, nursery: trio.Nursery) -> None:
        while True:
            command = await self._reader.next()
            match command:
                case None | frames.Stop():
                    return
                case frames.Reply(id=id, body=body):
                    self._settle(id, body)
                case frames.Verdict(id=id, valid=valid):
                    self._settle(id, valid)
                case frames.Ask():
                    nursery.start_soon(self._try, command.id, partial(self._ask, command))
                case frames.FindClosest():
                    nursery.start_soon(self._try, command.id, partial(self._find_closest, command))
                case frames.Dial():
                    nursery.start_soon(self._try, command.id, partial(self._dial, command))
                case frames.Publish():
                    nursery.start_soon(self._try, command.id, partial(self._publish, command))
                case frames.Subscribe(topic=topic):
                    await self._gossip.subscribe(topic)
                case frames.Unsubscribe(topic=topic):
                    await self._gossip.unsubscribe(topic)
                case frames.Block(peer_id=peer_id, blocked=blocked):
                    self._guard.block(peer_id, blocked)
                case _:
                    raise frames.FrameError(f"{type(command).__name__} has no place here")

    async def _try(self, id: int, run: Callable[[], Awaitable[frames.Report]]) -> None:
        """Does what a command asks; whatever goes wrong is that command's failure, told to the node."""
        try:
            report = await run()
        except AskError as error:
            report = frames.Failed(id=id, kind=error.kind, message=str(error))
        except Exception as error:  # noqa: BLE001  # libp2p raises dozens of kinds
            self._counters.fault("command", error)
            report = frames.Failed(id=id, kind="unreachable", message=f"{type(error).__name__}: {error}")
        await self._reports.send(report)

    async def _ask(self, command: frames.Ask) -> frames.Report:
        peer = self._learn(command.to)
        try:
            answer = await self._asker.ask(peer, command.protocol, command.body, command.seconds)
        except AskError as error:
            if error.kind != "refused":
                self._lookup.peer_failed(peer)
            raise
        self._lookup.peer_seen(peer)
        return frames.Answered(id=command.id, body=answer)

    async def _find_closest(self, command: frames.FindClosest) -> frames.Report:
        found = await self._lookup.closest(command.key, command.count)
        return frames.Found(
            id=command.id, peers=tuple(Peer(str(peer), _texts(addresses)) for peer, addresses in found)
        )

    async def _dial(self, command: frames.Dial) -> frames.Report:
        await self._neighbours.connect(command.to)
        return frames.Done(id=command.id)

    async def _publish(self, command: frames.Publish) -> frames.Report:
        if not self._gossip.publish(command.topic, command.data):
            raise CannotReach("too many publications wait already")
        return frames.Done(id=command.id)

    def _learn(self, to: Peer) -> ID:
        """Takes in where the peer is said to be; what is new may be dialled at once."""
        peer = peer_of(to)
        addresses = parse_addresses(to.addresses)
        if addresses:
            network = self._host.get_network()
            if not set(addresses) <= set(network.known_addresses(peer)):
                network.forgive(peer)
            network.peerstore.add_addrs(peer, addresses, self._limits.address_seconds)
        return peer

    # --- questions to the node ------------------------------------------------------------------
    async def _ask_node(self, peer_id: str, block: str, protocol: str, body: bytes) -> bytes | None:
        answer: bytes | None = await self._question(
            lambda id: frames.Asked(id=id, peer_id=peer_id, block=block, protocol=protocol, body=body)
        )
        return answer

    async def _judge(self, peer_id: str, block: str, topic: str, data: bytes) -> bool | None:
        with trio.move_on_after(self._limits.verdict_seconds):
            verdict: bool | None = await self._question(
                lambda id: frames.Heard(id=id, peer_id=peer_id, block=block, topic=topic, data=data)
            )
            return verdict
        return None

    async def _question(self, frame: Callable[[int], frames.Report]) -> Any:
        id = next(self._ids)
        pending = self._waiting[id] = Pending()
        try:
            await self._reports.send(frame(id))
            await pending.over.wait()
            return pending.answer
        finally:
            del self._waiting[id]

    def _settle(self, id: int, answer: Any) -> None:
        pending = self._waiting.get(id)
        if pending is not None:  # else its asker has gone
            pending.answer = answer
            pending.over.set()


class Pending:
    """A question to the node that waits for its answer."""

    def __init__(self) -> None:
        self.over = trio.Event()
        self.answer: Any = None


def lookup_limits(limits: NetworkLimits) -> LookupLimits:
    return replace(
        DEFAULT_LOOKUP_LIMITS, join_jitter_s=limits.join_jitter_seconds, refresh_s=limits.refresh_seconds
    )


def peer_of(peer: Peer) -> ID:
    """The PeerId; CannotReach if the text is none."""
    try:
        return ID.from_string(peer.peer_id)
    except Exception as error:
        raise CannotReach(f"{peer.peer_id[:64]!r} is no PeerId") from error


def _texts(addresses: Any) -> tuple[str, ...]:
    return tuple(str(without_peer(address)) for address in addresses)
