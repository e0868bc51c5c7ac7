"""The trust log as its owner reaches it: vouching, and entries that came by another way than the network."""

from __future__ import annotations

import base64
import binascii
from typing import TypedDict

from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.events import VouchFor
from chargemesh_protocol.place import ROOT_RESOLUTION, region_of, require_public_cell, resolution_of
from chargemesh_protocol.trust.sync import Item

from ..node import Node
from ..views import people
from ..views.people import Trust
from .context import Call


class Taken(TypedDict):
    """fresh: entries not known before. unknown: by people whose bundle was missing. refused: by code."""

    fresh: int
    unknown: int
    refused: dict[str, int]


async def vouch(call: Call) -> Trust:
    """Stands up for somebody; what this node thinks of them then."""
    call.require_owner()
    subject = author_of(call.id)
    region = _usual_region(call.node, subject) if call.body.region is None else region_from(call.body.region)
    await call.node.command(VouchFor(subject, call.body.stands, region))
    return people.trust(call.node, subject)


async def offer_entries(call: Call) -> Taken:
    """Judged like a peer's, kept if good, and told on to the network."""
    call.require_owner()
    items = [
        Item(raw=_bytes(one.raw), content=None if one.content is None else _bytes(one.content))
        for one in call.body.entries
    ]
    taken = call.node.replica.offer([_bytes(one) for one in call.body.bundles], items)
    refused: dict[str, int] = {}
    for fault, _ in taken.refused:
        refused[fault.code] = refused.get(fault.code, 0) + 1
    return {"fresh": len(taken.fresh), "unknown": len(taken.aside), "refused": refused}


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise _bad("entries", f"not base64: {error}") from error


def _usual_region(node: Node, subject: bytes) -> int:
    """Where we met them or, lacking that, where we are at home."""
    engine = node.runner.engine
    met = [one for one in engine.ledger.overview(node.clock.now()).values() if one.other == subject]
    if met:
        return max(met, key=lambda one: one.asked).region
    return region_here(node, "Where do you vouch for them? You have no booking with them, and no charger.")


def region_here(node: Node, question: str = "Where is that said? You have no charger.") -> int:
    """Where we are at home, by our first charger; PersonError with the question where there is none."""
    for settings in node.runner.engine.listings.all_settings():
        return region_of(settings.cell)
    raise PersonError(
        "no-region", question, "Name a place within some kilometres by --near PLACE.", ExitCode.USAGE
    )


def region_from(text: str) -> int:
    """Checked here: a draft with another region could never be signed."""
    try:
        cell = require_public_cell(int(text, 16))
    except (Refused, ValueError):
        raise _bad("region", "an H3 cell in hexadecimal is needed") from None
    if resolution_of(cell) != ROOT_RESOLUTION:
        raise _bad("region", f"a cell of resolution {ROOT_RESOLUTION} is needed")
    return cell


def author_of(text: str) -> bytes:
    """An author by all 64 characters."""
    try:
        author = bytes.fromhex(text)
    except ValueError:
        author = b""
    if len(author) != 32:
        raise PersonError(
            "no-such-person", f"{text[:20]!r} is no author.", "Write all 64 characters.", ExitCode.NOT_FOUND
        )
    return author


def _bad(field: str, why: str) -> PersonError:
    return PersonError("bad-value", f"{field}: {why}.", "", ExitCode.USAGE)
