"""The libp2p host as we run it: TCP (and WebSocket), Noise alone, Yamux alone, Kademlia, gossip.

libp2p's default also offers `/plaintext/2.0.0` and SECIO, which prove no key: whoever knows a peer's
public key could come in under its name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.kad_dht import common as kad_common
from libp2p.kad_dht.kad_dht import DHTMode, KadDHT
from libp2p.peer.id import ID
from libp2p.records.validator import NamespacedValidator
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.transport.tcp.tcp import TCP
from libp2p.transport.upgrader import TransportUpgrader
from multiaddr import Multiaddr

from . import patches
from .address_book import AddressBook
from .addresses import reachable
from .counters import Counters
from .guard import Guard, StreamHandler
from .kad_answer import answer_find_node
from .kad_limits import DEFAULT_LOOKUP_LIMITS
from .limits import NetworkLimits
from .rates import Rates
from .swarm import GuardedSwarm


def make_host(
    seed: bytes,
    listen: Sequence[Multiaddr],
    announce: Sequence[Multiaddr],
    limits: NetworkLimits,
    guard: Guard,
    counters: Counters,
) -> BasicHost:
    """A host with the transport key of `seed` (32 bytes, Ed25519); it listens once it is run."""
    key_pair = create_new_key_pair(seed)
    peer_id = ID.from_pubkey(key_pair.public_key)
    peerstore = AddressBook(limits.max_identify_items)
    peerstore.add_key_pair(peer_id, key_pair)
    noise = NoiseTransport(key_pair, noise_privkey=create_noise_key_pair().private_key)
    upgrader = TransportUpgrader(
        {TProtocol(NOISE): noise},
        {TProtocol(YAMUX): Yamux},
        negotiate_timeout=int(limits.negotiate_seconds),
    )
    transports = _transports(listen, upgrader, limits)
    swarm = GuardedSwarm(peer_id, peerstore, upgrader, transports, limits, guard, counters)
    host = BasicHost(
        swarm,
        negotiate_timeout=int(limits.negotiate_seconds),
        addrs_factory=lambda bound: list(announce) or reachable(bound),
        disable_identify_address_discovery=True,  # what strangers say of us is not what we announce
    )
    swarm.set_stream_handler(guard.wrap(host._swarm_stream_handler))
    return host


def _transports(listen: Sequence[Multiaddr], upgrader: TransportUpgrader, limits: NetworkLimits) -> list[Any]:
    if not any("ws" in {p.name for p in address.protocols()} for address in listen):
        return [TCP()]
    from libp2p.transport.websocket.connection import P2PWebSocketConnection  # memory that few nodes need
    from libp2p.transport.websocket.transport import WebsocketTransport

    from .websocket import bound_websocket_handshakes

    patches.see_websocket_peers(P2PWebSocketConnection)
    bound_websocket_handshakes(limits)
    return [TCP(), WebsocketTransport(upgrader)]


def make_dht(host: BasicHost, limits: NetworkLimits) -> KadDHT:
    """Kademlia in server mode under our network's protocol, for FIND_NODE alone.

    Its own service isn't run (`Lookup` does that work), it stores no values (no validator, so every
    PUT_VALUE is refused) and no providers (their rate is 0).
    """
    dht = KadDHT(
        host,
        DHTMode.SERVER,
        validator=NamespacedValidator({}, strict_validation=True),
        validator_changed=True,
        strict_validation=True,
    )
    dht._provider_rate_max = 0
    answer_find_node(host, dht, DEFAULT_LOOKUP_LIMITS)
    protocol = kad_common.PROTOCOL_ID
    rates = Rates(limits.kad_requests_per_second, limits.kad_requests_burst)
    host.set_stream_handler(protocol, _paced(host.multiselect.handlers[protocol], rates))
    return dht


def _paced(handler: StreamHandler, rates: Rates) -> StreamHandler:
    async def handle(stream: Any) -> None:
        await handler(PacedStream(stream, rates))

    return handle


class PacedStream:
    """A stream whose answers come no faster than the peer's rate: it is then read more slowly as well."""

    def __init__(self, stream: Any, rates: Rates) -> None:
        self._stream = stream
        self._rates = rates
        self._peer = str(stream.muxed_conn.peer_id)

    async def write(self, data: bytes) -> None:
        await trio.sleep(self._rates.wait_for(self._peer))
        await self._stream.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def serve(host: BasicHost, protocol: str, handler: Callable[[Any], Awaitable[None]]) -> None:
    host.set_stream_handler(TProtocol(protocol), handler)
