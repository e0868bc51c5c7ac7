"""Webhook and command: delivered once, bounded in time, and silent about secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chargemesh_node.notify import Notifier, NotifyError
from chargemesh_node.settings import NotifySettings

EVENT = json.dumps({"event": "booking-accepted", "booking": "ab12"}).encode()
WRITE_STDIN = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read() + b'|')"


@dataclass
class Webhook:
    """A server on loopback that keeps what it was sent and answers as it is told; None means never."""

    status: int | None = 200
    extra: str = ""
    port: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/SECRET?token=SECRET"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        )
        self.heads.append(head)
        self.bodies.append(await reader.readexactly(length))
        if self.status is None:
            await reader.read()  # until the other side gives up
        else:
            writer.write(f"HTTP/1.1 {self.status} X\r\n{self.extra}Content-Length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()


@asynccontextmanager
async def webhook(status: int | None = 200, extra: str = "") -> AsyncIterator[Webhook]:
    hook = Webhook(status, extra)
    server = await asyncio.start_server(hook.serve, "127.0.0.1", 0)
    hook.port = server.sockets[0].getsockname()[1]
    async with server:
        yield hook


def script(tmp_path: Path, code: str = WRITE_STDIN) -> tuple[str, ...]:
    return (sys.executable, "-c", code, str(tmp_path / "got"))


@pytest.mark.asyncio
async def test_a_webhook_gets_the_event_as_json(caplog: pytest.LogCaptureFixture) -> None:
    async with webhook(204) as hook:
        with caplog.at_level(logging.INFO):
            await Notifier(NotifySettings(webhook=hook.url)).send(b"1", EVENT)
    assert hook.bodies == [EVENT]
    assert "application/json" in hook.heads[0] and "Idempotency-Key" in hook.heads[0]
    assert "SECRET" not in caplog.text


@pytest.mark.asyncio
async def test_a_command_gets_the_event_on_its_input(tmp_path: Path) -> None:
    await Notifier(NotifySettings(command=script(tmp_path))).send(b"1", EVENT)
    assert (tmp_path / "got").read_bytes() == EVENT + b"|"


@pytest.mark.asyncio
async def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    odd = (*script(tmp_path, "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"), "$(id); * `x`")
    await Notifier(NotifySettings(command=odd)).send(b"1", EVENT)
    assert (tmp_path / "got").read_text() == "$(id); * `x`"


@pytest.mark.asyncio
async def test_with_neither_nothing_happens() -> None:
    await Notifier(NotifySettings()).send(b"1", EVENT)  # counts as delivered: the outbox keeps no row


@pytest.mark.asyncio
async def test_a_retry_goes_only_to_the_target_that_failed(tmp_path: Path) -> None:
    async with webhook(503) as hook:
        notifier = Notifier(NotifySettings(webhook=hook.url, command=script(tmp_path)))
        with pytest.raises(NotifyError, match="answered 503"):
            await notifier.send(b"1", EVENT)
        hook.status = 200
        await notifier.send(b"1", EVENT)
        await notifier.send(b"1", EVENT)
        assert len(hook.bodies) == 2
        assert (tmp_path / "got").read_bytes() == EVENT + b"|"
        await notifier.send(b"1", b'{"event": "another"}')  # the same key with other content is another event
        assert len(hook.bodies) == 3
    keys = [line for head in hook.heads for line in head.splitlines() if line.startswith("Idempotency-Key")]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.asyncio
async def test_a_redirect_is_not_followed() -> None:
    async with webhook() as other:
        async with webhook(302, f"Location: {other.url}\r\n") as hook:
            with pytest.raises(NotifyError, match="answered 302"):
                await Notifier(NotifySettings(webhook=hook.url)).send(b"1", EVENT)
        assert other.bodies == []


@pytest.mark.asyncio
async def test_a_silent_webhook_and_a_hanging_command_end_in_time(tmp_path: Path) -> None:
    hang = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
    async with webhook(None) as hook:
        notifier = Notifier(
            NotifySettings(webhook=hook.url, command=script(tmp_path, hang), timeout_seconds=1)
        )
        with pytest.raises(NotifyError) as caught:
            await notifier.send(b"1", EVENT)
    assert "gave no answer in 1 s" in str(caught.value)
    assert "took longer than 1 s" in str(caught.value)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "got").read_text()), 0)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "settings",
    [
        NotifySettings(webhook="http://127.0.0.1:1/SECRET"),
        NotifySettings(webhook="http://user:SECRET@127.0.0.1:1/"),
        NotifySettings(command=("/nowhere/tell", "SECRET")),
        NotifySettings(command=(sys.executable, "-c", "import sys; sys.exit('SECRET')")),
        NotifySettings(command=(sys.executable, "-c", "'SECRET'; raise SystemExit(3)")),
    ],
)
async def test_errors_keep_secrets(settings: NotifySettings) -> None:
    with pytest.raises(NotifyError) as caught:
        await Notifier(settings).send(b"1", EVENT)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__context__ is None  # the cause may hold the URL, and tracebacks end up in logs


@pytest.mark.asyncio
async def test_a_command_that_reads_nothing_may_succeed() -> None:
    big = b'"' + b"x" * 500_000 + b'"'
    await Notifier(NotifySettings(command=(sys.executable, "-c", "pass"))).send(b"1", big)
