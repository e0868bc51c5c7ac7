"""invalid-signatures.json: the one rule of Ed25519, and what the signature binds."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256, sha512

import cbor2
import nacl.bindings as sodium

from chargemesh_protocol.identity import public_key

from ..protocol import forge
from .cast import ALICE, BOB, NETWORK, OTHER_NETWORK
from .forged import asked, of
from .frame import Case, VectorFile, bad, good
from .invalid_records import BODY, GOOD, HEADER, KID, PAYLOAD
from .keys import ORDER_8, SMALL_ORDER
from .samples import samples

_SIGNED = forge.sig_structure(HEADER, PAYLOAD, NETWORK)
_T8 = bytes.fromhex(ORDER_8)
_HONEST = sodium.crypto_scalarmult_ed25519_base_noclamp(forge.scalar(12345))
_R, _S = GOOD[-64:-32], int.from_bytes(GOOD[-32:], "little")


def _secret_scalar(seed: bytes) -> int:
    """RFC 8032, section 5.1.5."""
    clamped = int.from_bytes(sha512(seed).digest()[:32], "little")
    return (clamped & ((1 << 254) - 8)) | (1 << 254)


def _by(signature: bytes) -> bytes:
    return of(BODY, signature=signature)


def _over(message: bytes) -> bytes:
    """The record with the device's signature over something else than it should be."""
    _, secret = sodium.crypto_sign_seed_keypair(ALICE.device)
    return _by(sodium.crypto_sign(message, secret)[:64])


def _flipped(part: bytes, byte: int, bit: int) -> bytes:
    """The good record with one bit of one of its parts changed."""
    at = GOOD.index(part) + byte
    return GOOD[:at] + bytes([GOOD[at] ^ bit]) + GOOD[at + 1 :]


def _context(text: str) -> bytes:
    return cbor2.dumps([text, HEADER, b"chargemesh/" + NETWORK.encode(), PAYLOAD])


def _with_aad(aad: bytes) -> bytes:
    return cbor2.dumps(["Signature1", HEADER, aad, PAYLOAD])


def wrong_bytes() -> dict[str, tuple[bytes, str]]:
    """A good key and a well formed signature, but not one of these bytes."""
    other = cbor2.dumps({1: BODY.issued + 1, 2: BODY.listing})
    swapped = of(BODY, protected=forge.header("renewal", public_key(BOB.device)), seed=ALICE.device)
    # Two kinds of one shape: only the signature tells them apart.
    was, is_now = samples()["acknowledge"], forge.header("no-show", KID)
    kind = of(was, protected=is_now, signature=of(was)[-64:])
    changed = forge.record(other, protected=HEADER, signature=GOOD[-64:])
    no_prefix = _over(_with_aad(NETWORK.encode()))
    empty = cbor2.dumps(["Signature1", HEADER, b"", PAYLOAD])
    with_field = cbor2.dumps(["Signature1", HEADER, b"", b"chargemesh/" + NETWORK.encode(), PAYLOAD])
    return {
        "flipped-bit-in-the-payload": (_flipped(PAYLOAD, 5, 1), "the payload is signed"),
        "flipped-bit-in-r": (_flipped(GOOD[-64:], 0, 4), "R is another one"),
        "flipped-bit-in-s": (_flipped(GOOD[-32:], 0, 1), "S is another one"),
        "another-payload": (changed, "the payload is signed"),
        "another-kind": (kind, "the kind is signed"),
        "another-kid": (swapped, "kid names another key than the one that signed"),
        "another-network": (of(BODY, network=OTHER_NETWORK), "the network id is signed"),
        "network-of-another-case": (
            _over(_with_aad(b"chargemesh/" + NETWORK.upper().encode())), "the network id is signed as it is",
        ),
        "without-the-network": (_over(empty), "external_aad holds the network id"),
        "network-without-its-prefix": (no_prefix, "external_aad begins with chargemesh/"),
        "context-of-cose-sign": (_over(_context("Signature")), "the context is Signature1"),
        "context-counter-signature": (_over(_context("CounterSignature")), "the context is Signature1"),
        "with-a-field-too-many": (_over(with_field), "the Sig_structure of a COSE_Sign1 has 4 items"),
        "over-the-payload-alone": (_over(PAYLOAD), "the Sig_structure is signed"),
        "over-the-id": (_over(sha256(_SIGNED).digest()), "the Sig_structure itself is signed"),
        "over-its-sha-512": (_over(sha512(_SIGNED).digest()), "Ed25519 and not Ed25519ph is meant"),
        "of-zeros": (_by(bytes(64)), "a signature is needed"),
        "of-63-bytes": (_by(GOOD[-64:-1]), "a signature has 64 bytes"),
        "of-65-bytes": (_by(GOOD[-64:] + b"\0"), "a signature has 64 bytes"),
        "of-no-bytes": (_by(b""), "a signature has 64 bytes"),
        "r-and-s-swapped": (_by(GOOD[-32:] + GOOD[-64:-32]), "R comes first"),
    }  # fmt: skip


def _malleable(times: int) -> bytes:
    return _by(_R + (_S + times * forge.L).to_bytes(32, "little"))


def _r_of_small_order(encoded: str) -> bytes:
    """S = h * a, so that only R is left over in the equation: nothing, once it is multiplied by 8."""
    r = bytes.fromhex(encoded)
    return _by(r + forge.scalar(forge.challenge(r, KID, _SIGNED) * _secret_scalar(ALICE.device)))


def _r_of_mixed_order() -> bytes:
    """R plus a point of order 8: holds with the cofactor, and not without."""
    nonce = 4242
    r = sodium.crypto_core_ed25519_add(
        sodium.crypto_scalarmult_ed25519_base_noclamp(forge.scalar(nonce)), _T8
    )
    h = forge.challenge(r, KID, _SIGNED)
    return _by(r + forge.scalar(nonce + h * _secret_scalar(ALICE.device)))


def equations() -> dict[str, tuple[bytes, str]]:
    """Signatures that some verifiers take, of a key that is good."""
    found = {
        f"s-plus-{times}-times-the-group-order": (_malleable(times), "S is below the group order")
        for times in range(1, 8)
        if _S + times * forge.L < 2**256
    }
    for name, encoded in SMALL_ORDER.items():
        found[f"r-of-{name}"] = (_r_of_small_order(encoded), "R must not have small order")
    found["r-of-mixed-order"] = (_r_of_mixed_order(), "the equation holds without the cofactor")
    return found


def _under(key: bytes, signature_of: Callable[[bytes], bytes]) -> bytes:
    """The record with `key` as its kid and the signature that `signature_of` makes of what is signed."""
    protected = forge.header("renewal", key)
    signature = signature_of(forge.sig_structure(protected, PAYLOAD, NETWORK))
    return of(BODY, protected=protected, signature=signature)


def _of_a_scalar(key: bytes, scalar: int, fits: Callable[[int], bool]) -> bytes:
    """By whoever holds the scalar of `key`, apart from a part of small order, with a challenge that fits."""

    def made(message: bytes) -> bytes:
        for nonce in range(1, 500):
            signature = forge.signature_by(key, scalar, message, nonce)
            if fits(forge.challenge(signature[:32], key, message)):
                return signature
        raise AssertionError("no nonce fits")

    return _under(key, made)


def _mixed_order() -> bytes:
    """A key outside the main subgroup with a signature that libsodium's equation alone would take."""
    key = sodium.crypto_core_ed25519_add(_HONEST, _T8)
    raw = _of_a_scalar(key, 12345, _meets_small_order)
    message = forge.sig_structure(forge.header("renewal", key), PAYLOAD, NETWORK)
    if sodium.crypto_sign_open(raw[-64:] + message, key) != message:
        raise AssertionError("this signature does not meet the equation")
    return raw


def made() -> VectorFile:
    honest = _of_a_scalar(_HONEST, 12345, lambda _: True)
    no_point = _of_a_scalar(b"\x02" + bytes(31), 0, _meets_small_order)
    cases = [
        _opened("key-of-a-bare-scalar", honest),
        *(_refused(name, raw, "bad-signature", why, GOOD) for name, (raw, why) in wrong_bytes().items()),
        *(_refused(name, raw, "bad-signature", why, GOOD) for name, (raw, why) in equations().items()),
        _refused(
            "key-of-mixed-order", _mixed_order(), "bad-key", "kid lies outside the main subgroup", honest
        ),
        _refused("key-that-is-no-point", no_point, "bad-key", "kid is no point of the curve", GOOD),
    ]
    for name, encoded in SMALL_ORDER.items():
        why = "kid has small order: this signature would fit many messages"
        raw = _of_a_scalar(bytes.fromhex(encoded), 0, _meets_small_order)
        cases.append(_refused(f"key-of-{name}", raw, "bad-key", why, GOOD))
    about = "Signatures and keys that the one rule of Ed25519 refuses (02-records.md), each for one reason."
    return VectorFile("invalid-signatures", about, tuple(cases))


def _meets_small_order(challenge: int) -> bool:
    """Whether a part of small order drops out of the equation: one challenge in eight."""
    return challenge % 8 == 0


def _refused(name: str, raw: bytes, code: str, why: str, repaired: bytes) -> Case:
    return bad(name, "record.open", asked(raw), code, why, asked(repaired))


def _opened(name: str, raw: bytes) -> Case:
    """The honest twin of the key of mixed order."""
    signed = forge.sig_structure(forge.header("renewal", _HONEST), PAYLOAD, NETWORK)
    out = {
        "kind": "renewal",
        "kid": _HONEST.hex(),
        "id": sha256(signed).hexdigest(),
        "payload": PAYLOAD.hex(),
        "sig_structure": signed.hex(),
        "signature": raw[-64:].hex(),
        "fields": {"issued": BODY.issued, "listing": BODY.listing.hex()},
    }
    return good(name, "record.open", asked(raw), out)
