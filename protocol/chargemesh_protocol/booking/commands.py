"""What a person asks of one booking, given to the desk that does it; each side has commands of its own."""

from __future__ import annotations

from typing import Any

from ..effects import Effect, Result
from ..errors import ExitCode, PersonError
from ..events import (
    AgreeReceipt,
    CancelBooking,
    ChangeBooking,
    ClaimPaid,
    ConfirmPaid,
    ConfirmReading,
    Decide,
    OfferTerms,
    ReportProblem,
    SayFault,
    StartCharging,
    StopCharging,
    WriteMessage,
    WriteReview,
)
from ..moment import Moment
from ..trust.desk import TrustDesk
from ..trust.entries import Stars
from .driver import DriverDesk
from .host import HostDesk
from .kept import Booking, KeptMessage
from .ledger import Ledger


class BookingCommands:
    """PersonError for a command that can't be done, before anything is changed."""

    def __init__(self, ledger: Ledger, host: HostDesk, driver: DriverDesk, trust: TrustDesk) -> None:
        self._ledger = ledger
        self._host = host
        self._driver = driver
        self._trust = trust

    def do(self, command: Any, booking: Booking, at: Moment) -> list[Effect]:
        """What the command leads to, a Result among it."""
        _require_compared(booking)
        match command:
            case Decide(accept=accept, offer=offer):
                if not booking.is_host:
                    return self._driver.changes.decide(booking, accept, offer, at)
                return self._host.decide(booking, accept, at)
            case OfferTerms():
                _require_side(booking, host=True)
                return self._host.changes.offer(booking, command, at)
            case SayFault():
                _require_side(booking, host=True)
                return self._host.changes.fault(booking, command, at)
            case ChangeBooking():
                _require_side(booking, host=False)
                return self._driver.changes.change(booking, command, at)
            case ConfirmPaid():
                _require_side(booking, host=True)
                return self._host.confirm_paid(booking, at)
            case StartCharging():
                _require_side(booking, host=False)
                return self._driver.start(booking, command, at)
            case StopCharging():
                _require_side(booking, host=False)
                return self._driver.stop(booking, at)
            case ConfirmReading():
                _require_side(booking, host=False)
                return self._driver.consent.confirm(booking, command, at)
            case AgreeReceipt():
                _require_side(booking, host=False)
                return self._driver.consent.agree(booking, command, at)
            case ReportProblem():
                _require_side(booking, host=False)
                return self._driver.report(booking, command, at)
            case ClaimPaid():
                _require_side(booking, host=False)
                return self._driver.claim_paid(booking, command, at)
            case CancelBooking(reason=reason):
                if booking.is_host:
                    return self._host.cancel(booking, reason, at)
                return self._driver.cancel(booking, command, at)
            case WriteMessage(text=text):
                return self._write_message(booking, text, at)
            case WriteReview():
                return self._write_review(booking, command, at)
            case _:
                raise AssertionError(f"no machine for {type(command).__name__}")

    def _write_message(self, booking: Booking, text: str, at: Moment) -> list[Effect]:
        if not booking.file.secret:
            raise PersonError(
                "keys-gone",
                "This booking ended more than a week ago; its keys are deleted.",
                "Reach them another way.",
            )
        if not text.strip():
            raise PersonError("empty", "An empty message can't be sent.", "Write a text.", ExitCode.USAGE)
        if not self._ledger.may_message(booking):
            raise PersonError("too-many-messages", "No more messages fit into this booking.", "Call them.")
        kept = KeptMessage(ours=True, sent=at.now, text=text)
        return [
            *self._ledger.add_message(booking, kept),
            Result({"booking": booking.id.hex(), "sent": at.now}),
        ]

    def _write_review(self, booking: Booking, command: WriteReview, at: Moment) -> list[Effect]:
        receipt = booking.agreed_receipt(at.now)
        stars = Stars(overall=command.stars)
        told = self._trust.write_review(booking, receipt, stars, command.text, at)
        return [*told, Result({"booking": booking.id.hex(), "stars": command.stars})]


def _require_compared(booking: Booking) -> None:
    if booking.file.restored:
        raise PersonError(
            "restored-booking",
            "This booking comes from a backup and was not yet compared with the other side's.",
            "Wait until their node was reached; if it holds more, settle it in person.",
        )


def _require_side(booking: Booking, *, host: bool) -> None:
    if booking.is_host != host:
        side = "host" if host else "driver"
        raise PersonError(
            "wrong-side",
            f"Only the {side} of a booking can do that.",
            "`chargemesh bookings` says which side of each is yours.",
            ExitCode.NOT_ALLOWED,
        )
