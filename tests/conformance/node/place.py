"""Which of its own chargers the node offers: by its topics, and what it answers about them."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.offers import Offer, open_offer
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.listing import Need
from chargemesh_protocol.record import Record

from .dialogue import listing
from .mesh import until
from .scene import Scene, now

_TOPICS_SECONDS = 3.0


async def offered(scene: Scene) -> Record[Any] | None:
    """The listing to book at: that of `--listing`, else the first whose contact is the node itself. Looked
    for in the cells whose topics the node follows (07, D15), and only once."""
    if "offered" not in scene.found:
        scene.found["offered"] = await _look(scene)
    found: Offer | None = scene.found["offered"]
    return None if found is None else found.listing


async def _look(scene: Scene) -> Offer | None:
    await until(lambda: _cells(scene), _TOPICS_SECONDS)
    directory = Directory(scene.network)
    for cell in _cells(scene):
        answer = await listing(scene.honest, wire.Query(cells=(cell,), need=Need(), limit=64))
        for item in answer.message.items if answer.word == "found" else ():
            try:
                offer = open_offer(item.listing, item.renewal, item.bundle, directory, now())
            except Refused:
                continue  # the listing checks tell of it
            body = offer.listing.body
            named = scene.listing and (offer.listing.id.hex() + body.charger.hex()).find(scene.listing) >= 0
            if named or (not scene.listing and body.contact.peer_id == scene.target.peer_id):
                return offer
    return None


def _cells(scene: Scene) -> list[int]:
    start = f"chargemesh/{scene.network}/cell/"
    return [int(one.removeprefix(start), 16) for one in sorted(scene.ear.topics) if one.startswith(start)]
