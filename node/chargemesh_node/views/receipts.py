"""A receipt as both sides read it, and what is to be paid."""

from __future__ import annotations

from typing import TypedDict

from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.objections import objections, reading_to_confirm
from chargemesh_protocol.booking.records import Receipt, ReceiptLine
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.money import format_amount
from chargemesh_protocol.pricing import CostLine
from chargemesh_protocol.record import Record
from chargemesh_protocol.tariff import TariffDimension
from chargemesh_protocol.tariff_text import describe_line, describe_sum
from chargemesh_protocol.units import format_energy

from ..payments import Payee, PaymentRequest, rail_for, rail_named
from ..payments.qr import qr_terminal
from .values import Instant, Money, instant, money

_FEES = {"CANCELLATION": "Fee for the cancellation", "NO_SHOW": "Fee for not coming"}


class Line(TypedDict):
    """dimension: OCPI's, or CANCELLATION or NO_SHOW. quantity: Wh, ms or 1. price: of a kWh, an hour, one."""

    dimension: str
    quantity: int
    price: Money
    amount: Money


class ReceiptView(TypedDict):
    """text: the bill line by line, the total last. It adds up: the amounts of `lines`, `adjustment` (to the
    lowest or highest price), `rounding`, and `tax` unless it is included, are `total`.

    signed_by_driver: when, also where the host has not heard of it yet. differences: why this driver's node
    does not agree by itself; it does if there are none. settlement: OPEN, CLAIMED, PAID or DISPUTED.
    """

    booking: str
    receipt: str
    started: Instant
    ended: Instant
    energy_wh: int
    lines: list[Line]
    adjustment: Money
    tax: Money
    tax_included: bool
    rounding: Money
    total: Money
    text: list[str]
    payee_name: str
    payee_account: str
    beyond_authorisation_wh: int
    signed_by_host: Instant
    signed_by_driver: Instant | None
    differences: list[str]
    settlement: str
    claimed: Instant | None
    paid: Instant | None
    rail: str


class PaymentView(TypedDict):
    """How to pay a receipt. qr: the text of a QR code for a banking app; qr_terminal: drawn in characters."""

    booking: str
    rail: str
    amount: Money
    text: str
    reference: str
    payee_name: str
    payee_account: str
    settlement: str
    qr: str | None
    qr_terminal: str | None


def receipt_view(booking: Booking, receipt: Record[Receipt], state: BookingState) -> ReceiptView:
    body, zone = receipt.body, booking.file.zone
    currency = body.currency
    settled = state.paid or state.claimed
    agreed = booking.as_signed(state).agreed
    return {
        "booking": booking.id.hex(),
        "receipt": receipt.id.hex(),
        "started": instant(body.started, zone),
        "ended": instant(body.ended, zone),
        "energy_wh": body.energy_wh,
        "lines": [
            {
                "dimension": one.dimension,
                "quantity": one.quantity,
                "price": money(one.price, currency),
                "amount": money(one.amount, currency),
            }
            for one in body.lines
        ],
        "adjustment": money(body.adjustment or 0, currency),
        "tax": money(body.tax or 0, currency),
        "tax_included": state.quote.plan.tax_included,
        "rounding": money(body.rounding or 0, currency),
        "total": money(body.total, currency),
        "text": _text(state, body),
        "payee_name": body.payee_name,
        "payee_account": body.payee_account,
        "beyond_authorisation_wh": body.beyond_authorisation_wh or 0,
        "signed_by_host": instant(body.issued, zone),
        "signed_by_driver": instant(agreed.body.issued, zone) if agreed else None,
        "differences": [] if booking.is_host else _against(booking, state),
        "settlement": state.settlement.value,
        "claimed": instant(state.claimed.body.issued, zone) if state.claimed else None,
        "paid": instant(state.paid.body.issued, zone) if state.paid else None,
        "rail": settled.body.rail if settled else "",
    }


def payment_request(booking: Booking, receipt: Receipt, rail: str = "") -> PaymentRequest:
    """How this receipt can be paid; PersonError where the named rail can't."""
    payee = Payee(receipt.payee_name, receipt.payee_account)
    chosen = rail_named(rail) if rail else rail_for(receipt.currency, payee)
    return chosen.request(receipt.total, receipt.currency, payee, payment_reference(booking))


def payment_reference(booking: Booking) -> str:
    """What the driver writes on the transfer, and the host looks for."""
    return f"chargemesh {booking.id.hex()[:12]}"


def payment_view(
    booking: Booking, receipt: Receipt, state: BookingState, request: PaymentRequest
) -> PaymentView:
    return {
        "booking": booking.id.hex(),
        "rail": request.rail,
        "amount": money(request.amount, request.currency),
        "text": request.text,
        "reference": payment_reference(booking),
        "payee_name": receipt.payee_name,
        "payee_account": receipt.payee_account,
        "settlement": state.settlement.value,
        "qr": request.qr,
        "qr_terminal": qr_terminal(request.qr) if request.qr else None,
    }


def _against(booking: Booking, state: BookingState) -> list[str]:
    """What the driver's node has against agreeing, also where its person agreed all the same."""
    signed = booking.as_signed(state)
    found = list(objections(signed))
    unread = reading_to_confirm(signed)
    if unread is not None:
        found.append(f"reading: only the host has read {format_energy(unread.body.register_wh)} on the meter")
    return found


def _text(state: BookingState, body: Receipt) -> list[str]:
    """The bill in words, all of it as it was signed."""
    plan = state.quote.plan
    below = describe_sum(
        body.currency,
        total=body.total,
        adjustment=body.adjustment or 0,
        tax=body.tax or 0,
        tax_bp=plan.tax_bp,
        tax_included=plan.tax_included,
        rounding=body.rounding or 0,
    )
    return [*(_line(one, body.currency) for one in body.lines), *below]


def _line(line: ReceiptLine, currency: str) -> str:
    if line.dimension not in TariffDimension.__members__:
        name = _FEES.get(line.dimension, line.dimension)
        return f"{name}: {format_amount(line.amount, currency)}"
    dimension = TariffDimension(line.dimension)
    return describe_line(CostLine(dimension, line.quantity, line.price, line.amount), currency)
