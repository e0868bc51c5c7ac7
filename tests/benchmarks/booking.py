"""From a request to the host's signed acceptance in the driver's hands: real libp2p, real SQLite."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from chargemesh_node.clock import SystemClock, SystemEntropy
from chargemesh_node.node import Node, Ports
from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.sim.box import CarAndBox, SimDriver
from chargemesh_node.sim.disk import MemoryCache
from chargemesh_node.sim.home import BERLIN, charger_settings
from chargemesh_node.store.node_db import SqliteStore
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.events import PutCharger
from chargemesh_protocol.identity import create_identity, public_key
from chargemesh_protocol.listing import Need
from chargemesh_protocol.me import Me
from chargemesh_protocol.trust.drafts import delay_of

NETWORK = "chargemesh-test-bench"
COUNT = 60
WARM_UP = 5
SLOT_MS = 15 * 60_000


def measure() -> dict[str, Any]:
    """Milliseconds over warm loopback; the host accepts by rule. `find` and the quote are not counted."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> dict[str, Any]:
    host, driver = await _node(folder / "host", b"h"), await _node(folder / "driver", b"d")
    try:
        settings = charger_settings(b"bench-charger-01", BERLIN)
        # The one default of a host that this changes: a stranger may have more than one open booking.
        strangers = replace(settings.strangers, open_bookings=100, horizon_minutes=20_160)
        settings = replace(settings, strangers=strangers)
        await host.command(PutCharger(settings))
        await driver.network.connect(host.network.contact)
        taken = []
        for number in range(COUNT):
            taken.append(await _book(driver, host, number))
        taken = sorted(taken[WARM_UP:])
        return {
            "request_to_acceptance": {
                "p50_ms": taken[len(taken) // 2],
                "p99_ms": taken[int(len(taken) * 0.99)],
                "bookings": len(taken),
            }
        }
    finally:
        await driver.close()
        await host.close()


async def _book(driver: Node, host: Node, number: int) -> float:
    listing = None
    while listing is None:
        async with driver.find(BERLIN, 3000, Need()) as search:
            found = await search.all()
        listing = next((one for one in found if one.record.body.author == host.me.author), None)
    now = driver.clock.now()
    start = now - now % SLOT_MS + (number + 2) * SLOT_MS
    offer = await driver.ask_quote(listing, start, start + SLOT_MS, 1000)
    begun = time.perf_counter()
    booked = await driver.book(offer.record.id, wait_ms=60_000)
    booking = driver.runner.engine.ledger.require(bytes.fromhex(booked["booking"]))
    while booking.state(driver.clock.now()).reservation is not Reservation.RESERVED:
        if booking.file.refused or time.perf_counter() - begun > 10:
            raise RuntimeError(f"booking {number} was not accepted: {booking.file.refused or 'no answer'}")
        await asyncio.sleep(0.0005)
    return (time.perf_counter() - begun) * 1000


async def _node(folder: Path, name: bytes) -> Node:
    folder.mkdir()
    node = node_of(folder, name)
    await node.start()
    return node


def node_of(folder: Path, name: bytes) -> Node:
    """A node that is not started, with everything real but its wallbox."""
    clock, device = SystemClock(), name * 32
    bundle = create_identity(
        root_seed=b"r" + name * 31,
        recovery_key=public_key(b"y" + name * 31),
        device_key=public_key(device),
        network=NETWORK,
        now=clock.now() - 1000,
        life_ms=86_400_000,
    )
    return Node(
        Me(bundle.author, bundle.to_bytes(), NETWORK, device),
        Ports(
            store=SqliteStore(folder / "node.db", clock),
            cache=MemoryCache(clock),
            network=Libp2pNetwork(seed=b"t" + name * 31, network_id=NETWORK, listen=["/ip4/127.0.0.1/tcp/0"]),
            clock=clock,
            entropy=SystemEntropy(),
            make_driver=lambda _: SimDriver(CarAndBox(), clock),
            notify=_nobody_to_tell,
        ),
        delay=delay_of(NETWORK),
        secret=bytes(32),
    )


async def _nobody_to_tell(key: bytes, body: bytes) -> None:
    return None
