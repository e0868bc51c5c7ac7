"""The client of the local API: JSON over the node's unix socket or loopback port, with its token.

A plain http.client: it is there in milliseconds, and one command makes a few requests at most.
Every method raises PersonError: the API's own, with its exit code, or one about reaching the node.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from chargemesh_node.home import Home, read_private_file
from chargemesh_protocol.errors import ExitCode, PersonError

T = TypeVar("T")
_MAX_TOKEN_BYTES = 256
_MAX_PORT_BYTES = 256
_MAX_LINE_BYTES = 4 * 1024 * 1024


class NodeAway(PersonError):
    """Nobody answers on this home's API."""

    def __init__(self, home: Home) -> None:
        super().__init__(
            "not-running",
            f"No node is running on {home.root}.",
            "Start it with `chargemesh run`.",
            ExitCode.NOT_RUNNING,
        )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass(frozen=True, slots=True)
class Api:
    """The API of the node that runs on `home`. `timeout` is in seconds, for each answer."""

    home: Home
    timeout: float = 60.0

    def get(self, path: str, **query: Any) -> Any:
        return self._json("GET", path, query=query)

    def post(self, path: str, body: Any = None) -> Any:
        return self._json("POST", path, body={} if body is None else body)

    def patch(self, path: str, body: Any) -> Any:
        return self._json("PATCH", path, body=body)

    def delete(self, path: str) -> Any:
        return self._json("DELETE", path)

    def download(self, path: str) -> bytes:
        """The answer's bytes, as for an image."""
        with self._request("GET", path) as response:
            return self._read(response)

    def upload(self, path: str, content: bytes) -> Any:
        """Bytes as they are, as of an image."""
        with self._request("POST", path, content=content) as response:
            return self._parsed(self._read(response))

    def lines(self, path: str, **query: Any) -> Iterator[Any]:
        """Each line of an NDJSON answer as it comes."""
        with self._request("GET", path, query=query) as response:
            while line := self._guarded(lambda: response.readline(_MAX_LINE_BYTES)):
                if line.strip():
                    yield self._parsed(line)

    def events(self, **query: Any) -> Iterator[Any]:
        """Each of the node's server-sent events as it comes; None when the stream has begun, and with every
        sign of life in between. It ends when the node stops."""
        with self._request("GET", "events", query=query) as response:
            while line := self._guarded(lambda: response.readline(_MAX_LINE_BYTES)):
                if line.startswith(b":"):
                    yield None
                elif line.startswith(b"data:"):
                    yield self._parsed(line[5:])

    def _json(self, method: str, path: str, *, query: dict[str, Any] | None = None, body: Any = None) -> Any:
        with self._request(method, path, query=query, body=body) as response:
            raw = self._read(response)
        return self._parsed(raw) if raw else {}

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
    ) -> http.client.HTTPResponse:
        given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        target = f"/v1/{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json"}
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        elif content is not None:
            headers["Content-Type"] = "application/octet-stream"
        connection = self._connection()
        try:
            connection.connect()
        except (FileNotFoundError, ConnectionRefusedError, TimeoutError) as error:
            raise NodeAway(self.home) from error

        def ask() -> http.client.HTTPResponse:
            connection.request(method, target, content, headers)
            return connection.getresponse()

        response = self._guarded(ask)
        if response.status >= 400:
            with response:
                raise _refusal(response.status, self._read(response))
        return response

    def _connection(self) -> http.client.HTTPConnection:
        """The socket if there is one; the loopback port where its path would be too long."""
        if self.home.socket_path_fits and self.home.api_socket.exists():
            return _UnixConnection(self.home.api_socket, self.timeout)
        try:
            where = read_private_file(self.home.api_port_file, _MAX_PORT_BYTES).decode().strip()
        except FileNotFoundError:
            raise NodeAway(self.home) from None
        host, _, port = where.rpartition(":")
        if not host or not port.isdigit():
            raise PersonError(
                "damaged-file",
                f"{self.home.api_port_file} does not say where the node answers.",
                "Remove it, and start the node again.",
            )
        return http.client.HTTPConnection(host.strip("[]"), int(port), timeout=self.timeout)

    def _token(self) -> str:
        try:
            return read_private_file(self.home.api_token_file, _MAX_TOKEN_BYTES).decode("ascii").strip()
        except FileNotFoundError:
            raise NodeAway(self.home) from None

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        return self._guarded(response.read)

    def _guarded(self, ask: Callable[[], T]) -> T:
        """What the node answers; a sentence if it is too slow, or stops in mid-answer."""
        try:
            return ask()
        except TimeoutError as error:
            raise PersonError(
                "timed-out",
                f"The node did not answer within {self.timeout:g} seconds.",
                "`chargemesh doctor` may say why.",
                ExitCode.TIMED_OUT,
            ) from error
        except (http.client.HTTPException, OSError) as error:
            raise PersonError(
                "node-gone",
                "The node stopped while it was answering.",
                "Start it again with `chargemesh run`; `chargemesh logs` may say why it stopped.",
                ExitCode.NOT_RUNNING,
            ) from error

    def _parsed(self, raw: bytes) -> Any:
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise _no_json() from error
        if isinstance(value, dict) and isinstance(value.get("error"), dict):  # in mid-stream
            raise _told(value, ExitCode.FAILURE)
        return value


def segment(text: str) -> str:
    """What a person typed as one segment of a path: ids, mostly."""
    plain = text.strip()
    if not plain or plain in (".", ".."):
        raise PersonError("no-such-id", f"{text!r} is no id.", "Ids are hexadecimal.", ExitCode.NOT_FOUND)
    return quote(plain, safe="")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refusal(status: int, raw: bytes) -> PersonError:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return _no_json()
    usual = {
        400: ExitCode.USAGE,
        401: ExitCode.NOT_ALLOWED,
        403: ExitCode.NOT_ALLOWED,
        404: ExitCode.NOT_FOUND,
    }
    return _told(value, usual.get(status, ExitCode.FAILURE))


def _told(value: Any, otherwise: ExitCode) -> PersonError:
    """The PersonError that the API sent."""
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return _no_json()
    try:
        exit_code = ExitCode(value.get("exit_code", otherwise))
    except ValueError:
        exit_code = otherwise
    code, message, hint = (str(error.get(name, "")) for name in ("code", "message", "hint"))
    return PersonError(code or "failed", message or "The node refused.", hint, exit_code)


def _no_json() -> PersonError:
    return PersonError(
        "not-our-node",
        "What answers on this home's API is not a chargemesh node of this version.",
        "Stop it, and start the node with `chargemesh run`.",
    )
