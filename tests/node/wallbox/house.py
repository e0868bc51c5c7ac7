"""A host's house in one process: a central system, its driver, and a virtual wallbox, on 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from chargemesh_node.clock import SystemClock
from chargemesh_node.wallbox.book import MemoryBook, SessionBook
from chargemesh_node.wallbox.car import Car
from chargemesh_node.wallbox.central import CentralSystem
from chargemesh_node.wallbox.faults import NO_FAULTS, Faults
from chargemesh_node.wallbox.ocpp import OcppDriver
from chargemesh_node.wallbox.pace import Pace
from chargemesh_node.wallbox.virtual import VirtualWallbox
from chargemesh_protocol.charging.reports import (
    Reading,
    SessionEnded,
    SessionStarted,
    WallboxReport,
)

FAST = Pace(
    sample_s=1, heartbeat_s=5, after_boot_s=0.02, settle_s=0.05, freed_s=0.2, resumed_s=0.3, keep_s=0.0
)
SPEED = 600.0  # 10 minutes of energy a second
DRIVER, OWNER = "DRIVER-7", "OWNER-1"
BOX = "garage"
T = TypeVar("T")
HOUR = 3_600_000


class House:
    """`reports` holds all that the driver reported, in order."""

    def __init__(
        self,
        *,
        faults: Faults = NO_FAULTS,
        plug_and_charge: bool = False,
        car: Car | None = None,
        book: SessionBook | None = None,
        pace: Pace = FAST,
    ) -> None:
        self.clock = SystemClock()
        self.book = book or MemoryBook()
        self.central = CentralSystem(port=0, call_timeout_s=20.0)
        self.plug_and_charge = plug_and_charge
        self.pace = pace
        self.driver = self.new_driver()
        self.faults = faults
        self.car = car or Car()
        self.reports: list[WallboxReport] = []
        self.box: VirtualWallbox

    def new_driver(self) -> OcppDriver:
        return OcppDriver(
            self.central, BOX, "secret-password-1", [OWNER], self.plug_and_charge, self.clock,
            book=self.book, pace=self.pace,
        )  # fmt: skip

    def new_box(self, **options: Any) -> VirtualWallbox:
        settings: dict[str, Any] = {
            "car": self.car, "speed": SPEED, "sample_s": 0.04, "faults": self.faults,
            "obey_sample_interval": False, "password": "secret-password-1",
        }  # fmt: skip
        settings |= options
        return VirtualWallbox(self.central.url(BOX), BOX, clock=self.clock, **settings)

    async def until(self, fact: Callable[[], object], seconds: float = 60.0) -> None:
        """Waits until `fact` holds; says what was reported if it never does."""
        end = asyncio.get_running_loop().time() + seconds
        while not fact():
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(f"never came true; reports: {self.reports[-12:]}")
            await asyncio.sleep(0.01)

    async def driver_charges(self, readings: int = 3) -> SessionStarted:
        """A booked driver plugs in, is started remotely, and some readings come in."""
        await self.driver.authorise(DRIVER, self.clock.now() + HOUR)
        self.box.plug_in()
        await self.driver.remote_start(DRIVER, 1)
        await self.until(lambda: len(self.of(Reading)) >= readings)
        started = self.of(SessionStarted)[-1]
        assert (started.tag, started.owner) == (DRIVER, False)
        return started

    async def driver_stops(self, session: str) -> SessionEnded:
        await self.driver.remote_stop(session)
        await self.until(lambda: any(end.session == session for end in self.of(SessionEnded)))
        await self.box.all_said()
        return self.of(SessionEnded)[-1]

    def of(self, kind: type[T]) -> list[T]:
        return [report for report in self.reports if isinstance(report, kind)]

    def check_readings(self) -> None:
        """What the readings of a session keep, whatever the box did: nothing falls, time goes on."""
        last: dict[str, tuple[int, int]] = {}
        for report in self.reports:
            if isinstance(report, (SessionStarted, Reading, SessionEnded)):
                at, register = last.get(report.session, (0, 0))
                assert report.at >= at and report.register_wh >= register, report
                last[report.session] = (report.at, report.register_wh)


@asynccontextmanager
async def house(**options: Any) -> AsyncIterator[House]:
    """A house whose box is connected and set up; closed in order at the end."""
    it = House(**options)
    await it.central.start()
    await it.driver.start(it.reports.append)
    it.box = it.new_box()
    await it.box.start()
    try:
        await it.until(lambda: it.driver.status.connector_state == "Available")
        yield it
        it.check_readings()
    finally:
        await it.box.close()
        await it.driver.close()
        await it.central.close()
