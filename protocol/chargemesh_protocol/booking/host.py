"""The host's side of bookings: quotes, requests, and what each booking's state asks of the host next.

`react` is level-triggered: it looks at what stands and does what is due, so that after a crash, a
duplicate or a long absence the same call brings a booking to where it should be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..chargers import ChargerSettings
from ..effects import DropDocument, Effect, PutDocument, ReleaseSlot, Reply, Result
from ..errors import PersonError, Refused, Severity
from ..identity import Directory, Scope
from ..listing_desk import ListingDesk
from ..me import Me
from ..moment import Moment, earliest
from ..notices import notice
from ..place import region_of
from ..policy import Otherwise
from ..record import Record, open_as
from ..series.agreed import SeriesAgreed
from .availability import offerable
from .calendar import Calendar
from .changes import HostChanges
from .charging import ChargingDesk
from .host_access import HostAccess
from .kept import Booking, BookingFile, Role
from .ledger import Ledger, learn_bundle
from .quotes import QuoteMaker
from .records import (
    Acknowledge,
    CancelReason,
    Countersign,
    Decline,
    DeclineReason,
    HostCancel,
    NoShow,
    Paid,
    Quote,
    Request,
)
from .rules import (
    FORWARDED,
    FORWARDED_SHARE,
    WEEK_MS,
    AskPerson,
    Load,
    No,
    Standing,
    Take,
    Wish,
    judge,
    no_more_addresses,
    quotable,
    weigh,
    wish_of,
)
from .sealing import require_key
from .state import BookingState
from .table import Reservation, Session
from .unanswered import waiting_for_person
from .walk_in import proves_presence
from .wire import AskQuote, Exchange, Failed, QuoteGiven, write

STRANGERS = "stranger-access"  # booking -> when its access record went to a stranger
_MINUTE_MS = 60_000
_HEARING_MS = 10 * _MINUTE_MS  # after a start: longer than a driver's node waits between two tries
_NOT_OFFERABLE = No("not-offerable", "this time can't be had")
_OPEN = (Reservation.PENDING, Reservation.RESERVED)


class HostDesk:
    """Bookings of this node's own chargers. `standing(author, now)` is this node's opinion of a driver."""

    def __init__(
        self,
        me: Me,
        directory: Directory,
        ledger: Ledger,
        listings: ListingDesk,
        calendar: Calendar,
        charging: ChargingDesk,
        standing: Callable[[bytes, int], Standing],
        documents: Mapping[str, Mapping[bytes, bytes]],
    ) -> None:
        self._me = me
        self._directory = directory
        self._ledger = ledger
        self._listings = listings
        self._calendar = calendar
        self._charging = charging
        self._standing = standing
        self._quotes = QuoteMaker(me, documents)
        self.series = SeriesAgreed(documents)
        self.addresses = HostAccess(me, ledger, listings, documents)
        self.changes = HostChanges(
            me, ledger, listings, calendar, charging, self._quotes, standing, self._load
        )
        self._up_since: int | None = None
        self._stranger_access = {
            booking: int.from_bytes(at, "big") for booking, at in documents.get(STRANGERS, {}).items()
        }

    # --- what drivers send ----------------------------------------------------------------------

    def quote(self, ask: AskQuote, at: Moment) -> list[Effect]:
        """A quote or a refusal in which booked, closed and away look alike."""
        if ask.booking is not None:
            return self.changes.quote(ask, at)
        settings = self._listings.settings(ask.charger)
        listing = self._listings.listing(ask.charger)
        if settings is None or listing is None:
            return [_failed(_NOT_OFFERABLE)]
        if ask.end <= ask.start:
            return [_failed(No("duration", "the end must be after the start"))]
        refusal = quotable(settings, ask.start, ask.end, at.now)
        if refusal is None and not self._offerable(settings, ask.start, ask.end, at.now):
            refusal = _NOT_OFFERABLE
        if refusal is not None:
            return [_failed(refusal)]
        effects = self._quotes.turn_day(at)
        try:
            record = self._quotes.make(ask, settings, listing, at)
        except ValueError as error:
            return [*effects, _failed(No("unpriceable", str(error)))]
        return [*effects, Reply(write(QuoteGiven(quote=record.raw, bundle=self._me.bundle)))]

    def request(
        self, exchange: Exchange, block: str, at: Moment, handed_in: int | None = None
    ) -> list[Effect]:
        """The first message of a booking, also if it was `handed_in` at a mailbox. Raises Refused for what is
        forged or malformed."""
        quote, request, bundle = self._open_request(exchange)
        settings = self._listings.settings(quote.body.charger)
        secret = self._quotes.secret_of(quote.body)
        if settings is None or secret is None:
            return [_failed(No("quote-expired", "the quote has expired; ask for a new one"))]
        standing = self._standing(request.body.author, at.now)
        free = self._offerable(settings, quote.body.start, quote.body.end, at.now)
        load = self._load(request.body.author, block, at.now)
        agreed = self.series.covers(request.body, quote.body, at.now)
        verdict = judge(
            settings, quote.body, request.body, standing, load, free, at.now, handed_in, agreed=agreed
        )
        if isinstance(verdict, No):
            return [_failed(verdict)]
        _, effects = learn_bundle(self._directory, bundle)
        booking, opened = self._ledger.open(
            BookingFile(
                role=Role.HOST,
                quote=quote.raw,
                request=request.raw,
                secret=secret,
                peer=request.body.contact,
                region=region_of(settings.cell),
                title=settings.about.title,
                zone=settings.hours.zone,
                stranger=standing.stranger,
                walk_in=proves_presence(settings.host_policy.walk_in, request.body) or None,
                block=block,
            )
        )
        effects += opened
        if isinstance(verdict, AskPerson):
            effects += notice("booking.requested", booking, at, why=verdict.why)
        else:
            effects += self._accept(booking, settings, at)
        return effects

    # --- what the host does ---------------------------------------------------------------------

    def decide(self, booking: Booking, accept: bool, at: Moment) -> list[Effect]:
        """A person answers a request that waits, or a change of it."""
        state = booking.state(at.now)
        if state.change is not None and (accept or state.reservation is not Reservation.PENDING):
            return self.changes.decide(booking, state, accept, at)
        if state.reservation is not Reservation.PENDING:
            raise PersonError(
                "not-pending",
                f"This booking is {state.reservation.name} already.",
                "`chargemesh booking show` says what became of it.",
            )
        if not accept:
            _, effects = self._write(booking, Decline, at, reason=DeclineReason.HOST_DECLINED)
            return [*effects, Result({"booking": booking.id.hex(), "reservation": "REJECTED"})]
        settings = self._listings.require(booking.quote.body.charger)
        if not self._calendar.free(settings.charger, booking.quote.body.start, booking.quote.body.end):
            raise PersonError(
                "slot-taken",
                "Somebody else has that time by now.",
                "Decline it with `chargemesh booking decline`.",
            )
        effects = self._accept(booking, settings, at)
        return [*effects, Result({"booking": booking.id.hex(), "reservation": "RESERVED"})]

    def cancel(self, booking: Booking, reason: CancelReason, at: Moment) -> list[Effect]:
        """Takes the slot back, or ends charging in it: a host is never without their own wallbox."""
        state = booking.state(at.now)
        if state.reservation not in (*_OPEN, Reservation.FULFILLED) or state.session is Session.COMPLETED:
            raise PersonError(
                "not-cancellable",
                f"This booking is {state.reservation.name}; there is nothing to cancel.",
                "`chargemesh booking show` says what became of it, `chargemesh bookings` lists the others.",
            )
        _, effects = self._write(booking, HostCancel, at, reason=reason)
        effects += self.series.revoke(booking.request.body)
        reservation = booking.state(at.now).reservation
        return [*effects, Result({"booking": booking.id.hex(), "reservation": reservation.name})]

    def confirm_paid(self, booking: Booking, at: Moment) -> list[Effect]:
        """The payee's signature over the receipt: proof of payment."""
        state = booking.state(at.now)
        if state.receipt is None:
            raise PersonError(
                "no-receipt",
                "There is no receipt to be paid yet.",
                "Your node writes it when charging has ended.",
            )
        if state.paid is not None:
            return [Result({"booking": booking.id.hex(), "settlement": "PAID"})]
        rail = state.claimed.body.rail if state.claimed is not None else "manual"
        _, effects = self._write(booking, Paid, at, receipt=state.receipt.id, rail=rail)
        return [*effects, Result({"booking": booking.id.hex(), "settlement": "PAID"})]

    # --- what is due ----------------------------------------------------------------------------

    def react(self, booking: Booking, at: Moment) -> list[Effect]:
        """Everything this booking asks of the host at this instant."""
        effects: list[Effect] = []
        if self._up_since is None:
            self._up_since = at.now
        effects += self._in_place_of_person(booking, at)
        state = booking.state(at.now)
        access_due = self._access_due(booking, state)
        if access_due is not None and at.now >= access_due:
            effects += self._send_access(booking, at)
        effects += self.addresses.react(booking, at)
        no_show = self._no_show_due(state)
        if no_show is not None and at.now >= no_show:
            effects += self._write(booking, NoShow, at)[1]
            effects += notice("booking.no_show", booking, at)
        # What the driver signed takes effect by being included, so that comes before acting on it.
        while self._must_acknowledge(booking, booking.state(at.now)):
            effects += self._write(booking, Acknowledge, at)[1]
        effects += self.changes.react(booking, at)
        effects += self._charging.react(booking, at)
        state = booking.state(at.now)
        if not state.holds_slot and self._calendar.release(booking.id):
            effects.append(ReleaseSlot(booking.id))
            if self._listings.settings(booking.quote.body.charger) is not None:
                effects += self._listings.publish(booking.quote.body.charger, at.now)
        return effects

    def due(self, now: int) -> list[Effect]:
        """What time alone asks of the host, whatever the bookings."""
        old = [booking for booking, sent in self._stranger_access.items() if sent <= now - WEEK_MS]
        for booking in old:
            del self._stranger_access[booking]
        dropped = [DropDocument(STRANGERS, booking) for booking in old]
        return [*self._quotes.due(now), *self.series.due(now), *dropped]

    def woke(self) -> None:
        """As after a start: this node could not act until now."""
        self._up_since = None

    def deadline(self) -> int | None:
        """When `due` has something to do."""
        oldest = min(self._stranger_access.values(), default=None)
        stranger = None if oldest is None else oldest + WEEK_MS
        return earliest(self._quotes.deadline(), self.series.deadline(), stranger)

    def deadline_of(self, booking: Booking, now: int) -> int | None:
        """When `react` has something to do for this booking that no event announces."""
        state = booking.state(now)
        end = state.quote.end
        wanted = [self._charging.deadline(booking, now), end if now < end else None]
        return earliest(
            *wanted,
            self._access_due(booking, state),
            self._no_show_due(state),
            self._person_due(booking, state),
            self.changes.deadline(state),
        )

    def _access_due(self, booking: Booking, state: BookingState) -> int | None:
        """When to send the address; None if it was sent, or there is none to tell any more."""
        if state.reservation is not Reservation.RESERVED or state.access_sent:
            return None
        return state.access_due if self._listings.settings(booking.quote.body.charger) else None

    def _no_show_due(self, state: BookingState) -> int | None:
        """When to say that nobody came. A node that was off first hears what drivers say."""
        if state.reservation is not Reservation.RESERVED or state.accept is None:
            return None
        if state.no_show_from is None or self._up_since is None:
            return None
        was_off = self._up_since > max(state.quote.start, state.agreed_at or 0)
        return max(state.no_show_from, self._up_since + _HEARING_MS) if was_off else state.no_show_from

    def _must_acknowledge(self, booking: Booking, state: BookingState) -> bool:
        """Countersigns need no record of their own while a ticket is to come, or if they add nothing."""
        if not state.not_included or not self._ledger.has_room(booking):
            return False
        waiting = [one for id_ in state.not_included if (one := booking.set.get(id_))]
        if any(type(one.body) is not Countersign for one in waiting):
            return True
        signed_for_more = booking.as_signed(state).countersigned > state.countersigned
        return state.session is not Session.ACTIVE and signed_for_more

    # --- the rules, whoever asks ----------------------------------------------------------------

    def weigh(
        self,
        settings: ChargerSettings,
        wish: Wish,
        author: bytes,
        block: str,
        now: int,
        *,
        but: bytes | None = None,
        asked: int | None = None,
    ) -> Take | AskPerson | No:
        """What the rules make of a wish of `author`; the booking `but` is neither taken time nor load."""
        standing, load = self._standing(author, now), self._load(author, block, now, but)
        free = self._offerable(settings, wish.start, wish.end, now, but=but)
        return weigh(settings, wish, standing, load, free, now, asked)

    def _person_due(self, booking: Booking, state: BookingState) -> int | None:
        """When this node reminds its person of a request, or answers it."""
        waiting = waiting_for_person(state)
        if waiting is None:
            return None
        return earliest(None if booking.file.reminded else waiting.remind_at, waiting.due)

    def _in_place_of_person(self, booking: Booking, at: Moment) -> list[Effect]:
        """Reminds the person of a request in time, and does what its quote says if they don't answer."""
        waiting = waiting_for_person(booking.state(at.now))
        if waiting is None:
            return []
        if at.now >= waiting.due:
            return self._answer_unasked(booking, waiting.otherwise, at)
        if waiting.remind_at is None or at.now < waiting.remind_at or booking.file.reminded:
            return []
        told = self._ledger.update(booking, reminded=True)
        return told + notice("booking.answer_due", booking, at, by=waiting.due, then=waiting.otherwise.name)

    def _answer_unasked(self, booking: Booking, otherwise: Otherwise, at: Moment) -> list[Effect]:
        settings = self._listings.settings(booking.quote.body.charger)
        reason = DeclineReason.RULES
        if otherwise is Otherwise.ACCEPT:
            if settings is not None and self._may_accept_unasked(booking, settings, at.now):
                return self._accept(booking, settings, at)
            reason = DeclineReason.NOT_OFFERABLE
        _, effects = self._write(booking, Decline, at, reason=reason)
        return effects + notice("booking.unanswered", booking, at)

    def _may_accept_unasked(self, booking: Booking, settings: ChargerSettings, now: int) -> bool:
        """Whether calendar and bounds still allow it: only so many strangers a week get the address."""
        request, walk_in = booking.request.body, bool(booking.file.walk_in)
        wish = wish_of(booking.quote.body, request, walk_in=walk_in)
        block, id_ = booking.file.block, booking.id
        verdict = self.weigh(settings, wish, booking.driver, block, now, but=id_, asked=request.issued)
        if isinstance(verdict, No):
            return False
        counts = booking.file.stranger and not walk_in
        return not (counts and no_more_addresses(settings, self._load(booking.driver, block, now, id_)))

    # --- inside ---------------------------------------------------------------------------------

    def _open_request(self, exchange: Exchange) -> tuple[Record[Quote], Record[Request], bytes]:
        if exchange.opening is None or exchange.bundle is None or not exchange.records:
            raise Refused("unknown-booking", "no such booking here", Severity.STALE)
        quote = open_as(Quote, exchange.opening, self._me.network)
        request = open_as(Request, exchange.records[0], self._me.network)
        if quote.body.author != self._me.author:
            raise Refused("not-ours", "a quote of another host")
        self._directory.authorise(quote, self._me.author, Scope.LIST)
        if request.body.quote != quote.id or request.id != exchange.booking:
            raise Refused("mismatch", "quote, request and booking do not belong together", Severity.FORGED)
        bundle = self._directory.learn(exchange.bundle)
        if bundle.author != request.body.author or bundle.author == self._me.author:
            raise Refused("mismatch", "the bundle is not the driver's", Severity.FORGED)
        self._directory.authorise(request, request.body.author, Scope.BOOK)
        require_key(request.body.one_time_key)
        return quote, request, exchange.bundle

    def _offerable(
        self, settings: ChargerSettings, start: int, end: int, now: int, *, but: bytes | None = None
    ) -> bool:
        listed = self._listings.listing(settings.charger) is not None
        return listed and offerable(settings, self._calendar, start, end, now, but=but)

    def _load(self, author: bytes, block: str, now: int, but: bytes | None = None) -> Load:
        by_key = by_block = pending = promised = 0
        for one in self._ledger.awake():
            state = one.state(now)
            if not one.is_host or state.reservation not in _OPEN or one.id == but:
                continue
            by_key += one.driver == author
            if one.file.stranger:
                pending += state.reservation is Reservation.PENDING
            if one.file.stranger and not one.file.walk_in:
                by_block += one.file.block == block
                promised += state.reservation is Reservation.RESERVED and not state.access_sent
        recent = sum(1 for sent in self._stranger_access.values() if sent > now - WEEK_MS)
        forwarded = block.startswith(FORWARDED)
        share = by_block // FORWARDED_SHARE if forwarded else by_block
        return Load(by_key, share, pending, recent + promised)

    def _accept(self, booking: Booking, settings: ChargerSettings, at: Moment) -> list[Effect]:
        return self.changes.accept(booking, settings, at)

    def _send_access(self, booking: Booking, at: Moment) -> list[Effect]:
        effects = self.addresses.send(booking, at)
        if booking.file.stranger and not booking.file.walk_in:
            self._stranger_access[booking.id] = at.now
            effects.append(PutDocument(STRANGERS, booking.id, at.now.to_bytes(8, "big")))
        return effects

    def _write(
        self, booking: Booking, cls: type[Any], at: Moment, **fields: Any
    ) -> tuple[Record[Any], list[Effect]]:
        """The next record of the host's chain; includes what the driver sent since the last."""
        record, effects = self._ledger.write(booking, cls(**booking.set.host_fields(at.now), **fields))
        return record, effects


def _failed(refusal: No) -> Reply:
    return Reply(write(Failed(code=refusal.code, message=refusal.message)))
