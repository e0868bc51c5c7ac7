"""A charger without a wallbox that talks: people start and stop it, read its meter, and type what they see.

A session waits for its first reading, which starts it; after `remote_stop` the next reading ends it. Both
sides read the meter: the driver's person countersigns a reading's ticket. What was signed can't be taken
back, so that a reading which can hardly be right is asked for twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from chargemesh_protocol.charging.reports import (
    Connected,
    Reading,
    SessionEnded,
    SessionStarted,
    StatusChanged,
    WallboxReport,
    WallboxStatus,
)
from chargemesh_protocol.limits import CLOCK_TOLERANCE_MS, MAX_TAG_CHARS
from chargemesh_protocol.units import format_duration, format_energy
from chargemesh_protocol.zones import HOUR_MS

from ..ports import Clock, Room, always_room
from .book import MemoryBook, SessionBook
from .errors import WallboxError
from .memory import read_memory, write_memory

MAX_REGISTER_WH = 10**10  # 10 GWh: no household meter goes so far
# A meter of whole kWh, a slow watch, mains voltage above its nominal: so much more is believed.
_SLACK_WH = 1_000
_SLACK_PERCENT = 125


@dataclass(frozen=True, slots=True)
class _Session:
    """`start_wh` is None until the first reading, `at` the time of the last one; `stopping` once asked to."""

    name: str
    tag: str
    connector: int
    started_at: int
    start_wh: int | None = None
    last_wh: int = 0
    at: int = 0
    stopping: bool = False
    ended: bool = False


class ManualDriver:
    """A WallboxDriver in which a person is the wallbox; the owner's own charging is not seen at all.

    max_power_w: of the strongest connector, to judge readings by.
    """

    def __init__(
        self, charger_id: str, clock: Clock, *, max_power_w: int, book: SessionBook | None = None
    ) -> None:
        self._charger_id = charger_id
        self._clock = clock
        self._max_power_w = max_power_w
        self._book = book or MemoryBook()
        self._report: Callable[[WallboxReport], None] = lambda report: None
        self._room: Room = always_room
        self._session: _Session | None = None
        self._register_wh: int | None = None
        self._seen_at = 0

    async def start(self, report: Callable[[WallboxReport], None], room: Room = always_room) -> None:
        """A session of before the restart goes on, and is reported once more."""
        self._report, self._room = report, room
        memory = await read_memory(self._book, self._charger_id)
        if isinstance(memory.get("session"), dict):
            self._session = _Session(**memory["session"])
            self._register_wh = memory.get("register_wh")
        report(Connected())
        session = self._session
        if session is not None and session.start_wh is not None:
            report(_begin(session))
            report(self._last_word(session))

    async def close(self) -> None:
        await self._keep()

    async def authorise(self, tag: str, until: int | None) -> None:
        """Nothing checks tags here: the people at the charger know each other by the booking. None withdraws
        a start that has no reading yet."""
        if not 0 < len(tag) <= MAX_TAG_CHARS:
            raise WallboxError("bad-tag", f"A tag has 1 to {MAX_TAG_CHARS} characters.")
        running = self._running()
        if until is None and running is not None and running.tag == tag and running.start_wh is None:
            await self.remote_stop(running.name)

    async def remote_start(self, tag: str, connector: int) -> None:
        """The session begins with the next reading."""
        running = self._running()
        if running is not None and running.tag == tag:
            return
        if running is not None:
            raise WallboxError("wallbox-busy", "Another session is running: enter its last reading first.")
        now = self._clock.now()
        self._session = _Session(f"manual-{now}", tag, connector, now)
        await self._keep()
        self._report(StatusChanged(connector, self._state()))

    async def remote_stop(self, session: str) -> None:
        """The session ends with the next reading; one that never got a reading ends at once, with nothing."""
        running = self._running()
        if running is None or running.name != session:
            return
        self._session = replace(running, stopping=True, ended=running.start_wh is None)
        await self._keep()
        self._report(StatusChanged(running.connector, self._state()))

    async def limit_power(self, watts: int | None) -> None:
        if watts is not None:
            raise WallboxError("not-supported", "Nobody limits the power of a charger that people switch.")

    async def unlock(self, connector: int) -> None:
        """People pull the plug themselves."""

    async def enter_reading(self, register_wh: int, at: int, *, sure: bool = False) -> None:
        """What a person read on the meter (Wh) at that instant (unix ms).

        Raises WallboxError `bad-reading` for a register below the last one, a time before the last reading
        or in the future, and when no session waits for one; unless `sure`, `unlikely-reading` for more than
        the charger can give since the last one, and for less than the session before ended with.
        """
        await self._room()
        session = self._running()
        if session is None:
            raise WallboxError("bad-reading", "No session is running: start one, then enter the reading.")
        self._check(session, register_wh, at)
        if not sure:
            self._doubt(session, register_wh, at)
        first = session.start_wh is None
        last = replace(session, last_wh=register_wh, at=at, ended=session.stopping)
        self._session = replace(last, start_wh=register_wh, started_at=at) if first else last
        self._register_wh, self._seen_at = register_wh, self._clock.now()
        await self._keep()
        if first:
            self._report(_begin(self._session))
        else:
            self._report(self._last_word(self._session))
        if first or session.stopping:
            self._report(StatusChanged(session.connector, self._state()))

    @property
    def status(self) -> WallboxStatus:
        running = self._running()
        charging = running is not None and running.start_wh is not None
        return WallboxStatus(
            connected=True,
            connector_state=self._state(),
            session=running.name if running is not None and charging else None,
            register_wh=self._register_wh,
            power_w=None,
            seen_at=self._seen_at,
            tag=None if running is None else running.tag,
        )

    def _running(self) -> _Session | None:
        return None if self._session is None or self._session.ended else self._session

    def _state(self) -> str:
        running = self._running()
        if running is None:
            return "Available"
        if running.start_wh is None:
            return "Preparing"
        return "Finishing" if running.stopping else "Charging"

    def _check(self, session: _Session, register_wh: int, at: int) -> None:
        if not 0 <= register_wh <= MAX_REGISTER_WH:
            raise WallboxError("bad-reading", f"A meter shows 0 to {MAX_REGISTER_WH} Wh, not {register_wh}.")
        if session.start_wh is not None and register_wh < session.last_wh:
            raise WallboxError(
                "bad-reading",
                f"The meter showed {format_energy(session.last_wh)} before and can't fall to "
                f"{format_energy(register_wh)}: look at the digits again. A signed reading "
                "can't be taken back: if that one was wrong, tell the driver by message.",
            )
        if at < session.at or at > self._clock.now() + CLOCK_TOLERANCE_MS:
            raise WallboxError("bad-reading", "The reading's time lies before the last one or in the future.")

    def _doubt(self, session: _Session, register_wh: int, at: int) -> None:
        if session.start_wh is None:
            before = self._register_wh or 0
            if register_wh < before:
                raise WallboxError(
                    "unlikely-reading",
                    f"The meter showed {format_energy(before)} when the session before ended, and now "
                    f"{format_energy(register_wh)}?",
                )
            return
        risen, time = register_wh - session.last_wh, at - session.at
        if risen > _SLACK_WH + self._max_power_w * time * _SLACK_PERCENT // (100 * HOUR_MS):
            raise WallboxError(
                "unlikely-reading",
                f"{format_energy(risen)} in {format_duration(time)} is more than this charger can give: "
                f"the meter showed {format_energy(session.last_wh)} before.",
            )

    @staticmethod
    def _last_word(session: _Session) -> Reading | SessionEnded:
        if session.ended:
            return SessionEnded(session.name, session.last_wh, session.at, "Remote", by_hand=True)
        context = "Sample.Periodic"
        return Reading(session.name, session.last_wh, None, session.at, context, by_hand=True)

    async def _keep(self) -> None:
        session = None if self._session is None else asdict(self._session)
        await write_memory(
            self._book, self._charger_id, {"session": session, "register_wh": self._register_wh}
        )


def _begin(session: _Session) -> SessionStarted:
    register = session.start_wh or 0
    return SessionStarted(session.name, session.tag, register, session.started_at, by_hand=True)
