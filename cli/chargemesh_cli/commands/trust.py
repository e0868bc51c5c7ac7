"""`chargemesh review` and `chargemesh trust`: a word about the other side, and what stands behind a score."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from .. import prompts
from ..app import App, pass_app
from ..client import segment
from ..files import write_file
from ..lazy import Group, command
from ..place_text import parse_place
from ..readers import free_text, number
from ..render import clean, paragraph, short

_MAX_REVIEW_CHARS = 1000
_MINUTE_MS = 60_000


@command("review")
@click.argument("booking_id", metavar="BOOKING")
@click.option("--stars", metavar="1..5", help="1 (bad) to 5 (good).")
@click.option("--text", help="What others should know. It becomes public.")
@pass_app
def review(app: App, booking_id: str, stars: str | None, text: str | None) -> None:
    """Review the other side of a booking that was charged and signed for by both.

    Both reviews open together, once both are written or 14 days have passed.
    """
    path = f"bookings/{segment(booking_id)}/review"
    given = number(1, 5)(stars) if stars is not None else None
    if given is None:
        if not app.interactive:
            raise click.UsageError("Missing option '--stars 1..5'.")
        given = prompts.ask("Stars (1 to 5)", number(1, 5))
    if text is None and app.interactive and stars is None:
        text = prompts.ask(
            "What should others know (- for nothing)", free_text(_MAX_REVIEW_CHARS), default="-"
        )
    words = "" if text in (None, "-") else free_text(_MAX_REVIEW_CHARS)(str(text))
    value = app.api().post(path, {"stars": given, "text": words})
    app.result(value, "Signed. It becomes public once both have written, or 14 days after the receipt.")


@click.group("trust", cls=Group)
def trust() -> None:
    """What this node thinks of somebody, and why. Every node computes that for itself."""


@trust.command("show")
@click.argument("peer", metavar="PEER")
@pass_app
def show(app: App, peer: str) -> None:
    """A score with its reasons. PEER: an identity, a booking with them, or the beginning of either."""
    value = app.api().get(f"trust/{segment(peer)}")
    app.result(value, _text(value))


@trust.command("vouch")
@click.argument("peer", metavar="PEER")
@click.option("--undo", is_flag=True, help="Stand up for them no longer.")
@click.option("--near", metavar="PLACE", help="Where; by default where you met, or your own charger's area.")
@pass_app
def vouch(app: App, peer: str, undo: bool, near: str | None) -> None:
    """Stand up for somebody whom you know: their reviews count for your node, and for those who trust you.

    Your node counts it at once. It becomes public days later, so that nobody learns when you met, with your
    identity and an area of some 45 km across. PEER: as in `trust show`.
    """
    api = app.api()
    subject = api.get(f"trust/{segment(peer)}")["author"]
    body: dict[str, Any] = {"stands": not undo}
    if near is not None:
        body["region"] = _region(app, near)
    value = api.post(f"trust/{subject}/vouch", body)
    done = "You vouch for them no longer." if undo else "You vouch for them. --undo takes it back."
    app.result(value, f"{done}\n{_text(value)}")


@trust.command("say")
@click.argument("kind", metavar="KIND")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option("--near", metavar="PLACE", help="Where; by default your own charger's area.")
@pass_app
def say(app: App, kind: str, fields: tuple[str, ...], near: str | None) -> None:
    """Say something of a KIND that an installed extension knows in your public log.

    It becomes public days later (on a network for tests, seconds), with your identity and an area of some
    45 km across, and can't be taken back. Nodes without the extension keep it and pass it on.
    """
    values: dict[str, str] = {}
    for pair in fields:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise click.UsageError(f"{pair[:40]!r}: write FIELD=VALUE.")
        values[name] = value
    body: dict[str, Any] = {"kind": kind, "fields": values}
    if near is not None:
        body["region"] = _region(app, near)
    value = app.api().post("log/say", body)
    waiting = value["entries_waiting"]
    app.result(value, f"It waits for its batch, with {waiting} in all: your log says it {_batch_time(app)}.")


@trust.command("log")
@click.argument("peer", metavar="[PEER]", required=False)
@click.option("--records", type=click.Path(path_type=Path), help="Also write the signed records there.")
@pass_app
def log(app: App, peer: str | None, records: Path | None) -> None:
    """What somebody's public log says, as far as this node holds it; without PEER your own.

    `chargemesh record show FILE` explains what --records wrote, on any machine. PEER: as in `trust show`.
    """
    from ..record_text import explained

    api = app.api()
    author = api.get(f"trust/{segment(peer)}")["author"] if peer else api.get("id")["author"]
    value = api.get(f"trust/{author}/log")
    written = json.dumps(value, indent=1).encode()
    if records is not None:
        write_file(records, written)
    if app.json:
        app.result(value)
        return
    lines = [
        f"{one['sequence']}. {text}" for one, text in zip(value["records"], explained(value), strict=True)
    ]
    lines = lines or [f"This node holds no entry by {short(author)}."]
    if records is not None:
        lines.append(
            f"The signed records are in {records}: `chargemesh record show {records}` explains them."
        )
    app.result(value, "\n".join(paragraph(line) for line in lines))


def _batch_time(app: App) -> str:
    """When a batch is cut, as far as anybody may know: the bounds by this home's network and settings."""
    from chargemesh_node import offline
    from chargemesh_protocol.units import format_duration

    least, most = offline.load(app.home, os.environ).log_delay_ms
    if most < _MINUTE_MS:
        return "within a minute"
    return f"{format_duration(least)} to {format_duration(most)} from now"


def _region(app: App, near: str) -> str:
    """The H3 cell of resolution 4 around a place, in hexadecimal."""
    from chargemesh_node import offline
    from chargemesh_protocol.place import Point, public_cell, region_of

    latitude, longitude = parse_place(near, offline.saved_places(app.home, os.environ))
    return f"{region_of(public_cell(Point(latitude, longitude))):x}"


def _text(value: Any) -> str:
    lines = [f"{short(value['author'])}{' (this node itself)' if value['us'] else ''}: {value['sentence']}"]
    if value["weightless"]:
        lines.append(f"{value['weightless']} reviews count nothing: nobody you know leads to their authors.")
    if value["unproven"]:
        lines.append(f"{value['unproven']} reviews have no completed booking behind them.")
    if value["vouched"]:
        lines.append("You vouch for them.")
    lines += [_review(one) for one in value["shown"]]
    return "\n".join(paragraph(line) for line in lines)


def _review(one: Any) -> str:
    stars = "content not here" if one["stars"] is None else f"{one['stars']} of 5 stars"
    said = f": {clean(one['text'])}" if one["text"] else ""
    return f"{one['month']}, {short(one['author'])}, {stars}{said}"
