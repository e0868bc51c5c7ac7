"""The driver's signatures under readings and receipts: by itself what follows from what its person agreed to,
and by the person's word what goes beyond."""

from __future__ import annotations

from typing import Any

from ..effects import Effect, Result
from ..errors import ExitCode, PersonError
from ..events import AgreeReceipt, ConfirmReading
from ..moment import Moment
from ..notices import notice
from ..record import Record
from ..units import format_energy
from .kept import Booking
from .ledger import Ledger
from .objections import (
    objections,
    reading_to_confirm,
    same_reading,
    ticket_faults,
    ticket_to_countersign,
)
from .records import Agreement, Countersign, Ticket
from .table import Settlement

_MAX_AGREEMENTS = 16  # a host corrects a receipt now and then; more must not fill our side of the booking


class Consent:
    """Countersigns and agrees, for bookings of this node's person at other people's chargers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # --- the person's word ----------------------------------------------------------------------

    def confirm(self, booking: Booking, command: ConfirmReading, at: Moment) -> list[Effect]:
        """Countersigns the newest ticket, which the person was shown and reads alike on the meter."""
        state = booking.as_signed(booking.state(at.now))
        shown = next((one for one in state.tickets if one.id == command.ticket), None)
        if shown is None:
            raise PersonError(
                "no-such-reading",
                "This booking has no such reading.",
                "`chargemesh booking show` tells what is waited for.",
                ExitCode.NOT_FOUND,
            )
        newest, effects = state.tickets[-1], list[Effect]()
        if shown.id != newest.id:
            register = format_energy(newest.body.register_wh)
            raise PersonError("newer-reading", f"A newer reading has come: {register}.", "Confirm that one.")
        if command.register_wh is not None:
            _require_same(booking, newest.body, command.register_wh)
        if state.countersigned < len(state.tickets):
            if reading_to_confirm(state) is None:
                raise PersonError(
                    "not-by-hand",
                    "The wallbox reads this meter itself: your node signs what you agreed to.",
                    "What goes beyond can be agreed to with the receipt.",
                )
            if wrong := ticket_faults(state):
                raise PersonError(
                    "wrong-ticket",
                    f"The host's node reckons otherwise than yours: {'; '.join(wrong)}. Nothing was signed.",
                    "Tell the host with `chargemesh booking message`.",
                )
            effects += self._write(booking, Countersign, at, ticket=newest.id)
        told = {"booking": booking.id.hex(), "ticket": newest.id.hex(), "energy_wh": newest.body.energy_wh}
        return [*effects, Result({**told, "register_wh": newest.body.register_wh})]

    def agree(self, booking: Booking, command: AgreeReceipt, at: Moment) -> list[Effect]:
        """Agrees with the receipt that the person was shown, whatever the node has against it."""
        state = booking.as_signed(booking.state(at.now))
        receipt = state.receipt
        if receipt is None:
            raise PersonError(
                "no-receipt", "There is no receipt to agree with yet.", "`chargemesh booking show` says why."
            )
        if receipt.id != command.receipt:
            raise PersonError(
                "newer-receipt", "The host has written another receipt.", "Look at that one first."
            )
        effects: list[Effect] = []
        if state.agreed is None or state.settlement is Settlement.DISPUTED:
            effects += self._write(booking, Agreement, at, receipt=receipt.id)
        return [*effects, Result({"booking": booking.id.hex(), "receipt": receipt.id.hex()})]

    # --- by itself ------------------------------------------------------------------------------

    def heard(self, booking: Booking, ticket: Record[Ticket], at: Moment) -> list[Effect]:
        """Tells the person of a reading that the host's person made, and that theirs is waited for."""
        body = ticket.body
        facts = {"register_wh": body.register_wh, "energy_wh": body.energy_wh, "cost": body.cost}
        return notice("charging.reading", booking, at, ticket=ticket.id.hex(), **facts)

    def react(self, booking: Booking, at: Moment) -> list[Effect]:
        """Countersigns the newest ticket and agrees with a right receipt; says why not, once a receipt."""
        state = booking.as_signed(booking.state(at.now))
        effects: list[Effect] = []
        ticket = ticket_to_countersign(state)
        if ticket is not None and self._ledger.has_room(booking):
            effects += self._write(booking, Countersign, at, ticket=ticket.id)
            state = booking.as_signed(booking.state(at.now))
        if state.receipt is None or state.agreed is not None:
            return effects
        wrong, receipt = objections(state), state.receipt.id
        if wrong and booking.file.told_receipt != receipt:
            effects += self._ledger.update(booking, told_receipt=receipt)
            effects += notice("receipt.wrong", booking, at, differences=list(wrong))
        waits = bool(wrong) or reading_to_confirm(state) is not None
        if not waits and len(booking.own(Agreement)) < _MAX_AGREEMENTS:
            effects += self._write(booking, Agreement, at, receipt=receipt)
        return effects

    def _write(self, booking: Booking, cls: type[Any], at: Moment, **fields: Any) -> list[Effect]:
        return self._ledger.write(booking, cls(**booking.set.driver_fields(at.now), **fields))[1]


def _require_same(booking: Booking, ticket: Ticket, mine_wh: int) -> None:
    if same_reading(mine_wh, ticket.register_wh):
        return
    mine, theirs = format_energy(mine_wh), format_energy(ticket.register_wh)
    apart = format_energy(abs(mine_wh - ticket.register_wh))
    message = f"chargemesh booking message {booking.id.hex()[:8]}"
    raise PersonError(
        "reading-differs",
        f"You read {mine} and the host {theirs}: {apart} apart. Nothing was signed.",
        f'Look again, or tell the host, who can type a newer reading: `{message} "I read {mine}."`.',
    )
