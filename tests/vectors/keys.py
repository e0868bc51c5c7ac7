"""keys.json: Ed25519 keys from seeds, and which points are keys at all."""

from __future__ import annotations

import nacl.bindings as sodium

from .frame import Case, VectorFile, bad, good

# RFC 8032, section 7.1, tests 1 to 3: secret key (our seed) and public key.
RFC_8032 = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    ),
)
GOOD = RFC_8032[0][1]
# Every encoding of a point of small order, canonical or not (order 1, 2, 4 and 8 by their y).
ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
ALSO_ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
SMALL_ORDER = {
    "order-1": "01" + "00" * 31,
    "order-1-with-a-sign": "01" + "00" * 30 + "80",
    "order-1-not-canonical": "ee" + "ff" * 30 + "7f",
    "order-1-not-canonical-with-a-sign": "ee" + "ff" * 31,
    "order-2": "ec" + "ff" * 30 + "7f",
    "order-2-with-a-sign": "ec" + "ff" * 31,
    "order-4": "00" * 32,
    "order-4-negative": "00" * 31 + "80",
    "order-4-not-canonical": "ed" + "ff" * 30 + "7f",
    "order-4-not-canonical-negative": "ed" + "ff" * 31,
    "order-8": ORDER_8,
    "order-8-negative": ORDER_8[:-2] + "85",
    "order-8-other": ALSO_ORDER_8,
    "order-8-other-negative": ALSO_ORDER_8[:-2] + "fa",
}


def public_of(seed: str) -> str:
    """By libsodium alone."""
    return bytes(sodium.crypto_sign_seed_keypair(bytes.fromhex(seed))[0]).hex()


def _refused(name: str, point: str, why: str) -> Case:
    return bad(name, "keys.check", {"public": point}, "bad-key", why, {"public": GOOD})


def made() -> VectorFile:
    cases = [
        good(f"rfc-8032-test-{number}", "keys.public", {"seed": seed}, {"public": public})
        for number, (seed, public) in enumerate(RFC_8032, 1)
    ]
    for name, seed in (("seed-of-zeros", "00" * 32), ("seed-of-ones", "ff" * 32)):
        cases.append(good(name, "keys.public", {"seed": seed}, {"public": public_of(seed)}))
    cases.append(good("a-good-key", "keys.check", {"public": GOOD}, {"valid": True}))
    cases += [
        _refused(f"key-of-{name}", point, "the point has small order") for name, point in SMALL_ORDER.items()
    ]
    return VectorFile(
        "keys", "Ed25519 keys of seeds, and points that are no key (02-records.md).", tuple(cases)
    )
