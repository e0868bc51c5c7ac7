"""The worked examples of the specs, byte by byte, computed by the code from fixed keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

import nacl.bindings as sodium

from chargemesh_node.invite import Invite, make_link
from chargemesh_node.mdns_record import write_txt
from chargemesh_node.p2p.peer_id import peer_id_of
from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.booking.receipt import reckon_session
from chargemesh_protocol.booking.records import Quote, ReadingContext, Request, Ticket
from chargemesh_protocol.booking.sealing import Message, one_time_keypair, seal_message
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery import wire as discovery
from chargemesh_protocol.discovery.cells import cell_key, listing_topic
from chargemesh_protocol.encoding import Tree, encode
from chargemesh_protocol.identity import Bundle, create_identity, public_key
from chargemesh_protocol.identity_wire import Get
from chargemesh_protocol.identity_wire import write as write_identity
from chargemesh_protocol.listing import Need, Renewal
from chargemesh_protocol.me import Me
from chargemesh_protocol.place import Point, public_cell, region_of, text
from chargemesh_protocol.pricing import worst_case
from chargemesh_protocol.record import Record, aad, parts, sig_structure, sign
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.tariff import PriceComponent, PricePlan, TariffDimension, TariffPeriod
from chargemesh_protocol.terms import Terms
from chargemesh_protocol.trust.entries import (
    Completion,
    CompletionStatement,
    ReviewContent,
    Stars,
    booking_hash,
    commitment_of,
    content_bytes,
    content_hash,
    skip_target,
)
from chargemesh_protocol.trust.month import month_of
from chargemesh_protocol.trust.sync import FIRST_KEY, LAST_KEY, CatchUp

NETWORK = "chargemesh-test-example"
NOW = 1_800_000_000_000  # 15 January 2027, 08:00 UTC
HOUR = 3_600_000
PLACE = Point(52.52, 13.405)
CELL = public_cell(PLACE)
TRANSPORT_SEED = b"\x09" * 32
CONTACT = Contact(peer_id_of(TRANSPORT_SEED), ("/ip4/192.0.2.7/tcp/4001",))
Steps = Iterable[tuple[str, str]]


def shown(steps: Steps) -> str:
    return "\n".join(["```", *(f"{name}:\n{_wrapped(value)}" for name, value in steps), "```"])


def _wrapped(value: str) -> str:
    return "\n".join(f"  {value[at : at + 96]}" for at in range(0, len(value), 96))


def _person(number: int) -> tuple[Me, Bundle]:
    """Host (1) or driver (2): root, recovery and device seeds are one byte repeated 32 times."""
    root, recovery, device = (bytes([16 * number + part]) * 32 for part in (1, 2, 3))
    bundle = create_identity(
        root_seed=root,
        recovery_key=public_key(recovery),
        device_key=public_key(device),
        network=NETWORK,
        now=NOW - 24 * HOUR,
        life_ms=365 * 24 * HOUR,
    )
    return Me(bundle.author, bundle.to_bytes(), NETWORK, device), bundle


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
    _, bundle = _person(1)
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


def plan() -> PricePlan:
    """0.30 EUR a kWh, from 09:00 0.40, in 100 Wh; parking 6 EUR an hour; 1 EUR to begin; 20 % tax on top."""
    flat = PriceComponent(TariffDimension.FLAT, 1_000_000)
    parking = PriceComponent(TariffDimension.PARKING_TIME, 6_000_000, 60)
    return PricePlan(
        currency="EUR",
        periods=(
            TariffPeriod(NOW, (PriceComponent(TariffDimension.ENERGY, 300_000, 100), parking, flat)),
            TariffPeriod(NOW + HOUR, (PriceComponent(TariffDimension.ENERGY, 400_000, 100), parking, flat)),
        ),
        max_price=20_000_000,
        tax_bp=2_000,
        tax_included=False,
    )


READINGS = ((0, 0), (45, 5_000), (75, 10_001), (105, 12_345), (120, 12_345))  # minutes, Wh


def receipt() -> str:
    quote, tickets = _quote(), _tickets()
    own = reckon_session(quote, tickets)
    rows = ["| line | quantity | price | amount |", "|---|---|---|---|"]
    rows += [f"| {one.dimension} | {one.quantity} | {one.price} | {one.amount} |" for one in own.lines]
    sums = ("adjustment", "tax", "rounding", "total")
    rows += [f"| `{name}` | | | {getattr(own, name)} |" for name in sums]
    rows += [f"| `cap` of a quote for 3 h at 11 kW | | | {quote.cap} |"]
    return "\n".join(rows)


def _quote() -> Quote:
    end, most = NOW + 3 * HOUR, 33_000
    key, _ = one_time_keypair(b"\x21" * 32)
    return Quote(
        author=_person(1)[0].author, issued=NOW, listing=b"\x11" * 32, charger=b"\xcc" * 16, start=NOW,
        end=end, plan=plan(), energy_wh=10_000, estimate=5_000_000, cap=worst_case(plan(), NOW, end, most),
        expires=NOW + 900_000, one_time_key=key, terms=Terms(), instant=True, access_lead_minutes=120,
    )  # fmt: skip


def _tickets() -> list[Ticket]:
    host = _person(1)[0].author
    return [
        Ticket(
            author=host, issued=NOW, booking=b"b" * 32, number=1, previous=b"b" * 32, includes=(),
            at=NOW + minutes * 60_000, energy_wh=energy, register_wh=energy, power_w=0, cost=0,
            context=ReadingContext.SAMPLE_PERIODIC,
        )
        for minutes, energy in READINGS
    ]  # fmt: skip


def _request() -> tuple[Record[Quote], Record[Request]]:
    host, driver = _person(1)[0], _person(2)[0]
    quote = host.sign(_quote())
    key, _ = one_time_keypair(b"\x22" * 32)
    request = Request(
        author=driver.author,
        issued=NOW,
        quote=quote.id,
        one_time_key=key,
        contact=CONTACT,
        expires=NOW + HOUR,
    )
    return quote, driver.sign(request)


def exchange() -> str:
    quote, request = _request()
    driver, _ = _person(2)
    answer = booking.Exchange(booking=request.id)
    first = booking.Exchange(
        booking=request.id, records=(request.raw,), opening=quote.raw, bundle=driver.bundle
    )
    return shown(
        (
            ("payload of the quote", parts(quote.raw)[1].hex()),
            ("id of the quote", quote.id.hex()),
            ("payload of the request", parts(request.raw)[1].hex()),
            ("id of the request, which is the booking's", request.id.hex()),
            ("the driver's first exchange", booking.write(first).hex()),
            ("the host's, with nothing to say yet", booking.write(answer).hex()),
        )
    )


def sealing() -> str:
    _, request = _request()
    host, driver = _person(1)[0], _person(2)[0]
    ours, secret = one_time_keypair(b"\x21" * 32)
    theirs, _ = one_time_keypair(b"\x22" * 32)
    message = Message(
        booking=request.id, sender=host.author, recipient=driver.author, sent=NOW, text="The gate is open."
    )
    nonce = bytes(range(24))
    sealed = seal_message(message, nonce, theirs, secret)
    return shown(
        (
            ("the host's one-time secret key", secret.hex()),
            ("the host's one-time public key (in the quote)", ours.hex()),
            ("the driver's one-time public key (in the request)", theirs.hex()),
            ("shared key (crypto_box_beforenm)", sodium.crypto_box_beforenm(theirs, secret).hex()),
            ("nonce", nonce.hex()),
            ("plaintext", encode(to_tree(message)).hex()),
            ("sealed", sealed.hex()),
        )
    )


def log() -> str:
    host, driver = _person(1)[0], _person(2)[0]
    receipt_id, (_, request) = b"\x77" * 32, _request()
    hashed, month, region = booking_hash(request.id, receipt_id), month_of(NOW), region_of(CELL)
    statement = driver.sign(
        CompletionStatement(
            author=driver.author, counterparty=host.author, booking=hashed, month=month, region=region
        )
    )
    entry = host.sign(
        Completion(
            author=host.author, sequence=1, previous=host.author, month=month, region=region,
            statement=statement.raw,
        )
    )  # fmt: skip
    content = content_bytes(ReviewContent(stars=Stars(overall=5), text="as agreed", salt=bytes(16)))
    salted: list[Tree] = ["chargemesh/completion", request.id, receipt_id]
    hidden: list[Tree] = ["chargemesh/review", request.id, content_hash(content)]
    return shown(
        (
            ("booking (id of the request)", request.id.hex()),
            ("id of the receipt", receipt_id.hex()),
            ("CBOR of the array", encode(salted).hex()),
            ("booking as the log names it", hashed.hex()),
            ("month (January 2027)", str(month)),
            ("the driver's completion statement", statement.raw.hex()),
            ("the host's first entry, which embeds it", entry.raw.hex()),
            ("content of a review", content.hex()),
            ("SHA-256 of the content (`content` of the entry)", content_hash(content).hex()),
            ("CBOR of the array", encode(hidden).hex()),
            ("`commitment`", commitment_of(request.id, content).hex()),
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
