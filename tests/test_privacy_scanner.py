"""The privacy scanner finds a home in every disguise it knows, and nothing in what may be public."""

from __future__ import annotations

import base64
import json
import math
import struct
import zlib

import cbor2
import h3.api.basic_int as h3
import msgspec
import pytest

from chargemesh_protocol.booking.photos import photo_id
from chargemesh_protocol.chargers import Home

from .privacy_scanner import Scanner
from .protocol.pictures import picture

HOME = Home(
    address="Grüne Straße 12, 10115 Berlin",
    latitude=52_487_311,
    longitude=13_425_119,
    way="Behind the blue gate.",
    code="83-1741-6",
    phone="+49 30 5550123",
    photos=(photo_id(picture()),),
)
LATITUDE, LONGITUDE = HOME.latitude / 1e6, HOME.longitude / 1e6
FINE, PUBLIC = (h3.latlng_to_cell(LATITUDE, LONGITUDE, resolution) for resolution in (9, 7))

PLANTED = {
    "the address": HOME.address.encode(),
    "the street in other letters": b'{"title": "gr\xc3\xbcne STRASSE 12"}',
    "the code in CBOR": cbor2.dumps({0: {1: ["x", HOME.code]}}),
    "CBOR in CBOR in msgpack": msgspec.msgpack.encode(
        {"body": cbor2.dumps({6: cbor2.dumps([HOME.latitude])})}
    ),
    "a COSE payload": cbor2.dumps(cbor2.CBORTag(18, [b"", {}, cbor2.dumps({3: HOME.longitude}), bytes(64)])),
    "a frame with its length": b"\0\0\0\x30" + msgspec.msgpack.encode({"data": HOME.phone}),
    "degrees as floats": cbor2.dumps([LATITUDE]),
    "radians": cbor2.dumps([math.radians(LONGITUDE)]),
    "degrees as text": b"geo:52.487,13.425;u=35",
    "degrees of two decimals, both": b"near 52.49 13.43",
    "ten-millionths of a degree": json.dumps({"lat": HOME.latitude * 10}).encode(),
    "a finer cell": cbor2.dumps({5: FINE}),
    "a finer cell as text": h3.int_to_str(FINE).encode(),
    "a finer cell in raw bytes": b"\xff\xfe" + FINE.to_bytes(8, "little") + b"\xff",
    "both coordinates in raw bytes": b"\xff" + struct.pack(">ii", HOME.longitude, HOME.latitude) + b"\xfe",
    "base64 in JSON": json.dumps({"a": base64.b64encode(HOME.address.encode()).decode()}).encode(),
    "base64url": base64.urlsafe_b64encode(cbor2.dumps({1: HOME.latitude, 2: "~~"})).rstrip(b"="),
    "hex": cbor2.dumps({1: HOME.latitude, 2: "padding"}).hex().encode(),
    "percent encoding": b"q=Behind+the+blue%20gate.",
    "compressed": zlib.compress(HOME.address.encode()),
    "a photo": b"\0" + picture() + b"\0",
    "a photo in base64": json.dumps({"jpeg": base64.b64encode(picture()).decode()}).encode(),
    "the id of a photo": cbor2.dumps({16: [photo_id(picture())]}),
    "the id of a photo as text": json.dumps({"photos": [photo_id(picture()).hex()]}).encode(),
}

HARMLESS = {
    "the public cell": cbor2.dumps({5: PUBLIC, 6: h3.cell_to_parent(PUBLIC, 4)}),
    "the public cell as text": h3.int_to_str(PUBLIC).encode(),
    "a finer cell far away": cbor2.dumps(h3.latlng_to_cell(48.85, 2.35, 10)),
    "prices, times and meters": json.dumps({"price": 0.35, "at": 1_790_000_000_000, "wh": 13_425}).encode(),
    "a coordinate that says less than the cell": b"52.5, 13.4",
    "nothing": b"",
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_leak_is_found(what: str) -> None:
    assert Scanner(HOME, photos=[picture()]).leaks([b"noise", PLANTED[what]])


@pytest.mark.parametrize("what", HARMLESS)
def test_what_may_be_public_is_no_leak(what: str) -> None:
    assert Scanner(HOME, photos=[picture()]).leaks([HARMLESS[what]]) == []


def test_keys_and_signatures_look_like_nothing() -> None:
    noise = [zlib.crc32(bytes([n])).to_bytes(4, "big") * 7 + bytes([n]) for n in range(256)]
    assert Scanner(HOME, photos=[picture()]).leaks(noise) == []
