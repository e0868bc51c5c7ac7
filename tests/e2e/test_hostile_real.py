"""Strangers at every port while a car charges: dropped and counted; booking and charge don't notice."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chargemesh_node.errors import NetworkError
from chargemesh_node.p2p.limits import DEFAULT_LIMITS
from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.table import Session
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery import wire as listing_wire
from chargemesh_protocol.identity_wire import PROTOCOL as IDENTITY
from chargemesh_protocol.trust.sync import PROTOCOL as LOG
from tests.node.p2p import attackers
from tests.node.p2p.attackers import attack

from . import houses
from .nodes import Person, street

OURS = (wire.PROTOCOL, listing_wire.PROTOCOL, IDENTITY, LOG)
THEIRS = ("/meshsub/1.1.0", "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0")
CHANCE = random.Random(9)
NOISE = (
    b"\xff" * 4 + CHANCE.randbytes(300),
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x13/multistream/1.0.0\n\xff\xff\xff\x7f",
)
ENDLESS = b"\xff\xff\xff\x7f" + b"\xff" * 70_000  # a length far beyond any message, and the beginning of it


@pytest.mark.asyncio
async def test_strangers_on_the_libp2p_port_while_a_car_charges() -> None:
    async with street() as people:
        host = await people.add("host", sqlite=True)
        driver = await people.add("driver", knows=host)
        await host.offers()
        booking = await driver.books(host)
        await driver.learns_address(booking)
        await driver.starts(booking)
        pids = host.network.pid, driver.network.pid
        await strangers_try_everything(host, driver)
        count = len(driver.state(booking).tickets)
        await driver.has_tickets(booking, count + 2)
        await driver.stops(booking)
        assert driver.state(booking).session is Session.COMPLETED and len(host.box.sessions) == 1
        assert (host.network.pid, driver.network.pid) == pids
        assert sum(count for name, count in host.network.counters().items() if name.startswith("drop:")) > 0
        assert not {one.counters.get("defects", 0) for one in (host.node.runner, driver.node.runner)} - {0}


async def strangers_try_everything(host: Person, driver: Person) -> None:
    for how in ("plaintext", "secio"):
        assert not await attack(attackers.impersonates, host.contact, driver.seed, how)
    for data in NOISE:
        await asyncio.to_thread(attackers.sends_bytes, host.contact, data)
    for protocol in (*OURS, *THEIRS):
        await attack(attackers.says, host.contact, protocol, ENDLESS)
    rubbish = [b"", b"\x00", CHANCE.randbytes(40), b"\x28" + CHANCE.randbytes(40)]
    await attack(attackers.talks_to_every_protocol, host.contact, (*OURS, *THEIRS), rubbish)
    await somebody_else_answers_at_an_address(host, driver)
    with pytest.raises(NetworkError):
        await driver.network.request(host.contact, OURS[0], bytes(DEFAULT_LIMITS.max_message_bytes + 1))


async def somebody_else_answers_at_an_address(host: Person, driver: Person) -> None:
    """Whoever is sent to the host's address under another name finds out, and tells nobody anything."""
    third = await driver.people.add("third")
    false = Contact(third.contact.peer_id, host.contact.addresses)
    await third.stop()
    with pytest.raises(NetworkError):
        await driver.network.request(false, wire.PROTOCOL, b"for the third alone", timeout=3.0)


def test_strangers_on_the_ports_of_wallbox_and_api_while_a_car_charges(tmp_path: Path) -> None:
    with houses.street(tmp_path) as people:
        host, driver = people.house("host"), people.house("driver")
        people.open_all(host, driver)
        charger = host.lists("Garage")
        box = host.plugs_in(charger, "--speed", "20")
        driver.books("Garage", "--from", "now", "--for", "15m", "--energy", "5kWh")
        driver.sees("last", "access")
        driver.says("charge", "start", "last")
        driver.until("last", lambda one: one["energy_wh"] > 50)
        paired = host.api.get(f"chargers/{charger}/wallbox")
        url = urlsplit(str(paired["url"]))
        api = ("127.0.0.1", int(host.home.api_port_file.read_text().rpartition(":")[2]))
        wallbox = ("127.0.0.1", int(url.port or 0))
        for address in (wallbox, api):
            strangers_knock(address, str(paired["id"]))
        before = driver.api.get("bookings/last")["energy_wh"]
        driver.until("last", lambda one: one["energy_wh"] > before + 20)
        assert not box.heard("session ended")
        assert len(box.heard("online")) == 1 and not box.heard("offline")
        driver.says("charge", "stop", "last")
        assert driver.sees("last", "agreed")["receipt"]["energy_wh"] > before


def strangers_knock(address: tuple[str, int], charger: str) -> None:
    """Rubbish, half an HTTP request, a handshake as the wallbox with a wrong password, fifty idle sockets."""
    upgrade = (
        f"GET /ocpp/{charger} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic AAAA\r\n\r\n"
    ).encode()
    idle = [socket.create_connection(address, timeout=5) for _ in range(50)]
    try:
        for data in (
            *NOISE,
            upgrade,
            upgrade[:80],
            b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n" + NOISE[0],
        ):
            with socket.create_connection(address, timeout=5) as one:
                one.sendall(data)
                one.settimeout(0.3)
                try:
                    answer = one.recv(4096)
                except OSError:
                    continue
                assert b"101 Switching" not in answer and b'"id"' not in answer
    finally:
        for one in idle:
            one.close()
