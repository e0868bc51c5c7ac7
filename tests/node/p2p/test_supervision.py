"""The network process is killed, or kills itself: the node goes on, and the network is back in seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from chargemesh_node.errors import NetworkError
from chargemesh_protocol.errors import PersonError

from .networks import LIMITS, SLOW, Make, close, echoes, eventually, reaches, sees, start

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_killed_in_mid_request_it_comes_back_with_its_peers_and_its_name(make_network: Make) -> None:
    alice, bob = make_network(), make_network()
    heard: list[bytes] = []
    await start(alice, bob)
    try:
        before = alice.contact
        await alice.subscribe("topic", lambda caller, data: heard.append(data) is None)
        await bob.subscribe("topic", lambda caller, data: True)
        await alice.connect(bob.contact)
        await eventually(lambda: sees(alice, bob) and sees(bob, alice))

        streams = bob.counters().get("inbound_streams", 0)
        request = asyncio.create_task(alice.request(bob.contact, SLOW, b"60", timeout=60))
        await eventually(lambda: bob.counters().get("inbound_streams", 0) > streams)  # it is being answered
        pid = alice.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(NetworkError):
            await request
        assert not alice.peers()

        await eventually(lambda: sees(alice, bob))
        assert alice.contact == before
        assert alice.pid not in (None, pid)
        assert alice.counters()["restarts"] == 1
        await reaches(alice, bob)
        await reaches(bob, alice)

        async with asyncio.timeout(60):
            while not heard:  # subscribed again, and in the mesh again
                await bob.publish("topic", b"after the restart")
                await asyncio.sleep(0.5)
    finally:
        await close(alice, bob)


async def test_a_request_made_while_it_is_down_waits_for_it(make_network: Make) -> None:
    alice, bob = make_network(), make_network()
    await start(alice, bob)
    try:
        assert bob.pid is not None and alice.pid is not None
        os.kill(alice.pid, signal.SIGKILL)
        await eventually(lambda: alice.pid is None)
        assert await echoes(alice, bob)
    finally:
        await close(alice, bob)


async def test_it_is_started_anew_when_it_holds_too_much_memory(make_network: Make) -> None:
    alice = make_network(limits=replace(LIMITS, recycle_rss_bytes=1024 * 1024))
    await alice.start()
    try:
        await eventually(lambda: alice.restarts >= 1)
    finally:
        await alice.close()


async def test_it_is_started_anew_when_it_hangs(make_network: Make) -> None:
    alice = make_network(limits=replace(LIMITS, start_seconds=20.0, silence_seconds=2.0))  # ten signs of life
    await alice.start()
    try:
        pid = alice.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await eventually(lambda: alice.pid not in (None, pid))
    finally:
        await alice.close()


ORPHAN = """
import asyncio
from tests.node.p2p.networks import make_network

async def main():
    network = make_network()
    await network.start()
    print(network.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_it_dies_with_the_node() -> None:
    node = await asyncio.create_subprocess_exec(sys.executable, "-c", ORPHAN, stdout=subprocess.PIPE)
    assert node.stdout is not None
    pid = int(await node.stdout.readline())
    node.kill()
    await node.wait()
    await eventually(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    """Whether the process still runs; one that ended and is not yet reaped by init does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def test_an_address_that_is_none_is_told_in_a_sentence(make_network: Make) -> None:
    network = make_network(listen=["no multiaddr at all"])
    with pytest.raises(PersonError) as caught:
        await network.start()
    assert caught.value.code == "bad-address"
    assert network.pid is None


async def test_a_process_that_never_gets_up_is_not_tried_for_ever(make_network: Make) -> None:
    network = make_network(limits=replace(LIMITS, max_connections=-1))
    with pytest.raises(NetworkError):
        await network.start()
