"""Finds a home in whatever left the house: address texts, photos, and places finer than its public cell.

    Scanner(home, resolution=7).leaks(captured) == []

What is captured is taken apart as far as it goes: CBOR, COSE, msgpack, JSON, compressed data, base64, hex,
percent and form encoding. Then it is looked at as numbers (degrees, radians, 10^-5 to 10^-7 degrees, H3 cells
of 64 bits) and as text. A coordinate rounded so far that it says no more than the public cell is no leak.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import math
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote_plus

import cbor2
import h3.api.basic_int as h3
import msgspec

from chargemesh_protocol.chargers import Home

NEAR_DEGREES = 0.03  # about 3 km: whatever numbers lie so near to the home's are no accident
_SCALES = (1e5, 1e6, 1e7)  # integers as which coordinates are written
_MAX_DEPTH = 24
_SHORTEST_SECRET = 4  # of a code such as 4711; shorter ones occur everywhere
_SMALL = 16  # bytes, which may mean something else in another place

_DECIMAL = re.compile(r"(?<![\d.])-?\d{1,3}\.\d{2,18}(?![\d.])")
_H3_TEXT = re.compile(r"(?<![0-9a-fA-F])8[0-9a-fA-F]{14}(?![0-9a-fA-F])")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_FINEST_TEXT = 3  # decimals from which on a lone number is finer than a public cell


class Scanner:
    """`resolution`: of the home's public cell. `photos`: JPEGs of the way to it, whose ids the home names.
    `found`: every leak so far, with the way to it."""

    def __init__(self, home: Home, resolution: int = 7, photos: Iterable[bytes] = ()) -> None:
        self.home = home
        self.resolution = resolution
        self.found: list[str] = []
        self._seen: set[bytes] = set()
        self._secrets = _secrets_of(home)
        self._pictures = {"photo": tuple(photos), "id of a photo": home.photos or ()}

    def leaks(self, captured: Iterable[bytes]) -> list[str]:
        """What is found in these, each thing once; what was scanned before is known."""
        before = len(self.found)
        for number, data in enumerate(captured):
            self._scan(data, f"#{number}")
        return self.found[before:]

    def _scan(self, data: bytes, way: str) -> None:
        self.found += dict.fromkeys(self._bytes(data, way, 0, whole=True))

    # --- taking apart ---------------------------------------------------------------------------

    def _bytes(self, data: bytes, way: str, depth: int, *, whole: bool = False) -> Iterator[str]:
        """`whole`: not a part of bytes that were looked at already."""
        if depth > _MAX_DEPTH or not data or (len(data) > _SMALL and data in self._seen):
            return
        self._seen.add(data)
        if whole:
            yield from self._raw(data, way)
        for name, value in _readings(data):
            if name == "inflated":
                yield from self._bytes(value, f"{way}.inflated", depth + 1, whole=True)
            else:
                yield from self._value(value, f"{way}.{name}", depth + 1)

    def _value(self, value: Any, way: str, depth: int) -> Iterator[str]:
        if depth > _MAX_DEPTH:
            return
        match value:
            case bytes() | bytearray() | memoryview():
                yield from self._bytes(bytes(value), way, depth + 1)
            case str():
                yield from self._text(value, way, depth + 1)
            case int():
                yield from self._integer(value, way)
            case float():
                if self._is_near(value) or self._is_near(math.degrees(value)):
                    yield f"{way}: the number {value}"
            case dict():
                for key, item in value.items():
                    yield from self._value(key, f"{way}.key", depth + 1)
                    name = key if isinstance(key, int | str) else "?"
                    yield from self._value(item, f"{way}.{name}", depth + 1)
            case list() | tuple() | set() | frozenset():
                for number, item in enumerate(value):
                    yield from self._value(item, f"{way}[{number}]", depth + 1)
            case cbor2.CBORTag():
                yield from self._value(value.value, f"{way}.tag{value.tag}", depth + 1)

    # --- looking ----------------------------------------------------------------------------------

    def _raw(self, data: bytes, way: str) -> Iterator[str]:
        """Whatever the encoding: texts as they are, cells as eight bytes, coordinates as pairs of fours."""
        for name, (_, forms) in self._secrets.items():
            if any(form in data for form in forms):
                yield f"{way}: the {name}"
        for name, pictures in self._pictures.items():
            if any(one in data for one in pictures):
                yield f"{way}: the {name}"
        for at in _places_of(data, {0x08}):
            big, little = data[at : at + 8], data[max(at - 7, 0) : at + 1]
            for eight, order in ((big, "big"), (little, "little")):
                if len(eight) == 8 and self._is_fine(int.from_bytes(eight, order)):  # type: ignore[arg-type]
                    yield f"{way}: a cell at byte {at}"
        for order in ("big", "little"):
            if self._is_pair_in(data, order):
                yield f"{way}: both coordinates, {order}-endian"

    def _text(self, text: str, way: str, depth: int) -> Iterator[str]:
        folded = _fold(text)
        for name, (secret, _) in self._secrets.items():
            if secret in folded:
                yield f"{way}: the {name}"
        numbers = [one.group() for one in _DECIMAL.finditer(text)]
        near = [one for one in numbers if self._is_near(float(one))]
        both = {self._is_latitude(float(one)) for one in near} == {True, False}
        if both or any(len(one.partition(".")[2]) >= _FINEST_TEXT for one in near):
            yield f"{way}: the text {', '.join(near)}"
        for cell in _H3_TEXT.findall(text):
            if self._is_fine(int(cell, 16)):
                yield f"{way}: the cell {cell}"
        if text.isprintable():
            yield from self._decoded(text, way, depth)

    def _decoded(self, text: str, way: str, depth: int) -> Iterator[str]:
        """What hides in a text: JSON, percent encoding, base64 and hex."""
        if text[:1] in ("[", "{"):
            try:
                yield from self._value(json.loads(text), f"{way}.json", depth + 1)
            except ValueError:
                pass
        plain = unquote_plus(text)
        if plain != text:
            yield from self._text(plain, f"{way}.unquoted", depth + 1)
        for word in _ENCODED.findall(text):
            for name, data in _decodings(word):
                yield from self._bytes(data, f"{way}.{name}", depth + 1, whole=True)

    def _integer(self, value: int, way: str) -> Iterator[str]:
        if self._is_fine(value):
            yield f"{way}: the cell {value:x}"
        if any(self._is_near(value / scale) for scale in _SCALES):
            yield f"{way}: the integer {value}"

    # --- what counts ----------------------------------------------------------------------------

    def _is_latitude(self, degrees: float) -> bool:
        return abs(degrees - self.home.latitude / 1e6) < NEAR_DEGREES

    def _is_near(self, degrees: float) -> bool:
        return self._is_latitude(degrees) or abs(degrees - self.home.longitude / 1e6) < NEAR_DEGREES

    def _is_fine(self, cell: int) -> bool:
        """Whether it is an H3 cell around the home that is finer than the public one."""
        if not 0 < cell < 1 << 63 or cell >> 56 != 0x08 or not h3.is_valid_cell(cell):
            return False
        if h3.get_resolution(cell) <= self.resolution:
            return False
        home = h3.latlng_to_cell(self.home.latitude / 1e6, self.home.longitude / 1e6, 5)
        return h3.cell_to_parent(cell, 5) in set(h3.grid_disk(home, 1))

    def _is_pair_in(self, data: bytes, order: Any) -> bool:
        """A latitude and a longitude as 32-bit integers side by side; one alone is often chance."""
        for scale in _SCALES:
            wanted = [round(one * scale / 1e6) for one in (self.home.latitude, self.home.longitude)]
            slack = round(NEAR_DEGREES * scale)
            for first, second in (wanted, reversed(wanted)):
                for at in _integers_near(data, first, slack, order):
                    follower = int.from_bytes(data[at + 4 : at + 8], order, signed=True)
                    if at + 8 <= len(data) and abs(follower - second) <= slack:
                        return True
        return False


def _secrets_of(home: Home) -> dict[str, tuple[str, tuple[bytes, ...]]]:
    """Name -> (as it is looked for in texts, as it may stand in bytes)."""
    street = home.address.partition(",")[0]
    named = {
        "address": home.address,
        "street": street,
        "way": home.way,
        "code": home.code,
        "phone": home.phone,
    }
    return {
        name: (_fold(secret), tuple(_spellings(secret)))
        for name, secret in named.items()
        if len(secret) >= _SHORTEST_SECRET
    }


def _integers_near(data: bytes, value: int, slack: int, order: Any) -> Iterator[int]:
    """Where 32-bit integers within `slack` of `value` stand: found by their common leading byte."""
    leading = {((value + off) >> 24) & 0xFF for off in (-slack, slack)}
    lead_at = 0 if order == "big" else 3
    for found in _places_of(data, leading):
        at = found - lead_at
        if at >= 0 and abs(int.from_bytes(data[at : at + 4], order, signed=True) - value) <= slack:
            yield at


def _places_of(data: bytes, wanted: set[int]) -> Iterator[int]:
    for byte in wanted:
        at = data.find(byte)
        while at >= 0:
            yield at
            at = data.find(byte, at + 1)


def _readings(data: bytes) -> Iterator[tuple[str, Any]]:
    """Everything that the bytes can be read as, from the first to the last one."""
    for skip in (0, 4):  # 4: the length of a frame
        try:
            yield "msgpack", msgspec.msgpack.decode(data[skip:])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass
    try:
        stream = io.BytesIO(data)
        value = cbor2.load(stream)
        if stream.tell() == len(data):
            yield "cbor", value
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError, TypeError):
        pass
    for bits in (15, -15, 31):
        try:
            yield "inflated", zlib.decompress(data, bits)
        except zlib.error:
            pass
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # never printable as a whole; texts inside are seen all the same
    yield "text", text


def _decodings(word: str) -> Iterator[tuple[str, bytes]]:
    try:
        yield "hex", bytes.fromhex(word)
    except ValueError:
        pass
    standard = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        yield "base64", base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        pass


def _spellings(secret: str) -> set[bytes]:
    forms = {unicodedata.normalize(form, secret) for form in ("NFC", "NFD")}
    return {text.encode(code) for text in forms for code in ("utf-8", "utf-16-le", "utf-16-be")}


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
