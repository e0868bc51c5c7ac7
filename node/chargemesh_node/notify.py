"""Notifications to the owner: each event as JSON to a webhook, to a command, or to both.

The outbox owns the retries: `send` delivers or raises NotifyError, and a row that is tried again goes only
to the target that failed. A receiver may still see an event twice (a crash after delivery), with the same
`Idempotency-Key`. Errors never repeat the URL's path or query, the command's arguments or its output:
that is where people keep secrets, and errors end up in logs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import signal
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from .errors import DeliveryError
from .settings import NotifySettings

# At INFO these log each request with its whole URL, which for most webhooks is the secret.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# Enough for every row that an outbox retries at one time; forgetting one costs a repeated message.
_REMEMBERED = 1024


class NotifyError(DeliveryError):
    """A target did not take the event; trying again later may help."""


class Notifier:
    """Delivers events as `NotifySettings` says; with neither webhook nor command it delivers nothing."""

    def __init__(self, settings: NotifySettings) -> None:
        self._settings = settings
        self._targets: dict[str, Callable[[bytes, bytes], Awaitable[None]]] = {}
        if settings.webhook:
            self._targets["webhook"] = self._post
        if settings.command:
            self._targets["command"] = self._run
        self._delivered: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    async def send(self, key: bytes, body: bytes) -> None:
        """Deliver the event `body` (UTF-8 JSON) to every target; NotifyError if one of them failed.

        `key` names the event: with the same key and body, a target that has it is not told again.
        """
        event = hashlib.sha256(len(key).to_bytes(8, "big") + key + body).digest()
        failures: list[str] = []
        for name, deliver in self._targets.items():
            if (name, event) in self._delivered:
                continue
            try:
                await deliver(event, body)
            except NotifyError as error:
                failures.append(str(error))
            else:
                self._remember((name, event))
        if failures:
            raise NotifyError("; ".join(failures))

    def _remember(self, delivery: tuple[str, bytes]) -> None:
        self._delivered[delivery] = None
        if len(self._delivered) > _REMEMBERED:
            self._delivered.popitem(last=False)

    async def _post(self, event: bytes, body: bytes) -> None:
        """POST to the webhook; anything but a 2xx answer in time is a failure, redirects included."""
        import httpx  # 6 MB with all that belongs to it, for the few who have a webhook

        parts = urlsplit(self._settings.webhook)
        shown = f"the webhook at {parts.hostname}"
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": event.hex(),
            "User-Agent": "chargemesh",
        }
        seconds = self._settings.timeout_seconds
        try:
            # No proxy or netrc of the environment: what the owner wrote is where it goes. The answer's
            # body is not read: nobody needs it, and it may be endless.
            async with (
                asyncio.timeout(seconds),
                httpx.AsyncClient(trust_env=False, timeout=seconds) as client,
                client.stream("POST", self._settings.webhook, content=body, headers=headers) as response,
            ):
                status = response.status_code
        except (TimeoutError, httpx.TimeoutException):
            raise NotifyError(f"{shown} gave no answer in {seconds} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise NotifyError(f"{shown} could not be reached ({type(error).__name__})") from None
        if not 200 <= status < 300:
            raise NotifyError(f"{shown} answered {status}")

    async def _run(self, event: bytes, body: bytes) -> None:
        """Run the command with the event on its standard input, without a shell; exit code 0 is success."""
        program, *arguments = self._settings.command
        shown = f"the command {os.path.basename(program)}"
        seconds = self._settings.timeout_seconds
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # so that what it started can be ended with it
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise NotifyError(f"{shown} could not be started ({reason})") from None
        try:
            async with asyncio.timeout(seconds):
                await process.communicate(body)
        except TimeoutError:
            raise NotifyError(f"{shown} took longer than {seconds} s and was ended") from None
        except (BrokenPipeError, ConnectionResetError):
            await process.wait()  # it ended without reading: its exit code decides
        finally:
            await _end_session(process)
        if process.returncode != 0:
            raise NotifyError(f"{shown} failed with exit code {process.returncode}")


async def _end_session(process: asyncio.subprocess.Process) -> None:
    """Kill what still runs of the command and its children, and reap it."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it ended just now
        await process.wait()
