"""The PeerId of a transport key: known before the network process runs, and without libp2p."""

from __future__ import annotations

from nacl.bindings import crypto_sign_seed_keypair

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# Identity multihash of a 36-byte protobuf: type Ed25519, 32-byte public key (libp2p's peer-ids spec).
PREFIX = bytes.fromhex("002408011220")


def peer_id_of(seed: bytes) -> str:
    """The PeerId (base58 text) of the Ed25519 key with that 32-byte seed."""
    public, _ = crypto_sign_seed_keypair(seed)
    data = PREFIX + public
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(ALPHABET[digit])
    return ALPHABET[0] * (len(data) - len(data.lstrip(b"\0"))) + "".join(reversed(digits))
