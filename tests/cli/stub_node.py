"""A stand-in for a running node: an HTTP server on a home's unix socket that answers from a table."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chargemesh_node.home import Home

TOKEN = "ab" * 32
Answer = (
    Any  # a JSON value, `Lines`, `Events`, bytes, a `Refusal`, or a function from `Asked` to one of these
)


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Refusal:
    """An error as the API gives it."""

    status: int
    code: str
    message: str = "That can't be."
    hint: str = "Do otherwise."
    exit_code: int = 1


@dataclass(frozen=True)
class Lines:
    """An NDJSON answer."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Events:
    """Server-sent events; None is a sign of life. Then the node stops."""

    values: tuple[Any, ...]


@dataclass
class StubNode:
    """`answers` maps "METHOD path" (below /v1/) to an answer; a list is given in turn, its last for good."""

    home: Home
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    refused: int = 0

    def __enter__(self) -> StubNode:
        self.home.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write(self.home.api_token_file, TOKEN)
        self.answers.setdefault("GET id", {"author": "aa" * 32})
        self._server = _Server(str(self.home.api_socket), StubHandler)
        self._server.stub = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.home.api_socket.unlink()

    def calls(self, key: str) -> list[Asked]:
        """The requests "METHOD path"."""
        return [one for one in self.asked if f"{one.method} {one.path}" == key]

    def answer(self, asked: Asked) -> Answer:
        found = self.answers.get(f"{asked.method} {asked.path}", Refusal(404, "no-such-page", exit_code=3))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return found(asked) if isinstance(found, Callable) else found  # type: ignore[arg-type]

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    stub: StubNode


class StubHandler(BaseHTTPRequestHandler):
    """Answers one connection from the table of its server's stub."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: Any) -> None:
        pass

    def _handle(self) -> None:
        stub = self.server.stub
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        host = str(self.headers.get("Host")).partition(":")[0]
        if self.headers.get("Authorization") != f"Bearer {TOKEN}" or host not in ("localhost", "127.0.0.1"):
            stub.refused += 1
            return self._send(401, b"{}")
        parts = urlsplit(self.path)
        asked = Asked(
            self.command,
            parts.path.removeprefix("/v1/"),
            dict(parse_qsl(parts.query)),
            _content(raw, str(self.headers.get("Content-Type"))),
        )
        stub.asked.append(asked)
        try:
            self._give(stub.answer(asked))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # who asked did not wait for it; a trace would land in another test

    do_GET = do_POST = do_PATCH = do_DELETE = _handle

    def _give(self, answer: Answer) -> None:
        if isinstance(answer, Refusal):
            error = {"code": answer.code, "message": answer.message, "hint": answer.hint}
            value = {"error": error, "exit_code": answer.exit_code}
            return self._send(answer.status, json.dumps(value).encode())
        if isinstance(answer, Lines):
            return self._send(200, b"".join(json.dumps(one).encode() + b"\n" for one in answer.values))
        if isinstance(answer, Events):
            return self._send(200, "".join(map(_event, (None, *answer.values))).encode())
        if isinstance(answer, bytes):
            return self._send(200, answer)
        return self._send(200, json.dumps(answer).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _content(raw: bytes, kind: str) -> Any:
    """Bytes as they are where they aren't said to be JSON."""
    return (json.loads(raw) if kind == "application/json" else raw) if raw else None


def _event(value: Any) -> str:
    return ": still here\n\n" if value is None else f"event: {value['event']}\ndata: {json.dumps(value)}\n\n"
