"""Writes what the specs say twice: `python -m tests.protocol.write_specs`.

The CDDL, the limits, the tables of fields and the worked example come from the code, and a test holds them to
it, so that neither can change without the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chargemesh_protocol import identity_wire
from chargemesh_protocol.booking import records
from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.booking.sealing import Message as SealedMessage
from chargemesh_protocol.discovery import wire as discovery
from chargemesh_protocol.mailbox import sealing as parcels
from chargemesh_protocol.mailbox import wire as mailbox
from chargemesh_protocol.record import KINDS
from chargemesh_protocol.shape import (
    Bool,
    Bytes,
    Int,
    Kind,
    Name,
    Seq,
    Struct,
    Text,
    keys_of,
)
from chargemesh_protocol.trust import entries, news, sync

from . import spec_data
from .spec_examples import EXAMPLES

SPECS = Path(__file__).parents[2] / "specs"
MESSAGES: dict[str, type] = {
    "booking-ask-quote": booking.AskQuote,
    "booking-quote-given": booking.QuoteGiven,
    "booking-exchange": booking.Exchange,
    "booking-failed": booking.Failed,
    "sealed-message": SealedMessage,
    "listing-store": discovery.Store,
    "listing-store-renewal": discovery.StoreRenewal,
    "listing-withdraw": discovery.Withdraw,
    "listing-query": discovery.Query,
    "listing-found": discovery.Found,
    "listing-kept": discovery.Kept,
    "listing-failed": discovery.Failed,
    "identity-get": identity_wire.Get,
    "identity-given": identity_wire.Given,
    "log-catch-up": sync.CatchUp,
    "log-news": news.News,
    "mailbox-ask-terms": mailbox.AskTerms,
    "mailbox-terms": mailbox.Terms,
    "mailbox-deposit": mailbox.Deposit,
    "mailbox-taken": mailbox.Taken,
    "mailbox-knock": mailbox.Knock,
    "mailbox-challenge": mailbox.Challenge,
    "mailbox-collect": mailbox.Collect,
    "mailbox-collected": mailbox.Collected,
    "mailbox-failed": mailbox.Failed,
    "letter": parcels.Letter,
    "review-content": entries.ReviewContent,
}
_MAX_UINT = 2**63 - 1
# Integers that are H3 cells, by the name of their field: resolutions, and the code of what is none.
_CELLS = {"cell": (4, 8, "cell"), "cells": (4, 8, "cell"), "region": (4, 4, "schema")}


def shapes() -> dict[str, type]:
    """Every map of the protocol by the name of its CDDL rule: records, messages, and what they hold."""
    if records.Quote not in KINDS.values():
        raise AssertionError("a kind is known once its module is imported")
    found = {**KINDS, **MESSAGES}
    waiting = list(found.values())
    while waiting:
        for _, _, kind, _ in keys_of(waiting.pop()):
            inner = kind.item if isinstance(kind, Seq) else kind
            if isinstance(inner, Struct) and inner.cls not in found.values():
                found[_kebab(inner.cls.__name__)] = inner.cls
                waiting.append(inner.cls)
    return found


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


# --- CDDL -----------------------------------------------------------------------------------------

CDDL_HEAD = """\
; Every map of chargemesh (RFC 8610, RFC 9165). Written from the code by tests/protocol/write_specs.py.
; What CDDL can't say and a reader checks beside it stands in README.md of this folder.

uint63 = 0..9223372036854775807
int63 = -9223372036854775808..9223372036854775807
value = int63 / bstr / tstr / bool / [* value] / { * 0..23 => value }

header<typ> = { 1: -8, 4: bstr .size 32, 16: typ }
record<typ, body> = #6.18([ bstr .cbor header<typ>, {}, payload: bstr .cbor body, signature: bstr .size 64 ])
bundle = [ bstr .cbor record<"genesis", genesis>, 0*8 bstr .cbor record<"delegation", delegation> ]
"""


def cddl() -> str:
    """The whole schema."""
    names = {cls: name for name, cls in shapes().items()}
    whole = (f'record<"{kind}", {kind}>' for kind in sorted(KINDS))
    blocks = [CDDL_HEAD, "cose-record = " + "\n            / ".join(whole) + "\n"]
    for name, cls in sorted(shapes().items()):
        lines = [f"{name} = {{"]
        for number, field, kind, optional in keys_of(cls):
            mark = "? " if optional else "  "
            lines.append(f"  {mark}{number}: {_cddl_type(kind, names)},  ; {field}")
        blocks.append("\n".join([*lines, "  * 16..23 => value", "}"]) + "\n")
    return "\n".join(blocks)


def _cddl_type(kind: Kind, names: dict[type, str]) -> str:
    match kind:
        case Int(low, high):
            if low == high:
                return str(low)
            if (low, high) == (-(2**63), _MAX_UINT):
                return "int63"
            return "uint63" if (low, high) == (0, _MAX_UINT) else f"{low}..{high}"
        case Bool():
            return "bool"
        case Bytes(low, high):
            return f"bstr .size {low}" if high < 0 else f"bstr .size ({low}..{high})"
        case Text(high, low):
            return f"tstr .size ({low}..{4 * high})"
        case Name(enum):
            return " / ".join(f'"{one.value}"' for one in enum)
        case Seq(item, high, low):
            inner = _cddl_type(item, names)
            return f"[{low}*{high} ({inner})]" if " / " in inner else f"[{low}*{high} {inner}]"
        case Struct(cls):
            return names[cls]
    raise AssertionError(f"no CDDL for {kind}")


# --- tables of fields -----------------------------------------------------------------------------


def field_table(name: str) -> str:
    """A Markdown table of one map's fields."""
    names = {cls: rule for rule, cls in shapes().items()}
    rows = ["| key | field | type |", "|---|---|---|"]
    for number, field, kind, optional in keys_of(shapes()[name]):
        rows.append(
            f"| {number} | `{field}` | {_words(kind, names)}{', may be absent' if optional else ''} |"
        )
    return "\n".join(rows)


def _words(kind: Kind, names: dict[type, str]) -> str:
    match kind:
        case Int(low, high):
            if low == high:
                return f"{low}"
            if (low, high) == (-(2**63), _MAX_UINT):
                return "integer"
            return "unsigned" if (low, high) == (0, _MAX_UINT) else f"integer {low} to {high}"
        case Bool():
            return "boolean"
        case Bytes(low, high):
            return f"{low} bytes" if high < 0 else f"{low} to {high} bytes"
        case Text(high, low):
            return f"text, {low} to {high}" if low else f"text, up to {high}"
        case Name(enum):
            return "one of " + " ".join(f"`{one.value}`" for one in enum)
        case Seq(item, high, low):
            return f"array of {low} to {high}: {_words(item, names)}"
        case Struct(cls):
            return f"map `{names[cls]}`"
    raise AssertionError(f"no words for {kind}")


def fields_json() -> str:
    """The same tables as data: text counts code points here, which CDDL can't (it counts bytes)."""
    names = {cls: rule for rule, cls in shapes().items()}
    maps = []
    for name, cls in sorted(shapes().items()):
        rows = []
        for number, field, kind, optional in keys_of(cls):
            absent = {"optional": True} if optional else {}
            data = _as_data(kind, names)
            if field in _CELLS:
                coarsest, finest, code = _CELLS[field]
                data.get("of", data)["cell"] = {"coarsest": coarsest, "finest": finest, "else": code}
            rows.append(json.dumps({"key": number, "field": field, **data, **absent}))
        maps.append(f"{json.dumps(name)}: [\n  " + ",\n  ".join(rows) + "\n]")
    return "{\n" + ",\n".join(maps) + "\n}\n"


def _as_data(kind: Kind, names: dict[type, str]) -> dict[str, Any]:
    """Type and bounds; an integer has none that its 64 bits (or 0) set anyway."""
    match kind:
        case Int(low, high):
            least = {} if low == -(2**63) else {"min": low}
            return {"type": "integer", **least, **({} if high == _MAX_UINT else {"max": high})}
        case Bool():
            return {"type": "boolean"}
        case Bytes(low, high):
            return {"type": "bytes", "min": low, "max": low if high < 0 else high}
        case Text(high, low):
            return {"type": "text", "min": low, "max": high}
        case Name(enum):
            return {"type": "text", "one_of": [one.value for one in enum]}
        case Seq(item, high, low):
            return {"type": "array", "min": low, "max": high, "of": _as_data(item, names)}
        case Struct(cls):
            return {"type": "map", "map": names[cls]}
    raise AssertionError(f"no data for {kind}")


# --- files ----------------------------------------------------------------------------------------

_BLOCK = re.compile(r"(<!-- (fields|example) ?([a-z-]*) -->\n).*?(<!-- end -->)", re.DOTALL)
_FILLERS: dict[str, Callable[[str], str]] = {
    "fields": field_table,
    "example": lambda name: EXAMPLES[name](),
}


def generated() -> dict[Path, str]:
    """Every file that is written from code, wholly or in its marked blocks, as it must read."""
    files = {
        SPECS / "cddl" / "chargemesh.cddl": cddl(),
        SPECS / "limits.json": spec_data.limits_json(),
        SPECS / "tables" / "fields.json": fields_json(),
        SPECS / "tables" / "names.json": spec_data.names_json(),
        SPECS / "tables" / "currencies.json": spec_data.currencies_json(),
    }
    for path in sorted(SPECS.glob("*.md")):
        text = path.read_text()
        files[path] = _BLOCK.sub(
            lambda found: f"{found[1]}\n{_FILLERS[found[2]](found[3])}\n\n{found[4]}", text
        )
    return files


def main() -> None:
    for path, text in generated().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
