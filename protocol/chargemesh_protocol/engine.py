"""The core of a node: routes each event to the machine that owns the matter, and owns no rules itself.

    effects = engine.handle(event, Moment(now, seed))

What the machines hold in memory is what the store holds: if the returned saves can't be committed, the
engine is thrown away and built again from the store. A PersonError or Refused leaves nothing changed
that matters: commands check before they act, and peers' records are taken one whole record at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .booking import wire
from .booking.calendar import Calendar
from .booking.charging import ChargingDesk
from .booking.commands import BookingCommands
from .booking.driver import DriverDesk
from .booking.host import HostDesk
from .booking.imported import ImportDesk
from .booking.kept import Booking
from .booking.ledger import BUNDLES, Ledger, learn_bundle
from .booking.retention import Retention
from .booking.rules import Standing
from .booking.sealing import NONCE_BYTES
from .clock import ClockVerdict, ClockWatch, clock_is_wrong
from .contact import Contact
from .effects import Announce, Effect, HoldSlot, Parcel, PutDocument, Reply, Result
from .errors import ExitCode, PersonError, Refused, Severity
from .events import (
    Book,
    BusyRead,
    BusyUnreadable,
    ContactChanged,
    Event,
    MessageReceived,
    OwnLogFound,
    ParcelAnswered,
    PauseCharger,
    PutCharger,
    RemoveCharger,
    SayEntry,
    StartFailed,
    TimerDue,
    VouchFor,
    WallboxRemembered,
    WallboxSaid,
)
from .identity import Directory, open_bundle
from .listing_desk import ListingDesk
from .me import Me
from .moment import Moment, earliest
from .notices import news, notice
from .trust.desk import TrustDesk
from .trust.drafts import BatchDelay
from .trust.keeper import Keeper
from .trust.month import month_of

WALLBOX_MEMORY = "wallbox-memory"
PUSH_DELAY_MS = 2_000  # an answer carries our news; pushing them as well waits this long for a sign of it


@dataclass(frozen=True, slots=True)
class EngineState:
    """What a store holds: see `node.ports.Loaded`."""

    documents: Mapping[str, Mapping[bytes, bytes]]
    records: Mapping[bytes, Sequence[bytes]]
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
        for bundle in state.documents.get(BUNDLES, {}).values():
            directory.learn(bundle, keep=True)
        directory.learn(me.bundle, keep=True)
        self.calendar = Calendar(state.slots, ImportDesk.times_in(state.documents))
        self.ledger = Ledger(me, directory)
        self.ledger.restore(state.documents, state.records)
        self.listings = ListingDesk(me, self.calendar, state.documents, contact)
        self.imports = ImportDesk(self.calendar, self.listings, state.documents)
        self.charging = ChargingDesk(self.ledger, self.listings)
        self.keeper = Keeper(me, state.documents, delay, read_only=read_only)
        self.trust = TrustDesk(me, self.ledger, self.keeper)
        self._standing = standing
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
        self._commands = BookingCommands(self.ledger, self.host, self.driver, self.trust)
        self._retention = Retention(self.ledger, self.driver)
        self.wallbox_memory = dict(state.documents.get(WALLBOX_MEMORY, {}))

    def standing(self, author: bytes, now: int) -> Standing:
        """The opinion given at construction, and whether this driver owes us for an earlier receipt."""
        opinion = self._standing(author)
        known = opinion.known or self.ledger.completed_with(author)
        return replace(opinion, known=known, unpaid=self.ledger.owed_by(author, now))

    # --- the one entry --------------------------------------------------------------------------

    def handle(self, event: Event, at: Moment) -> list[Effect]:
        """Everything that `event` leads to. PersonError for a command, Refused for a peer's message."""
        verdict = self.clock.judge(at.now)
        self._signs = verdict.trusted
        self._to_resume |= not verdict.trusted
        unsigned: list[Effect] | None = None
        if self.keeper.read_only and not isinstance(event, OwnLogFound):
            unsigned = self._while_read_only(event)
        elif not verdict.trusted:
            unsigned = self._while_clock_is_wrong(event, verdict)
        effects = self._route(event, at) if unsigned is None else unsigned
        return effects + self.clock.saved(effects)

    def _route(self, event: Event, at: Moment) -> list[Effect]:
        match event:
            case OwnLogFound(logs=logs):
                adopted = self.keeper.adopt(logs) + self.ledger.mark_restored()
                adopted += self.listings.restored(at.now)
                self.keeper.read_only = False
                return adopted + self._due(at)
            case MessageReceived(block=block, body=body):
                return self._message(body, block, at)
            case ParcelAnswered(key=key, body=body):
                return self._answer(key, body, at)
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
                return self.listings.contact_changed(contact, at.now)
            case PutCharger(settings=settings, busy=busy):
                return self.listings.put(settings, at.now) + self.imports.put(settings, busy, at)
            case BusyRead(charger=charger, source=source, found=found):
                return self.imports.found(charger, source, found, at)
            case BusyUnreadable(charger=charger, source=source, fault=fault):
                return self.imports.failed(charger, source, fault, at)
            case PauseCharger(charger=charger, paused=paused):
                return self.listings.pause(charger, paused, at.now)
            case RemoveCharger(charger=charger):
                self._require_no_open_booking(charger, at.now)
                return self.listings.remove(charger, at.now) + self.imports.forget(charger)
            case VouchFor(subject=subject, stands=stands, region=region):
                said = self.keeper.vouch(subject, stands, month_of(at.now), region, at)
                return [*said, Result({"subject": subject.hex(), "stands": stands})]
            case SayEntry(kind=kind, fields=fields, region=region):
                waits = self.keeper.say(kind, fields, month_of(at.now), region, at)
                return [*waits, Result({"kind": kind})]
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
            return [_unavailable("is being restored")]
        if isinstance(event, ContactChanged):
            self.listings.contact = event.contact  # to be published once we may sign
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
                self.listings.contact = contact  # to be published once we may sign
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
            *of_bookings,
        )

    def _deadline_of(self, booking: Booking, now: int) -> int | None:
        """The next instant at which something is due for this booking; None if it may rest."""
        kept = self._retention.deadline(booking, now)
        if booking.file.done or booking.file.restored:
            return kept
        receipt = booking.agreed_receipt(now)
        return earliest(
            kept,
            booking.state(now).next_deadline,
            self.host.deadline_of(booking, now) if booking.is_host else None,
            None if receipt is None else self.trust.deadline(booking, receipt),
        )

    def parcel(self, key: bytes, at: Moment) -> Parcel | None:
        """What an outbox row of channel "peer" comes to now; None if nothing is owed any more."""
        booking = self.ledger.get(key)
        if booking is None or not self.ledger.owes(booking):
            return None
        return Parcel(booking.file.peer, wire.PROTOCOL, wire.write(self._exchange(booking, at)))

    def progress(self, key: bytes) -> tuple[int, ...]:
        """Counts that grow with whatever an exchange about this booking brings either side."""
        booking = self.ledger.get(key)
        if booking is None:
            return ()
        return (
            booking.peer_known,
            booking.peer_heard,
            len(booking.peer_held),
            len(booking.mine),
            len(booking.theirs),
            len(booking.messages),
            len(booking.statements),
        )

    def _require_no_open_booking(self, charger: bytes, now: int) -> None:
        if self.calendar.busy(charger, now):
            raise PersonError(
                "booked", "This charger still has bookings.", "Cancel them first, or pause the charger."
            )

    # --- messages of peers ----------------------------------------------------------------------

    def _message(self, body: bytes, block: str, at: Moment) -> list[Effect]:
        message = wire.read(body)
        if isinstance(message, wire.AskQuote):
            return self.host.quote(message, at) if self._signs else [_unavailable("can't sign now")]
        if not isinstance(message, wire.Exchange):
            raise Refused("unexpected", "not a request")
        booking = self.ledger.get(message.booking)
        effects: list[Effect] = []
        if booking is None and not self._signs:
            return [_unavailable("can't sign now")]
        if booking is None:
            effects += self.host.request(message, block, at)
            booking = self.ledger.get(message.booking)
            if booking is None:
                return effects  # a refusal: the reply is among them
        self.ledger.asked(booking, message)
        effects += self._take(booking, message, at)
        effects += self._settle([booking], at, wait_ms=PUSH_DELAY_MS)
        return [*effects, Reply(wire.write(self._exchange(booking, at)))]

    def _answer(self, key: bytes, body: bytes, at: Moment) -> list[Effect]:
        booking = self.ledger.get(key)
        if booking is None:
            return []
        message = wire.read(body)
        if isinstance(message, wire.Failed):
            return self._failed(booking, message, at)
        if not isinstance(message, wire.Exchange) or message.booking != booking.id:
            raise Refused("unexpected", "the peer answered something else")
        return self._take(booking, message, at) + self._settle([booking], at)

    def _failed(self, booking: Booking, failed: wire.Failed, at: Moment) -> list[Effect]:
        """A request refused at once ends the booking; any later refusal is only counted by the runner, and so
        is that of a node which can't answer now: it decided nothing, and is asked again."""
        if booking.is_host or booking.theirs or failed.code == wire.UNAVAILABLE:
            # The peer's own words are for people, never the name of a counter.
            raise Refused("refused-by-peer", f"{failed.code!r} {failed.message!r}", Severity.STALE)
        effects = self.ledger.update(booking, refused=failed.code, done=True)
        effects += notice("booking.refused", booking, at, code=failed.code, message=failed.message)
        return effects + self.ledger.delivery(booking, at.now)

    def _take(self, booking: Booking, message: wire.Exchange, at: Moment) -> list[Effect]:
        effects: list[Effect] = []
        if message.bundle is not None:
            effects += self._introduced(booking, message.bundle)
        merged = self.ledger.merge(booking, message)
        effects += merged.saves
        if booking.is_host:
            effects += [one for record in merged.fresh for one in news(booking, record, at)]
        else:
            effects += self.driver.took(booking, merged.fresh, at)
        for one in merged.messages:
            effects += notice("booking.message", booking, at, text=one.text)
        if merged.fault is not None and merged.fault.code not in booking.told_faults:
            # Once for each reason: the other side may send the same thing again for ever.
            booking.told_faults.append(merged.fault.code)
            effects += notice("booking.fault", booking, at, code=merged.fault.code)
        return effects

    def _introduced(self, booking: Booking, data: bytes) -> list[Effect]:
        """The other side's newest bundle, kept if it brings anything."""
        if open_bundle(data, self.me.network).author != booking.other:
            raise Refused("mismatch", "the bundle of somebody else", Severity.FORGED)
        before = self.directory.get(booking.other)
        bundle, saved = learn_bundle(self.directory, data)
        return [] if bundle == before else saved

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
            delivery = self.ledger.delivery(booking, at.now, wait_ms=wait_ms)
            effects += delivery
        return effects

    def _due(self, at: Moment) -> list[Effect]:
        if not self._signs:
            return self._settle([one for one in self.ledger.awake() if not one.file.done], at)
        effects = self._resumed(at) if self._to_resume else []
        effects += self.listings.due(at.now) + self.keeper.cut(at) + self.host.due(at.now)
        for booking in self.ledger.awake():
            if not booking.file.done:
                effects += self._settle([booking], at)
            effects += self._retention.due(booking, at.now)
            if self._deadline_of(booking, at.now) is None:
                self.ledger.rest(booking)
        return effects

    def _resumed(self, at: Moment) -> list[Effect]:
        """The clock is right again: what was noted by the wrong one is forgotten, listings are renewed."""
        self._to_resume = False
        self.host.woke()
        self.charging.woke(at.now)
        return [Announce(charger) for charger in self.listings.known()]

    def _exchange(self, booking: Booking, at: Moment) -> wire.Exchange:
        label = booking.id.hex()
        nonces = [
            at.fresh(f"message {label} {number}", NONCE_BYTES) for number in range(wire.MAX_MESSAGES_A_PARCEL)
        ]
        exchange, _ = self.ledger.parcel(booking, nonces)
        return exchange


def _unavailable(why: str) -> Reply:
    """Decides nothing: the peer asks again later."""
    return Reply(wire.write(wire.Failed(code=wire.UNAVAILABLE, message=f"this node {why}")))
