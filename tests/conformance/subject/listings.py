"""Operations on listings, renewals and withdrawals (04-places-listings.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.discovery import search
from chargemesh_protocol.discovery.offers import newer, open_offer, open_withdrawal
from chargemesh_protocol.errors import Refused, Severity
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.listing import Listing, Need, Withdrawal
from chargemesh_protocol.record import open_record
from chargemesh_protocol.schedule import SlotMap

from ..fields import from_json


def opened(given: dict[str, Any]) -> dict[str, Any]:
    listing, renewal, bundle = (bytes.fromhex(given[name]) for name in ("listing", "renewal", "bundle"))
    offer = open_offer(listing, renewal, bundle, Directory(given["network"]), given["now"])
    body = offer.listing.body
    return {
        "author": body.author.hex(),
        "charger": body.charger.hex(),
        "sequence": body.sequence,
        "shown_until": offer.shown_until,
    }


def withdrawn(given: dict[str, Any]) -> dict[str, Any]:
    withdrawal, bundle = (bytes.fromhex(given[name]) for name in ("withdrawal", "bundle"))
    body = open_withdrawal(withdrawal, bundle, Directory(given["network"]), given["now"]).body
    return {"author": body.author.hex(), "charger": body.charger.hex(), "sequence": body.sequence}


def replaced(given: dict[str, Any]) -> dict[str, Any]:
    known, came = (open_record(bytes.fromhex(given[name]), given["network"]) for name in ("known", "came"))
    for one in (known, came):
        if not isinstance(one.body, Listing | Withdrawal):
            raise Refused("wrong-kind", "neither a listing nor a withdrawal")
    if not newer((came.body.sequence, came.id), (known.body.sequence, known.id)):
        raise Refused("superseded", "what is known is newer", Severity.STALE)
    return {"newest": came.id.hex()}


def offerable(given: dict[str, Any]) -> dict[str, Any]:
    slots = SlotMap(given["slots"]["start"], bytes.fromhex(given["slots"]["bits"]))
    return {"offerable": slots.offerable(given["start"], given["end"])}


def fits(given: dict[str, Any]) -> dict[str, Any]:
    return {"fits": search.fits(from_json(Listing, given["listing"]), from_json(Need, given["need"]))}


OPERATIONS = {
    "listing.open": opened,
    "listing.replace": replaced,
    "listing.offerable": offerable,
    "listing.fits": fits,
    "withdrawal.open": withdrawn,
}
