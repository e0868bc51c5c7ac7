"""invalid-encoding.json: bytes that hold no allowed tree, or not in its one form."""

from __future__ import annotations

from chargemesh_protocol.encoding import Tree

from ..conformance.values import tagged
from .encoding import MAX_DEPTH
from .frame import Case, Json, VectorFile, bad

# name: (faulty bytes, the same without the fault, why)
Faults = dict[str, tuple[str, str, str]]

NOT_SHORTEST: Faults = {
    "integer-in-two-bytes-for-one": ("1817", "17", "23 fits into the head itself"),
    "integer-in-three-bytes-for-two": ("1900ff", "18ff", "255 fits into one byte"),
    "integer-in-five-bytes-for-three": ("1a0000ffff", "19ffff", "65535 fits into two bytes"),
    "integer-in-nine-bytes-for-five": ("1b00000000ffffffff", "1affffffff", "2^32-1 fits into four bytes"),
    "zero-in-nine-bytes": ("1b0000000000000000", "00", "0 fits into the head itself"),
    "negative-in-two-bytes-for-one": ("3817", "37", "-24 fits into the head itself"),
    "negative-in-three-bytes-for-two": ("3900ff", "38ff", "-256 fits into one byte"),
    "negative-in-five-bytes-for-three": ("3a0000ffff", "39ffff", "-65536 fits into two bytes"),
    "negative-in-nine-bytes-for-five": ("3b00000000ffffffff", "3affffffff", "-2^32 fits into four bytes"),
    "bytes-length-not-shortest": ("5800", "40", "the length 0 fits into the head itself"),
    "bytes-length-in-two-bytes": ("59000100", "4100", "the length 1 fits into the head itself"),
    "bytes-length-in-four-bytes": ("5a0000000100", "4100", "the length 1 fits into the head itself"),
    "bytes-length-in-eight-bytes": ("5b000000000000000100", "4100", "the length 1 fits into the head itself"),
    "text-length-not-shortest": ("780161", "6161", "the length 1 fits into the head itself"),
    "text-length-in-two-bytes": ("79000161", "6161", "the length 1 fits into the head itself"),
    "array-length-not-shortest": ("9800", "80", "the length 0 fits into the head itself"),
    "array-length-in-four-bytes": ("9a0000000105", "8105", "the length 1 fits into the head itself"),
    "map-length-not-shortest": ("b800", "a0", "the length 0 fits into the head itself"),
    "map-length-in-two-bytes": ("b900010000", "a10000", "the length 1 fits into the head itself"),
    "key-not-shortest": ("a1180500", "a10500", "the key 5 fits into one byte"),
    "integer-not-shortest-deep-inside": ("a1008118" + "05", "a1008105", "5 fits into the head itself"),
}

TOO_FAR: Faults = {
    "2-to-the-63": ("1b8000000000000000", "1b7fffffffffffffff", "the largest integer is 2^63-1"),
    "2-to-the-64-less-1": ("1bffffffffffffffff", "1b7fffffffffffffff", "the largest integer is 2^63-1"),
    "below-minus-2-to-the-63": ("3b8000000000000000", "3b7fffffffffffffff", "the smallest is -2^63"),
    "minus-2-to-the-64": ("3bffffffffffffffff", "3b7fffffffffffffff", "the smallest is -2^63"),
}

OTHER_TYPES: Faults = {
    "float16": ("f93c00", "01", "floats of no width are allowed, not even 1.0"),
    "float16-zero": ("f90000", "00", "floats of no width are allowed"),
    "float16-minus-zero": ("f98000", "00", "floats of no width are allowed"),
    "float16-nan": ("f97e00", "00", "floats of no width are allowed"),
    "float16-infinity": ("f97c00", "00", "floats of no width are allowed"),
    "float32": ("fa47c35000", "1a000186a0", "floats of no width are allowed, not even 100000.0"),
    "float64": ("fb3ff199999999999a", "01", "floats of no width are allowed"),
    "float-inside-a-map": ("a101f93c00", "a10101", "floats of no width are allowed"),
    "null": ("f6", "f4", "null is not allowed; what is absent is left out"),
    "null-inside-a-map": ("a101f6", "a0", "null is not allowed; what is absent is left out"),
    "undefined": ("f7", "f4", "undefined is not allowed"),
    "simple-0": ("e0", "00", "of the simple values only true and false are allowed"),
    "simple-5": ("e5", "05", "of the simple values only true and false are allowed"),
    "simple-19": ("f3", "13", "of the simple values only true and false are allowed"),
    "simple-32": ("f820", "1820", "of the simple values only true and false are allowed"),
    "simple-255": ("f8ff", "18ff", "of the simple values only true and false are allowed"),
    "false-in-two-bytes": ("f814", "f4", "false has one form, f4"),
    "true-in-two-bytes": ("f815", "f5", "true has one form, f5"),
    "simple-in-an-array": ("81e1", "8101", "of the simple values only true and false are allowed"),
}

_DATE = "74323032372d30332d30315431383a30303a30305a"
TAGS: Faults = {
    "tag-0-date-text": (f"c0{_DATE}", _DATE, "no tag is allowed"),
    "tag-1-epoch-time": ("c11a65000000", "1a65000000", "no tag is allowed"),
    "tag-2-bignum": ("c24101", "4101", "no tag is allowed"),
    "tag-3-negative-bignum": ("c34101", "4101", "no tag is allowed"),
    "tag-4-decimal-fraction": ("c4820001", "820001", "no tag is allowed"),
    "tag-5-bigfloat": ("c5820001", "820001", "no tag is allowed"),
    "tag-18-cose-sign1": ("d280", "80", "no tag is allowed inside a tree"),
    "tag-24-encoded-cbor": ("d8184100", "4100", "no tag is allowed"),
    "tag-25-string-reference": ("d81900", "00", "no tag is allowed"),
    "tag-28-shareable": ("d81c80", "80", "no tag is allowed: shared values make huge trees of few bytes"),
    "tag-28-and-29-shared": ("82d81c80d81d00", "828000", "no tag is allowed"),
    "tag-30-rational": ("d81e820102", "820102", "no tag is allowed"),
    "tag-35-regular-expression": ("d8236161", "6161", "no tag is allowed"),
    "tag-37-uuid": ("d82550" + "00" * 16, "50" + "00" * 16, "no tag is allowed"),
    "tag-42-cid": ("d82a4100", "4100", "no tag is allowed"),
    "tag-100-days": ("d86400", "00", "no tag is allowed"),
    "tag-258-set": ("d9010280", "80", "no tag is allowed"),
    "tag-55799-self-described": ("d9d9f7a0", "a0", "no tag is allowed"),
    "tag-of-64-bits": ("dbffffffffffffffff00", "00", "no tag is allowed"),
    "tag-unknown-inside-a-map": ("a100c600", "a10000", "no tag is allowed"),
}

INDEFINITE: Faults = {
    "indefinite-bytes": ("5f4100ff", "4100", "lengths are definite"),
    "indefinite-bytes-empty": ("5fff", "40", "lengths are definite"),
    "indefinite-text": ("7f6161ff", "6161", "lengths are definite"),
    "indefinite-text-empty": ("7fff", "60", "lengths are definite"),
    "indefinite-array": ("9f00ff", "8100", "lengths are definite"),
    "indefinite-array-empty": ("9fff", "80", "lengths are definite"),
    "indefinite-map": ("bf0000ff", "a10000", "lengths are definite"),
    "indefinite-map-empty": ("bfff", "a0", "lengths are definite"),
    "indefinite-inside-an-array": ("819fff", "8180", "lengths are definite"),
    "break-alone": ("ff", "f5", "nothing of indefinite length began"),
}

BROKEN: Faults = {
    "no-bytes": ("", "00", "there is no value"),
    "trailing-byte": ("0000", "00", "nothing stands behind the value"),
    "trailing-value-behind-a-map": ("a0a0", "a0", "nothing stands behind the value"),
    "integer-cut-short": ("1818"[:2], "1818", "the byte of the integer is missing"),
    "integer-of-eight-bytes-cut-short": ("1b00000001000000", "1b0000000100000000", "a byte is missing"),
    "bytes-cut-short": ("4200", "4100", "a byte is missing"),
    "text-cut-short": ("626b", "616b", "a byte is missing"),
    "array-cut-short": ("8200", "8100", "an item is missing"),
    "map-without-its-value": ("a100", "a10000", "a value is missing"),
    "map-cut-short": ("a20000", "a10000", "an entry is missing"),
    "bytes-that-claim-gigabytes": ("5affffffff00", "4100", "the length reaches beyond the bytes"),
    "array-that-claims-billions": ("9affffffff00", "8100", "the length reaches beyond the bytes"),
    "map-that-claims-64-bits": ("bbffffffffffffffff0000", "a10000", "the length reaches beyond the bytes"),
    "reserved-28": ("1c", "1818", "28 to 30 are reserved in the low bits of a head"),
    "reserved-29": ("3d", "3818", "28 to 30 are reserved in the low bits of a head"),
    "reserved-30": ("5e", "40", "28 to 30 are reserved in the low bits of a head"),
    "reserved-of-major-7": ("fc", "f5", "28 to 30 are reserved in the low bits of a head"),
    "utf8-stray-byte": ("61ff", "6161", "text is UTF-8"),
    "utf8-cut-short": ("61c3", "62c3a9", "text is UTF-8"),
    "utf8-overlong": ("62c080", "6100", "text is UTF-8, whose shortest form of U+0000 is one byte"),
    "utf8-surrogate": ("63eda080", "63ed9fbf", "UTF-8 holds no surrogates"),
    "utf8-beyond-unicode": ("64f4908080", "64f48fbfbf", "Unicode ends at U+10FFFF"),
    "utf8-bad-continuation": ("62c328", "62c3a9", "text is UTF-8"),
}

KEYS: Faults = {
    "duplicate-key": ("a200000000", "a200000100", "every key stands once"),
    "duplicate-key-with-another-value": ("a200000001", "a200000101", "every key stands once"),
    "duplicate-key-deep-inside": ("8181a205000500", "8181a205000600", "every key stands once"),
    "keys-out-of-order": ("a201000000", "a200000100", "keys ascend"),
    "keys-out-of-order-inside": ("a100a217000100", "a100a201001700", "keys ascend"),
    "key-24": ("a1181800", "a11700", "keys are integers from 0 to 23"),
    "key-of-64-bits": ("a11b7fffffffffffffff00", "a11700", "keys are integers from 0 to 23"),
    "key-negative": ("a12000", "a10000", "keys are integers from 0 to 23"),
    "key-text": ("a1613000", "a10000", "keys are integers from 0 to 23"),
    "key-bytes": ("a1410000", "a10000", "keys are integers from 0 to 23"),
    "key-false": ("a1f400", "a10000", "keys are integers from 0 to 23, and false is none"),
    "key-true": ("a1f500", "a10100", "keys are integers from 0 to 23, and true is none"),
    "key-null": ("a1f600", "a10000", "keys are integers from 0 to 23"),
    "key-float": ("a1f93c0000", "a10100", "keys are integers from 0 to 23"),
    "key-array": ("a18000", "a10000", "keys are integers from 0 to 23"),
}

_DEPTH = "containers nest at most 8 deep"
DEPTH: Faults = {
    "arrays-too-deep": ("81" * MAX_DEPTH + "80", "81" * (MAX_DEPTH - 1) + "80", _DEPTH),
    "maps-too-deep": ("a100" * MAX_DEPTH + "a0", "a100" * (MAX_DEPTH - 1) + "a0", _DEPTH),
    "mixed-too-deep": ("81a100" * (MAX_DEPTH // 2) + "80", "81a100" * (MAX_DEPTH // 2) + "00", _DEPTH),
    "a-thousand-deep": ("81" * 1000 + "00", "8100", _DEPTH),
}

_NINE: Tree = [[[[[[[[[]]]]]]]]]
_EIGHT: Tree = [[[[[[[[]]]]]]]]
# name: (faulty tree, the same without the fault, why)
WRITTEN: dict[str, tuple[Json, Json, str]] = {
    "write-2-to-the-63": ({"int": str(2**63)}, {"int": str(2**63 - 1)}, "the largest integer is 2^63-1"),
    "write-below-minus-2-to-the-63": ({"int": str(-(2**63) - 1)}, {"int": 0}, "the smallest is -2^63"),
    "write-key-24": ({"map": [[24, {"int": 0}]]}, {"map": [[23, {"int": 0}]]}, "keys go to 23"),
    "write-negative-key": ({"map": [[-1, {"int": 0}]]}, {"map": [[0, {"int": 0}]]}, "keys begin at 0"),
    "write-too-deep": (tagged(_NINE), tagged(_EIGHT), _DEPTH),
}


def _refused(name: str, data: str, mended: str, why: str) -> Case:
    given = {"bytes": data, "max_bytes": 262_144}
    return bad(name, "encoding.decode", given, "encoding", why, {"bytes": mended})


def made() -> VectorFile:
    cases = [
        _refused(name, *fault)
        for faults in (NOT_SHORTEST, TOO_FAR, OTHER_TYPES, TAGS, INDEFINITE, BROKEN, KEYS, DEPTH)
        for name, fault in faults.items()
    ]
    long = {"bytes": "50" + "00" * 16, "max_bytes": 16}
    why = "17 bytes, and 16 are allowed here"
    cases.append(bad("too-large", "encoding.decode", long, "too-large", why, {"bytes": "4f" + "00" * 15}))
    huge = {"bytes": "ff" * 17, "max_bytes": 16}
    why = "size is judged before anything is decoded"
    cases.append(bad("too-large-garbage", "encoding.decode", huge, "too-large", why, {"bytes": "00"}))
    for name, (form, mended, why) in WRITTEN.items():
        cases.append(bad(name, "encoding.encode", {"tree": form}, "encoding", why, {"tree": mended}))
    return VectorFile(
        "invalid-encoding",
        "Bytes and trees that are not allowed (01-encoding.md), each for one reason.",
        tuple(cases),
    )
