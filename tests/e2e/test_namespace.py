"""A neighbourhood with no internet: two homes find each other by mDNS, and everything works between them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .houses import PROGRAM, SETTINGS, House, eventually
from .neighbourhood import Neighbourhood, inside, why_not
from .warm import ROOT

NETWORK = "chargemesh-test-neighbourhood"
TOLD_NOTHING = {"NETWORK_MDNS": "true", "NETWORK_LISTEN": "/ip4/0.0.0.0/tcp/4001"}
BROWSE_SECONDS = "30"
AVAHI = ("avahi-daemon", "avahi-browse", "dbus-daemon", "unshare")
# In a namespace: announces PEERID as every node does, until it is ended.
ANNOUNCER = """
import asyncio
from chargemesh_node.mdns import LocalDiscovery
from chargemesh_protocol.contact import Contact

async def main():
    contact = Contact("PEERID", ("/ip4/10.77.0.10/tcp/4001",))
    await LocalDiscovery(lambda: contact, lambda found: None, None, "chargemesh-test-avahi").start()
    print("announced", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
PEER_ID = "12D3KooWBGR3m1JmVFm2aZYR7TZXicjA7HSKWXxxxRi1ArhqDKwZ"


@contextmanager
def neighbourhood() -> Iterator[Neighbourhood]:
    missing = why_not()
    if missing:
        pytest.skip(missing)
    street = Neighbourhood()
    try:
        street.build()
        yield street
    finally:
        street.remove()


@contextmanager
def two_homes(street: Neighbourhood, folder: Path) -> Iterator[tuple[House, House]]:
    """Host and driver, each in a namespace with one cable to the bridge, and told of nobody."""
    host, driver = (
        House(name, folder, NETWORK, SETTINGS | TOLD_NOTHING, inside(where, *PROGRAM))
        for name, where in zip(("host", "driver"), street.homes, strict=True)
    )
    try:
        for house in (host, driver):
            house.moves_in()
            house.starts()
        for house in (host, driver):
            house.is_up()
        yield host, driver
    finally:
        host.end()
        driver.end()


def test_two_homes_with_no_way_out_find_each_other_and_do_business(tmp_path: Path) -> None:
    with neighbourhood() as street, two_homes(street, tmp_path) as (host, driver):
        for name in street.homes:
            routes = street.routes(name)
            assert "default" not in routes and "via" not in routes
        for one, other in ((host, driver), (driver, host)):
            peer = other.says("id")["peer_id"]
            eventually(lambda one=one, peer=peer: peer in peers_of(one), f"{one.name} found the other")
        anybody_reads_the_announcements(street, host, driver)
        the_whole_path_works(host, driver)


def peers_of(house: House) -> set[str]:
    return {one["peer_id"] for one in house.says("peers")["peers"]}


def anybody_reads_the_announcements(street: Neighbourhood, *houses: House) -> None:
    """By zeroconf alone, in a process on the bridge."""
    command = inside(street.pavement, sys.executable, "-m", "tests.e2e.browse", "10.77.0.1", BROWSE_SECONDS)
    seen: dict[str, bytes] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as browser:
        assert browser.stdout is not None
        while len(seen) < len(houses):
            line = browser.stdout.readline()
            assert line, f"only {seen} was announced"
            one = json.loads(line)
            seen[one["name"]] = bytes.fromhex(one["txt"])
        browser.kill()
    for number, house in enumerate(houses):
        address = f"/ip4/10.77.0.{10 + number}/tcp/4001"
        wanted = f"dnsaddr={address}/p2p/{house.says('id')['peer_id']}".encode()
        assert any(bytes([len(wanted)]) + wanted in text for text in seen.values())


def the_whole_path_works(host: House, driver: House) -> None:
    charger = host.lists("Next door")
    host.plugs_in(charger)
    driver.books("Next door", "--from", "now", "--for", "15m", "--energy", "2kWh")
    assert driver.sees("last", "access")["access"]["address"] == "12 Hidden Lane, Berlin"
    driver.says("charge", "start", "last")
    driver.until("last", lambda one: one["energy_wh"] > 100 and one["meter"]["countersigned"])
    driver.says("charge", "stop", "last")
    assert driver.sees("last", "agreed")["receipt"]["energy_wh"] > 100
    driver.says("pay", "last", "--paid")
    host.sees("last", "CLAIMED")
    host.says("pay", "confirm", "last")
    driver.sees("last", "paid")
    driver.says("review", "last", "--stars", "5", "--text", "Next door.")
    host.says("review", "last", "--stars", "4", "--text", "Nice people.")
    eventually(lambda: "5 of 5 stars: Next door." in driver.reads("trust", "show", "last"), "it is reviewed")
    eventually(lambda: "4 of 5 stars: Nice people." in host.reads("trust", "show", "last"), "both are")


def test_avahi_reads_our_announcement() -> None:
    missing = [name for name in AVAHI if shutil.which(name) is None]
    if missing:
        pytest.skip(f"browsing with Avahi needs {', '.join(missing)}")
    with neighbourhood() as street:
        script = ANNOUNCER.replace("PEERID", PEER_ID)
        command = inside(street.homes[0], sys.executable, "-c", script)
        announcer = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert announcer.stdout is not None and announcer.stdout.readline()
            browse = (
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                ROOT / "tests/e2e/avahi.sh",
                "br0",
            )
            said = subprocess.run(
                inside(street.pavement, *map(str, browse)), capture_output=True, text=True, timeout=60
            )
        finally:
            announcer.kill()
            announcer.communicate()
    assert said.returncode == 0, said.stderr
    assert f'"dnsaddr=/ip4/10.77.0.10/tcp/4001/p2p/{PEER_ID}"' in said.stdout, said
