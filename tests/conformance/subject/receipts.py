"""Operations on receipts: what a host writes, and what a driver's node signs by itself (11-charging.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.booking.cost import charge_due, signed_for
from chargemesh_protocol.booking.objections import (
    as_signed,
    objections,
    reading_to_confirm,
    same_reading,
    ticket_faults,
    ticket_to_countersign,
)
from chargemesh_protocol.booking.receipt import Reckoning, reckon_charge, reckon_session
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.record import open_record

from ..fields import to_json
from ..values import number
from .bookings import booking_of

# How the objections of our node begin, and what they are called here.
_NAMES = {"there is no meter ticket": "no-ticket", "energy": "beyond-energy", "cost": "beyond-cost"}


def _state(given: dict[str, Any], *, by_driver: bool = True) -> BookingState:
    """As the driver knows it, who counts as signed what the host has yet to include; or as both do."""
    booking = booking_of(given)
    for raw in given["records"]:
        booking.add(open_record(bytes.fromhex(raw), given["network"]))
    return as_signed(booking.state(given["as_of"]), booking.driver_records if by_driver else ())


def written(given: dict[str, Any]) -> dict[str, Any]:
    state = _state(given, by_driver=False)
    charge = charge_due(state)
    if charge is not None:
        return _fields(reckon_charge(state.quote, *charge), 0, state)
    if not state.tickets:
        return {}
    own = reckon_session(state.quote, [one.body for one in state.tickets])
    return _fields(own, max(0, own.energy_wh - signed_for(state).energy_wh), state)


def _fields(own: Reckoning, beyond_wh: int, state: BookingState) -> dict[str, Any]:
    optional = {
        "beyond_authorisation_wh": beyond_wh,
        "adjustment": own.adjustment,
        "tax": own.tax,
        "rounding": own.rounding,
    }
    return {
        "started": own.started,
        "ended": own.ended,
        "energy_wh": own.energy_wh,
        "currency": state.quote.plan.currency,
        "lines": [to_json(one) for one in own.lines],
        "total": number(own.total),
        **{name: number(value) for name, value in optional.items() if value},
    }


def judged(given: dict[str, Any]) -> dict[str, Any]:
    state = _state(given)
    waits = reading_to_confirm(state) is not None
    signs = ticket_to_countersign(state) is not None
    out: dict[str, Any] = {"countersign": signs, "confirm": waits}
    if state.receipt is not None:
        found = {_name(one) for one in objections(state)}
        out |= {"objections": sorted(found), "agree": not found and not waits and state.agreed is None}
    return out


def _name(objection: str) -> str:
    """The field that differs, `lines` for all that stands in them, or why the total is not agreed to."""
    what = objection.split(":")[0]
    by_field = " on the receipt, " in objection
    if by_field:
        return "lines" if what.startswith("line") else what
    return _NAMES.get(what, what)


def confirmed(given: dict[str, Any]) -> dict[str, Any]:
    state = _state(given)
    newest = reading_to_confirm(state)
    if newest is None:
        raise ValueError("no reading waits for a person")
    wrong = {one.split(":")[0] for one in ticket_faults(state)}
    if not same_reading(given["register_wh"], newest.body.register_wh):
        wrong.add("register")
    return {"countersign": not wrong, "differing": sorted(wrong)}


OPERATIONS = {"receipt.write": written, "receipt.judge": judged, "reading.confirm": confirmed}
