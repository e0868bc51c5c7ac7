"""`book … --weekly`: what it takes, and beginning a series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from chargemesh_protocol.money import parse_amount
from chargemesh_protocol.units import parse_weekday

from . import prompts
from .app import App
from .client import Api, segment
from .render import clean, paragraph, short


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--weekly, --days, --until, --count and --at-most."""
    for option in (
        click.option("--at-most", metavar="AMOUNT", help="What one date may cost. [the most the first can]"),
        click.option("--count", type=click.IntRange(1, 1000), metavar="N", help="How many dates."),
        click.option("--until", metavar="DATE", help="The last date, as 2027-03-04."),
        click.option("--days", metavar="DAYS", help="Further days of the week: mon,thu."),
        click.option("--weekly", is_flag=True, help="The same time of every week."),
    ):
        command = option(command)
    return command


def read(given: dict[str, Any]) -> dict[str, Any] | None:
    """What is to be repeated, for the API and as typed; None without --weekly. Takes its flags out of
    `given`."""
    names = ("days", "until", "count", "at_most")
    weekly, typed = given.pop("weekly"), {name: given.pop(name) for name in names}
    named = [f"--{name.replace('_', '-')}" for name, value in typed.items() if value is not None]
    if not weekly:
        if named:
            raise click.UsageError(f"{named[0]} goes with --weekly.")
        return None
    if typed["until"] is not None and typed["count"] is not None:
        raise click.UsageError("--until and --count both end it: give one of them.")
    return typed


def begin(app: App, api: Api, offer: Any, body: Any, repeats: dict[str, Any], *, yes: bool) -> Any:
    """Asks, begins the series, and returns the booking of the first date."""
    cap = offer["cap"]
    more: dict[str, Any] = {name: repeats[name] for name in ("until", "count") if repeats[name]}
    if repeats["days"]:
        more["weekdays"] = sorted({parse_weekday(one) for one in repeats["days"].split(",")})
    at_most = cap["text"]
    if repeats["at_most"]:
        more["at_most_micro"] = parse_amount(repeats["at_most"], cap["currency"])
        at_most = repeats["at_most"]
    end = f"until {repeats['until']}" if repeats["until"] else "until you end it"
    if repeats["count"]:
        end = "once" if repeats["count"] == 1 else f"{repeats['count']} times"
    app.note(
        paragraph(
            f"Repeated every week, {end}: your node books each date that costs at most {at_most} on these "
            "conditions, and asks you about anything else."
        )
    )
    prompts.require_yes(app, "Book them?", yes=yes)
    series = api.post("series", body | more)
    app.note(
        paragraph(
            f"{clean(series['says'])}: series {short(series['id'])}. `chargemesh series show "
            f"{short(series['id'])}` tells what becomes of it."
        )
    )
    return api.get(f"bookings/{segment(series['booking'])}")
