"""`chargemesh bookings` and `chargemesh booking`: what was booked, and what to do about it."""

from __future__ import annotations

from typing import Any

import click

from chargemesh_protocol.limits import MAX_NOTE_CHARS
from chargemesh_protocol.units import parse_instant

from .. import prompts
from ..app import App, pass_app
from ..booking_text import in_series, line_cells, offer_sentence, story
from ..client import segment
from ..lazy import Group, command
from ..readers import choice, free_text
from ..render import paragraph, short
from ..tables import table
from .block import block_peer
from .photos import save
from .terms import change, counter, extend

_REASONS = ("POWER_OUTAGE", "BROKEN_CHARGER", "TRAFFIC", "SAFETY")
_LARGEST_PAGE = 500
_PROBLEMS = ("BLOCKED", "NO_POWER", "WONT_START", "OTHER")


@command("bookings")
@click.option("--all", "everything", is_flag=True, help="Also all that are long over.")
@click.option("--before", metavar="ID", help="Earlier ones: the page after this booking.")
@pass_app
def bookings(app: App, everything: bool, before: str | None) -> None:
    """Your bookings, as driver and as host: what still asks for something, then the latest past ones."""
    api = app.api()
    query = {"limit": _LARGEST_PAGE} if everything else {}
    value = api.get("bookings", **query, **({"before": before} if before else {}))
    while everything and value["earlier"] and value["bookings"]:
        more = api.get("bookings", **query, before=value["bookings"][-1]["id"])
        value = {"bookings": value["bookings"] + more["bookings"], "earlier": more["earlier"]}
    shown, earlier = value["bookings"], value["earlier"]
    rows = [line_cells(one) for one in in_series(shown)]
    headings = ("id", "as", "when", "state", "cost", "next")
    text = table(headings, rows) if rows else "No earlier bookings." if before else "No bookings yet."
    if earlier and shown:
        text += f"\n{earlier} earlier: `chargemesh bookings --before {short(shown[-1]['id'])}`."
    app.result(value, text)


@click.group("booking", cls=Group)
def booking() -> None:
    """One booking. ID is the beginning of its id, six signs or more, or `last` for the newest."""


for _other_terms in (counter, change, extend):
    booking.add_command(_other_terms)


booking.add_command(save)


@booking.command("show")
@click.argument("booking_id", metavar="ID")
@pass_app
def show(app: App, booking_id: str) -> None:
    """What happened, what comes next and by when, and the address once it was sent."""
    value = app.api().get(f"bookings/{segment(booking_id)}")
    app.result(value, story(value))


@booking.command("accept")
@click.argument("booking_id", metavar="ID")
@click.option("--series", is_flag=True, help="A host takes the next of its weekly series as well.")
@click.option("--until", metavar="DATE", help="So long. [half a year]")
@click.option("--yes", is_flag=True, help="Take an offer without being asked.")
@pass_app
def accept(app: App, booking_id: str, series: bool, until: str | None, yes: bool) -> None:
    """Accept what waits for you: a request or change of a driver's, or an offer of a host's.

    With --series a host is not asked again about the same weekday and time, at most as long.
    """
    if until is not None and not series:
        raise click.UsageError("--until goes with --series.")
    api, path = app.api(), f"bookings/{segment(booking_id)}"
    view = api.get(path)
    if view["role"] == "host":
        _accept_as_host(app, booking_id, view, series=series, until=until)
        return
    if view["offer"] and view["offer"]["stands"]:
        app.note(paragraph(offer_sentence(view["offer"], "The host offers")))
        prompts.require_yes(app, "Take it?", yes=yes)
    shown = {"offer": view["offer"]["offer"]} if view["offer"] else None
    _act(app, booking_id, "accept", shown, "Taken.")


@booking.command("decline")
@click.argument("booking_id", metavar="ID")
@click.option("--series", is_flag=True, help="A host takes no more of its weekly series unasked.")
@pass_app
def decline(app: App, booking_id: str, series: bool) -> None:
    """Decline what waits for you; as a driver, let an offer pass.

    With --series a host declines all that waits of it, and is asked about the next. What was accepted stands.
    """
    body = {"series": True} if series else None
    _act(app, booking_id, "decline", body, "Declined, for the whole series." if series else "Declined.")


@booking.command("cancel")
@click.argument("booking_id", metavar="ID")
@click.option("--reason", metavar="NAME", help=f"One of {', '.join(_REASONS)}; SAFETY is always free.")
@click.option("--block", is_flag=True, help="Deal with them no more; they are not told.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@pass_app
def cancel(app: App, booking_id: str, reason: str | None, block: bool, yes: bool) -> None:
    """Cancel a booking, from either side; says first what it costs."""
    body: dict[str, Any] = {"reason": choice(reason, _REASONS, "reason")} if reason else {}
    api = app.api()
    path = f"bookings/{segment(booking_id)}"
    if not yes:
        view = api.get(path)
        costs = view["cancelling_costs"]
        app.note(paragraph(_cost_sentence(view, reason)))
        if view["role"] == "driver" and costs is not None:
            body["at_most_micro"] = costs["micro"]
    prompts.require_yes(app, "Cancel it?", yes=yes)
    api.post(f"{path}/cancel", body)
    if block:
        block_peer(api, booking_id, "")
    view = api.get(path)
    app.result(view, paragraph(" ".join(view["so_far"][1:])))


@booking.command("message")
@click.argument("booking_id", metavar="ID")
@click.argument("text")
@pass_app
def message(app: App, booking_id: str, text: str) -> None:
    """Write to the other side; only the two of you can read it."""
    body = {"text": free_text(MAX_NOTE_CHARS, 1)(text)}
    value = app.api().post(f"bookings/{segment(booking_id)}/message", body)
    app.result(value, "Sent: it arrives when the other node is there.")


@booking.command("problem")
@click.argument("booking_id", metavar="ID")
@click.argument("problem_kind", metavar="KIND")
@click.argument("text", required=False, default="")
@pass_app
def problem(app: App, booking_id: str, problem_kind: str, text: str) -> None:
    """Report what is wrong at the plug. KIND: BLOCKED, NO_POWER, WONT_START or OTHER.

    A host says so of its own charger: the driver may then leave for nothing, and is owed what the terms say.
    """
    kind = choice(problem_kind, _PROBLEMS, "kind of problem")
    body = {"problem": kind, "text": free_text(MAX_NOTE_CHARS)(text)}
    api, path = app.api(), f"bookings/{segment(booking_id)}"
    if api.get(path)["role"] == "host":
        value = api.post(f"{path}/fault", body)
        _tell_next(app, booking_id, value, "Said: the driver may leave for nothing.")
        return
    value = api.post(f"{path}/problem", body)
    _tell_next(app, booking_id, value, _reported(value, kind))


def _accept_as_host(app: App, booking_id: str, view: Any, *, series: bool, until: str | None) -> None:
    if not series:
        _act(app, booking_id, "accept", None, "Accepted.")
        return
    body: dict[str, Any] = {"series": True}
    if until is not None:
        body["until"] = parse_instant(f"{until.strip()} 23:59", view["zone"], 0)
    _act(app, booking_id, "accept", body, "Accepted, and the next of its series.")


def _cost_sentence(view: Any, reason: str | None) -> str:
    """What cancelling costs now; a host is told what is due instead."""
    costs = view["cancelling_costs"]
    if view["role"] == "host" or costs is None:
        return " ".join(view["next_steps"])
    if reason and reason.strip().upper() == "SAFETY":
        return "Cancelling for safety costs you nothing."
    price = f"costs you {costs['text']}" if costs["micro"] else "costs you nothing"
    return f"Cancelling now {price}."


def _reported(view: Any, kind: str) -> str:
    """What follows from a problem: an OTHER one frees nobody, and what is over is not cancelled any more."""
    costs = view["cancelling_costs"]
    if costs is not None and costs["micro"] == 0 and kind != "OTHER":
        return "Reported: cancelling costs you nothing now."
    if view["receipt"] and view["settlement"] != "PAID":
        return "Reported: you dispute the receipt."
    return "Reported: the host is told."


def _act(app: App, booking_id: str, what: str, body: Any, text: str) -> None:
    _tell_next(app, booking_id, app.api().post(f"bookings/{segment(booking_id)}/{what}", body), text)


def _tell_next(app: App, booking_id: str, value: Any, text: str) -> None:
    app.result(value, f"{text} `chargemesh booking show {short(booking_id)}` tells what comes next.")
