"""One long-lived Kademlia stream per peer, owned by one task; callers abandon requests, never cancel them.

Cancelling a write in py-libp2p 0.8.1 breaks the whole connection while it stays listed as live. So a
caller that has waited long enough goes away, the task keeps waiting, and an answer that comes late says
that the peer is alive after all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import trio
from google.protobuf.message import DecodeError
from libp2p.kad_dht import common as kad_common
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from .framed import Framed
from .guard import reset
from .kad_dial import Dialer, DialFailed
from .kad_limits import LookupLimits

logger = logging.getLogger(__name__)


class BadReply(Exception):
    """What came is no reply to FIND_NODE."""


class NoAnswer(Exception):
    """The peer did not answer, or not with an answer."""


class TooBusy(Exception):
    """We have too much going on to ask; nothing is said about the peer."""


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of `closerPeers`: an unproven claim that `peer` can be reached there."""

    peer: ID
    addresses: tuple[bytes, ...]


def find_node(key: bytes) -> bytes:
    """FIND_NODE without a sender's record: Noise said who asks, and the peer is spared a signature check."""
    body: bytes = Message(type=Message.MessageType.FIND_NODE, key=key).SerializeToString()
    return body


def read_reply(message: bytes, limits: LookupLimits) -> list[Told]:
    """The peers that a reply names, cut to our limits; BadReply if it is no FIND_NODE reply.

    Signed records in it are ignored: whoever we then dial has to prove its key anyway.
    """
    reply = Message()
    try:
        reply.ParseFromString(message)
    except DecodeError as error:
        raise BadReply("no protobuf") from error
    if reply.type != Message.MessageType.FIND_NODE:
        raise BadReply("not a reply to FIND_NODE")
    return [
        Told(ID(entry.id), tuple(a for a in entry.addrs[: limits.max_told_addresses] if len(a) <= 128))
        for entry in reply.closerPeers[: limits.max_closer_peers]
        if _is_peer_id(entry.id)
    ]


def _is_peer_id(raw: bytes) -> bool:
    """A PeerId is a multihash: SHA-256 of the key, or (Ed25519) the key itself."""
    of_hash = len(raw) == 34 and raw[:2] == b"\x12\x20"
    of_key = 2 < len(raw) <= 44 and raw[:2] == bytes((0, len(raw) - 2))
    return of_hash or of_key


class _Request:
    def __init__(self, key: bytes) -> None:
        self.key = key
        self.done = trio.Event()
        self.abandoned = False
        self.told: list[Told] | None = None

    def finish(self, told: list[Told] | None) -> None:
        self.told = told
        self.done.set()


class KadLink:
    """Serves requests to one peer, one after the other, from the task that runs `run`."""

    def __init__(self, host: Any, dialer: Dialer, peer: ID, limits: LookupLimits) -> None:
        self.peer = peer
        self.last_used = trio.current_time()
        self.asked_at: float | None = None  # since when an answer is owed
        self.opened = trio.Event()  # or failed to
        self.served = False  # has answered at least once
        self.closed = False
        self.scope = trio.CancelScope()
        self._host = host
        self._dialer = dialer
        self._limits = limits
        self._was_connected = dialer.connected(peer)
        if self._was_connected:
            self.asked_at = (
                trio.current_time()
            )  # a stream opens as fast as an answer comes; dialling has own limits
        self._stream: Any = None
        self._current: _Request | None = None
        self._inbox: trio.MemorySendChannel[_Request]
        self._outbox: trio.MemoryReceiveChannel[_Request]
        self._inbox, self._outbox = trio.open_memory_channel(limits.queue_per_link)

    @property
    def stalled(self) -> bool:
        return self.asked_at is not None and trio.current_time() - self.asked_at > self._limits.request_s

    @property
    def idle(self) -> bool:
        return self.opened.is_set() and self.asked_at is None

    async def ask(self, key: bytes) -> list[Told]:
        """The peers nearest to `key` that this one knows. NoAnswer after a second, TooBusy if many wait."""
        self.last_used = trio.current_time()
        if not self.opened.is_set():
            with trio.move_on_after(self._limits.request_s if self._was_connected else float("inf")):
                await self.opened.wait()
        if self.closed or self.stalled or not self.opened.is_set():
            raise NoAnswer("does not open a stream or owes us an answer")
        request = _Request(key)
        try:
            self._inbox.send_nowait(request)
        except trio.WouldBlock as error:
            raise TooBusy(f"{self._limits.queue_per_link} requests wait for this peer") from error
        try:
            with trio.move_on_after(self._limits.request_s):
                await request.done.wait()
        finally:
            request.abandoned = request.told is None  # also when the caller is cancelled
        if request.told is None:
            raise NoAnswer("no answer in time, or none that is an answer")
        return request.told

    async def run(self, told: Sequence[Multiaddr], answered_late: Callable[[ID], None]) -> None:
        """Connects, opens the stream and serves requests until the peer fails or the scope is cancelled."""
        with self.scope:
            try:
                await self._open(told)
                self.opened.set()
                while True:
                    self._current = await self._outbox.receive()
                    if self._current.abandoned:
                        continue
                    reply = await self._serve(self._current.key)
                    if self._current.abandoned:
                        answered_late(self.peer)
                    self._current.finish(reply)
                    self._current = None
            except Exception as error:  # noqa: BLE001 - libp2p raises dozens of kinds; each ends this link
                logger.debug("kademlia link to %s is over: %s", self.peer, error)
            finally:
                self._end()
        if self._stream is not None:
            await reset(self._stream)

    async def _open(self, told: Sequence[Multiaddr]) -> None:
        if self._dialer.connected(self.peer):
            await self._open_stream()
            return
        await self._dialer.connect(self.peer, told)
        with trio.move_on_after(self._limits.dial_s):  # the connection is new: nobody else's write can break
            await self._open_stream()
        if self._stream is None:
            raise DialFailed("the peer connects, but opens no stream")

    async def _open_stream(self) -> None:
        self._stream = await self._host.new_stream(self.peer, [kad_common.PROTOCOL_ID])
        self._framed = Framed(self._stream, self._limits.max_reply_bytes)
        self.asked_at = None

    async def _serve(self, key: bytes) -> list[Told]:
        self.asked_at = trio.current_time()
        await self._framed.write(find_node(key))
        message = await self._framed.read(self._limits.stuck_s)
        if message is None:
            raise BadReply("the peer ended the stream")
        reply = read_reply(message, self._limits)
        self.asked_at = None
        self.served = True
        return reply

    def _end(self) -> None:
        self.closed = True
        self.opened.set()
        self._inbox.close()
        if self._current is not None:
            self._current.finish(None)
        while True:
            try:
                self._outbox.receive_nowait().finish(None)
            except (trio.WouldBlock, trio.EndOfChannel):
                return


class KadLinks:
    """The links we hold: made on demand, capped, the idle one that was unused for longest goes first."""

    def __init__(
        self, host: Any, dialer: Dialer, limits: LookupLimits, answered_late: Callable[[ID], None]
    ) -> None:
        self._host = host
        self._dialer = dialer
        self._limits = limits
        self._answered_late = answered_late
        self._links: dict[ID, KadLink] = {}
        self._nursery: trio.Nursery | None = None

    def serve(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery

    def __len__(self) -> int:
        return len(self._links)

    async def ask(self, peer: ID, told: Sequence[Multiaddr], key: bytes) -> list[Told]:
        """See KadLink.ask. A stream that ended since the last request is opened again, once."""
        link = self._live(peer) or self._new(peer, told)
        had_served = link.served
        try:
            return await link.ask(key)
        except NoAnswer:
            if not (link.closed and had_served):
                raise
        return await (self._live(peer) or self._new(peer, told)).ask(key)

    def stalled(self) -> list[ID]:
        """Peers that owe an answer for too long, also where the caller did not wait for it."""
        return [link.peer for link in self._links.values() if link.stalled]

    def give_up_stuck(self) -> None:
        """Drops links that have owed an answer for too long."""
        for link in list(self._links.values()):
            if link.asked_at is not None and trio.current_time() - link.asked_at > self._limits.stuck_s:
                self._drop(link)

    def _live(self, peer: ID) -> KadLink | None:
        link = self._links.get(peer)
        return None if link is None or link.closed else link

    def _new(self, peer: ID, told: Sequence[Multiaddr]) -> KadLink:
        if self._nursery is None:
            raise RuntimeError("Lookup.run() has to run before anything is looked up")
        if len(self._links) >= self._limits.max_links:
            idle = [link for link in self._links.values() if link.idle]
            if not idle:
                raise TooBusy(f"{len(self._links)} links are in use")
            self._drop(min(idle, key=lambda link: link.last_used))
        link = KadLink(self._host, self._dialer, peer, self._limits)
        self._links[peer] = link
        self._nursery.start_soon(self._run, link, told)
        return link

    async def _run(self, link: KadLink, told: Sequence[Multiaddr]) -> None:
        try:
            await link.run(told, self._answered_late)
        finally:
            if self._links.get(link.peer) is link:
                del self._links[link.peer]

    def _drop(self, link: KadLink) -> None:
        link.scope.cancel()
        link.closed = True
        if self._links.get(link.peer) is link:
            del self._links[link.peer]
