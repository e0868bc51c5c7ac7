"""The outward event stream: what the API and the logs are told. Never used for control flow.

Each listener has a queue of its own; one that does not keep up loses the oldest events and is told so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from chargemesh_protocol.effects import Tell

QUEUE_EVENTS = 256
MAX_LISTENERS = 32


class EventBus:
    """Tells every listener; `tell` never waits."""

    def __init__(self) -> None:
        self._listeners: set[_Queue] = set()

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def tell(self, event: Tell) -> None:
        for queue in self._listeners:
            queue.put({"event": event.name, **event.facts})

    async def listen(self) -> AsyncIterator[dict[str, Any]]:
        """Events from now on, as plain values. An event `lost` says how many were dropped before it."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise RuntimeError(f"at most {MAX_LISTENERS} listeners")
        queue = _Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)


class _Queue:
    def __init__(self) -> None:
        self._events: deque[dict[str, Any]] = deque()
        self._lost = 0
        self._ready = asyncio.Event()

    def put(self, event: dict[str, Any]) -> None:
        if len(self._events) == QUEUE_EVENTS:
            self._events.popleft()
            self._lost += 1
        self._events.append(event)
        self._ready.set()

    async def get(self) -> dict[str, Any]:
        await self._ready.wait()
        if self._lost:
            lost, self._lost = self._lost, 0
            return {"event": "lost", "count": lost}
        event = self._events.popleft()
        if not self._events:
            self._ready.clear()
        return event
