"""messages.json: the requests and responses of the streams, read and written."""

from __future__ import annotations

from typing import Any

import cbor2

from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.booking.photos import photo_id
from chargemesh_protocol.discovery import wire as discovery
from chargemesh_protocol.identity_wire import Get, Given
from chargemesh_protocol.listing import Need
from chargemesh_protocol.mailbox import wire as mailbox
from chargemesh_protocol.record import sign
from chargemesh_protocol.shape import to_tree

from ..conformance.fields import to_json
from ..conformance.subject.messages import MESSAGES
from ..protocol.pictures import picture
from .cast import ALICE, BOB, HOUR, NETWORK, NOW, hashed
from .forged import ABSENT, Path, edited
from .frame import Case, VectorFile, bad, good
from .identity import withdrawal
from .listings import LISTED, renewal
from .mailbox import WITH_MAILBOX
from .samples import CELL, CHARGER, REGION, samples

IDENTITY, BOOKING, LISTING, MAILBOX = (
    f"/chargemesh/{name}/1" for name in ("identity", "booking", "listing", "mailbox")
)
_NAMES = {cls: name for name, cls in MESSAGES.items()}
_ASKED: dict[str, Any] = {
    "charger": CHARGER,
    "start": NOW + HOUR,
    "end": NOW + 2 * HOUR,
    "energy_wh": 20_000,
}


def _messages() -> dict[str, tuple[str, Any]]:
    """(stream, message) by the names of their cases."""
    proof: dict[str, Any] = {"renewal": renewal().raw, "bundle": ALICE.bundle()}
    quote = ALICE.sign(samples()["quote"]).raw
    exchange: dict[str, Any] = {"booking": hashed("booking")}
    return {
        "get": (IDENTITY, Get(authors=(ALICE.author, BOB.author))),
        "given": (IDENTITY, Given(bundles=(ALICE.bundle(),))),
        "given-nothing": (IDENTITY, Given(bundles=())),
        "store": (LISTING, discovery.Store(listing=LISTED.raw, **proof, cell=REGION)),
        "store-in-a-shard": (LISTING, discovery.Store(listing=LISTED.raw, **proof, cell=CELL, shard=255)),
        "store-renewal": (
            LISTING,
            discovery.StoreRenewal(author=ALICE.author, charger=CHARGER, renewal=proof["renewal"]),
        ),
        "withdraw": (LISTING, discovery.Withdraw(withdrawal=withdrawal(NOW).raw, bundle=proof["bundle"])),
        "query": (LISTING, discovery.Query(cells=(CELL,), need=Need(), limit=64)),
        "query-for-a-next-page": (
            LISTING,
            discovery.Query(
                cells=(CELL, REGION),
                need=Need(
                    connector="IEC_62196_T2",
                    min_power_w=11_000,
                    max_price=500_000,
                    currency="EUR",
                    start=NOW,
                    end=NOW + HOUR,
                    instant=True,
                ),
                limit=1,
                after=bytes(range(56)),
            ),
        ),
        "found-nothing": (LISTING, discovery.Found(items=())),
        "found": (
            LISTING,
            discovery.Found(items=(discovery.FoundItem(listing=LISTED.raw, **proof),), more=bytes(56)),
        ),
        "kept": (LISTING, discovery.Kept()),
        "failed": (LISTING, discovery.Failed(code="superseded", message="a newer listing is known")),
        "failed-for-a-newer-one": (
            LISTING,
            discovery.Failed(code="superseded", message="", newer=LISTED.raw, bundle=proof["bundle"]),
        ),
        "ask-quote": (BOOKING, booking.AskQuote(**_ASKED)),
        "ask-quote-of-a-change": (BOOKING, booking.AskQuote(**_ASKED, booking=hashed("booking"))),
        "quote-given": (BOOKING, booking.QuoteGiven(quote=quote, bundle=ALICE.bundle())),
        "exchange-of-nothing": (BOOKING, booking.Exchange(**exchange)),
        "exchange": (
            BOOKING,
            booking.Exchange(
                **exchange,
                records=(BOB.sign(samples()["request"]).raw,),
                known=2,
                held=(hashed("statement"),),
                sealed=(bytes(64),),
                heard=3,
                opening=quote,
                bundle=BOB.bundle(),
            ),
        ),
        "exchange-that-asks-for-a-photo": (BOOKING, booking.Exchange(**exchange, wants=photo_id(picture()))),
        "exchange-with-a-photo": (BOOKING, booking.Exchange(**exchange, photo=bytes(182))),
        "booking-failed": (BOOKING, booking.Failed(code="unavailable", message="ask again later")),
        "exchange-with-a-contact": (BOOKING, booking.Exchange(**exchange, contact=WITH_MAILBOX)),
        **_mailbox(),
    }


def _mailbox() -> dict[str, tuple[str, Any]]:
    key, parcel = hashed("mailbox key"), hashed("parcel")
    proof = sign(samples()["deposit"], ALICE.device, NETWORK).raw
    small = bytes(4096)
    return {
        "mailbox-ask-terms": (MAILBOX, mailbox.AskTerms()),
        "mailbox-terms": (MAILBOX, mailbox.Terms(signer=key, full=False, contact=WITH_MAILBOX)),
        "mailbox-deposit": (MAILBOX, mailbox.Deposit(recipient=key, sealed=small, expires=NOW)),
        "mailbox-deposit-in-place-of-another": (
            MAILBOX,
            mailbox.Deposit(recipient=key, sealed=small, expires=NOW, replaces=parcel),
        ),
        "mailbox-taken": (MAILBOX, mailbox.Taken(proof=proof)),
        "mailbox-knock": (MAILBOX, mailbox.Knock(recipient=key)),
        "mailbox-challenge": (MAILBOX, mailbox.Challenge(challenge=bytes(40))),
        "mailbox-collect": (
            MAILBOX,
            mailbox.Collect(recipient=key, challenge=bytes(40), signature=bytes(64), drop=(parcel,)),
        ),
        "mailbox-collected": (
            MAILBOX,
            mailbox.Collected(parcels=(mailbox.HeldParcel(sealed=small, at=NOW),), more=True),
        ),
        "mailbox-failed": (MAILBOX, mailbox.Failed(code="mailbox-full", message="nothing more fits")),
    }


# name: (message, path, value, code, why)
FAULTS: dict[str, tuple[str, Path, Any, str, str]] = {
    "no-operation": ("kept", (0,), ABSENT, "unknown-operation", "key 0 names the operation"),
    "unknown-operation": ("kept", (0,), 14, "unknown-operation", "14 is no operation of this stream"),
    "operation-as-text": ("kept", (0,), "kept", "unknown-operation", "an operation is a number"),
    "operation-as-a-boolean": ("store", (0,), True, "unknown-operation", "true is not 1"),
    "unknown-operation-of-identity": ("get", (0,), 3, "unknown-operation", "1 and 2 are known"),
    "unknown-operation-of-booking": ("exchange-of-nothing", (0,), 4, "unknown-operation", "4 is none"),
    "nobody-asked-for": ("get", (1,), [], "schema", "1 to 32 authors"),
    "33-authors": ("get", (1,), [hashed(f"{n}") for n in range(33)], "schema", "1 to 32 authors"),
    "author-of-31-bytes": ("get", (1,), [bytes(31)], "schema", "an author has 32 bytes"),
    "empty-bundle": ("given", (1,), [b""], "schema", "a bundle has 1 to 4096 bytes"),
    "bundle-of-4097-bytes": ("given", (1,), [bytes(4097)], "schema", "a bundle has 1 to 4096 bytes"),
    "unknown-critical-key-of-get": ("get", (2,), 0, "unknown-critical-key", "key 2 is unknown"),
    "listing-of-8193-bytes": ("store", (1,), bytes(8193), "schema", "1 to 8192 bytes"),
    "renewal-of-257-bytes": ("store", (2,), bytes(257), "schema", "1 to 256 bytes"),
    "shard-256": ("store", (5,), 256, "schema", "0 to 255"),
    "no-shard": ("store", (5,), ABSENT, "schema", "shard is missing"),
    "store-in-no-cell": ("store", (4,), 1, "cell", "1 is no H3 cell"),
    "unknown-critical-key-of-store": ("store", (6,), 0, "unknown-critical-key", "key 6 is unknown"),
    "query-of-no-cell": ("query", (1,), [], "schema", "1 to 64 cells"),
    "query-of-65-cells": ("query", (1,), [CELL] * 65, "schema", "1 to 64 cells"),
    "query-of-what-is-no-cell": ("query", (1,), [CELL, 5], "cell", "5 is no H3 cell"),
    "query-for-0": ("query", (3,), 0, "schema", "1 to 64 items"),
    "query-for-65": ("query", (3,), 65, "schema", "1 to 64 items"),
    "cursor-of-55-bytes": ("query-for-a-next-page", (4,), bytes(55), "schema", "a cursor has 56 bytes"),
    "need-with-half-a-window": ("query-for-a-next-page", (2, 5), ABSENT, "schema", "a start and an end"),
    "need-that-ends-at-its-start": ("query-for-a-next-page", (2, 5), NOW, "schema", "end is after start"),
    "need-with-an-unknown-critical-key": ("query", (2, 7), 0, "unknown-critical-key", "key 7 is unknown"),
    "failure-without-a-code": ("failed", (1,), "", "schema", "1 to 40 characters"),
    "failure-that-talks-too-long": ("failed", (2,), "a" * 321, "schema", "up to 320 characters"),
    "quote-for-too-much-energy": ("ask-quote", (4,), 1_000_001, "schema", "up to 1000000 Wh"),
    "129-records": ("exchange", (1,), [b"\x01"] * 129, "schema", "0 to 128 records"),
    "five-statements": ("exchange", (4,), [b"\x01"] * 5, "schema", "0 to 4 statements"),
    "nine-sealed-messages": ("exchange", (6,), [b"\x01"] * 9, "schema", "0 to 8 sealed messages"),
}


def made() -> VectorFile:
    told, cases = _messages(), []
    for name, (stream, message) in told.items():
        data = cbor2.dumps(to_tree(message), canonical=True).hex()
        about = {"message": _NAMES[type(message)], "fields": to_json(message)}
        cases.append(good(f"read-{name}", "message.read", {"stream": stream, "bytes": data}, about))
        cases.append(good(f"write-{name}", "message.write", about, {"bytes": data}))
    stream, store = told["store"]
    later = {**to_tree(store), 16: "for later readers"}
    given = {"stream": stream, "bytes": cbor2.dumps(later, canonical=True).hex()}
    known = {"message": "listing-store", "fields": to_json(store)}
    cases.append(good("read-with-an-unknown-optional-key", "message.read", given, known))
    cases += [_refused(name, *told[fault[0]], fault) for name, fault in FAULTS.items()]
    kept = {"stream": LISTING, "bytes": "a10006"}
    for name, data, why in (
        ("no-bytes", "", "a message is a map"),
        ("array-for-a-message", "8106", "a message is a map"),
        ("number-for-a-message", "06", "a message is a map, whatever the number names"),
        ("trailing-byte", "a1000600", "nothing stands behind the map"),
        ("operation-not-shortest", "a1001806", "6 fits into the head itself"),
        ("operation-as-a-float", "a100f94600", "floats are not allowed"),
    ):
        cases.append(bad(name, "message.read", {**kept, "bytes": data}, "encoding", why, kept))
    about_it = "Requests and responses of the streams (03-identity.md, 05-booking.md, 07-discovery.md)."
    return VectorFile("messages", about_it, tuple(cases))


def _refused(name: str, stream: str, message: Any, fault: tuple[str, Path, Any, str, str]) -> Case:
    _, path, value, code, why = fault
    broken = cbor2.dumps(edited(message, path, value), canonical=True).hex()
    mended = {"bytes": cbor2.dumps(to_tree(message), canonical=True).hex()}
    return bad(name, "message.read", {"stream": stream, "bytes": broken}, code, why, mended)
