"""Libp2p with our patches for a while; what runs afterwards in this process finds it as it came."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from libp2p.host import basic_host
from libp2p.identity.identify_push import identify_push
from libp2p.io.trio import TrioTCPStream
from libp2p.kad_dht import common, kad_dht, peer_routing, provider_store, value_store
from libp2p.protocol_muxer import multiselect_communicator
from libp2p.pubsub import pubsub
from libp2p.stream_muxer.yamux import yamux
from libp2p.tools.anyio_service.trio_manager import TrioManager
from libp2p.transport.tcp import tcp

from chargemesh_node.p2p import patches
from chargemesh_node.p2p.counters import Counters
from chargemesh_node.p2p.limits import DEFAULT_LIMITS

KADEMLIA = (common, kad_dht, peer_routing, provider_store, value_store)
PLACES: list[tuple[Any, str]] = [
    (logging.getLogger("libp2p"), "propagate"),
    *((module, "PROTOCOL_ID") for module in KADEMLIA),
    (kad_dht, "MAX_DHT_MESSAGE_SIZE"),
    (yamux.Yamux, "_write_frame"),
    (yamux.Yamux, "_measure_rtt_loop"),
    (yamux, "YamuxStream"),
    (yamux, "read_exactly"),
    (yamux, "MAX_WINDOW_SIZE"),
    (multiselect_communicator.MultiselectCommunicator, "read"),
    (TrioManager, "run_task"),
    (TrioManager, "_find_parent_task"),
    (basic_host.BasicHost, "_identify_task_entry"),
    (basic_host.BasicHost, "_has_cached_protocols"),
    (TrioTCPStream, "get_remote_address"),
    (tcp, "_set_reuse_flags"),
    (pubsub, "RpcQueue"),
    (basic_host, "update_peerstore_from_identify"),
    (identify_push, "update_peerstore_from_identify"),
]


@contextmanager
def patched(network_id: str) -> Iterator[Counters]:
    """What the patches count. At the end every place has what it had."""
    with pytest.MonkeyPatch.context() as places:
        for owner, name in PLACES:
            places.setattr(owner, name, getattr(owner, name))
        counters = Counters()
        patches.apply(network_id, DEFAULT_LIMITS, counters)
        yield counters
