"""The host's person answers for a whole series: takes the next of it as well, or takes that back."""

from __future__ import annotations

from dataclasses import replace

from ..booking.host import HostDesk
from ..booking.kept import Booking
from ..booking.ledger import Ledger
from ..booking.rules import Take, wish_of
from ..booking.table import Reservation
from ..effects import Effect, Result
from ..errors import ExitCode, PersonError
from ..listing_desk import ListingDesk
from ..moment import Moment
from ..zones import LAST_INSTANT
from .agreed import DEFAULT_LIFE_MS
from .commands import AgreeSeries, RevokeSeries


class HostSeries:
    """Commands about series at this node's own chargers; each names one booking of the series."""

    def __init__(self, ledger: Ledger, listings: ListingDesk, host: HostDesk) -> None:
        self._ledger = ledger
        self._listings = listings
        self._host = host

    def agree(self, command: AgreeSeries, at: Moment) -> tuple[list[Booking], list[Effect]]:
        """Accepts that request, if it waits, and whatever of the series waits or comes and keeps to its
        weekday and times. The bookings that changed come first."""
        booking = self._require(command.booking)
        until = at.now + DEFAULT_LIFE_MS if command.until is None else command.until
        if not at.now < until <= LAST_INSTANT:
            raise PersonError(
                "bad-time", "That time is over.", "Name a date that is to come.", ExitCode.USAGE
            )
        request, state = booking.request.body, booking.state(at.now)
        waits = state.reservation is Reservation.PENDING
        if not waits and state.reservation not in (Reservation.RESERVED, Reservation.FULFILLED):
            raise PersonError(
                "not-pending",
                f"This booking is {state.reservation.name}: it stands for nothing that is to come.",
                "Name one of the series that waits or is booked.",
            )
        zone = self._listings.require(booking.quote.body.charger).hours.zone
        quote = state.wanted if waits and state.wanted is not None else state.quote
        agreed = self._host.series.with_times(request, quote, zone, until)
        decided = self._host.decide(booking, True, at) if waits else []
        effects: list[Effect] = [one for one in decided if not isinstance(one, Result)]
        effects += self._host.series.agree(request, agreed)
        touched = [booking]
        for one in self._waiting(booking, at.now):
            taken = self._take(one, at)
            if taken:
                touched.append(one)
                effects += taken
        accepted = [one.id.hex() for one in touched]
        return touched, [
            *effects,
            Result({"booking": booking.id.hex(), "until": until, "accepted": accepted}),
        ]

    def revoke(self, command: RevokeSeries, at: Moment) -> tuple[list[Booking], list[Effect]]:
        """Declines what of the series waits; what was accepted stands until it is cancelled."""
        booking = self._require(command.booking)
        if booking.request.body.series is None:
            raise PersonError("no-series", "This booking belongs to no series.", "Decline it alone.")
        effects = self._host.series.revoke(booking.request.body)
        declined = []
        for one in [booking, *self._waiting(booking, at.now)]:
            if one.state(at.now).reservation is Reservation.PENDING:
                declined.append(one)
                effects += self._host.decide(one, False, at)
        effects = [one for one in effects if not isinstance(one, Result)]
        said = {"booking": booking.id.hex(), "declined": [one.id.hex() for one in declined]}
        return declined, [*effects, Result(said)]

    # --- inside ---------------------------------------------------------------------------------

    def _require(self, booking_id: bytes) -> Booking:
        booking = self._ledger.require(booking_id)
        if not booking.is_host:
            raise PersonError(
                "wrong-side",
                "Only the host can answer for a series.",
                "`chargemesh series list` shows your own.",
                ExitCode.NOT_ALLOWED,
            )
        return booking

    def _waiting(self, booking: Booking, now: int) -> list[Booking]:
        """The other requests of the series that nobody has answered."""
        series = booking.request.body.series
        return [
            one
            for one in self._ledger.awake()
            if one.is_host
            and one is not booking
            and one.driver == booking.driver
            and one.request.body.series == series
            and one.state(now).reservation is Reservation.PENDING
        ]

    def _take(self, booking: Booking, at: Moment) -> list[Effect]:
        """Accepts a request that is covered now, if the rules and the calendar take it."""
        request, quote = booking.request.body, booking.state(at.now).quote
        settings = self._listings.settings(quote.charger)
        if settings is None or not self._host.series.covers(request, quote, at.now):
            return []
        wish = replace(wish_of(quote, request), agreed=True)
        block, asked = booking.file.block, request.issued
        verdict = self._host.weigh(settings, wish, booking.driver, block, at.now, but=booking.id, asked=asked)
        return self._host.changes.accept(booking, settings, at) if isinstance(verdict, Take) else []
