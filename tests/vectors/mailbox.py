"""mailbox.json: mailbox keys, parcels of the three sizes, and who may collect."""

from __future__ import annotations

import nacl.bindings as sodium

from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.contact import Contact, Mailbox
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.mailbox.keys import mailbox_key, sealing_key
from chargemesh_protocol.mailbox.sealing import SEAL_BYTES, SIZES, Letter, seal_letter
from chargemesh_protocol.shape import to_tree

from ..conformance.fields import to_json
from .answered import answered
from .cast import NETWORK, NOW, OTHER_NETWORK, hashed, seed
from .frame import Case, Json, VectorFile, bad

SEED, OTHER = seed("mailbox key"), seed("another mailbox key")
KEY, FRESH = mailbox_key(SEED), seed("ephemeral")
PEER = "12D3KooWSrKnMZUcSxK8G7wmBbXdU8nFEfWGhLu6H8xjn8LmCSJb"
HOME = Contact(PEER, ("/ip4/192.0.2.7/tcp/4001",))
WITH_MAILBOX = Contact(
    PEER,
    HOME.addresses,
    (Mailbox(PEER, ("/dns4/example.org/tcp/4001",), KEY, mailbox_key(seed("signer"))),),
)
EXCHANGE = booking.write(booking.Exchange(booking=hashed("booking"), known=3))
NO_POINT = "02" + "00" * 31


def letter(body: bytes = EXCHANGE, sender: Contact = HOME) -> Letter:
    return Letter(protocol=booking.PROTOCOL, body=body, sender=sender, sent=NOW, booking=hashed("booking"))


def _keys() -> list[Case]:
    return [
        answered(f"key-of-{name}", "mailbox.keys", {"seed": value.hex()})
        for name, value in (("a-mailbox", SEED), ("another", OTHER), ("zeros", bytes(32)))
    ]


def _sealed() -> list[Case]:
    bare = len(encode(to_tree(letter(b"x" * 70_00))))  # what is beside a body of that many bytes
    beside = bare - 70_00
    given: Json = {"recipient": KEY.hex(), "ephemeral": FRESH.hex(), "fields": to_json(letter())}
    cases = [
        answered("sealed", "mailbox.seal", given, size=4096),
        answered(
            "sealed-with-a-mailbox-to-answer-to",
            "mailbox.seal",
            {**given, "fields": to_json(letter(sender=WITH_MAILBOX))},
            size=4096,
        ),
        answered(
            "sealed-to-another-key",
            "mailbox.seal",
            {**given, "recipient": mailbox_key(OTHER).hex()},
            size=4096,
        ),
        answered("sealed-by-another-seed", "mailbox.seal", {**given, "ephemeral": OTHER.hex()}, size=4096),
    ]
    for size, larger in ((SIZES[0], SIZES[1]), (SIZES[1], SIZES[2])):
        most = size - SEAL_BYTES - 1 - beside
        for name, length, expected in (
            (f"fullest-of-{size}", most, size),
            (f"beyond-{size}", most + 1, larger),
        ):
            full = {**given, "fields": to_json(letter(b"\x80" * length))}
            cases.append(answered(f"sealed-the-{name}", "mailbox.seal", full, size=expected))
    cases.append(
        bad(
            "sealed-to-no-key",
            "mailbox.seal",
            {**given, "recipient": NO_POINT},
            "bad-key",
            "it is no point of the curve",
            given,
        )
    )
    return cases


def _padded(data: bytes) -> bytes:
    return data.ljust(SIZES[0] - SEAL_BYTES, b"\0")


def _box(plain: bytes) -> str:
    """As libsodium's crypto_box_seal would, with the ephemeral key of the other vectors."""
    import hashlib

    public, secret = sodium.crypto_box_seed_keypair(FRESH)
    theirs = sealing_key(KEY)
    nonce = hashlib.blake2b(public + theirs, digest_size=24).digest()
    return (public + sodium.crypto_box(plain, nonce, theirs, secret)).hex()


def _opened() -> list[Case]:
    sealed = seal_letter(letter(), KEY, FRESH)
    kept: Json = {"sealed": sealed.hex(), "seed": SEED.hex()}
    data = encode(to_tree(letter()))
    cases = [answered("opened", "mailbox.open", kept)]
    for name, given, code, why in (
        ("by-another-key", {"seed": OTHER.hex()}, "sealed", "it was sealed for another key"),
        (
            "with-a-bit-changed",
            {"sealed": (sealed[:-1] + bytes([sealed[-1] ^ 1])).hex()},
            "sealed",
            "altered",
        ),
        ("of-another-size", {"sealed": sealed[:-1].hex()}, "parcel", "4,095 bytes are no size of a parcel"),
        ("without-a-mark", {"sealed": _box(_padded(b""))}, "parcel", "no 80 before the zeros"),
        ("with-more-behind-the-mark", {"sealed": _box(_padded(data + b"\x80\x01"))}, "parcel", "zeros alone"),
        ("of-another-version", {"sealed": _box(_padded(b"\xa1\x00\x02\x80"))}, "schema", "1 is known"),
    ):
        cases.append(bad(f"opened-{name}", "mailbox.open", {**kept, **given}, code, why, kept))
    return cases


def _collecting() -> list[Case]:
    asked: Json = {
        "network": NETWORK,
        "peer_id": PEER,
        "challenge": bytes(range(40)).hex(),
        "drop": [hashed("parcel").hex()],
    }
    signed = answered("signed", "mailbox.collect", {**asked, "seed": SEED.hex()})
    cases = [
        signed,
        answered("signed-with-nothing-to-drop", "mailbox.collect", {**asked, "drop": [], "seed": SEED.hex()}),
    ]
    good: Json = {**asked, "recipient": KEY.hex(), "signature": signed.answer["out"]["signature"]}
    cases.append(answered("collected", "mailbox.may-collect", good, collects=True))
    for name, given, code, why in (
        ("of-another-network", {"network": OTHER_NETWORK}, "bad-signature", "signed for another network"),
        (
            "at-another-volunteer",
            {"peer_id": "12D3KooWX"},
            "bad-signature",
            "passed on by who it was signed for",
        ),
        ("for-another-challenge", {"challenge": "00" * 40}, "bad-signature", "an older signature"),
        ("to-drop-more", {"drop": []}, "bad-signature", "what is dropped is signed"),
        ("for-another-key", {"recipient": mailbox_key(OTHER).hex()}, "bad-signature", "another's key"),
        ("for-a-weak-key", {"recipient": "01" + "00" * 31}, "bad-key", "a point of small order"),
    ):
        cases.append(bad(f"collected-{name}", "mailbox.may-collect", {**good, **given}, code, why, good))
    return cases


def made() -> VectorFile:
    about = "Mailbox keys, parcels, and who may collect them (15-mailbox.md)."
    return VectorFile("mailbox", about, (*_keys(), *_sealed(), *_opened(), *_collecting()))
