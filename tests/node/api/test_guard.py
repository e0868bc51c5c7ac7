"""Who may ask at all: tokens, Hosts, Origins, and how much."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Scope

from chargemesh_node.api.guard import Guard, exact_host, loopback_host
from chargemesh_node.api.tokens import Holder, Tokens
from chargemesh_protocol.errors import PersonError

OWNER = "cd" * 32
BEARER = f"Bearer {OWNER}"


async def ask(path: str, *headers: tuple[str, str], method: str = "GET") -> tuple[int, dict[str, str]]:
    """Status and headers of an application behind the guard of 192.168.1.20:8080 and of loopback."""
    phone = exact_host("192.168.1.20:8080")
    guard = Guard(PlainTextResponse("inside"), Tokens(OWNER), lambda host: loopback_host(host) or phone(host))
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    await guard(scope, receive, send)
    return said[0]["status"], {name.decode(): value.decode() for name, value in said[0]["headers"]}


HOST = ("host", "127.0.0.1:8080")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {OWNER[:-1]}",
        f"Bearer {OWNER}0",
        f"Basic {OWNER}",
        f"Bearer {OWNER.upper()}",
    ],
)
async def test_a_wrong_token_is_refused(authorization: str) -> None:
    status, headers = await ask("/v1/status", HOST, ("authorization", authorization))
    assert (status, headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.asyncio
async def test_the_token_lets_in_once() -> None:
    assert (await ask("/v1/status", HOST, ("authorization", BEARER)))[0] == 200
    assert (await ask("/v1/status", HOST, ("authorization", f"bearer  {OWNER} ")))[0] == 200
    assert (await ask("/v1/status", HOST))[0] == 401
    twice = (("authorization", BEARER), ("authorization", "Bearer x"))
    assert (await ask("/v1/status", HOST, *twice))[0] == 401


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:1", "127.0.0.1", "127.0.0.1:65535", "[::1]:80", "[::1]", "192.168.1.20:8080"],
)
async def test_our_own_names(host: str) -> None:
    assert (await ask("/", ("host", host)))[0] == 200


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example:80", "192.168.1.20",
     "192.168.1.21:8080", "192.168.1.20:8081", "", "127.0.0.1:80@evil.example", "::1", "0.0.0.0:80"],
)  # fmt: skip
async def test_foreign_names_are_refused(host: str) -> None:
    assert (await ask("/", ("host", host)))[0] == 403
    assert (await ask("/v1/status", ("host", host), ("authorization", BEARER)))[0] == 403


@pytest.mark.asyncio
async def test_exactly_one_host() -> None:
    assert (await ask("/"))[0] == 403
    assert (await ask("/", HOST, ("host", "evil.example")))[0] == 403


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:8081", "https://127.0.0.1:8080"]
)
async def test_foreign_origins_are_refused(origin: str) -> None:
    asked = (HOST, ("authorization", BEARER), ("origin", origin))
    assert (await ask("/v1/stop", *asked, method="POST"))[0] == 403
    assert (await ask("/v1/stop", *asked, method="OPTIONS"))[0] == 403


@pytest.mark.asyncio
async def test_the_pages_own_origin_is_let_in_and_no_other_page_may_read_along() -> None:
    own = ("origin", "http://127.0.0.1:8080")
    status, headers = await ask("/v1/status", HOST, ("authorization", BEARER), own)
    assert status == 200
    assert not [name for name in headers if name.startswith("access-control")]
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.asyncio
async def test_only_the_page_needs_no_token_and_it_may_load_nothing_else() -> None:
    for path in ("/", "/static/app.js"):
        status, headers = await ask(path, HOST)
        assert status == 200
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert headers["referrer-policy"] == "no-referrer"
    for path in ("/openapi.json", "/static", "//", "/v1/../", "/nothing"):
        assert (await ask(path, HOST))[0] == 401
    assert (await ask("/", HOST, method="POST"))[0] == 401


def test_a_phone_has_a_token_of_its_own() -> None:
    tokens = Tokens(OWNER)
    anna, ben = tokens.for_phone("anna"), tokens.for_phone("Ben ")
    assert anna != ben and tokens.for_phone("anna") == anna and OWNER not in anna
    assert tokens.holder(f"Bearer {anna}") is Holder.PHONE
    assert tokens.holder(BEARER) is Holder.OWNER
    assert tokens.holder(f"Bearer {anna.replace('anna', 'ben')}") is None
    assert Tokens("ef" * 32).holder(f"Bearer {anna}") is None
    with pytest.raises(PersonError, match="can't be the name"):
        tokens.for_phone("anna.b")
