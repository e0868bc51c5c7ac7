"""Drives one charger over OCPP 1.6: the node's wishes, passed to the box that is connected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ocpp.v16 import call

from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.charging.reports import WallboxReport, WallboxStatus
from chargemesh_protocol.charging.session import DEFAULT_MAX_POWER_W

from ..ports import Clock, Room, always_room
from . import settings
from .book import MemoryBook, SessionBook
from .central import CentralSystem
from .errors import WallboxError
from .memory import ChargerMemory
from .pace import Pace
from .station import ChargerStation

_REPLUG = "Unplug, and plug in the car to be charged: charging then starts by itself."


def strongest(settings: ChargerSettings) -> int:
    """The power (W) above which no register of this charger is believed to rise."""
    return max(DEFAULT_MAX_POWER_W, *(one.max_power_w for one in settings.connectors))


class OcppDriver:
    """A WallboxDriver. Sessions, their numbers and the booked tags survive a restart in the SessionBook."""

    def __init__(
        self,
        central: CentralSystem,
        charger_id: str,
        password: str | None,
        owner_tags: Sequence[str],
        plug_and_charge: bool,
        clock: Clock,
        *,
        book: SessionBook | None = None,
        connector: int = 1,
        max_power_w: int = DEFAULT_MAX_POWER_W,
        pace: Pace | None = None,
    ) -> None:
        """`charger_id` is the charge point id in the box's URL; `connector` the one that `status` is about.

        `max_power_w`: no register is believed to rise faster (our virtual wallbox says at its boot how many
        times too fast it counts, and is believed). A `password` of None switches Basic auth off.
        """
        self._central = central
        self._charger_id = charger_id
        self._password = password
        self._clock = clock
        self._connector = connector
        self._pace = pace or Pace()
        self._memory = ChargerMemory(
            book or MemoryBook(), charger_id, owner_tags, plug_and_charge, max_power_w
        )
        self._station = ChargerStation(charger_id, self._memory, clock, connector, self._pace)
        self._station.on_replugged = self._start_wanted
        self._station.on_started = self._forget_wanted
        self._wanted: tuple[str, int, int] | None = None  # tag, connector, until when (unix ms)
        self._leaves_because = "the node stops"

    async def start(self, report: Callable[[WallboxReport], None], room: Room = always_room) -> None:
        """From here on the box may connect. `report` is called on the event loop; it must not block.
        `room` is awaited before a start or an end is taken from the box."""
        await self._station.open(report, room)
        self._central.attach(self._charger_id, self._password, self._station)

    async def close(self) -> None:
        """Ends the connection; a session goes on in the box, and in the book."""
        self._central.detach(self._charger_id)
        await self._station.close(self._leaves_because)

    async def adjust(self, settings: ChargerSettings | None) -> bool:
        """Takes other owner's tags and another power while the box stays connected (see `pool.Adjustable`).
        Another password is for a new driver: the box has to come back with it."""
        if settings is None:
            self._leaves_because = "this charger was removed"
            return False
        if settings.wallbox.driver != "ocpp" or (settings.wallbox.password or None) != self._password:
            self._leaves_because = "this charger has another password or driver now"
            return False
        self._memory.believe_power(strongest(settings))
        if self._memory.admit(settings.wallbox.owner_tags, settings.wallbox.plug_and_charge):
            self._station.admission_changed()
            await self._memory.keep()
        return True

    async def authorise(self, tag: str, until: int | None) -> None:
        """Call it when the booking begins: from then until its end, plug-and-charge is off for others."""
        try:
            self._memory.admission.grant(tag, until)
        except ValueError as error:
            raise WallboxError("bad-tag", f"No wallbox takes this tag: {error}") from None
        if until is None and self._wanted is not None and self._wanted[0] == tag:
            self._wanted = None
        await self._memory.keep()

    async def remote_start(self, tag: str, connector: int) -> None:
        """Starts, or raises WallboxError. After `unplug-first` and `plug-in-first` it starts by itself once
        the person has done so, within the pace's `wanted_s` and the tag's time."""
        running = self._station.ledger.running(connector)
        if running is not None and running.tag.casefold() == tag.casefold():
            return
        if running is not None:
            whose = "the owner's" if running.owner else "another"
            raise WallboxError("wallbox-busy", f"The wallbox is charging in {whose} session.")
        link, state = self._station.link, self._station.states.get(connector, "")
        if state in ("Faulted", "Unavailable"):
            raise WallboxError("wallbox-faulted", f"The wallbox says that it is {state}.")
        before = self._station.plugged
        if (
            state in ("Finishing", "Preparing")
            and before is not None
            and before.tag.casefold() != tag.casefold()
        ):
            self._want(tag, connector)
            whose = "The owner's car" if before.owner else "The car of the session before"
            raise WallboxError("unplug-first", f"{whose} is still plugged in. {_REPLUG}")
        status = await link.ask(call.RemoteStartTransaction(id_tag=tag, connector_id=connector))
        if status == "Accepted":
            self._wanted = None
            return
        if state not in ("Finishing", "Available", ""):
            raise WallboxError("wallbox-refused", "The wallbox refused to start.")
        self._want(tag, connector)
        if state == "Finishing":
            raise WallboxError("unplug-first", f"The wallbox holds on to the session before. {_REPLUG}")
        raise WallboxError("plug-in-first", "Plug the car in: charging then starts by itself.")

    async def remote_stop(self, session: str) -> None:
        """Asks the box to stop; a session that is over already is none to complain about, nor is one that
        the box has forgotten: it ends then, and is reported."""
        self._wanted = None
        known = self._station.ledger.find(session)
        if known is None or known.ended_at is not None:
            return
        numbers = [known.transaction] if known.alias is None else [known.transaction, known.alias]
        for number in numbers:
            request = call.RemoteStopTransaction(transaction_id=number)
            if await self._station.link.ask(request) == "Accepted":
                return
        if not await self._station.stop_refused(known):
            raise WallboxError("wallbox-refused", "The wallbox refused to stop.")

    async def limit_power(self, watts: int | None) -> None:
        """At most `watts` from now on, None for no limit. It is set again whenever the box comes back."""
        self._station.limit_w = watts
        await settings.limit_power(self._station.link, watts)

    async def unlock(self, connector: int) -> None:
        status = await self._station.link.ask(call.UnlockConnector(connector_id=connector))
        if status != "Unlocked":
            raise WallboxError("wallbox-refused", "The wallbox did not unlock the plug.")

    @property
    def status(self) -> WallboxStatus:
        station = self._station
        running = station.ledger.running(self._connector)
        shown = running or station.plugged
        return WallboxStatus(
            connected=station.online,
            connector_state=station.states.get(self._connector, "Unavailable"),
            session=None if running is None else running.name,
            register_wh=station.ledger.register_wh,
            power_w=None if running is None else running.power_w,
            seen_at=station.seen_at,
            tag=None if shown is None else shown.tag,
            owner=False if shown is None else shown.owner,
            held_back=station.ledger.held_back,
        )

    def _want(self, tag: str, connector: int) -> None:
        latest = self._clock.now() + int(self._pace.wanted_s * 1000)
        self._wanted = (tag, connector, min(latest, self._memory.admission.until(tag) or latest))

    def _forget_wanted(self, connector: int) -> None:
        if self._wanted is not None and self._wanted[1] == connector:
            self._wanted = None

    def _start_wanted(self, connector: int) -> None:
        """The person replugged: the start that was refused is tried again."""
        if self._wanted is None or self._wanted[1] != connector:
            return
        tag, _, until = self._wanted
        if self._clock.now() >= until:
            self._wanted = None
        else:
            self._station.tasks.spawn(self.remote_start(tag, connector))
