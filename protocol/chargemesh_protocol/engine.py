"""The core of a node: routes each event to the machine that owns the matter, and owns no rules itself.

    effects = engine.handle(event, Moment(now, seed))

What the machines hold in memory is what the store holds: if the returned saves can't be committed, the
engine is thrown away and built again from the store. A PersonError or Refused leaves nothing changed
that matters: commands check before they act, and peers' records are taken one whole record at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .acquaintances import Acquaintances
from .booking import wire
from .booking.calendar import Calendar
from .booking.charging import ChargingDesk
from .booking.commands import BookingCommands
from .booking.driver import DriverDesk
from .booking.host import HostDesk
from .booking.imported import ImportDesk
from .booking.kept import Booking
from .booking.ledger import Ledger
from .booking.peers import PeerDesk, unavailable
from .booking.post import undelivered
from .booking.rest import MOST_WOKEN_AT_ONCE, Rest
from .booking.retention import Retention
from .booking.rows import BUNDLES, BookingRows
from .booking.rules import Standing
from .clock import ClockVerdict, ClockWatch, clock_is_wrong
from .contact import Contact
from .effects import Announce, Effect, HoldSlot, Mail, Parcel, PutDocument, Result
from .errors import ExitCode, PersonError
from .events import (
    AddPhoto,
    Block,
    Book,
    BusyRead,
    BusyUnreadable,
    ContactChanged,
    DropMember,
    Event,
    MailCollected,
    MailHandedIn,
    MessageReceived,
    OwnLogFound,
    ParcelAnswered,
    PauseCharger,
    PutCharger,
    PutMember,
    RemoveCharger,
    RemovePhoto,
    SayEntry,
    StartFailed,
    TimerDue,
    Unblock,
    UseMailboxes,
    VouchFor,
    WallboxRemembered,
    WallboxSaid,
)
from .identity import Directory
from .listing_desk import ListingDesk
from .mailbox.desk import MailDesk
from .me import Me
from .moment import Moment, earliest
from .series.commands import SERIES_EVENTS
from .series.machine import SeriesMachine
from .trust.desk import TrustDesk
from .trust.drafts import BatchDelay
from .trust.keeper import Keeper
from .trust.month import month_of

WALLBOX_MEMORY = "wallbox-memory"


@dataclass(frozen=True, slots=True)
class EngineState:
    """What a store holds, where it leaves out bookings at rest: see `node.ports.Loaded`."""

    documents: Mapping[str, Mapping[bytes, bytes]]
    records: Mapping[bytes, Mapping[bytes, bytes]]
    slots: Sequence[HoldSlot]


class Engine:
    """One node's core. `standing` is its opinion of a driver (see `trust`), `peer_offsets` what it knows of
    its peers' clocks (see `clock`)."""

    def __init__(
        self,
        me: Me,
        directory: Directory,
        state: EngineState,
        contact: Contact,
        standing: Callable[[bytes], Standing],
        delay: BatchDelay,
        read_only: bool = False,
        peer_offsets: Callable[[], Sequence[int]] = tuple,
    ) -> None:
        self.me = me
        self.clock = ClockWatch(me.newest, state.documents, peer_offsets)
        self._signs = True  # at the instant that is being handled
        self._to_resume = False
        self.directory = directory
        directory.keep(state.documents.get(BUNDLES, {}))
        directory.learn(me.bundle, keep=True)
        self.calendar = Calendar(state.slots, ImportDesk.times_in(state.documents))
        self.ledger = Ledger(me, directory)
        self.ledger.restore(state.documents, state.records)
        self.mail = MailDesk(me, self.ledger, state.documents)
        self.listings = ListingDesk(me, self.calendar, state.documents, self.mail.contact(contact))
        self.imports = ImportDesk(self.calendar, self.listings, state.documents)
        self.charging = ChargingDesk(self.ledger, self.listings)
        self.keeper = Keeper(me, state.documents, delay, read_only=read_only)
        self.trust = TrustDesk(me, self.ledger, self.keeper)
        self._standing = standing
        self.people = Acquaintances(me, state.documents)
        self.host = HostDesk(
            me,
            directory,
            self.ledger,
            self.listings,
            self.calendar,
            self.charging,
            self.standing,
            state.documents,
        )
        self.driver = DriverDesk(me, directory, self.ledger, self.listings, state.documents)
        self.peers = PeerDesk(
            me,
            directory,
            self.ledger,
            self.listings,
            self.host,
            self.driver,
            self.mail,
            self._settle,
            muted=lambda author: author in self.people.blocked,
        )
        desks = (self.listings, self.host, self.driver)
        self.series = SeriesMachine(me, self.ledger, *desks, state.documents)
        self._commands = BookingCommands(self.ledger, self.host, self.driver, self.trust)
        self._retention = Retention(self.ledger, self.driver)
        self._rest = Rest(self.host, self.charging, self.trust, self._retention)
        self.wallbox_memory = dict(state.documents.get(WALLBOX_MEMORY, {}))

    def standing(self, author: bytes, now: int) -> Standing:
        """The opinion given at construction, and whether this driver owes us for an earlier receipt."""
        opinion = self._standing(author)
        known = opinion.known or self.ledger.completed_with(author)
        return replace(
            opinion,
            known=known,
            unpaid=self.ledger.owed_by(author, now),
            with_me=max(opinion.with_me, self.ledger.completions_with(author)),
            group=self.people.group_of(author),
            blocked=author in self.people.blocked,
        )

    # --- the one entry --------------------------------------------------------------------------

    def wants(self, event: Event, now: int) -> tuple[bytes, ...]:
        """Bookings at rest that must be loaded before `event` is handled. Refused for a malformed message."""
        resting = self.ledger.resting
        named: Sequence[bytes]
        match event:
            case TimerDue():
                acts = self.trusts(now) and not self.keeper.read_only
                named = resting.due(now, MOST_WOKEN_AT_ONCE) if acts else ()
            case MessageReceived(body=body):
                message = wire.read(body) if resting else None
                named = [message.booking] if isinstance(message, wire.Exchange) else ()
            case ParcelAnswered(key=key):
                named = [key]
            case MailCollected(mailbox=mailbox, sealed=sealed):
                named = [self.mail.open(mailbox, sealed).booking] if resting else ()
            case MailHandedIn(mail=mail):
                named = [mail.booking]
            case _:
                named = [one for one in [getattr(event, "booking", None)] if one is not None]
        return tuple(one for one in named if one in resting)

    def load(self, booking: bytes, rows: BookingRows) -> None:
        """Takes a booking at rest into memory. PersonError if what the store has of it is damaged."""
        self.ledger.load(booking, rows)

    def handle(self, event: Event, at: Moment) -> list[Effect]:
        """Everything that `event` leads to, once what it `wants` is loaded. PersonError for a command,
        Refused for a peer's message."""
        verdict = self.clock.judge(at.now)
        self._signs = verdict.trusted
        self._to_resume |= not verdict.trusted
        unsigned: list[Effect] | None = None
        if self.keeper.read_only and not isinstance(event, OwnLogFound):
            unsigned = self._while_read_only(event)
        elif not verdict.trusted:
            unsigned = self._while_clock_is_wrong(event, verdict)
        effects = self._route(event, at) if unsigned is None else unsigned
        effects += self.ledger.woken()
        return effects + self.clock.saved(effects)

    def _route(self, event: Event, at: Moment) -> list[Effect]:
        if isinstance(event, SERIES_EVENTS):
            touched, effects = self.series.handle(event, at)
            return effects + self._settle(touched, at)
        match event:
            case OwnLogFound(logs=logs):
                adopted = self.keeper.adopt(logs) + self.ledger.mark_restored(at.now)
                adopted += self.listings.restored(at.now)
                self.keeper.read_only = False
                return adopted + self._due(at)
            case MessageReceived(block=block, body=body):
                return self.peers.message(body, block, at, signs=self._signs)
            case ParcelAnswered(key=key, body=body):
                return self.peers.answer(key, body, at)
            case MailCollected():
                return self.peers.collected(event, at)
            case MailHandedIn(mail=mail, number=number, proof=proof):
                effects = self.mail.handed_in(mail, number, proof, at)
                return effects + self._settle([one for one in [self.ledger.get(mail.booking)] if one], at)
            case UseMailboxes(volunteers=volunteers, auto=auto):
                effects = self.mail.use(volunteers, auto, at.now)
                contact = self.mail.contact(self.listings.contact)
                return effects + self.listings.contact_changed(contact, at.now)
            case WallboxSaid(charger=charger, report=report):
                effects, touched = self.charging.said(charger, report, at, signs=self._signs)
                return effects + self._settle(touched, at)
            case StartFailed(booking=booking_id, code=code, message=message):
                booking = self.ledger.require(booking_id)
                return self.charging.start_failed(booking, code, message, at) + self._settle([booking], at)
            case WallboxRemembered(charger=charger, memory=memory):
                self.wallbox_memory[charger] = memory
                return [PutDocument(WALLBOX_MEMORY, charger, memory)]
            case TimerDue():
                return self._due(at)
            case ContactChanged(contact=contact):
                return self.listings.contact_changed(self.mail.contact(contact), at.now)
            case PutCharger() | RemoveCharger() | AddPhoto() | RemovePhoto():
                return self._own_charger(event, at)
            case BusyRead(charger=charger, source=source, found=found):
                return self.imports.found(charger, source, found, at)
            case BusyUnreadable(charger=charger, source=source, fault=fault):
                return self.imports.failed(charger, source, fault, at)
            case PauseCharger(charger=charger, paused=paused):
                return self.listings.pause(charger, paused, at.now)
            case VouchFor(subject=subject, stands=stands, region=region):
                said = self.keeper.vouch(subject, stands, month_of(at.now), region, at)
                return [*said, Result({"subject": subject.hex(), "stands": stands})]
            case SayEntry(kind=kind, fields=fields, region=region):
                waits = self.keeper.say(kind, fields, month_of(at.now), region, at)
                return [*waits, Result({"kind": kind})]
            case PutMember(author=author, name=name, group=group):
                return self.people.put_member(author, name, group)
            case DropMember(author=author):
                return self.people.drop_member(author)
            case Block(author=author, reason=reason):
                return self.people.block(author, reason, at.now)
            case Unblock(author=author):
                return self.people.unblock(author)
            case Book():
                booking, effects = self.driver.book(event, at)
                return effects + self._settle([booking], at)
            case _:
                booking = self.ledger.require(event.booking)
                return self._commands.do(event, booking, at) + self._settle([booking], at)

    def _while_read_only(self, event: Event) -> list[Effect]:
        """A restored node signs nothing until peers were asked for its newest entry: it could fork its own
        log and its bookings. Wallboxes say what they said again once their driver starts anew."""
        if isinstance(event, MessageReceived):
            return [unavailable("is being restored")]
        if isinstance(event, ContactChanged):
            self.listings.contact = self.mail.contact(event.contact)  # to be published once we may sign
        if isinstance(
            event,
            ParcelAnswered
            | ContactChanged
            | WallboxSaid
            | StartFailed
            | BusyRead
            | BusyUnreadable
            | TimerDue,
        ):
            return []
        if isinstance(event, WallboxRemembered):
            return [PutDocument(WALLBOX_MEMORY, event.charger, event.memory)]
        raise self._not_yet_asked()

    def require_signing(self, now: int) -> None:
        """PersonError while a command that signs would be refused whatever it says."""
        if self.keeper.read_only:
            raise self._not_yet_asked()
        if not (verdict := self.clock.judge(now)).trusted:
            raise clock_is_wrong(verdict)

    def _not_yet_asked(self) -> PersonError:
        return PersonError(
            "read-only",
            "This node was restored from a backup and may not sign yet.",
            "`chargemesh join LINK` lets it ask a peer for its newest entry; `chargemesh restore --force` "
            "goes without, and says first what that risks.",
            ExitCode.NOT_ALLOWED,
        )

    def _while_clock_is_wrong(self, event: Event, verdict: ClockVerdict) -> list[Effect] | None:
        """None for what is handled as ever but for what would be signed (see `_settle`): news of bookings are
        taken in, and boxes listened to. What is due waits; PersonError for a command."""
        match event:
            case MessageReceived() | ParcelAnswered() | WallboxSaid() | WallboxRemembered() | TimerDue():
                return None
            case ContactChanged(contact=contact):
                self.listings.contact = self.mail.contact(contact)  # to be published once we may sign
                return []
            case StartFailed() | BusyRead() | BusyUnreadable():
                return []  # it is tried again
            case _:
                raise clock_is_wrong(verdict)

    def trusts(self, now: int) -> bool:
        """Whether what is due by this clock may be done."""
        return self.clock.judge(now).trusted

    def deadline(self, now: int) -> int | None:
        """The next instant at which something is due without any event."""
        if self.keeper.read_only or not self.trusts(now):
            return None
        if self._to_resume:
            return now
        of_bookings = [self._deadline_of(booking, now) for booking in self.ledger.awake()]
        return earliest(
            self.listings.deadline(),
            self.keeper.deadline(),
            self.host.deadline(),
            self.clock.deadline(),
            self.ledger.resting.deadline(),
            *of_bookings,
        )

    def _deadline_of(self, booking: Booking, now: int) -> int | None:
        """The next instant at which something is due for this booking, if only its rest."""
        rests = self._rest.begins(booking, now)
        # What was loaded to be looked at was due to rest long ago, but not late.
        kept = earliest(self._retention.deadline(booking, now), None if rests is None else max(rests, now))
        if booking.file.done or booking.file.restored:
            return kept
        return earliest(
            kept,
            booking.state(now).next_deadline,
            self.host.deadline_of(booking, now) if booking.is_host else None,
            self._rest.wakes(booking, now),
        )

    def parcel(self, key: bytes, at: Moment) -> Parcel | None:
        """What an outbox row of channel "peer" comes to now; None if nothing is owed any more."""
        return self.peers.parcel(key, at)

    def mailing(self, key: bytes, at: Moment) -> Mail | None:
        """The same for the other side's mailbox, after a try in vain; None if nothing would come of it."""
        signs = not self.keeper.read_only and self.trusts(at.now)
        return self.peers.mailing(key, at) if signs else None

    def has_arrived(self, key: bytes) -> bool:
        """Whether the other side has said that it holds everything of ours."""
        booking = self.ledger.get(key)
        return booking is not None and not undelivered(booking)

    def progress(self, key: bytes) -> tuple[int, ...]:
        """Counts that grow with whatever an exchange about this booking brings either side."""
        return self.peers.progress(key)

    def _require_no_open_booking(self, charger: bytes, now: int) -> None:
        if self.calendar.busy(charger, now):
            raise PersonError(
                "booked", "This charger still has bookings.", "Cancel them first, or pause the charger."
            )

    # --- what follows ---------------------------------------------------------------------------

    def _settle(self, bookings: Sequence[Booking], at: Moment, *, wait_ms: int = 0) -> list[Effect]:
        """Brings bookings to where they should be, and owes the other side what is new."""
        effects: list[Effect] = []
        for booking in bookings:
            desk = self.host if booking.is_host else self.driver
            if not self._signs:
                effects += self.charging.react_unsigned(booking, at) if booking.is_host else []
            elif not booking.file.refused and not booking.file.restored:
                effects += desk.react(booking, at)
                receipt = booking.agreed_receipt(at.now)
                if receipt is not None:
                    effects += self.trust.tend(booking, receipt, at)
            effects += self.series.own.noticed(booking, at)
            delivery = self.ledger.delivery(booking, at.now, wait_ms=wait_ms)
            effects += delivery
        return effects

    def _own_charger(
        self, event: PutCharger | RemoveCharger | AddPhoto | RemovePhoto, at: Moment
    ) -> list[Effect]:
        """What the host does to a charger; drivers who know the way there are told if it is another now."""
        photos = self.host.addresses.photos
        match event:
            case PutCharger(settings=settings, busy=busy):
                settings, charger = photos.with_photos(settings), settings.charger
                done = self.listings.put(settings, at.now) + self.imports.put(settings, busy, at)
            case AddPhoto(charger=charger, jpeg=jpeg):
                done = photos.add(charger, jpeg)
            case RemovePhoto(charger=charger, photo=photo):
                done = photos.remove(charger, photo)
            case RemoveCharger(charger=charger):
                self._require_no_open_booking(charger, at.now)
                settings = self.listings.require(charger)
                done = self.listings.remove(charger, at.now) + self.imports.forget(charger)
                return done + photos.forget(settings)
        here = [one for one in self.ledger.awake() if one.is_host and one.quote.body.charger == charger]
        return done + self._settle(here, at)

    def _due(self, at: Moment) -> list[Effect]:
        if not self._signs:
            return self._settle([one for one in self.ledger.awake() if not one.file.done], at)
        effects = self._resumed(at) if self._to_resume else []
        effects += self.listings.due(at.now) + self.host.due(at.now)
        effects += self.keeper.index() + self.keeper.cut(at)
        for booking in self.ledger.awake():
            if not booking.file.done:
                effects += self._settle([booking], at)
            effects += self._retention.due(booking, at.now)
            effects += self._laid_to_rest(booking, at)
        return effects

    def _laid_to_rest(self, booking: Booking, at: Moment) -> list[Effect]:
        begins = self._rest.begins(booking, at.now)
        if begins is None or at.now < begins or self.ledger.get(booking.id) is None:
            return []
        return self.ledger.rest(booking, self._rest.wakes(booking, at.now), at.now)

    def _resumed(self, at: Moment) -> list[Effect]:
        """The clock is right again: what was noted by the wrong one is forgotten, listings are renewed."""
        self._to_resume = False
        self.host.woke()
        self.charging.woke(at.now)
        return [Announce(charger) for charger in self.listings.known()]
