"""Our node passes every check of the conformance kit, and nodes that break a rule do not."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from chargemesh_node.p2p.bridge import Libp2pNetwork
from chargemesh_node.ports import Caller
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery import wire

from ..e2e.nodes import street
from ..e2e.warm import warm_processes
from ..node.p2p.networks import LIMITS
from .__main__ import main
from .node import run as checks
from .node.dialogue import BOOKING, IDENTITY, LISTING, LOG
from .node.mesh import Ear
from .node.peer import Target, connected
from .node.report import table
from .node.run import CHECKS, Outcome, Verdict, judge
from .node.scene import Check, Probe, Scene

ROOT = Path(__file__).parents[2]
NETWORK = "chargemesh-test-conformance"


def address_of(contact: Contact) -> str:
    return f"{contact.addresses[0]}/p2p/{contact.peer_id}"


async def ask_the_kit(*arguments: str) -> tuple[int, list[dict[str, object]]]:
    """Exit code of the command, and what it says of each check; then the counts."""
    command = [sys.executable, "-m", "tests.conformance", "node", "--json", *arguments]
    kit = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await kit.communicate()
    assert kit.returncode is not None
    return kit.returncode, [json.loads(line) for line in out.splitlines()]


@pytest.mark.timeout(300)  # it takes 20 s, most of them spent waiting; a busy machine needs more
@pytest.mark.asyncio
async def test_our_node_with_a_charger_passes_all_of_it_and_fails_as_one_of_another_network() -> None:
    async with street(network_id=NETWORK) as people:
        host = people.know("host", sqlite=True)
        host.keeps_mailbox = True
        await host.start()
        await host.offers()
        pid, address = host.network.pid, address_of(host.contact)
        code, told = await ask_the_kit(address, "--network", NETWORK, "--complete")
        assert [one for one in told[:-1] if one["outcome"] != "passed"] == []
        assert told[-1] == {"passed": len(CHECKS), "failed": 0, "skipped": 0} and code == 0
        assert (host.network.pid, host.network.restarts) == (pid, 0)
        assert not host.node.runner.counters.get("defects", 0)

        code, told = await ask_the_kit(address, "--network", NETWORK + "-2", "--only", "transport:")
        failed = {str(one["check"]) for one in told[:-1] if one["outcome"] == "failed"}
        assert code == 1
        assert {"transport:identify", "transport:find-node", "transport:kademlia-ping"} <= failed
        assert "transport:noise-alone" not in failed


Handler = Callable[[Caller, bytes], Awaitable[bytes]]


@asynccontextmanager
async def a_node_that(says: dict[str, Handler]) -> AsyncIterator[Libp2pNetwork]:
    """Our network process around handlers that are not ours."""
    async with warm_processes() as nursery:
        network = Libp2pNetwork(
            seed=bytes(31) + b"c",
            network_id=NETWORK,
            listen=["/ip4/127.0.0.1/tcp/0"],
            limits=LIMITS,
            launch=nursery.launch,
        )
        for protocol in (BOOKING, LISTING, IDENTITY, LOG):
            network.serve(protocol, says.get(protocol, silent))
        await network.start()
        try:
            yield network
        finally:
            await network.close()


async def silent(caller: Caller, body: bytes) -> bytes:
    return b""


async def agreeable(caller: Caller, body: bytes) -> bytes:
    """A caretaker that keeps whatever it is told, and never has anything."""
    asked = body[1:3] == b"\x00\x04"  # operation 4, behind the head of the map
    return wire.write(wire.Found(items=()) if asked else wire.Kept())


async def judged(network: Libp2pNetwork, only: str) -> dict[str, Verdict]:
    found: list[Verdict] = []
    target = Target.of(address_of(network.contact))
    await asyncio.to_thread(checks.run, target, NETWORK, found.append, only=only)
    return {one.check.name: one for one in found}


@pytest.mark.asyncio
async def test_a_caretaker_that_keeps_everything_and_shows_nothing_is_found_out() -> None:
    async with a_node_that({LISTING: agreeable}) as network:
        found = await judged(network, "listing:")
    last = {name: verdict.looks[-1] for name, verdict in found.items()}
    assert {one.outcome for one in found.values()} == {Outcome.FAILED}
    assert last["listing:sequences"].sent == "store: sequence 1"
    assert (last["listing:refusals"].expected, last["listing:refusals"].got) == ("failed: expired", "kept")
    assert last["listing:store-and-find"].expected == "found"


@pytest.mark.asyncio
async def test_a_node_that_lists_nothing_is_skipped_where_it_must_be_a_host() -> None:
    async with a_node_that({}) as network:
        found = await judged(network, "booking:")
    assert found["booking:quote"].outcome is Outcome.SKIPPED
    assert found["booking:malformed"].outcome is Outcome.FAILED


@pytest.mark.asyncio
async def test_a_node_that_goes_down_under_a_hostile_check_fails_it() -> None:
    async with a_node_that({}) as network:
        pid, target = network.pid, Target.of(address_of(network.contact))
        assert pid is not None

        async def falls(scene: Scene, probe: Probe) -> None:
            os.kill(pid, signal.SIGKILL)

        async def attack() -> Verdict:
            ear = Ear()
            async with connected(target, ear.attach) as honest:
                check = Check("hostile:fall", (), "", falls, hostile=True)
                return await judge(check, Scene(target, NETWORK, honest, ear))

        verdict = await asyncio.to_thread(trio.run, attack)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.looks[-1].sent == "afterwards: the honest ping"


@pytest.mark.asyncio
async def test_another_node_at_that_address_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    gone = "12D3KooWSrKnMZUcSxK8G7wmBbXdU8nFEfWGhLu6H8xjn8LmCSJb"
    async with a_node_that({}) as network:
        address = f"{network.contact.addresses[0]}/p2p/{gone}"
        assert await asyncio.to_thread(main, ["node", address, "--network", NETWORK]) == 1
        assert f"another PeerId answers there, {network.contact.peer_id}" in capsys.readouterr().err


def test_the_specs_list_every_check() -> None:
    said = (ROOT / "specs" / "conformance.md").read_text()
    assert table() in said, "`python -m tests.conformance checks` prints the table"


def test_checks_have_names_of_their_own_and_rules_that_stand_in_the_specs() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    text = "".join(path.read_text() for path in (ROOT / "specs").glob("[0-9]*.md"))
    numbered = set(re.findall(r"^\*\*([A-Z]\d+)\.\*\*", text, re.MULTILINE))
    for check in CHECKS:
        assert check.about.endswith(".") and check.rules, check.name
        assert set(check.rules) <= numbered, check.name


@pytest.mark.parametrize(
    "arguments",
    [
        ("/ip4/127.0.0.1/tcp/1/p2p/12D3KooWSrKnMZUcSxK8G7wmBbXdU8nFEfWGhLu6H8xjn8LmCSJb", "chargemesh-dev-1"),
        ("/ip4/127.0.0.1/tcp/1", NETWORK),
        ("127.0.0.1:4001", NETWORK),
    ],
    ids=["the real network", "no PeerId", "no multiaddr"],
)
def test_what_the_command_does_not_take(arguments: tuple[str, str]) -> None:
    address, network = arguments
    with pytest.raises(SystemExit) as end:
        main(["node", address, "--network", network])
    assert end.value.code == 2


def test_nobody_there_is_a_failure() -> None:
    gone = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWSrKnMZUcSxK8G7wmBbXdU8nFEfWGhLu6H8xjn8LmCSJb"
    assert main(["node", gone, "--network", NETWORK]) == 1
