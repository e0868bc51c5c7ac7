"""A host's chargers and what the world is told of them: listings, renewals, withdrawals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .booking.availability import taken
from .booking.calendar import Calendar
from .chargers import ChargerSettings, OwnListing, make_listing
from .contact import Contact
from .effects import Announce, DropDocument, Effect, PutDocument, Result
from .encoding import decode, encode
from .errors import ExitCode, PersonError
from .limits import CLOCK_TOLERANCE_MS, MAX_LISTING_BYTES, MAX_LISTING_LIFE_MS
from .listing import Listing, Renewal, Withdrawal
from .me import Me
from .record import Record, open_record
from .shape import from_tree, to_tree

SETTINGS = "charger"
LISTINGS = "own-listing"
_SINCE_A_BACKUP = 1_000_000  # more listings than any charger has in the life of a backup
_REISSUE_MS = MAX_LISTING_LIFE_MS // 2  # well before it expires, and the bitmap's window moves along


class ListingDesk:
    """Owns charger settings and own listings. A charger that is paused or away has a withdrawal instead.

    contact: where we answer, for listings and for the requests of our own driver.
    """

    def __init__(
        self, me: Me, calendar: Calendar, documents: Mapping[str, Mapping[bytes, bytes]], contact: Contact
    ) -> None:
        self._me = me
        self._calendar = calendar
        self.contact = contact
        self._settings = {
            charger: from_tree(ChargerSettings, decode(data))
            for charger, data in documents.get(SETTINGS, {}).items()
        }
        self._published = {
            charger: from_tree(OwnListing, decode(data))
            for charger, data in documents.get(LISTINGS, {}).items()
        }
        self._listings: dict[bytes, Record[Listing]] = {}
        for charger, own in self._published.items():
            if own.raw and charger in self._settings:
                record = open_record(own.raw, me.network)
                if type(record.body) is Listing:
                    self._listings[charger] = record

    # --- what others ask ------------------------------------------------------------------------

    def settings(self, charger: bytes) -> ChargerSettings | None:
        return self._settings.get(charger)

    def known(self) -> tuple[bytes, ...]:
        """Every charger that is or was offered."""
        return tuple(self._published)

    def all_settings(self) -> tuple[ChargerSettings, ...]:
        return tuple(self._settings.values())

    def require(self, charger: bytes) -> ChargerSettings:
        found = self._settings.get(charger)
        if found is None:
            raise PersonError(
                "no-such-charger",
                "There is no such charger.",
                "`chargemesh charger list` shows them.",
                ExitCode.NOT_FOUND,
            )
        return found

    def listing(self, charger: bytes) -> Record[Listing] | None:
        """The newest listing, None while the charger is not offered."""
        return self._listings.get(charger)

    def newest_raw(self, charger: bytes) -> bytes | None:
        """The listing or withdrawal as it was last signed."""
        own = self._published.get(charger)
        return own.raw if own is not None and own.raw else None

    def renewal(self, charger: bytes, now: int) -> Record[Renewal] | None:
        """A fresh renewal of the newest listing; small, and not worth keeping."""
        listing = self._listings.get(charger)
        return None if listing is None else self._me.sign(Renewal(issued=now, listing=listing.id))

    # --- commands -------------------------------------------------------------------------------

    def put(self, settings: ChargerSettings, now: int) -> list[Effect]:
        """Adds a charger or changes it; PersonError, and no change, if no listing can say all that."""
        charger = settings.charger
        try:
            saved = PutDocument(SETTINGS, charger, encode(to_tree(settings)))
            fits = len(self._signed(settings, now).raw) <= MAX_LISTING_BYTES
        except ValueError as error:
            raise PersonError(
                "bad-charger", f"The charger can't be described so: {error}.", "Change that and try again."
            ) from error
        if not fits:
            raise PersonError("bad-charger", "Its listing would be too long.", "Simplify the tariff.")
        self._settings[charger] = settings
        return [saved, *self.publish(charger, now), Result({"charger": charger.hex()})]

    def keep(self, settings: ChargerSettings) -> Effect:
        """Changes what strangers see nothing of: the listing stays as it is."""
        self._settings[settings.charger] = settings
        return PutDocument(SETTINGS, settings.charger, encode(to_tree(settings)))

    def pause(self, charger: bytes, paused: bool, now: int) -> list[Effect]:
        """Withdraws it, or lists it again above whatever another node published that signs as we do: such
        sequences begin at the millisecond of a restore (`restored`)."""
        settings = replace(self.require(charger), paused=paused)
        own = self._published.get(charger)
        if own is not None and not paused:
            self._published[charger] = replace(own, sequence=max(own.sequence, now))
        return self.put(settings, now)

    def remove(self, charger: bytes, now: int) -> list[Effect]:
        """Withdraws the listing and forgets the settings; bookings are the booking desks' matter."""
        settings = self.require(charger)
        withdrawn = self._withdraw(settings, now)
        del self._settings[charger]
        return [*withdrawn, DropDocument(SETTINGS, charger), Result({"charger": charger.hex()})]

    def contact_changed(self, contact: Contact, now: int) -> list[Effect]:
        """Our address is another: every listing must say so."""
        self.contact = contact
        return self.due(now)

    # --- publishing -----------------------------------------------------------------------------

    def publish(self, charger: bytes, now: int) -> list[Effect]:
        """A new listing sequence: something that it says has changed."""
        settings = self._settings[charger]
        if settings.paused:
            return self._withdraw(settings, now)
        listing = self._signed(settings, now)
        self._listings[charger] = listing
        own = OwnListing(raw=listing.raw, sequence=listing.body.sequence)
        return [self._keep(charger, own), Announce(charger)]

    def restored(self, now: int) -> list[Effect]:
        """After a restore: since the backup, listings had sequences that it does not know of, also those of
        chargers that were never listed before it.

        They go on from this millisecond (no charger is listed anew more often than that), so that they pass
        those of an earlier restore of the same backup as well.
        """
        effects: list[Effect] = []
        for charger in dict.fromkeys((*self._published, *self._settings)):
            own = self._published.get(charger, OwnListing(raw=b"", sequence=0))
            beyond = max(own.sequence + _SINCE_A_BACKUP, now)
            effects.append(self._keep(charger, replace(own, sequence=beyond)))
            if charger in self._listings:
                effects += self.publish(charger, now)
        return effects

    def due(self, now: int) -> list[Effect]:
        """Listings that grow old, name an address that we no longer have, or were dated by a wrong clock, are
        issued again."""
        return [
            effect
            for charger, listing in list(self._listings.items())
            if not now - _REISSUE_MS < listing.body.issued <= now + CLOCK_TOLERANCE_MS
            or listing.body.contact != self.contact
            for effect in self.publish(charger, now)
        ]

    def deadline(self) -> int | None:
        return min((one.body.issued + _REISSUE_MS for one in self._listings.values()), default=None)

    def _withdraw(self, settings: ChargerSettings, now: int) -> list[Effect]:
        charger = settings.charger
        if charger not in self._listings:
            return []
        sequence = self._next_sequence(charger)
        del self._listings[charger]
        record = self._me.sign(
            Withdrawal(
                author=self._me.author, issued=now, charger=charger, sequence=sequence, cell=settings.cell
            )
        )
        return [self._keep(charger, OwnListing(raw=record.raw, sequence=sequence)), Announce(charger)]

    def _signed(self, settings: ChargerSettings, now: int) -> Record[Listing]:
        return self._me.sign(
            make_listing(
                settings,
                author=self._me.author,
                sequence=self._next_sequence(settings.charger),
                contact=self.contact,
                busy=taken(settings, self._calendar, now),
                now=now,
            )
        )

    def _next_sequence(self, charger: bytes) -> int:
        own = self._published.get(charger)
        return 1 if own is None else own.sequence + 1

    def _keep(self, charger: bytes, own: OwnListing) -> PutDocument:
        self._published[charger] = own
        return PutDocument(LISTINGS, charger, encode(to_tree(own)))
