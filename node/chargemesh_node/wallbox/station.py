"""The node's side of one charge point: takes in what the box says, remembers it, and reports it.

Reports are made after what they rest on is kept in the SessionBook, and the newest sessions are reported
again at `open`: receivers know a session by its name and take a repetition for nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from ocpp.v16 import call

from chargemesh_protocol.charging.ledger import Ledger, StartFacts, StopFacts
from chargemesh_protocol.charging.reports import (
    Connected,
    Disconnected,
    StatusChanged,
    UnknownTag,
    WallboxReport,
)
from chargemesh_protocol.charging.samples import Sample
from chargemesh_protocol.charging.session import Session

from ..ports import Clock, Room, always_room
from . import settings
from .errors import WallboxError
from .link import Link
from .memory import ChargerMemory
from .pace import Pace
from .tasks import SideTasks

# Sessions told once more after a restart: a crash may have come between keeping and telling.
REPORTED_AGAIN = 3
CHARGES = ("Charging", "SuspendedEV", "SuspendedEVSE")  # OCPP 1.6, 4.9: states of a transaction that runs
IDLE = ("Available", "Preparing", "Finishing", "Reserved")  # and those that none that runs can have
REFUSALS = 2  # stops refused by a box that is idle: it knows nothing of this transaction
OTHERWISE = "otherwise"  # what a box was set up as before the owner's tags changed


class ChargerStation:
    """The Station of all connections of one charge point. The newest connection is the one that counts."""

    def __init__(
        self, charger_id: str, memory: ChargerMemory, clock: Clock, connector: int, pace: Pace
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._connector = connector
        self._pace = pace
        self._report: Callable[[WallboxReport], None] = lambda report: None
        self.room: Room = always_room
        self._link: Link | None = None
        self._kept_at = 0
        self._doubted: set[int] = set()  # transactions that may be lost
        self._refusals: Counter[int] = Counter()  # stops refused, by transaction
        self._stopping: set[int] = set()  # transactions that are over, and charge all the same
        self._untold = False  # whether the owner's tags changed while the box was away
        self.tasks = SideTasks(f"wallbox {charger_id}")
        self.states: dict[int, str] = {}
        self.plugged: Session | None = None  # the newest session whose car may still be plugged in
        self.limit_w: int | None = None
        self.seen_at = 0
        self.on_replugged: Callable[[int], None] = lambda connector: None
        self.on_started: Callable[[int], None] = lambda connector: None

    @property
    def ledger(self) -> Ledger:
        return self._memory.ledger

    @property
    def online(self) -> bool:
        return self._link is not None

    @property
    def link(self) -> Link:
        """The connection that counts; a WallboxError when there is none."""
        if self._link is None:
            raise WallboxError("wallbox-offline", "The wallbox is not connected.")
        return self._link

    async def open(self, report: Callable[[WallboxReport], None], room: Room = always_room) -> None:
        """`report` is called on the event loop and must not block."""
        self._report, self.room = report, room
        await self._memory.recall()
        accepted = [session for session in self.ledger.sessions if not session.refused]
        self.plugged = accepted[-1] if accepted else None
        self._tell(self.ledger.retold(REPORTED_AGAIN))

    async def close(self, reason: str) -> None:
        """Ends the connection, and says why; a session goes on in the box, and in the book."""
        await self.tasks.cancel()
        if self._link is not None:
            await self._link.hang_up(reason)
        await self._memory.keep()

    # --- what the box says (Station) -------------------------------------------------------------

    def now(self) -> int:
        return self._clock.now()

    def heard(self) -> None:
        self.seen_at = self._clock.now()

    async def connected(self, link: Link) -> None:
        """A box that comes back has dropped its old connection without a word, so the new one counts."""
        before, self._link = self._link, link
        self.heard()
        if before is None:
            self._report(Connected())
        else:
            self.tasks.spawn(before.hang_up("another connection of this charge point"))
        self.tasks.spawn(self._ask_for_news(link))

    def disconnected(self, link: Link) -> None:
        if link is self._link:
            self._link = None
            self._report(Disconnected())

    async def booted(self, fingerprint: str, speed: int) -> int:
        self._memory.believe_speed(speed)
        if self.ledger.running() is not None:
            self.ledger.booted(self._clock.now())
            await self._keep()
        admission, link = self._memory.admission, self._link
        wanted = f"{fingerprint}|{self._pace.sample_s}|{admission.owner_tags}|{admission.plug_and_charge}"
        if link is not None and self._memory.set_up_as != wanted:
            # Kept before it is tried: a box that reboots over a wish is not asked again.
            before, self._memory.set_up_as = self._memory.set_up_as, wanted
            self._untold = False
            await self._memory.keep()
            self.tasks.spawn(self._set_up(link, again=before != ""))
        return self._pace.heartbeat_s

    async def status_changed(self, connector: int, state: str) -> None:
        changed = self.states.get(connector) != state
        self.states[connector] = state
        if changed:
            self._report(StatusChanged(connector, state))
        replugged = state == "Available" or (changed and state == "Preparing")
        if replugged and self.plugged is not None and self.plugged.connector == connector:
            self.plugged = self.ledger.running(connector)
        if state in CHARGES:
            self.ledger.resumed(connector)
        running = self.ledger.running(connector)
        if running is not None and self._patience_s(running) is not None:
            fresh = running.transaction not in self._doubted
            if fresh and self.tasks.spawn(self._end_if_lost(running.transaction, connector)):
                self._doubted.add(running.transaction)
        if changed and replugged:
            self.on_replugged(connector)

    async def tag_held_up(self, tag: str) -> dict[str, str]:
        now = self._clock.now()
        verdict = self._memory.admission.judge(tag, now)
        if not verdict.allowed:
            self._report(UnknownTag(tag, now))
        return self._memory.id_tag_info(tag, verdict)

    async def session_started(self, facts: StartFacts) -> tuple[int, dict[str, str]]:
        """A tag counts as it stood when it was held up: days ago, in a backlog."""
        received = self._clock.now()
        held_up = received if facts.at is None else min(facts.at, received)
        verdict = self._memory.admission.judge(facts.tag, held_up)
        facts = replace(facts, tag=self._memory.admission.spelling(facts.tag))
        session, reports = self.ledger.start(facts, verdict, received)
        await self._keep()
        self._tell(reports)
        if session.refused:
            self.tasks.spawn(self._stop_refused(session))
            return session.transaction, self._memory.id_tag_info(facts.tag, verdict)
        if reports:
            self.plugged = session
            self.on_started(session.connector)
        return session.transaction, {"status": "Accepted"}

    async def meter_read(self, connector: int, transaction: int | None, samples: Sequence[Sample]) -> None:
        received = self._clock.now()
        over = self.ledger.given_up(transaction)
        if over is not None and not over.owner and self.states.get(connector) in CHARGES:
            self._stop_what_is_over(over)
        reports = self.ledger.meter(connector, transaction, samples, received)
        if received - self._kept_at >= self._pace.keep_s * 1000:
            await self._keep()
        self._tell(reports)

    async def session_stopped(self, facts: StopFacts) -> dict[str, str] | None:
        """Always accepted: a box that is refused its stop repeats it for ever."""
        reports = self.ledger.stop(facts, self._clock.now())
        await self._keep()
        self._tell(reports)
        return {"status": "Accepted"} if facts.tag else None

    # --- what the box would not do ---------------------------------------------------------------

    async def stop_refused(self, session: Session) -> bool:
        """The box refused to stop a session that runs. True if it is over now: a box that is idle and refuses
        REFUSALS times has no such transaction. One may outlive Faulted and Unavailable."""
        if self.states.get(session.connector) not in IDLE:
            return False
        self._refusals[session.transaction] += 1
        if self._refusals[session.transaction] < REFUSALS:
            return False
        running = self.ledger.running(session.connector)
        # While the box was asked it may have ended that session, and begun the next.
        if running is not None and running.transaction == session.transaction:
            await self._lose(session.connector)
        return True

    # --- beside the receive loop -----------------------------------------------------------------

    async def _ask_for_news(self, link: Link) -> None:
        """A box that reconnected without a boot says nothing of itself: after a pause it is asked."""
        await asyncio.sleep(self._pace.settle_s)
        if link is not self._link:
            return
        charging = self.ledger.running(self._connector) is not None
        await settings.ask_for_news(link, self._connector, charging)
        if self._untold:
            self._untold = False  # before it is tried, as in `booted`
            await self._admit(link)
        if self.limit_w is not None:
            await settings.limit_power(link, self.limit_w)

    def admission_changed(self) -> None:
        """The owner's tags are other ones: a box that is connected is told, any other when it is back."""
        self._memory.set_up_as = self._memory.set_up_as and OTHERWISE
        self._untold = self._link is None
        if self._link is not None:
            self.tasks.spawn(self._admit(self._link))

    async def _admit(self, link: Link) -> None:
        admission = self._memory.admission
        await settings.admit(link, admission.owner_tags, admission.plug_and_charge, self._list_version())

    async def _set_up(self, link: Link, *, again: bool) -> None:
        await asyncio.sleep(self._pace.after_boot_s)
        admission = self._memory.admission
        await settings.set_up(
            link,
            self._pace.sample_s,
            admission.owner_tags,
            admission.plug_and_charge,
            self._list_version(),
            again=again,
        )

    def _list_version(self) -> int:
        return self._clock.now() // 1000 % 2**31

    async def _end_if_lost(self, transaction: int, connector: int) -> None:
        """A connector that stays idle, with no word on its session, lost it: it ends where it stood.

        While a backlog comes in, the session changes, and its own stop may still follow.
        """
        try:
            while self.online:
                session = self.ledger.running(connector)
                if session is None or session.transaction != transaction:
                    return
                patience_s = self._patience_s(session)
                if patience_s is None:
                    return
                before = session, self.states.get(connector)
                await asyncio.sleep(patience_s)
                await self.room()
                if not self.online:
                    return  # told once more when the box is back
                if (self.ledger.running(connector), self.states.get(connector)) == before:
                    await self._lose(connector)
        finally:
            self._doubted.discard(transaction)

    def _patience_s(self, session: Session) -> float | None:
        """How long a running session may go on without a word; None: as long as it likes.

        Preparing counts only after a boot: some boxes show it in the middle of a session.
        """
        state = self.states.get(session.connector)
        if state == "Available":
            return self._pace.freed_s
        return self._pace.resumed_s if session.booted_at is not None and state in IDLE else None

    async def _lose(self, connector: int) -> None:
        """`plugged` stays: the car of that session may still be there until the connector was Available."""
        reports = self.ledger.lost(connector)
        self._refusals.clear()
        if self.states.get(connector) == "Available":
            self.plugged = None
        await self._keep()
        self._tell(reports)

    def _stop_what_is_over(self, session: Session) -> None:
        """A box that resumes a booked session after it was given up charges on nobody's account."""
        if session.transaction not in self._stopping and self.tasks.spawn(self._stop_resumed(session)):
            self._stopping.add(session.transaction)

    async def _stop_resumed(self, session: Session) -> None:
        try:
            await self.link.ask(call.RemoteStopTransaction(transaction_id=session.transaction))
        finally:
            self._stopping.discard(session.transaction)

    async def _stop_refused(self, session: Session) -> None:
        """A refused tag gets no energy: a box that began all the same is told to stop."""
        await asyncio.sleep(self._pace.after_boot_s)
        known = self.ledger.find(session.name)
        if known is not None and known.ended_at is None and self._link is not None:
            await self._link.ask(call.RemoteStopTransaction(transaction_id=session.transaction))

    async def _keep(self) -> None:
        self._kept_at = self._clock.now()
        await self._memory.keep()

    def _tell(self, reports: Sequence[WallboxReport]) -> None:
        for report in reports:
            self._report(report)
