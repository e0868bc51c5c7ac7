"""Work beside a receive loop: a call to the box inside that loop would wait for itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

from chargemesh_protocol.limits import MAX_WALLBOX_TASKS

from .errors import WallboxError

log = logging.getLogger(__name__)


async def cancel_all(tasks: Iterable[asyncio.Task[None]], again_s: float = 0.1) -> None:
    """Ends tasks for certain: `wait_for`, which the `ocpp` package uses, can lose a cancellation that comes
    with its result (Python 3.11), so it is repeated. `again_s` must leave time for their own clearing up."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again_s)


class SideTasks:
    """Tasks that end with their owner. A box that refuses is logged; any other error is a bug and shown.

    At most MAX_WALLBOX_TASKS at once: a box that causes more, and answers none, has the newest left undone.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> bool:
        """Begins the work; False where it is left undone."""
        if len(self._tasks) >= MAX_WALLBOX_TASKS:
            work.close()
            log.warning("%s: too much is under way with this box, so this is left undone", self._name)
            return False
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return True

    async def cancel(self) -> None:
        await cancel_all(self._tasks, again_s=2.0)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, WallboxError):
            log.info("%s: %s", self._name, error)
        elif error is not None:
            log.error("%s: a task failed", self._name, exc_info=error)
