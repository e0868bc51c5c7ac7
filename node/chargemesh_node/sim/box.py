"""A wallbox and a car in one, for simulations: a WallboxDriver that charges at a steady power.

It keeps the promises of the real drivers: what a session reports never falls, and after a restart of the
node the newest sessions are told once more, since a crash may have come between hearing and keeping.
"""

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
    StatusChanged,
    UnknownTag,
    WallboxReport,
    WallboxStatus,
)

from ..ports import Clock, Room, always_room
from ..wallbox.errors import WallboxError

READING_EVERY_S = 60.0
TOLD_AGAIN = 3  # sessions, after a restart of the node
OWNER_TAG = "OWNER"

Report = Callable[[WallboxReport], None]


def _nobody(report: WallboxReport) -> None:
    """The node is down, or the box off the network: what is said now is told again later."""


def _no_fault(what: str) -> None:
    """The hook of a box before which no node crashes."""


@dataclass(slots=True)
class ChargingSession:
    """One session as box and driver remember it. Registers in Wh, times in unix ms."""

    name: str
    tag: str
    started_at: int
    start_wh: int
    owner: bool
    ended_at: int | None = None
    end_wh: int = 0
    reason: str = ""


@dataclass(slots=True)
class CarAndBox:
    """What stands in the drive: it outlives the node, as the real ones do.

    power_w: what the car takes. broken: it refuses every start. sessions: all that ever ran, oldest first.
    """

    power_w: int = 11_000
    broken: bool = False
    reachable: bool = True
    state: str = "Available"  # OCPP 1.6 ChargePointStatus
    register_wh: int = 1_000_000
    sessions: list[ChargingSession] = field(default_factory=list)
    updated_at: int = 0
    limit_w: int | None = None
    say: Report = _nobody
    _fraction: int = 0  # W·ms not yet counted

    @property
    def running(self) -> ChargingSession | None:
        last = self.sessions[-1] if self.sessions else None
        return last if last is not None and last.ended_at is None else None

    def advance(self, now: int) -> None:
        """Counts the energy up to `now`."""
        if self.running is not None and now > self.updated_at:
            power = min(self.power_w, self.limit_w or self.power_w)
            gained = (now - self.updated_at) * power + self._fraction
            self.register_wh += gained // 3_600_000
            self._fraction = gained % 3_600_000
        self.updated_at = max(now, self.updated_at)

    def begin(self, tag: str, now: int, *, owner: bool = False) -> None:
        self.advance(now)
        name = f"s{len(self.sessions) + 1}"
        session = ChargingSession(name, tag, self.updated_at, self.register_wh, owner)
        self.sessions.append(session)
        self.tell(SessionStarted(name, tag, self.register_wh, self.updated_at, owner))
        self.become("Charging")

    def end(self, now: int, reason: str, then: str = "Available") -> None:
        session = self.running
        if session is None:
            return
        self.advance(now)
        session.ended_at, session.end_wh, session.reason = self.updated_at, self.register_wh, reason
        self.tell(SessionEnded(session.name, session.end_wh, self.updated_at, reason))
        self.become(then)

    def become(self, state: str) -> None:
        self.state = state
        self.tell(StatusChanged(1, state))

    def tell(self, report: WallboxReport) -> None:
        if self.reachable:
            self.say(report)

    # --- what happens in the drive --------------------------------------------------------------

    def owner_plugs_in(self, now: int) -> None:
        """The owner's own car charges, outside bookings."""
        self.begin(OWNER_TAG, now, owner=True)

    def owner_stops(self, now: int) -> None:
        """The owner's car is full and still plugged in."""
        self.end(now, "Local", then="Finishing")

    def unplug(self, now: int) -> None:
        self.end(now, "EVDisconnected")
        self.become("Available")

    def stranger_holds_up(self, tag: str, now: int) -> None:
        self.tell(UnknownTag(tag, now))

    def vanish(self) -> None:
        """Off the network; the car goes on charging."""
        self.tell(Disconnected())
        self.reachable = False

    def come_back(self, now: int) -> None:
        self.reachable = True
        self.advance(now)
        self.tell(Connected())
        self.tell_again()

    def tell_again(self) -> None:
        """The newest sessions as they stand."""
        for one in self.sessions[-TOLD_AGAIN:]:
            self.tell(SessionStarted(one.name, one.tag, one.start_wh, one.started_at, one.owner))
            if one.ended_at is not None:
                self.tell(SessionEnded(one.name, one.end_wh, one.ended_at, one.reason))
        self.tell(StatusChanged(1, self.state))


class SimDriver:
    """The WallboxDriver port on a CarAndBox."""

    def __init__(self, box: CarAndBox, clock: Clock, before_act: Callable[[str], None] = _no_fault) -> None:
        """`before_act` is a fault hook, called before the box is asked for anything."""
        self._box = box
        self._clock = clock
        self._before_act = before_act
        self._report: Report = _nobody
        self._task: asyncio.Task[None] | None = None
        self.authorised: dict[str, int] = {}

    async def start(self, report: Report, room: Room = always_room) -> None:
        box = self._box
        self._report = box.say = report
        report(Connected() if box.reachable else Disconnected())
        box.advance(self._clock.now())
        box.tell_again()
        self._task = asyncio.get_running_loop().create_task(self._meter())

    async def close(self) -> None:
        if self._box.say is self._report:
            self._box.say = _nobody
        if self._task is not None:
            self._task.cancel()

    async def authorise(self, tag: str, until: int | None) -> None:
        if until is None:
            self.authorised.pop(tag, None)
        else:
            self.authorised[tag] = until

    async def remote_start(self, tag: str, connector: int) -> None:
        self._before_act("start the wallbox")
        box = self._require_reachable()
        if box.broken:
            raise WallboxError("wallbox-refused", "The wallbox refused to start.")
        if box.running is not None:
            if box.running.tag != tag:
                raise WallboxError("wallbox-busy", "The wallbox is charging in another session.")
            return
        if box.state == "Finishing":
            raise WallboxError("unplug-first", "The owner's car is still plugged in.")
        box.begin(tag, self._clock.now())

    async def remote_stop(self, session: str) -> None:
        self._before_act("stop the wallbox")
        box = self._require_reachable()
        if box.running is not None and box.running.name == session:
            box.end(self._clock.now(), "Remote")

    async def limit_power(self, watts: int | None) -> None:
        self._require_reachable().limit_w = watts

    async def unlock(self, connector: int) -> None:
        raise WallboxError("not-supported", "This wallbox has no lock.")

    @property
    def status(self) -> WallboxStatus:
        box = self._box
        session, tag = (box.running.name, box.running.tag) if box.running else (None, None)
        return WallboxStatus(
            box.reachable, box.state, session, box.register_wh, box.power_w, box.updated_at, tag
        )

    def _require_reachable(self) -> CarAndBox:
        if not self._box.reachable:
            raise WallboxError("wallbox-offline", "The wallbox is not connected.")
        return self._box

    async def _meter(self) -> None:
        box = self._box
        while True:
            await asyncio.sleep(READING_EVERY_S)
            if box.running is not None and box.reachable:
                box.advance(self._clock.now())
                box.tell(
                    Reading(box.running.name, box.register_wh, box.power_w, box.updated_at, "Sample.Periodic")
                )
