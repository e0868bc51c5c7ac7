"""The ground of a driver for anything that can be switched and has a meter: a smart plug, a contactor.

Who writes one says how to switch and how to read; sessions, their order, a restart of the node and a box that
is out of reach for a while are dealt with here.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from chargemesh_protocol.charging.reports import (
    Connected,
    Disconnected,
    Reading,
    SessionEnded,
    SessionStarted,
    StatusChanged,
    WallboxReport,
    WallboxStatus,
)

from ..ports import Room, always_room
from .errors import WallboxError
from .installed import DriverContext
from .memory import read_memory, write_memory

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Meter:
    """What the meter shows. register_wh: all energy that ever went through it; it never falls. power_w: now,
    None where the box does not say."""

    register_wh: int
    power_w: int | None = None


@dataclass(frozen=True, slots=True)
class _Session:
    name: str
    tag: str
    started_at: int
    start_wh: int
    last_wh: int
    last_at: int


class SwitchedDriver(ABC):
    """A WallboxDriver out of `switch` and `read`. OSError, ValueError and WallboxError from either mean that
    the box is out of reach: its session goes on.

    Between bookings nothing is switched: a plug's own button, and with it the owner's car, works as ever.
    """

    every_s = 10.0  # between readings

    def __init__(self, context: DriverContext) -> None:
        self.context = context
        self._report: Callable[[WallboxReport], None] = lambda report: None
        self._room: Room = always_room
        self._session: _Session | None = None
        self._meter: Meter | None = None
        self._reachable = False
        self._seen_at = 0
        self._polling: asyncio.Task[None] | None = None

    @abstractmethod
    async def switch(self, on: bool) -> None:
        """Lets the current flow, or not."""

    @abstractmethod
    async def read(self) -> Meter:
        """What the meter shows now."""

    async def start(self, report: Callable[[WallboxReport], None], room: Room = always_room) -> None:
        """A session of before a restart goes on, and is told once more."""
        self._report, self._room = report, room
        memory = await read_memory(self.context.book, self.context.charger_id)
        if isinstance(memory.get("session"), dict):
            self._session = session = _Session(**memory["session"])
            report(SessionStarted(session.name, session.tag, session.start_wh, session.started_at))
        await self._look()
        if not self._reachable:
            report(Disconnected())
        self._polling = asyncio.get_running_loop().create_task(self._poll())

    async def close(self) -> None:
        """The current goes on flowing: a node that restarts must not end a charge."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
            self._polling = None

    async def authorise(self, tag: str, until: int | None) -> None:
        """Nothing reads tags here; `remote_start` comes when a booked driver may charge."""
        return

    async def remote_start(self, tag: str, connector: int) -> None:
        if self._session is not None:
            if self._session.tag != tag:
                raise WallboxError("wallbox-busy", "Another session is running.")
            return
        await self._room()
        meter = await self._require_meter()
        await self._switch(True)
        now = self.context.clock.now()
        wh = meter.register_wh
        self._session = _Session(f"{tag}-{now}", tag, now, wh, wh, now)
        await self._keep()
        self._report(SessionStarted(self._session.name, tag, wh, now))
        self._report(StatusChanged(connector, "Charging"))

    async def remote_stop(self, session: str) -> None:
        running = self._session
        if running is None or running.name != session:
            return
        await self._room()
        await self._switch(False)
        meter = await self._look()
        last = self._session or running
        wh = last.last_wh if meter is None else max(meter.register_wh, last.last_wh)
        self._session = None
        await self._keep()
        self._report(SessionEnded(last.name, wh, max(self.context.clock.now(), last.last_at), "Remote"))
        self._report(StatusChanged(1, "Available"))

    async def limit_power(self, watts: int | None) -> None:
        if watts is not None:
            raise WallboxError("not-supported", "This charger can only be switched on and off.")

    async def unlock(self, connector: int) -> None:
        raise WallboxError("not-supported", "This charger has no lock.")

    @property
    def status(self) -> WallboxStatus:
        session, meter = self._session, self._meter
        return WallboxStatus(
            connected=self._reachable,
            connector_state="Available" if session is None else "Charging",
            session=None if session is None else session.name,
            register_wh=None if meter is None else meter.register_wh,
            power_w=None if meter is None else meter.power_w,
            seen_at=self._seen_at,
            tag=None if session is None else session.tag,
        )

    # --- inside ---------------------------------------------------------------------------------

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self.every_s)
            await self._look()

    async def _look(self) -> Meter | None:
        """A reading, told if a session runs; None while the box is out of reach."""
        try:
            meter = await self.read()
        except (OSError, ValueError, WallboxError) as error:
            if self._reachable:
                _log.warning("wallbox %s: %s", self.context.charger_id[:8], error)
                self._reachable = False
                self._report(Disconnected())
            return None
        self._meter, self._seen_at = meter, self.context.clock.now()
        if not self._reachable:
            self._reachable = True
            self._report(Connected())
        session = self._session
        # A register that fell is none that could be believed; the next one that is higher counts.
        if session is not None and meter.register_wh >= session.last_wh and self._seen_at >= session.last_at:
            self._session = replace(session, last_wh=meter.register_wh, last_at=self._seen_at)
            self._report(
                Reading(session.name, meter.register_wh, meter.power_w, self._seen_at, "Sample.Periodic")
            )
        return meter

    async def _require_meter(self) -> Meter:
        meter = await self._look()
        if meter is None:
            raise WallboxError("wallbox-offline", "The charger can't be reached.")
        return meter

    async def _switch(self, on: bool) -> None:
        try:
            await self.switch(on)
        except (OSError, ValueError) as error:
            raise WallboxError("wallbox-offline", f"The charger could not be switched: {error}.") from error

    async def _keep(self) -> None:
        session = None if self._session is None else asdict(self._session)
        await write_memory(self.context.book, self.context.charger_id, {"session": session})
