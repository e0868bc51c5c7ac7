"""A record is taken only if each byte is as RFC 9052, our header and the one rule of Ed25519 have it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import cbor2
import nacl.bindings as sodium
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking.records import Cancel, CancelReason, Paid
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused, Severity
from chargemesh_protocol.limits import MAX_DEPTH, MAX_RECORD_BYTES
from chargemesh_protocol.listing import Renewal
from chargemesh_protocol.record import (
    KINDS,
    Record,
    aad,
    kind,
    kind_of,
    open_as,
    open_record,
    parts,
    sig_structure,
    sign,
)

from . import forge
from .forge import KID, NETWORK, SEED
from .trees import damaged

RENEWAL = Renewal(issued=1_804_500_000_000, listing=b"l" * 32)
PAYLOAD = cbor2.dumps({1: 1_804_500_000_000, 2: b"l" * 32})
# Points of order 1, 2, 4 and 8 as RFC 7748 and libsodium list them, and encodings of y >= p.
ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
SMALL_ORDER = {
    "order 1": "0100000000000000000000000000000000000000000000000000000000000000",
    "order 2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 4": "0000000000000000000000000000000000000000000000000000000000000000",
    "order 4, negative": "0000000000000000000000000000000000000000000000000000000000000080",
    "order 8": ORDER_8.hex(),
    "another of order 8": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8, negative": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "y = p": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "y = p + 1": "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 1 with a sign": "0100000000000000000000000000000000000000000000000000000000000080",
    "no point at all": "0200000000000000000000000000000000000000000000000000000000000000",
}


def refusal(raw: bytes, network: str = NETWORK) -> str:
    with pytest.raises(Refused) as refused:
        open_record(raw, network)
    return refused.value.code


def test_the_bytes_are_those_of_the_standard() -> None:
    record = sign(RENEWAL, SEED, NETWORK)
    assert record.raw == forge.record(PAYLOAD)
    assert record.id == forge.id_of(PAYLOAD) == sha256(sig_structure(record.raw, NETWORK)).digest()
    assert (record.kind, record.kid, record.body) == ("renewal", KID, RENEWAL)
    assert cbor2.loads(record.raw).tag == 18
    assert parts(record.raw) == (forge.header(), PAYLOAD, record.raw[-64:])
    assert open_record(record.raw, NETWORK) == record


def test_a_signature_changes_no_id() -> None:
    by_hand = forge.record(PAYLOAD, signature=bytes(64))
    assert sha256(sig_structure(by_hand, NETWORK)).digest() == sign(RENEWAL, SEED, NETWORK).id
    assert refusal(by_hand) == "bad-signature"


def test_a_record_of_another_network_is_worthless() -> None:
    record = sign(RENEWAL, SEED, NETWORK)
    assert refusal(record.raw, "chargemesh-test-other") == "bad-signature"
    assert sign(RENEWAL, SEED, "chargemesh-test-other").id != record.id


@pytest.mark.parametrize("network", ["", "n" * 49, "chargemesh-ü"])
def test_a_network_id_is_short_ascii(network: str) -> None:
    with pytest.raises(ValueError, match="network id"):
        aad(network)


HEADERS: dict[str, Any] = {
    "no alg": {4: KID, 16: "renewal"},
    "ES256": {1: -7, 4: KID, 16: "renewal"},
    "Ed25519 by its newer number": {1: -19, 4: KID, 16: "renewal"},
    "alg as text": {1: "EdDSA", 4: KID, 16: "renewal"},
    "alg as a boolean": {1: True, 4: KID, 16: "renewal"},
    "no kid": {1: -8, 16: "renewal"},
    "kid too short": {1: -8, 4: KID[:31], 16: "renewal"},
    "kid too long": {1: -8, 4: KID + b"\0", 16: "renewal"},
    "kid as text": {1: -8, 4: "k" * 32, 16: "renewal"},
    "kid as a COSE_Key": {1: -8, 4: {1: 1}, 16: "renewal"},
    "no typ": {1: -8, 4: KID},
    "typ as a number": {1: -8, 4: KID, 16: 5},
    "typ empty": {1: -8, 4: KID, 16: ""},
    "typ too long": {1: -8, 4: KID, 16: "r" * 41},
    "a content type": {1: -8, 3: 0, 4: KID, 16: "renewal"},
    "crit": {1: -8, 2: [16], 4: KID, 16: "renewal"},
    "an unknown label": {1: -8, 4: KID, 16: "renewal", 17: 1},
    "no header": {},
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_header_is_exactly_alg_kid_and_typ(name: str) -> None:
    assert refusal(forge.record(PAYLOAD, protected=cbor2.dumps(HEADERS[name]))) == "header"


@pytest.mark.parametrize(
    "protected",
    [
        cbor2.dumps({4: KID, 1: -8, 16: "renewal"}),  # wrong order
        bytes.fromhex("a301270127") + b"",  # alg twice
        b"",  # RFC 9052 writes an empty map so
        cbor2.dumps([1, -8]),
        cbor2.dumps({1: -8, 4: KID, 16: "renewal"}) + b"\0",
        cbor2.dumps({1: -8, 4: KID, "typ": "renewal"}),
    ],
)
def test_the_header_is_in_deterministic_form(protected: bytes) -> None:
    assert refusal(forge.record(PAYLOAD, protected=protected)) == "encoding"


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ({"head": b"\x84"}, "encoding"),  # untagged
        ({"head": b"\xd8\x62\x84"}, "encoding"),  # COSE_Sign, tag 98
        ({"head": b"\xd8\x12\x84"}, "encoding"),  # tag 18 in two bytes
        ({"head": b"\xd9\xd9\xf7\xd2\x84"}, "encoding"),  # tagged twice
        ({"head": b"\xd2\x85"}, "encoding"),  # five items
        ({"head": b"\xd2\x9f", "tail": b"\xff"}, "encoding"),  # indefinite array
        ({"head": b"\xd2\x98\x04"}, "encoding"),  # array head not minimal
        ({"unprotected": b"\xa1\x04\x40"}, "header"),
        ({"unprotected": b"\xbf\xff"}, "header"),  # empty, of indefinite length
        ({"unprotected": b"\xb8\x00"}, "header"),  # empty, not minimal
        ({"unprotected": b"\xf6"}, "header"),
        ({"unprotected": b"\x40"}, "header"),
        ({"tail": b"\x00"}, "encoding"),
        ({"signature": b""}, "bad-signature"),
        ({"signature": bytes(63)}, "bad-signature"),
        ({"signature": bytes(65)}, "bad-signature"),
        ({"signature": bytes(64)}, "bad-signature"),
        ({"seed": b"t" * 32}, "bad-signature"),  # kid names another key than the one that signed
        ({"network": "chargemesh-test-other"}, "bad-signature"),
    ],
)
def test_nothing_else_is_a_record(part: dict[str, Any], code: str) -> None:
    assert refusal(forge.record(PAYLOAD, **part)) == code


def test_a_detached_payload_is_refused() -> None:
    whole = forge.record(PAYLOAD)
    assert refusal(whole.replace(cbor2.dumps(PAYLOAD), b"\xf6")) == "encoding"


@pytest.mark.parametrize(("at", "longer"), [(2, b"\x59\x00"), (2, b"\x5a\x00\x00\x00")])
def test_lengths_are_minimal(at: int, longer: bytes) -> None:
    raw = forge.record(PAYLOAD)
    assert raw[at] == 0x58
    assert refusal(raw[:at] + longer + raw[at + 1 :]) == "encoding"


def test_an_unknown_kind_is_stale_and_no_crime() -> None:
    raw = forge.record(PAYLOAD, protected=forge.header("listing-of-2030"))
    with pytest.raises(Refused) as refused:
        open_record(raw, NETWORK)
    assert (refused.value.code, refused.value.severity) == ("unknown-kind", Severity.STALE)


def test_forty_characters_of_a_kind_are_counted_as_characters() -> None:
    for kind_text, code in (("\U0001f50c" * 40, "unknown-kind"), ("\U0001f50c" * 41, "header")):
        assert refusal(forge.record(PAYLOAD, protected=forge.header(kind_text))) == code
    long_header = cbor2.dumps({1: -8, 4: KID, 16: "renewal", 17: bytes(200)})
    assert refusal(forge.record(PAYLOAD, protected=long_header)) == "header"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({1: 5, 2: b"l" * 32, 9: 0}, "unknown-critical-key"),
        ({1: 5}, "schema"),  # a field is missing
        ({1: True, 2: b"l" * 32}, "schema"),  # a boolean is no integer
        ({1: -1, 2: b"l" * 32}, "schema"),
        ({1: 5, 2: b"l" * 31}, "schema"),
        ({1: 5, 2: "l" * 32}, "schema"),
        ([5, b"l" * 32], "encoding"),
        ({1: 5.0, 2: b"l" * 32}, "encoding"),
        ({1: None, 2: b"l" * 32}, "encoding"),
        ({2: b"l" * 32, 1: 5}, "encoding"),
    ],
)
def test_payloads_are_checked_behind_a_good_signature(payload: Any, code: str) -> None:
    assert refusal(forge.record(cbor2.dumps(payload))) == code


def test_a_payload_too_deep_is_refused() -> None:
    deep = bytes.fromhex("a3010502") + cbor2.dumps(b"l" * 32) + b"\x10" + b"\x81" * MAX_DEPTH + b"\x00"
    assert refusal(forge.record(deep)) == "encoding"


def test_unknown_optional_keys_are_kept_and_passed_on() -> None:
    raw = forge.record(cbor2.dumps({1: 5, 2: b"l" * 32, 16: "new", 23: [1, {5: True}]}))
    record = open_record(raw, NETWORK)
    assert record.raw == raw
    assert record.body == Renewal(issued=5, listing=b"l" * 32)
    assert record.id != sign(record.body, SEED, NETWORK).id


def test_only_the_kind_that_may_stand_there() -> None:
    record = sign(RENEWAL, SEED, NETWORK)
    assert open_as(Renewal, record.raw, NETWORK) == record
    with pytest.raises(Refused) as refused:
        open_as(Paid, record.raw, NETWORK)
    assert refused.value.code == "wrong-kind"


def test_a_kind_belongs_to_one_payload() -> None:
    @dataclass(frozen=True)
    class Another:
        """Not a renewal."""

    with pytest.raises(TypeError, match="two payloads"):
        kind("renewal")(Another)
    assert kind_of(Renewal) == "renewal"
    assert KINDS["renewal"] is Renewal


def test_size_is_bounded_both_ways() -> None:
    assert refusal(bytes(MAX_RECORD_BYTES + 1)) == "too-large"
    payload = cbor2.dumps({1: 5, 2: b"l" * 32, 16: bytes(MAX_RECORD_BYTES - 200)})
    raw = forge.record(payload)
    assert MAX_RECORD_BYTES - 70 < len(raw) <= MAX_RECORD_BYTES
    assert open_record(raw, NETWORK).raw == raw


@given(st.data())
def test_no_damaged_record_is_taken(data: st.DataObject) -> None:
    raw = sign(RENEWAL, SEED, NETWORK).raw
    broken = data.draw(damaged(raw))
    if broken == raw:
        return
    with pytest.raises(Refused):
        open_record(broken, NETWORK)


@given(st.binary(max_size=300))
def test_no_garbage_is_taken(data: bytes) -> None:
    for raw in (data, b"\xd2\x84" + data):
        with pytest.raises(Refused):
            open_record(raw, NETWORK)


# --- the one rule of Ed25519 ----------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL_ORDER)
def test_a_key_of_small_order_or_odd_encoding_is_refused(name: str) -> None:
    key = bytes.fromhex(SMALL_ORDER[name])
    protected = forge.header(kid=key)
    # Under a key of order 1 this signature fits every message: S = 0 and R the neutral element.
    for signature in (bytes.fromhex(SMALL_ORDER["order 1"]) + bytes(32), bytes(64)):
        raw = forge.record(PAYLOAD, protected=protected, signature=signature)
        assert refusal(raw) == "bad-key"


def test_a_key_of_mixed_order_is_refused_though_libsodium_alone_takes_it() -> None:
    secret = 12345
    honest = sodium.crypto_scalarmult_ed25519_base_noclamp(forge.scalar(secret))
    key = sodium.crypto_core_ed25519_add(honest, ORDER_8)
    protected = forge.header(kid=key)
    message = forge.sig_structure(protected, PAYLOAD)
    # One in eight signatures meets the equation without the cofactor.
    found = next(
        made
        for made in (forge.signature_by(key, secret, message, nonce) for nonce in range(1, 200))
        if forge.challenge(made[:32], key, message) % 8 == 0
    )
    assert sodium.crypto_sign_open(found + message, key) == message
    assert refusal(forge.record(PAYLOAD, protected=protected, signature=found)) == "bad-key"


def test_a_signature_can_not_be_changed_into_another_one() -> None:
    good = sign(RENEWAL, SEED, NETWORK).raw
    r, s = good[-64:-32], int.from_bytes(good[-32:], "little")
    for other in range(1, 8):
        if s + other * forge.L < 2**256:
            malleable = r + (s + other * forge.L).to_bytes(32, "little")
            assert refusal(good[:-64] + malleable) == "bad-signature"


def test_r_of_small_order_or_odd_encoding_is_refused() -> None:
    message = forge.sig_structure(forge.header(), PAYLOAD)
    secret = int.from_bytes(sodium.crypto_hash_sha512(SEED)[:32], "little")
    secret = (secret & ((1 << 254) - 8)) | (1 << 254)
    for encoded in SMALL_ORDER.values():
        r = bytes.fromhex(encoded)
        forged = r + forge.scalar(forge.challenge(r, KID, message) * secret)
        assert refusal(forge.record(PAYLOAD, signature=forged)) == "bad-signature"


def test_keys_are_judged_anew_after_the_memory_of_good_ones_is_full() -> None:
    from chargemesh_protocol.record import _PointCache

    cache = _PointCache(2)
    for number in range(4):
        cache.require(sodium.crypto_sign_seed_keypair(bytes([number]) * 32)[0])
    with pytest.raises(Refused):
        cache.require(ORDER_8)
    cache.require(sodium.crypto_sign_seed_keypair(bytes([0]) * 32)[0])


def test_the_body_of_a_record_is_a_reading_of_what_was_signed() -> None:
    fields: dict[str, Any] = {"author": b"a" * 32, "issued": 7, "booking": b"b" * 32, "seen": b"s" * 32}
    record: Record[Cancel] = sign(Cancel(**fields, reason=CancelReason.SAFETY), SEED, NETWORK)
    _, payload, _ = parts(record.raw)
    assert payload == encode({0: b"a" * 32, 1: 7, 2: b"b" * 32, 3: b"s" * 32, 4: "SAFETY"})
