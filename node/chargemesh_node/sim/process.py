"""Simulated processes: each task belongs to the one it was started in, and a kill ends them all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")
_current: ContextVar[Process | None] = ContextVar("simulated process", default=None)


class SimulatedCrash(BaseException):
    """The process is gone at this instant. No handler of the node may take it for an error to survive."""


class ProcessGone(Exception):
    """Whoever asked something of this process gets no answer: it was killed."""


class Process:
    """The tasks of one run of a node. They inherit it from the task that starts them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.held: list[asyncio.Handle] | None = None  # what waits while the machine sleeps
        self._tasks: set[asyncio.Task[Any]] = set()
        self._context = copy_context()
        self._context.run(_current.set, self)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Starts `work` in this process, whoever calls."""
        return asyncio.get_running_loop().create_task(work, context=self._context.copy())

    def call(self, handler: Callable[..., Any], *arguments: Any) -> None:
        """Calls a handler of this process: the tasks that it starts belong here."""
        if self.alive:
            self._context.copy().run(handler, *arguments)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does `work` in this process and returns what comes of it; ProcessGone if it is killed meanwhile."""
        if not self.alive:
            work.close()
            raise ProcessGone(f"{self.name} is down")
        task = self.spawn(work)
        await asyncio.wait({task})
        if not self.alive:
            raise ProcessGone(f"{self.name} was killed")
        return task.result()

    def kill(self) -> None:
        """No task of this process gets another chance; the running one has to end itself."""
        self.alive = False
        running = asyncio.current_task()
        for task in list(self._tasks):
            if task is not running:
                task.cancel()

    def sleep(self) -> None:
        """The machine sleeps: time goes on, and nothing in this process does (see `SimulatedLoop`)."""
        self.held = []

    def wake(self) -> None:
        """Everything goes on where it stood; what was due meanwhile is late."""
        held, self.held = self.held or [], None
        for handle in held:
            if not handle.cancelled():
                asyncio.get_running_loop().call_soon(handle._run)  # in the context that the handle has

    def adopt(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        if not self.alive:
            task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not self.alive and not task.cancelled():
            task.exception()  # what a killed process had still to say, nobody hears


def held_of(context: Context | None) -> list[asyncio.Handle] | None:
    """Where the process that `context` (by default the present one) belongs to keeps what waits; None unless
    it sleeps."""
    process = _current.get() if context is None else context.get(_current)
    return None if process is None else process.held


def make_task(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T] | Generator[Any, None, T], **options: Any
) -> asyncio.Task[T]:
    """The task factory of a simulated loop."""
    context = options.get("context")
    process = _current.get() if context is None else context.get(_current)
    task: asyncio.Task[T] = asyncio.Task(work, loop=loop, **options)
    if process is not None:
        process.adopt(task)
    return task
