"""Bookings, either side: look, wait, act, pay."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from http import HTTPStatus
from typing import TypedDict

from starlette.responses import Response

from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.records import CancelReason, ProblemKind, Receipt
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.events import (
    AgreeReceipt,
    CancelBooking,
    ClaimPaid,
    Command,
    ConfirmPaid,
    ConfirmReading,
    Decide,
    ReportProblem,
    StartCharging,
    StopCharging,
    WriteMessage,
    WriteReview,
)
from chargemesh_protocol.record import Record
from chargemesh_protocol.series.commands import AgreeSeries, RevokeSeries

from ..payments import PaymentRequest
from ..payments.qr import qr_png, qr_svg
from ..views.bookings import BookingLine, BookingView, booking_view
from ..views.receipts import (
    PaymentView,
    ReceiptView,
    payment_reference,
    payment_request,
    payment_view,
    receipt_view,
)
from .context import Call
from .limits import MAX_LISTED_BOOKINGS
from .waiting import Wanted, wanted


class Bookings(TypedDict):
    """earlier: how many past ones come after these; ask for them with `before` and the last one's id."""

    bookings: list[BookingLine]
    earlier: int


class Waited(TypedDict):
    """reached: false where the time was over, or the booking ended some other way."""

    until: str
    reached: bool


class WaitedBooking(BookingView):
    """`waited` is null unless `wait_until` was given."""

    waited: Waited | None


class SignedRecord(TypedDict):
    """One record as it was signed: COSE_Sign1 in base64 (RFC 4648, section 4). mine: by this node."""

    id: str
    kind: str
    mine: bool
    raw: str


class Records(TypedDict):
    """Everything signed that this node holds of a booking, oldest first, and the bundles that prove who
    the keys speak for (base64)."""

    booking: str
    network: str
    records: list[SignedRecord]
    bundles: list[str]


async def get_bookings(call: Call) -> Bookings:
    query = call.query
    page = await call.context.list.page(
        call.node,
        limit=query.limit,
        most_open=MAX_LISTED_BOOKINGS,
        before=None if query.before is None else call.find_booking(query.before),
        role=query.role,
        is_open=query.open,
    )
    return {"bookings": page.lines, "earlier": page.earlier}


async def get_booking(call: Call) -> WaitedBooking:
    """The booking now, or once `wait_until` is reached."""
    booking = await call.booking()
    waited: Waited | None = None
    if call.query.wait_until is not None:
        name = call.query.wait_until
        reached = await _wait(call, booking.id, wanted(name), call.query.timeout_s)
        waited = {"until": name, "reached": reached}
    fresh = await call.node.runner.booking(booking.id)
    return {**booking_view(call.node, fresh), "waited": waited}


async def accept(call: Call) -> BookingView:
    if call.body.series:
        return await do(call, lambda id: AgreeSeries(id, call.body.until))
    return await do(call, lambda id: Decide(id, True, _offer(call)))


async def decline(call: Call) -> BookingView:
    if call.body.series:
        return await do(call, RevokeSeries)
    return await do(call, lambda id: Decide(id, False, _offer(call)))


def _offer(call: Call) -> bytes | None:
    return bytes.fromhex(call.body.offer) if call.body.offer else None


async def cancel(call: Call) -> BookingView:
    sides = ("HOST_CANCELED", "DRIVER_CANCELED")
    own, other = sides if (await call.booking()).is_host else sides[::-1]
    reason = call.body.reason or own
    if reason == other:
        raise PersonError(
            "bad-reason", "That reason is the other side's.", f"Yours is {own}.", ExitCode.USAGE
        )
    return await do(call, lambda id: CancelBooking(id, CancelReason(reason), call.body.at_most_micro))


async def message(call: Call) -> BookingView:
    return await do(call, lambda id: WriteMessage(id, call.body.text))


async def problem(call: Call) -> BookingView:
    return await do(call, lambda id: ReportProblem(id, ProblemKind(call.body.problem), call.body.text))


async def start(call: Call) -> BookingView:
    """Checks in and starts: from here on the driver's authorisation counts."""
    return await do(call, lambda id: StartCharging(id, call.body.energy_wh, call.body.cost_micro))


async def stop(call: Call) -> BookingView:
    return await do(call, StopCharging)


async def reading(call: Call) -> BookingView:
    """The driver has read the meter as well."""
    ticket = bytes.fromhex(call.body.ticket)
    return await do(call, lambda id: ConfirmReading(id, ticket, call.body.register_wh))


async def agree(call: Call) -> BookingView:
    """The driver agrees with the receipt although its node does not by itself."""
    return await do(call, lambda id: AgreeReceipt(id, bytes.fromhex(call.body.receipt)))


async def claim(call: Call) -> BookingView:
    """The driver says it has paid."""
    booking = await call.booking()
    request = _payment(call, booking, call.body.rail)[1]
    reference = call.body.reference or payment_reference(booking)
    return await do(call, lambda id: ClaimPaid(id, request.rail, reference))


async def confirm(call: Call) -> BookingView:
    """The host says that the money is there."""
    return await do(call, ConfirmPaid)


async def review(call: Call) -> BookingView:
    return await do(call, lambda id: WriteReview(id, call.body.stars, call.body.text))


async def get_receipt(call: Call) -> ReceiptView:
    booking = await call.booking()
    receipt, state = _receipt(call, booking)
    return receipt_view(booking, receipt, state)


async def get_payment(call: Call) -> PaymentView:
    booking = await call.booking()
    receipt, request, state = _payment(call, booking, call.query.rail)
    return payment_view(booking, receipt, state, request)


async def get_payment_png(call: Call) -> Response:
    return _image(qr_png(await _qr(call)), "image/png")


async def get_payment_svg(call: Call) -> Response:
    return _image(qr_svg(await _qr(call)), "image/svg+xml")


async def get_records(call: Call) -> Records:
    booking = await call.booking()
    node = call.node
    signed = [booking.quote, booking.request, *booking.mine, *booking.theirs]
    signed.sort(key=lambda one: one.body.issued)
    # Statements for the log carry no time of their own.
    unique = {one.id: one for one in [*signed, *booking.statements.values()]}
    bundles = [node.directory.get(author) for author in (booking.host, booking.driver)]
    return {
        "booking": booking.id.hex(),
        "network": node.me.network,
        "records": [
            {
                "id": one.id.hex(),
                "kind": one.kind,
                "mine": getattr(one.body, "author", None) == node.me.author,
                "raw": _base64(one.raw),
            }
            for one in unique.values()
        ],
        "bundles": [_base64(one.to_bytes()) for one in bundles if one is not None],
    }


async def do(call: Call, command: Callable[[bytes], Command]) -> BookingView:
    """One command about the booking in the path, and the booking as it is then."""
    id = call.find_booking(call.id)
    await call.node.command(command(id))
    return booking_view(call.node, await call.node.runner.booking(id))


async def _wait(call: Call, id: bytes, reached: Wanted, seconds: float) -> bool:
    """Whether `reached` came true in time; no longer than it still can, or than the node runs."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while True:
        # Looked up each time: after a failed commit the engine and its bookings are built anew.
        booking = await call.node.runner.booking(id)
        state = booking.state(call.node.clock.now())
        if reached(booking, state):
            return True
        left = until - loop.time()
        if left <= 0 or call.context.closing.is_set() or booking.file.refused or state.finished:
            return False
        await call.context.changes.wait(left)


def _receipt(call: Call, booking: Booking) -> tuple[Record[Receipt], BookingState]:
    state = booking.state(call.node.clock.now())
    if state.receipt is None:
        raise PersonError(
            "no-receipt",
            "There is no receipt yet.",
            "The host writes it when charging has ended.",
            ExitCode.NOT_FOUND,
        )
    return state.receipt, state


def _payment(call: Call, booking: Booking, rail: str) -> tuple[Receipt, PaymentRequest, BookingState]:
    receipt, state = _receipt(call, booking)
    return receipt.body, payment_request(booking, receipt.body, rail), state


async def _qr(call: Call) -> str:
    request = _payment(call, await call.booking(), call.query.rail)[1]
    if request.qr is None:
        raise PersonError("no-qr-code", "This is paid without a QR code.", request.text, ExitCode.NOT_FOUND)
    return request.qr


def _image(content: bytes, media_type: str) -> Response:
    return Response(content, HTTPStatus.OK, {"Cache-Control": "no-store"}, media_type)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
