"""Reads a request's body and query into typed values; what doesn't fit is told in a sentence."""

from __future__ import annotations

import asyncio
import difflib
import re
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from chargemesh_protocol.errors import ExitCode, PersonError

from .limits import MAX_BODY_BYTES, MIN_PREFIX_CHARS, REQUEST_SECONDS

T = TypeVar("T")
_FIELD = re.compile(r"field `([^`]+)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_SEE_API = "What it can be: the --help of the command, or /openapi.json on this server."
_IDS_TOLD, _ID_CHARS_TOLD = 3, 8
_HEX = re.compile(r"[0-9a-f]+")


async def read_body(request: Request, most: int = MAX_BODY_BYTES) -> bytes:
    """The whole body, within its bounds of size (bytes) and time."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise PersonError(
            "too-slow",
            "The request did not arrive in time.",
            f"Send the whole body within {REQUEST_SECONDS:g} seconds.",
            ExitCode.USAGE,
        ) from None
    return bytes(body)


def parse_body(body: bytes, wanted: type[T]) -> T:
    """JSON as `wanted`; an empty body is an empty object."""
    try:
        return msgspec.json.decode(body or b"{}", type=wanted)
    except msgspec.ValidationError as error:
        raise _mistake(error, wanted) from None
    except RecursionError:
        raise PersonError("bad-json", "The request is nested too deeply.", _SEE_API, ExitCode.USAGE) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PersonError(
            "bad-json", f"The request is not JSON: {error}.", "Send one JSON object in UTF-8.", ExitCode.USAGE
        ) from None


def convert(value: Any, wanted: type[T]) -> T:
    """Plain values as `wanted`, with the same sentences."""
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        raise _mistake(error, wanted) from None


def parse_query(request: Request, wanted: type[T]) -> T:
    """The query as `wanted`. A name given twice counts once, the last time; an empty value is none."""
    given = {name: value for name, value in request.query_params.items() if value != ""}
    try:
        return msgspec.convert(given, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise _mistake(error, wanted) from None


def by_prefix(text: str, known: list[bytes], what: str, where: str, *, tell: bool = False) -> bytes:
    """The one id of `known` that `text` begins; PersonError that says what else to write.

    `what`: the thing in a sentence ("booking"); `where`: the command that lists them; `tell`: name those that
    there are, if they are few.
    """
    prefix = text.strip().lower()
    found = [one for one in known if one.hex().startswith(prefix)] if _HEX.fullmatch(prefix) else []
    if any(one.hex() == prefix for one in found):
        return bytes.fromhex(prefix)
    if not found:
        raise PersonError(
            f"no-such-{what}",
            f"There is no {what} {text[:20]!r}.",
            _ids_hint(known if tell else [], where),
            ExitCode.NOT_FOUND,
        )
    if len(prefix) < MIN_PREFIX_CHARS:
        raise PersonError(
            "short-id",
            f"{text!r} is too short for an id.",
            f"Write at least {MIN_PREFIX_CHARS} of its characters.",
            ExitCode.USAGE,
        )
    if len(found) > 1:
        raise PersonError(
            "ambiguous-id",
            f"{len(found)} ids begin with {text!r}.",
            "Write more of it.",
            ExitCode.USAGE,
        )
    return found[0]


def _ids_hint(known: list[bytes], where: str) -> str:
    """Which ids there are, as far as a line holds them."""
    if not known or len(known) > _IDS_TOLD:
        return f"`{where}` lists them."
    ids = " and ".join(one.hex()[:_ID_CHARS_TOLD] for one in known)
    return f"There {'is' if len(known) == 1 else 'are'} {ids}: `{where}` tells more."


def _mistake(error: msgspec.ValidationError, wanted: Any) -> PersonError:
    """msgspec's word on the first thing that doesn't fit, with the field's name in front."""
    said = str(error)
    path = _PATH.search(said)
    where = path[1] if path else ""
    said = _PATH.sub("", said)
    field = _FIELD.search(said)
    if field and "unknown field" in said:
        name = f"{where}.{field[1]}" if where else field[1]
        near = difflib.get_close_matches(field[1], _names(wanted, where), n=1)
        hint = f"Did you mean {near[0]}?" if near else _fields_hint(wanted, where)
        return PersonError("unknown-field", f"There is no field {name}.", hint, ExitCode.USAGE)
    if field and "missing" in said:
        name = f"{where}.{field[1]}" if where else field[1]
        return PersonError("missing-field", f"{name} is missing.", f"Give {name} too.", ExitCode.USAGE)
    said = said.replace("`", "").replace("Expected", "expected")
    message = f"{where}: {said}." if where else f"{said}."
    return PersonError("bad-value", message, _SEE_API, ExitCode.USAGE)


def _fields_hint(wanted: Any, where: str) -> str:
    """Which fields there are, where none is near what was written."""
    names = _names(wanted, where)
    return f"Fields are {', '.join(names)}." if names else _SEE_API


def _names(wanted: Any, where: str) -> list[str]:
    """The fields of the struct at `where` inside `wanted`, as far as names alone lead there."""
    for step in filter(None, re.sub(r"\[.*?\]", "", where).split(".")):
        fields = {one.encode_name: one.type for one in msgspec.structs.fields(wanted)}
        wanted = fields.get(step)
        if not (isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)):
            return []
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return [one.encode_name for one in msgspec.structs.fields(wanted)]
    return []


def _too_large(most: int) -> PersonError:
    return PersonError(
        "too-large",
        f"The request is larger than {most // 1024} KB.",
        "Send less at once: in several requests where there are several things.",
        ExitCode.USAGE,
    )
