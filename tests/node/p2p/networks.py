"""Real network processes on 127.0.0.1, made and ended by the tests."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.p2p.limits import DEFAULT_LIMITS
from chargemesh_node.ports import Caller
from chargemesh_protocol.contact import Contact

NETWORK_ID = "chargemesh-test-p2p"
ECHO = "/chargemesh/echo/1"
SLOW = "/chargemesh/slow/1"
BROKEN = "/chargemesh/broken/1"

LIMITS = replace(DEFAULT_LIMITS, offences_burst=2000)  # attackers share one address with everybody here

_seeds = itertools.count(1)


async def echo(caller: Caller, body: bytes) -> bytes:
    return body[::-1]


async def slow(caller: Caller, body: bytes) -> bytes:
    await asyncio.sleep(float(body.decode()))
    return b"at last"


async def broken(caller: Caller, body: bytes) -> bytes:
    raise RuntimeError("a handler of the node has a bug")


def make_network(**settings: Any) -> Libp2pNetwork:
    """A network that is not started yet, with the handlers above."""
    seed = next(_seeds).to_bytes(32, "big")
    network = Libp2pNetwork(
        **{"seed": seed, "network_id": NETWORK_ID, "listen": ["/ip4/127.0.0.1/tcp/0"], "limits": LIMITS}
        | settings
    )
    for protocol, handler in ((ECHO, echo), (SLOW, slow), (BROKEN, broken)):
        network.serve(protocol, handler)
    return network


async def start(*networks: Libp2pNetwork) -> None:
    await asyncio.gather(*(network.start() for network in networks))


async def close(*networks: Libp2pNetwork) -> None:
    await asyncio.gather(*(network.close() for network in networks))


async def eventually(what: Callable[[], object], seconds: float = 15.0) -> None:
    """Waits until `what` is true; fails the test when it isn't in time."""
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110  # what others do has no event
            await asyncio.sleep(0.02)


def sees(network: Libp2pNetwork, other: Libp2pNetwork) -> bool:
    return other.contact.peer_id in {peer.peer_id for peer in network.peers()}


def elsewhere(contact: Contact) -> Contact:
    """The same peer at an address where nobody listens."""
    return Contact(contact.peer_id, ("/ip4/127.0.0.1/tcp/9",))
