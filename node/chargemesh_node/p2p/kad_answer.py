"""The answering side of Kademlia: FIND_NODE from the routing table, in place of KadDHT's own handler.

py-libp2p 0.8.1's handler reads a length byte by byte, writes it apart from the body, packs 20 signed
records that nobody here reads, and also takes values and providers from strangers. It cost about 2 ms of
CPU for each answer, and most of what a stranger could do with a DHT.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from google.protobuf.message import DecodeError
from libp2p.kad_dht import common as kad_common
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStoreError

from .framed import BrokenStream, Framed
from .guard import reset
from .kad_dial import reach_of, reach_of_address
from .kad_frontier import distance
from .kad_limits import LookupLimits

logger = logging.getLogger(__name__)


class BadRequest(Exception):
    """What came is no request that we answer."""


def answer_find_node(host: Any, dht: Any, limits: LookupLimits) -> None:
    """Answers look-ups on our Kademlia protocol from now on; a stream that asks anything else is reset."""
    answerer = FindNodeAnswerer(host, dht.routing_table, limits)
    host.set_stream_handler(kad_common.PROTOCOL_ID, answerer.handle)


class FindNodeAnswerer:
    """Serves long-lived streams, so many at once and so many of one peer."""

    def __init__(self, host: Any, table: Any, limits: LookupLimits) -> None:
        self._host = host
        self._me: ID = host.get_id()
        self._table = table
        self._limits = limits
        self._open: Counter[ID] = Counter()

    async def handle(self, stream: Any) -> None:
        """One stream, to its end. Whatever is wrong with it resets it."""
        peer = stream.muxed_conn.peer_id
        if (
            self._open[peer] >= self._limits.inbound_streams_per_peer
            or self._open.total() >= self._limits.inbound_streams
        ):
            await reset(stream)
            return
        self._open[peer] += 1
        try:
            await self._serve(stream, peer, reach_of(stream.muxed_conn))
        except (BadRequest, BrokenStream) as error:
            logger.debug("a look-up stream of %s: %s", peer, error)
            await reset(stream)
        finally:
            self._open[peer] -= 1
            if not self._open[peer]:
                del self._open[peer]

    async def _serve(self, stream: Any, peer: ID, reach: int) -> None:
        framed = Framed(stream, self._limits.max_request_bytes)
        while (request := await framed.read(self._limits.request_body_s)) is not None:
            await framed.write(self.answer(request, peer, reach))
        await stream.close()

    def answer(self, request: bytes, asker: ID, reach: int) -> bytes:
        """The reply to one request; BadRequest if it is none. `reach` is the scope of the asker's address."""
        message = Message()
        try:
            message.ParseFromString(request)
        except DecodeError as error:
            raise BadRequest("no protobuf") from error
        if message.type == Message.MessageType.PING:
            return bytes(Message(type=Message.MessageType.PING).SerializeToString())
        if message.type != Message.MessageType.FIND_NODE:
            raise BadRequest(f"type {message.type}; we only answer FIND_NODE")
        if not 2 <= len(message.key) <= self._limits.max_key_bytes:
            raise BadRequest(f"a key of {len(message.key)} bytes")
        reply = Message(type=Message.MessageType.FIND_NODE)
        for peer in self._nearest(message.key, asker):
            addresses = self._tellable(peer, reach)
            if addresses:
                reply.closerPeers.add(id=peer.to_bytes(), addrs=addresses)
        return bytes(reply.SerializeToString())

    def _nearest(self, key: bytes, asker: ID) -> list[ID]:
        """Of our table, nearest first, and before them the target itself where we know it (libp2p's rule)."""
        target = ID(key)
        known = [peer for peer in self._table.get_peer_ids() if peer not in (asker, target)]
        known.sort(key=lambda peer: distance(key, peer))
        return [target, *known[: self._limits.width]] if target != asker else known[: self._limits.width]

    def _tellable(self, peer: ID, reach: int) -> list[bytes]:
        """A peer's addresses; none nearer than the asker: of no use to it, and none of its business."""
        if peer == self._me:
            addresses = self._host.get_addrs()
        else:
            try:
                addresses = self._host.get_peerstore().addrs(peer)
            except PeerStoreError:
                return []
        found: list[bytes] = [address.to_bytes() for address in addresses[: self._limits.max_addresses]]
        return [raw for raw in found if reach_of_address(raw) >= reach]
