"""Keys of a mailbox: the recipient's, one for each volunteer, and how it proves that it holds one.

The Ed25519 key signs for collecting; its X25519 form is what parcels are sealed to. It is derived from the
node's device key and the volunteer's signer, so that two volunteers who compare notes can't tell that they
hold parcels for the same node, and neither of them learns from the key whose it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import nacl.bindings as sodium
import nacl.exceptions

from ..encoding import encode
from ..errors import Refused, Severity

_PERSON = b"mesh-mailbox-key"  # exactly the 16 bytes that BLAKE2b has for it
_COLLECTING = "chargemesh/mailbox-collect"
_SIGNATURE_BYTES = 64


def mailbox_seed(device_seed: bytes, signer: bytes) -> bytes:
    """The secret seed (32 bytes) of this node's key at the volunteer who signs as `signer`."""
    return hashlib.blake2b(signer, digest_size=32, key=device_seed, person=_PERSON).digest()


def mailbox_key(seed: bytes) -> bytes:
    """The public Ed25519 key of a seed."""
    public, _ = sodium.crypto_sign_seed_keypair(seed)
    return bytes(public)


def sealing_key(key: bytes) -> bytes:
    """The X25519 key of a mailbox key; Refused for bytes that are none."""
    try:
        return bytes(sodium.crypto_sign_ed25519_pk_to_curve25519(key))
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise Refused("bad-key", "no parcel can be sealed to this mailbox key", Severity.FORGED) from error


def opening_key(seed: bytes) -> bytes:
    """The X25519 secret that opens what was sealed to `mailbox_key(seed)`."""
    _, secret = sodium.crypto_sign_seed_keypair(seed)
    return bytes(sodium.crypto_sign_ed25519_sk_to_curve25519(secret))


def collect_bytes(network: str, peer_id: str, challenge: bytes, drop: Sequence[bytes]) -> bytes:
    """What a recipient signs to collect: good at one mailbox, for one challenge, and to drop just that."""
    return encode([_COLLECTING, network, peer_id, challenge, list(drop)])


def sign_collect(seed: bytes, network: str, peer_id: str, challenge: bytes, drop: Sequence[bytes]) -> bytes:
    """64 bytes of Ed25519 over `collect_bytes`."""
    _, secret = sodium.crypto_sign_seed_keypair(seed)
    said = collect_bytes(network, peer_id, challenge, drop)
    return bytes(sodium.crypto_sign(said, secret)[:_SIGNATURE_BYTES])


def require_collect(
    key: bytes, signature: bytes, network: str, peer_id: str, challenge: bytes, drop: Sequence[bytes]
) -> None:
    """Refused unless `signature` is the recipient's for just this."""
    if not sodium.crypto_core_ed25519_is_valid_point(key):
        raise Refused("bad-key", "the mailbox key is no valid Ed25519 point", Severity.FORGED)
    try:
        sodium.crypto_sign_open(signature + collect_bytes(network, peer_id, challenge, drop), key)
    except (nacl.exceptions.BadSignatureError, ValueError) as error:
        raise Refused("bad-signature", "whoever collects must hold the key", Severity.FORGED) from error
