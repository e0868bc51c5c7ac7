"""Who may ask at all: a Host that is ours, no foreign Origin, and a token for everything but the page itself.

A web page that somebody visits can make their browser send requests here, and with DNS rebinding even
under a name of its own. It can neither forge Host and Origin nor know the token. Pure ASGI, in front of
everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chargemesh_protocol.errors import ExitCode, PersonError

from ..addresses import is_loopback
from .answers import error_answer
from .tokens import Holder, Tokens

HostCheck = Callable[[str], bool]

_NAME_HINT = "Ask it as 127.0.0.1 or localhost, or under the address that `chargemesh phone` shows."
_ORIGIN_HINT = "Open the page from this server itself: `chargemesh phone` shows its link."

# The page may load and talk to nothing but this server; nobody may frame it.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Guard:
    """Wraps the application. `ours` says whether a Host header names this listener, `holders` whose tokens
    it takes: the owner's never travels over a LAN."""

    def __init__(
        self, app: ASGIApp, tokens: Tokens, ours: HostCheck, holders: Container[Holder] = tuple(Holder)
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._ours = ours
        self._holders = holders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # there is no WebSocket here
        send = _with_headers(send)
        try:
            scope["chargemesh.holder"] = self._admit(scope)
        except PersonError as error:
            await error_answer(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> Holder | None:
        """Whose token it is, None for the public files; PersonError for who may not come in."""
        hosts = _values(scope, b"host")
        if len(hosts) != 1 or not self._ours(hosts[0]):
            raise _refused("host", "This server does not answer under that name.", _NAME_HINT)
        origins = _values(scope, b"origin")
        if origins and origins != [f"{scope['scheme']}://{hosts[0]}"]:
            raise _refused("origin", "Pages of other sites may not ask this server.", _ORIGIN_HINT)
        if is_public(scope["path"]) and scope["method"] in ("GET", "HEAD"):
            return None
        given = _values(scope, b"authorization")
        holder = self._tokens.holder(given[0]) if len(given) == 1 else None
        if holder is None or holder not in self._holders:
            raise PersonError(
                "token",
                "The API's token is missing or wrong.",
                "Programs of this machine read it from run/api.token; a phone gets it from a QR code.",
                ExitCode.NOT_ALLOWED,
            )
        return holder


def is_public(path: str) -> bool:
    """The page and its files, which hold nothing of anybody's; and the feed, whose path is a secret."""
    return path == "/" or path.startswith(("/static/", "/calendar/"))


def loopback_host(host: str) -> bool:
    """Names of this machine, with any port: an SSH tunnel ends on another one."""
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = host, "0"
    return port.isdigit() and is_loopback(name.removeprefix("[").removesuffix("]"))


def exact_host(address: str) -> HostCheck:
    """Just HOST:PORT, as it was set for phones; port 80 may be left out."""
    wanted = {address.lower()} | ({address.lower().removesuffix(":80")} if address.endswith(":80") else set())
    return lambda host: host.lower() in wanted


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
        await send(message)

    return sending


def _refused(code: str, message: str, hint: str) -> PersonError:
    return PersonError(code, message, hint, ExitCode.NOT_ALLOWED)
