"""sealing.json: one-time keys, boxes, messages and the address, with nonces that are given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import nacl.bindings as sodium

from chargemesh_protocol.booking.photos import photo_id
from chargemesh_protocol.booking.sealing import AccessRecord, Message, seal, seal_photo
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.identity import Scope
from chargemesh_protocol.limits import MAX_SEALED_BYTES
from chargemesh_protocol.record import sign
from chargemesh_protocol.shape import to_tree

from ..conformance.fields import to_json
from ..protocol.pictures import picture
from .answered import answered
from .cast import ALICE, BOB, CARL, DAY, NETWORK, NOW, OTHER_NETWORK, hashed, seed
from .frame import Case, Json, VectorFile, bad, good
from .samples import samples
from .story import DRIVER_KEY, DRIVER_SECRET, HOST_KEY, HOST_SECRET

# RFC 7748, section 6.1: secret and public keys.
RFC_7748 = (
    (
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    ),
    (
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    ),
)
# Encodings of points of small order, canonical or not: X25519 yields zero bytes with every secret.
SMALL_ORDER = {
    "0": "00" * 32,
    "1": "01" + "00" * 31,
    "of-order-8": "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "of-order-8-other": "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "p-less-1": "ec" + "ff" * 30 + "7f",
    "p": "ed" + "ff" * 30 + "7f",
    "p-and-1": "ee" + "ff" * 30 + "7f",
}
NONCE = bytes(range(24))
_JFIF = bytes.fromhex("ffe000104a46494600010100000100010000")
BOOKING = hashed("booking")
_HOSTS: Json = {"public": DRIVER_KEY.hex(), "secret": HOST_SECRET.hex()}  # what the host seals and opens by
_DRIVERS: Json = {"public": HOST_KEY.hex(), "secret": DRIVER_SECRET.hex()}


def _flipped(data: bytes, at: int) -> str:
    return (data[:at] + bytes([data[at] ^ 1]) + data[at:][1:]).hex()


def keys() -> list[Case]:
    cases = [
        good(f"rfc-7748-{number}", "box.public", {"secret": secret}, {"public": public})
        for number, (secret, public) in enumerate(RFC_7748, 1)
    ]
    for name, secret in (("host", HOST_SECRET), ("driver", DRIVER_SECRET), ("zeros", bytes(32))):
        parts = {} if name == "zeros" else {"public": (HOST_KEY if name == "host" else DRIVER_KEY).hex()}
        cases.append(answered(f"key-of-{name}", "box.public", {"secret": secret.hex()}, **parts))
    return cases


def boxes() -> list[Case]:
    given: Json = {"plaintext": b"The gate is open.".hex(), "nonce": NONCE.hex(), **_HOSTS}
    box = seal(b"The gate is open.", NONCE, DRIVER_KEY, HOST_SECRET)
    kept: Json = {"sealed": box.hex(), **_DRIVERS}
    empty = seal(b"", NONCE, DRIVER_KEY, HOST_SECRET)
    filling = bytes(MAX_SEALED_BYTES - 40)  # beside nonce and tag
    largest = seal(filling, NONCE, DRIVER_KEY, HOST_SECRET)
    beyond = NONCE + sodium.crypto_box(filling + bytes(1), NONCE, DRIVER_KEY, HOST_SECRET)
    again = seal(b"The gate is open.", bytes(24), DRIVER_KEY, HOST_SECRET)
    cases = [
        good("seal-a-sentence", "box.seal", given, {"sealed": box.hex()}),
        good("seal-with-another-nonce", "box.seal", {**given, "nonce": "00" * 24}, {"sealed": again.hex()}),
        good("seal-nothing", "box.seal", {**given, "plaintext": ""}, {"sealed": empty.hex()}),
        good("open-a-sentence", "box.open", kept, {"plaintext": given["plaintext"]}),
        good("open-12288-bytes", "box.open", {**kept, "sealed": largest.hex()}, {"plaintext": filling.hex()}),
        good("open-nothing", "box.open", {**kept, "sealed": empty.hex()}, {"plaintext": ""}),
        good(
            "open-what-one-sealed-oneself", "box.open", {**kept, **_HOSTS}, {"plaintext": given["plaintext"]}
        ),
    ]
    for name, point in SMALL_ORDER.items():
        faulty = {**given, "public": point}
        cases.append(
            bad(f"seal-to-{name}", "box.seal", faulty, "bad-key", "the point has small order", given)
        )
    for name, part, value, why in (
        ("nonce-altered", "sealed", _flipped(box, 0), "the nonce is another one"),
        ("tag-altered", "sealed", _flipped(box, 24), "the tag does not fit"),
        ("text-altered", "sealed", _flipped(box, len(box) - 1), "the tag does not fit the text"),
        ("cut-short", "sealed", box[:-1].hex(), "a byte is missing"),
        ("byte-added", "sealed", box.hex() + "00", "a byte too many"),
        ("no-bytes", "sealed", "", "shorter than nonce and tag"),
        ("nonce-alone", "sealed", NONCE.hex(), "shorter than nonce and tag"),
        ("nonce-and-half-a-tag", "sealed", box[:32].hex(), "shorter than nonce and tag"),
        ("12289-bytes", "sealed", beyond.hex(), "at most 12,288, also where all else is good"),
        ("for-somebody-else", "secret", CARL.device.hex(), "it was not sealed to this key"),
        ("by-somebody-else", "public", RFC_7748[0][1], "it was not sealed by this key"),
        ("by-a-point-of-small-order", "public", SMALL_ORDER["1"], "nothing is sealed by such a key"),
    ):
        cases.append(bad(f"open-{name}", "box.open", {**kept, part: value}, "sealed", why, kept))
    return cases


def messages() -> list[Case]:
    message = Message(
        booking=BOOKING, sender=ALICE.author, recipient=BOB.author, sent=NOW, text="The gate is open. Tür!"
    )

    def sealed(one: Any, nonce: bytes = NONCE) -> str:
        return seal(encode(to_tree(one)), nonce, DRIVER_KEY, HOST_SECRET).hex()

    names = {"booking": BOOKING.hex(), "sender": ALICE.author.hex(), "recipient": BOB.author.hex()}
    writes = {"fields": to_json(message), "nonce": NONCE.hex(), **_HOSTS}
    opens = {"sealed": sealed(message), **names, **_DRIVERS}
    read = {"fields": to_json(message)}
    later = seal(encode({**to_tree(message), 16: 1}), NONCE, DRIVER_KEY, HOST_SECRET)
    repeated = {**opens, "sealed": sealed(message, bytes(24))}
    cases = [
        good("write-a-message", "sealed-message.write", writes, {"sealed": sealed(message)}),
        good("open-a-message", "sealed-message.open", opens, read),
        good("open-a-message-sealed-anew", "sealed-message.open", repeated, read),
        good(
            "open-a-message-with-a-later-key",
            "sealed-message.open",
            {**opens, "sealed": later.hex()},
            read,
        ),
    ]
    tree = to_tree(message)
    for name, inside, code, why in (
        ("of-another-booking", replace(message, booking=hashed("other")), "sealed", "another booking"),
        ("of-another-sender", replace(message, sender=CARL.author), "sealed", "another sender"),
        ("that-comes-back", replace(message, sender=BOB.author, recipient=ALICE.author), "sealed", "our own"),
        ("for-another-recipient", replace(message, recipient=CARL.author), "sealed", "another recipient"),
        ("without-text", {**tree, 4: ""}, "schema", "1 to 2000 characters"),
        ("of-2001-characters", {**tree, 4: "a" * 2001}, "schema", "1 to 2000 characters"),
        ("with-a-later-critical-key", {**tree, 5: 0}, "unknown-critical-key", "key 5 is unknown"),
    ):
        data = encode(inside) if isinstance(inside, dict) else encode(to_tree(inside))
        faulty = {**opens, "sealed": seal(data, NONCE, DRIVER_KEY, HOST_SECRET).hex()}
        cases.append(bad(f"message-{name}", "sealed-message.open", faulty, code, why, opens))
    plain = {**opens, "sealed": seal(b"Hello", NONCE, DRIVER_KEY, HOST_SECRET).hex()}
    cases.append(bad("message-of-bare-text", "sealed-message.open", plain, "encoding", "no CBOR", opens))
    unopened = {**opens, **_DRIVERS, "secret": seed("nobody's").hex()}
    cases.append(bad("message-to-another-key", "sealed-message.open", unopened, "sealed", "not ours", opens))
    return cases


def addresses() -> list[Case]:
    body: AccessRecord = replace(samples()["access-record"], booking=BOOKING)
    parties = {"booking": BOOKING.hex(), "host": ALICE.author.hex(), "driver": BOB.author.hex()}

    def opens(raw: bytes) -> Json:
        sealed = seal(raw, NONCE, DRIVER_KEY, HOST_SECRET).hex()
        bundles = [ALICE.bundle().hex(), CARL.bundle().hex()]
        return {"network": NETWORK, "bundles": bundles, **parties, "sealed": sealed, **_DRIVERS}

    def told(**changes: Any) -> bytes:
        return ALICE.sign(replace(body, **changes)).raw

    kept = opens(told())
    list_only = ALICE.bundle(ALICE.delegation(scopes=(Scope.LIST,)))
    altered = told()[:-1] + bytes([told()[-1] ^ 1])
    by_carl = CARL.sign(replace(body, author=CARL.author)).raw
    shown = replace(samples()["access-record-with-photos"], booking=BOOKING)
    cases = [
        good("address", "access.open", kept, {"fields": to_json(body)}),
        good("address-with-photos", "access.open", opens(ALICE.sign(shown).raw), {"fields": to_json(shown)}),
    ]
    for name, given, code, why in (
        ("of-another-booking", opens(told(booking=hashed("other"))), "access", "it names another booking"),
        ("for-another-driver", opens(told(recipient=CARL.author)), "access", "it is for somebody else"),
        ("by-another-host", opens(by_carl), "access", "its author is not the host"),
        ("of-another-kind", opens(ALICE.sign(samples()["renewal"]).raw), "access", "it is no access record"),
        ("with-a-bad-signature", opens(altered), "bad-signature", "the record inside is verified"),
        (
            "of-another-network", opens(sign(body, ALICE.device, OTHER_NETWORK).raw), "bad-signature",
            "it was signed for another network",
        ),
        ("by-an-unknown-device", opens(sign(body, CARL.device, NETWORK).raw), "not-delegated", "not Alice's"),
        (
            "by-a-device-for-lists", {**kept, "bundles": [list_only.hex()]}, "not-delegated",
            "an address needs the scope book",
        ),
        ("after-the-delegation", opens(told(issued=NOW + 29 * DAY)), "not-delegated", "it ended just then"),
        ("without-a-bundle", {**kept, "bundles": []}, "unknown-author", "nobody knows the host"),
        ("unsigned", opens(encode(to_tree(body))), "encoding", "a bare map is no record"),
        ("not-sealed", {**kept, "sealed": told().hex()}, "sealed", "the record stands there open"),
    ):  # fmt: skip
        cases.append(bad(f"address-{name}", "access.open", given, code, why, kept))
    return cases


def photos() -> list[Case]:
    jpeg = picture(7)
    frame, scan, end = (jpeg.index(bytes([0xFF, marker])) for marker in (0xC0, 0xDA, 0xD9))

    def opens(inside: bytes, named: bytes | None = None) -> Json:
        sealed = seal_photo(inside, NONCE, DRIVER_KEY, HOST_SECRET).hex()
        return {"sealed": sealed, "photo": photo_id(named or inside).hex(), **_DRIVERS}

    def sized(width: int, height: int) -> bytes:
        size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
        return jpeg[: frame + 5] + size + jpeg[frame + 9 :]

    kept = opens(jpeg)
    cases = []
    for name, taken, width, height in (
        ("photo", jpeg, 8, 8),
        ("photo-with-jfif", jpeg[:2] + _JFIF + jpeg[2:], 8, 8),
        ("photo-with-restarts", jpeg[:frame] + bytes.fromhex("ffdd00040001") + jpeg[frame:], 8, 8),
        ("photo-with-ff-in-the-scan", jpeg[:end] + bytes.fromhex("ff00ffd0") + jpeg[end:], 8, 8),
        ("photo-of-1280-by-1", sized(1280, 1), 1280, 1),
    ):
        answer = {"jpeg": taken.hex(), "width": width, "height": height}
        cases.append(good(name, "photo.open", opens(taken), answer))
    exif = bytes.fromhex("ffe10008457869660000")
    for name, inside, why in (
        ("with-exif", jpeg[:2] + exif + jpeg[2:], "an application segment that is not JFIF's"),
        ("with-a-preview", jpeg[:2] + _JFIF[:-2] + b"\1\1" + jpeg[2:], "JFIF with a preview"),
        ("with-a-comment", jpeg[:2] + bytes.fromhex("fffe00046869") + jpeg[2:], "a comment"),
        ("progressive", jpeg.replace(b"\xff\xc0", b"\xff\xc2"), "SOF2 is no baseline"),
        ("with-two-scans", jpeg[:end] + jpeg[scan:], "a second scan"),
        ("with-something-after", jpeg + bytes(1), "EOI are the last two bytes"),
        ("without-an-end", jpeg[:-2], "EOI is missing"),
        ("of-1281-by-8", sized(1281, 8), "a side has at most 1,280 pixels"),
        ("of-no-height", sized(8, 0), "a side has at least one pixel"),
        ("of-no-bytes", b"", "no JPEG at all"),
        ("in-png", bytes.fromhex("89504e470d0a1a0a") + bytes(60), "another format"),
    ):
        cases.append(bad(f"photo-{name}", "photo.open", opens(inside), "photo", why, kept))
    other = opens(picture(8), jpeg)
    cases.append(bad("photo-of-another-name", "photo.open", other, "photo", "another photo", kept))
    cut = {**kept, "sealed": kept["sealed"][:-2]}
    cases.append(bad("photo-cut-short", "photo.open", cut, "sealed", "a byte is missing", kept))
    return cases


def made() -> VectorFile:
    about = "One-time keys, boxes, sealed messages, addresses and their photos (12-sealing.md)."
    return VectorFile("sealing", about, (*keys(), *boxes(), *messages(), *addresses(), *photos()))
