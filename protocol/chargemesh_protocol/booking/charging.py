"""The host's side of charging: from check-in over wallbox reports and meter tickets to the receipt.

What should run is decided from the booking's state each time anew (`react`); a restart, a box that
vanished, or a lost command need no memory of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from ..charging.reports import (
    Connected,
    Disconnected,
    Reading,
    SessionEnded,
    SessionStarted,
    StatusChanged,
    UnknownTag,
    WallboxReport,
)
from ..effects import AuthoriseTag, Effect, StartWallbox, StopWallbox, Tell
from ..limits import CLOCK_TOLERANCE_MS, MAX_NOTE_CHARS
from ..listing_desk import ListingDesk
from ..metering import Reading as MeterReading
from ..metering import bill
from ..moment import Moment
from ..notices import charger_notice, notice
from ..pricing import MAX_ENERGY_WH
from .cost import charge_due, signed_for
from .held import HeldReports, SessionReport
from .kept import Booking, KeptMessage
from .ledger import Ledger
from .receipt import Reckoning, reckon_charge, reckon_session
from .records import EquipmentFault, ProblemKind, ReadingContext, Receipt, Ticket
from .state import BookingState
from .table import Reservation

FAULT_AFTER = 3  # starts in a row that failed: a minute and more
RETRY_MS = 30_000  # a start or stop that brought nothing is asked for again
LOST_AFTER_MS = 30 * 60_000  # a box that stays away this long after the end has had its last word
MAX_TICKETS = 1024  # of a booking's own time; a long one has its tickets farther apart
_OWNER_CAR = "The charger is still in use by its owner. The owner has been told."
_LOST = "The wallbox has forgotten this charge, so it ends at the last reading that was heard of it."
_CONTEXTS = {
    "Transaction.Begin": ReadingContext.TRANSACTION_BEGIN,
    "Transaction.End": ReadingContext.TRANSACTION_END,
}


@dataclass(slots=True)
class Box:
    """A wallbox as last reported."""

    connected: bool = False
    state: str = "Unavailable"
    session: str = ""
    tag: str = ""
    owner: bool = False
    owner_parked: bool = False  # the owner's session is over, their car still plugged in
    power_w: int = 0
    register_wh: int = 0  # at the last reading


def tag_of(booking: bytes) -> str:
    """The OCPP idTag (at most 20 characters) of a booking's driver."""
    return "CM" + booking[:9].hex().upper()


class ChargingDesk:
    """Sessions of this node's own chargers."""

    def __init__(self, ledger: Ledger, listings: ListingDesk) -> None:
        self._ledger = ledger
        self._listings = listings
        self._boxes: dict[bytes, Box] = {}
        self._stop_asked: dict[bytes, int] = {}
        self._held = HeldReports()

    def box(self, charger: bytes) -> Box:
        return self._boxes.setdefault(charger, Box())

    @property
    def boxes(self) -> dict[bytes, Box]:
        """The wallboxes as they stand: the one thing here that no store holds."""
        return {charger: replace(box) for charger, box in self._boxes.items()}

    def recall(self, boxes: Mapping[bytes, Box]) -> None:
        """Takes over what an engine before this one knew: boxes say a thing once."""
        self._boxes = dict(boxes)

    # --- what the wallbox says ------------------------------------------------------------------

    def said(
        self, charger: bytes, report: WallboxReport, at: Moment, *, signs: bool = True
    ) -> tuple[list[Effect], list[Booking]]:
        """(effects, bookings to react for). Without `signs` what is to become a ticket waits."""
        box = self.box(charger)
        match report:
            case Connected():
                box.connected = True
                for booking in self._of(charger):
                    booking.tried_start_at = 0  # what was asked of a box that was away was lost
                return [Tell("wallbox.connected", {"charger": charger.hex()})], self._of(charger)
            case Disconnected():
                box.connected = False
                return self._gone(charger, at), []
            case StatusChanged(state=state):
                box.state = state
                box.owner_parked &= state != "Available"
                return [Tell("wallbox.status", {"charger": charger.hex(), "state": state})], self._of(charger)
            case SessionStarted():
                box.session, box.tag, box.owner = report.session, report.tag, report.owner
                box.owner_parked = False
            case Reading():
                box.power_w, box.register_wh = report.power_w or 0, report.register_wh
            case SessionEnded():
                box.owner_parked = box.owner and box.session == report.session
                box.session, box.tag, box.owner, box.power_w = "", "", False, 0
            case UnknownTag(tag=tag):
                return charger_notice("wallbox.unknown_tag", charger, at, tag=tag), []
        holder = self._holder(charger, report, signs)
        return self._session(charger, report, at) if holder is None else ([], [holder])

    def start_failed(self, booking: Booking, code: str, message: str, at: Moment) -> list[Effect]:
        """The box would not start: both sides hear of it, and it is tried again while the time lasts.

        After FAULT_AFTER starts in a row the host's node signs that its equipment fails the driver.
        """
        text = f"The wallbox did not start: {message}"[:MAX_NOTE_CHARS]
        told, fault = self._tell_driver(booking, text, at), self._fault(booking, text, at)
        if not told:
            return [Tell("charging.start_failed", {"booking": booking.id.hex(), "code": code}), *fault]
        return [*notice("charging.start_failed", booking, at, code=code, message=message), *told, *fault]

    def _fault(self, booking: Booking, text: str, at: Moment) -> list[Effect]:
        booking.failed_starts += 1
        state = booking.state(at.now)
        waits = self._may_begin(booking, state) and state.equipment_fault is None
        if booking.failed_starts < FAULT_AFTER or not waits or booking.file.restored:
            return []
        effects = self._write(booking, EquipmentFault, at, problem=ProblemKind.WONT_START, text=text)
        return [*effects, *notice("booking.equipment_fault", booking, at, text=text)]

    # --- what is due ----------------------------------------------------------------------------

    def changed(self, booking: Booking, at: Moment) -> list[Effect]:
        """Other terms are in force: whoever may charge, or does, may until their end."""
        state = booking.state(at.now)
        running = bool(booking.file.session) and not booking.file.ended_at
        if not running and not booking.tried_start_at:
            return []
        if not running and not self._may_begin(booking, state):
            return []  # `react` takes the tag back
        return [AuthoriseTag(state.quote.charger, tag_of(booking.id), state.quote.end)]

    def react(self, booking: Booking, at: Moment) -> list[Effect]:
        """What the box and the receipt of this booking need at this instant."""
        held = self._held.take(booking, at.now)
        if held:
            told = [self._session(booking.quote.body.charger, one, at)[0] for one in held]
            return [*chain.from_iterable(told), *self.react(booking, at)]
        state = booking.state(at.now)
        if booking.file.session and not booking.file.ended_at:
            return self._watch(booking, state, at)
        if booking.file.ended_at:
            return self._session_receipt(booking, state, at)
        if booking.tried_start_at and not self._may_begin(booking, state):
            # The driver has stopped or left again: the plug is for others, above all for the owner.
            booking.tried_start_at = 0
            return [self._tag_back(booking), *self.react(booking, at)]
        charge = charge_due(state)
        if charge is not None and state.receipt is None:
            return self._receipt(booking, reckon_charge(state.quote, *charge), state, at)
        return self._begin(booking, state, at)

    def react_unsigned(self, booking: Booking, at: Moment) -> list[Effect]:
        """In the place of `react` while the clock can't be believed: a session ends only for what needs no
        clock, which is that the driver has stopped it or has drawn all that was authorised."""
        begun, state = self._held.begun(booking), booking.state(at.now)
        session = booking.file.session or (begun.session if begun is not None else "")
        box = self.box(booking.quote.body.charger)
        if not session or box.session != session or at.now < self._stop_asked.get(booking.id, 0) + RETRY_MS:
            return []
        base = begun.register_wh if begun is not None else booking.file.base_wh
        most = state.authorised.energy_wh if state.authorised is not None else 0
        if state.stopped_at is None and box.register_wh - base < most:
            return []
        self._stop_asked[booking.id] = at.now
        return [StopWallbox(booking.quote.body.charger, session)]

    def holds(self, booking: Booking) -> bool:
        """Whether reports of this booking's session wait to be signed."""
        return self._held.holds(booking)

    def woke(self, now: int) -> None:
        """The clock was set right: when things were asked for by the wrong one says nothing."""
        self._stop_asked.clear()
        for booking in self._ledger.awake():
            booking.tried_start_at = min(booking.tried_start_at, now)

    def deadline(self, booking: Booking, now: int) -> int | None:
        """When `react` may have something to do that no report and no record announces."""
        state = booking.state(now)
        quote = state.quote
        if booking.file.session and not booking.file.ended_at:
            stop = quote.end
            if self._must_stop(booking, state, now):
                stop = self._stop_asked.get(booking.id, 0) + RETRY_MS
            return stop if self.box(quote.charger).connected else min(stop, quote.end + LOST_AFTER_MS)
        if state.reservation is Reservation.RESERVED and now < quote.start:
            return quote.start  # is the owner's car in the way?
        if self._may_begin(booking, state) and now < quote.end:
            return booking.tried_start_at + RETRY_MS
        return None

    # --- inside ---------------------------------------------------------------------------------

    def _of(self, charger: bytes) -> list[Booking]:
        """Bookings of that charger for which something may still be due."""
        return [one for one in self._ledger.awake() if one.is_host and one.quote.body.charger == charger]

    def _begin(self, booking: Booking, state: BookingState, at: Moment) -> list[Effect]:
        quote, box = state.quote, self.box(state.quote.charger)
        if state.reservation is not Reservation.RESERVED or not quote.start <= at.now < quote.end:
            return []
        effects: list[Effect] = []
        owner_there = box.owner_parked or (box.owner and bool(box.session))
        told = self._tell_driver(booking, _OWNER_CAR, at) if owner_there else []
        if told:
            effects += charger_notice("charging.owner_car", quote.charger, at, booking=booking.id.hex())
            effects += told
        if not self._may_begin(booking, state):
            return effects
        if booking.tried_start_at and at.now < booking.tried_start_at + RETRY_MS:
            return effects
        booking.tried_start_at = at.now
        tag = tag_of(booking.id)
        effects.append(AuthoriseTag(quote.charger, tag, quote.end))
        if box.connected and not box.session:
            effects.append(StartWallbox(quote.charger, booking.id, tag, quote.end))
        return effects

    def _tell_driver(self, booking: Booking, text: str, at: Moment) -> list[Effect]:
        """A message of ours, once; nothing if it was said before or no more fit."""
        said = any(one.ours and one.text == text for one in booking.messages)
        if said or not self._ledger.may_message(booking):
            return []
        return self._ledger.add_message(booking, KeptMessage(ours=True, sent=at.now, text=text))

    def _may_begin(self, booking: Booking, state: BookingState) -> bool:
        """Whether the driver has checked in and waits for the charger."""
        waits = state.reservation is Reservation.RESERVED and not booking.file.session
        return waits and state.authorised is not None and state.stopped_at is None

    def _watch(self, booking: Booking, state: BookingState, at: Moment) -> list[Effect]:
        quote, charger = state.quote, state.quote.charger
        if at.now >= quote.end + LOST_AFTER_MS and not self.box(charger).connected:
            effects = self._ledger.update(
                booking, ended_at=state.tickets[-1].body.at if state.tickets else quote.end
            )
            return [*effects, *self._session_receipt(booking, booking.state(at.now), at)]
        if not self._must_stop(booking, state, at.now):
            return []
        if at.now < self._stop_asked.get(booking.id, 0) + RETRY_MS:
            return []
        self._stop_asked[booking.id] = at.now
        return [StopWallbox(charger, booking.file.session), self._tag_back(booking)]

    def _must_stop(self, booking: Booking, state: BookingState, now: int) -> bool:
        if now >= state.quote.end or state.stopped_at is not None or state.authorised is None:
            return True
        if state.reservation not in (Reservation.RESERVED, Reservation.FULFILLED):
            return True
        if not state.tickets:
            return False
        last = state.tickets[-1].body
        return last.energy_wh >= state.authorised.energy_wh or last.cost >= state.authorised.cost

    def _session(
        self, charger: bytes, report: SessionReport, at: Moment
    ) -> tuple[list[Effect], list[Booking]]:
        """What a session means for the booking that it belongs to, if it belongs to one."""
        match report:
            case SessionStarted():
                return self._started(charger, report, at)
            case Reading():
                return self._read(charger, report, at)
            case SessionEnded():
                return self._ended(charger, report, at)

    def _started(
        self, charger: bytes, report: SessionStarted, at: Moment
    ) -> tuple[list[Effect], list[Booking]]:
        for booking in self._of(charger):
            if tag_of(booking.id) != report.tag or booking.file.ended_at:
                continue
            if booking.file.session == report.session:
                return [], [booking]
            booking.failed_starts = 0
            effects = self._ledger.update(booking, session=report.session, base_wh=report.register_wh)
            effects += self._ticket(booking, report, 0, ReadingContext.TRANSACTION_BEGIN, at)
            effects += notice("charging.started", booking, at)
            return effects, [booking]
        return [Tell("wallbox.session", {"charger": charger.hex(), "owner": report.owner})], self._of(charger)

    def _read(self, charger: bytes, report: Reading, at: Moment) -> tuple[list[Effect], list[Booking]]:
        booking = self._by_session(charger, report.session)
        if booking is None or booking.file.ended_at:
            return [], []
        state = booking.state(at.now)
        too_soon = bool(state.tickets) and self._too_soon(state, report)
        if too_soon or not self._ledger.has_room(booking):
            return [], []
        context = _CONTEXTS.get(report.context, ReadingContext.SAMPLE_PERIODIC)
        if context is ReadingContext.TRANSACTION_END:
            context = ReadingContext.SAMPLE_PERIODIC  # the end is SessionEnded's to say
        return self._ticket(booking, report, report.power_w or 0, context, at), [booking]

    def _too_soon(self, state: BookingState, report: Reading) -> bool:
        """Whether a reading is too close to the last ticket to become one. A person's always becomes one,
        but for the newest, which a driver tells once more after a restart."""
        last, quote = state.tickets[-1].body, state.quote
        if report.by_hand:
            return (report.at, report.register_wh) == (last.at, last.register_wh)
        settings = self._listings.settings(quote.charger)
        wanted = 60_000 if settings is None else settings.ticket_seconds * 1000
        return report.at < last.at + max(wanted, (quote.end - quote.start) // MAX_TICKETS)

    def _ended(self, charger: bytes, report: SessionEnded, at: Moment) -> tuple[list[Effect], list[Booking]]:
        booking = self._by_session(charger, report.session)
        if booking is None or booking.file.ended_at:
            effects: list[Effect] = [Tell("wallbox.session_ended", {"charger": charger.hex()})]
            # A session that is told once more, after a restart, is told before its box is connected.
            if booking is None and report.reason == "Lost" and self.box(charger).connected:
                effects += charger_notice(
                    "wallbox.forgot", charger, at, session=report.session, message=_LOST
                )
            return effects, self._of(charger)
        effects = self._ticket(booking, report, 0, ReadingContext.TRANSACTION_END, at)
        effects += self._ledger.update(booking, ended_at=max(report.at, 1))
        if report.reason == "Lost":
            effects += self._tell_driver(booking, _LOST, at)
            effects += notice("charging.ended", booking, at, reason=report.reason, message=_LOST)
        else:
            effects += notice("charging.ended", booking, at, reason=report.reason)
        effects.append(self._tag_back(booking))
        return effects, [booking]

    def _ticket(
        self,
        booking: Booking,
        report: SessionStarted | Reading | SessionEnded,
        power: int,
        context: ReadingContext,
        at: Moment,
    ) -> list[Effect]:
        """Signs one reading. Neither its time nor its energy goes back, whatever the box says; nor is it
        from before the quote or from the future."""
        state = booking.state(at.now)
        tickets = [one.body for one in state.tickets]
        before = tickets[-1] if tickets else None
        energy = max(report.register_wh - booking.file.base_wh, before.energy_wh if before else 0)
        energy = min(energy, MAX_ENERGY_WH)
        taken = min(report.at, at.now + CLOCK_TOLERANCE_MS)
        taken = max(taken, before.at if before else booking.quote.body.issued)
        readings = [MeterReading(one.at, one.energy_wh) for one in tickets]
        cost = bill(state.quote.plan, [*readings, MeterReading(taken, energy)]).total
        return self._write(
            booking,
            Ticket,
            at,
            at=taken,
            energy_wh=energy,
            register_wh=max(report.register_wh, 0),
            power_w=max(power, 0),
            cost=cost,
            context=context,
            by_hand=report.by_hand or None,
        )

    def _session_receipt(self, booking: Booking, state: BookingState, at: Moment) -> list[Effect]:
        if state.receipt is not None or not state.tickets:
            return []
        return self._receipt(
            booking, reckon_session(state.quote, [one.body for one in state.tickets]), state, at
        )

    def _receipt(
        self, booking: Booking, reckoned: Reckoning, state: BookingState, at: Moment
    ) -> list[Effect]:
        settings = self._listings.settings(booking.quote.body.charger)
        beyond = max(0, reckoned.energy_wh - signed_for(state).energy_wh)
        effects = self._write(
            booking,
            Receipt,
            at,
            started=reckoned.started,
            ended=reckoned.ended,
            energy_wh=reckoned.energy_wh,
            currency=state.quote.plan.currency,
            lines=reckoned.lines,
            total=reckoned.total,
            adjustment=reckoned.adjustment or None,
            tax=reckoned.tax or None,
            rounding=reckoned.rounding or None,
            payee_name=settings.payee_name if settings else "",
            payee_account=settings.payee_account if settings else "",
            beyond_authorisation_wh=beyond or None,
        )
        return [*effects, *notice("receipt.written", booking, at, total=reckoned.total)]

    def _tag_back(self, booking: Booking) -> AuthoriseTag:
        return AuthoriseTag(booking.quote.body.charger, tag_of(booking.id), None)

    def _gone(self, charger: bytes, at: Moment) -> list[Effect]:
        session = self.box(charger).session
        if session:
            return charger_notice("wallbox.lost", charger, at, session=session)
        return [Tell("wallbox.disconnected", {"charger": charger.hex()})]

    def _holder(self, charger: bytes, report: SessionReport, signs: bool) -> Booking | None:
        """The booking that has to wait with this report before it may sign (see `held`); None if none has."""
        for booking in self._of(charger):
            waits, tag = booking.file.restored or not signs, tag_of(booking.id)
            if waits and self._held.keep(booking, report, tag, dated=signs):
                return booking
        return None

    def _by_session(self, charger: bytes, session: str) -> Booking | None:
        return next((one for one in self._of(charger) if one.file.session == session), None)

    def _write(self, booking: Booking, cls: type[Any], moment: Moment, **fields: Any) -> list[Effect]:
        return self._ledger.write(booking, cls(**booking.set.host_fields(moment.now), **fields))[1]
