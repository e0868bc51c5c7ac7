"""The photos of a host's own chargers: kept by their ids, named in the home of the charger, and shown to
nobody but the drivers who were told the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..chargers import ChargerSettings
from ..effects import DropDocument, Effect, PutDocument, Result
from ..errors import ExitCode, PersonError, Refused
from ..limits import MAX_PHOTOS
from ..listing_desk import ListingDesk
from .photos import check_photo, photo_id

PHOTOS = "charger-photo"  # id -> JPEG


class ChargerPhotos:
    """Changes the homes of chargers, and no listing."""

    def __init__(self, listings: ListingDesk, documents: Mapping[str, Mapping[bytes, bytes]]) -> None:
        self._listings = listings
        self._photos = dict(documents.get(PHOTOS, {}))

    def get(self, photo: bytes) -> bytes | None:
        """The JPEG, if a charger of ours has it."""
        return self._photos.get(photo)

    def add(self, charger: bytes, jpeg: bytes) -> list[Effect]:
        """Adds a photo as the last one; the same one again changes nothing. PersonError if it is none."""
        settings = self._listings.require(charger)
        try:
            check_photo(jpeg)
        except Refused as fault:
            raise PersonError("bad-photo", f"That is {fault.message}.", "", ExitCode.USAGE) from fault
        photo, known = photo_id(jpeg), settings.home.photos or ()
        told = Result({"charger": charger.hex(), "photo": photo.hex()})
        if photo in known:
            return [told]
        if len(known) == MAX_PHOTOS:
            raise PersonError(
                "too-many-photos",
                f"A charger has at most {MAX_PHOTOS} photos.",
                "Remove one with `chargemesh charger photo remove` first.",
                ExitCode.USAGE,
            )
        self._photos[photo] = jpeg
        return [PutDocument(PHOTOS, photo, jpeg), self._shown(settings, (*known, photo)), told]

    def remove(self, charger: bytes, photo: bytes) -> list[Effect]:
        """Drivers who have it are told that it is no longer part of the address."""
        settings = self._listings.require(charger)
        known = settings.home.photos or ()
        if photo not in known:
            raise PersonError(
                "no-such-photo",
                "This charger has no such photo.",
                "`chargemesh charger photo list` shows them.",
                ExitCode.NOT_FOUND,
            )
        saved = self._shown(settings, tuple(one for one in known if one != photo))
        told = Result({"charger": charger.hex(), "photo": photo.hex()})
        return [saved, *self._dropped((photo,)), told]

    def with_photos(self, settings: ChargerSettings) -> ChargerSettings:
        """Settings as they are to be kept: with the photos that the charger has."""
        before = self._listings.settings(settings.charger)
        photos = None if before is None else before.home.photos
        return replace(settings, home=replace(settings.home, photos=photos))

    def forget(self, settings: ChargerSettings) -> list[Effect]:
        """Those of a charger that is no longer there."""
        return self._dropped(settings.home.photos or ())

    def _shown(self, settings: ChargerSettings, photos: tuple[bytes, ...]) -> Effect:
        return self._listings.keep(replace(settings, home=replace(settings.home, photos=photos or None)))

    def _dropped(self, photos: tuple[bytes, ...]) -> list[Effect]:
        """Those of them that no charger shows any more."""
        shown = {one for settings in self._listings.all_settings() for one in settings.home.photos or ()}
        gone = [one for one in photos if one not in shown]
        for one in gone:
            self._photos.pop(one, None)
        return [DropDocument(PHOTOS, one) for one in gone]
