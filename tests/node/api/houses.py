"""Simulated nodes behind the real API application: a client for each, without sockets, in simulated time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, get_args, get_origin, get_type_hints

import httpx
import msgspec

from chargemesh_node.api.application import application
from chargemesh_node.api.context import Context
from chargemesh_node.api.guard import loopback_host
from chargemesh_node.api.table import ROUTES, Route
from chargemesh_node.api.tokens import Tokens
from chargemesh_node.app import App
from chargemesh_node.config import Config
from chargemesh_node.home import Home
from chargemesh_node.kept_ports import KeptPorts
from chargemesh_node.node import Node
from chargemesh_node.sim.people import Person
from chargemesh_node.wallbox.central import CentralSystem

TOKEN = "ab" * 32
HOUR_MS = 3_600_000
CHARGER: dict[str, Any] = {
    "title": "Garage",
    "home": {
        "address": "12 Hidden Lane, 10115 Berlin",
        "latitude": 52.52,
        "longitude": 13.405,
        "way": "Second drive on the left.",
        "code": "4711",
        "phone": "+49 30 000000",
    },
    "connectors": [{"type": "IEC_62196_T2", "max_power_w": 11000}],
    "tariff": {"currency": "EUR", "per_kwh": 350000},
    "hours": {"zone": "Europe/Berlin", "text": "always"},
    "strangers": {"on_request": False},
    "ticket_seconds": 1,
    "payee": {"name": "Alice", "account": "DE89 3704 0044 0532 0130 00"},
}


@dataclass
class Told:
    """An answer: `value` is its JSON, or its lines."""

    status: int
    value: Any
    headers: httpx.Headers
    content: bytes

    @property
    def code(self) -> str:
        return str(self.value["error"]["code"])


class Client:
    """A program of the owner's, or a phone, that talks to one node's API. Every answer is held against the
    type that the table of routes promises. A body of bytes is sent as it is."""

    def __init__(self, context: Context, token: str = TOKEN) -> None:
        self.context = context
        transport = httpx.ASGITransport(app=application(context, loopback_host), raise_app_exceptions=True)
        self._http = httpx.AsyncClient(
            transport=transport,
            base_url="http://localhost",
            headers={"Authorization": f"Bearer {token}"},
        )
        self.seen: set[tuple[str, str]] = set()

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Told:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        answer = await self._http.request(method, path, content=content, **more)
        value: Any = None
        kind = answer.headers.get("content-type", "")
        if kind == "application/json":
            value = answer.json()
        elif kind == "application/x-ndjson":
            value = [json.loads(line) for line in answer.text.splitlines()]
        if answer.status_code < 400:
            self._hold_against_the_table(method, path, value)
        return Told(answer.status_code, value, answer.headers, answer.content)

    async def get(self, path: str, **query: Any) -> Any:
        """The value of an answer that must be good."""
        told = await self.ask("GET", path, params={name: str(value) for name, value in query.items()})
        assert told.status < 400, told.value
        return told.value

    async def post(self, path: str, body: Any = None) -> Any:
        told = await self.ask("POST", path, {} if body is None else body)
        assert told.status < 400, told.value
        return told.value

    def _hold_against_the_table(self, method: str, path: str, value: Any) -> None:
        route = route_of(method, path)
        if route is None:
            return
        self.seen.add((route.method, route.path))
        answers = route.answer if isinstance(route.answer, tuple) else (route.answer,)
        if route.answer is None:
            return
        if not isinstance(value, list):
            require_shape(value, answers[0])
            return
        for line in value[:-1]:
            require_shape(line, answers[0])
        require_shape(value[-1], answers[-1])


def route_of(method: str, path: str) -> Route | None:
    """The row of the table that serves this."""
    parts = path.partition("?")[0].split("/")
    for route in ROUTES:
        wanted = route.path.split("/")
        if route.method == method and len(wanted) == len(parts) and all(map(_fits, wanted, parts)):
            return route
    return None


def _fits(wanted: str, part: str) -> bool:
    return wanted == part or wanted.startswith("{")


def require_shape(value: Any, wanted: Any) -> None:
    """The value is of that TypedDict, and has no key that the type doesn't know."""
    msgspec.convert(value, wanted)
    _require_no_more(value, wanted)


def _require_no_more(value: Any, wanted: Any) -> None:
    if isinstance(value, dict) and hasattr(wanted, "__required_keys__"):
        hints = get_type_hints(wanted)
        assert set(value) <= set(hints), set(value) - set(hints)
        for name, item in value.items():
            _require_no_more(item, hints[name])
    elif isinstance(value, list) and get_origin(wanted) is list:
        for item in value:
            _require_no_more(item, get_args(wanted)[0])
    elif value is not None and type(None) in get_args(wanted):
        _require_no_more(value, next(one for one in get_args(wanted) if one is not type(None)))


def app_for(node: Node, root: Path, *, started_at: int = 0, config: Config | None = None) -> App:
    """What the API serves, around a simulated node: a home on disk, and nothing else that is real."""
    home = Home(root)
    home.create()
    home.api_token_file.write_text(TOKEN)
    home.api_token_file.chmod(0o600)
    app = SimpleNamespace(
        home=home,
        config=config or Config(),
        keys=SimpleNamespace(device_key=bytes(32)),
        node=node,
        local=None,
        central=CentralSystem(),
        ports=KeptPorts(home),
        open_wallbox_port=_no_port,
        stopping=asyncio.Event(),
        started_at=started_at,
    )
    return cast(App, app)


async def _no_port() -> None:
    """The wallboxes of simulated people need none."""


def client_of(person: Person, root: Path) -> Client:
    """The owner's program at a simulated person's node."""
    app = app_for(person.node, root / person.name, started_at=person.clock.now())
    return Client(Context(app, Tokens(TOKEN), "127.0.0.1:8080"))
