"""The record: everything signed is one COSE_Sign1 (RFC 9052) over a deterministic CBOR map.

    18([ h'protected', {}, h'payload', h'signature' ])
    protected    {1: -8 (EdDSA), 4: raw 32-byte public key (kid), 16: kind (typ, RFC 9596)}
    Sig_structure  ["Signature1", protected, external_aad = "chargemesh/<network id>", payload]

The id of a record is SHA-256 over the Sig_structure, so that a signature can't change an id.
Validity of a signature is one rule everywhere: libsodium's `crypto_sign_open`, and once per key
`crypto_core_ed25519_is_valid_point`; libraries differ on odd keys and a network that mixes rules splits.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import nacl.bindings as sodium
import nacl.exceptions

from .encoding import TreeMap, decode_map, encode, encode_ordered
from .errors import Refused, Severity
from .limits import MAX_NETWORK_ID_CHARS, MAX_RECORD_BYTES
from .shape import from_tree, read_beginning, to_tree

B = TypeVar("B", covariant=True)
T = TypeVar("T")

_SIGN1_HEAD = b"\xd2\x84"  # tag 18, definite array of 4
_NO_UNPROTECTED = b"\xa0"
_SIGNATURE_HEAD = b"\x58\x40"
_CONTEXT = b"\x84\x6aSignature1"  # array of 4, text of 10 characters
_ALG, _KID, _TYP = 1, 4, 16
_EDDSA = -8
_SIGNATURE_BYTES = 64
_MAX_KIND_CHARS = 40

KINDS: dict[str, type[Any]] = {}
_KIND_OF: dict[type[Any], str] = {}
_CARRIES: dict[type[Any], tuple[str, type[Any]]] = {}


def kind(name: str, *, carries: tuple[str, type[Any]] | None = None) -> Any:
    """Class decorator: registers a shaped dataclass as the payload of records of typ `name`.

    `carries`: the field that holds another whole record, and the payload of that one's kind. TypeError for a
    name that is taken, or that somebody else's package may not take (specs/13, X1).
    """

    def register(cls: type[T]) -> type[T]:
        if name in KINDS:
            raise TypeError(f"two payloads for kind {name}")
        if not cls.__module__.startswith(f"{__package__}.") and not is_foreign(name):
            raise TypeError(f"kind {name}: a kind of your own is named after a domain, as org.example.solar")
        if not 0 < len(name) <= _MAX_KIND_CHARS:
            raise TypeError(f"kind {name}: a name has 1 to {_MAX_KIND_CHARS} characters")
        KINDS[name] = cls
        _KIND_OF[cls] = name
        if carries is not None:
            _CARRIES[cls] = carries
        return cls

    return register


def is_foreign(name: str) -> bool:
    """Whether a kind is somebody else's: those of this specification have no dot in their names."""
    return "." in name


@dataclass(frozen=True, slots=True)
class Record(Generic[B]):
    """A record whose signature is good under `kid`. Whether `kid` may sign for the author, `Directory` says.

    id: 32 bytes. kid: the raw key that signed. body: the payload read as its kind. raw: the exact
    COSE_Sign1 bytes, which alone are stored and forwarded.
    """

    id: bytes
    kid: bytes
    kind: str
    body: B
    raw: bytes


@lru_cache(maxsize=16)
def aad(network: str) -> bytes:
    """external_aad of a network: a record of a test network is worthless on another."""
    if not 0 < len(network) <= MAX_NETWORK_ID_CHARS or not network.isascii():
        raise ValueError(f"a network id is 1 to {MAX_NETWORK_ID_CHARS} ASCII characters")
    return b"chargemesh/" + network.encode()


def sign(body: T, seed: bytes, network: str) -> Record[T]:
    """Signs `body` with the Ed25519 key of `seed` (32 bytes); EdDSA draws no randomness (RFC 8032)."""
    return _sign(_KIND_OF[type(body)], body, encode_ordered(to_tree(body)), seed, network)


def sign_foreign(name: str, beginning: T, more: TreeMap, seed: bytes, network: str) -> Record[T]:
    """Signs a record of somebody else's kind, also where its class is not known: what `beginning` says, and
    the keys of `more` after it."""
    if not is_foreign(name):
        raise ValueError(f"{name} is no kind of somebody else's")
    return _sign(name, beginning, encode(to_tree(beginning) | more), seed, network)


def _sign(name: str, body: T, payload: bytes, seed: bytes, network: str) -> Record[T]:
    kid, secret = _keypair(seed)
    protected, content = _protected(kid, name), _byte_string(payload)
    signed = _CONTEXT + protected + _external_aad(network) + content
    signature = sodium.crypto_sign(signed, secret)[:_SIGNATURE_BYTES]
    raw = _SIGN1_HEAD + protected + _NO_UNPROTECTED + content + _SIGNATURE_HEAD + signature
    if len(raw) > MAX_RECORD_BYTES:
        raise ValueError(f"a record is at most {MAX_RECORD_BYTES} bytes, this one is {len(raw)}")
    return Record(hashlib.sha256(signed).digest(), kid, name, body, raw)


def open_record(raw: bytes, network: str, *, unknown: type[Any] | None = None) -> Record[Any]:
    """Reads and verifies one record of any known kind; Refused with the one reason otherwise.

    `unknown`: where kinds that others invented may stand, the shape of what all of them begin with, and a
    direct subclass of what all bodies there are. Such a record's body is read as that; its further fields are
    left alone and stay in `raw`. A reader who knows the kind refuses no more than one who doesn't: a body
    that its class can't read is read as `unknown` as well, or the network would split over an extension.
    A record that a record carries is verified with it, and its faults are those of both.
    """
    if len(raw) > MAX_RECORD_BYTES:
        raise Refused("too-large", f"a record is at most {MAX_RECORD_BYTES} bytes")
    header_end, payload_at, payload_end = _split(raw)
    kid, name = _read_protected(raw[2:header_end])
    cls = KINDS.get(name, unknown)
    if cls is None:
        raise Refused("unknown-kind", f"no kind {name!r} here", Severity.STALE)
    signed = _signed(raw, header_end, payload_end, network)
    _require_valid_point(kid)
    try:
        sodium.crypto_sign_open(raw[-_SIGNATURE_BYTES:] + signed, kid)
    except nacl.exceptions.BadSignatureError:
        raise Refused("bad-signature", f"the signature of this {name} is wrong", Severity.FORGED) from None
    # Parsed only after the signature: a stranger's bytes cost one verification, never a tree of objects.
    tree = decode_map(raw[payload_at:payload_end], max_bytes=MAX_RECORD_BYTES)
    if unknown is None or (name in KINDS and not is_foreign(name)):
        body = from_tree(cls, tree)
    else:
        body = _read_foreign(cls, tree, unknown)
    if type(body) in _CARRIES:
        field, inner = _CARRIES[type(body)]
        open_as(inner, getattr(body, field), network)
    return Record(hashlib.sha256(signed).digest(), kid, name, body, raw)


def _read_foreign(cls: type[Any], tree: TreeMap, unknown: type[Any]) -> Any:
    beginning = read_beginning(unknown, tree)
    if cls is unknown or not issubclass(cls, unknown.__base__ or object):
        return beginning
    try:
        return from_tree(cls, tree)
    except Refused:
        return beginning


def open_as(cls: type[T], raw: bytes, network: str) -> Record[T]:
    """As `open_record`, for a place where only one kind may stand."""
    record = open_record(raw, network)
    if type(record.body) is not cls:
        raise Refused("wrong-kind", f"expected a {_KIND_OF[cls]}, got a {record.kind}")
    return record


def carried(record: Record[Any]) -> Any:
    """The body of the record that `record` carries, which `open_record` has verified. Refused where it is
    malformed, which can be so only of what was not opened; None for kinds that carry nothing."""
    if type(record.body) not in _CARRIES:
        return None
    field, cls = _CARRIES[type(record.body)]
    raw: bytes = getattr(record.body, field)
    header_end, payload_at, payload_end = _split(raw)
    if _read_protected(raw[2:header_end])[1] != _KIND_OF[cls]:
        raise Refused("wrong-kind", f"a {record.kind} carries a {_KIND_OF[cls]}")
    return from_tree(cls, decode_map(raw[payload_at:payload_end], max_bytes=MAX_RECORD_BYTES))


def open_kept(raw: bytes, id: bytes, network: str) -> Record[Any]:
    """Reads a record of our own store, which was verified when it came. The signature is left alone.

    The id covers every byte but the signature's, so that a damaged record is found out: ValueError, or
    Refused where it can't be read at all. Who could forge one in the store could sign as well: the device key
    lies beside it. This takes a fifth of the time.
    """
    header_end, payload_at, payload_end = _split(raw)
    kid, name = _read_protected(raw[2:header_end])
    if name not in KINDS or hashlib.sha256(_signed(raw, header_end, payload_end, network)).digest() != id:
        raise ValueError("a record is not what was kept under its id")
    return Record(id, kid, name, from_tree(KINDS[name], decode_map(raw[payload_at:payload_end])), raw)


def parts(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """(protected, payload, signature) of a COSE_Sign1 as we allow it, unverified: for showing a record."""
    header_end, payload_at, payload_end = _split(raw)
    header_at, _ = _content(raw, 2)
    return raw[header_at:header_end], raw[payload_at:payload_end], raw[-_SIGNATURE_BYTES:]


def sig_structure(raw: bytes, network: str) -> bytes:
    """The exact bytes that were signed (RFC 9052, section 4.4): for vectors and for showing a record."""
    header_end, _, payload_end = _split(raw)
    return _signed(raw, header_end, payload_end, network)


def kind_of(cls: type[Any]) -> str:
    """The typ text of a payload class."""
    return _KIND_OF[cls]


# The same few keys and headers come again and again; each costs as much as reading the rest of a record.
@lru_cache(maxsize=64)
def _keypair(seed: bytes) -> tuple[bytes, bytes]:
    return sodium.crypto_sign_seed_keypair(seed)


@lru_cache(maxsize=1024)
def _protected(kid: bytes, name: str) -> bytes:
    return _byte_string(encode({_ALG: _EDDSA, _KID: kid, _TYP: name}))


@lru_cache(maxsize=16)
def _external_aad(network: str) -> bytes:
    return _byte_string(aad(network))


@lru_cache(maxsize=8192)
def _read_protected(item: bytes) -> tuple[bytes, str]:
    start, end = _content(item, 0)
    header = decode_map(item[start:end])  # of a checked record; what passes is short
    if set(header) != {_ALG, _KID, _TYP} or header[_ALG] != _EDDSA or type(header[_ALG]) is not int:
        raise Refused("header", "the protected header must be exactly alg, kid and typ")
    kid, name = header[_KID], header[_TYP]
    if type(kid) is not bytes or len(kid) != 32:
        raise Refused("header", "kid must be a raw 32-byte key")
    if type(name) is not str or not 0 < len(name) <= _MAX_KIND_CHARS:
        raise Refused("header", "typ must be a short text")
    return kid, name


def _split(raw: bytes) -> tuple[int, int, int]:
    """Where the protected header ends, and where the content of the payload begins and ends.

    The header begins at 2, the payload's head one byte after the header, the signature is the last 64 bytes.
    """
    if raw[:2] != _SIGN1_HEAD:
        raise Refused("encoding", "not a tagged COSE_Sign1", Severity.FORGED)
    _, header_end = _content(raw, 2)
    if len(raw) == header_end:
        raise Refused("encoding", "the record is cut short", Severity.FORGED)
    # What stands here instead says where it ends only to who reads it: nothing behind it is looked at.
    if raw[header_end : header_end + 1] != _NO_UNPROTECTED:
        raise Refused("header", "the unprotected map must be empty")
    payload_at, payload_end = _content(raw, header_end + 1)
    if raw[payload_end : payload_end + 2] != _SIGNATURE_HEAD or len(raw) != payload_end + 66:
        _, end = _content(raw, payload_end)
        if end != len(raw):
            raise Refused("encoding", "trailing bytes", Severity.FORGED)
        raise Refused("bad-signature", "a signature has 64 bytes", Severity.FORGED)
    return header_end, payload_at, payload_end


def _content(raw: bytes, at: int) -> tuple[int, int]:
    """Where the content of the minimally encoded byte string at `at` begins and ends."""
    if at >= len(raw):
        raise Refused("encoding", "the record is cut short", Severity.FORGED)
    head = raw[at]
    if head == 0x58:
        start, least = at + 2, 24
    elif head == 0x59:
        start, least = at + 3, 256
    elif 0x40 <= head < 0x58:
        start, least = at + 1, 0
    else:
        raise Refused("encoding", "expected a byte string of at most 65,535 bytes", Severity.FORGED)
    size = int.from_bytes(raw[at + 1 : start], "big") if least else head - 0x40
    if start + size > len(raw):
        raise Refused("encoding", "the record is cut short", Severity.FORGED)
    if size < least:
        raise Refused("encoding", "the length of a byte string is not minimal", Severity.FORGED)
    return start, start + size


def _byte_string(data: bytes) -> bytes:
    """`data` as a CBOR byte string."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,)) + data
    if size < 256:
        return bytes((0x58, size)) + data
    if size >= 65536:
        raise ValueError("byte string too long for a record")
    return b"\x59" + size.to_bytes(2, "big") + data


def _signed(raw: bytes, header_end: int, payload_end: int, network: str) -> bytes:
    """The Sig_structure. Its byte strings are those of the record, which `_split` found minimal."""
    return _CONTEXT + raw[2:header_end] + _external_aad(network) + raw[header_end + 1 : payload_end]


class _PointCache:
    """Remembers keys already found to be valid points: the check costs as much as a verification."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._valid: OrderedDict[bytes, None] = OrderedDict()

    def require(self, point: bytes) -> None:
        if point in self._valid:
            return
        if not sodium.crypto_core_ed25519_is_valid_point(point):
            raise Refused("bad-key", "kid is not a valid Ed25519 point", Severity.FORGED)
        self._valid[point] = None
        if len(self._valid) > self._size:
            self._valid.popitem(last=False)


_require_valid_point = _PointCache(100_000).require
