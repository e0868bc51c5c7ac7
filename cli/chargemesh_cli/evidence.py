"""Signed records read from a file and told to a person: kind, author, fields by name, and the verdict.

Uses the protocol package alone: no node, no keys, no network. Where in a file they stand: `record_file`.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Any

from chargemesh_protocol.encoding import decode_map
from chargemesh_protocol.errors import ExitCode, PersonError, Refused
from chargemesh_protocol.limits import MAX_RECORD_BYTES
from chargemesh_protocol.record import KINDS, Record, open_record, parts, sig_structure
from chargemesh_protocol.shape import from_tree, keys_of
from chargemesh_protocol.trust.entries import OtherEntry

from .proof import Proof, proof
from .record_file import Damaged, Written, records_in
from .record_text import sentence
from .speakers import Speakers

_EXCERPT_CHARS = 20
_TYP, _KID = 16, 4
# A payload class is known once its module was imported.
_MODULES = ("identity", "listing", "booking.records", "trust.entries")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One record of a file. ids and keys in hex. `fault`: why it isn't valid, empty if it is.

    speaks: whether the key that signed has a delegation by the author; None where the file can't say.
    says: what it says, in a sentence, also where it isn't valid; empty where it can't be read.
    sha256: of the record's bytes; of the text that stands in its place where there are none (bytes is 0).
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
    sha256: str = ""

    @property
    def valid(self) -> bool:
        return not self.fault

    def as_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "valid": self.valid}


def judge(data: bytes, network: str) -> tuple[list[Verdict], Proof]:
    """Every record in `data`, verified on `network`, and what they prove; PersonError if there is none."""
    for module in _MODULES:
        importlib.import_module(f"chargemesh_protocol.{module}")
    opened: list[Record[Any]] = []
    found = [_judge_place(one, network, opened) for one in records_in(data)]
    speakers = Speakers(opened, network)
    by_id = {one.id.hex(): one for one in opened}
    found = [_with_speaker(one, by_id, speakers) for one in found]
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


def _as_stated(one: Verdict, stated: str) -> Verdict:
    """Not valid under another id: who looks it up by that one would find something else."""
    if not one.valid or not stated or stated.lower() == one.id:
        return one
    return dataclasses.replace(
        one, fault=f"the file calls it {stated[:16]!r}, which is not its id (other-id)"
    )


def _with_speaker(one: Verdict, by_id: Mapping[str, Record[Any]], speakers: Speakers) -> Verdict:
    if not one.valid:
        return one
    speaks = speakers.judge(by_id[one.id])
    fault = "its key has no delegation by that author (not-delegated)" if speaks is False else ""
    return dataclasses.replace(one, speaks=speaks, fault=fault)


def _judge_place(one: Written | Damaged, network: str, opened: list[Record[Any]]) -> Verdict:
    if isinstance(one, Damaged):
        return _unreadable(one)
    verdict = dataclasses.replace(_judge_one(one.raw, network, opened), sha256=sha256(one.raw).hexdigest())
    return _as_stated(verdict, one.stated)


def _unreadable(one: Damaged) -> Verdict:
    """A record that must stand there, and can't be read at all."""
    excerpt = one.text[:_EXCERPT_CHARS] + ("…" if len(one.text) > _EXCERPT_CHARS else "")
    called = f", which the file calls {one.stated[:16]!r}," if one.stated else ""
    fault = f"{one.place}{called} holds {excerpt!r}, which is no record (not-decoded)"
    written = sha256(one.text.encode("utf-8", "surrogatepass")).hexdigest()
    return Verdict("", "", "", "", {}, 0, fault, sha256=written)


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
