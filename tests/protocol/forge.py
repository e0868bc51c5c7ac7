"""Records put together by hand, from RFC 9052 alone: for writing what our own code never would."""

from __future__ import annotations

from hashlib import sha256

import cbor2
import nacl.bindings as sodium

NETWORK = "chargemesh-test-records"
SEED = b"s" * 32
KID, _SECRET = sodium.crypto_sign_seed_keypair(SEED)
# The order of Ed25519's main subgroup.
L = 2**252 + 27742317777372353535851937790883648493


def sig_structure(protected: bytes, payload: bytes, network: str = NETWORK) -> bytes:
    """RFC 9052, section 4.4."""
    return cbor2.dumps(["Signature1", protected, b"chargemesh/" + network.encode(), payload])


def header(kind: str = "renewal", kid: bytes = KID) -> bytes:
    return cbor2.dumps({1: -8, 4: kid, 16: kind})


def record(
    payload: bytes,
    *,
    protected: bytes | None = None,
    network: str = NETWORK,
    seed: bytes = SEED,
    signature: bytes | None = None,
    head: bytes = b"\xd2\x84",
    unprotected: bytes = b"\xa0",
    tail: bytes = b"",
) -> bytes:
    """A COSE_Sign1 with each of its parts as given, and a signature that is good for them."""
    wrapped = header() if protected is None else protected
    if signature is None:
        _, secret = sodium.crypto_sign_seed_keypair(seed)
        signature = sodium.crypto_sign(sig_structure(wrapped, payload, network), secret)[:64]
    parts = cbor2.dumps(wrapped) + unprotected + cbor2.dumps(payload) + cbor2.dumps(signature)
    return head + parts + tail


def id_of(payload: bytes, protected: bytes | None = None) -> bytes:
    return sha256(sig_structure(header() if protected is None else protected, payload)).digest()


def scalar(number: int) -> bytes:
    return (number % L).to_bytes(32, "little")


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    """h of RFC 8032: what the key is multiplied by in the equation of a signature."""
    return int.from_bytes(sodium.crypto_hash_sha512(r + key + message), "little") % L


def signature_by(key: bytes, secret: int, message: bytes, nonce: int) -> bytes:
    """The signature (R, S) that a holder of the scalar `secret` makes under any `key` it likes."""
    r = sodium.crypto_scalarmult_ed25519_base_noclamp(scalar(nonce))
    return r + scalar(nonce + challenge(r, key, message) * secret)
