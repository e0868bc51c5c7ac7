"""A member of GossipSub by hand: each RPC is made and read here, so that nothing is sent unasked."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import trio
from google.protobuf.message import DecodeError
from libp2p.crypto.keys import PrivateKey
from libp2p.custom_types import TProtocol
from libp2p.pubsub.pb.rpc_pb2 import RPC, ControlGraft, ControlIHave, ControlMessage, Message

from .peer import NoAnswer, Peer, Stream, varint

MESHSUB = "/meshsub/1.1.0"
_PREFIX = b"libp2p-pubsub:"


@dataclass
class Ear:
    """What the node tells a peer by gossip: give `attach` to `connected` as `before`."""

    heard: list[tuple[str, bytes, bytes]] = field(default_factory=list)  # topic, data, `from`
    topics: set[str] = field(default_factory=set)  # that the node follows
    garbled: int = 0  # RPCs that are no protobuf

    def attach(self, host: Any) -> None:
        for protocol in ("/meshsub/1.2.0", MESHSUB):
            host.set_stream_handler(TProtocol(protocol), self._listen)

    async def _listen(self, stream: Any) -> None:
        reading = Stream(stream)
        while True:
            try:
                data = await reading.message(seconds=3600)
            except NoAnswer:
                return
            rpc = RPC()
            try:
                rpc.ParseFromString(data)
            except DecodeError:
                self.garbled += 1
                return
            for one in rpc.subscriptions:
                (self.topics.add if one.subscribe else self.topics.discard)(one.topicid)
            self.heard += [(topic, one.data, one.from_id) for one in rpc.publish for topic in one.topicIDs]

    def has(self, data: bytes) -> bool:
        return any(data == one for _, one, _ in self.heard)


class Mouth:
    """Publishes to the node as one of its mesh."""

    def __init__(self, peer: Peer, stream: Stream) -> None:
        self._peer = peer
        self._stream = stream
        self._key: PrivateKey = peer.host.get_private_key()
        self._number = int.from_bytes(os.urandom(7), "big")

    @classmethod
    async def open(cls, peer: Peer, *topics: str) -> Mouth:
        """Follows `topics` and joins the node's mesh in them."""
        mouth = cls(peer, await peer.open(MESHSUB))
        subscriptions = [RPC.SubOpts(subscribe=True, topicid=topic) for topic in topics]
        graft = ControlMessage(graft=[ControlGraft(topicID=topic) for topic in topics])
        await mouth.rpc(RPC(subscriptions=subscriptions))
        await mouth.rpc(RPC(control=graft))
        return mouth

    async def rpc(self, rpc: Any) -> None:
        data = bytes(rpc.SerializeToString())
        await self._stream.write(varint(len(data)) + data)

    async def publish(self, topic: str, data: bytes, **changes: Any) -> None:
        await self.rpc(RPC(publish=[self.message(topic, data, **changes)]))

    def message(self, topic: str, data: bytes, *, forged: bool = False, **changes: Any) -> Any:
        """A signed message (09, N17). `changes`: fields that are to be otherwise, and signed so."""
        self._number += 1
        fields = {
            "from_id": self._peer.host.get_id().to_bytes(),
            "data": data,
            "seqno": self._number.to_bytes(8, "big"),
            "topicIDs": [topic],
        }
        message = Message(**fields | changes)
        signature = self._key.sign(_PREFIX + message.SerializeToString())
        message.signature = bytes(64) if forged else signature
        return message


def far_too_much(topic: str) -> list[Any]:
    """RPCs with more subscriptions, grafts, ids and characters than anybody needs."""
    many = [f"{topic}/{number}" for number in range(2000)]
    ids = [os.urandom(46) for _ in range(3000)]
    return [
        RPC(subscriptions=[RPC.SubOpts(subscribe=True, topicid=one) for one in many]),
        RPC(control=ControlMessage(graft=[ControlGraft(topicID=one) for one in many])),
        RPC(control=ControlMessage(ihave=[ControlIHave(topicID=topic, messageIDs=ids)])),
        RPC(subscriptions=[RPC.SubOpts(subscribe=True, topicid="x" * 200_000)]),
    ]


async def until(what: Callable[[], object], seconds: float) -> bool:
    """Whether `what()` becomes true in time."""
    with trio.move_on_after(seconds):
        while not what():  # noqa: ASYNC110  # of somebody else's state
            await trio.sleep(0.02)
        return True
    return False
