"""Every route of the API in one table: what is served, and what specs/openapi.json is made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ..views.bookings import BookingView
from ..views.chargers import ChargerView, Preview, WallboxState, WallboxView
from ..views.doctor import Doctor
from ..views.listings import ListingView, QuoteView, SearchEnd
from ..views.mailbox import MailboxLinkView, MailboxView
from ..views.people import Trust
from ..views.photos import ChargerPhotos
from ..views.policy import BlockedPeople, BlockedView, Code, Members, Outlook
from ..views.receipts import PaymentView, ReceiptView
from ..views.series import SeriesView
from ..views.status import Identity, InviteView, Peers, Status
from ..views.terms import TermsView
from . import (
    bodies,
    booking_routes,
    calendar_routes,
    charger_routes,
    entry_routes,
    find_routes,
    log_routes,
    mailbox_routes,
    node_routes,
    page_routes,
    photo_routes,
    policy_body,
    policy_routes,
    series_body,
    series_routes,
    terms_routes,
)
from .charger_body import ChargerBody
from .context import Call
from .limits import MAX_PICTURE_BYTES

Handler = Callable[[Call], Awaitable[Any]]
JSON = "application/json"
LINES = "application/x-ndjson"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One thing the API does. `query` and `body` are what it takes, `answer` the type of what it gives
    (or several, of lines).

    phone: whether a phone's token is enough. `answer` None: bytes of the media type. upload: how many bytes a
    body may have that is no JSON and goes to the handler as it is.
    """

    method: str
    path: str
    handler: Handler
    says: str
    answer: Any = None
    query: Any = None
    body: Any = None
    media: str = JSON
    status: int = HTTPStatus.OK
    phone: bool = False
    upload: int = 0


def _get(path: str, handler: Handler, says: str, answer: Any, **more: Any) -> Route:
    return Route(method="GET", path=path, handler=handler, says=says, answer=answer, **more)


def _post(
    path: str, handler: Handler, says: str, answer: Any, body: Any = bodies.NoBody, **more: Any
) -> Route:
    return Route(method="POST", path=path, handler=handler, says=says, answer=answer, body=body, **more)


def _delete(path: str, handler: Handler, says: str, answer: Any) -> Route:
    return Route(method="DELETE", path=path, handler=handler, says=says, answer=answer)


def _act(name: str, handler: Handler, says: str, body: Any = bodies.NoBody) -> Route:
    return _post(f"/v1/bookings/{{id}}/{name}", handler, says, BookingView, body, phone=True)


_NODE = (
    _get("/v1/status", node_routes.get_status, "What the node is doing, and its limits", Status),
    _get("/v1/id", node_routes.get_id, "Who this node is", Identity),
    _get("/v1/peers", node_routes.get_peers, "Whom it is connected to", Peers),
    _post("/v1/peers", node_routes.add_peer, "Connect to a peer", Peers, bodies.Address),
    _get("/v1/invite", node_routes.get_invite, "A link by which others join", InviteView),
    _post("/v1/join", node_routes.join, "Take an invitation", node_routes.Joined, bodies.Link),
    _get(
        "/v1/mailbox",
        mailbox_routes.get_mailbox,
        "Who holds what is sent to us while we are away",
        MailboxView,
    ),
    _post(
        "/v1/mailbox",
        mailbox_routes.use_mailbox,
        "Name other mailboxes from now on, or none",
        MailboxView,
        bodies.UseMailbox,
    ),
    _get(
        "/v1/mailbox/link",
        mailbox_routes.get_link,
        "A link to the mailbox that this node keeps",
        MailboxLinkView,
    ),
    _get("/v1/doctor", node_routes.get_doctor, "What is wrong, and who can see what", Doctor),
    _get("/v1/logs", node_routes.get_logs, "The end of the log file", node_routes.Log, query=bodies.LogQuery),
    _post("/v1/stop", node_routes.stop, "End the node", node_routes.Stopping),
    _get(
        "/v1/trust/{id}",
        node_routes.get_trust,
        "What this node thinks of somebody, and why",
        Trust,
        phone=True,
    ),
    _post("/v1/trust/{id}/vouch", log_routes.vouch, "Stand up for somebody", Trust, bodies.Vouch),
    _get("/v1/trust/{id}/log", entry_routes.get_log, "Somebody's public log, as signed", entry_routes.LogOf),
    _post(
        "/v1/log/say",
        entry_routes.say,
        "Say something of an installed extension's kind in our public log, with the next batch",
        entry_routes.Said,
        bodies.SayEntry,
    ),
    _post(
        "/v1/log/entries",
        log_routes.offer_entries,
        "Take in log entries that came by another way than the network",
        log_routes.Taken,
        bodies.OfferedEntries,
    ),
    _get(
        "/v1/events",
        node_routes.get_events,
        "What happens, as server-sent events",
        None,
        query=bodies.EventsQuery,
        media="text/event-stream",
        phone=True,
    ),
    _post("/v1/phones", node_routes.add_phone, "A link for a phone", node_routes.PhoneView, bodies.Phone),
)

_CHARGER = "/v1/chargers/{id}"
_PHOTO = f"{_CHARGER}/photos/{{photo}}"
_CHARGERS = (
    _get("/v1/chargers", charger_routes.get_chargers, "The host's chargers", charger_routes.Chargers),
    _post(
        "/v1/chargers",
        charger_routes.add_charger,
        "Offer a charger",
        ChargerView,
        ChargerBody,
        status=HTTPStatus.CREATED,
    ),
    _post(
        "/v1/chargers/preview", charger_routes.preview_new, "A charger before it is one", Preview, ChargerBody
    ),
    _get(_CHARGER, charger_routes.get_charger, "One charger", ChargerView),
    Route(
        method="PATCH",
        path=_CHARGER,
        handler=charger_routes.change_charger,
        says="Change a charger: any part of what POST /v1/chargers takes",
        answer=ChargerView,
        body=dict[str, Any],
    ),
    Route(
        method="DELETE",
        path=_CHARGER,
        handler=charger_routes.remove_charger,
        says="Withdraw a charger and forget it",
        answer=charger_routes.Removed,
    ),
    _post(f"{_CHARGER}/pause", charger_routes.pause_charger, "Withdraw the listing", ChargerView),
    _post(f"{_CHARGER}/resume", charger_routes.resume_charger, "Offer it again", ChargerView),
    _get(f"{_CHARGER}/wallbox", charger_routes.get_wallbox, "How to connect the wallbox", WallboxView),
    _post(
        f"{_CHARGER}/reading",
        charger_routes.enter_reading,
        "A reading of the meter, for the manual driver",
        WallboxState,
        bodies.MeterReading,
    ),
    _post(
        f"{_CHARGER}/rules",
        policy_routes.ask_rules,
        "What would come of a request by somebody, and why",
        Outlook,
        policy_body.AskRules,
    ),
    _post(
        f"{_CHARGER}/code",
        policy_routes.make_code,
        "The code at the charger, for walk-ins",
        Code,
        policy_body.NewCode,
    ),
    _get(
        f"{_CHARGER}/code.png", policy_routes.get_code_png, "It alone, as a picture", None, media="image/png"
    ),
    _get(
        f"{_CHARGER}/code.svg",
        policy_routes.get_code_svg,
        "It on a sheet to print",
        None,
        media="image/svg+xml",
    ),
    _post(
        f"{_CHARGER}/busy",
        calendar_routes.refresh_busy,
        "Read its host's other calendar now",
        ChargerView,
    ),
    _post(
        f"{_CHARGER}/preview",
        charger_routes.preview_changed,
        "What strangers would see after these changes",
        Preview,
        dict[str, Any],
    ),
    _get(
        f"{_CHARGER}/photos",
        photo_routes.get_charger_photos,
        "The photos that drivers get with the address",
        ChargerPhotos,
    ),
    Route(
        method="POST",
        path=f"{_CHARGER}/photos",
        handler=photo_routes.add_charger_photo,
        says="Add a picture (JPEG, PNG, WebP): made smaller, and nothing but its pixels kept",
        answer=ChargerPhotos,
        upload=MAX_PICTURE_BYTES,
    ),
    _get(_PHOTO, photo_routes.get_charger_photo, "One of them", None, media="image/jpeg"),
    Route(
        method="DELETE",
        path=_PHOTO,
        handler=photo_routes.remove_charger_photo,
        says="Take one away, also from drivers whose booking is to come",
        answer=ChargerPhotos,
    ),
)

_PEOPLE = (
    _get("/v1/members", policy_routes.get_members, "Whom the host keeps as members", Members),
    _post(
        "/v1/members",
        policy_routes.put_member,
        "Add a member, or change name and group",
        Members,
        policy_body.MemberBody,
    ),
    _delete("/v1/members/{id}", policy_routes.drop_member, "A member no more", policy_routes.Forgotten),
    _get("/v1/blocked", policy_routes.get_blocked, "Whom this node deals with no more", BlockedPeople),
    _post("/v1/blocked", policy_routes.block, "Block somebody", BlockedView, policy_body.BlockBody),
    _delete("/v1/blocked/{id}", policy_routes.unblock, "Block them no longer", policy_routes.Forgotten),
)

_FINDING = (
    _get(
        "/v1/find",
        find_routes.find,
        "Search: one JSON object a line as found, the last one says how it went",
        (ListingView, SearchEnd),
        query=bodies.FindQuery,
        media=LINES,
    ),
    _post("/v1/quotes", find_routes.ask_quote, "What a slot costs", QuoteView, bodies.AskQuote),
    _post(
        "/v1/walk-in",
        find_routes.walk_in,
        "What it costs from now on at the charger whose code was read",
        QuoteView,
        bodies.WalkIn,
    ),
    _post(
        "/v1/bookings",
        find_routes.book,
        "Take a quote",
        BookingView,
        bodies.Book,
        status=HTTPStatus.CREATED,
    ),
)

_BOOKING = "/v1/bookings/{id}"
_PAYMENT: dict[str, Any] = {"query": bodies.PaymentQuery, "phone": True}
_BOOKINGS = (
    _get(
        "/v1/bookings",
        booking_routes.get_bookings,
        "Bookings of either side, open ones first",
        booking_routes.Bookings,
        query=bodies.BookingsQuery,
        phone=True,
    ),
    _get(
        _BOOKING,
        booking_routes.get_booking,
        "One booking, at once or when it has got somewhere",
        booking_routes.WaitedBooking,
        query=bodies.WaitQuery,
        phone=True,
    ),
    _act("accept", booking_routes.accept, "Accept a request, change or offer that waits", bodies.Answer),
    _act("decline", booking_routes.decline, "Decline it; a driver lets an offer pass", bodies.Answer),
    _post(
        f"{_BOOKING}/terms",
        terms_routes.ask_terms,
        "What other terms would cost the driver",
        TermsView,
        bodies.AskTerms,
        phone=True,
    ),
    _act("change", terms_routes.change, "The driver asks for other terms", bodies.Change),
    _act("offer", terms_routes.offer, "The host offers other terms", bodies.OfferTerms),
    _act("fault", terms_routes.fault, "The host says that its equipment fails", bodies.Problem),
    _act("cancel", booking_routes.cancel, "Either side cancels", bodies.Cancel),
    _act("message", booking_routes.message, "Write to the other side", bodies.MessageText),
    _act("problem", booking_routes.problem, "The driver reports a problem", bodies.Problem),
    _act("start", booking_routes.start, "The driver checks in and starts", bodies.Start),
    _act("stop", booking_routes.stop, "The driver stops"),
    _act("reading", booking_routes.reading, "The driver confirms a reading", bodies.ConfirmReading),
    _act("agree", booking_routes.agree, "The driver agrees with the receipt all the same", bodies.Agree),
    _act("claim", booking_routes.claim, "The driver says it has paid", bodies.Claim),
    _act("confirm", booking_routes.confirm, "The host confirms the payment"),
    _act("review", booking_routes.review, "Review the other side", bodies.Review),
    _get(f"{_BOOKING}/receipt", booking_routes.get_receipt, "The receipt", ReceiptView, phone=True),
    _get(f"{_BOOKING}/payment", booking_routes.get_payment, "How to pay it", PaymentView, **_PAYMENT),
    _get(
        f"{_BOOKING}/payment.png",
        booking_routes.get_payment_png,
        "The QR code",
        None,
        media="image/png",
        **_PAYMENT,
    ),
    _get(
        f"{_BOOKING}/payment.svg",
        booking_routes.get_payment_svg,
        "The QR code",
        None,
        media="image/svg+xml",
        **_PAYMENT,
    ),
    _get(
        f"{_BOOKING}/photos/{{photo}}",
        photo_routes.get_booking_photo,
        "A photo that came with the address",
        None,
        media="image/jpeg",
        phone=True,
    ),
    _get(
        f"{_BOOKING}/records",
        booking_routes.get_records,
        "Every signed record, as evidence",
        booking_routes.Records,
    ),
)

_SERIES = "/v1/series/{id}"
_WEEKLY = (
    _get("/v1/series", series_routes.get_all, "The driver's weekly series", series_routes.AllSeries),
    _post(
        "/v1/series",
        series_routes.start,
        "Take a quote, and the same time of every week",
        series_routes.StartedSeries,
        series_body.StartSeries,
        status=HTTPStatus.CREATED,
    ),
    _get(_SERIES, series_routes.get_one, "One series, and its next dates", SeriesView),
    _post(f"{_SERIES}/skip", series_routes.skip, "Leave a date out", SeriesView, series_body.SkipDate),
    _post(f"{_SERIES}/move", series_routes.move, "Move a date", SeriesView, series_body.MoveDate),
    _post(
        f"{_SERIES}/price",
        series_routes.price,
        "Agree to what one date may cost from now on",
        SeriesView,
        series_body.AgreePrice,
    ),
    _post(f"{_SERIES}/end", series_routes.end, "Book nothing more of it", SeriesView),
)

_CALENDAR = "/v1/calendar"
_FEED = (
    _post(
        _CALENDAR,
        calendar_routes.feed_url,
        "The secret URL that calendars subscribe to; made if there is none",
        calendar_routes.FeedView,
    ),
    _post(
        f"{_CALENDAR}/renew",
        calendar_routes.renew_feed,
        "Another one in its place",
        calendar_routes.FeedView,
    ),
    Route(
        method="DELETE",
        path=_CALENDAR,
        handler=calendar_routes.end_feed,
        says="End the feed",
        answer=calendar_routes.FeedOff,
    ),
    _get(
        "/calendar/{name}",
        calendar_routes.get_feed,
        "Bookings as iCalendar; the name is the secret with .ics, and no other token is needed",
        None,
        media="text/calendar",
    ),
)

_PAGE = (
    _get("/", page_routes.get_page, "The phone page", None, media="text/html", phone=True),
    _get("/static/{name}", page_routes.get_static, "A file of the page", None, media="*/*", phone=True),
)

ROUTES: tuple[Route, ...] = _NODE + _CHARGERS + _PEOPLE + _FINDING + _BOOKINGS + _WEEKLY + _FEED + _PAGE
