"""Photos: those that a host adds to a charger, and those that came with an address."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.events import AddPhoto, RemovePhoto

from ..views.photos import ChargerPhotos, charger_photos
from .context import Call
from .reading import by_prefix

_JPEG = "image/jpeg"


async def get_charger_photos(call: Call) -> ChargerPhotos:
    return charger_photos(call.node, call.charger())


async def add_charger_photo(call: Call) -> ChargerPhotos:
    """The body is the picture as it is; it is made smaller, and of what stands beside the pixels nothing is
    kept."""
    charger = call.charger().charger
    jpeg = await call.context.to_photo(call.body)
    await call.node.command(AddPhoto(charger, jpeg))
    return charger_photos(call.node, call.node.runner.engine.listings.require(charger))


async def get_charger_photo(call: Call) -> Response:
    id = _photo(call, list(call.charger().home.photos or ()), "chargemesh charger photo list")
    return _image(call.node.runner.engine.host.addresses.photos.get(id))


async def remove_charger_photo(call: Call) -> ChargerPhotos:
    settings = call.charger()
    id = _photo(call, list(settings.home.photos or ()), "chargemesh charger photo list")
    await call.node.command(RemovePhoto(settings.charger, id))
    return charger_photos(call.node, call.node.runner.engine.listings.require(settings.charger))


async def get_booking_photo(call: Call) -> Response:
    photos = dict(call.node.runner.engine.driver.addresses.photos(await call.booking()))
    return _image(photos[_photo(call, list(photos), "chargemesh booking show")])


def _photo(call: Call, known: list[bytes], where: str) -> bytes:
    return by_prefix(str(call.request.path_params["photo"]), known, "photo", where)


def _image(jpeg: bytes | None) -> Response:
    if jpeg is None:
        raise PersonError(
            "photo-not-here",
            "This photo has not arrived yet.",
            "It comes by itself once the other node is there.",
            ExitCode.NOT_FOUND,
        )
    return Response(jpeg, HTTPStatus.OK, {"Cache-Control": "no-store"}, _JPEG)
