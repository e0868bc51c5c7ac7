"""invalid-records.json: what is no COSE_Sign1 as chapter 02 allows it, or has another header."""

from __future__ import annotations

from typing import Any

import cbor2

from chargemesh_protocol.identity import public_key
from chargemesh_protocol.limits import MAX_RECORD_BYTES

from ..protocol import forge
from .cast import ALICE
from .forged import asked, of, signed
from .frame import Case, VectorFile, bad
from .samples import samples

BODY = samples()["renewal"]
GOOD = of(BODY)
PAYLOAD = cbor2.dumps({1: BODY.issued, 2: BODY.listing})
KID = public_key(ALICE.device)
HEADER = forge.header("renewal", KID)
_SIGNATURE = GOOD[-64:]

# name: (other parts than a good record's, code, why)
Faults = dict[str, tuple[dict[str, Any], str, str]]
FRAMING: Faults = {
    "untagged": ({"head": b"\x84"}, "encoding", "a record begins with tag 18"),
    "tag-98": ({"head": b"\xd8\x62\x84"}, "encoding", "COSE_Sign is another structure"),
    "tag-17": ({"head": b"\xd1\x84"}, "encoding", "COSE_Mac0 is another structure"),
    "tag-61-around": ({"head": b"\xd8\x3d\xd2\x84"}, "encoding", "nothing stands around the tag 18"),
    "tag-55799-around": ({"head": b"\xd9\xd9\xf7\xd2\x84"}, "encoding", "nothing stands around the tag 18"),
    "tag-18-in-two-bytes": ({"head": b"\xd8\x12\x84"}, "encoding", "tag 18 is written d2"),
    "tagged-twice": ({"head": b"\xd2\xd2\x84"}, "encoding", "tag 18 stands once"),
    "array-of-5": ({"head": b"\xd2\x85", "tail": b"\x00"}, "encoding", "the array has 4 items"),
    "array-head-not-shortest": ({"head": b"\xd2\x98\x04"}, "encoding", "the array's head is 84"),
    "array-indefinite": ({"head": b"\xd2\x9f", "tail": b"\xff"}, "encoding", "the array's head is 84"),
    "trailing-byte": ({"tail": b"\x00"}, "encoding", "nothing stands behind the signature"),
    "trailing-record": ({"tail": GOOD}, "encoding", "nothing stands behind the signature"),
    "unprotected-with-a-kid": (
        {"unprotected": cbor2.dumps({4: KID})}, "header", "the unprotected map is empty",
    ),
    "unprotected-with-an-unknown-label": (
        {"unprotected": b"\xa1\x17\x00"}, "header", "the unprotected map is empty",
    ),
    "unprotected-indefinite": ({"unprotected": b"\xbf\xff"}, "header", "the unprotected map is a0"),
    "unprotected-not-shortest": ({"unprotected": b"\xb8\x00"}, "header", "the unprotected map is a0"),
    "unprotected-null": ({"unprotected": b"\xf6"}, "header", "the unprotected map is a0"),
    "unprotected-bytes": ({"unprotected": b"\x41\xa0"}, "header", "the unprotected map is a0, not wrapped"),
    "unprotected-array": ({"unprotected": b"\x80"}, "header", "the unprotected map is a0"),
}  # fmt: skip

HEADERS: dict[str, tuple[Any, str]] = {
    "no-alg": ({4: KID, 16: "renewal"}, "alg is missing"),
    "alg-es256": ({1: -7, 4: KID, 16: "renewal"}, "alg is -8"),
    "alg-ed25519-by-its-newer-number": ({1: -19, 4: KID, 16: "renewal"}, "alg is -8, not another of it"),
    "alg-positive": ({1: 8, 4: KID, 16: "renewal"}, "alg is -8"),
    "alg-text": ({1: "EdDSA", 4: KID, 16: "renewal"}, "alg is the number -8"),
    "alg-boolean": ({1: True, 4: KID, 16: "renewal"}, "alg is the number -8"),
    "no-kid": ({1: -8, 16: "renewal"}, "kid is missing"),
    "kid-of-31-bytes": ({1: -8, 4: KID[:31], 16: "renewal"}, "kid has 32 bytes"),
    "kid-of-33-bytes": ({1: -8, 4: KID + b"\0", 16: "renewal"}, "kid has 32 bytes"),
    "kid-empty": ({1: -8, 4: b"", 16: "renewal"}, "kid has 32 bytes"),
    "kid-text": ({1: -8, 4: "k" * 32, 16: "renewal"}, "kid is a byte string"),
    "kid-as-a-map": ({1: -8, 4: {1: 1}, 16: "renewal"}, "kid is the raw key, no COSE_Key"),
    "no-typ": ({1: -8, 4: KID}, "typ is missing"),
    "typ-number": ({1: -8, 4: KID, 16: 60}, "typ is text"),
    "typ-bytes": ({1: -8, 4: KID, 16: b"renewal"}, "typ is text"),
    "typ-empty": ({1: -8, 4: KID, 16: ""}, "typ has 1 to 40 characters"),
    "typ-of-41-characters": ({1: -8, 4: KID, 16: "r" * 41}, "typ has 1 to 40 characters"),
    "with-crit": ({1: -8, 2: [16], 4: KID, 16: "renewal"}, "exactly alg, kid and typ"),
    "with-content-type": ({1: -8, 3: 0, 4: KID, 16: "renewal"}, "exactly alg, kid and typ"),
    "with-iv": ({1: -8, 4: KID, 5: b"\0", 16: "renewal"}, "exactly alg, kid and typ"),
    "with-a-label-15": ({1: -8, 4: KID, 15: {}, 16: "renewal"}, "exactly alg, kid and typ"),
    "with-a-label-23": ({1: -8, 4: KID, 16: "renewal", 23: 0}, "exactly alg, kid and typ"),
    "empty-map": ({}, "exactly alg, kid and typ"),
}

_K = "5820" + KID.hex()
_T = "67" + b"renewal".hex()
HEADER_BYTES: dict[str, tuple[str, str]] = {
    "no-bytes": ("", "the header is a map, also where a library writes an empty one as nothing"),
    "array": (f"8301{'27'}{_K}", "the header is a map"),
    "keys-out-of-order": (f"a304{_K}012710{_T}", "keys ascend"),
    "alg-twice": (f"a40127012704{_K}10{_T}", "every key stands once"),
    "alg-not-shortest": (f"a301380704{_K}10{_T}", "-8 fits into the head itself"),
    "alg-float": (f"a301f9c80004{_K}10{_T}", "floats are not allowed"),
    "kid-length-not-shortest": (f"a3012704590020{KID.hex()}10{_T}", "32 fits into one byte"),
    "map-indefinite": (f"bf012704{_K}10{_T}ff", "lengths are definite"),
    "trailing-byte": (f"a3012704{_K}10{_T}00", "nothing stands behind the map"),
    "label-as-text": (f"a3012704{_K}6374797010{_T}", "labels are integers from 0 to 23"),
    "label-33": (f"a4012704{_K}10{_T}182140", "the header is a map as chapter 01 has them: keys to 23"),
    "label-negative": (f"a4012704{_K}10{_T}2000", "the header is a map as chapter 01 has them: keys from 0"),
    "typ-null": (f"a3012704{_K}10f6", "null is not allowed"),
    "typ-not-utf8": (f"a3012704{_K}1061ff", "text is UTF-8"),
}


def _parts() -> dict[str, tuple[bytes, str]]:
    """Records whose four items are wrapped otherwise; the signature is good where there is one."""
    protected, payload, signature = (cbor2.dumps(one) for one in (HEADER, PAYLOAD, _SIGNATURE))
    unwrapped = b"\xd2\x84" + HEADER + b"\xa0" + payload + signature
    return {
        "no-bytes": (b"", "there is no record"),
        "only-its-head": (b"\xd2\x84", "the items are missing"),
        "cut-short": (GOOD[:-1], "a byte of the signature is missing"),
        "cut-behind-its-protected-header": (b"\xd2\x84" + protected, "three items are missing"),
        "cut-behind-its-unprotected-map": (b"\xd2\x84" + protected + b"\xa0", "two items are missing"),
        "array-of-3": (b"\xd2\x83" + protected + b"\xa0" + payload, "the array has 4 items"),
        "text-instead-of-a-record": (cbor2.dumps("renewal"), "a record begins with tag 18"),
        "header-not-wrapped": (unwrapped, "the protected header is a byte string"),
        "detached-payload": (b"\xd2\x84" + protected + b"\xa0\xf6" + signature, "the payload is inside"),
        "payload-not-wrapped": (
            b"\xd2\x84" + protected + b"\xa0" + PAYLOAD + signature,
            "the payload is a byte string",
        ),
        "payload-as-text": (
            b"\xd2\x84" + protected + b"\xa0" + b"\x78" + payload[1:] + signature,
            "the payload is a byte string",
        ),
        "payload-tagged-24": (
            b"\xd2\x84" + protected + b"\xa0\xd8\x18" + payload + signature,
            "the payload is a byte string without a tag",
        ),
        "signature-null": (b"\xd2\x84" + protected + b"\xa0" + payload + b"\xf6", "a signature is bytes"),
        "signature-in-an-array": (
            b"\xd2\x84" + protected + b"\xa0" + payload + b"\x81" + signature,
            "a record has one signature",
        ),
        "header-length-not-shortest": (
            b"\xd2\x84\x59\x00" + protected[1:] + b"\xa0" + payload + signature,
            "a length below 256 takes one byte",
        ),
        "payload-length-not-shortest": (
            b"\xd2\x84" + protected + b"\xa0\x5a\x00\x00\x00" + payload[1:] + signature,
            "a length below 256 takes one byte",
        ),
        "signature-length-not-shortest": (
            b"\xd2\x84" + protected + b"\xa0" + payload + b"\x59\x00" + signature[1:],
            "64 takes one byte",
        ),
        "header-indefinite": (
            b"\xd2\x84\x5f" + protected + b"\xff\xa0" + payload + signature,
            "lengths are definite",
        ),
        "payload-indefinite": (
            b"\xd2\x84" + protected + b"\xa0\x5f" + payload + b"\xff" + signature,
            "lengths are definite",
        ),
        "payload-that-claims-more": (
            b"\xd2\x84" + protected + b"\xa0\x59\xff\xff" + payload[2:] + signature,
            "the length reaches beyond the record",
        ),
    }


def _refused(name: str, raw: bytes, code: str, why: str) -> Case:
    return bad(name, "record.open", asked(raw), code, why, asked(GOOD))


def made() -> VectorFile:
    cases = [_refused(name, of(BODY, **parts), code, why) for name, (parts, code, why) in FRAMING.items()]
    cases += [_refused(name, raw, "encoding", why) for name, (raw, why) in _parts().items()]
    for name, (header, why) in HEADERS.items():
        raw = of(BODY, protected=cbor2.dumps(header, canonical=True))
        cases.append(_refused(f"header-{name}", raw, "header", why))
    for name, (data, why) in HEADER_BYTES.items():
        raw = of(BODY, protected=bytes.fromhex(data))
        cases.append(_refused(f"header-bytes-{name}", raw, "encoding", why))
    larger = {1: BODY.issued, 2: BODY.listing, 16: bytes(MAX_RECORD_BYTES - 200)}
    fits = len(signed(larger, "renewal"))
    too_long = {**larger, 16: bytes(MAX_RECORD_BYTES - 200 + MAX_RECORD_BYTES - fits + 1)}
    just_fits = {**larger, 16: bytes(MAX_RECORD_BYTES - 200 + MAX_RECORD_BYTES - fits)}
    given, mended = asked(signed(too_long, "renewal")), asked(signed(just_fits, "renewal"))
    why = f"a record has at most {MAX_RECORD_BYTES} bytes, this one has one more"
    cases.append(bad("one-byte-too-large", "record.open", given, "too-large", why, mended))
    about = "What is no COSE_Sign1 in the one form of 02-records.md, or has another header."
    return VectorFile("invalid-records", about, tuple(cases))
