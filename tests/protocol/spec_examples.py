"""The worked examples of the specs, byte by byte, computed by the code from fixed keys."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from chargemesh_node.invite import Invite, make_link
from chargemesh_node.mdns_record import write_txt
from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.discovery import wire as discovery
from chargemesh_protocol.discovery.cells import cell_key, listing_topic
from chargemesh_protocol.encoding import Tree, encode
from chargemesh_protocol.identity import public_key
from chargemesh_protocol.identity_wire import Get
from chargemesh_protocol.identity_wire import write as write_identity
from chargemesh_protocol.listing import (
    About,
    BookingRules,
    Connector,
    ConnectorFormat,
    Listing,
    Need,
    ParkingType,
    PowerType,
    Renewal,
)
from chargemesh_protocol.place import region_of, text
from chargemesh_protocol.record import aad, parts, sig_structure, sign
from chargemesh_protocol.schedule import SlotMap
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.tariff import (
    simple_tariff,
)
from chargemesh_protocol.terms import Terms
from chargemesh_protocol.trust.entries import (
    skip_target,
)
from chargemesh_protocol.trust.sync import FIRST_KEY, LAST_KEY, CatchUp

from .spec_booking_examples import charging, exchange, log, receipt, sealing
from .spec_people import CELL, CONTACT, HOUR, NETWORK, NOW, PLACE, TRANSPORT_SEED, person, shown


def encoding() -> str:
    values: tuple[Tree, ...] = (
        0, 23, 24, 255, 256, 1_800_000_000_000, -1, 2**63 - 1, -(2**63), True, False, b"", b"\x01\x02", "",
        "ü", [], [1, [2]], {}, {0: 1, 16: "x"},
    )  # fmt: skip
    rows = ["| value | bytes |", "|---|---|"]
    rows += [f"| `{_notation(value)}` | `{encode(value).hex()}` |" for value in values]
    return "\n".join(rows)


def _notation(value: Tree) -> str:
    """CBOR's diagnostic notation (RFC 8949, section 8)."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_notation, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_notation(item)}" for key, item in value.items()) + "}"
    return str(value)


def renewal() -> str:
    record = sign(Renewal(issued=NOW, listing=b"\x11" * 32), bytes(range(32)), NETWORK)
    protected, payload, signature = parts(record.raw)
    return shown(
        (
            ("network id", NETWORK),
            ("seed of the signing key (Ed25519)", bytes(range(32)).hex()),
            ("kid", record.kid.hex()),
            ("protected header", protected.hex()),
            ("payload", payload.hex()),
            ("external_aad", aad(NETWORK).hex()),
            ("Sig_structure", sig_structure(record.raw, NETWORK).hex()),
            ("id of the record", record.id.hex()),
            ("signature", signature.hex()),
            ("the record", record.raw.hex()),
        )
    )


def identity() -> str:
    _, bundle = person(1)
    (delegation,) = bundle.delegations
    return shown(
        (
            ("seed of the root key", (b"\x11" * 32).hex()),
            ("seed of the recovery key", (b"\x12" * 32).hex()),
            ("seed of the device key", (b"\x13" * 32).hex()),
            ("payload of the genesis", parts(bundle.genesis.raw)[1].hex()),
            ("the genesis", bundle.genesis.raw.hex()),
            ("its id, which is the author", bundle.author.hex()),
            ("payload of the delegation", parts(delegation.raw)[1].hex()),
            ("the delegation", delegation.raw.hex()),
            ("the bundle", bundle.to_bytes().hex()),
            ("a question for it", write_identity(Get(authors=(bundle.author,))).hex()),
        )
    )


def listing() -> str:
    """A small one; its bitmap begins with an hour that can be had."""
    host, _ = person(1)
    record = host.sign(
        Listing(
            author=host.author, issued=NOW, charger=b"\xcc" * 16, sequence=1,
            expires=NOW + 24 * HOUR, cell=CELL,
            connectors=(Connector(
                type="IEC_62196_T2", format=ConnectorFormat.SOCKET, power_type=PowerType.AC_3_PHASE,
                max_power_w=11_000,
            ),),
            tariff=simple_tariff("EUR", per_kwh=350_000),
            slots=SlotMap(NOW, b"\xf0" + bytes(167)),
            rules=BookingRules(instant=True, min_minutes=15, max_minutes=1440, lead_minutes=0, min_trust=0),
            terms=Terms(), contact=CONTACT, zone="Europe/Berlin",
            about=About(
                title="Driveway", parking=ParkingType.ON_DRIVEWAY, access_method="OPEN", amenities=(),
                languages=("de",),
            ),
        )
    )  # fmt: skip
    renewed = host.sign(Renewal(issued=NOW, listing=record.id))
    return shown(
        (
            ("payload of a listing; slots: f0, then 167 zero bytes", parts(record.raw)[1].hex()),
            ("its id", record.id.hex()),
            ("payload of its renewal", parts(renewed.raw)[1].hex()),
        )
    )


def peer_id() -> str:
    public = public_key(TRANSPORT_SEED)
    return shown(
        (
            ("seed of the transport key", TRANSPORT_SEED.hex()),
            ("public key", public.hex()),
            ("protobuf PublicKey {type: Ed25519, data}", "08011220" + public.hex()),
            ("multihash identity (00), 36 bytes (24)", "002408011220" + public.hex()),
            ("PeerId, base58", CONTACT.peer_id),
            ("contact", encode(to_tree(CONTACT)).hex()),
        )
    )


def framing() -> str:
    ask = booking.write(booking.AskQuote(charger=b"\xcc" * 16, start=NOW, end=NOW + HOUR, energy_wh=10_000))
    failed = booking.write(booking.Failed(code="not-offerable", message="this time can't be had"))
    return shown(
        (
            ("request: ask for a quote", ask.hex()),
            ("as sent, with its length", bytes([len(ask)]).hex() + ask.hex()),
            ("response: failed", failed.hex()),
            ("as sent", bytes([len(failed)]).hex() + failed.hex()),
            ("a length of 300 bytes", "ac02"),
        )
    )


def cells() -> str:
    root = region_of(CELL)
    named: list[Tree] = ["chargemesh/cell", NETWORK, root, 0]
    query = discovery.Query(cells=(CELL,), need=Need(connector="IEC_62196_T2"), limit=64)
    return shown(
        (
            ("place", f"{PLACE.latitude} N, {PLACE.longitude} E"),
            ("public cell, resolution 7", f"{text(CELL)} = {CELL}"),
            ("its root, resolution 4", f"{text(root)} = {root}"),
            ("CBOR of the array", encode(named).hex()),
            ("key: SHA-256 of it, asked for by FIND_NODE", cell_key(NETWORK, root).hex()),
            ("place of the key among nodes: SHA-256 of the key", sha256(cell_key(NETWORK, root)).hexdigest()),
            ("gossip topic", listing_topic(NETWORK, CELL)),
            ("query", discovery.write(query).hex()),
        )
    )


def look_up() -> str:
    key = cell_key(NETWORK, region_of(CELL))
    request = b"\x08\x04\x12\x20" + key
    return shown(
        (
            ("protocol", f"/chargemesh/{NETWORK}/kad/1.0.0"),
            ("request {type: 4, key: 32 bytes}", request.hex()),
            ("as sent, with its length", bytes([len(request)]).hex() + request.hex()),
        )
    )


def skips() -> str:
    numbers = range(1, 17)
    return "\n".join(
        [
            "| entry | " + " | ".join(map(str, numbers)) + " |",
            "|---" * 17 + "|",
            "| `skip` names | " + " | ".join(str(skip_target(one) or "-") for one in numbers) + " |",
        ]
    )


def catch_up() -> str:
    empty = CatchUp(first=FIRST_KEY, last=LAST_KEY, cursors=(), items=(), wanted=(), bundles=())
    return shown((("question of a node with no logs at all", empty.to_bytes().hex()),))


def invite() -> str:
    given = Invite(NETWORK, (CONTACT,))
    return shown(
        (
            ("CBOR", encode({0: 1, **to_tree(given)}).hex()),
            ("the link", make_link(given)),
            ("the same peer's TXT record for mDNS", write_txt(CONTACT, loopback=False).hex()),
        )
    )


EXAMPLES: dict[str, Callable[[], str]] = {
    "": renewal,
    "encoding": encoding,
    "identity": identity,
    "listing": listing,
    "charging": charging,
    "peer-id": peer_id,
    "framing": framing,
    "cells": cells,
    "look-up": look_up,
    "receipt": receipt,
    "exchange": exchange,
    "sealing": sealing,
    "log": log,
    "skips": skips,
    "catch-up": catch_up,
    "invite": invite,
}
