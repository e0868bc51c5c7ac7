"""invalid-payloads.json: records with a good signature over a payload that its kind does not allow."""

from __future__ import annotations

from typing import Any

import cbor2
import h3.api.basic_int as h3

from chargemesh_protocol.limits import MAX_DELEGATION_MS, MAX_LISTING_LIFE_MS
from chargemesh_protocol.place import Point, public_cell
from chargemesh_protocol.record import KINDS, kind_of
from chargemesh_protocol.shape import keys_of

from .cast import ALICE, BOB, DAY, NOW, hashed
from .forged import ABSENT, Path, asked, edited, of, signed
from .frame import Case, VectorFile, bad
from .samples import CELL, REGION, samples, signer_of

_COARSE = public_cell(Point(48.137154, 11.576124), 5)
_RESOLUTIONS = (0, 3, 9, 15)  # of H3, but too coarse or too fine


# name: (sample, path, value, why); all are refused as `schema`
Faults = dict[str, tuple[str, Path, Any, str]]
TYPES: Faults = {
    "boolean-for-an-integer": ("renewal", (1,), True, "true is no integer"),
    "boolean-for-an-integer-inside": ("listing", (6, 0, 3), True, "true is no integer, also not of 1 W"),
    "integer-for-a-boolean": ("listing", (9, 0), 1, "1 is not true"),
    "integer-for-a-boolean-in-a-vouch": ("vouch", (8,), 0, "0 is not false"),
    "text-for-bytes": ("renewal", (2,), "l" * 32, "an id is a byte string"),
    "bytes-for-text": ("listing", (13,), b"Europe/Berlin", "a zone is text"),
    "text-for-an-integer": ("renewal", (1,), "5", "an instant is an integer"),
    "bytes-for-an-integer": ("listing", (5,), CELL.to_bytes(8, "big"), "a cell is an integer"),
    "array-for-a-map": ("listing", (8,), [NOW, bytes(168)], "slots are a map"),
    "map-for-an-array": ("listing", (6,), {0: {}}, "connectors are an array"),
    "item-for-an-array": ("genesis", (3,), hashed("a key"), "recovery keys are an array"),
    "number-for-a-name": ("cancel", (4,), 5, "a reason is text"),
    "negative": ("renewal", (1,), -1, "an instant is not negative"),
    "known-optional-key-of-another-type": ("request-with-vehicle-and-proof", (16,), 5, "a vehicle is text"),
    "known-optional-key-out-of-bounds": ("receipt-with-every-field", (16,), -1, "Wh are not negative"),
    "item-of-another-type": ("accept", (5,), [hashed("a record"), "x"], "what is included are ids"),
}
BOUNDS: Faults = {
    "id-of-31-bytes": ("renewal", (2,), bytes(31), "an id has 32 bytes"),
    "id-of-33-bytes": ("renewal", (2,), bytes(33), "an id has 32 bytes"),
    "charger-of-15-bytes": ("listing", (2,), bytes(15), "a charger's id has 16 bytes"),
    "no-connector": ("listing", (6,), [], "1 to 8 connectors"),
    "nine-connectors": (
        "listing", (6,), [{0: "CHADEMO", 1: "CABLE", 2: "DC", 3: 1}] * 9, "1 to 8 connectors",
    ),
    "five-recovery-keys": ("genesis", (3,), [hashed(f"{n}") for n in range(5)], "0 to 4 recovery keys"),
    "no-scope": ("delegation", (3,), [], "1 to 3 scopes"),
    "connector-of-no-watts": ("listing", (6, 0, 3), 0, "1 to 1000000 W"),
    "connector-of-too-many-watts": ("listing", (6, 0, 3), 1_000_001, "1 to 1000000 W"),
    "connector-without-a-type": ("listing", (6, 0, 0), "", "1 to 40 characters"),
    "title-of-81-characters": ("listing", (12, 0), "é" * 81, "80 characters, counted as code points"),
    "zone-empty": ("listing", (13,), "", "1 to 64 characters"),
    "33-amenities": ("listing", (12, 3), ["WIFI"] * 33, "0 to 32 amenities"),
    "language-of-one-letter": ("listing", (12, 4), ["d"], "2 to 8 characters"),
    "currency-of-four-letters": ("listing", (7, 0), "EURO", "a currency has three letters"),
    "price-too-high": ("listing", (7, 1, 0, 0, 0, 1), 10**13 + 1, "a price goes to 10^13 micro-units"),
    "step-0": ("listing", (7, 1, 0, 0, 0, 2), 0, "a step is 1 to 86400"),
    "17-tariff-elements": (
        "listing", (7, 1), [{0: [{0: "ENERGY", 1: 1, 2: 1}]}] * 17, "0 to 16 elements",
    ),
    "five-prices-in-an-element": (
        "listing", (7, 1, 0, 0), [{0: "ENERGY", 1: 1, 2: 1}] * 5, "1 to 4 components",
    ),
    "tax-over-100-percent": ("listing", (7, 4), 10_001, "0 to 10000 basis points"),
    "bitmap-of-167-bytes": ("listing", (8, 1), bytes(167), "1344 bits are 168 bytes"),
    "bitmap-of-169-bytes": ("listing", (8, 1), bytes(169), "1344 bits are 168 bytes"),
    "shortest-booking-below-15-minutes": ("listing", (9, 1), 14, "15 to 20160 minutes"),
    "trust-over-1000": ("listing", (9, 4), 1001, "0 to 1000 per mille"),
    "no-show-over-100-percent": ("listing", (10, 1), 101, "0 to 100 percent"),
    "nine-addresses": ("listing", (11, 1), ["/ip4/192.0.2.7/tcp/1"] * 9, "0 to 8 addresses"),
    "address-of-257-characters": ("listing", (11, 1), ["/" * 257], "up to 256 characters"),
    "host-record-number-0": ("acknowledge", (3,), 0, "numbered from 1"),
    "host-record-number-too-high": ("acknowledge", (3,), 1_000_001, "numbered to 1000000"),
    "33-records-included": ("acknowledge", (5,), [hashed(f"{n}") for n in range(33)], "0 to 32 ids"),
    "issued-after-2199": ("request", (1,), 7_258_118_400_001, "what a booking signs is before 2200"),
    "sealed-empty": ("access", (6,), b"", "1 to 12288 bytes"),
    "sealed-too-long": ("access", (6,), bytes(12_289), "1 to 12288 bytes"),
    "problem-of-2001-characters": ("problem", (5,), "a" * 2001, "up to 2000 characters"),
    "rail-empty": ("claim", (5,), "", "1 to 24 characters"),
    "latitude-beyond-the-pole": ("access-record", (5,), 90_000_001, "-90 to 90 degrees"),
    "longitude-beyond-the-date-line": ("access-record", (6,), -180_000_001, "-180 to 180 degrees"),
    "sequence-0-of-a-log-entry": ("review", (2,), 0, "numbered from 1"),
    "month-too-far": ("vouch", (5,), 12_001, "0 to 12000"),
    "statement-of-513-bytes": ("completion", (7,), bytes(513), "1 to 512 bytes"),
}  # fmt: skip
NAMES: Faults = {
    "unknown-scope": ("delegation", (3,), ["list", "admin"], "list, book or log"),
    "scope-of-another-case": ("delegation", (3,), ["List"], "list, book or log"),
    "unknown-connector-format": ("listing", (6, 0, 1), "WIRELESS", "SOCKET or CABLE"),
    "unknown-power-type": ("listing", (6, 0, 2), "AC_4_PHASE", "a closed list"),
    "unknown-parking": ("listing", (12, 1), "ON_ROOF", "a closed list"),
    "unknown-dimension": ("listing", (7, 1, 0, 0, 0, 0), "DISTANCE", "a closed list"),
    "unknown-cancel-reason": ("cancel", (4,), "BORED", "a closed list"),
    "unknown-decline-reason": ("decline", (6,), "BOOKED", "a closed list, in which no reason tells more"),
    "unknown-problem": ("problem", (4,), "RAIN", "a closed list"),
    "unknown-reading-context": ("ticket", (11,), "Other", "a closed list"),
    "currency-in-lower-case": ("listing", (7, 0), "eur", "three capital letters"),
    "currency-of-a-quote-that-is-none": ("quote", (6, 0), "XQZ", "who pays must know the smallest coin"),
}
TOGETHER: Faults = {
    "recovery-key-is-the-root": ("genesis", (3,), [ALICE.genesis.body.root], "all keys differ"),
    "recovery-key-twice": ("genesis", (3,), [hashed("k")] * 2, "all keys differ"),
    "delegation-that-ends-before-it-begins": ("delegation", (4,), NOW - 2 * DAY, "it ends later"),
    "delegation-without-duration": ("delegation", (4,), NOW - DAY, "expires comes after issued"),
    "delegation-for-too-long": ("delegation", (4,), NOW - DAY + MAX_DELEGATION_MS + 1, "at most 366 days"),
    "listing-without-duration": ("listing", (4,), NOW, "expires comes after issued"),
    "listing-for-too-long": ("listing", (4,), NOW + MAX_LISTING_LIFE_MS + 1, "at most 24 hours"),
    "slots-between-quarter-hours": ("listing", (8, 0), NOW + 1, "a quarter hour of UTC"),
    "slots-from-a-full-minute": ("listing", (8, 0), NOW + 60_000, "a quarter hour of UTC"),
    "longest-booking-below-the-shortest": ("listing", (9, 2), 15, "the shortest is 30 minutes"),
    "flat-fee-with-a-step": (
        "listing", (7, 1, 0, 0), [{0: "FLAT", 1: 1, 2: 2}], "a flat fee comes once",
    ),
    "dimension-twice": (
        "listing", (7, 1, 0, 0), [{0: "ENERGY", 1: n, 2: 1} for n in (1, 2)], "one price for a dimension",
    ),
    "dearest-below-the-cheapest-session": ("listing-in-full-dress", (7, 3), 500_000, "not below min_price"),
    "limit-between-two-coins": ("listing", (7, 2), 1, "a limit is in whole coins of a known currency"),
    "limit-of-a-quote-between-two-coins": ("quote", (6, 3), 10_001, "a limit is in whole coins"),
    "start-of-a-night-without-its-end": ("listing-in-full-dress", (7, 1, 0, 1, 1), ABSENT, "both or none"),
    "night-from-a-time-to-the-same": ("listing-in-full-dress", (7, 1, 0, 1, 1), 1320, "no time at all"),
    "weekdays-out-of-order": ("listing-in-full-dress", (7, 1, 0, 1, 2), [2, 1], "in order"),
    "weekday-twice": ("listing-in-full-dress", (7, 1, 0, 1, 2), [1, 1], "once each"),
    "nearest-tier-first": (
        "listing-in-full-dress", (10, 0), [{0: 60, 1: 50, 2: 0}, {0: 120, 1: 25, 2: 0}], "farthest first",
    ),
    "two-tiers-at-one-time": (
        "listing-in-full-dress", (10, 0), [{0: 60, 1: 50, 2: 0}, {0: 60, 1: 25, 2: 0}], "each time once",
    ),
    "quote-that-ends-before-it-starts": ("quote", (5,), NOW, "end is later than start"),
    "quote-that-expires-when-issued": ("quote", (10,), NOW, "expires comes after issued"),
    "quote-without-a-period": ("quote", (6, 1), [], "1 to 64 periods"),
    "quote-with-periods-out-of-order": (
        "quote", (6, 1), [{0: NOW + DAY, 1: []}, {0: NOW, 1: []}], "each starts after the one before",
    ),
    "region-of-resolution-5": ("vouch", (6,), _COARSE, "a region has resolution 4"),
    "region-that-is-no-cell": ("vouch", (6,), REGION + 1, "a region is an H3 cell"),
    "skip-where-none-belongs": ("vouch", (4,), hashed("entry 0"), "entry 1 has no entry to skip to"),
    "skip-left-out": ("vouch-taken-back", (4,), ABSENT, "entry 6 also names entry 4"),
    "first-entry-with-another-previous": ("vouch", (3,), hashed("x"), "the first names its author"),
    "vouch-for-oneself": ("vouch", (7,), ALICE.author, "an entry is about somebody else"),
    "review-of-oneself": ("review", (7,), ALICE.author, "an entry is about somebody else"),
    "statement-about-oneself": ("completion-statement", (2,), BOB.author, "nobody books with themselves"),
}  # fmt: skip


def payload_bytes() -> dict[str, tuple[bytes, str]]:
    """Payloads of a renewal that are not even a tree, or none in its one form."""
    issued, listing = cbor2.dumps(NOW), cbor2.dumps(samples()["renewal"].listing)
    one, two = b"\x01" + issued, b"\x02" + listing
    return {
        "no-payload": (b"", "the payload holds a map"),
        "payload-array": (b"\x82" + issued + listing, "the payload holds a map"),
        "payload-number": (b"\x05", "the payload holds a map"),
        "payload-wrapped-again": (cbor2.dumps(b"\xa2" + one + two), "the payload holds the map itself"),
        "payload-tagged": (b"\xd8\x18\xa2" + one + two, "no tag is allowed"),
        "payload-with-a-trailing-byte": (b"\xa2" + one + two + b"\0", "nothing stands behind the map"),
        "payload-out-of-order": (b"\xa2" + two + one, "keys ascend"),
        "payload-with-a-key-twice": (b"\xa3" + one + one + two, "every key stands once"),
        "payload-not-shortest": (b"\xa2\x01\x1b\x00\x00\x00\x00\x00\x00\x00\x05" + two, "5 has one byte"),
        "payload-with-a-float": (b"\xa2\x01\xfb" + b"\x42\x7a\x42\x46\xd1\x10\x00\x00" + two, "no floats"),
        "payload-with-a-float16": (b"\xa2\x01\xf9\x45\x00" + two, "no floats"),
        "payload-with-null": (b"\xa2\x01\xf6" + two, "null is not allowed"),
        "payload-with-null-for-an-optional-key": (b"\xa3" + one + two + b"\x10\xf6", "absent is left out"),
        "payload-with-undefined": (b"\xa3" + one + two + b"\x10\xf7", "undefined is not allowed"),
        "payload-with-a-float-in-an-optional-key": (
            b"\xa3" + one + two + b"\x10\xf9\x3c\x00", "also an unknown optional key holds an allowed tree",
        ),
        "payload-with-a-date": (b"\xa2\x01\xc1" + issued + two, "no tag is allowed"),
        "payload-with-a-bignum": (b"\xa2\x01\xc2\x41\x05" + two, "no tag is allowed"),
        "payload-with-64-bits": (b"\xa2\x01\x1b\x80" + bytes(7) + two, "the largest integer is 2^63-1"),
        "payload-with-a-text-key": (b"\xa3" + one + two + b"\x61\x61\x00", "keys are integers"),
        "payload-with-key-24": (b"\xa3" + one + two + b"\x18\x18\x00", "keys are 0 to 23"),
        "payload-with-a-negative-key": (b"\xa3" + one + two + b"\x20\x00", "keys are 0 to 23"),
        "payload-indefinite": (b"\xbf" + one + two + b"\xff", "lengths are definite"),
        "payload-with-chunked-bytes": (b"\xa2" + one + b"\x02\x5f" + listing + b"\xff", "definite lengths"),
        "payload-too-deep": (b"\xa3" + one + two + b"\x10" + b"\x81" * 7 + b"\x80", "8 containers at most"),
        "payload-with-bad-utf8": (b"\xa3" + one + two + b"\x10\x61\xff", "text is UTF-8"),
    }  # fmt: skip


def _refused(name: str, sample: str, path: Path, value: Any, code: str, why: str) -> Case:
    body = samples()[sample]
    raw = signed(edited(body, path, value), kind_of(type(body)), seed=signer_of(body))
    return bad(name, "record.open", asked(raw), code, why, asked(of(body, seed=signer_of(body))))


def _incomplete(kind: str) -> Case:
    """A record of `kind` without its last field that must be there."""
    number, name, _, _ = [one for one in keys_of(KINDS[kind]) if not one[3]][-1]
    sample = next(name for name, body in samples().items() if kind_of(type(body)) == kind)
    title = f"{kind}-without-{name}".replace("_", "-")
    return _refused(title, sample, (number,), ABSENT, "schema", f"{name} is missing")


def made() -> VectorFile:
    cases = [_incomplete(kind) for kind in sorted(KINDS)]
    for faults in (TYPES, BOUNDS, NAMES, TOGETHER):
        for name, (sample, path, value, why) in faults.items():
            cases.append(_refused(name, sample, path, value, "schema", why))
    for resolution in _RESOLUTIONS:
        cell = int(h3.latlng_to_cell(48.137154, 11.576124, resolution))
        for sample, key in (("listing", 5), ("withdrawal", 4)):
            name, why = f"{sample}-of-resolution-{resolution}", "a public cell has resolution 4 to 8"
            cases.append(_refused(name, sample, (key,), cell, "cell", why))
    for name, cell in (("zero", 0), ("a-vertex", CELL | 0b100 << 59), ("an-impossible-digit", CELL & ~7 | 6)):
        why = "no H3 cell"
        cases.append(_refused(f"listing-in-{name}", "listing", (5,), cell, "cell", why))
    good = asked(of(samples()["renewal"]))
    for name, (payload, why) in payload_bytes().items():
        cases.append(bad(name, "record.open", asked(signed(payload, "renewal")), "encoding", why, good))
    about = "Records with a good signature over a payload that its kind does not allow, each for one reason."
    return VectorFile("invalid-payloads", about, tuple(cases))
