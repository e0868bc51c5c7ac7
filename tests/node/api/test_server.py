"""The real server on real sockets: where it listens, and what it makes of strangers and garbage."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.api import connection, context, streams
from chargemesh_node.api.server import ApiServer
from chargemesh_node.app import App
from chargemesh_node.config import ApiSettings, Config, PhoneSettings
from chargemesh_node.sim.world import World
from chargemesh_protocol.effects import Tell
from chargemesh_protocol.errors import PersonError

from .houses import TOKEN, app_for

SECONDS = 10.0


@asynccontextmanager
async def served(root: Path, config: Config | None = None) -> AsyncIterator[tuple[ApiServer, App]]:
    """One node's API on a free port and in a unix socket."""
    world = World(8)
    alice = await world.add("alice")
    app = app_for(alice.node, root / "home", started_at=alice.clock.now(), config=config)
    server = ApiServer(app)
    try:
        await server.start()
        yield server, app
    finally:
        await server.close()
        await world.end()


async def talk(server: ApiServer, sent: bytes) -> bytes:
    """Everything that the server says until it closes, or for a second."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    return await _said(reader, writer, sent)


async def _said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> bytes:
    writer.write(sent)
    said = b""
    try:
        async with asyncio.timeout(1.0):
            await writer.drain()
            while chunk := await reader.read(65536):
                said += chunk
    except (TimeoutError, ConnectionResetError, BrokenPipeError):
        pass  # what was said until then is the answer
    writer.close()
    return said


def request(
    path: str, *, method: str = "GET", host: str = "localhost", body: bytes = b"", more: str = ""
) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {TOKEN}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode() + body


@pytest.mark.asyncio
async def test_where_it_listens(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, app):
        assert app.home.api_port_file.read_text() == f"127.0.0.1:{server.port}\n"
        assert stat.S_IMODE(app.home.api_socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(app.home.run.stat().st_mode) == 0o700
        reader, writer = await asyncio.open_unix_connection(app.home.api_socket)
        said = await _said(reader, writer, request("/v1/id"))
        head, _, body = said.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200") and b"server:" not in head.lower()
        assert json.loads(body)["author"] == app.node.me.author.hex()
    assert not app.home.api_port_file.exists() and not app.home.api_socket.exists()


@pytest.mark.asyncio
async def test_a_home_whose_path_is_too_long_for_a_socket(tmp_path: Path) -> None:
    async with served(tmp_path / ("x" * 90)) as (server, app):
        assert not app.home.api_socket.exists()
        assert b" 200 " in await talk(server, request("/v1/id"))


@pytest.mark.asyncio
async def test_a_socket_left_by_a_killed_node_is_in_nobodys_way(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, app):
        pass
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(app.home.api_socket))
    left.close()
    server = ApiServer(app)
    await server.start()
    assert app.home.api_socket.is_socket()
    await server.close()
    assert not app.home.api_socket.exists()


@pytest.mark.asyncio
async def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with taken, pytest.raises(PersonError, match=f"port {port}: another program has it") as refused:
        async with served(tmp_path, Config(api=ApiSettings(port=port))):
            pass
    assert "chargemesh config set api.port" in refused.value.hint


@pytest.mark.asyncio
async def test_an_address_that_is_not_ours_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PersonError, match="no such address") as refused:
        async with served(tmp_path, Config(phone=PhoneSettings(address="192.0.2.1:8080"))):
            pass
    assert "phone.address" in refused.value.hint


@pytest.mark.asyncio
async def test_the_phones_listener_answers_under_its_own_name_only(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    config = Config(phone=PhoneSettings(address=f"127.0.0.2:{port}"))
    async with served(tmp_path, config) as (server, _):
        told = await talk(server, request("/v1/phones", method="POST"))
        link = json.loads(told.partition(b"\r\n\r\n")[2])["link"]
        token = link.removeprefix(f"http://127.0.0.2:{port}/#token=")

        async def ask(sent: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.2", port)
            return (await _said(reader, writer, sent)).partition(b"\r\n")[0]

        mine = request("/v1/bookings", host=f"127.0.0.2:{port}").replace(TOKEN.encode(), token.encode())
        assert b" 200 " in await ask(mine)
        assert b" 403 " in await ask(mine.replace(f"127.0.0.2:{port}".encode(), b"localhost"))
        # The owner's token is none here: it would travel in clear.
        assert b" 401 " in await ask(request("/v1/bookings", host=f"127.0.0.2:{port}"))


@pytest.mark.asyncio
async def test_garbage_is_refused_and_counted_and_the_next_client_is_served(tmp_path: Path) -> None:
    dice = random.Random(4)
    garbage = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + dice.randbytes(200),  # somebody speaks TLS
        dice.randbytes(4096) + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        b"POST /v1/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
    async with served(tmp_path) as (server, app):
        before = connection.BoundedConnection.refused["garbage"]
        answers = await asyncio.gather(*(talk(server, one) for one in garbage))
        assert not [one for one in answers if b" 500 " in one.partition(b"\r\n")[0]]
        assert connection.BoundedConnection.refused["garbage"] >= before + 5
        assert b" 200 " in await talk(server, request("/v1/status"))
        assert not app.stopping.is_set()


@pytest.mark.asyncio
async def test_large_bodies_are_not_read(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, _):
        told = await talk(server, request("/v1/join", method="POST", body=b"x" * 200_000))
        assert b" 413 " in told.partition(b"\r\n")[0]
        head = request("/v1/join", method="POST", more="Transfer-Encoding: chunked\r\n")
        endless = head.replace(b"Content-Length: 0\r\n", b"") + b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        assert (
            b" 413 "
            in (await talk(server, endless + b"8001\r\n" + b"x" * 0x8001 + b"\r\n")).partition(b"\r\n")[0]
        )


@pytest.mark.asyncio
async def test_idle_connections_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.2)
    async with served(tmp_path) as (server, _):
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: loc"):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(sent)
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(_until_closed(reader), SECONDS)
            writer.close()


async def _until_closed(reader: asyncio.StreamReader) -> None:
    if not await reader.read(1):
        raise ConnectionResetError


async def _events(reader: asyncio.StreamReader, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(SECONDS):
        while len(found) < count:
            line = await reader.readline()
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
    return found


async def _follow(server: ApiServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream of events that has begun."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request("/v1/events"))
    async with asyncio.timeout(SECONDS):
        while b": chargemesh" not in await reader.readline():
            pass
    await asyncio.sleep(0)
    return reader, writer


@pytest.mark.asyncio
async def test_events_come_as_they_happen_and_a_slow_client_is_told_what_it_lost(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, app):
        reader, writer = await _follow(server)
        app.node.events.tell(Tell("wallbox.status", {"charger": "ab", "state": "Charging"}))
        assert await _events(reader, 1) == [{"event": "wallbox.status", "charger": "ab", "state": "Charging"}]
        for number in range(1000):  # at once: nobody could take them meanwhile
            app.node.events.tell(Tell("tick", {"number": number}))
        heard = await _events(reader, 257)
        lost = next(one["count"] for one in heard if one["event"] == "lost")
        assert lost >= 700 and heard[-1]["number"] == 999
        writer.close()


@pytest.mark.asyncio
async def test_only_so_many_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context.Streams.__init__, "__defaults__", (2,))
    async with served(tmp_path) as (server, app):
        first, second = await _follow(server), await _follow(server)
        assert b"too-many-streams" in await talk(server, request("/v1/events"))
        first[1].close()
        async with asyncio.timeout(SECONDS):
            while app.node.events.listeners > 2:  # the API's own, and the second's
                app.node.events.tell(Tell("tick"))
                await asyncio.sleep(0.02)
        third = await _follow(server)
        for _, writer in (second, third):
            writer.close()


@pytest.mark.asyncio
async def test_streams_and_polls_end_with_the_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.05)
    async with served(tmp_path) as (server, app):
        reader, writer = await _follow(server)
        async with asyncio.timeout(SECONDS):
            assert b": still here" in await reader.readuntil(b": still here\n")
            await server.close()
            assert await reader.read() is not None
        writer.close()
        assert app.node.events.listeners == 0
