"""A whole host, as `chargemesh run` makes it, with an ear on everything that leaves the house in clear.

async with overheard(folder, network) as house:
    await house.app.node.command(...)
    house.said  # frames to the network process, packets of mDNS, bodies of webhooks, answers to others
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from chargemesh_node import offline
from chargemesh_node.api.table import ROUTES
from chargemesh_node.app import App, serve
from chargemesh_node.home import Home

MDNS_GROUP, MDNS_PORT = "224.0.0.251", 5353
LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class Heard:
    """By the way that it took."""

    bridge: list[bytes] = field(default_factory=list)
    mdns: list[bytes] = field(default_factory=list)
    webhook: list[bytes] = field(default_factory=list)
    api: list[bytes] = field(default_factory=list)

    @property
    def everything(self) -> list[bytes]:
        return [*self.bridge, *self.mdns, *self.webhook, *self.api]


@dataclass(slots=True)
class House:
    app: App
    heard: Heard
    api_port: int

    async def strangers_ask_the_api(self) -> None:
        """Every route, by strangers who know the address and not the token, and by foreign pages in turn."""
        url = f"http://{LOOPBACK}:{self.api_port}"
        wrong: list[dict[str, str]] = [
            {},
            {"Authorization": "Bearer " + "ab" * 32},
            {"Host": "chargemesh.example"},
            {"Origin": "https://chargemesh.example"},
        ]
        known = [(route.method, route.path.replace("{", "").replace("}", "")) for route in ROUTES]
        paths = [
            *known,
            *(("GET", path) for path in ("/", "/openapi.json", "/static/app.js", "/no/such/path")),
        ]
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            for (method, path), headers in zip(paths, cycle(wrong), strict=False):
                answer = await client.request(method, path, headers=headers)
                head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
                self.heard.api += [answer.content, head.encode()]


@asynccontextmanager
async def overheard(folder: Path, network_id: str) -> AsyncIterator[House]:
    """A new home with a running node; at the end it is told to stop."""
    heard, ready = Heard(), asyncio.get_running_loop().create_future()
    before = list(logging.getLogger().handlers)
    async with _webhook(heard) as hook, _multicast(heard):
        home = Home(folder / "host")
        offline.create(home, phrase=offline.new_phrase(), network=network_id)
        settings: dict[str, Any] = {
            "network.listen": (f"/ip4/{LOOPBACK}/tcp/0",),
            "network.mdns_interfaces": (LOOPBACK,),
            "wallbox.host": LOOPBACK,
            "wallbox.port": 0,
            "api.port": 0,
            "notify.webhook": hook,
        }
        config = offline.load(home, {}, settings)
        serving = asyncio.create_task(serve(home, config, ready=ready.set_result, tap=heard.bridge.append))
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if serving.done():
                serving.result()
            port = int(home.api_port_file.read_text().rpartition(":")[2])
            yield House(ready.result(), heard, port)
        finally:
            if ready.done():
                ready.result().stopping.set()
            await serving
            for handler in set(logging.getLogger().handlers) - set(before):
                logging.getLogger().removeHandler(handler)
                handler.close()


@asynccontextmanager
async def _webhook(heard: Heard) -> AsyncIterator[str]:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        heard.webhook += [head, await reader.readexactly(length)]
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, LOOPBACK, 0)
    async with server:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/hook"


@asynccontextmanager
async def _multicast(heard: Heard) -> AsyncIterator[None]:
    """Whatever is said by multicast DNS on loopback."""
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    ear.bind((MDNS_GROUP, MDNS_PORT))
    group = socket.inet_aton(MDNS_GROUP) + socket.inet_aton(LOOPBACK)
    ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    ear.setblocking(False)
    loop = asyncio.get_running_loop()
    loop.add_reader(ear, lambda: heard.mdns.append(ear.recv(65_535)))
    try:
        yield
    finally:
        loop.remove_reader(ear)
        ear.close()
