"""Operations on what only the two parties of a booking may read (12-sealing.md)."""

from __future__ import annotations

from typing import Any

import nacl.bindings as sodium

from chargemesh_protocol.booking.photos import check_photo
from chargemesh_protocol.booking.sealing import (
    AccessRecord,
    Message,
    open_message,
    open_photo,
    require_key,
    seal,
    seal_message,
    unseal,
)
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory, Scope
from chargemesh_protocol.record import open_record

from ..fields import from_json, to_json


def _bytes(given: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(given[name]) for name in names]


def public(given: dict[str, Any]) -> dict[str, Any]:
    return {"public": bytes(sodium.crypto_scalarmult_base(*_bytes(given, "secret"))).hex()}


def sealed(given: dict[str, Any]) -> dict[str, Any]:
    plaintext, nonce, key, secret = _bytes(given, "plaintext", "nonce", "public", "secret")
    require_key(key)
    return {"sealed": seal(plaintext, nonce, key, secret).hex()}


def opened(given: dict[str, Any]) -> dict[str, Any]:
    return {"plaintext": unseal(*_bytes(given, "sealed", "public", "secret")).hex()}


def message_sealed(given: dict[str, Any]) -> dict[str, Any]:
    nonce, key, secret = _bytes(given, "nonce", "public", "secret")
    return {"sealed": seal_message(from_json(Message, given["fields"]), nonce, key, secret).hex()}


def message_opened(given: dict[str, Any]) -> dict[str, Any]:
    message = open_message(*_bytes(given, "sealed", "public", "secret"))
    expected = tuple(_bytes(given, "booking", "sender", "recipient"))
    if (message.booking, message.sender, message.recipient) != expected:
        raise Refused("sealed", "a message of another booking")
    return {"fields": to_json(message)}


def access_opened(given: dict[str, Any]) -> dict[str, Any]:
    directory = Directory(given["network"])
    for data in given["bundles"]:
        directory.learn(bytes.fromhex(data))
    booking, host, driver = _bytes(given, "booking", "host", "driver")
    record = open_record(unseal(*_bytes(given, "sealed", "public", "secret")), given["network"])
    body = record.body
    if type(body) is not AccessRecord or (body.author, body.booking, body.recipient) != (
        host,
        booking,
        driver,
    ):
        raise Refused("access", "the sealed record is not this booking's")
    directory.authorise(record, host, Scope.BOOK)
    return {"fields": to_json(body)}


def photo_opened(given: dict[str, Any]) -> dict[str, Any]:
    jpeg = open_photo(*_bytes(given, "sealed", "photo", "public", "secret"))
    width, height = check_photo(jpeg)
    return {"jpeg": jpeg.hex(), "width": width, "height": height}


OPERATIONS = {
    "box.public": public,
    "box.seal": sealed,
    "box.open": opened,
    "sealed-message.write": message_sealed,
    "sealed-message.open": message_opened,
    "access.open": access_opened,
    "photo.open": photo_opened,
}
