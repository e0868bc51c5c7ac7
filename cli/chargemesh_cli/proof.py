"""What the records of a file prove about a charge, in sentences: the receipt, who signed it, what is missing.

Only records whose signatures hold are given to it. Uses the protocol package alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chargemesh_protocol.booking.records import DRIVER_KINDS, HOST_KINDS
from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.money import format_amount
from chargemesh_protocol.record import Record
from chargemesh_protocol.units import format_energy

_SHORT = 8


@dataclass(frozen=True, slots=True)
class Proof:
    """sentences: for a person. missing: ids (hex) that records of the file name and the file lacks."""

    sentences: tuple[str, ...]
    missing: tuple[str, ...] = ()


def proof(records: Sequence[Record[Any]], vouched: frozenset[bytes]) -> Proof:
    """`vouched`: ids of the records whose key has a delegation by their author in the same file."""
    bookings, sentences = _bookings(records)
    missing: list[str] = []
    told: set[bytes] = set()
    for booking in bookings:
        state = booking.state(max(one.body.issued for one in booking))
        missing += [one.hex() for one in state.missing]
        sentences += _of_booking(booking, state, vouched)
        told.update(one.id for one in booking if one.kind == "receipt")
    for one in records:
        if one.kind == "receipt" and one.id not in told:
            told.add(one.id)
            sentences.append(
                f"A receipt over {_total(one)}, signed by {_short(one.body.author)}; its quote and request "
                "are not in the file, so that nothing says what was agreed."
            )
    if not told:
        sentences.append("There is no receipt in here.")
    return Proof(tuple(sentences), tuple(missing))


def _bookings(records: Sequence[Record[Any]]) -> tuple[list[BookingSet], list[str]]:
    """Each request with its quote and all that belongs to it, and what was refused."""
    quotes = {one.id: one for one in records if one.kind == "quote"}
    of_booking: dict[bytes, list[Record[Any]]] = {}
    for one in records:
        if isinstance(one.body, (*HOST_KINDS, *DRIVER_KINDS)):
            of_booking.setdefault(one.body.booking, []).append(one)
    found: list[BookingSet] = []
    refused: list[str] = []
    for request in {one.id: one for one in records if one.kind == "request"}.values():
        if request.body.quote not in quotes:
            continue
        try:
            booking = BookingSet(quotes[request.body.quote], request)
        except Refused as error:
            refused.append(f"Request {_short(request.id)} makes no booking: {error.message}.")
            continue
        found.append(booking)
        for one in of_booking.get(booking.id, ()):
            try:
                booking.add(one)
            except Refused as error:
                refused.append(f"The {one.kind} {_short(one.id)} does not count: {error.message}.")
    return found, refused


def _of_booking(booking: BookingSet, state: BookingState, vouched: frozenset[bytes]) -> list[str]:
    name = f"Booking {_short(booking.id)}"
    said: list[str] = []
    receipt = state.receipt
    if receipt is not None:
        agreed = _about(booking, receipt, "agreement")
        signed = [f"the host {_short(booking.host)}"]
        if agreed is not None:
            signed.append(f"the driver {_short(booking.driver)}")
        what = f"{_total(receipt)} for {format_energy(receipt.body.energy_wh)}"
        alone = "" if agreed else " alone: the driver has not agreed"
        by = " and by ".join(signed)
        said.append(f"{name}: a receipt over {what}, signed by {by}{alone}. {_paid(booking, state)}")
        halves = [one for one in (receipt, agreed) if one is not None]
        if any(one.id not in vouched for one in halves):
            said.append("The file lacks an identity: that a key speaks for its author is not proven here.")
    elif any(one.kind == "receipt" for one in booking):
        said.append(f"{name}: its receipt does not count, because records that come before it are missing.")
    if state.missing:
        number = len(state.missing)
        what = "1 record that others name is" if number == 1 else f"{number} records that others name are"
        said.append(
            f"{name}: {what} missing from the file ({', '.join(_short(one) for one in state.missing)})."
        )
    said += [f"{name}: the host contradicts itself: {one.reason}." for one in state.faults]
    return said


def _about(booking: BookingSet, receipt: Record[Any] | None, kind: str) -> Record[Any] | None:
    """The driver's word about this receipt: signed is signed, also before a host record includes it."""
    named = (one for one in booking.driver_records if one.kind == kind)
    return next((one for one in named if receipt is not None and one.body.receipt == receipt.id), None)


def _paid(booking: BookingSet, state: BookingState) -> str:
    if state.paid is not None:
        return "It is paid: the host signed that the money is there."
    if state.receipt is not None and state.receipt.body.total == 0:
        return "There is nothing to pay."
    if _about(booking, state.receipt, "claim") is not None:
        return "The driver signed that it has paid; the host has not confirmed it."
    return "Nothing in here says that it is paid."


def _total(receipt: Record[Any]) -> str:
    return format_amount(receipt.body.total, receipt.body.currency)


def _short(id_: bytes) -> str:
    return id_.hex()[:_SHORT]
