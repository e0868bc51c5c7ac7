"""What the two sides of a booking tell each other, whichever way it came: over a connection or a mailbox.

The ledger knows how records travel and the desks what they mean; here a message is read, given to whom it
concerns, and answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from ..effects import Effect, Mail, Parcel, Reply
from ..errors import Refused, Severity
from ..events import MailCollected
from ..identity import Directory, open_bundle
from ..listing_desk import ListingDesk
from ..mailbox.desk import MailDesk
from ..me import Me
from ..moment import Moment
from ..notices import news, notice
from . import wire
from .driver import DriverDesk
from .host import HostDesk
from .incoming import Incoming
from .kept import Booking
from .ledger import Ledger, learn_bundle
from .rules import FORWARDED
from .sealing import NONCE_BYTES

PUSH_DELAY_MS = 2_000  # an answer carries our news; pushing them as well waits this long for a sign of it


class Settle(Protocol):
    """Brings bookings to where they should be (`Engine._settle`)."""

    def __call__(self, bookings: Sequence[Booking], at: Moment, *, wait_ms: int = 0) -> list[Effect]: ...


class PeerDesk:
    """The messages of the other sides of our bookings. Refused for what is not acceptable."""

    def __init__(
        self,
        me: Me,
        directory: Directory,
        ledger: Ledger,
        listings: ListingDesk,
        host: HostDesk,
        driver: DriverDesk,
        mail: MailDesk,
        settle: Settle,
        muted: Callable[[bytes], bool] = lambda author: False,
    ) -> None:
        """`muted`: whether the person is told of no messages of this author."""
        self._me = me
        self._directory = directory
        self._ledger = ledger
        self._incoming = Incoming(me, directory, ledger)
        self._listings = listings  # for our own contact
        self._host = host
        self._driver = driver
        self._mail = mail
        self._settle = settle
        self._muted = muted

    # --- what came ------------------------------------------------------------------------------

    def message(self, body: bytes, block: str, at: Moment, *, signs: bool) -> list[Effect]:
        """A request on the stream; a Reply is among what comes of it. `signs`: whether we may."""
        message = wire.read(body)
        if isinstance(message, wire.AskQuote):
            return self._host.quote(message, at) if signs else [unavailable("can't sign now")]
        if not isinstance(message, wire.Exchange):
            raise Refused("unexpected", "not a request")
        booking = self._ledger.get(message.booking)
        effects: list[Effect] = []
        if booking is None and not signs:
            return [unavailable("can't sign now")]
        if booking is None:
            effects += self._host.request(message, block, at)
            booking = self._ledger.get(message.booking)
            if booking is None:
                return effects  # a refusal: the reply is among them
        self._incoming.asked(booking, message)
        effects += self._take(booking, message, at)
        effects += self._settle([booking], at, wait_ms=PUSH_DELAY_MS)
        answer = self._exchange(booking, at)
        if message.wants is not None and booking.is_host:
            answer = self._host.addresses.with_photo(booking, message.wants, answer, at)
        return [*effects, Reply(wire.write(answer))]

    def answer(self, key: bytes, body: bytes, at: Moment) -> list[Effect]:
        """The response to what an outbox row sent."""
        booking = self._ledger.get(key)
        if booking is None:
            return []
        message = wire.read(body)
        if isinstance(message, wire.Failed):
            return self._failed(booking, message, at)
        if not isinstance(message, wire.Exchange) or message.booking != booking.id:
            raise Refused("unexpected", "the peer answered something else")
        effects = self._take(booking, message, at)
        if not booking.is_host:
            effects += self._driver.addresses.answered(booking, message, at)
        return effects + self._settle([booking], at)

    def collected(self, event: MailCollected, at: Moment) -> list[Effect]:
        """What lay in a mailbox, judged as if it had come now; its sender hears of it by what we owe it."""
        letter = self._mail.open(event.mailbox, event.sealed)
        message = wire.read(letter.body)
        booking = self._ledger.get(letter.booking)
        if isinstance(message, wire.Failed):
            return [] if booking is None else self._failed(booking, message, at)
        if not isinstance(message, wire.Exchange) or message.booking != letter.booking:
            raise Refused("unexpected", "a parcel that asks for nothing that can wait")
        effects: list[Effect] = []
        if booking is None:
            effects += self._host.request(message, FORWARDED + event.mailbox.peer_id, at, event.handed_in)
            booking = self._ledger.get(message.booking)
            if booking is None:
                return self._mail.reply(letter, effects, self._listings.contact, at)
        effects += self._take(booking, message, at, stored=True)
        effects += self._mail.noted(booking, letter)
        return effects + self._settle([booking], at)

    # --- what goes out --------------------------------------------------------------------------

    def parcel(self, key: bytes, at: Moment) -> Parcel | None:
        """What an outbox row of channel "peer" comes to now; None if nothing is owed any more."""
        booking = self._ledger.get(key)
        if booking is None or not (self._ledger.owes(booking) or booking.lacks):
            return None
        exchange = self._exchange(booking, at)
        if booking.lacks:
            exchange = replace(exchange, wants=booking.lacks[0])
        return Parcel(booking.file.peer, wire.PROTOCOL, wire.write(exchange))

    def mailing(self, key: bytes, at: Moment) -> Mail | None:
        """The same for the other side's mailbox, after a try in vain; None if it has none, or nothing would
        come of it that isn't there already."""
        booking = self._ledger.get(key)
        if booking is None:
            return None
        return self._mail.mailing(booking, self._nonces(booking, at), self._listings.contact, at)

    def progress(self, key: bytes) -> tuple[int, ...]:
        """Counts that grow with whatever an exchange about this booking brings either side."""
        booking = self._ledger.get(key)
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
            -len(booking.lacks),
        )

    # --- inside ---------------------------------------------------------------------------------

    def _failed(self, booking: Booking, failed: wire.Failed, at: Moment) -> list[Effect]:
        """A request refused at once ends the booking; any later refusal is only counted by the runner, and so
        is that of a node which can't answer now: it decided nothing, and is asked again."""
        if booking.is_host or booking.theirs or failed.code == wire.UNAVAILABLE:
            # The peer's own words are for people, never the name of a counter.
            raise Refused("refused-by-peer", f"{failed.code!r} {failed.message!r}", Severity.STALE)
        effects = self._ledger.update(booking, refused=failed.code, done=True)
        if booking.request.body.series is None:  # a series tries again, and tells by itself (`series.desk`)
            effects += notice("booking.refused", booking, at, code=failed.code, message=failed.message)
        return effects + self._settle([booking], at)

    def _take(
        self, booking: Booking, message: wire.Exchange, at: Moment, *, stored: bool = False
    ) -> list[Effect]:
        effects: list[Effect] = []
        if message.bundle is not None:
            effects += self._introduced(booking, message.bundle)
        merged = self._incoming.merge(booking, message, stored=stored)
        effects += merged.saves
        if message.contact is not None and not stored:
            effects += self._mail.moved(booking, message.contact, at.now)
        if booking.is_host:
            effects += [one for record in merged.fresh for one in news(booking, record, at)]
        else:
            effects += self._driver.took(booking, merged.fresh, at)
        for one in () if self._muted(booking.other) else merged.messages:
            effects += notice("booking.message", booking, at, text=one.text)
        if merged.fault is not None and merged.fault.code not in booking.told_faults:
            # Once for each reason: the other side may send the same thing again for ever.
            booking.told_faults.append(merged.fault.code)
            effects += notice("booking.fault", booking, at, code=merged.fault.code)
        return effects

    def _introduced(self, booking: Booking, data: bytes) -> list[Effect]:
        """The other side's newest bundle, kept if it brings anything."""
        if open_bundle(data, self._me.network).author != booking.other:
            raise Refused("mismatch", "the bundle of somebody else", Severity.FORGED)
        before = self._directory.get(booking.other)
        bundle, saved = learn_bundle(self._directory, data)
        return [] if bundle == before else saved

    def _exchange(self, booking: Booking, at: Moment) -> wire.Exchange:
        exchange, _ = self._ledger.parcel(booking, self._nonces(booking, at))
        return replace(exchange, contact=self._listings.contact) if self._mail.in_use else exchange

    def _nonces(self, booking: Booking, at: Moment) -> list[bytes]:
        label = booking.id.hex()
        return [
            at.fresh(f"message {label} {number}", NONCE_BYTES) for number in range(wire.MAX_MESSAGES_A_PARCEL)
        ]


def unavailable(why: str) -> Reply:
    """Decides nothing: the peer asks again later."""
    return Reply(wire.write(wire.Failed(code=wire.UNAVAILABLE, message=f"this node {why}")))
