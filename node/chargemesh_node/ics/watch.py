"""Keeps what is imported fresh: reads each host's calendar every hour and on command, one after the other."""

from __future__ import annotations

import asyncio
import logging

from chargemesh_protocol.booking.imported import REFRESH_MS, BusyFound, source_of, wanted_span
from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.events import BusyRead, BusyUnreadable

from ..errors import CalendarError
from ..ports import BusyReader, Clock
from ..runner import Runner

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 30.0
_AGAIN_MS = 5 * 60 * 1000  # after a failure; at a start the network may not be up yet


class BusyWatch:
    """`read` None: nobody's calendar is read, as where nothing outside may be asked."""

    def __init__(self, read: BusyReader | None, runner: Runner, clock: Clock) -> None:
        self._read = read
        self._runner = runner
        self._clock = clock
        self._tried: dict[tuple[bytes, bytes], int] = {}  # (charger, source) -> when last, since the start
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._read is not None:
            self._task = asyncio.get_running_loop().create_task(self._keep(), name="busy times")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def fetch(self, settings: ChargerSettings) -> BusyFound:
        """What the calendar of new settings holds, before they are kept; PersonError if it can't be read."""
        try:
            return await self._ask(settings)
        except CalendarError as error:
            raise _unreadable(error) from error

    async def refresh(self, settings: ChargerSettings) -> None:
        """Reads it now and takes it in; PersonError if it can't be read: what was read before counts on."""
        error = await self._refresh(settings)
        if error is not None:
            raise _unreadable(error)

    async def _keep(self) -> None:
        while True:
            for settings in self._runner.engine.listings.all_settings():
                if settings.busy_from is not None and self._is_due(settings):
                    try:
                        await self._refresh(settings)
                    except PersonError as error:
                        _log.error("busy times could not be kept yet: %s", error)
            await asyncio.sleep(_LOOK_EVERY_S)

    def _is_due(self, settings: ChargerSettings) -> bool:
        source = source_of(settings)
        kept = self._runner.engine.imports.kept(settings.charger)
        good = kept is not None and kept.source == source and not kept.fault
        last = kept.read_at if kept is not None and good else 0
        tried = self._tried.get((settings.charger, source), last)
        now = self._clock.now()
        return not last <= now < max(last, tried) + (REFRESH_MS if good else _AGAIN_MS)

    async def _refresh(self, settings: ChargerSettings) -> CalendarError | None:
        charger, source = settings.charger, source_of(settings)
        known = {one.charger for one in self._runner.engine.listings.all_settings()}
        self._tried = {one: at for one, at in self._tried.items() if one[0] in known}
        self._tried[charger, source] = self._clock.now()
        try:
            found = await self._ask(settings)
        except CalendarError as error:
            _log.warning("the calendar of charger %s could not be read: %s", charger.hex()[:8], error)
            await self._runner.submit(BusyUnreadable(charger, source, str(error)))
            return error
        await self._runner.submit(BusyRead(charger, source, found))
        return None

    async def _ask(self, settings: ChargerSettings) -> BusyFound:
        if self._read is None or settings.busy_from is None:
            raise CalendarError("there is none, or none is read here")
        span = wanted_span(settings, self._clock.now())
        return await self._read(settings.busy_from, settings.hours.zone, *span)


def _unreadable(error: CalendarError) -> PersonError:
    return PersonError(
        "calendar-unreadable",
        f"The calendar could not be read: {error}.",
        "Open the same URL or file yourself; it must be an .ics that needs no password.",
        ExitCode.USAGE,
    )
