"""The driver's side of the address: the opened access record, and its photos, asked for one by one.

A photo is asked for as long as the newest access record names it and it isn't here, so that losses and
crashes need no memory of their own. All of it is deleted together.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..effects import DropDocument, Effect, PutDocument, Tell
from ..encoding import decode, encode
from ..errors import Refused
from ..identity import Directory, Scope
from ..limits import MAX_PHOTO_TRIES
from ..me import Me
from ..moment import Moment
from ..notices import notice
from ..record import open_record
from ..shape import from_tree, to_tree
from .kept import Booking
from .sealing import AccessRecord, open_photo, unseal
from .wire import Exchange

ACCESS = "access-record"  # booking -> the opened access record, deleted with the one-time secret
PHOTOS = "access-photo"  # booking + id -> JPEG, deleted with it
_FIELDS = ("address", "way", "code", "phone", "photos")


class DriverAccess:
    """What the hosts of our bookings told us of the way to the plug."""

    def __init__(self, me: Me, directory: Directory, documents: Mapping[str, Mapping[bytes, bytes]]) -> None:
        self._me = me
        self._directory = directory
        self._records = {
            booking: from_tree(AccessRecord, decode(data))
            for booking, data in documents.get(ACCESS, {}).items()
        }
        self._photos: dict[bytes, dict[bytes, bytes]] = {}
        for place, jpeg in documents.get(PHOTOS, {}).items():
            self._photos.setdefault(place[:32], {})[place[32:]] = jpeg

    def record(self, booking: Booking) -> AccessRecord | None:
        """Where the plug is, once the host has told us and until it is deleted."""
        return self._records.get(booking.id)

    def photos(self, booking: Booking) -> tuple[tuple[bytes, bytes | None], ...]:
        """(id, JPEG or None while it is on its way) of each that the newest access record names."""
        record = self._records.get(booking.id)
        held = self._photos.get(booking.id, {})
        return tuple((one, held.get(one)) for one in (record.photos if record else None) or ())

    # --- what the host sent ---------------------------------------------------------------------

    def opened(self, booking: Booking, sealed: bytes, at: Moment) -> list[Effect]:
        """An access record; the newest counts, and what it says otherwise than the last is told."""
        try:
            record = self._open(booking, sealed)
        except Refused as fault:
            return notice("booking.bad_access", booking, at, code=fault.code)
        before = self._records.get(booking.id)
        self._records[booking.id] = record
        booking.photo_tries = 0
        held = self._photos.get(booking.id, {})
        gone = [one for one in held if one not in (record.photos or ())]
        for one in gone:
            del held[one]
        effects: list[Effect] = [PutDocument(ACCESS, booking.id, encode(to_tree(record)))]
        effects += [DropDocument(PHOTOS, booking.id + one) for one in gone]
        if before is None:
            return effects + notice("booking.access", booking, at)
        changed = _changed(before, record)
        return effects + (notice("booking.access_changed", booking, at, changed=changed) if changed else [])

    def answered(self, booking: Booking, answer: Exchange, at: Moment) -> list[Effect]:
        """What an answer means for the photo that was asked for: it is kept if it is that one. An answer
        without it that brings nothing else was in vain, as from a node that knows no photos."""
        if not booking.lacks:
            return []
        wanted = booking.lacks[0]
        if answer.photo is None:
            booking.photo_tries += not answer.records
            return []
        try:
            jpeg = open_photo(answer.photo, wanted, booking.their_key, booking.file.secret)
        except Refused as fault:
            booking.photo_tries += 1
            if fault.code in booking.told_faults:
                return []
            booking.told_faults.append(fault.code)
            return notice("booking.fault", booking, at, code=fault.code)
        booking.photo_tries = 0
        self._photos.setdefault(booking.id, {})[wanted] = jpeg
        told = Tell("booking.photo", {"booking": booking.id.hex(), "photo": wanted.hex()})
        return [PutDocument(PHOTOS, booking.id + wanted, jpeg), told]

    # --- what is due ----------------------------------------------------------------------------

    def react(self, booking: Booking, at: Moment) -> None:
        """Notes which photos are asked for: none once the plug is no longer ours to find, nor of a host that
        keeps answering without (until this node starts anew, or the address changes)."""
        tries = booking.photo_tries < MAX_PHOTO_TRIES
        asks = tries and booking.file.secret and booking.state(at.now).holds_slot
        booking.lacks = tuple(one for one, jpeg in self.photos(booking) if jpeg is None) if asks else ()

    def forget(self, booking: Booking) -> list[Effect]:
        """Deletes the address and its photos."""
        booking.lacks = ()
        self._records.pop(booking.id, None)
        photos = self._photos.pop(booking.id, {})
        dropped = [DropDocument(PHOTOS, booking.id + one) for one in photos]
        return [DropDocument(ACCESS, booking.id), *dropped]

    def _open(self, booking: Booking, sealed: bytes) -> AccessRecord:
        plain = unseal(sealed, booking.their_key, booking.file.secret)
        inner = open_record(plain, self._me.network)
        body = inner.body
        if type(body) is not AccessRecord or body.author != booking.host or body.booking != booking.id:
            raise Refused("access", "the sealed record is not this booking's")
        if body.recipient != self._me.author:
            raise Refused("access", "the sealed record is for somebody else")
        self._directory.authorise(inner, booking.host, Scope.BOOK)
        return body


def _changed(before: AccessRecord, after: AccessRecord) -> list[str]:
    """Names of what is said otherwise, never what it says."""
    changed = [name for name in _FIELDS if getattr(before, name) != getattr(after, name)]
    moved = (before.latitude, before.longitude) != (after.latitude, after.longitude)
    return [*changed, "place"] if moved else changed
