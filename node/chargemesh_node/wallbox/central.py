"""The OCPP 1.6J central system: one WebSocket server for all of a node's chargers, on the LAN or on loopback.

A box connects to /ocpp/<charge point id> with Basic auth (user name = id). Who is unknown, or sends garbage,
gets a refusal or a closed socket and nothing else. A box that is known and can't be served at this moment is
told 503, which boxes take for an outage; after a 401 some wait for their owner.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import InvalidHeader, NegotiationError
from websockets.headers import build_www_authenticate_basic, parse_authorization_basic
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from chargemesh_protocol import limits

from ..ports import Entropy
from .link import Link, Station

log = logging.getLogger(__name__)

PATH = "/ocpp/"
SUBPROTOCOL = "ocpp1.6"
CALL_TIMEOUT_S = 15.0
CLOSE_TIMEOUT_S = 2.0
BACK_WITHIN_S = 10.0  # a charger that was detached for new settings, or because the node stops, is told 503


def new_password(entropy: Entropy) -> str:
    """80 random bits as 16 small letters and digits, easy to type into a wallbox (OCPP asks for 16 to 40)."""
    return base64.b32encode(entropy.bytes(10)).decode().lower()


class CentralSystem:
    """Listens for the wallboxes of this node. `attach` a charger at any time, before or after `start`."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, call_timeout_s: float = CALL_TIMEOUT_S
    ) -> None:
        """`port` 0 takes a free one. `call_timeout_s` bounds how long a box may take to answer."""
        self._host = host
        self._port = port
        self._call_timeout_s = call_timeout_s
        self._server: Server | None = None
        self._chargers: dict[str, _Attached] = {}
        self._left: dict[str, tuple[_Attached, float]] = {}  # until that instant of the loop's clock
        self._sockets: Counter[str] = Counter()

    async def start(self, *, port: int | None = None) -> None:
        """Listens on `port`, or on that of the constructor. Raises OSError where it is taken."""
        if port is not None:
            self._port = port
        self._server = await serve(
            self._serve,
            self._host,
            self._port,
            process_request=self._admit,
            select_subprotocol=_choose_subprotocol,
            compression=None,  # boxes don't need it, and a compressed message can grow a thousandfold
            max_size=limits.MAX_OCPP_MESSAGE_BYTES,
            open_timeout=limits.OCPP_HANDSHAKE_MS / 1000,
            ping_interval=limits.OCPP_PING_MS / 1000,
            ping_timeout=limits.OCPP_PING_MS / 1000,
            close_timeout=CLOSE_TIMEOUT_S,
            server_header=None,
            logger=_quiet_log(),
            create_connection=_counted(self._sockets),
        )

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    @property
    def is_open(self) -> bool:
        return self._server is not None

    @property
    def port(self) -> int:
        """Where it listens (the real number when 0 was asked for)."""
        if self._server is None:
            return self._port
        return int(next(iter(self._server.sockets)).getsockname()[1])

    def url(self, charger_id: str, host: str | None = None) -> str:
        """What to type into the wallbox; `host` is this machine's address as the wallbox sees it."""
        shown = host or self._host
        shown = f"[{shown}]" if ":" in shown else shown
        return f"ws://{shown}:{self.port}{PATH}{quote(charger_id, safe='')}"

    def attach(self, charger_id: str, password: str | None, station: Station) -> None:
        """Lets that charge point connect. A `password` of None switches its check off for this charger."""
        self._left.pop(charger_id, None)
        self._chargers[charger_id] = _Attached(charger_id, password, station)

    def detach(self, charger_id: str) -> None:
        """The charger may not connect any more; the caller ends a connection that is open. Its box is told to
        try again for BACK_WITHIN_S, and after that that nobody knows it."""
        charger = self._chargers.pop(charger_id, None)
        now = asyncio.get_running_loop().time()
        self._left = {id: left for id, left in self._left.items() if left[1] > now}
        if charger is not None:
            self._left[charger_id] = (charger, now + BACK_WITHIN_S)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Who may connect. An unknown id and a wrong password get the same answer."""
        id = _charger_id(request.path)
        charger = self._chargers.get(id)
        if charger is not None and _password_fits(charger, request):
            return None
        if charger is None and self._left_just_now(id, request):
            response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Not at this moment.\n")
            response.headers["Retry-After"] = "2"
            return response
        response = connection.respond(HTTPStatus.UNAUTHORIZED, "Unknown charge point or wrong password.\n")
        response.headers["WWW-Authenticate"] = build_www_authenticate_basic("OCPP")
        return response

    def _left_just_now(self, id: str, request: Request) -> bool:
        charger, until = self._left.get(id, (None, 0.0))
        in_time = asyncio.get_running_loop().time() < until
        return charger is not None and in_time and _password_fits(charger, request)

    async def _serve(self, connection: ServerConnection) -> None:
        request = connection.request
        charger = None if request is None else self._chargers.get(_charger_id(request.path))
        if charger is not None:
            link = Link(charger.charger_id, connection, charger.station, self._call_timeout_s)
            await link.serve()


@dataclass(frozen=True, slots=True)
class _Attached:
    charger_id: str
    password: str | None
    station: Station


class _CountedConnection(ServerConnection):
    """Closes a socket at once where there are too many, before anything is read from it."""

    _sockets: Counter[str]
    _address = ""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else "unknown"
        self._sockets[self._address] += 1
        too_many = self._sockets.total() > limits.MAX_OCPP_CONNECTIONS
        if too_many or self._sockets[self._address] > limits.MAX_OCPP_CONNECTIONS_PER_ADDRESS:
            log.warning("OCPP port: too many connections, one from %s was closed", self._address)
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._sockets[self._address] -= 1
        if self._sockets[self._address] <= 0:
            del self._sockets[self._address]


def _counted(sockets: Counter[str]) -> type[ServerConnection]:
    """The connection class of one server, which counts into `sockets` (by address)."""

    class Counted(_CountedConnection):
        _sockets = sockets

    return Counted


def _charger_id(path: str) -> str:
    """The last part of /ocpp/<id>; empty for any other path."""
    path = path.partition("?")[0]
    return unquote(path[len(PATH) :].strip("/")) if path.startswith(PATH) else ""


def _password_fits(charger: _Attached, request: Request) -> bool:
    if charger.password is None:
        return True
    try:
        name, password = parse_authorization_basic(request.headers["Authorization"])
    except (LookupError, InvalidHeader):  # no header, two of them, or one that is no Basic auth
        return False
    expected = (charger.charger_id, charger.password)
    fits = [
        hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode())
        for given, wanted in zip((name, password), expected, strict=True)
    ]
    return all(fits)


def _choose_subprotocol(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """OCPP 1.6 if the box offers it; some offer none at all and still speak it. Anything else is refused."""
    if not offered:
        return None
    for name in offered:
        if name.lower() == SUBPROTOCOL:
            return name
    raise NegotiationError(f"only {SUBPROTOCOL} is spoken here")


_STRANGERS_FAULTS = ("opening handshake failed", "parser failed", "keepalive ping failed")


def _quiet_log() -> logging.Logger:
    """What strangers send is no error of ours: without their stack traces, and without a line for each."""
    quiet = logging.getLogger(f"{__name__}.websocket")
    if not quiet.filters:
        quiet.addFilter(lambda record: record.levelno > logging.INFO and record.msg not in _STRANGERS_FAULTS)
    return quiet
