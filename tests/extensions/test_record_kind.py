"""The documented record kind: said by who has it, kept and passed on by who has not, explained by who has."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.extensions import installed
from chargemesh_node.settings import SETTINGS
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.errors import ExitCode
from chargemesh_protocol.record import KINDS, open_record, sign_foreign
from chargemesh_protocol.trust.entries import OtherEntry
from tests.cli.person import Person
from tests.node.api.houses import CHARGER, client_of
from tests.node.api.test_mistakes import mistaken
from tests.protocol.trust.people import MONTH, NETWORK, REGION
from tests.protocol.trust.people import Person as Writer

from .packages import command_lines

KIND = "org.example.solar"
SAID = {"kind": KIND, "fields": {"inverter": "roof", "peak_w": "9800", "battery_wh": 10_000}}


def said_and_heard(tmp_path: Path) -> Any:
    """Alice, who has the kind, says it; nobody knows it when her batch is cut and while it travels. What
    Bob's node then gives of her log."""
    heard: list[Any] = []

    async def main() -> None:
        world = World(41)
        alice, bob = await world.add("alice"), await world.add("bob")
        host, other = client_of(alice, tmp_path), client_of(bob, tmp_path)
        installed()
        try:
            await host.post("/v1/chargers", CHARGER)
            assert (await host.post("/v1/log/say", SAID)) == {"kind": KIND, "entries_waiting": 1}
            assert (await host.post("/v1/log/say", SAID))["entries_waiting"] == 1, "once is enough"
            known = KINDS.pop(KIND)
            await alice.stop()
            await alice.restart()  # the draft is on the disk; the extension was uninstalled meanwhile
            await world.settles()
            await world.until(lambda: any(True for _ in bob.node.replica.logs.accepted()), 60, "it has come")
            heard.append(await other.get(f"/v1/trust/{alice.author.hex()}/log"))
            KINDS[KIND] = known
        finally:
            await world.end()

    run(main())
    return heard[0]


def show(file: Path, *path: Path) -> subprocess.CompletedProcess[str]:
    """`record show` in a process of its own, with or without the extension on its path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(one) for one in path)}
    command = [
        sys.executable,
        "-m",
        "chargemesh_cli",
        "--home",
        str(file.parent),
        "record",
        "show",
        str(file),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def test_it_travels_through_a_node_that_does_not_know_it_and_is_explained(
    extensions: Path, tmp_path: Path
) -> None:
    log = said_and_heard(tmp_path)
    (entry,) = log["records"]
    assert entry["kind"] == KIND and entry["sequence"] == 1 and not log["more"]
    record = open_record(base64.b64decode(entry["raw"]), log["network"])
    assert (record.body.inverter, record.body.peak_w, record.body.battery_wh) == ("roof", 9_800, 10_000)
    file = tmp_path / "log.json"
    file.write_text(json.dumps(log))
    told = show(file, extensions)
    assert told.returncode == 0, told.stderr
    assert "the sun feeds my charger: 9.8 kW on the roof." in told.stdout
    assert "signature and delegation good" in told.stdout and "inverter: roof" in told.stdout
    told = show(file)
    assert told.returncode == 0 and "which nothing installed here can read" in told.stdout
    assert "key 7: roof" in told.stdout and "signature and delegation good" in told.stdout


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a kind that nobody knows": ({"kind": "org.example.tip"}, "unknown-kind"),
    "a kind of ours": ({"kind": "vouch"}, "unknown-kind"),
    "a field that is missing": ({"fields": {"inverter": "roof"}}, "bad-value"),
    "a field that there isn't": ({"fields": {**SAID["fields"], "colour": "blue"}}, "bad-value"),
    "no number": ({"fields": {**SAID["fields"], "peak_w": "much"}}, "bad-value"),
    "out of bounds": ({"fields": {**SAID["fields"], "inverter": ""}}, "bad-entry"),
    "a field that the log sets": ({"fields": {**SAID["fields"], "month": 1}}, "bad-value"),
    "no place": ({"region": "zz"}, "bad-value"),
}


def test_what_can_not_be_said(extensions: Path, tmp_path: Path) -> None:
    async def main() -> None:
        world = World(43)
        alice = await world.add("alice")
        client = client_of(alice, tmp_path)
        installed()
        try:
            assert (await mistaken(client, "POST", "/v1/log/say", SAID))[0] == "no-region"
            await client.post("/v1/chargers", CHARGER)
            for what, (wrong, code) in MISTAKES.items():
                said = await mistaken(client, "POST", "/v1/log/say", {**SAID, **wrong})
                assert said[0] == code, what
                assert said[3] in (ExitCode.USAGE, ExitCode.NOT_FOUND)
            assert alice.node.runner.engine.keeper.waiting == 0
        finally:
            await world.end()

    run(main())


def test_who_knows_a_kind_refuses_no_more_than_who_does_not(extensions: Path) -> None:
    """An entry that its class can't read holds its place all the same: else a log would have two lengths."""
    alice = Writer("alice")
    beginning = OtherEntry(author=alice.author, sequence=1, previous=alice.author, month=MONTH, region=REGION)
    raw = sign_foreign(KIND, beginning, {7: 7, 14: True}, alice.device, NETWORK).raw
    unknown = open_record(raw, NETWORK, unknown=OtherEntry)
    installed()
    assert KIND in KINDS
    known = open_record(raw, NETWORK, unknown=OtherEntry)
    assert known.body == unknown.body == beginning and known.id == unknown.id


def test_flags_become_fields(extensions: Path, person: Person, node: Any) -> None:
    node.answers["POST log/say"] = {"kind": KIND, "entries_waiting": 1}
    told = person.types("trust", "say", KIND, "inverter=roof", "peak_w=9800", "--near", "52.52,13.40")
    assert told.code == 0 and "your log says it within a minute" in told.out, "on a network for tests"
    body = node.calls("POST log/say")[-1].body
    assert body["fields"] == {"inverter": "roof", "peak_w": "9800"} and len(body["region"]) == 15
    assert person.types("trust", "say", KIND, "inverter").code == 2


def test_elsewhere_it_takes_days_until_the_log_says_it(
    extensions: Path, person: Person, node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.answers["POST log/say"] = {"kind": KIND, "entries_waiting": 1}
    monkeypatch.setenv(SETTINGS["network.id"].variable, "chargemesh-dev-1")
    told = person.types("trust", "say", KIND, "inverter=roof", "peak_w=9800")
    assert "with 1 in all: your log says it 2 d to 14 d from now." in told.out


def test_the_documented_command_works_for_somebody_without_a_charger(
    extensions: Path, person: Person, node: Any
) -> None:
    node.answers["POST log/say"] = {"kind": KIND, "entries_waiting": 1}
    (line,) = [one for one in command_lines() if one.startswith("chargemesh trust say")]
    assert person.types(*shlex.split(line)[1:]).code == 0
    assert "region" in node.calls("POST log/say")[-1].body, "else the node has to know a place of theirs"


@pytest.mark.parametrize("name", ["tip", ""])
def test_a_name_without_a_domain_is_refused_where_it_is_made(name: str) -> None:
    from chargemesh_protocol.record import kind

    with pytest.raises(TypeError, match="after a domain"):
        kind(name)(type("Tip", (), {}))
