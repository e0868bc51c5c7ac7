"""The driver's side of other terms: asking for them, taking what the host offers, letting it pass."""

from __future__ import annotations

from typing import Any

from ..effects import Effect, Result
from ..errors import PersonError, Refused
from ..events import ChangeBooking
from ..identity import Directory, Scope
from ..limits import CLOCK_TOLERANCE_MS
from ..me import Me
from ..moment import Moment
from ..record import Record, open_as
from .changes import can_change
from .extension import keeps_price
from .kept import Booking, KeptMessage
from .ledger import Ledger
from .records import Cancel, CancelReason, Change, Offer, Quote
from .state import BookingState
from .table import Reservation

_PASSED = "I can't take your offer: please let the booking stay as it is."


class DriverChanges:
    """Changes of this node's person's bookings at other people's chargers."""

    def __init__(self, me: Me, directory: Directory, ledger: Ledger) -> None:
        self._me = me
        self._directory = directory
        self._ledger = ledger

    def change(self, booking: Booking, command: ChangeBooking, at: Moment) -> list[Effect]:
        """Asks for the terms of a quote that the host has given for this booking. Refused for a quote that is
        not its host's to give."""
        quote = open_as(Quote, command.quote, self._me.network)
        self._directory.authorise(quote, booking.host, Scope.LIST)
        state = booking.state(at.now)
        first = booking.quote.body
        if (quote.body.charger, quote.body.one_time_key) != (first.charger, first.one_time_key):
            raise Refused("mismatch", "the quote was not made for this booking")
        if at.now > quote.body.expires:
            raise PersonError("quote-expired", "The quote has expired.", "Ask for a new one.")
        self._require_fits(booking, state, quote.body)
        record, effects = self._write(booking, Change, at, quote=quote.raw)
        return [*effects, Result({"booking": booking.id.hex(), "change": record.id.hex()})]

    def decide(self, booking: Booking, accept: bool, shown: bytes | None, at: Moment) -> list[Effect]:
        """Takes the offer that stands, or lets it pass; `shown`: the one that the person was shown."""
        state = booking.state(at.now)
        offer, quote = state.offer, state.offered
        if offer is None or quote is None or offer.id == booking.file.passed_offer:
            raise PersonError(
                "no-offer",
                "The host has made no offer that waits for you.",
                "`chargemesh booking show` says how things stand.",
            )
        if shown is not None and offer.id != shown:
            raise PersonError("newer-offer", "The host has made another offer.", "Look at that one first.")
        if not accept:
            return self._let_pass(booking, state, offer, at)
        if at.now > quote.expires + CLOCK_TOLERANCE_MS:
            raise PersonError(
                "offer-expired", "The host's offer stands no longer.", "Ask with `chargemesh booking change`."
            )
        self._require_fits(booking, state, quote)
        record, effects = self._write(booking, Change, at, quote=offer.body.quote, offer=offer.id)
        return [*effects, Result({"booking": booking.id.hex(), "change": record.id.hex()})]

    def _let_pass(
        self, booking: Booking, state: BookingState, offer: Record[Offer], at: Moment
    ) -> list[Effect]:
        """A counter-offer is the host's answer to a request: to let it pass is to take that back, which costs
        nothing. Else all stays as it was, and the host is told so."""
        if state.reservation is Reservation.PENDING:
            effects = self._write(booking, Cancel, at, reason=CancelReason.DRIVER_CANCELED)[1]
        else:
            effects = self._ledger.update(booking, passed_offer=offer.id)
            if self._ledger.may_message(booking):
                effects += self._ledger.add_message(
                    booking, KeptMessage(ours=True, sent=at.now, text=_PASSED)
                )
        reservation = booking.state(at.now).reservation
        return [*effects, Result({"booking": booking.id.hex(), "reservation": reservation.name})]

    def _require_fits(self, booking: Booking, state: BookingState, quote: Quote) -> None:
        if booking.file.refused or not can_change(state):
            raise PersonError(
                "not-changeable",
                f"This booking is {state.reservation.name}; its terms can't be changed any more.",
                "`chargemesh booking show` says what became of it.",
            )
        if state.tickets and not keeps_price(state.quote, quote):
            raise PersonError(
                "other-price",
                "The host's node asks another price for what you have drawn already. Nothing was signed.",
                "Tell the host with `chargemesh booking message`, or stop when the booked time ends.",
            )
        if not booking.set.has_room_for_change(False) or not self._ledger.has_room(booking):
            raise PersonError("too-many-changes", "No more changes fit into this booking.", "Call the host.")

    def _write(
        self, booking: Booking, cls: type[Any], at: Moment, **fields: Any
    ) -> tuple[Record[Any], list[Effect]]:
        return self._ledger.write(booking, cls(**booking.set.driver_fields(at.now), **fields))
