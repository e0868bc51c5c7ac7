"""The places of a file where signed records stand, whatever way they were written down.

A file may hold raw records one after another, a bundle, or records as base64 or hex text separated by white
space or commas, wrapped over lines or not, or in JSON. Nothing is passed over in silence: what stands where
a record must and can't be read as one is given as `Damaged`. Such places in JSON are the value of `raw`, each
item of `records`, and each item of a list that is the whole file; other texts there (ids, a network) are
records only if they read as one.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chargemesh_protocol.encoding import decode
from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.record import parts

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_JSON_DEPTH = 32  # `GET …/records` nests three deep
_SIGN1_HEAD = b"\xd2\x84"
_BETWEEN_BLOCKS = re.compile(r",|\n[ \t\r]*\n")
_MIN_RECORD_BYTES = 100  # head, key and signature alone take more; ids and hashes are shorter


@dataclass(frozen=True, slots=True)
class Written:
    """A record's bytes, not judged yet. stated: the id that the file's JSON calls it by, else empty."""

    raw: bytes
    stated: str = ""


@dataclass(frozen=True, slots=True)
class Damaged:
    """What stands where a record must and isn't one. place: as `records[3].raw`, or `text 4` of a list.

    sure: whether the file itself calls it a record; the words of a plain text may as well be prose, which
    they are not if there is a record among them.
    """

    place: str
    text: str
    stated: str = ""
    sure: bool = True


Found = Written | Damaged


def records_in(data: bytes) -> list[Found]:
    """Every place in the file, in order; empty if it is no file of records. PersonError for deep JSON."""
    if data.startswith(_SIGN1_HEAD):
        return [Written(raw) for raw in _concatenated(data)]
    found = _bundled(data)
    if found is None:
        found = list(_texts_of(data))
    holds_some = any(isinstance(one, Written) or one.sure for one in found)
    return found if holds_some else []


def network_named(data: bytes) -> str:
    """The network that a file of evidence names ("network" in its JSON); empty if it names none."""
    tree = _json(data)
    named = tree.get("network") if isinstance(tree, dict) else None
    return named if isinstance(named, str) else ""


def _json(data: bytes) -> Any:
    """The file as JSON, None if it is none; PersonError if it is nested more than MAX_JSON_DEPTH deep."""
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except ValueError:
        return None
    except RecursionError:
        raise _too_deep() from None
    level = [tree]
    for _ in range(MAX_JSON_DEPTH + 1):
        level = [item for one in level for item in _items(one)]
    if level:
        raise _too_deep()
    return tree


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> PersonError:
    return PersonError(
        "too-deep",
        f"The JSON in this file is nested more than {MAX_JSON_DEPTH} deep: it holds no records.",
        "`chargemesh receipt BOOKING --records FILE` writes such a file.",
        ExitCode.USAGE,
    )


def _texts_of(data: bytes) -> Iterator[Found]:
    """What a file of text holds: JSON, or words."""
    tree = _json(data)
    if isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from _at(f"[{index}]", item, sure=False)
    elif tree is not None:
        yield from _anywhere("", tree)
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return
        number = 1
        for words in _blocks(text):
            yield from _block(words, number)
            number += len(words)


def _blocks(text: str) -> Iterator[list[str]]:
    """Words that may be the lines of one text: up to a blank line, a comma, or the end of base64."""
    for block in _BETWEEN_BLOCKS.split(text):
        words: list[str] = []
        for word in block.split():
            words.append(word)
            if word.endswith("="):
                yield words
                words = []
        yield words


def _block(words: list[str], number: int) -> list[Found]:
    """Each word a text of its own, or all of them one that was wrapped. number: of the first in the file."""
    joined = _from_text("".join(words), least=1) if len(words) > 1 else None
    if joined and all(map(_is_whole, joined)):
        return [Written(raw) for raw in joined]
    alone = [list(_text(f"text {number + at}", word, sure=False)) for at, word in enumerate(words)]
    found = [one for each in alone for one in each]
    none = not any(isinstance(one, Written) for one in found)
    if none and joined and joined[0].startswith(_SIGN1_HEAD):
        return [Written(raw) for raw in joined]  # a wrapped one that is cut short
    return found


def _is_whole(raw: bytes) -> bool:
    try:
        parts(raw)
    except Refused:
        return False
    return True


def _at(place: str, value: Any, *, sure: bool = True, stated: str = "") -> Iterator[Found]:
    """A place where a record must stand: its text, or an object that holds it as `raw`."""
    if isinstance(value, str):
        yield from _text(place, value, stated, sure=sure)
        return
    found = list(_anywhere(place, value))
    yield from found or [Damaged(place, json.dumps(value), stated, sure)]


def _anywhere(place: str, value: Any) -> Iterator[Found]:
    """The records in any JSON value; texts that are none stand there rightly, but for `raw` and `records`."""
    if isinstance(value, str):
        raws = _from_text(value)
        yield from (Written(raw) for raw in raws or ())
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _anywhere(f"{place}[{index}]", item)
    elif isinstance(value, dict):
        stated = value["id"] if isinstance(value.get("id"), str) else ""
        for name, item in value.items():
            plain = name if name.isascii() and name.isidentifier() else "…"
            inner = f"{place}.{plain}" if place else plain
            if name == "raw":
                yield from _at(inner, item, stated=stated)
            elif name == "records" and isinstance(item, list):
                for index, one in enumerate(item):
                    yield from _at(f"{inner}[{index}]", one)
            elif name == "records":
                yield from _at(inner, item)
            else:
                yield from _anywhere(inner, item)


def _text(place: str, word: str, stated: str = "", *, sure: bool) -> Iterator[Found]:
    raws = _from_text(word)
    if not raws:
        yield Damaged(place, word, stated, sure)
    else:
        yield from (Written(raw, stated) for raw in raws)


def _from_text(word: str, least: int = _MIN_RECORD_BYTES) -> list[bytes] | None:
    """The records behind hex, base64 or base64url; None if it does not look like a record or a bundle, as
    what has no more than `least` bytes never does."""
    word = "".join(word.split())
    for read in (bytes.fromhex, _base64):
        try:
            raw = read(word)
        except ValueError:
            continue
        if len(raw) <= least:
            continue
        if raw.startswith(_SIGN1_HEAD):
            return list(_concatenated(raw))
        found = _bundled(raw)
        if found and all(isinstance(one, Written) for one in found):
            return [one.raw for one in found if isinstance(one, Written)]
    return None


def _base64(word: str) -> bytes:
    plain = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _bundled(data: bytes) -> list[Found] | None:
    """The items of a bundle; None if it is none."""
    try:
        tree = decode(data, max_bytes=MAX_FILE_BYTES)
    except Refused:
        return None
    if not isinstance(tree, list):
        return None
    return [
        Written(item) if isinstance(item, bytes) else Damaged(f"item {number}", repr(item), sure=False)
        for number, item in enumerate(tree, 1)
    ]


def _concatenated(data: bytes) -> Iterator[bytes]:
    """Raw records one after another; a broken one ends the reading and is given as it is."""
    at = 0
    while at < len(data):
        end = _end(data, at)
        yield data[at:end]
        at = end
        while data[at : at + 1] in (b"\r", b"\n"):
            at += 1


def _end(data: bytes, start: int) -> int:
    """Behind the record that begins at `start`: three byte strings and an empty map after the head."""
    at = start + len(_SIGN1_HEAD)
    for part in ("protected", "unprotected", "payload", "signature"):
        if part == "unprotected":
            at += 1
            continue
        head = data[at] if at < len(data) else 0xFF
        width = {24: 1, 25: 2}.get(head & 0x1F, 0)
        size = int.from_bytes(data[at + 1 : at + 1 + width], "big") if width else head & 0x1F
        if head >> 5 != 2 or head & 0x1F > 25 or at + 1 + width + size > len(data):
            return len(data)
        at += 1 + width + size
    return at
