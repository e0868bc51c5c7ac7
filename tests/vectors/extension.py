"""extension.json: what a reader of version 1 does with what a later version wrote."""

from __future__ import annotations

from typing import Any

import cbor2

from chargemesh_protocol.record import kind_of, open_record, parts, sig_structure

from ..conformance.fields import to_json
from ..conformance.subject.records import author_of
from .cast import NETWORK
from .forged import Path, asked, edited, of, signed
from .frame import Case, VectorFile, bad, good
from .samples import samples, signer_of

# name: (sample, where the key is added, the value)
OPTIONAL: dict[str, tuple[str, Path, Any]] = {
    "key-16": ("renewal", (16,), "new"),
    "key-23": ("renewal", (23,), 2**63 - 1),
    "key-with-a-tree": ("renewal", (17,), [1, b"\x02", {0: True, 15: [], 23: {}}]),
    "key-beside-known-optional-ones": ("request-with-vehicle-and-proof", (22,), b"\x01"),
    "key-of-a-host-record": ("accept", (17,), False),
    "key-of-a-genesis": ("genesis", (20,), 1),
    "key-of-a-log-entry": ("vouch", (16,), "later"),
    "key-inside-a-connector": ("listing", (6, 0, 16), 3),
    "key-inside-a-price": ("listing", (7, 1, 0, 0, 0, 23), -1),
    "key-inside-a-contact": ("request", (4, 21), ["/p2p-circuit"]),
}
CRITICAL: dict[str, tuple[str, Path, Any]] = {
    "key-0-of-a-renewal": ("renewal", (0,), bytes(32)),
    "key-3": ("renewal", (3,), 1),
    "key-15": ("renewal", (15,), False),
    "key-of-a-genesis": ("genesis", (4,), 1),
    "key-of-a-delegation": ("delegation", (7,), 1),
    "key-of-a-listing": ("listing", (14,), 1),
    "key-of-a-quote": ("quote", (15,), 1),
    "key-of-a-request": ("request", (6,), 1),
    "key-of-a-host-record": ("accept", (7,), 1),
    "key-of-a-driver-record": ("stop", (4,), 1),
    "key-of-a-log-entry": ("vouch", (9,), 1),
    "key-1-of-a-log-entry": ("vouch", (1,), 1),
    "key-inside-a-connector": ("listing", (6, 0, 4), 3),
    "key-inside-a-price": ("listing", (7, 1, 0, 0, 0, 15), 1),
    "key-inside-a-contact": ("request", (4, 2), 1),
    "key-inside-a-period": ("quote", (6, 1, 0, 2), 1),
}
# Names that a later version may bring, where the list is open: (sample, path, value)
OPEN_NAMES: dict[str, tuple[str, Path, Any]] = {
    "connector-type-of-later": ("listing", (6, 0, 0), "IEC_69999_T9"),
    "access-method-of-later": ("listing", (12, 2), "TELEPATHY"),
    "amenity-of-later": ("listing", (12, 3), ["FLYING_CAR_PAD"]),
    "currency-of-later": ("listing", (7, 0), "XQZ"),
    "currency-of-later-with-a-limit": ("listing", (7,), {0: "XQZ", 1: [], 2: 1, 3: 3, 4: 0, 5: True}),
    "zone-of-later": ("listing", (13,), "Mars/Olympus"),
    "rail-of-later": ("claim", (5,), "some-later-rail"),
}


def _record(name: str, path: Path, value: Any) -> bytes:
    body = samples()[name]
    return signed(edited(body, path, value), kind_of(type(body)), seed=signer_of(body))


def _taken(name: str, raw: bytes) -> tuple[Case, Case]:
    """The reader takes it: known fields as ever, the bytes untouched."""
    record = open_record(raw, NETWORK)
    _, payload, signature = parts(raw)
    out = {
        "kind": record.kind,
        "kid": record.kid.hex(),
        "id": record.id.hex(),
        "payload": payload.hex(),
        "sig_structure": sig_structure(raw, NETWORK).hex(),
        "signature": signature.hex(),
        "fields": to_json(record.body),
    }
    author = author_of(record)
    if author is not None:
        out["author"] = author.hex()
    return (
        good(f"open-{name}", "record.open", asked(raw), out),
        good(f"forward-{name}", "record.forward", asked(raw), {"record": raw.hex()}),
    )


def made() -> VectorFile:
    cases: list[Case] = []
    for name, (sample, path, value) in OPTIONAL.items():
        cases += _taken(f"unknown-optional-{name}", _record(sample, path, value))
    for name, (sample, path, value) in OPEN_NAMES.items():
        cases += _taken(name, _record(sample, path, value))
    decomposed = _record("problem", (5,), "e\u0301 \u212b")
    cases += _taken("text-that-is-not-normalised", decomposed)
    why = "an unknown key from 0 to 15 refuses the map, at any depth"
    for name, (sample, path, value) in CRITICAL.items():
        given = asked(_record(sample, path, value))
        body = samples()[sample]
        mended = asked(of(body, seed=signer_of(body)))
        code = "unknown-critical-key"
        cases.append(bad(f"unknown-critical-{name}", "record.open", given, code, why, mended))
    payload = cbor2.dumps({1: 5, 2: bytes(32)})
    for name, kind in (
        ("unknown-kind", "listing-of-2035"),
        ("unknown-kind-under-a-domain", "org.example.thing"),
        ("unknown-kind-of-another-case", "Renewal"),
        ("unknown-kind-of-40-characters", "\U0001f50c" * 40),
    ):
        why = "this reader knows no such kind; the peer may be newer and has done nothing wrong"
        given, mended = asked(signed(payload, kind)), asked(signed(payload, "renewal"))
        cases.append(bad(name, "record.open", given, "unknown-kind", why, mended))
    about = "What a reader of version 1 keeps, ignores and refuses of later versions (01-encoding.md)."
    return VectorFile("extension", about, tuple(cases))
