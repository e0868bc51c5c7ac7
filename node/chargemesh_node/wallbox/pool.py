"""One driver for each of the node's chargers, kept in step with their settings.

Reports go into the runner as events; effects come back as calls on a driver. Nothing here decides
anything: a start that fails is an event again, and the engine says what follows.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, runtime_checkable

from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.charging.reports import WallboxReport, WallboxStatus
from chargemesh_protocol.effects import AuthoriseTag, StartWallbox, StopWallbox
from chargemesh_protocol.errors import PersonError, Refused
from chargemesh_protocol.events import Event, StartFailed, WallboxSaid

from ..errors import StoreError
from ..ports import Clock, WallboxDriver
from .errors import WallboxError
from .report_line import ReportLine

_log = logging.getLogger(__name__)

Submit = Callable[[Event], Awaitable[Any]]
DriverFactory = Callable[[ChargerSettings], WallboxDriver]
AGAIN_S = 2.0


@runtime_checkable
class Adjustable(Protocol):
    """A WallboxDriver that can take new settings without losing its box."""

    async def adjust(self, settings: ChargerSettings | None) -> bool:
        """False: it can't go on with these (None: its charger was removed), and is closed next."""
        ...


class WallboxPool:
    """Drivers by charger. `make_driver` builds one from settings; `submit` is the runner's."""

    def __init__(self, make_driver: DriverFactory, submit: Submit, clock: Clock) -> None:
        self._make_driver = make_driver
        self._submit = submit
        self._clock = clock
        self._drivers: dict[bytes, WallboxDriver] = {}
        self._made_from: dict[bytes, ChargerSettings] = {}
        self._lines: dict[bytes, ReportLine] = {}  # what boxes said, by charger, also after its driver ended
        self._tasks: set[asyncio.Task[Any]] = set()
        self._keeping = asyncio.Lock()  # two commands at once must not start a driver twice
        self.counters: Counter[str] = Counter()  # dropped, defects

    async def close(self) -> None:
        await self.restart()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def keep(self, wanted: tuple[ChargerSettings, ...]) -> None:
        """Starts drivers of new chargers, stops those of removed ones, restarts where the control changed
        and the driver can't adjust itself to that."""
        by_charger = {one.charger: one for one in wanted}
        async with self._keeping:
            for charger in list(self._drivers):
                now = by_charger.get(charger)
                if now is not None and _control(now) == _control(self._made_from[charger]):
                    continue
                driver = self._drivers[charger]
                if isinstance(driver, Adjustable) and await driver.adjust(now) and now is not None:
                    self._made_from[charger] = now
                else:
                    await self._drop(charger)
            for charger, settings in by_charger.items():
                if charger not in self._drivers:
                    driver = self._make_driver(settings)
                    self._drivers[charger], self._made_from[charger] = driver, settings
                    await driver.start(functools.partial(self._heard, charger), self._line(charger).room)

    async def restart(self) -> None:
        """Ends every driver; those that `keep` starts again tell how their boxes stand."""
        async with self._keeping:
            for charger in list(self._drivers):
                await self._drop(charger)

    def get(self, charger: bytes) -> WallboxDriver | None:
        return self._drivers.get(charger)

    def status(self, charger: bytes) -> WallboxStatus | None:
        driver = self._drivers.get(charger)
        return None if driver is None else driver.status

    def perform(self, effect: StartWallbox | StopWallbox | AuthoriseTag) -> None:
        """Begins what the engine asked for, in a task of its own."""
        self._spawn(self._perform(effect))

    # --- inside ---------------------------------------------------------------------------------

    async def _perform(self, effect: StartWallbox | StopWallbox | AuthoriseTag) -> None:
        driver = self._drivers.get(effect.charger)
        if driver is None:
            return
        try:
            match effect:
                case AuthoriseTag(tag=tag, until=until):
                    await driver.authorise(tag, until)
                case StopWallbox(session=session):
                    await driver.remote_stop(session)
                case StartWallbox(tag=tag, until=until):
                    # Checked again here: an old start must not fire.
                    if self._clock.now() < until:
                        await driver.authorise(tag, until)
                        await driver.remote_start(tag, 1)
        except WallboxError as error:
            _log.warning("wallbox %s: %s", effect.charger.hex()[:8], error)
            if isinstance(effect, StartWallbox):
                await self._tell(StartFailed(effect.charger, effect.booking, error.code, error.message))

    def _heard(self, charger: bytes, report: WallboxReport) -> None:
        if not self._line(charger).put(report):
            self.counters["dropped"] += 1

    def _line(self, charger: bytes) -> ReportLine:
        """Each charger's reports are taken in on their own: a box that says much delays no other."""
        line = self._lines.get(charger)
        if line is None:
            line = self._lines[charger] = ReportLine()
            self._begin_feeding(charger, line)
        return line

    def _begin_feeding(self, charger: bytes, line: ReportLine) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled():  # a defect of ours over one report: the later ones are heard
                self._begin_feeding(charger, line)

        self._spawn(self._feed(charger, line)).add_done_callback(ended)

    async def _feed(self, charger: bytes, line: ReportLine) -> None:
        while True:
            await self._tell(WallboxSaid(charger, await line.get()))

    async def _tell(self, event: Event) -> None:
        """What a box says is said once: while the store can't keep it (a full disk), it waits here."""
        while True:
            try:
                await self._submit(event)
                return
            except (PersonError, Refused, StoreError) as error:
                _log.error("a wallbox report could not be kept: %s", error)
                if not isinstance(error, StoreError) and error.code != "store":
                    return
            await asyncio.sleep(AGAIN_S)

    async def _drop(self, charger: bytes) -> None:
        driver = self._drivers.pop(charger)
        del self._made_from[charger]
        await driver.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that ends by an exception is a defect of ours, and told."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        self.counters["defects"] += 1
        _log.critical("a defect in this program", exc_info=error)


def _control(settings: ChargerSettings) -> tuple[Any, ...]:
    """What a driver is made from."""
    return settings.wallbox, settings.connectors
