"""The host's side of the address: the access record, another one when something in it changes, and photos.

When the first may be sent is the desk's matter. A later one follows from comparing what the driver was told
with the home as it is, whenever a booking is looked at, so that no crash and no absence leaves an old code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from ..chargers import Home
from ..effects import DropDocument, Effect, PutDocument
from ..encoding import encode
from ..limits import MAX_MESSAGE_BYTES, MAX_PHOTOS_GIVEN
from ..listing_desk import ListingDesk
from ..me import Me
from ..moment import Moment
from ..shape import to_tree
from .charger_photos import ChargerPhotos
from .kept import Booking
from .ledger import Ledger
from .records import Access
from .sealing import NONCE_BYTES, AccessRecord, seal, seal_photo
from .state import BookingState
from .wire import Exchange, write

TOLD = "access-told"  # booking -> SHA-256 of the home that its driver was told last


class HostAccess:
    """What the drivers of our bookings know of the way to the plug."""

    def __init__(
        self,
        me: Me,
        ledger: Ledger,
        listings: ListingDesk,
        documents: Mapping[str, Mapping[bytes, bytes]],
    ) -> None:
        self._me = me
        self._ledger = ledger
        self._listings = listings
        self.photos = ChargerPhotos(listings, documents)
        self._told = dict(documents.get(TOLD, {}))

    def send(self, booking: Booking, at: Moment) -> list[Effect]:
        """The access record, as the home is now."""
        home = self._listings.require(booking.quote.body.charger).home
        inner = self._me.sign(
            AccessRecord(
                author=self._me.author,
                issued=at.now,
                booking=booking.id,
                recipient=booking.driver,
                address=home.address,
                latitude=home.latitude,
                longitude=home.longitude,
                way=home.way,
                code=home.code,
                phone=home.phone,
                photos=home.photos,
            )
        )
        nonce = at.fresh(f"access {booking.id.hex()}", NONCE_BYTES)
        sealed = seal(inner.raw, nonce, booking.their_key, booking.file.secret)
        _, effects = self._ledger.write(booking, Access(**booking.set.host_fields(at.now), sealed=sealed))
        booking.photos_given = 0
        return [*effects, self._note(booking, _hash(home))]

    def react(self, booking: Booking, at: Moment) -> list[Effect]:
        """Another access record where the driver has an old one and still needs it."""
        state, told = booking.state(at.now), self._told.get(booking.id)
        if not state.access_sent:
            return []
        if not state.holds_slot:
            return [] if self._told.pop(booking.id, None) is None else [DropDocument(TOLD, booking.id)]
        settings = self._listings.settings(booking.quote.body.charger)
        if settings is None or told == (now := _hash(settings.home)):
            return []
        if told is None:  # sent by a version that kept no hash: the home is as it was then
            return [self._note(booking, now)]
        return self.send(booking, at) if self._ledger.has_room(booking) else []

    def with_photo(self, booking: Booking, wanted: bytes, answer: Exchange, at: Moment) -> Exchange:
        """The answer with the photo that the driver asks for: if it was told the address and needs it still,
        the charger has that photo, there is room, and it did not get it again and again."""
        jpeg = self._wanted(booking, booking.state(at.now), wanted)
        if jpeg is None or booking.photos_given >= MAX_PHOTOS_GIVEN:
            return answer
        nonce = at.fresh(f"photo {booking.id.hex()}", NONCE_BYTES)
        full = replace(answer, photo=seal_photo(jpeg, nonce, booking.their_key, booking.file.secret))
        if len(write(full)) > MAX_MESSAGE_BYTES:
            return answer  # the news go first; the next answer has room
        booking.photos_given += 1
        return full

    def _wanted(self, booking: Booking, state: BookingState, photo: bytes) -> bytes | None:
        settings = self._listings.settings(booking.quote.body.charger)
        if settings is None or not (booking.is_host and state.access_sent and state.holds_slot):
            return None
        return self.photos.get(photo) if photo in (settings.home.photos or ()) else None

    def _note(self, booking: Booking, told: bytes) -> Effect:
        self._told[booking.id] = told
        return PutDocument(TOLD, booking.id, told)


def _hash(home: Home) -> bytes:
    return sha256(encode(to_tree(home))).digest()
