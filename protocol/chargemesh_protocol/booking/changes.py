"""The host's side of other terms: what a change would cost, offers of its own, and the answer to a driver's.

`react` is level-triggered as the host desk's is: an open change that the rules take is put in force, one
that they don't is refused, and one that they leave to a person waits for it, who is told once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..chargers import ChargerSettings
from ..effects import Effect, HoldSlot, ReleaseSlot, Reply, Result
from ..errors import PersonError
from ..events import OfferTerms, SayFault
from ..limits import CLOCK_TOLERANCE_MS, QUOTE_LIFE_MS, SLOT_MS
from ..listing_desk import ListingDesk
from ..me import Me
from ..moment import Moment
from ..notices import notice
from ..record import Record
from .availability import latest_end, offerable
from .calendar import Calendar
from .charging import ChargingDesk
from .cost import cost_of_cancelling, extends
from .extension import is_extension
from .kept import Booking
from .ledger import Ledger
from .quotes import QuoteMaker
from .records import Accept, Amend, Change, DeclineReason, EquipmentFault, Offer, Quote, Refuse
from .rules import AskPerson, Load, No, Standing, Take, judge, quotable
from .state import BookingState
from .table import Reservation, Session
from .wire import AskQuote, Failed, QuoteGiven, write

_NOT_OFFERABLE = No("not-offerable", "this time can't be had any more")
_MINUTE_MS = 60_000
_OFFER_LIFE_MS = 24 * 3600 * 1000
_REASON = {
    "quote-expired": DeclineReason.QUOTE_EXPIRED,
    "unpaid-receipt": DeclineReason.UNPAID_RECEIPT,
    "not-offerable": DeclineReason.NOT_OFFERABLE,
}


def can_change(state: BookingState) -> bool:
    """Whether other terms can still come into force."""
    open_ = state.reservation in (Reservation.PENDING, Reservation.RESERVED, Reservation.FULFILLED)
    return open_ and state.session is not Session.COMPLETED and state.receipt is None


class HostChanges:
    """Changes of bookings at this node's own chargers. `load`: of a driver from an address block at an
    instant, one booking left out."""

    def __init__(
        self,
        me: Me,
        ledger: Ledger,
        listings: ListingDesk,
        calendar: Calendar,
        charging: ChargingDesk,
        quotes: QuoteMaker,
        standing: Callable[[bytes, int], Standing],
        load: Callable[[bytes, str, int, bytes | None], Load],
    ) -> None:
        self._me = me
        self._ledger = ledger
        self._listings = listings
        self._calendar = calendar
        self._charging = charging
        self._quotes = quotes
        self._standing = standing
        self._load = load

    # --- what a driver's node asks --------------------------------------------------------------

    def quote(self, ask: AskQuote, at: Moment) -> list[Effect]:
        """What a change of that booking would cost; for a longer one at the latest end that can be had."""
        booking = None if ask.booking is None else self._ledger.get(ask.booking)
        settings = self._listings.settings(ask.charger)
        if booking is None or settings is None or not _is_ours(booking, ask.charger):
            return [_failed(_NOT_OFFERABLE)]
        state = booking.state(at.now)
        if ask.end <= ask.start:
            return [_failed(No("duration", "the end must be after the start"))]
        blocked = self._standing(booking.driver, at.now).blocked
        if blocked or not can_change(state) or at.now >= state.quote.end:
            return [_failed(_NOT_OFFERABLE)]
        if is_extension(state.quote, ask.start, ask.end):
            end = self._latest_end(booking, settings, state.quote, ask.end) if not settings.paused else None
            if end is None:
                return [_failed(_NOT_OFFERABLE)]
            ask = replace(ask, end=end)
        elif state.tickets:
            return [_failed(_NOT_OFFERABLE)]
        else:
            refusal = quotable(settings, ask.start, ask.end, at.now)
            if refusal is None and not self._is_free(booking, settings, ask.start, ask.end, at.now):
                refusal = _NOT_OFFERABLE
            if refusal is not None:
                return [_failed(refusal)]
        try:
            record = self._price(booking, settings, ask, at, at.now + QUOTE_LIFE_MS)
        except ValueError as error:
            return [_failed(No("unpriceable", str(error)))]
        return [Reply(write(QuoteGiven(quote=record.raw, bundle=self._me.bundle)))]

    # --- what the host's person does ------------------------------------------------------------

    def offer(self, booking: Booking, command: OfferTerms, at: Moment) -> list[Effect]:
        """Offers the driver other terms: instead of an answer, or of what was agreed."""
        state = booking.state(at.now)
        settings = self._listings.require(booking.quote.body.charger)
        now, expires = state.quote, _offer_expires(state, at.now)
        if not can_change(state) or expires < at.now + _MINUTE_MS:
            raise _nothing_to_change(state)
        start, end = command.start or now.start, command.end or now.end
        if command.start is not None and command.end is None:
            end = start + now.end - now.start
        _require_offer_fits(state, start, end, at.now)
        if not self._calendar.free(settings.charger, start, end, but=booking.id):
            raise PersonError("slot-taken", "Somebody else has that time.", "Offer another.")
        if not booking.set.has_room_for_change(True) or not self._ledger.has_room(booking):
            raise PersonError("too-many-changes", "No more offers fit into this booking.", "Call them.")
        energy = now.energy_wh if command.energy_wh is None else command.energy_wh
        ask = AskQuote(charger=settings.charger, start=start, end=end, energy_wh=energy)
        try:
            quote = self._price(booking, settings, ask, at, expires)
        except ValueError as error:
            raise PersonError("unpriceable", f"It has no price: {error}.", "Offer another time.") from error
        _, effects = self._write(booking, Offer, at, quote=quote.raw, text=command.text)
        return [*effects, Result({"booking": booking.id.hex(), "offer": booking.state(at.now).head.hex()})]

    def decide(self, booking: Booking, state: BookingState, accept: bool, at: Moment) -> list[Effect]:
        """A person answers the open change; there is one."""
        if state.change is None or state.wanted is None:
            raise AssertionError("there is no change to decide about")
        told = {"booking": booking.id.hex(), "change": state.change.id.hex()}
        if not accept:
            effects = self._refuse(booking, state.change, DeclineReason.HOST_DECLINED, at)
            return [*effects, Result({**told, "reservation": state.reservation.name})]
        settings = self._listings.require(booking.quote.body.charger)
        quote = state.wanted
        if not can_change(state) or at.now >= quote.end:
            raise _nothing_to_change(state)
        if not self._calendar.free(settings.charger, quote.start, quote.end, but=booking.id):
            raise PersonError(
                "slot-taken",
                "Somebody else has that time by now.",
                "Refuse it with `chargemesh booking decline`.",
            )
        effects = self._agree(booking, state, settings, at)
        return [*effects, Result({**told, "reservation": booking.state(at.now).reservation.name})]

    def fault(self, booking: Booking, command: SayFault, at: Moment) -> list[Effect]:
        """The host says that its equipment fails this driver."""
        state = booking.state(at.now)
        if state.reservation is not Reservation.RESERVED:
            raise PersonError(
                "not-reserved",
                f"This booking is {state.reservation.name}: a fault changes nothing in it.",
                "Write to the driver with `chargemesh booking message`.",
            )
        effects: list[Effect] = []
        if state.equipment_fault is None:
            fields = {"problem": command.problem, "text": command.text}
            effects += self._write(booking, EquipmentFault, at, **fields)[1]
        return [*effects, Result({"booking": booking.id.hex(), "fault": command.problem.value})]

    # --- what is due ----------------------------------------------------------------------------

    def react(self, booking: Booking, at: Moment) -> list[Effect]:
        """The answer to the driver's open change, as far as the rules give it."""
        state = booking.state(at.now)
        change, quote = state.change, state.wanted
        if change is None or quote is None or not can_change(state) or not self._ledger.has_room(booking):
            return []
        settings = self._listings.settings(quote.charger)
        verdict = _NOT_OFFERABLE if settings is None else self._judge(booking, state, settings, at.now)
        if isinstance(verdict, No) or settings is None:
            reason = _REASON.get(verdict.code, DeclineReason.RULES) if isinstance(verdict, No) else None
            return self._refuse(booking, change, reason or DeclineReason.NOT_OFFERABLE, at)
        if isinstance(verdict, Take):
            return self._agree(booking, state, settings, at)
        if booking.file.asked_change == change.id:
            return []
        told = self._ledger.update(booking, asked_change=change.id)
        wanted = {"wanted_start": quote.start, "wanted_end": quote.end}
        return told + notice("booking.change_requested", booking, at, why=verdict.why, **wanted)

    def deadline(self, state: BookingState) -> int | None:
        """When an open change is refused because nobody has answered it."""
        if state.change is None or state.wanted is None or not can_change(state):
            return None
        return None if state.reservation is Reservation.PENDING else _answer_by(state)

    def accept(self, booking: Booking, settings: ChargerSettings, at: Moment) -> list[Effect]:
        """Accepts a request as it was made."""
        return self._promise(booking, settings, booking.quote.body, Accept, at, "booking.accepted")

    # --- inside ---------------------------------------------------------------------------------

    def _judge(
        self, booking: Booking, state: BookingState, settings: ChargerSettings, now: int
    ) -> Take | AskPerson | No:
        change, quote = state.change, state.wanted
        if change is None or quote is None:
            raise AssertionError("there is no change to judge")
        asked = booking.file.asked_change == change.id
        if not asked and now > quote.expires + CLOCK_TOLERANCE_MS:
            return No("quote-expired", "the quote has expired; ask for a new one")
        pending = state.reservation is Reservation.PENDING
        if now >= min(quote.end, state.quote.end) or (not pending and now >= _answer_by(state)):
            return _NOT_OFFERABLE
        longer = extends(state.quote, quote)
        if change.body.offer is not None:
            free = self._calendar.free(quote.charger, quote.start, quote.end, but=booking.id)
            return Take() if free else _NOT_OFFERABLE
        if longer:
            longest = self._latest_end(booking, settings, state.quote, quote.end)
            free = quote.end == state.quote.end or (longest == quote.end and not settings.paused)
        else:
            free = self._is_free(booking, settings, quote.start, quote.end, now)
        standing = self._standing(booking.driver, now)
        if not free or standing.blocked:
            return _NOT_OFFERABLE
        if longer and state.checked_in:
            return Take()
        load = self._load(booking.driver, booking.file.block, now, booking.id)
        # As if it were asked for now, by somebody who need not stand at the charger; and whoever asks for
        # more of a running booking does not ask for its past.
        asked_for = replace(quote, expires=max(quote.expires, now + 1))
        if longer and quote.start < now:
            asked_for = replace(asked_for, start=now, end=now + quote.end - quote.start)
        request = replace(booking.request.body, issued=change.body.issued, expires=now + 1, walk_in=None)
        verdict = judge(settings, asked_for, request, standing, load, free, now)
        dear = not longer and not standing.known and cost_of_cancelling(state, now) > 0
        if isinstance(verdict, Take) and dear:
            return AskPerson("they move when leaving would cost them something")
        return verdict

    def _is_free(self, booking: Booking, settings: ChargerSettings, start: int, end: int, now: int) -> bool:
        listed = self._listings.listing(settings.charger) is not None
        return listed and offerable(settings, self._calendar, start, end, now, but=booking.id)

    def _latest_end(self, booking: Booking, settings: ChargerSettings, now: Quote, end: int) -> int | None:
        """The latest end up to `end` that can be had, and is later than now."""
        end = min(end, now.start + _longest(booking, settings) * _MINUTE_MS)
        if end <= now.end:
            return None
        return latest_end(settings, self._calendar, now.start, now.end, end, booking.id)

    def _price(
        self, booking: Booking, settings: ChargerSettings, ask: AskQuote, at: Moment, expires: int
    ) -> Record[Quote]:
        listing = self._listings.listing(settings.charger)
        first, now = booking.quote.body, booking.state(at.now).quote
        source = first.listing if listing is None else listing.id
        return self._quotes.make_again(ask, settings, source, first, now, at, expires)

    def _agree(
        self, booking: Booking, state: BookingState, settings: ChargerSettings, at: Moment
    ) -> list[Effect]:
        """Puts the open change in force."""
        if state.change is None or state.wanted is None:
            raise AssertionError("there is no change to agree to")
        pending = state.reservation is Reservation.PENDING
        cls, name = (Accept, "booking.accepted") if pending else (Amend, "booking.changed")
        return self._promise(booking, settings, state.wanted, cls, at, name, change=state.change.id)

    def _promise(
        self,
        booking: Booking,
        settings: ChargerSettings,
        quote: Quote,
        cls: type[Any],
        at: Moment,
        name: str,
        **fields: Any,
    ) -> list[Effect]:
        """Takes the slot of `quote` in the calendar, in the place of the one before, and signs it."""
        slot = HoldSlot(settings.charger, booking.id, quote.start, quote.end)
        before: list[Effect] = [ReleaseSlot(booking.id)] if self._calendar.release(booking.id) else []
        self._calendar.hold(slot)
        _, effects = self._write(booking, cls, at, access_due=_access_due(quote, at.now), **fields)
        return [
            *before,
            slot,
            *effects,
            *self._charging.changed(booking, at),
            *self._listings.publish(settings.charger, at.now),
            *notice(name, booking, at),
        ]

    def _refuse(
        self, booking: Booking, change: Record[Change], reason: DeclineReason, at: Moment
    ) -> list[Effect]:
        return self._write(booking, Refuse, at, change=change.id, reason=reason)[1]

    def _write(
        self, booking: Booking, cls: type[Any], at: Moment, **fields: Any
    ) -> tuple[Record[Any], list[Effect]]:
        return self._ledger.write(booking, cls(**booking.set.host_fields(at.now), **fields))


def _access_due(quote: Quote, now: int) -> int:
    """When the address is sent at the latest (specs/12)."""
    free_until = min(quote.terms.free_until(quote.start), quote.start)
    return max(now, quote.start - quote.access_lead_minutes * _MINUTE_MS, free_until)


def _answer_by(state: BookingState) -> int:
    """Until when a change of an accepted booking waits for a person: until either time begins, a quarter of
    an hour at least, and no longer than the booking lasts."""
    if state.change is None or state.wanted is None:
        raise AssertionError("nobody has asked for anything")
    begins = min(state.quote.start, state.wanted.start)
    return min(max(begins, state.change.body.issued + SLOT_MS), state.quote.end)


def _offer_expires(state: BookingState, now: int) -> int:
    """An offer stands a day, and no longer than it can be taken."""
    if state.reservation is Reservation.PENDING:
        return min(state.request.expires, now + _OFFER_LIFE_MS)
    until = state.quote.start if now < state.quote.start else state.quote.end
    return min(until, now + _OFFER_LIFE_MS)


def _require_offer_fits(state: BookingState, start: int, end: int, now: int) -> None:
    if end <= start or end <= now:
        raise PersonError("bad-time", "The end must be after the start, and to come.", "Offer another time.")
    if state.tickets and not (start == state.quote.start and end > state.quote.end):
        raise PersonError("charging", "A running charge can only be made longer.", "Offer a later end.")
    if not state.tickets and start < now - SLOT_MS and start != state.quote.start:
        raise PersonError("past", "That time has begun already.", "Offer one that is to come.")


def _longest(booking: Booking, settings: ChargerSettings) -> int:
    """Minutes that a booking of this driver may last."""
    most = settings.rules.max_minutes
    return min(most, settings.strangers.max_minutes) if booking.file.stranger else most


def _is_ours(booking: Booking, charger: bytes) -> bool:
    return booking.is_host and booking.quote.body.charger == charger


def _nothing_to_change(state: BookingState) -> PersonError:
    return PersonError(
        "not-changeable",
        f"This booking is {state.reservation.name}; its terms can't be changed any more.",
        "`chargemesh booking show` says what became of it.",
    )


def _failed(refusal: No) -> Reply:
    return Reply(write(Failed(code=refusal.code, message=refusal.message)))
