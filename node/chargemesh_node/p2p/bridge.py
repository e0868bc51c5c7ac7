"""The node's side of the network: the Network port over a supervised network process.

Whatever happens to the process (a crash, a flood, kill -9), the node only sees requests fail and
peers come back some seconds later.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import ExitCode, PersonError

from ..addresses import UNKNOWN_BLOCK
from ..errors import NetworkError, RefusedByPeer, TimedOut, Unreachable
from ..ports import Caller, GossipHandler, PeerHandler, RequestHandler
from . import frames
from .child import Child, Launch, launch
from .limits import DEFAULT_LIMITS, NetworkLimits
from .peer_id import peer_id_of

FIRST_PAUSE_SECONDS = 0.1  # before a restart, doubled at each one that follows soon
MAX_PAUSE_SECONDS = 10.0
HEALTHY_SECONDS = 30.0  # a run this long starts the pauses anew
FIRST_TRIES = 3  # a process that ends so often before it ever listened is not worth more
ANSWER_SLACK_SECONDS = 1.0  # the process keeps the time; this is only for the way there and back
LOOKUP_SECONDS = 12.0
DIAL_SECONDS = 10.0

FAILURES: dict[str, type[NetworkError]] = {
    "unreachable": Unreachable,
    "timed-out": TimedOut,
    "refused": RefusedByPeer,
}


class Libp2pNetwork:
    """See `ports.Network`. `seed` is the transport key's (32 bytes), which is not the identity key.

    `tap` receives every frame that goes to the network process, in clear: all that the node sends.
    `launch` starts the network process (tests with dozens of them fork it from a warm one).
    """

    def __init__(
        self,
        *,
        seed: bytes,
        network_id: str,
        listen: Sequence[str],
        bootstrap: Sequence[Contact] = (),
        announce: Sequence[str] = (),
        limits: NetworkLimits = DEFAULT_LIMITS,
        logger: logging.Logger | None = None,
        tap: Callable[[bytes], None] | None = None,
        launch: Launch = launch,
    ) -> None:
        self._seed = seed
        self._network_id = network_id
        self._listen = tuple(listen)
        self._bootstrap = tuple(_peer(contact) for contact in bootstrap)
        self._announce = tuple(announce)
        self._limits = limits
        self._logger = logger or logging.getLogger(__name__)
        self._tap = tap
        self._launch = launch
        self._contact = Contact(peer_id_of(seed), ())
        self._handlers: dict[str, RequestHandler] = {}
        self._topics: dict[str, GossipHandler] = {}
        self._peer_handlers: list[PeerHandler] = []
        self._blocked: set[str] = set()
        self._peers: dict[str, Contact] = {}
        self._blocks: dict[str, str] = {}  # of the connected peers
        self._remembered: OrderedDict[str, Contact] = OrderedDict()
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[frames.Report]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._child: Child | None = None
        self._up = asyncio.Event()
        self._was_up = False
        self._closing = False
        self._supervisor: asyncio.Task[None] | None = None
        self._start_error: PersonError | None = None
        self._alive: frames.Alive | None = None
        self.restarts = 0

    @property
    def listens(self) -> tuple[str, ...]:
        """The multiaddrs it listens on, once started with their real ports."""
        return self._listen

    # --- life -----------------------------------------------------------------------------------
    async def start(self) -> None:
        """Starts the network process and waits until it listens. PersonError if it can't."""
        if self._supervisor is not None:
            raise RuntimeError("the network is started already")
        self._supervisor = asyncio.create_task(self._supervise())
        up = asyncio.create_task(self._up.wait())
        seconds = self._limits.start_seconds
        await asyncio.wait({up, self._supervisor}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if self._start_error is not None or not self._up.is_set():
            await self.close()
            raise self._start_error or Unreachable("the network process does not start; see the log")

    async def close(self) -> None:
        self._closing = True
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait({self._supervisor})
        for task in self._answering:
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering)

    async def _supervise(self) -> None:
        """Runs the process, again and again, until we close or it can't start in the first place."""
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE_SECONDS
        while self._start_error is None:
            began = loop.time()
            try:
                await self._run_child()
            except Exception:
                # For example no memory to fork with. The network is down, the node goes on.
                self._logger.exception("the network process could not be run")
            if self._start_error is not None or (not self._was_up and self.restarts >= FIRST_TRIES - 1):
                return
            self.restarts += 1
            if loop.time() - began > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def _run_child(self) -> None:
        child = await Child.start(self._limits, self._tap, self._logger, self._launch)
        try:
            child.send(self._configuration())
            while (report := await child.read()) is not None:
                if not self._take(child, report):
                    break
        finally:
            self._went_down()
            code = await child.end(gently=self._closing)
            if not self._closing:
                self._logger.warning("the network process (pid %d) ended with %s", child.pid, code)

    def _configuration(self) -> frames.Configure:
        own = f"{self._contact.peer_id}/{self.restarts}".encode()
        return frames.Configure(
            seed=self._seed,
            network_id=self._network_id,
            listen=self._listen,
            announce=self._announce,
            bootstrap=self._bootstrap,
            remembered=tuple(_peer(contact) for contact in self._remembered.values()),
            protocols=tuple(self._handlers),
            topics=tuple(self._topics),
            blocked=tuple(self._blocked),
            lookup_seed=int.from_bytes(hashlib.blake2b(own, digest_size=4).digest(), "big"),
            limits=self._limits,
        )

    def _went_down(self) -> None:
        self._child = None
        self._up.clear()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(Unreachable("the network process has ended"))
        gone, self._peers, self._blocks = list(self._peers.values()), {}, {}
        for contact in gone:
            self._tell_peer(contact, False)

    # --- reports --------------------------------------------------------------------------------
    def _take(self, child: Child, report: frames.Report) -> bool:
        """Acts on a report; False to end this run of the process."""
        match report:
            case frames.Asked():
                self._in_background(self._answer(child, report))
            case frames.Heard():
                child.send(frames.Verdict(id=report.id, valid=self._judge(report)))
            case frames.PeerChanged():
                self._peer_changed(report)
            case frames.Alive():
                self._alive = report
                return self._is_lean(report)
            case frames.Ready(contact=contact, bound=bound):
                self._contact = _contact(contact)
                self._listen = bound  # with the real ports: a restart listens where peers know us
                self._child = child
                self._was_up = True
                self._up.set()
            case frames.CannotStart(code=code, message=message):
                if self._was_up:
                    return False  # somebody took the port while we were down: try again
                self._start_error = _cannot_listen(code, message)
                return False
            case _:
                future = self._pending.get(report.id)
                if future is not None and not future.done():
                    future.set_result(report)
        return True

    def _is_lean(self, alive: frames.Alive) -> bool:
        """Whether the process may go on: its memory grows with each connection that ever was, so it
        is started anew beyond a bound, when nobody waits for an answer if possible."""
        fat = alive.rss_bytes / self._limits.recycle_rss_bytes
        if fat < 1.0 or (self._pending and fat < 1.25):
            return True
        self._logger.warning("the network process holds %d MB: starting it anew", alive.rss_bytes // 2**20)
        return False

    async def _answer(self, child: Child, asked: frames.Asked) -> None:
        body: bytes | None = None
        try:
            body = await self._handlers[asked.protocol](Caller(asked.peer_id, asked.block), asked.body)
            if len(body) > self._limits.max_message_bytes:
                self._logger.error("an answer of %d bytes on %s is too large", len(body), asked.protocol)
                body = None
        except Exception:
            self._logger.exception("the handler of %s failed", asked.protocol)
        child.send(frames.Reply(id=asked.id, body=body))

    def _judge(self, heard: frames.Heard) -> bool | None:
        handler = self._topics.get(heard.topic)
        if handler is None:
            return None  # left a moment ago, which is not the sender's fault
        try:
            return handler(Caller(heard.peer_id, heard.block), heard.data)
        except Exception:
            self._logger.exception("the handler of topic %s failed", heard.topic)
            return False

    def _peer_changed(self, change: frames.PeerChanged) -> None:
        contact = _contact(change.peer)
        if change.connected:
            self._peers[contact.peer_id] = contact
            self._blocks[contact.peer_id] = change.block
            if contact.addresses:
                self._remembered[contact.peer_id] = contact
                self._remembered.move_to_end(contact.peer_id)
                while len(self._remembered) > self._limits.max_remembered:
                    self._remembered.popitem(last=False)
        else:
            self._peers.pop(contact.peer_id, None)
            self._blocks.pop(contact.peer_id, None)
        self._tell_peer(contact, change.connected)

    def _tell_peer(self, contact: Contact, connected: bool) -> None:
        for handler in self._peer_handlers:
            try:
                handler(contact, connected)
            except Exception:
                self._logger.exception("a handler of peer changes failed")

    def _in_background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    # --- the port -------------------------------------------------------------------------------
    @property
    def contact(self) -> Contact:
        return self._contact

    def serve(self, protocol: str, handler: RequestHandler) -> None:
        if self._supervisor is not None:
            raise RuntimeError("serve before start")
        self._handlers[protocol] = handler

    async def request(self, to: Contact, protocol: str, body: bytes, *, timeout: float = 5.0) -> bytes:
        if len(body) > self._limits.max_message_bytes:
            raise NetworkError(f"a request of {len(body)} bytes is over {self._limits.max_message_bytes}")
        if to.peer_id == self._contact.peer_id:
            return await self._request_ourselves(protocol, body, timeout)
        report = await self._ask(
            lambda id: frames.Ask(id=id, to=_peer(to), protocol=protocol, body=body, seconds=timeout), timeout
        )
        if not isinstance(report, frames.Answered):
            raise NetworkError(f"{type(report).__name__} is no answer to a request")
        return report.body

    async def _request_ourselves(self, protocol: str, body: bytes, timeout: float) -> bytes:
        """We may be among the nodes nearest to a key: then we ask ourselves, without a stream."""
        handler = self._handlers.get(protocol)
        if handler is None:
            raise RefusedByPeer(f"{protocol} is not served here")
        own = self._contact.peer_id
        try:
            async with asyncio.timeout(timeout):
                return await handler(Caller(own, f"peer:{own}"), body)
        except TimeoutError:
            raise TimedOut(f"no answer within {timeout:g} s") from None

    async def closest(self, key: bytes, count: int = 8) -> list[Contact]:
        report = await self._ask(lambda id: frames.FindClosest(id=id, key=key, count=count), LOOKUP_SECONDS)
        if not isinstance(report, frames.Found):
            raise NetworkError(f"{type(report).__name__} is no answer to a look-up")
        return [_contact(peer) for peer in report.peers]

    async def publish(self, topic: str, data: bytes) -> None:
        if len(data) > self._limits.max_gossip_bytes:
            raise NetworkError(f"a message of {len(data)} bytes is over {self._limits.max_gossip_bytes}")
        await self._ask(lambda id: frames.Publish(id=id, topic=topic, data=data), DIAL_SECONDS)

    async def subscribe(self, topic: str, handler: GossipHandler) -> None:
        self._topics[topic] = handler
        if self._child is not None:
            self._child.send(frames.Subscribe(topic=topic))

    async def unsubscribe(self, topic: str) -> None:
        if self._topics.pop(topic, None) is not None and self._child is not None:
            self._child.send(frames.Unsubscribe(topic=topic))

    async def connect(self, to: Contact) -> None:
        if to.peer_id != self._contact.peer_id:
            await self._ask(lambda id: frames.Dial(id=id, to=_peer(to)), DIAL_SECONDS)

    def peers(self) -> list[Contact]:
        return list(self._peers.values())

    def address_block(self, peer_id: str) -> str:
        return self._blocks.get(peer_id, UNKNOWN_BLOCK)

    def on_peer(self, handler: PeerHandler) -> None:
        self._peer_handlers.append(handler)

    def block(self, peer_id: str, blocked: bool = True) -> None:
        """Refuses a peer's connections and streams from now on, or no longer."""
        (self._blocked.add if blocked else self._blocked.discard)(peer_id)
        if self._child is not None:
            self._child.send(frames.Block(peer_id=peer_id, blocked=blocked))

    async def _ask(self, frame: Callable[[int], frames.Command], seconds: float) -> frames.Report:
        """The process's report on a command; NetworkError if it failed, or took too long.

        While the process is being restarted, the time is first spent on waiting for it.
        """
        id = next(self._ids)
        future: asyncio.Future[frames.Report] = asyncio.get_running_loop().create_future()
        self._pending[id] = future
        try:
            async with asyncio.timeout(seconds + ANSWER_SLACK_SECONDS):
                await self._up.wait()
                if self._child is None or not self._child.send(frame(id)):
                    raise Unreachable("the network process takes nothing more at the moment")
                report = await future
        except TimeoutError:
            if not self._up.is_set():
                raise Unreachable("the network process is not running") from None
            raise TimedOut(f"no answer within {seconds:g} s") from None
        finally:
            del self._pending[id]
        if isinstance(report, frames.Failed):
            raise FAILURES.get(report.kind, NetworkError)(report.message)
        return report

    # --- for `status` and the demo --------------------------------------------------------------
    @property
    def pid(self) -> int | None:
        """The process id of the network process; None while there is none."""
        return None if self._child is None else self._child.pid

    def counters(self) -> dict[str, int]:
        """Restarts, memory, connections, and what was dropped since the process started, by reason."""
        alive = self._alive
        if alive is None:
            return {"restarts": self.restarts}
        return {
            "restarts": self.restarts,
            "rss_bytes": alive.rss_bytes,
            "connections": alive.connections,
            "inbound_streams": alive.streams,
            "routing_table": alive.routing_table,
            **alive.counters,
        }


def _cannot_listen(code: str, addresses: str) -> PersonError:
    if code == "bad-address":
        return PersonError(
            code,
            f"{addresses} is no address to listen on.",
            "Write it like /ip4/0.0.0.0/tcp/4001, or leave --listen out.",
            ExitCode.USAGE,
        )
    return PersonError(
        code,
        f"Can't listen on {addresses}: the port is taken or the address is not this machine's.",
        "Choose another with --listen, or stop the program that uses it.",
    )


def _peer(contact: Contact) -> frames.Peer:
    return frames.Peer(contact.peer_id, contact.addresses)


def _contact(peer: frames.Peer) -> Contact:
    return Contact(peer.peer_id, peer.addresses)
