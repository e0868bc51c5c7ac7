"""The API's listeners: loopback TCP, a unix socket in the run folder, and if set one address for phones.

`start` binds, writes where it listens to run/api.port, and returns when requests are answered. The phones'
listener is a server of its own, so that strangers on the LAN can't use up what the owner's programs need.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from chargemesh_protocol.errors import PersonError

from ..addresses import split_host_port
from ..home import Home, replace_private_file
from ..kept_ports import API
from ..keystore import read_api_token
from .application import application
from .connection import BoundedConnection
from .context import Context
from .guard import exact_host, loopback_host
from .limits import CLOSING_SECONDS, MAX_CONNECTIONS, MAX_HEADER_BYTES
from .tokens import Holder, Tokens

if TYPE_CHECKING:
    from ..app import App

_BACKLOG = 64


class ApiServer:
    """Serves one running node."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._context: Context | None = None
        self._servers: list[_Server] = []
        self._running: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        """The loopback port (the real number when 0 was asked for)."""
        return int(self._servers[0].bound[0].getsockname()[1])

    async def start(self) -> None:
        """PersonError if an address is taken or not this machine's."""
        app = self._app
        context = Context(app, Tokens(read_api_token(app.home)))
        api, phone = app.config.api, app.config.phone.address
        bound: list[socket.socket] = [_listen_api(app)]
        try:
            if app.home.socket_path_fits:
                bound.append(_listen_unix(app.home))
            servers = [_Server(application(context, loopback_host), bound)]
            if phone:
                host, port = split_host_port(phone)
                lan = _listen(host, port, "phone.address")
                phones = application(context, exact_host(phone), (Holder.PHONE,))
                servers.append(_Server(phones, [lan]))
        except BaseException:
            for one in bound:
                one.close()
            raise
        context.changes.start(app.node.events)
        self._context, self._servers = context, servers
        for server in servers:
            self._running.append(asyncio.create_task(server.serve(server.bound), name="api"))
        await asyncio.gather(*(server.ready.wait() for server in servers))
        host = f"[{api.host}]" if ":" in api.host else api.host
        context.address = f"{host}:{self.port}"
        replace_private_file(app.home.api_port_file, f"{context.address}\n".encode())

    async def close(self) -> None:
        """Answers what is under way, within CLOSING_SECONDS; nothing if it was never started."""
        if self._context is None:
            return
        self._context.closing.set()
        for server in self._servers:
            server.end()
        await asyncio.gather(*self._running)
        await self._context.changes.close()
        self._context, self._servers, self._running = None, [], []
        self._app.home.api_port_file.unlink(missing_ok=True)
        self._app.home.api_socket.unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """uvicorn inside a program that has its own signals and log, on sockets that are already bound."""

    def __init__(self, app: ASGIApp, bound: list[socket.socket]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=BoundedConnection,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                limit_concurrency=MAX_CONNECTIONS,
                backlog=_BACKLOG,
                timeout_graceful_shutdown=CLOSING_SECONDS,
                h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            )
        )
        self.bound = bound
        self.ready = asyncio.Event()
        self._ending = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._ending.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """uvicorn looks ten times a second whether it shall end; an idle node sleeps instead."""
        await self.on_tick(0)
        await self._ending.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are `app`'s."""
        yield


def _listen_api(app: App) -> socket.socket:
    """On the port that is set; where that is 0 on the kept one, or a free one that is kept from then on."""
    host, port = app.config.api.host, app.config.api.port
    if port:
        return _listen(host, port, "api.port")
    try:
        one = _listen(host, app.ports.get(API), "api.port")
    except PersonError as error:
        if error.code != "port-taken":
            raise
        one = _listen(host, 0, "api.port")
    app.ports.keep(API, int(one.getsockname()[1]))
    return one


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind((host, port))
        one.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        one.close()
        raise _cannot_listen(host, port, setting, error) from error
    one.setblocking(False)
    return one


def _listen_unix(home: Home) -> socket.socket:
    """In run/, which is 0700; the name of an earlier run is cleared away, as the home's lock is ours."""
    home.api_socket.unlink(missing_ok=True)
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        one.bind(os.fspath(home.api_socket))
        os.chmod(home.api_socket, 0o600)
        one.listen(_BACKLOG)
    except OSError:
        one.close()
        raise
    one.setblocking(False)
    return one


def _cannot_listen(host: str, port: int, setting: str, error: Exception) -> PersonError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return PersonError(
            "port-taken",
            f"The API can't listen on {host}, port {port}: another program has it.",
            f"Stop that program, or choose another with `chargemesh config set {setting} …`.",
        )
    if number == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return PersonError(
            "bad-address",
            f"The API can't listen on {host}: this machine has no such address.",
            f"Give one that it has with `chargemesh config set {setting} …`.",
        )
    return PersonError(
        "cannot-listen",
        f"The API can't listen on {host}, port {port}: {error}.",
        f"Choose another with `chargemesh config set {setting} …`.",
    )
