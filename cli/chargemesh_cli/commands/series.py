"""`chargemesh series`: the same time every week; `book … --weekly` begins one."""

from __future__ import annotations

from typing import Any

import click

from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.money import parse_amount
from chargemesh_protocol.units import parse_instant

from .. import prompts
from ..app import App, pass_app
from ..client import Api, segment
from ..lazy import Group
from ..render import paragraph
from ..series_text import question, series_cells, series_story
from ..tables import table

_NOON_MS = 12 * 3600 * 1000


@click.group("series", cls=Group)
def series() -> None:
    """Weekly bookings. ID is the beginning of a series' id, or `last` for the only one."""


@series.command("list")
@pass_app
def list_(app: App) -> None:
    """All of them, and what comes next in each."""
    value = app.api().get("series")
    rows = [series_cells(one) for one in value["series"]]
    nothing = "No weekly series: `chargemesh book … --weekly` begins one."
    app.result(value, table(("id", "what", "at most", "next"), rows) if rows else nothing)


@series.command("show")
@click.argument("series_id", metavar="ID")
@pass_app
def show(app: App, series_id: str) -> None:
    """What is agreed, and what becomes of each date."""
    value = app.api().get(f"series/{segment(series_id)}")
    app.result(value, series_story(value))


@series.command("skip")
@click.argument("series_id", metavar="ID")
@click.argument("date")
@click.option("--undo", is_flag=True, help="Don't skip it after all.")
@click.option("--yes", is_flag=True, help="Don't ask before a booking is cancelled.")
@pass_app
def skip(app: App, series_id: str, date: str, undo: bool, yes: bool) -> None:
    """Leave one date out; the others go on. DATE: 2027-03-04. Cancels its booking if there is one."""
    api, path = app.api(), f"series/{segment(series_id)}"
    if not undo:
        _cancel_booked(app, api, api.get(path), date.strip(), yes=yes)
    value = api.post(f"{path}/skip", {"date": date.strip(), "skipped": not undo})
    app.result(value, "It takes place again." if undo else "Skipped. The series goes on.")


@series.command("move")
@click.argument("series_id", metavar="ID")
@click.argument("date")
@click.option("--start", required=True, metavar="T", help="When that date begins: 19:00, or with a date.")
@click.option("--end", required=True, metavar="T", help="When it ends.")
@pass_app
def move(app: App, series_id: str, date: str, start: str, end: str) -> None:
    """Have one date at other times, by the charger's clocks. DATE: 2027-03-04."""
    api, path = app.api(), f"series/{segment(series_id)}"
    zone = api.get(path)["zone"]
    day = date.strip()
    begins = _on(day, start, zone)
    ends = parse_instant(end, zone, begins)
    value = api.post(f"{path}/move", {"date": day, "start": begins, "end": ends})
    app.result(value, "Moved. It is asked for like the others.")


@series.command("price")
@click.argument("series_id", metavar="ID")
@click.argument("amount", required=False)
@click.option("--yes", is_flag=True, help="Don't ask.")
@pass_app
def price(app: App, series_id: str, amount: str | None, yes: bool) -> None:
    """Agree to what one date may cost from now on: AMOUNT, or what the host asks by now."""
    api, path = app.api(), f"series/{segment(series_id)}"
    view = api.get(path)
    asked = view["asked"]
    if asked:
        app.note(paragraph(question(view)))
    if amount is not None:
        micro = parse_amount(amount, view["at_most"]["currency"])
    elif asked:
        prompts.require_yes(app, "Agree?", yes=yes)
        micro = asked["cap"]["micro"]
    else:
        raise PersonError(
            "nothing-asked",
            f"The host asks nothing else: at most {view['at_most']['text']} each.",
            "Name an amount to allow another one.",
        )
    value = api.post(f"{path}/price", {"at_most_micro": micro})
    app.result(value, f"Agreed: at most {value['at_most']['text']} each from now on.")


@series.command("end")
@click.argument("series_id", metavar="ID")
@pass_app
def end(app: App, series_id: str) -> None:
    """Book nothing more of it. What is booked stays: `booking cancel` takes that back."""
    value = app.api().post(f"series/{segment(series_id)}/end")
    booked = sum(one["state"] in ("BOOKED", "ASKED") for one in value["dates"])
    stays = f" {booked} of its dates {'is' if booked == 1 else 'are'} booked or asked for, and stay so."
    app.result(value, "Ended." + (stays if booked else ""))


def _cancel_booked(app: App, api: Api, view: Any, date: str, *, yes: bool) -> None:
    """Cancels the booking of that date, for what its person is told that it costs."""
    found = next((one for one in view["dates"] if one["date"] == date), None)
    if found is None or found["state"] not in ("BOOKED", "ASKED"):
        return
    path = f"bookings/{segment(found['booking'])}"
    costs = api.get(path)["cancelling_costs"]
    if costs is None:
        return  # it is over, or going on: the node says so
    price = f"costs you {costs['text']}" if costs["micro"] else "costs you nothing"
    app.note(f"That date is booked. Cancelling it now {price}.")
    prompts.require_yes(app, "Cancel it?", yes=yes)
    api.post(f"{path}/cancel", {"at_most_micro": costs["micro"]})


def _on(date: str, text: str, zone: str) -> int:
    """A time that was typed: alone it is of that date, else what it says."""
    alone = ":" in text and len(text.strip()) <= len("18:00")
    return parse_instant(f"{date} {text.strip()}" if alone else text, zone, 0)
