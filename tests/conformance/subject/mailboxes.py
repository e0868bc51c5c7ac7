"""Operations on parcels and mailboxes (15-mailbox.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.mailbox.keys import mailbox_key, require_collect, sealing_key, sign_collect
from chargemesh_protocol.mailbox.sealing import Letter, open_parcel, parcel_hash, seal_letter

from ..fields import from_json, to_json


def keys(given: dict[str, Any]) -> dict[str, Any]:
    key = mailbox_key(bytes.fromhex(given["seed"]))
    return {"key": key.hex(), "sealing": sealing_key(key).hex()}


def seal(given: dict[str, Any]) -> dict[str, Any]:
    """Told by its hash and its beginning: the whole has 4 KB and more."""
    recipient, ephemeral = bytes.fromhex(given["recipient"]), bytes.fromhex(given["ephemeral"])
    try:
        sealed = seal_letter(from_json(Letter, given["fields"]), recipient, ephemeral)
    except ValueError as error:
        raise Refused("schema", str(error)) from error
    return {"size": len(sealed), "begins": sealed[:64].hex(), "hash": parcel_hash(sealed).hex()}


def open_(given: dict[str, Any]) -> dict[str, Any]:
    letter = open_parcel(bytes.fromhex(given["sealed"]), bytes.fromhex(given["seed"]))
    return {"fields": to_json(letter)}


def _asked(given: dict[str, Any]) -> tuple[str, str, bytes, list[bytes]]:
    drop = [bytes.fromhex(one) for one in given["drop"]]
    return given["network"], given["peer_id"], bytes.fromhex(given["challenge"]), drop


def collect(given: dict[str, Any]) -> dict[str, Any]:
    return {"signature": sign_collect(bytes.fromhex(given["seed"]), *_asked(given)).hex()}


def may_collect(given: dict[str, Any]) -> dict[str, Any]:
    require_collect(bytes.fromhex(given["recipient"]), bytes.fromhex(given["signature"]), *_asked(given))
    return {"collects": True}


OPERATIONS = {
    "mailbox.keys": keys,
    "mailbox.seal": seal,
    "mailbox.open": open_,
    "mailbox.collect": collect,
    "mailbox.may-collect": may_collect,
}
