"""Signed records read from a file and told to a person: kind, author, fields by name, and the verdict.

Uses the protocol package alone: no node, no keys, no network. A file may hold raw records one after
another, a bundle, or records as base64 or hex text separated by white space or commas, or in JSON.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Any

from chargemesh_protocol.encoding import decode, decode_map
from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.limits import MAX_RECORD_BYTES
from chargemesh_protocol.record import KINDS, Record, open_record, parts, sig_structure
from chargemesh_protocol.shape import from_tree, keys_of
from chargemesh_protocol.trust.entries import OtherEntry

from .proof import Proof, proof
from .record_text import sentence
from .speakers import Speakers

MAX_FILE_BYTES = 16 * 1024 * 1024
_SIGN1_HEAD = b"\xd2\x84"
_TYP, _KID = 16, 4
_MIN_RECORD_BYTES = 100  # head, key and signature alone take more; ids and hashes are shorter
# A payload class is known once its module was imported.
_MODULES = ("identity", "listing", "booking.records", "trust.entries")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One record of a file. ids and keys in hex. `fault`: why it isn't valid, empty if it is.

    speaks: whether the key that signed has a delegation by the author; None where the file can't say.
    says: what it says, in a sentence, also where it isn't valid; empty where it can't be read.
    """

    kind: str
    id: str
    author: str
    kid: str
    fields: Mapping[str, Any]
    bytes: int
    fault: str
    speaks: bool | None = None
    says: str = ""
    signature: str = ""

    @property
    def valid(self) -> bool:
        return not self.fault

    def as_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "valid": self.valid}


def judge(data: bytes, network: str) -> tuple[list[Verdict], Proof]:
    """Every record in `data`, verified on `network`, and what they prove; PersonError if there is none."""
    for module in _MODULES:
        importlib.import_module(f"chargemesh_protocol.{module}")
    raws = list(split(data))
    opened: list[Record[Any]] = []
    found = [_judge_one(raw, network, opened) for raw in raws]
    speakers = Speakers(opened, network)
    by_id = {one.id.hex(): one for one in opened}
    found = [_with_speaker(one, by_id, speakers) for one in found]
    stated = _stated(data)
    found = [_as_stated(one, stated.get(raw, "")) for one, raw in zip(found, raws, strict=True)]
    if not found:
        raise PersonError(
            "no-record",
            "There is no chargemesh record in this file.",
            "A record is a COSE_Sign1: bytes, base64 or hex.",
            ExitCode.USAGE,
        )
    good = dict.fromkeys(one.id for one in found if one.valid)
    vouched = frozenset(bytes.fromhex(one.id) for one in found if one.valid and one.speaks)
    return found, proof([by_id[one] for one in good], vouched)


def network_named(data: bytes) -> str:
    """The network that a file of evidence names ("network" in its JSON); empty if it names none."""
    tree = _json(data)
    named = tree.get("network") if isinstance(tree, dict) else None
    return named if isinstance(named, str) else ""


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _stated(data: bytes) -> dict[bytes, str]:
    """Raw record -> the id that the file's JSON calls it by."""
    tree = _json(data)
    rows = tree.get("records") if isinstance(tree, dict) else None
    stated: dict[bytes, str] = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("id"), str) and isinstance(row.get("raw"), str):
            raw = _from_text(row["raw"])
            if raw is not None:
                stated[raw] = row["id"]
    return stated


def _as_stated(one: Verdict, stated: str) -> Verdict:
    """Not valid under another id: who looks it up by that one would find something else."""
    if not one.valid or not stated or stated.lower() == one.id:
        return one
    return dataclasses.replace(
        one, fault=f"the file calls it {stated[:16]!r}, which is not its id (other-id)"
    )


def split(data: bytes) -> Iterator[bytes]:
    """The records in a file's bytes, whatever way they were written down."""
    if data.startswith(_SIGN1_HEAD):
        yield from _concatenated(data)
        return
    try:
        tree = decode(data, max_bytes=MAX_FILE_BYTES)
    except Refused:
        yield from _written(data)
        return
    for item in tree if isinstance(tree, list) else ():
        if isinstance(item, bytes):
            yield item


def _concatenated(data: bytes) -> Iterator[bytes]:
    """Raw records one after another; a broken one ends the reading and is given as it is."""
    while data:
        size = _length(data)
        yield data[:size]
        data = data[size:].lstrip(b"\r\n")


def _length(data: bytes) -> int:
    """How many bytes the record at the start takes: three byte strings and an empty map after the head."""
    at = len(_SIGN1_HEAD)
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


def _written(data: bytes) -> Iterator[bytes]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return
    try:
        words = list(_texts(json.loads(text)))
    except ValueError:
        words = text.replace(",", " ").split()
    for word in words:
        raw = _from_text(word)
        if raw is not None:
            yield from split(raw)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, as `GET …/records` gives them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)


def _from_text(word: str) -> bytes | None:
    """The bytes behind hex, base64 or base64url, if they look like a record or a bundle."""
    for read in (bytes.fromhex, _base64):
        try:
            raw = read(word)
        except ValueError:
            continue
        if len(raw) > _MIN_RECORD_BYTES and (raw.startswith(_SIGN1_HEAD) or raw[0] >> 5 == 4):
            return raw
    return None


def _base64(word: str) -> bytes:
    plain = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _with_speaker(one: Verdict, by_id: Mapping[str, Record[Any]], speakers: Speakers) -> Verdict:
    if not one.valid:
        return one
    speaks = speakers.judge(by_id[one.id])
    fault = "its key has no delegation by that author (not-delegated)" if speaks is False else ""
    return dataclasses.replace(one, speaks=speaks, fault=fault)


def _judge_one(raw: bytes, network: str, opened: list[Record[Any]]) -> Verdict:
    """The verdict on one record; it joins `opened` if its signature is good."""
    try:
        record = _open(raw, network)
    except Refused as refused:
        return _unverified(raw, network, f"{refused.message} ({refused.code})")
    opened.append(record)
    _, payload, signature = parts(raw)
    fields = _fields(type(record.body), decode_map(payload, max_bytes=MAX_RECORD_BYTES), record.body)
    author = str(fields.get("author", ""))
    if record.kind == "genesis":
        author = record.id.hex()
    return Verdict(
        kind=record.kind,
        id=record.id.hex(),
        author=author,
        kid=record.kid.hex(),
        fields=fields,
        bytes=len(raw),
        fault="",
        says=sentence(record),
        signature=signature.hex(),
    )


def _open(raw: bytes, network: str) -> Record[Any]:
    """As a log takes it where nothing else knows the kind: what begins as an entry holds its place there."""
    try:
        return open_record(raw, network)
    except Refused as refused:
        if refused.code not in ("unknown-kind", "schema", "unknown-critical-key"):
            raise
        try:
            record = open_record(raw, network, unknown=OtherEntry)
        except Refused:
            raise refused from None
        return record


def _fields(cls: type[Any], tree: Mapping[int, Any], body: Any = None) -> dict[str, Any]:
    """The fields by name, in order of their keys; keys that are unknown here by their number."""
    known = {number: name for number, name, _, _ in keys_of(cls)}
    fields = {
        name: _plain(tree.get(number) if body is None else getattr(body, name))
        for number, name in known.items()
        if body is not None or number in tree
    }
    return fields | {f"key {number}": _plain(item) for number, item in tree.items() if number not in known}


def _unverified(raw: bytes, network: str, fault: str) -> Verdict:
    """What can be read of a record that isn't valid, so that a person sees which one it is."""
    try:
        protected, payload, signature = parts(raw)
        header, tree = decode_map(protected, max_bytes=128), decode_map(payload, max_bytes=MAX_RECORD_BYTES)
    except Refused:
        return Verdict("", "", "", "", {}, len(raw), fault)
    kind, kid = str(header.get(_TYP, "")), header.get(_KID, b"")
    cls = KINDS.get(kind)
    fields = _fields(OtherEntry if cls is None else cls, tree)
    id_ = sha256(sig_structure(raw, network)).digest()
    says = ""
    if cls is not None and isinstance(kid, bytes):
        try:
            body = from_tree(cls, tree)
            fields, says = _fields(cls, tree, body), sentence(Record(id_, kid, kind, body, raw))
        except Refused:
            says = ""  # its fields are what is wrong with it, and the fault names them
    return Verdict(
        kind=kind,
        id=id_.hex(),
        author=str(fields.get("author", "")),
        kid=str(_plain(kid)),
        fields=fields,
        bytes=len(raw),
        fault=fault,
        says=says,
        signature=signature.hex(),
    )


def _plain(value: Any) -> Any:
    """As JSON can hold it: bytes in hex, names as text, shapes as objects."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return value
