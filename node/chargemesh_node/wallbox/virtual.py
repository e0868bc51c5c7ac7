"""A virtual wallbox: a real OCPP 1.6J charge point on a WebSocket, with a car, and with faults on demand.

Times are real; only energy can be counted `speed` times too fast. What happens to it comes from people
(plug in, unplug, hold up a tag) and from the central system.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..ports import Clock
from .car import Car
from .faults import NO_FAULTS, Faults
from .tasks import SideTasks
from .virtual_connection import Tell, VirtualConnection
from .virtual_meter import VirtualMeter
from .virtual_outbox import Outbox, Start, State, Stop, Values, VirtualSession

MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import")
_FIRST_REGISTER_WH = 1_234_567.0


class VirtualWallbox:
    """`tell` hears what happens as (event, facts); `start` connects and keeps reconnecting until `close`."""

    def __init__(
        self,
        url: str,
        charger_id: str,
        password: str | None,
        clock: Clock,
        *,
        car: Car | None = None,
        power_w: int = 11_000,
        speed: float = 1.0,
        sample_s: float = 10.0,
        register_wh: float = _FIRST_REGISTER_WH,
        faults: Faults = NO_FAULTS,
        obey_sample_interval: bool = True,
        tell: Tell | None = None,
    ) -> None:
        """`url` ends with the charge point's id, as the central system shows it. `sample_s` may be set anew
        by the central system unless `obey_sample_interval` is off."""
        self._clock = clock
        self._power_w = power_w
        self._speed = speed
        self._sample_s = sample_s
        self._faults = faults
        self._obey_sample_interval = obey_sample_interval
        self._tell = tell or (lambda event, facts: None)
        self._meter = VirtualMeter(register_wh, faults)
        self._outbox = Outbox(faults)
        self._tasks = SideTasks(f"virtual wallbox {charger_id}")
        self._connection = VirtualConnection(
            url,
            charger_id,
            password,
            box=self,
            outbox=self._outbox,
            faults=faults,
            speed=speed,
            tell=self._tell,
            state=lambda: self.state,
            refused=self._refused,
        )
        self._limit_w: float | None = None
        self._measurands: tuple[str, ...] = MEASURANDS
        self._settings: dict[str, str] = {}
        self._known_tags: tuple[str, ...] = ()
        self._waiting_tag: str | None = None
        self._garage_car = car or Car()
        self._stopping = False
        self.car: Car | None = None  # the one that is plugged in
        self.session: VirtualSession | None = None
        self.state = "Available"

    # --- people ----------------------------------------------------------------------------------

    async def start(self) -> None:
        self._tasks.spawn(self._connection.run())
        self._tasks.spawn(self._count())

    async def close(self) -> None:
        await self._tasks.cancel()
        await self._connection.close()

    def plug_in(self, car: Car | None = None) -> None:
        """A car is plugged in; with a tag held up or a remote start before, charging begins."""
        self.car = car or self._garage_car
        self._tell("plugged in", {"soc": round(self.car.soc_percent, 1)})
        self._enter("Preparing")
        if self._waiting_tag is not None:
            self._begin(self._waiting_tag)

    def unplug(self) -> None:
        if self.session is not None:
            self._end("EVDisconnected")
        self.car = None
        self._tell("unplugged", {})
        self._enter("Available")

    async def swipe(self, tag: str) -> str:
        """Somebody holds up a tag: it starts, or stops the session that it started. Returns OCPP's status."""
        if self.session is not None:
            if self.session.tag.casefold() != tag.casefold():
                return "Invalid"
            self._end("Local")
            return "Accepted"
        status = await self._authorise(tag)
        self._tell("tag", {"tag": tag, "status": status})
        if status == "Accepted" and self.car is not None:
            self._begin(tag)
        elif status == "Accepted":
            self._waiting_tag = tag
        return status

    def vanish(self, seconds: float) -> None:
        """The connection is gone at once, and for so long; charging goes on."""
        self._tell("vanished", {"seconds": seconds})
        self._connection.vanish(seconds)

    def recall_session(
        self, tag: str, minutes: int, ended_ago_s: int, power_w: int = 11_000, every_minutes: int = 1
    ) -> None:
        """Buffers a whole session that took place while the box was offline."""
        ended = self._clock.now() - ended_ago_s * 1000
        started, before = ended - minutes * 60_000, self._meter.register_wh
        session = VirtualSession(tag, started, before)
        self._outbox.put(Start(session))
        for minute in range(every_minutes, minutes + 1, every_minutes):
            register, at = before + power_w * minute / 60, started + minute * 60_000
            entry = self._meter.values_of(register, power_w, at, "Sample.Periodic", MEASURANDS)
            self._outbox.put(Values(session, entry))
        stop_wh = int(before + power_w * minutes / 60)
        self._meter = VirtualMeter(stop_wh, self._faults)
        self._outbox.put(Stop(session, stop_wh, ended, "Local"))

    # --- for tests and people to look at ---------------------------------------------------------

    @property
    def connected(self) -> bool:
        return self._connection.connected

    @property
    def boots(self) -> int:
        return self._connection.boots

    @property
    def register_wh(self) -> int:
        return self._meter.register_wh

    @property
    def power_w(self) -> int:
        return self._meter.power_w

    @property
    def settings(self) -> dict[str, str]:
        return dict(self._settings)

    @property
    def known_tags(self) -> tuple[str, ...]:
        return self._known_tags

    async def online(self) -> None:
        """Until the central system has taken its boot."""
        await self._connection.online.wait()

    async def all_said(self) -> None:
        """Until everything buffered was sent and answered."""
        await self._outbox.emptied()

    # --- what the central system asks (Box) ------------------------------------------------------

    def start_asked(self, tag: str, connector: int | None) -> str:
        if self.session is not None or self.state not in ("Available", "Preparing", "Finishing"):
            return "Rejected"
        if self._faults.refuse_start or (self.state == "Finishing" and self._faults.refuse_in_finishing):
            self._tell("refused to start", {"tag": tag})
            return "Rejected"
        if self.car is None:
            self._waiting_tag = tag
        else:
            self._begin(tag)
        return "Accepted"

    def stop_asked(self, number: int) -> str:
        session = self.session
        if session is None:
            return "Rejected"
        known_as = self._outbox.dead_number() if self._faults.dead_transaction else session.number
        if number != known_as:
            return "Rejected"
        if not self._stopping:
            self._stopping = True
            self._tasks.spawn(self._stop_later(session))
        return "Accepted"

    def limit_asked(self, watts: float | None) -> str:
        self._limit_w = watts
        self._tell("power limit", {"watts": watts})
        return "Accepted"

    def setting_asked(self, key: str, value: str) -> str:
        self._settings[key] = value
        if key == "MeterValueSampleInterval" and self._obey_sample_interval and value.isdigit():
            self._sample_s = max(1, int(value))
        if key == "MeterValuesSampledData":
            self._measurands = tuple(value.split(","))
            if self._faults.reboot_on_settings:
                self._tasks.spawn(self._reboot())
        return "Accepted"

    def settings_shown(self) -> dict[str, str]:
        return {"NumberOfConnectors": "1", **self._settings}

    def tags_asked(self, tags: list[str]) -> str:
        self._known_tags = tuple(tags)
        return "Accepted"

    def message_asked(self, message: str) -> str:
        if message == "StatusNotification":
            self._outbox.put(State(self.state))
        elif message == "MeterValues":
            self._outbox.put(Values(self.session, self._values("Trigger")))
        else:
            return "NotImplemented"
        return "Accepted"

    def unlock_asked(self) -> str:
        if self.session is not None:
            self._end("UnlockCommand")
        return "Unlocked"

    def reset_asked(self) -> str:
        self._tasks.spawn(self._reboot())
        return "Accepted"

    # --- sessions --------------------------------------------------------------------------------

    def _begin(self, tag: str) -> None:
        self._waiting_tag, self._stopping = None, False
        self.session = VirtualSession(tag, self._clock.now(), self._meter.register_wh)
        self._tell("session began", {"tag": tag, "register_wh": self.session.start_wh})
        self._outbox.put(Start(self.session))
        self._enter("Charging")
        if self._faults.vanish_after_s is not None:
            self._tasks.spawn(self._vanish_later(self._faults.vanish_after_s))

    def _end(self, reason: str) -> None:
        session = self.session
        if session is None:
            return
        self._meter.power_w = 0
        self.session = None
        register, at = self._meter.register_wh, self._clock.now()
        if self._faults.stop_below_start:
            register = session.start_wh - 1
        if self._faults.stop_before_start:
            at = session.started_at - 3_600_000
        self._outbox.put(Stop(session, register, at, reason))
        if self._faults.values_after_stop:
            self._outbox.put(Values(session, self._values("Transaction.End")))
        self._tell("session ended", {"reason": reason, "register_wh": register})
        self._enter("Finishing" if self.car is not None else "Available")

    def _enter(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._tell("state", {"state": state})
            if self.connected:
                self._outbox.put(State(state))

    def _values(self, context: str) -> list[dict[str, Any]]:
        return self._meter.values(self._clock.now(), context, self._measurands)

    async def _authorise(self, tag: str) -> str:
        """By the central system; offline by the box's own list of tags."""
        word = await self._connection.authorise(tag)
        if word is not None:
            return word
        known = tag.casefold() in (name.casefold() for name in self._known_tags)
        unknown_too = self._settings.get("AllowOfflineTxForUnknownId") == "true"
        return "Accepted" if known or unknown_too else "Invalid"

    def _refused(self, session: VirtualSession) -> None:
        if session is self.session and not self._faults.ignore_refusal:
            self._end("DeAuthorized")

    async def _count(self) -> None:
        """The meter: counts several times between two readings, so that the curve is smooth."""
        loop = asyncio.get_running_loop()
        counted = said = loop.time()
        while True:
            await asyncio.sleep(min(0.2, self._sample_s / 4))
            now = loop.time()
            car = self.car
            if self.session is None or car is None:
                self._meter.power_w, said = 0, now
            else:
                car.charge(self._meter.count(now - counted, self._speed))
                offered = self._power_w if self._limit_w is None else min(self._power_w, int(self._limit_w))
                self._meter.power_w = car.power(offered)
                self._enter("Charging" if self._meter.power_w else _pause(car))
                if now - said >= self._sample_s:
                    said = now
                    self._outbox.put(Values(self.session, self._values("Sample.Periodic")))
                    self._tell("reading", self._reading(car))
            counted = now

    def _reading(self, car: Car) -> dict[str, Any]:
        return {
            "register_wh": self._meter.register_wh,
            "power_w": self._meter.power_w,
            "soc": round(car.soc_percent, 1),
        }

    async def _stop_later(self, session: VirtualSession) -> None:
        await asyncio.sleep(self._faults.stop_late_s)
        if self.session is session:
            self._end("Remote")

    async def _vanish_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.vanish(self._faults.vanish_for_s)

    async def _reboot(self) -> None:
        await asyncio.sleep(0.05)
        self._tell("reboots", {})
        self._connection.reboot()


def _pause(car: Car) -> str:
    """Who holds back: a full car, or a limit below what charging needs."""
    return "SuspendedEV" if car.soc_percent >= 100 else "SuspendedEVSE"
