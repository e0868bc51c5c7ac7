"""Photos of a charger as its host sees them, and beside an address as the driver does; never their bytes."""

from __future__ import annotations

from typing import TypedDict

from chargemesh_protocol.booking.kept import Booking
from chargemesh_protocol.booking.photos import check_photo
from chargemesh_protocol.chargers import ChargerSettings

from ..node import Node


class PhotoView(TypedDict):
    """One photo, a JPEG. here: false while the driver's node still asks for it; then the rest is 0."""

    id: str
    here: bool
    bytes: int
    width: int
    height: int


class ChargerPhotos(TypedDict):
    """In the order in which they are shown."""

    charger: str
    photos: list[PhotoView]


def charger_photos(node: Node, settings: ChargerSettings) -> ChargerPhotos:
    shelf = node.runner.engine.host.addresses.photos
    photos = [_view(one, shelf.get(one)) for one in settings.home.photos or ()]
    return {"charger": settings.charger.hex(), "photos": photos}


def booking_photos(node: Node, booking: Booking) -> list[PhotoView]:
    """Those that the newest access record names."""
    return [_view(id, jpeg) for id, jpeg in node.runner.engine.driver.addresses.photos(booking)]


def _view(id: bytes, jpeg: bytes | None) -> PhotoView:
    if jpeg is None:
        return {"id": id.hex(), "here": False, "bytes": 0, "width": 0, "height": 0}
    width, height = check_photo(jpeg)
    return {"id": id.hex(), "here": True, "bytes": len(jpeg), "width": width, "height": height}
