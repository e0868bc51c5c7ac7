"""GossipSub with the limits that libp2p lacks: what a peer may send, and who judges it.

The router and the wire are libp2p's. Reading a peer's RPCs and judging a message are ours: there, a
malformed byte, a raising validator or a flood of entries reaches the whole program.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from libp2p.io.exceptions import IOException, MessageTooLarge
from libp2p.network.connection.exceptions import RawConnError
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, PROTOCOL_ID_V12, GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.score import ScoreParams, TopicScoreParams
from libp2p.pubsub.validators import signature_validator
from libp2p.utils.varint import read_varint_prefixed_bytes_limited

from .counters import Counters
from .guard import Guard
from .limits import NetworkLimits
from .rates import Rates

logger = logging.getLogger(__name__)

Judge = Callable[[str, str, str, bytes], Awaitable[bool | None]]
"""(PeerId, block, topic, data) -> is it valid? None: nobody said so in time, or nobody is to blame."""

MAX_JUDGED_AT_ONCE = 64

# Twenty invalid messages close together shut the ear for half a minute. Less does nothing: what an
# honest peer forwards can be stale here, because our own state went on meanwhile.
SCORES = ScoreParams(
    p2_first_message_deliveries=TopicScoreParams(weight=0.1, cap=50.0, decay=0.98),
    p4_invalid_messages=TopicScoreParams(weight=5.0, cap=60.0, decay=0.9),  # positive: it is subtracted
    p5_behavior_penalty_weight=1.0,
    p5_behavior_penalty_threshold=10.0,
    p5_behavior_penalty_decay=0.95,
    publish_threshold=-90.0,
    gossip_threshold=-50.0,
    graylist_threshold=-90.0,
    accept_px_threshold=math.inf,  # a PRUNE must not make us dial whom it names
)


class SteadyGossipSub(GossipSub):
    """A heartbeat that one exception doesn't stop: libp2p's is a daemon whose end is the program's."""

    counters: Counters

    async def heartbeat(self) -> None:
        while True:
            try:
                await super().heartbeat()
            except Exception as error:  # noqa: BLE001  # a mesh that changed under it; the next beat repairs it
                self.counters.fault("heartbeat", error)
            await trio.sleep(self.heartbeat_interval)


def make_router(counters: Counters) -> SteadyGossipSub:
    router = SteadyGossipSub(
        protocols=[PROTOCOL_ID_V12, PROTOCOL_ID_V11],
        degree=6,
        degree_low=4,
        degree_high=12,
        heartbeat_interval=1,  # libp2p's default is 120 s
        adaptive_gossip_enabled=False,  # it can set the heartbeat to 30-60 s
        spam_protection_enabled=False,  # it drops our own publications and forwards too; ours is below
        eclipse_protection_enabled=False,  # it grafts everybody where all share an address: a car park's NAT
        score_params=SCORES,
    )
    router.counters = counters
    return router


class GuardedPubsub(Pubsub):
    def __init__(
        self,
        host: Any,
        router: SteadyGossipSub,
        judge: Judge,
        limits: NetworkLimits,
        guard: Guard,
        counters: Counters,
    ) -> None:
        super().__init__(
            host,
            router,
            strict_signing=True,
            max_subscriptions_per_rpc=limits.max_gossip_rpc_items,
            max_subscriptions_per_peer=limits.max_gossip_rpc_items,
            max_inbound_rpc_size=limits.max_gossip_rpc_bytes,
        )
        # libp2p counts from the time in seconds: after a restart the numbers of the last minutes would
        # come again, and others would drop what carries them as seen already.
        self.counter = secrets.randbits(62)
        self._judge = judge
        self._limits = limits
        self._guard = guard
        self._counters = counters
        self._rates = Rates(limits.gossip_per_second, limits.gossip_burst)
        self._judged_at_once = trio.CapacityLimiter(MAX_JUDGED_AT_ONCE)
        self._being_judged: set[bytes] = set()

    # --- what a peer sends ----------------------------------------------------------------------
    async def continuously_read_stream(self, stream: Any) -> None:
        """Reads RPCs until the stream ends; what is malformed raises, and the guard resets the stream."""
        peer = stream.muxed_conn.peer_id
        while self.manager.is_running:
            try:
                data = await read_varint_prefixed_bytes_limited(stream, self.max_inbound_rpc_size)
            except MessageTooLarge:
                raise
            except (StreamError, IOException, RawConnError) as error:
                logger.debug("gossip stream of %s is over: %s", peer, error)
                return
            rpc = rpc_pb2.RPC()
            rpc.ParseFromString(data)
            # Over its rate a peer is read more slowly, whatever kind of entries it sends.
            await trio.sleep(self._rates.wait_for(str(peer)))
            await self._take(peer, rpc)

    async def _take(self, peer: ID, rpc: Any) -> None:
        if self._too_much(rpc):
            self._guard.offence(str(peer), "gossip-rpc-too-large")
            return
        for message in rpc.publish:
            if self._is_ours_to_take(peer, message):
                self.manager.run_task(self.push_msg, peer, message)
        for subscription in rpc.subscriptions:
            if len(subscription.topicid) <= self._limits.max_topic_chars:
                self.handle_subscription(peer, subscription)
        if rpc.HasField("control"):
            self._keep_known_topics(rpc.control)
            rpc.ClearField(
                "senderRecord"
            )  # identify tells addresses; a signature check each time is too dear
            await self.router.handle_rpc(rpc, peer)

    def _too_much(self, rpc: Any) -> bool:
        control = rpc.control
        lists = (rpc.publish, rpc.subscriptions, control.ihave, control.iwant, control.graft, control.prune)
        if any(len(entries) > self._limits.max_gossip_rpc_items for entries in (*lists, control.idontwant)):
            return True
        with_ids = (*control.ihave, *control.iwant, *control.idontwant)
        return any(len(entry.messageIDs) > self._limits.max_gossip_ids for entry in with_ids)

    def _is_ours_to_take(self, peer: ID, message: Any) -> bool:
        """One topic, that we follow, of a size that can be valid; checked before any task or signature."""
        if len(message.topicIDs) != 1 or message.topicIDs[0] not in self.topic_ids:
            return False
        if len(message.data) > self._limits.max_gossip_bytes or len(message.seqno) != 8:
            self._guard.offence(str(peer), "gossip-malformed")
            return False
        if not self._rates.take(str(peer)):
            self._counters.add("drop:gossip-rate")
            return False
        return True

    def _keep_known_topics(self, control: Any) -> None:
        """Entries about topics that we don't follow would only be remembered, one dict entry each."""
        for entries in (control.ihave, control.graft, control.prune):
            for at in range(len(entries) - 1, -1, -1):
                if entries[at].topicID not in self.topic_ids:
                    del entries[at]

    # --- judging --------------------------------------------------------------------------------
    async def push_msg(self, msg_forwarder: ID, msg: Any) -> None:
        """Judges a message once and passes it on if it is valid; our own are valid."""
        own = msg_forwarder == self.my_id
        message_id = self.get_message_id(msg)
        if message_id in self._being_judged or self._is_msg_seen(msg):
            return
        self._being_judged.add(message_id)
        try:
            if own or await self._is_valid(msg_forwarder, msg):
                self._mark_msg_seen(msg)
                await self.router.publish(msg_forwarder, msg)
        finally:
            self._being_judged.discard(message_id)

    async def _is_valid(self, forwarder: ID, msg: Any) -> bool:
        topic = msg.topicIDs[0]
        scorer = self.router.scorer
        if ID(msg.from_id) == self.my_id or not scorer.allow_publish(forwarder, [topic]):
            self._counters.add("drop:gossip-unwelcome")
            return False
        if not signature_validator(msg):
            self._guard.offence(str(forwarder), "gossip-signature")
            scorer.on_invalid_message(forwarder, topic)
            return False
        async with self._judged_at_once:
            block = self.host.get_network().address_block(forwarder)
            verdict = await self._judge(str(forwarder), block, topic, msg.data)
        if verdict is None:
            self._counters.add("drop:gossip-no-verdict")
        elif verdict:
            scorer.on_first_delivery(forwarder, topic)
            return True
        else:
            self._counters.add("drop:gossip-invalid")
            scorer.on_invalid_message(forwarder, topic)
            self._mark_msg_seen(msg)  # judged: the same from another peer needs no second look
        return False


class Gossip:
    """Publishing at a pace that arrives, and the upkeep that libp2p's gossip needs."""

    def __init__(self, pubsub: GuardedPubsub, limits: NetworkLimits, counters: Counters) -> None:
        self._pubsub = pubsub
        self._counters = counters
        self._limits = limits
        self._send, self._receive = trio.open_memory_channel[tuple[str, bytes]](limits.max_publishes_waiting)
        self._known_since: dict[ID, float] = {}

    def publish(self, topic: str, data: bytes) -> bool:
        """Queues a message; False if too many wait already."""
        try:
            self._send.send_nowait((topic, data))
        except trio.WouldBlock:
            return False
        return True

    async def subscribe(self, topic: str) -> None:
        await self._pubsub.subscribe(topic)

    async def unsubscribe(self, topic: str) -> None:
        try:
            await self._pubsub.unsubscribe(topic)
        except Exception as error:  # noqa: BLE001  # libp2p walks through a mesh that changes meanwhile
            self._counters.fault("unsubscribe", error)
            self._pubsub.router.mesh.pop(topic, None)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._publish_paced)
            nursery.start_soon(self._keep_up)

    async def _publish_paced(self) -> None:
        """Publications too close together overflow the peers' queues and are lost in silence."""
        async for topic, data in self._receive:
            try:
                await self._pubsub.publish(topic, data)
            except Exception as error:  # noqa: BLE001  # a peer that went meanwhile; anti-entropy makes up for it
                self._counters.fault("publish", error)
            await trio.sleep(self._limits.publish_gap_seconds)

    async def _keep_up(self) -> None:
        while True:
            await trio.sleep(self._limits.upkeep_seconds)
            self._revive()
            self._announce_again()
            self._forget()

    def _revive(self) -> None:
        """A gossip stream whose connection is gone stays listed, and gossip to that peer is silent."""
        for peer, stream in list(self._pubsub.peers.items()):
            if stream.muxed_conn.is_closed or stream.is_closed:
                self._pubsub._handle_dead_peer(peer)

    def _announce_again(self) -> None:
        """The mesh sometimes doesn't form (1 start in 5 on a busy machine): say again what we follow."""
        now = trio.current_time()
        self._known_since = {peer: self._known_since.get(peer, now) for peer in self._pubsub.peers}
        fresh = [peer for peer, since in self._known_since.items() if now - since < 30]
        if fresh and self._pubsub.topic_ids:
            hello = self._pubsub.get_hello_packet()
            for peer in fresh:
                queue = self._pubsub.peer_queues.get(peer)
                if queue is not None:
                    queue.push(hello)

    def _forget(self) -> None:
        """What the router collects and never drops itself."""
        router = self._pubsub.router
        router.recent_message_deliveries.clear()
        for table in (router._pending_messages, router.iwant_request_limits, router.ihave_message_limits):
            for peer in [peer for peer in table if peer not in self._pubsub.peers]:
                del table[peer]
