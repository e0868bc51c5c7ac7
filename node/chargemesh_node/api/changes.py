"""Wakes long polls when something happened. One listener on the node's events serves them all."""

from __future__ import annotations

import asyncio

from ..bus import EventBus

POLL_SECONDS = 0.25  # time alone changes bookings too, and not every record that arrives is an event


class Changes:
    """`wait` returns soon after anything happened, and in any case after POLL_SECONDS."""

    def __init__(self) -> None:
        self._happened = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, events: EventBus) -> None:
        self._task = asyncio.create_task(self._follow(events), name="api changes")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def wait(self, seconds: float = POLL_SECONDS) -> None:
        try:
            await asyncio.wait_for(self._happened.wait(), min(seconds, POLL_SECONDS))
        except TimeoutError:
            return

    async def _follow(self, events: EventBus) -> None:
        async for _ in events.listen():
            # Whoever waits is woken once and sees the new state; who comes later waits for the next.
            woken, self._happened = self._happened, asyncio.Event()
            woken.set()
