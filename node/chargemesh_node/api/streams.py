"""Answers without an end: server-sent events and searches, ended by the client or by the node's stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .context import Context
from .limits import PING_SECONDS


class Stream(StreamingResponse):
    """A streamed answer that counts as one of the context's streams while it runs."""

    def __init__(self, context: Context, lines: AsyncIterator[bytes], media_type: str) -> None:
        context.streams.require_room()
        super().__init__(lines, media_type=media_type, headers={"Cache-Control": "no-store"})
        self._context = context
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._context.streams.one():
            try:
                await super().__call__(scope, receive, send)
            finally:
                aclose = getattr(self._lines, "aclose", None)
                if aclose is not None:
                    await aclose()


async def server_sent(context: Context, booking: str = "") -> AsyncIterator[bytes]:
    """The node's events from now on as `text/event-stream`; with `booking`, only those that name it.

    The bus holds a bounded number for a slow client, drops the oldest and says so with an event `lost`.
    """
    events = context.node.events.listen()
    assert isinstance(events, AsyncGenerator)
    waiting: asyncio.Future[dict[str, Any]] = asyncio.ensure_future(anext(events))
    closing = asyncio.ensure_future(context.closing.wait())
    try:
        yield b": chargemesh\n\n"
        while not closing.done():
            await asyncio.wait((waiting, closing), timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                yield b": still here\n\n"
                continue
            event = waiting.result()
            waiting = asyncio.ensure_future(anext(events))
            if not booking or event.get("booking") == booking or event["event"] == "lost":
                yield _event(event)
    finally:
        for one in (waiting, closing):
            one.cancel()
        await asyncio.gather(waiting, closing, return_exceptions=True)
        await events.aclose()


def _event(event: dict[str, Any]) -> bytes:
    return f"event: {event['event']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
