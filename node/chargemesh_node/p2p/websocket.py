"""Serving WebSocket so that strangers' half-open sockets are bounded as on TCP.

libp2p's listener leaves the HTTP handshake to trio_websocket: it waits 60 s for it and for the closing one
(the listener's own `handshake_timeout` is used nowhere, transport/websocket/listener.py:93), on any number
of sockets. What follows that handshake the swarm bounds.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from copy import copy
from typing import Any

import trio
from libp2p.transport.websocket import listener
from trio_websocket import WebSocketRequest, WebSocketServer

from .half_open import HalfOpenPlaces
from .limits import NetworkLimits

Handler = Callable[[WebSocketRequest], Awaitable[None]]


def bound_websocket_handshakes(limits: NetworkLimits) -> None:
    """libp2p's listeners serve by ours from now on."""
    listener.serve_websocket = serve_within(limits)


def serve_within(limits: NetworkLimits) -> Callable[..., Awaitable[None]]:
    """As trio_websocket's `serve_websocket`, within these limits."""
    places, seconds = HalfOpenPlaces(limits), limits.upgrade_seconds

    async def serve_websocket(
        handler: Handler,
        host: str | None,
        port: int,
        ssl_context: ssl.SSLContext | None,
        *,
        task_status: Any = trio.TASK_STATUS_IGNORED,
    ) -> None:
        listeners: Any
        if ssl_context is None:
            listeners = await trio.open_tcp_listeners(port, host=host)
        else:
            listeners = await trio.open_ssl_over_tcp_listeners(
                port, ssl_context, host=host, https_compatible=True
            )
        server = _Server(handler, listeners, connect_timeout=seconds, disconnect_timeout=seconds)
        server.places = places
        await server.run(task_status=task_status)

    return serve_websocket


class _Server(WebSocketServer):
    """Each socket has a place among the half-open until its HTTP handshake is over."""

    places: HalfOpenPlaces

    async def _handle_connection(self, stream: Any) -> None:
        with trio.CancelScope() as scope, self.places.take(_host_of(stream), scope) as place:

            async def opened(request: WebSocketRequest) -> None:
                self.places.leave(place)
                await self._handler(request)

            served = copy(self)
            served._handler = opened
            await super(_Server, served)._handle_connection(stream)


def _host_of(stream: Any) -> str | None:
    """The address at the other end of a trio stream, with TLS or without; None where it is gone."""
    try:
        name = getattr(stream, "transport_stream", stream).socket.getpeername()
    except OSError:
        return None
    return str(name[0]).removeprefix("::ffff:")
