"""An asyncio event loop whose time jumps to the next timer: hours pass in milliseconds, in one order."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from .process import Process, SimulatedCrash, held_of, make_task

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SimulatedDeadlock(RuntimeError):
    """Nothing is ready and nothing is timed: the simulation would wait for ever."""


class _NoSelector(selectors.BaseSelector):
    """Waits for no file: instead of sleeping until the next timer it moves the clock there."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop
        self._map: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        # The loop registers its own wake-up socket; nobody writes to it here.
        key = selectors.SelectorKey(fileobj, 0, events, data)
        self._map[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._map.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise SimulatedDeadlock("every task waits and no timer is set")
        self._loop.advance(timeout)
        return []

    def get_map(self) -> Any:
        return self._map

    def close(self) -> None:
        self._map.clear()


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Deterministic: callbacks run in the order they became ready, timers in the order of their time."""

    def __init__(self) -> None:
        self._simulated = 0.0
        self.sleepers: list[Process] = []
        super().__init__(_NoSelector(self))
        self.set_task_factory(make_task)

    def time(self) -> float:
        return self._simulated

    def let_sleep(self, process: Process) -> None:
        """From now on what belongs to `process` waits, until that is woken."""
        process.sleep()
        self.sleepers.append(process)
        # Only a simulation in which somebody sleeps pays for looking whose each callback is.
        self.call_soon = self._call_soon_unless_asleep  # type: ignore[method-assign]

    def _call_soon_unless_asleep(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        held = held_of(context)
        if held is None:
            return super().call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self, context)
        held.append(handle)
        return handle

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """A killed process leaves futures behind that nobody will ask; everything else is reported."""
        if not isinstance(context.get("exception"), SimulatedCrash):
            super().default_exception_handler(context)

    def advance(self, seconds: float) -> None:
        self._simulated += max(0.0, seconds)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs `main` on a new simulated loop to its end and cancels what is left of it."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        try:
            return runner.run(main)
        finally:
            loop = runner.get_loop()
            for process in loop.sleepers if isinstance(loop, SimulatedLoop) else ():
                loop.call_soon(process.wake)  # or they could not end


class LoopClock:
    """The Clock port on simulated time; `skew_ms` is how far this node's clock is off."""

    def __init__(self, epoch_ms: int, skew_ms: int = 0) -> None:
        self._epoch_ms = epoch_ms
        self.skew_ms = skew_ms

    def now(self) -> int:
        return self._epoch_ms + self.skew_ms + round(asyncio.get_running_loop().time() * 1000)
