"""`chargemesh find`: chargers near a place, each shown as it is found."""

from __future__ import annotations

import os
import re
from typing import Any

import click

from chargemesh_protocol.money import parse_currency
from chargemesh_protocol.units import format_duration, parse_distance, parse_power

from .. import prompts, times
from ..app import App, pass_app
from ..charger_fields import read_connector, read_price
from ..lazy import command
from ..place_text import parse_place
from ..readers import percent
from ..render import clean, short
from ..tables import Table

_CURRENCY = "EUR"  # of --max-price, where neither it nor --currency says
_WITH_CURRENCY = re.compile(r"(?P<number>[\d.,]+)\s*(?P<code>[A-Za-z]{3})(?P<per>\s*/.*)?")
_TABLE = Table(
    (
        ("#", 2),
        ("id", 8),
        ("km", 9),
        ("power", 21),
        ("price a kWh", 11),
        ("answer", 7),
        ("trust", 11),
        ("title", 0),
    )
)


@command("find")
@click.option("--near", metavar="PLACE", help="LAT,LON, a geo: URI, a full Plus Code, or a saved place.")
@click.option("--radius", default="2km", show_default=True, metavar="DISTANCE", help="How far around it.")
@click.option("--connector", metavar="PLUG", help="Type2, CCS, … or OCPI's name.")
@click.option("--min-power", metavar="POWER", help="Such as 7kW.")
@click.option("--max-price", metavar="AMOUNT", help="Of a kWh, such as 0.40 or 0.40EUR. [EUR]")
@click.option("--currency", metavar="CODE", help="Only prices in this currency.")
@times.options
@click.option("--min-trust", metavar="PERCENT", help="Only hosts that this node trusts so far.")
@click.option("--instant", is_flag=True, help="Only chargers whose rules answer at once.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="At most so many.")
@pass_app
def find(app: App, /, **given: Any) -> None:
    """Find chargers near a place. With --from and --for: only those offered all that time.

    The ids shown, or the row numbers until the next search, are what `quote` and `book` take. Distances are
    intervals, because a listing shows a map cell and no address. With --json: one JSON object a line, a
    listing each, as they are found; the last one has "done".
    """
    from chargemesh_node import offline

    span = times.read_span(given["from_"], given["for_"], given["to_"], given["zone"], offline.now())
    query = _query(app, given, span)
    if span is not None:
        # From 12:00 to 11:00 ends the next day, which may not be what was meant.
        app.note(f"Offered from {span} ({format_duration(span.end - span.start)}):")
    found, end = 0, {}
    for line in app.api().lines("find", **query):
        if "done" in line:
            end = line
            if app.json:
                app.line(line)
            continue
        found += 1
        if app.json:
            app.line(line)
            continue
        if found == 1 and (head := _TABLE.head()):
            app.say(head)
        app.say(_TABLE.row(_cells(line)))
    _summary(app, found, end)


def _query(app: App, given: dict[str, Any], span: times.Span | None) -> dict[str, Any]:
    currency = parse_currency(given["currency"]) if given["currency"] else None
    price = None
    if given["max_price"]:
        price, currency = _price(given["max_price"], currency or _CURRENCY)
    query = {
        "radius_m": parse_distance(given["radius"]),
        "connector": read_connector(given["connector"]) if given["connector"] else None,
        "min_power_w": parse_power(given["min_power"]) if given["min_power"] else None,
        "max_price_micro": price,
        "currency": currency,
        "start": span.start if span else None,
        "end": span.end if span else None,
        "min_trust": percent(given["min_trust"]) * 10 if given["min_trust"] else None,
        "instant": True if given["instant"] else None,
        "limit": given["limit"],
    }
    latitude, longitude = _place(app, given["near"])
    return {"lat": f"{latitude:.6f}", "lon": f"{longitude:.6f}", **query}


def _place(app: App, text: str | None) -> tuple[float, float]:
    from chargemesh_node import offline

    saved = offline.saved_places(app.home, os.environ)
    if text is not None:
        return parse_place(text, saved)
    if not app.interactive:
        raise click.UsageError("Missing option '--near PLACE'.")
    return prompts.ask(
        "Near which place (LAT,LON, Plus Code or a saved place)", lambda t: parse_place(t, saved)
    )


def _price(text: str, currency: str) -> tuple[int, str]:
    """Micro-units and the currency, from "0.40", "0.40/kWh", "0.40 EUR" or "0.40EUR/kWh"."""
    if named := _WITH_CURRENCY.fullmatch(text.strip()):
        currency = parse_currency(named["code"])
        text = named["number"] + (named["per"] or "")
    return read_price(text, currency, "kwh"), currency


def _cells(line: Any) -> tuple[str, ...]:
    near, far = line["distance_m"]
    answer = "at once" if line["rules"]["instant"] else "asks"
    trust = f"{line['host']['trust']} of 1000" if line["proven"] or line["host"]["trust"] else "new"
    fits = "" if line.get("fits", True) else " (no longer offered then)"
    plugs = ", ".join(one["text"] for one in line["connectors"])
    return (
        str(line["row"]),
        short(line["id"]),
        f"{near / 1000:.1f}–{far / 1000:.1f}",
        clean(plugs),
        line["price"]["text"],
        answer,
        trust,
        clean(line["title"]) + fits,
    )


def _summary(app: App, found: int, end: Any) -> None:
    answered = end.get("caretakers", 0)
    nodes = f"{answered or 'no'} other {'node' if answered == 1 else 'nodes'} answered"
    if found:
        more = f", {end['left_off']} more beyond --limit" if end.get("left_off") else ""
        app.note(f"{found} found{more}; {nodes}. `chargemesh quote 1 --from T --for 3h` asks the first.")
        if not end.get("believable", True):
            app.note(
                "Too few nodes answered to be sure that this is all: `chargemesh peers` shows whom it knows."
            )
        return
    app.note(f"Nothing found; {nodes}.")
    if end.get("untimely"):
        app.note(
            "Chargers were left out whose listings are over, or from the future, by this machine's clock. Is "
            "it right? `chargemesh doctor` compares it with others."
        )
    elif not end.get("believable", True):
        app.note("Too few nodes answered to be sure: `chargemesh peers` shows whom this node knows.")
    else:
        app.note("Try a larger --radius, or fewer conditions.")
