"""Ports that are chosen once: kept for the next start, and another where somebody has taken one."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from chargemesh_node import kept_ports
from chargemesh_node.home import Home
from chargemesh_node.kept_ports import WALLBOX, KeptPorts

LISTEN = ("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws", "/ip4/127.0.0.1/tcp/4001")


def test_what_was_taken_is_kept_for_the_next_start(tmp_path: Path) -> None:
    first = KeptPorts(Home(tmp_path))
    assert first.get(WALLBOX) == 0 and asyncio.run(first.listen(LISTEN)) == LISTEN
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        plain, web = one.getsockname()[1], other.getsockname()[1]
    bound = (f"/ip4/127.0.0.1/tcp/{plain}", f"/ip4/127.0.0.1/tcp/{web}/ws", LISTEN[2])
    first.keep_listening(LISTEN, bound)
    first.keep(WALLBOX, 9310)
    second = KeptPorts(Home(tmp_path))
    assert second.get(WALLBOX) == 9310 and asyncio.run(second.listen(LISTEN)) == bound
    assert second.moved == [] and Home(tmp_path).ports_file.stat().st_mode & 0o777 == 0o600


def test_a_port_that_was_taken_meanwhile_is_another_one_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_ports, "_FREE_AGAIN_SECONDS", 0.0)
    ports = KeptPorts(Home(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as thief:
        stolen = thief.getsockname()[1]
        ports.keep_listening(LISTEN[:1], [f"/ip4/127.0.0.1/tcp/{stolen}"])
        again = KeptPorts(Home(tmp_path))
        assert asyncio.run(again.listen(LISTEN[:1])) == LISTEN[:1]
        again.keep_listening(LISTEN[:1], ["/ip4/127.0.0.1/tcp/4002"])
    assert again.moved == [f"Port {stolen} (peers) was taken at this start: it is 4002 from now on."]


@pytest.mark.parametrize("spoilt", [b"{", b"[]", b'{"wallbox": 70000, "api": true}'])
def test_a_spoilt_file_costs_the_ports_and_no_start(tmp_path: Path, spoilt: bytes) -> None:
    file = Home(tmp_path).ports_file
    file.write_bytes(spoilt)
    file.chmod(0o600)
    ports = KeptPorts(Home(tmp_path))
    assert ports.get("wallbox") == ports.get("api") == 0
