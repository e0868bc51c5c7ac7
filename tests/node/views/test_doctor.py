"""What doctor finds wrong, and says plainly."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from chargemesh_node.config import Config, PhoneSettings
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_node.views.doctor import Check, doctor
from tests.node.api.houses import CHARGER, Client, app_for, client_of


def examined(root: Path, *, friend: bool, vanish: bool = False, config: Config | None = None) -> list[Check]:
    """The findings about a host with one charger."""

    async def main() -> list[Check]:
        world = World(9)
        alice = await world.add("alice")
        if friend:
            await world.add("bob")
        client: Client = client_of(alice, root / "client")
        await client.post("/v1/chargers", CHARGER)
        if vanish:
            alice.box.vanish()
            await world.pass_time(seconds=1)
        checks = doctor(app_for(alice.node, root / "home", config=config))["checks"]
        await world.end()
        return checks

    return run(main())


def failed(checks: list[Check]) -> list[str]:
    return [one["name"] for one in checks if one["ok"] is False]


def test_a_node_that_is_well(tmp_path: Path) -> None:
    checks = examined(tmp_path, friend=True)
    assert failed(checks) == []
    assert {one["name"] for one in checks if one["ok"]} >= {"home", "clock", "peers", "wallbox"}


def test_who_can_see_what_is_said_plainly(tmp_path: Path) -> None:
    config = Config(phone=PhoneSettings(address="192.168.1.20:8080"))
    notes = {
        one["name"]: one["text"]
        for one in examined(tmp_path, friend=True, config=config)
        if one["ok"] is None
    }
    assert "your home's IP address" in notes["your-ip-address"]
    assert "sees your IP address" in notes["contacts"]
    assert "who reads along on that network" in notes["phone"]


def test_nobody_to_talk_to(tmp_path: Path) -> None:
    assert failed(examined(tmp_path, friend=False)) == ["peers"]


def test_every_line_that_is_not_ok_says_what_to_do(tmp_path: Path) -> None:
    config = Config(phone=PhoneSettings(address="192.168.1.20:8080"))
    checks = examined(tmp_path, friend=False, vanish=True, config=config)
    told = [one for one in checks if one["ok"] is not True]
    assert {one["name"] for one in told} == {
        "peers",
        "your-ip-address",
        "contacts",
        "wallbox",
        "phone",
        "mailbox",
    }
    assert all(one["hint"].endswith(".") for one in told)
    pair = next(one["hint"] for one in told if one["name"] == "wallbox")
    assert re.match(r"`chargemesh charger pair [0-9a-f]{8}` shows", pair)


def test_a_wallbox_that_is_away(tmp_path: Path) -> None:
    assert failed(examined(tmp_path, friend=True, vanish=True)) == ["wallbox"]


def test_a_folder_that_others_can_read(tmp_path: Path) -> None:

    async def main() -> list[Check]:
        world = World(9)
        alice = await world.add("alice")
        app = app_for(alice.node, tmp_path / "home")
        app.home.root.chmod(0o755)
        checks = doctor(app)["checks"]
        await world.end()
        return checks

    checks = run(main())
    assert "home" in failed(checks)
    assert "chmod 700" in next(one["hint"] for one in checks if one["name"] == "home")


def test_a_peer_whose_clock_is_far_off_is_worth_a_note(tmp_path: Path) -> None:
    async def main() -> list[Check]:
        world = World(9)
        alice, bob = await world.add("alice"), await world.add("bob")
        later = alice.clock.now() + 600_000
        alice.node.clocks.heard(bob.node.network.contact.peer_id, later, asyncio.get_running_loop().time())
        checks = doctor(app_for(alice.node, tmp_path / "home"))["checks"]
        await world.end()
        return checks

    (clock,) = [one for one in run(main()) if one["name"] == "clock"]
    assert clock["ok"] is None and "One of the two clocks is wrong." in clock["text"]


def test_a_restored_node_with_peers_is_asking_them(tmp_path: Path) -> None:
    async def main(*names: str) -> list[Check]:
        world = World(9)
        people = [await world.add(name) for name in names]
        app = app_for(people[0].node, tmp_path / str(len(names)))
        app.home.restored_flag.write_text("{}")
        app.home.restored_flag.chmod(0o600)
        checks = doctor(app)["checks"]
        await world.end()
        return [one for one in checks if one["name"] == "restored"]

    assert "it is asking its peers" in run(main("alice", "bob"))[0]["hint"]
    assert "chargemesh join LINK" in run(main("alice"))[0]["hint"]
