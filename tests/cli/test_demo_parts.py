"""The parts of the demo that can be judged without a node."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from chargemesh_cli.demo.cast import CENTRE, MOST, cast
from chargemesh_cli.demo.connections import ConnectionCounter, is_loopback, remote_addresses
from chargemesh_cli.demo.fake_accounts import BadHost, praise
from chargemesh_cli.demo.interrupts import Interrupts
from chargemesh_cli.demo.scene import position
from chargemesh_cli.demo.stage import stamped
from chargemesh_protocol.identity import Directory, create_identity, public_key
from chargemesh_protocol.place import Point, public_cell, region_of
from chargemesh_protocol.trust.log import Standing
from chargemesh_protocol.trust.logset import LogSet

NETWORK = "chargemesh-demo-parts"
NOW = 1_790_000_000_000
linux = pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="connections are read from /proc")


@pytest.mark.parametrize("nodes", [4, 5, 8, 12, MOST])
def test_every_number_of_nodes_has_its_cast(nodes: int) -> None:
    people = cast(nodes)
    assert len(people) == nodes == len({one.name for one in people})
    assert {"Hanna", "Dario", "Olga", "Boris"} <= {one.name for one in people}
    hosts = [one for one in people if one.driver]
    assert len({public_cell(one.place) for one in hosts[:12]}) == len(hosts[:12])


def test_the_map_has_east_on_the_right_and_north_above() -> None:
    home = public_cell(CENTRE)
    east = public_cell(Point(CENTRE.latitude, CENTRE.longitude + 0.15))
    north = public_cell(Point(CENTRE.latitude + 0.05, CENTRE.longitude))
    assert position(home, home) == (0, 0)
    column, row = position(home, east)
    assert column >= 6 and abs(row) <= 1
    column, row = position(home, north)
    assert row <= -2 and abs(column) <= 2


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.7", False),
        ("::ffff:192.0.2.1", False),
        ("fe80::1", False),
    ],
)
def test_what_stays_on_this_machine(address: str, stays: bool) -> None:
    assert is_loopback(address) is stays


@linux
def test_connections_are_seen_while_they_are_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), server.accept()[0]:
            assert f"127.0.0.1:{port}" in remote_addresses([os.getpid()])
            counter = ConnectionCounter(lambda: [os.getpid()])
            counter.start()
            counter.stop()
            assert counter.seen >= 2 and counter.looks >= 1 and counter.foreign == set()
        assert f"127.0.0.1:{port}" not in remote_addresses([os.getpid()])


def test_praise_is_valid_in_every_way() -> None:
    """Otherwise the demo would show that bad records are refused, and not that praise can't be bought."""
    device = bytes([7]) * 32
    boris = create_identity(
        root_seed=bytes([8]) * 32,
        recovery_key=public_key(bytes([9]) * 32),
        device_key=public_key(device),
        network=NETWORK,
        now=NOW,
        life_ms=3_600_000,
    )
    region = region_of(public_cell(CENTRE))
    fake = praise(BadHost(boris.author, device), 3, network=NETWORK, region=region, now=NOW)
    directory = Directory(NETWORK)
    for bundle in (boris.to_bytes(), *fake.bundles):
        directory.learn(bundle)
    logs = LogSet(NETWORK, directory)
    assert [logs.offer(one.raw, one.content).standing for one in fake.items] == [Standing.ACCEPTED] * 6
    assert {one.stars for one in logs.evidence().reviewed} == {5}


def test_an_interrupt_waits_while_it_is_held_and_comes_once() -> None:
    reached = []
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt), interrupts.held():
            os.kill(os.getpid(), signal.SIGTERM)
            reached.append("the end of the held part")
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("after a second one")
    assert reached == ["the end of the held part", "after a second one"]


def test_steps_are_wrapped_behind_the_time() -> None:
    lines = stamped(3.14, "word " * 40, 60).splitlines()
    assert lines[0].startswith("   3.1 s word") and all(len(line) <= 60 for line in lines)
    assert all(line.startswith("         word") for line in lines[1:])
