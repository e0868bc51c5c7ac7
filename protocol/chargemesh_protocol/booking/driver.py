"""The driver's side of bookings: taking a quote, checking in, and what each booking asks of the driver next.

What it signs of tickets and receipts, by itself or by its person's word, is in `consent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..effects import Effect, Result, Tell
from ..errors import PersonError, Refused
from ..events import Book, CancelBooking, ClaimPaid, ReportProblem, StartCharging
from ..identity import Directory, Scope
from ..limits import CLOCK_TOLERANCE_MS
from ..listing_desk import ListingDesk
from ..me import Me
from ..moment import Moment
from ..money import format_total
from ..notices import news, notice
from ..record import Record, open_as
from .check_in import after_what_waits, waiting_check_in
from .consent import Consent
from .cost import cost_if_acknowledged, cost_of_cancelling
from .driver_access import DriverAccess
from .driver_changes import DriverChanges
from .kept import Booking, BookingFile, Role
from .ledger import Ledger, learn_bundle
from .records import (
    Access,
    Authorisation,
    Cancel,
    Claim,
    Problem,
    Quote,
    Receipt,
    Request,
    Stop,
    Ticket,
)
from .sealing import AccessRecord, one_time_keypair, require_key
from .state import BookingState
from .table import Reservation, Session, Settlement
from .walk_in import walk_in_proof

_LIVE = (Reservation.RESERVED, Reservation.FULFILLED)


class DriverDesk:
    """Bookings of this node's person at other people's chargers."""

    def __init__(
        self,
        me: Me,
        directory: Directory,
        ledger: Ledger,
        listings: ListingDesk,
        documents: Mapping[str, Mapping[bytes, bytes]],
    ) -> None:
        self._me = me
        self._directory = directory
        self._ledger = ledger
        self.consent = Consent(ledger)
        self.changes = DriverChanges(me, directory, ledger)
        self._listings = listings  # for our own contact, which requests name
        self.addresses = DriverAccess(me, directory, documents)

    # --- commands -------------------------------------------------------------------------------

    def book(self, command: Book, at: Moment) -> tuple[Booking, list[Effect]]:
        """Takes a quote: signs the request, to be sent until the host answers or it expires."""
        bundle, learned = learn_bundle(self._directory, command.host_bundle)
        quote = open_as(Quote, command.quote, self._me.network)
        if quote.body.author != bundle.author:
            raise Refused("mismatch", "the bundle is not the host's")
        self._directory.authorise(quote, bundle.author, Scope.LIST)
        require_key(quote.body.one_time_key)
        if bundle.author == self._me.author:
            raise PersonError(
                "own-charger", "This is your own charger.", "Just plug in: you need no booking."
            )
        if at.now > quote.body.expires:
            raise PersonError(
                "quote-expired",
                "The quote has expired.",
                "Ask for a new one with `chargemesh quote`. If that has expired as well, one of the two "
                "clocks is wrong: `chargemesh doctor` compares them.",
            )
        public, secret = one_time_keypair(at.fresh("request-key"))
        request = self._me.sign(
            Request(
                author=self._me.author,
                issued=at.now,
                quote=quote.id,
                one_time_key=public,
                contact=self._listings.contact,
                expires=min(at.now + command.wait_ms, quote.body.end),
                vehicle=command.vehicle,
                plug=command.plug,
                series=command.series,
                walk_in=(
                    None
                    if command.walk_in is None
                    else walk_in_proof(command.walk_in, quote.id, self._me.author)
                ),
            )
        )
        booking, opened = self._ledger.open(
            BookingFile(
                role=Role.DRIVER,
                quote=quote.raw,
                request=request.raw,
                secret=secret,
                peer=command.to,
                region=command.region,
                title=command.title,
                zone=command.zone,
            )
        )
        return booking, [*learned, *opened, Result({"booking": booking.id.hex()})]

    def cancel(self, booking: Booking, command: CancelBooking, at: Moment) -> list[Effect]:
        """Takes effect alone; the result says what it costs if the host hears of it in time."""
        state = booking.state(at.now)
        if booking.file.refused or state.reservation not in (Reservation.PENDING, Reservation.RESERVED):
            raise _over("not-cancellable", booking, state, "cancel")
        if state.session is not Session.PENDING:
            raise PersonError("charging", "Charging has begun.", "Use `chargemesh charge stop` instead.")
        costs = cost_of_cancelling(booking.as_signed(state), at.now, command.reason)
        if command.at_most is not None and costs > command.at_most:
            price = format_total(costs, state.quote.plan.currency)
            raise PersonError(
                "costs-more",
                f"By now cancelling costs {price}. Nothing was signed.",
                "Cancel once more to agree to that.",
            )
        _, effects = self._write(booking, Cancel, reason=command.reason, at=at)
        cost = cost_if_acknowledged(booking.as_signed(booking.state(at.now)))
        return [*effects, Result({"booking": booking.id.hex(), "reservation": "CANCELED", "cost": cost})]

    def start(self, booking: Booking, command: StartCharging, at: Moment) -> list[Effect]:
        """Checks in: authorises up to the given bounds, by default the quote's energy and its cap."""
        state = booking.state(at.now)
        quote = state.quote
        if state.reservation not in _LIVE or state.session is Session.COMPLETED:
            raise _over("not-reserved", booking, state, "start")
        if at.now < quote.start - CLOCK_TOLERANCE_MS:
            raise PersonError("too-early", "The booked time has not begun.", "Start when it begins.")
        if at.now >= quote.end:
            raise PersonError("too-late", "The booked time is over.", "Book again with `chargemesh book`.")
        energy = command.energy_wh if command.energy_wh is not None else max(quote.energy_wh, 1)
        cost = command.cost if command.cost is not None else quote.cap
        _, effects = self._write_in_turn(booking, Authorisation, energy_wh=energy, cost=cost, at=at)
        return [*effects, Result({"booking": booking.id.hex(), "energy_wh": energy, "cost": cost})]

    def stop(self, booking: Booking, at: Moment) -> list[Effect]:
        """Asks the host to end charging, or not to begin: also where the check-in has not reached it yet.

        What is drawn later the driver has not signed for; its node lets OVERSHOOT_WH pass (`cost.tolerated`).
        """
        state = booking.state(at.now)
        waiting = waiting_check_in(state, booking.mine)
        if not state.checked_in and waiting is None:
            raise PersonError(
                "not-started", "Nothing has been started here.", "`chargemesh charge start` begins it."
            )
        if state.reservation not in _LIVE or state.session is Session.COMPLETED:
            raise PersonError(
                "over", "Charging is over in this booking.", "`chargemesh receipt` shows what it cost."
            )
        stopped_at = state.stopped_at if waiting is None else waiting.stopped_at
        if stopped_at is not None:
            return [Result({"booking": booking.id.hex(), "stopped": True})]
        _, effects = self._write_in_turn(booking, Stop, at=at)
        return [*effects, Result({"booking": booking.id.hex(), "stopped": True})]

    def report(self, booking: Booking, command: ReportProblem, at: Moment) -> list[Effect]:
        """Signs what is wrong at the plug, or with a receipt, which it disputes."""
        state = booking.state(at.now)
        if state.reservation not in _LIVE:
            raise PersonError(
                "not-reserved",
                f"This booking is {state.reservation.name}: a problem can't be reported.",
                "Write to the host with `chargemesh booking message`.",
            )
        _, effects = self._write(booking, Problem, problem=command.problem, text=command.text, at=at)
        return [*effects, Result({"booking": booking.id.hex(), "problem": command.problem.value})]

    def claim_paid(self, booking: Booking, command: ClaimPaid, at: Moment) -> list[Effect]:
        """Tells the host that the money is on its way; only the host's word settles it."""
        state = booking.state(at.now)
        if state.receipt is None:
            raise PersonError(
                "no-receipt", "There is no receipt to pay yet.", "`chargemesh booking show` says why."
            )
        if state.settlement is Settlement.PAID:
            return [Result({"booking": booking.id.hex(), "settlement": "PAID"})]
        _, effects = self._write(
            booking, Claim, receipt=state.receipt.id, rail=command.rail, reference=command.reference, at=at
        )
        return [*effects, Result({"booking": booking.id.hex(), "settlement": "CLAIMED"})]

    def access(self, booking: Booking) -> AccessRecord | None:
        """Where the plug is, once the host has told us and until it is deleted."""
        return self.addresses.record(booking)

    # --- what is due ----------------------------------------------------------------------------

    def took(self, booking: Booking, fresh: list[Record[Any]], at: Moment) -> list[Effect]:
        """What new host records mean beyond the state: the access record is opened, the person told."""
        effects: list[Effect] = []
        for record in fresh:
            match record.body:
                case Access(sealed=sealed):
                    effects += self.addresses.opened(booking, sealed, at)
                case Receipt(total=total):
                    effects += notice("receipt.received", booking, at, total=total)
                case Ticket(by_hand=True):
                    effects += self.consent.heard(booking, record, at)
                case _:
                    told = news(booking, record, at)
                    effects += told or [Tell(f"booking.{record.kind}", {"booking": booking.id.hex()})]
        return effects

    def react(self, booking: Booking, at: Moment) -> list[Effect]:
        """Signs what follows from what the person agreed to, and notes what is asked for."""
        self.addresses.react(booking, at)
        return self.consent.react(booking, at)

    # --- inside ---------------------------------------------------------------------------------

    def _write(
        self, booking: Booking, cls: type[Any], at: Moment, **fields: Any
    ) -> tuple[Record[Any], list[Effect]]:
        return self._ledger.write(booking, cls(**booking.set.driver_fields(at.now), **fields))

    def _write_in_turn(
        self, booking: Booking, cls: type[Any], at: Moment, **fields: Any
    ) -> tuple[Record[Any], list[Effect]]:
        """Likewise, dated after the check-ins and stops that wait with it."""
        issued = after_what_waits(booking.state(at.now), booking.mine, at.now)
        record = cls(**booking.set.driver_fields(at.now), **fields)
        return self._ledger.write(booking, replace(record, issued=issued))


def _over(code: str, booking: Booking, state: BookingState, what: str) -> PersonError:
    """Why a booking in this state can't be started or cancelled."""
    became = "was refused" if booking.file.refused else f"is {state.reservation.name}"
    return PersonError(
        code,
        f"This booking {became}; there is nothing to {what}.",
        "`chargemesh booking show` says what became of it, `chargemesh bookings` lists the others.",
    )
