"""Operations on Ed25519 keys (02-records.md)."""

from __future__ import annotations

from typing import Any

import nacl.bindings as sodium

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import public_key


def public(given: dict[str, Any]) -> dict[str, Any]:
    return {"public": public_key(bytes.fromhex(given["seed"])).hex()}


def check(given: dict[str, Any]) -> dict[str, Any]:
    if not sodium.crypto_core_ed25519_is_valid_point(bytes.fromhex(given["public"])):
        raise Refused("bad-key", "not a point of the main subgroup")
    return {"valid": True}


OPERATIONS = {"keys.public": public, "keys.check": check}
