"""A booking as its person sees it: what happened, what comes next, and what can be done about it."""

from __future__ import annotations

from typing import TypedDict

from chargemesh_protocol.booking.check_in import waiting_check_in
from chargemesh_protocol.booking.cost import cost_of_cancelling
from chargemesh_protocol.booking.explain import explain
from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.objections import reading_to_confirm
from chargemesh_protocol.booking.sealing import AccessRecord
from chargemesh_protocol.booking.state import BookingState, Party
from chargemesh_protocol.booking.table import Reservation, Session
from chargemesh_protocol.terms import describe_terms
from chargemesh_protocol.trust.entries import ReviewCommitment, open_content

from ..node import Node
from .actions import actions
from .deliveries import DeliveryView, Where, delivery_state, delivery_view, message_states
from .people import Person, person
from .photos import PhotoView, booking_photos
from .receipts import ReceiptView, receipt_view
from .terms import ChangeView, OfferView, change_view, offer_view
from .values import Instant, Money, Place, instant, place, spoken, total

REFUSALS = {
    "busy": "too much is asked of it at the moment",
    "clock": "the clocks of the two machines differ too much",
    "duration": "it takes shorter or longer bookings only",
    "lead-time": "that is too soon",
    "members-only": "it is for members only",
    "not-offerable": "that time can't be had any more",
    "quote-expired": "the quote had expired",
    "rules": "its host's rules don't allow it",
    "stranger": "it takes less from people it has not dealt with yet",
    "trust": "it asks for more trust than you have there",
    "unpaid-receipt": "an earlier receipt of yours is not paid",
    "walk-in": "the code at the charger is another by now, or good for nothing then",
}


class SeriesOf(TypedDict):
    """The weekly series that a booking belongs to. agreed_until: so long its host takes the next of it
    without being asked, as the host itself knows; null where it does not."""

    id: str
    agreed_until: Instant | None


class BookingLine(TypedDict):
    """One booking in a list. role: host or driver. The three states are those of specs/tables."""

    id: str
    role: str
    title: str
    reservation: str
    session: str
    settlement: str
    refused: str
    start: Instant
    end: Instant
    zone: str
    energy_wh: int
    cost: Money
    next: str
    finished: bool
    actions: list[str]
    delivery: Where
    series: SeriesOf | None


class Agreed(TypedDict):
    """What is in force. quote: the first, by which the booking began; energy_wh: assumed; cap: no session in
    the booked time costs more."""

    quote: str
    energy_wh: int
    estimate: Money
    cap: Money
    terms: str
    answer_until: Instant


class Meter(TypedDict):
    """The newest meter ticket, and how far the driver's signatures reach."""

    at: Instant
    energy_wh: int
    power_w: int
    cost: Money
    tickets: int
    countersigned: int
    authorised_energy_wh: int | None
    authorised_cost: Money | None


class ReadingToConfirm(TypedDict):
    """The newest reading of the meter, made by the host's person, which the driver has not confirmed.

    register_wh: what it showed, and from_wh at the session's begin; energy_wh and cost: so far.
    """

    ticket: str
    at: Instant
    register_wh: int
    from_wh: int
    energy_wh: int
    cost: Money


class Access(TypedDict):
    """Where the plug is. Only the driver's node has it, and only once the host has sent it."""

    address: str
    place: Place
    way: str
    code: str
    phone: str
    photos: list[PhotoView]


class Message(TypedDict):
    """delivery: where one of ours is, null for theirs."""

    ours: bool
    sent: Instant
    text: str
    delivery: Where | None


class ReviewState(TypedDict):
    """stars: ours, null while unwritten. theirs: whether the other side has committed to its own."""

    stars: int | None
    theirs: bool


class BookingView(BookingLine):
    """Everything about one booking. so_far and next_steps are whole sentences for this side. offer: other
    terms that the host has offered; change: those that the driver asks for, and the host has yet to answer.

    cancelling_costs: what it would cost the driver now, null where nothing can be cancelled any more.
    deadline: the next instant at which the state changes by itself. undelivered: something of ours does
    not reach the other side, and is sent again and again. unconfirmed: how many of the driver's records
    the host has not yet included, as it must for most to count. faults: contradictions in the host's
    signed records. reading: what the driver's person is to compare with the meter. to_read: the charger
    whose meter this host is to read, typing in what it shows. post: where what this side sent is.
    """

    so_far: list[str]
    next_steps: list[str]
    counterparty: Person
    agreed: Agreed
    offer: OfferView | None
    change: ChangeView | None
    meter: Meter | None
    reading: ReadingToConfirm | None
    to_read: str | None
    access: Access | None
    access_due: Instant | None
    cancelling_costs: Money | None
    owed: Money | None
    deadline: Instant | None
    messages: list[Message]
    receipt: ReceiptView | None
    review: ReviewState
    vehicle: str
    undelivered: bool
    post: DeliveryView
    unconfirmed: int
    faults: list[str]


def booking_line(node: Node, booking: Booking) -> BookingLine:
    now = node.clock.now()
    return _line(node, booking, booking.state(now), is_read_by_hand(node, booking))


def booking_view(node: Node, booking: Booking) -> BookingView:
    now = node.clock.now()
    state = booking.state(now)
    zone, currency = booking.file.zone, booking.quote.body.plan.currency
    by_hand = is_read_by_hand(node, booking)
    so_far, following = _sentences(booking, state, now, by_hand)
    post = delivery_view(node, booking)
    access = None if booking.is_host else node.runner.engine.driver.access(booking)
    cancellable = state.reservation in (Reservation.PENDING, Reservation.RESERVED)
    idle = state.session is Session.PENDING and not booking.file.refused
    return {
        **_line(node, booking, state, by_hand),
        "so_far": so_far,
        "next_steps": following,
        "counterparty": person(node, booking.other),
        "agreed": _agreed(booking, state),
        "offer": offer_view(booking, state, now),
        "change": change_view(booking, state),
        "meter": _meter(booking, state),
        "reading": _reading(booking, state),
        "to_read": booking.quote.body.charger.hex() if by_hand and _waits_for_reading(state, now) else None,
        "access": _access(access, booking_photos(node, booking)) if access else None,
        "access_due": instant(state.access_due, zone) if state.access_due else None,
        "cancelling_costs": (
            total(cost_of_cancelling(booking.as_signed(state), now), currency)
            if cancellable and idle
            else None
        ),
        "owed": total(state.cost, currency) if state.cost else None,
        "deadline": instant(state.next_deadline, zone) if state.next_deadline else None,
        "messages": [
            {"ours": one.ours, "sent": instant(one.sent, zone), "text": one.text, "delivery": where}
            for one, where in zip(booking.messages, message_states(node, booking), strict=True)
        ],
        "receipt": receipt_view(booking, state.receipt, state) if state.receipt else None,
        "review": _review(booking),
        "vehicle": booking.request.body.vehicle or "",
        "undelivered": post["state"] != "delivered" and node.runner.outbox.is_late("peer", booking.id),
        "post": post,
        "unconfirmed": len(state.not_included),
        "faults": [one.reason for one in state.faults],
    }


def is_read_by_hand(node: Node, booking: Booking) -> bool:
    """Whether this node's person reads the meter at this booking's charger, and types what it shows."""
    settings = node.runner.engine.listings.settings(booking.quote.body.charger) if booking.is_host else None
    return settings is not None and settings.wallbox.driver == "manual"


def _line(node: Node, booking: Booking, state: BookingState, by_hand: bool) -> BookingLine:
    now = node.clock.now()
    quote, zone = state.quote, booking.file.zone
    refused = booking.file.refused
    last = state.tickets[-1].body if state.tickets else None
    due = state.receipt.body.total if state.receipt else last.cost if last else state.cost
    _, following = _sentences(booking, state, now, by_hand)
    return {
        "id": booking.id.hex(),
        "role": booking.file.role.value,
        "title": booking.file.title,
        # A refusal at once is no signed record, so that the signed set still says PENDING.
        "reservation": "REJECTED" if refused else state.reservation.value,
        "session": state.session.value,
        "settlement": state.settlement.value,
        "refused": refused,
        "start": instant(quote.start, zone),
        "end": instant(quote.end, zone),
        "zone": zone,
        "energy_wh": state.energy_wh,
        "cost": total(due, quote.plan.currency),
        "next": following[0] if following else "",
        "finished": bool(refused) or state.finished,
        "actions": actions(booking, state, now),
        "delivery": delivery_state(node, booking),
        "series": _series(node, booking),
    }


def _series(node: Node, booking: Booking) -> SeriesOf | None:
    request = booking.request.body
    if request.series is None:
        return None
    engine = node.runner.engine
    agreed = engine.host.series.of(request, node.clock.now()) if booking.is_host else None
    until = None if agreed is None else instant(agreed.until, booking.file.zone)
    return {"id": request.series.hex(), "agreed_until": until}


def _sentences(booking: Booking, state: BookingState, now: int, by_hand: bool) -> tuple[list[str], list[str]]:
    party = Party.HOST if booking.is_host else Party.DRIVER
    told = explain(
        booking.as_signed(state),
        party,
        now,
        lambda ms: spoken(ms, booking.file.zone, now),
        waiting=None if booking.is_host else waiting_check_in(state, booking.mine),
        by_hand=by_hand,
        passed=state.offer is not None and state.offer.id == booking.file.passed_offer,
    )
    if not booking.file.refused:
        return list(told.so_far), list(told.next)
    reason = REFUSALS.get(booking.file.refused, booking.file.refused)
    return [told.so_far[0], f"The host refused at once: {reason}."], ["Nothing more is to be done."]


def _agreed(booking: Booking, state: BookingState) -> Agreed:
    quote, currency = state.quote, state.quote.plan.currency
    return {
        "quote": booking.quote.id.hex(),
        "energy_wh": quote.energy_wh,
        "estimate": total(quote.estimate, currency),
        "cap": total(quote.cap, currency),
        "terms": describe_terms(quote.terms, currency),
        "answer_until": instant(booking.request.body.expires, booking.file.zone),
    }


def _meter(booking: Booking, state: BookingState) -> Meter | None:
    if not state.tickets:
        return None
    last, zone, currency = state.tickets[-1].body, booking.file.zone, booking.quote.body.plan.currency
    authorised = state.authorised
    return {
        "at": instant(last.at, zone),
        "energy_wh": last.energy_wh,
        "power_w": last.power_w if state.session is Session.ACTIVE else 0,
        "cost": total(last.cost, currency),
        "tickets": len(state.tickets),
        "countersigned": state.countersigned,
        "authorised_energy_wh": authorised.energy_wh if authorised else None,
        "authorised_cost": total(authorised.cost, currency) if authorised else None,
    }


def _reading(booking: Booking, state: BookingState) -> ReadingToConfirm | None:
    ticket = reading_to_confirm(booking.as_signed(state))
    if ticket is None:
        return None
    body, currency = ticket.body, booking.quote.body.plan.currency
    return {
        "ticket": ticket.id.hex(),
        "at": instant(body.at, booking.file.zone),
        "register_wh": body.register_wh,
        "from_wh": state.tickets[0].body.register_wh,
        "energy_wh": body.energy_wh,
        "cost": total(body.cost, currency),
    }


def _waits_for_reading(state: BookingState, now: int) -> bool:
    """Whether a reading would begin the session, go on with it, or end it."""
    if state.session is Session.ACTIVE:
        return state.receipt is None
    may_begin = state.checked_in and state.stopped_at is None and state.session is Session.PENDING
    return may_begin and state.reservation is Reservation.RESERVED and state.quote.start <= now


def _access(record: AccessRecord, photos: list[PhotoView]) -> Access:
    return {
        "address": record.address,
        "place": place(record.latitude, record.longitude),
        "way": record.way,
        "code": record.code,
        "phone": record.phone,
        "photos": photos,
    }


def _review(booking: Booking) -> ReviewState:
    stars = open_content(booking.file.review).stars.overall if booking.file.review else None
    return {"stars": stars, "theirs": booking.statement(ReviewCommitment, booking.other) is not None}
