"""What the specs hold as data, made from the code: limits, names, currencies; and the codes that it uses."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import fields
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from chargemesh_node import invite, mdns_record
from chargemesh_node.p2p import kad_limits
from chargemesh_node.p2p import limits as p2p_limits
from chargemesh_protocol import (
    errors,
    identity,
    limits,
    listing,
    money,
    place,
    pricing,
    tariff,
    terms,
    zones,
)
from chargemesh_protocol.booking import charging, cost, fold, objections, records, retention, table
from chargemesh_protocol.booking import wire as booking
from chargemesh_protocol.discovery import cells
from chargemesh_protocol.discovery import wire as discovery
from chargemesh_protocol.trust import drafts, entries, month

ROOT = Path(__file__).parents[2]

# (module, name, what it is about, reason): bounds of the protocol that stand beside the rule they belong to.
_BESIDE: tuple[tuple[ModuleType, str, str, str], ...] = (
    (zones, "LAST_INSTANT", "time", "the year 2200: calendars end somewhere"),
    (month, "MAX_MONTH", "time", "months since January 1970: the year 2970"),
    (place, "ROOT_RESOLUTION", "places", "of regions, and the coarsest of a public cell: about 1,770 km2"),
    (place, "FINEST_RESOLUTION", "places", "the finest of a public cell, about 0.7 km2"),
    (place, "DEFAULT_RESOLUTION", "places", "about 5 km2: a neighbourhood, with more than one plug in it"),
    (cells, "TOPIC_RESOLUTION", "discovery", "of the cells that have a gossip topic each"),
    (discovery, "CURSOR_BYTES", "discovery", "`more` and `after`; only their writer reads them"),
    (tariff, "MAX_PRICE_MICRO", "tariff", "no price reaches it, and no sum of them leaves 63 bits"),
    (tariff, "MAX_STEP", "tariff", "Wh, or seconds of a day: a step is a part of a session"),
    (tariff, "MAX_TAX_BP", "tariff", "basis points: 100 percent; no country takes more"),
    (pricing, "MAX_ENERGY_WH", "tariff", "a lorry takes a hundredth of it; products stay below 2^127"),
    (pricing, "MAX_SESSION_MS", "tariff", "100 days: past any booking, and products stay below 2^127"),
    (terms, "MAX_TIERS", "terms", "of cancellation: a person reads them before booking"),
    (terms, "MAX_TERM_MINUTES", "terms", "14 days: as far ahead as a listing says when its plug can be had"),
    (booking, "MAX_RECORDS_A_MESSAGE", "booking", "in one exchange; the rest comes with the next"),
    (booking, "MAX_MESSAGES_A_PARCEL", "booking", "sealed texts in one exchange; records need room too"),
    (booking, "MAX_STATEMENTS", "booking", "of one side: a completion statement and a review commitment"),
    (cost, "EARLY_MS", "booking", "how long before the start a driver may check in or find the plug blocked"),
    (cost, "OVERSHOOT_WH", "booking", "that a driver's node signs for beyond the authorisation"),
    (objections, "READING_TOLERANCE_WH", "booking", "apart, two people have not read the same on a meter"),
    (retention, "SECRETS_KEPT_MS", "booking", "after the end of the slot; then keys and address are deleted"),
    (retention, "FORGOTTEN_AFTER_MS", "booking", "a host forgets a request that came to nothing"),
    (charging, "MAX_TICKETS", "booking", "of a booking's own time; a long one has its tickets farther apart"),
    (entries, "MAX_SEQUENCE", "trust", "of a log entry: four bytes hold it, and no key signs so often"),
    (invite, "MAX_LINK_CHARS", "invitation", "more is hard to scan as a QR code"),
    (invite, "MAX_INVITE_PEERS", "invitation", "that it names: any one that answers will do"),
    (mdns_record, "MAX_TXT_BYTES", "network", "with the other records it must fit one packet"),
    (mdns_record, "MAX_TXT_STRINGS", "network", "1,300 bytes of real addresses are about 14"),
)  # fmt: skip
_ENUMS: tuple[type[Enum], ...] = (
    identity.Scope,
    listing.ConnectorFormat,
    listing.PowerType,
    listing.ParkingType,
    tariff.TariffDimension,
    records.DeclineReason,
    records.CancelReason,
    records.ProblemKind,
    records.ReadingContext,
    table.Reservation,
    table.Session,
    table.Settlement,
)


def limit_rows() -> list[tuple[str, str, int | float, str]]:
    """(about, name, value, reason) of every bound, those of the network process last."""
    rows, section = [], ""
    for line in Path(limits.__file__).read_text().splitlines():
        if title := re.fullmatch(r"# --- (.*?) -+", line):
            section = title.group(1)
        elif found := re.match(r"([A-Z_]+) = [^#]+(?:# (.*))?$", line):
            rows.append((section, found.group(1), getattr(limits, found.group(1)), found.group(2) or ""))
    rows += [(about, name, getattr(module, name), reason) for module, name, about, reason in _BESIDE]
    rows += _fields_of(p2p_limits, p2p_limits.DEFAULT_LIMITS, "network")
    rows += _fields_of(kad_limits, kad_limits.DEFAULT_LOOKUP_LIMITS, "look-ups")
    return rows


def _fields_of(module: ModuleType, values: Any, about: str) -> list[tuple[str, str, int | float, str]]:
    """The fields of a dataclass of limits, with the comment that stands beside each."""
    source = Path(str(module.__file__)).read_text()
    said = dict(re.findall(r"^    (\w+): (?:int|float) = [^#\n]+?(?:  # (.*))?$", source, re.MULTILINE))
    names = [one.name for one in fields(values)]
    return [(about, name, getattr(values, name), said.get(name, "")) for name in names]


def limits_json() -> str:
    """Every bound as data."""
    return _rows(
        {"name": name, "value": value, "about": about, "reason": reason}
        for about, name, value, reason in limit_rows()
    )


def names_json() -> str:
    """Closed lists of names by the type that has them, the kinds by side, and OCPI's connectors (open)."""
    found: dict[str, list[str]] = {one.__name__: [name.value for name in one] for one in _ENUMS}
    found["Severity"] = [one.name.lower() for one in errors.Severity]
    found["kinds of the host's chain"] = [record_kind(one) for one in records.HOST_KINDS]
    found["kinds of the driver"] = [record_kind(one) for one in records.DRIVER_KINDS]
    found["kinds that take effect alone"] = list(fold.TAKES_EFFECT_ALONE)
    found["problems at the plug"] = sorted(one.value for one in cost.AT_THE_PLUG)
    found["ConnectorType (open list)"] = list(listing.CONNECTOR_TYPES)
    found["networks with quick logs (prefixes)"] = list(drafts.QUICK_NETWORKS)
    lines = [f"{json.dumps(name)}: {json.dumps(values)}" for name, values in found.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def record_kind(cls: type[Any]) -> str:
    from chargemesh_protocol.record import kind_of

    return kind_of(cls)


def currencies_json() -> str:
    """Digits behind the point of every currency that a price plan may have."""
    return _rows({"code": code, "digits": digits} for code, digits in sorted(money.CURRENCIES.items()))


def _rows(rows: Any) -> str:
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def codes_in_code() -> set[str]:
    """Every reason that one node gives another: first argument of Refused and No, `code` of Failed."""
    named = {"UNAVAILABLE": booking.UNAVAILABLE}
    found: set[str] = set()
    for path in (*(ROOT / "protocol").rglob("*.py"), *(ROOT / "node").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or _name(node.func) not in ("Refused", "No", "Failed"):
                continue
            for given in (*node.args[:1], *(one.value for one in node.keywords if one.arg == "code")):
                code = given.value if isinstance(given, ast.Constant) else named.get(_name(given))
                if isinstance(code, str):
                    found.add(code)
    return found


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
