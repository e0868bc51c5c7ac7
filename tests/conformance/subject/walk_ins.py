"""The operation on who stands at a charger (05-booking.md, B33)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.booking.walk_in import walk_in_proof


def proof(given: dict[str, Any]) -> dict[str, Any]:
    secret, quote, driver = (bytes.fromhex(given[name]) for name in ("secret", "quote", "driver"))
    return {"proof": walk_in_proof(secret, quote, driver).hex()}


OPERATIONS = {"walk-in.proof": proof}
