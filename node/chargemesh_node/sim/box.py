"""A wallbox and a car in one, for simulations: a WallboxDriver that charges at a steady power."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from chargemesh_protocol.charging.reports import (
    Connected,
    Disconnected,
    Reading,
    SessionEnded,
    SessionStarted,
    WallboxReport,
    WallboxStatus,
)

from ..ports import Clock
from ..wallbox.errors import WallboxError

READING_EVERY_S = 60.0


@dataclass(slots=True)
class CarAndBox:
    """What stands in the drive: it outlives the node, as the real ones do.

    power_w: what the car takes. broken: it refuses every start. reachable: False while it is off the network.
    """

    power_w: int = 11_000
    broken: bool = False
    reachable: bool = True
    register_wh: int = 1_000_000
    session: str = ""
    tag: str = ""
    sessions: int = 0
    updated_at: int = 0
    unheard: list[WallboxReport] = field(default_factory=list)

    def advance(self, now: int) -> None:
        """Counts the energy up to `now`."""
        if self.session:
            self.register_wh += (now - self.updated_at) * self.power_w // 3_600_000
        self.updated_at = now


class SimDriver:
    """The WallboxDriver port on a CarAndBox. What the box says while nobody listens is said afterwards."""

    def __init__(self, box: CarAndBox, clock: Clock) -> None:
        self._box = box
        self._clock = clock
        self._report: Callable[[WallboxReport], None] = box.unheard.append
        self._task: asyncio.Task[None] | None = None
        self._authorised: dict[str, int] = {}

    async def start(self, report: Callable[[WallboxReport], None]) -> None:
        self._report = report
        report(Connected() if self._box.reachable else Disconnected())
        for said in self._box.unheard:
            report(said)
        self._box.unheard.clear()
        self._task = asyncio.get_running_loop().create_task(self._meter())

    async def close(self) -> None:
        self._report = self._box.unheard.append
        if self._task is not None:
            self._task.cancel()

    async def authorise(self, tag: str, until: int | None) -> None:
        if until is None:
            self._authorised.pop(tag, None)
        else:
            self._authorised[tag] = until

    async def remote_start(self, tag: str, connector: int) -> None:
        box = self._box
        if not box.reachable:
            raise WallboxError("wallbox-offline", "The wallbox is not connected.")
        if box.broken:
            raise WallboxError("wallbox-refused", "The wallbox refused to start.")
        if box.session:
            if box.tag != tag:
                raise WallboxError("wallbox-busy", "The wallbox is charging in another session.")
            return
        box.sessions += 1
        box.session, box.tag = f"s{box.sessions}", tag
        box.updated_at = self._clock.now()
        self._report(SessionStarted(box.session, tag, box.register_wh, box.updated_at))

    async def remote_stop(self, session: str) -> None:
        box = self._box
        if box.session != session or not box.reachable:
            return
        box.advance(self._clock.now())
        box.session = box.tag = ""
        self._report(SessionEnded(session, box.register_wh, box.updated_at, "Remote"))

    async def limit_power(self, watts: int | None) -> None:
        self._box.power_w = min(self._box.power_w, watts or self._box.power_w)

    async def unlock(self, connector: int) -> None:
        raise WallboxError("not-supported", "This wallbox has no lock.")

    @property
    def status(self) -> WallboxStatus:
        box = self._box
        state = "Charging" if box.session else "Available"
        return WallboxStatus(
            box.reachable, state, box.session or None, box.register_wh, box.power_w, box.updated_at, box.tag
        )

    async def _meter(self) -> None:
        box = self._box
        while True:
            await asyncio.sleep(READING_EVERY_S)
            if box.session and box.reachable:
                box.advance(self._clock.now())
                self._report(
                    Reading(box.session, box.register_wh, box.power_w, box.updated_at, "Sample.Periodic")
                )
