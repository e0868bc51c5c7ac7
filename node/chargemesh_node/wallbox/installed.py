"""Wallbox drivers of other packages: made from a charger's settings, and kept from harming the node.

Whatever such a driver raises becomes a WallboxError and a line in the log; one that can't be made at all is
replaced by one that is never connected and says why.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import get_args

from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.charging.reports import WallboxReport, WallboxStatus

from ..extensions import Extension, installed
from ..ports import Clock, Room, WallboxDriver, always_room
from .book import SessionBook
from .errors import WallboxError

_log = logging.getLogger(__name__)

CALL_S = 20.0  # how long one call of such a driver may take
_REPORTS = get_args(WallboxReport)
_UNKNOWN = WallboxStatus(False, "Unavailable", None, None, None, 0)


@dataclass(frozen=True, slots=True)
class DriverContext:
    """What a driver is made from: the one argument of its factory.

    charger_id: hex. max_power_w: of the strongest connector. options: as the host gave them
    (`charger add --wallbox-option host=192.168.1.20`). owner_tags, plug_and_charge: who charges outside
    bookings. book: keeps a few KiB over restarts.
    """

    charger_id: str
    max_power_w: int
    clock: Clock
    book: SessionBook
    options: Mapping[str, str] = field(default_factory=dict)
    owner_tags: tuple[str, ...] = ()
    plug_and_charge: bool = True

    def option(self, name: str) -> str:
        """An option that must be there; WallboxError that names it if it isn't."""
        if name not in self.options:
            raise WallboxError(
                "bad-option", f"The option {name!r} is missing: charger edit … --wallbox-option {name}=VALUE."
            )
        return self.options[name]


def make_installed(settings: ChargerSettings, clock: Clock, book: SessionBook) -> WallboxDriver:
    """The driver that the charger's settings name, guarded. Never raises."""
    name = settings.wallbox.driver
    extension = installed().drivers.get(name)
    if extension is None:
        return GuardedDriver(name, None, f"The wallbox driver {name!r} is not installed.")
    context = DriverContext(
        charger_id=settings.charger.hex(),
        max_power_w=max(one.max_power_w for one in settings.connectors),
        clock=clock,
        book=book,
        options={one.name: one.value for one in settings.wallbox.options or ()},
        owner_tags=settings.wallbox.owner_tags,
        plug_and_charge=settings.wallbox.plug_and_charge,
    )
    return _made(extension, context)


def _made(extension: Extension, context: DriverContext) -> GuardedDriver:
    try:
        return GuardedDriver(extension.name, extension.value(context))
    except Exception as error:  # noqa: BLE001 - somebody else's code
        said = error.message if isinstance(error, WallboxError) else f"{type(error).__name__}: {error}"
        why = f"The wallbox driver {extension.name!r} of {extension.source} can't be made: {said}"
        _log.error("%s", why)
        return GuardedDriver(extension.name, None, why)


class GuardedDriver:
    """A WallboxDriver around somebody else's. fault: the last thing that went wrong with it, a sentence;
    empty while nothing has."""

    def __init__(self, name: str, driver: WallboxDriver | None, fault: str = "") -> None:
        self.name = name
        self.fault = fault
        self._driver = driver
        self._report: Callable[[WallboxReport], None] = lambda report: None

    async def start(self, report: Callable[[WallboxReport], None], room: Room = always_room) -> None:
        """Returns also where the driver fails: its charger is then not connected."""
        self._report = report
        if self._driver is None:
            return
        try:
            await self._do("start", self._driver.start(self._heard, room))
        except WallboxError as error:
            _log.error("wallbox driver %s: %s", self.name, error.message)
            self.fault = error.message

    async def close(self) -> None:
        if self._driver is None:
            return
        try:
            await self._do("close", self._driver.close())
        except WallboxError as error:
            _log.error("wallbox driver %s: %s", self.name, error.message)

    async def authorise(self, tag: str, until: int | None) -> None:
        await self._do("authorise", self._there().authorise(tag, until))

    async def remote_start(self, tag: str, connector: int) -> None:
        await self._do("remote_start", self._there().remote_start(tag, connector))

    async def remote_stop(self, session: str) -> None:
        await self._do("remote_stop", self._there().remote_stop(session))

    async def limit_power(self, watts: int | None) -> None:
        await self._do("limit_power", self._there().limit_power(watts))

    async def unlock(self, connector: int) -> None:
        await self._do("unlock", self._there().unlock(connector))

    @property
    def status(self) -> WallboxStatus:
        if self._driver is None:
            return _UNKNOWN
        try:
            status = self._driver.status
        except Exception as error:  # noqa: BLE001 - somebody else's code
            self._note("status", error)
            return _UNKNOWN
        return status if isinstance(status, WallboxStatus) else _UNKNOWN

    def _there(self) -> WallboxDriver:
        if self._driver is None:
            raise WallboxError("wallbox-offline", self.fault)
        return self._driver

    async def _do(self, what: str, call: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(CALL_S):
                await call
        except WallboxError:
            raise
        except TimeoutError as error:
            raise WallboxError("wallbox-timeout", self._note(what, error)) from error
        except Exception as error:  # somebody else's code
            raise WallboxError("wallbox-faulted", self._note(what, error)) from error

    def _heard(self, report: WallboxReport) -> None:
        if isinstance(report, _REPORTS):
            self._report(report)
        else:
            self._note("report", TypeError(f"{report!r} is no WallboxReport"))

    def _note(self, what: str, error: BaseException) -> str:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        self.fault = f"The wallbox driver {self.name!r} failed in {what} ({said})."
        _log.error("%s", self.fault, exc_info=error)
        return self.fault
