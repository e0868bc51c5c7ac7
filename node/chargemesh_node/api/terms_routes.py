"""Other terms of a booking: what they would cost, asking for them, offering them; and a host's faults."""

from __future__ import annotations

from chargemesh_protocol.booking.records import ProblemKind
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.events import ChangeBooking, OfferTerms, SayFault

from ..views.bookings import BookingView
from ..views.terms import TermsView, terms_view
from .booking_routes import do
from .context import Call


async def ask_terms(call: Call) -> TermsView:
    """What the driver's booking would cost with another time or energy; asks the host."""
    booking, node = await call.booking(), call.node
    if booking.is_host:
        raise PersonError(
            "wrong-side",
            "A host prices by itself.",
            "Offer other terms with `chargemesh booking counter`.",
            ExitCode.NOT_ALLOWED,
        )
    now = booking.state(node.clock.now()).quote
    start = now.start if call.body.start is None else call.body.start
    end = call.body.end
    if end is None:
        end = now.end if call.body.start is None else start + now.end - now.start
    if end <= start:
        raise PersonError(
            "end-before-start", "The end must be after the start.", "Swap the two times.", ExitCode.USAGE
        )
    found = await node.terms.ask(booking, now, start, end, call.body.energy_wh)
    return terms_view(node, booking, found)


async def change(call: Call) -> BookingView:
    """The driver asks for what `terms` has priced."""
    booking = await call.booking()
    raw = call.node.terms.require(booking.id, bytes.fromhex(call.body.quote)).quote.raw
    return await do(call, lambda id: ChangeBooking(id, raw))


async def offer(call: Call) -> BookingView:
    """The host offers other terms."""
    body = call.body
    return await do(call, lambda id: OfferTerms(id, body.start, body.end, body.energy_wh, body.text))


async def fault(call: Call) -> BookingView:
    """The host says that its equipment fails the driver."""
    return await do(call, lambda id: SayFault(id, ProblemKind(call.body.problem), call.body.text))
