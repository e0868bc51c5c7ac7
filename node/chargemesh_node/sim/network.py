"""A model of the libp2p network: requests, gossip and Kademlia among the nodes of one simulation.

Faults come from the seed: delay, loss (the request or its answer), duplication, partitions (also
one-way), and nodes that are down. Gossip reaches every subscriber that is reachable, each by chance.
Nothing that happens in one node reaches another as an exception: a peer that fails or dies closes the stream.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.limits import MAX_MESSAGE_BYTES

from ..errors import NetworkError, RefusedByPeer, TimedOut, Unreachable
from ..ports import Caller, GossipHandler, PeerHandler, RequestHandler
from .process import Process


@dataclass(slots=True)
class Faults:
    """Probabilities per message, and delays in seconds."""

    loss: float = 0.0
    duplication: float = 0.0
    min_delay: float = 0.005
    max_delay: float = 0.050
    no_look_ups: bool = False  # the DHT is gone
    cut: set[tuple[str, str]] = field(default_factory=set)  # (from, to): nothing passes


class SimulatedInternet:
    """What connects the nodes of one simulation.

    tap: told of everything sent, as (from, to, protocol, body), in clear. broken: what nodes raised while
    they answered, which no node may. met: every two that were ever connected.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.faults = Faults()
        self.nodes: dict[str, SimNetwork] = {}
        self.tap: Callable[[str, str, str, bytes], None] | None = None
        self.broken: list[BaseException] = []
        self.met: set[frozenset[str]] = set()
        self.delivered = 0

    def node(self, name: str, process: Process | None = None) -> SimNetwork:
        """A new node's end of the network; `name` is its PeerId."""
        return SimNetwork(self, name, process)

    def passes(self, sender: str, receiver: str) -> bool:
        """By chance, whether a message arrives; one to itself always does."""
        if sender == receiver:
            return True
        return (sender, receiver) not in self.faults.cut and self.random.random() >= self.faults.loss

    def delay(self) -> float:
        return self.random.uniform(self.faults.min_delay, self.faults.max_delay)

    def partition(self, one: set[str], other: set[str]) -> None:
        """Cuts everything between two groups."""
        self.cut(one, other)
        self.cut(other, one)

    def cut(self, senders: set[str], receivers: set[str]) -> None:
        """Cuts one direction only."""
        self.faults.cut |= {(a, b) for a in senders for b in receivers}

    def heal(self) -> None:
        self.faults.cut.clear()

    def listen(self, sender: str, receiver: str, protocol: str, body: bytes) -> None:
        if self.tap is not None:
            self.tap(sender, receiver, protocol, body)


class SimNetwork:
    """The Network port of one simulated node."""

    def __init__(self, internet: SimulatedInternet, name: str, process: Process | None = None) -> None:
        self._internet = internet
        self._name = name
        self._process = process
        self._handlers: dict[str, RequestHandler] = {}
        self._topics: dict[str, GossipHandler] = {}
        self._peer_handlers: list[PeerHandler] = []
        self._connected: dict[str, Contact] = {}
        self._seen: set[bytes] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        # Fault hook, called with what is about to leave: it may raise SimulatedCrash.
        self.before_send: Callable[[str], None] = lambda _: None

    @property
    def contact(self) -> Contact:
        return Contact(self._name, (f"/dns4/{self._name}/tcp/1",))

    async def start(self) -> None:
        self._internet.nodes[self._name] = self

    async def close(self) -> None:
        self.vanish()
        for task in list(self._tasks):
            task.cancel()

    def vanish(self) -> None:
        """From now on nobody reaches this node, and its connections are gone."""
        if self._internet.nodes.get(self._name) is self:
            del self._internet.nodes[self._name]
        for peer in list(self._connected):
            other = self._internet.nodes.get(peer)
            if other is not None:
                other.forget(self._name)
        self._connected.clear()

    def serve(self, protocol: str, handler: RequestHandler) -> None:
        self._handlers[protocol] = handler

    async def request(self, to: Contact, protocol: str, body: bytes, *, timeout: float = 5.0) -> bytes:
        if len(body) > MAX_MESSAGE_BYTES:
            raise RefusedByPeer(f"{len(body)} bytes are too many for one message")
        self.before_send(f"send {protocol}")
        internet = self._internet
        internet.listen(self._name, to.peer_id, protocol, body)
        try:
            async with asyncio.timeout(timeout):
                await asyncio.sleep(internet.delay())
                peer = internet.nodes.get(to.peer_id)
                if peer is None:
                    raise Unreachable(f"{to.peer_id} is down")
                if not internet.passes(self._name, to.peer_id):
                    await asyncio.sleep(timeout)
                self._meet(to.peer_id)
                if internet.random.random() < internet.faults.duplication:
                    peer.spawn(peer.answer(self._name, protocol, body))
                answer = await self._answer_of(peer, protocol, body)
                await asyncio.sleep(internet.delay())
                if not internet.passes(to.peer_id, self._name):
                    await asyncio.sleep(timeout)
                return answer
        except TimeoutError as error:
            raise TimedOut(f"no answer from {to.peer_id}") from error

    async def _answer_of(self, peer: SimNetwork, protocol: str, body: bytes) -> bytes:
        """The peer's own task makes the answer: our giving up does not end its work."""
        task = peer.spawn(peer.answer(self._name, protocol, body))
        await asyncio.wait({task})
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or not peer.is_up:
            raise Unreachable(f"the connection to {peer._name} was lost")
        if error is not None:
            if not isinstance(error, NetworkError):
                self._internet.broken.append(error)
            raise RefusedByPeer(f"{peer._name} closed the stream") from error
        answer: bytes = task.result()
        self._internet.delivered += 1
        return answer

    @property
    def is_up(self) -> bool:
        return self._internet.nodes.get(self._name) is self

    async def answer(self, caller: str, protocol: str, body: bytes) -> bytes:
        handler = self._handlers.get(protocol)
        if handler is None:
            raise RefusedByPeer(f"{self._name} does not speak {protocol}")
        answer = await handler(Caller(caller, self.address_block(caller)), body)
        self.before_send(f"answer {protocol}")
        self._internet.listen(self._name, caller, protocol, answer)
        return answer

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        """Starts work that others brought: in this node's process, not in theirs."""
        if self._process is not None:
            task = self._process.spawn(work)
        else:
            task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked has it; here it is only marked as seen

    async def closest(self, key: bytes, count: int = 8) -> list[Contact]:
        await asyncio.sleep(self._internet.delay())
        if self._internet.faults.no_look_ups:
            return [self.contact]
        target = int.from_bytes(hashlib.sha256(key).digest(), "big")
        near = sorted(
            self._internet.nodes.values(),
            key=lambda one: int.from_bytes(hashlib.sha256(one._name.encode()).digest(), "big") ^ target,
        )
        return [one.contact for one in near[:count]]

    async def publish(self, topic: str, data: bytes) -> None:
        self.before_send(f"publish {topic}")
        self._internet.listen(self._name, "*", topic, data)
        await self._flood(topic, data, self._name)

    async def subscribe(self, topic: str, handler: GossipHandler) -> None:
        self._topics[topic] = handler

    async def unsubscribe(self, topic: str) -> None:
        self._topics.pop(topic, None)

    async def connect(self, to: Contact) -> None:
        await asyncio.sleep(self._internet.delay())
        if to.peer_id not in self._internet.nodes:
            raise Unreachable(f"{to.peer_id} is down")
        cut = self._internet.faults.cut
        if (self._name, to.peer_id) in cut or (to.peer_id, self._name) in cut:
            raise TimedOut(f"{to.peer_id} does not answer")
        self._meet(to.peer_id)

    def peers(self) -> list[Contact]:
        return list(self._connected.values())

    def address_block(self, peer_id: str) -> str:
        """Each node is a block of its own, as on loopback."""
        return f"peer:{peer_id}"

    def on_peer(self, handler: PeerHandler) -> None:
        self._peer_handlers.append(handler)

    def forget(self, peer: str) -> None:
        contact = self._connected.pop(peer, None)
        if contact is not None:
            self._tell_of(contact, False)

    def _meet(self, peer: str) -> None:
        other = self._internet.nodes.get(peer)
        if other is None or peer == self._name or not self.is_up:
            return
        self._internet.met.add(frozenset((self._name, peer)))
        for one, met in ((self, other), (other, self)):
            if met._name not in one._connected:
                one._connected[met._name] = met.contact
                one._tell_of(met.contact, True)

    def _tell_of(self, contact: Contact, connected: bool) -> None:
        for handler in self._peer_handlers:
            if self._process is not None:
                self._process.call(handler, contact, connected)
            else:
                handler(contact, connected)

    async def _flood(self, topic: str, data: bytes, source: str) -> None:
        """Forwards along connections, as a gossip mesh does; each node sees a message once."""
        digest = hashlib.sha256(topic.encode() + data).digest()
        if digest in self._seen:
            return
        self._seen.add(digest)
        for peer in list(self._connected):
            other = self._internet.nodes.get(peer)
            if other is not None and peer != source and self._internet.passes(self._name, peer):
                other.spawn(other._receive(topic, data, self._name))

    async def _receive(self, topic: str, data: bytes, source: str) -> None:
        await asyncio.sleep(self._internet.delay())
        handler = self._topics.get(topic)
        if handler is not None and handler(Caller(source, self.address_block(source)), data):
            self._internet.listen(self._name, "*", topic, data)
            await self._flood(topic, data, source)
