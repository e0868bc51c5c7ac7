"""Real network processes on 127.0.0.1, made and ended by the tests."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chargemesh_node.errors import NetworkError
from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.p2p.limits import DEFAULT_LIMITS
from chargemesh_node.ports import Caller
from chargemesh_protocol.contact import Contact

NETWORK_ID = "chargemesh-test-p2p"
ECHO = "/chargemesh/echo/1"
SLOW = "/chargemesh/slow/1"
HELD = "/chargemesh/held/1"
BROKEN = "/chargemesh/broken/1"

LIMITS = replace(
    DEFAULT_LIMITS,
    offences_burst=2000,  # attackers share one address with everybody here
    alive_seconds=0.2,  # the counters that tests wait for
    silence_seconds=60.0,  # a busy machine is no reason to end or to refuse anything
    dial_seconds=20.0,
    upgrade_seconds=20.0,
    negotiate_seconds=20.0,
    verdict_seconds=20.0,
    join_jitter_seconds=0.2,
)
Make = Callable[..., Libp2pNetwork]

_seeds = itertools.count(1)


async def echo(caller: Caller, body: bytes) -> bytes:
    return body[::-1]


async def slow(caller: Caller, body: bytes) -> bytes:
    await asyncio.sleep(float(body.decode()))
    return b"at last"


_gates: dict[bytes, asyncio.Event] = {}


def gate(body: bytes) -> asyncio.Event:
    """A request for HELD with this body is answered once the test sets it."""
    return _gates.setdefault(body, asyncio.Event())


async def held(caller: Caller, body: bytes) -> bytes:
    await gate(body).wait()
    return body


async def broken(caller: Caller, body: bytes) -> bytes:
    raise RuntimeError("a handler of the node has a bug")


def make_network(**settings: Any) -> Libp2pNetwork:
    """A network that is not started yet, with the handlers above."""
    seed = next(_seeds).to_bytes(32, "big")
    network = Libp2pNetwork(
        **{"seed": seed, "network_id": NETWORK_ID, "listen": ["/ip4/127.0.0.1/tcp/0"], "limits": LIMITS}
        | settings
    )
    for protocol, handler in ((ECHO, echo), (SLOW, slow), (HELD, held), (BROKEN, broken)):
        network.serve(protocol, handler)
    return network


async def echoes(network: Libp2pNetwork, other: Libp2pNetwork) -> bool:
    return await network.request(other.contact, ECHO, b"ab", timeout=30) == b"ba"


async def start(*networks: Libp2pNetwork) -> None:
    await asyncio.gather(*(network.start() for network in networks))


async def close(*networks: Libp2pNetwork) -> None:
    await asyncio.gather(*(network.close() for network in networks))


async def eventually(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits until `what` is true; fails the test when it isn't in time."""
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110  # what others do has no event
            await asyncio.sleep(0.02)


def sees(network: Libp2pNetwork, other: Libp2pNetwork) -> bool:
    return other.contact.peer_id in {peer.peer_id for peer in network.peers()}


async def reaches(network: Libp2pNetwork, other: Libp2pNetwork) -> None:
    """Waits until a request of `network` is answered by `other`, as after a pause between dials."""
    async with asyncio.timeout(60):
        while True:
            try:
                assert await echoes(network, other)
                return
            except NetworkError:
                await asyncio.sleep(0.1)


def elsewhere(contact: Contact) -> Contact:
    """The same peer at an address where nobody listens."""
    return Contact(contact.peer_id, ("/ip4/127.0.0.1/tcp/9",))
