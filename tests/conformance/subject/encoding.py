"""Operations on bare bytes and trees (01-encoding.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.encoding import decode, encode
from chargemesh_protocol.errors import Refused

from ..values import tagged, untagged


def read(given: dict[str, Any]) -> dict[str, Any]:
    tree = decode(bytes.fromhex(given["bytes"]), max_bytes=given["max_bytes"])
    return {"tree": tagged(tree)}


def write(given: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"bytes": encode(untagged(given["tree"])).hex()}
    except ValueError as error:
        raise Refused("encoding", str(error)) from error


OPERATIONS = {"encoding.decode": read, "encoding.encode": write}
