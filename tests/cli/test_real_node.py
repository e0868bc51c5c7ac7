"""The same commands with a real node behind them: started in the background, asked, stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from chargemesh_cli import background
from chargemesh_cli.client import Api
from chargemesh_node import offline
from chargemesh_node.home import Home, running_pid

from .person import Person

QUIET = ("--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0")


@pytest.fixture
def host(home: Home) -> Iterator[Person]:
    """A home whose node, if a test starts it, is stopped at the end."""
    offline.change_setting(home, "wallbox.host", "127.0.0.1")
    offline.change_setting(home, "wallbox.port", "0")
    offline.change_setting(home, "network.mdns", "false")
    offline.change_setting(home, "network.listen", '["/ip4/127.0.0.1/tcp/0"]')
    person = Person(home)
    yield person
    if running_pid(home) is not None:
        assert person.types("stop").code == 0


def test_a_terminal_starts_the_node_and_scripts_do_not(host: Person) -> None:
    assert host.types("id").code == 4
    said = host.types("id", answers="")
    assert said.code == 0 and "starting it in the background" in said.out
    assert running_pid(host.home) is not None
    mine = host.types("--json", "id").value
    assert mine["network"] == "chargemesh-test-cli" and mine["peer_id"].startswith("12D3KooW")

    second = host.types("run", *QUIET)
    assert second.code == 1 and "already runs" in second.err and second.err.count("\n") == 1
    assert host.types("run", "--background").code == 0  # it runs: that is what was wanted

    added = host.types(
        "--json", "charger", "add", "--yes", "--at", "52.52,13.405", "--address", "Teststr. 1",
        "--price", "0.35", "--no-wait",
    )  # fmt: skip
    assert added.code == 0 and added.value["pairing"]["url"].startswith("ws://127.0.0.1:")
    charger = added.value["id"][:8]
    assert "0.50 EUR per kWh" in host.types("charger", "edit", charger, "--price", "0.50").out
    assert host.types("--json", "charger", "tag", charger, "MINE").value["owner_tags"] == ["MINE"]
    found = host.types("--json", "find", "--near", "52.52,13.40", "--max-price", "0.60").values
    assert [one["charger"] for one in found[:-1]] == [added.value["id"]] and found[-1]["done"] is True
    assert host.types("charger", "remove", charger, "--yes").code == 0
    assert host.types("bookings").code == 0 and host.types("doctor").code == 1

    assert host.types("stop").code == 0 and running_pid(host.home) is None
    assert host.types("stop").code == 4


def test_a_taken_port_is_a_sentence_also_from_the_background(host: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        offline.change_setting(host.home, "api.port", port)
        said = host.types("run", *QUIET)
        assert said.code == 1 and port in said.err and said.err.count("\n") == 1
        behind = host.types("status", answers="")
        assert behind.code == 1 and "did not start" in behind.err and port in behind.err


def test_a_node_that_dies_in_mid_answer_is_told(host: Person) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "chargemesh_cli", "--home", str(host.home.root), "run"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        background.wait_until_it_answers(host.home, process)
        assert Api(host.home).get("status")["pid"] == process.pid
    finally:
        process.kill()
        process.wait()
    # The socket of the killed node is still there, and nobody answers on it.
    for _ in range(50):
        if running_pid(host.home) is None:
            break
        time.sleep(0.05)
    assert host.types("status").code == 4


def test_an_unknown_variable_of_ours_is_told(host: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEMESH_WALLBOX_PROT", "1")
    said = host.types("run", *QUIET)
    assert said.code == 2 and "CHARGEMESH_WALLBOX_PORT" in said.err
    assert "CHARGEMESH_WALLBOX_PROT" in os.environ
