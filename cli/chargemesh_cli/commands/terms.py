"""`booking counter`, `change` and `extend`: other terms for a booking, from either side."""

from __future__ import annotations

from typing import Any

import click

from chargemesh_protocol.limits import MAX_NOTE_CHARS
from chargemesh_protocol.units import (
    format_duration,
    format_energy,
    parse_duration,
    parse_energy,
    parse_instant,
)

from .. import prompts
from ..app import App, pass_app
from ..booking_text import offer_sentence, terms_line
from ..client import Api, segment
from ..lazy import command
from ..readers import free_text
from ..render import paragraph, short

_LONG_POLL_SECONDS = 20
_MOST_WH = 1_000_000
_MINUTE_MS = 60_000


@command("counter")
@click.argument("booking_id", metavar="ID")
@click.option("--start", metavar="T", help="When it would begin; alone, it keeps its duration.")
@click.option("--end", metavar="T", help="When it would end.")
@click.option("--energy", metavar="ENERGY", help="How much the car would take.")
@click.option("--note", metavar="TEXT", default="", help="What the driver reads beside it.")
@pass_app
def counter(
    app: App, booking_id: str, start: str | None, end: str | None, energy: str | None, note: str
) -> None:
    """Offer the driver other terms, instead of an answer or of what was agreed.

    It holds nothing; the driver accepts it or lets it pass.
    """
    if start is None and end is None and energy is None:
        raise click.UsageError("Missing --start, --end or --energy: what would be different?")
    api, path = app.api(), f"bookings/{segment(booking_id)}"
    body = _wanted(api.get(path), start, end, energy)
    body["text"] = free_text(MAX_NOTE_CHARS)(note)
    view = api.post(f"{path}/offer", body)
    app.result(view, paragraph(f"Offered. {offer_sentence(view['offer'], 'You offer')}"))


@command("change")
@click.argument("booking_id", metavar="ID")
@click.option("--start", metavar="T", help="When it begins; alone, it keeps its duration.")
@click.option("--end", metavar="T", help="When it ends.")
@click.option("--energy", metavar="ENERGY", help="How much your car takes.")
@click.option("--yes", is_flag=True, help="Ask for it without being asked.")
@pass_app
def change(
    app: App, booking_id: str, start: str | None, end: str | None, energy: str | None, yes: bool
) -> None:
    """Ask the host for another time or energy: shows both prices, asks, and waits for the answer."""
    if start is None and end is None and energy is None:
        raise click.UsageError("Missing --start, --end or --energy: what is to be different?")
    api, path = app.api(), f"bookings/{segment(booking_id)}"
    _ask(app, api, path, _wanted(api.get(path), start, end, energy), yes=yes)


@command("extend")
@click.argument("booking_id", metavar="ID")
@click.option("--until", metavar="T", help="The new end.")
@click.option("--by", metavar="DURATION", help="How much longer: 30m, 1h.")
@click.option("--yes", is_flag=True, help="Ask for it without being asked.")
@pass_app
def extend(app: App, booking_id: str, until: str | None, by: str | None, yes: bool) -> None:
    """Stay longer, also while charging: shows both prices, asks, and waits for the answer.

    Where somebody is next, the latest end that can be had is named instead.
    """
    if (until is None) == (by is None):
        raise click.UsageError("Give --until T or --by DURATION: how much longer?")
    api, path = app.api(), f"bookings/{segment(booking_id)}"
    view = api.get(path)
    end = view["end"]["ms"]
    later = parse_instant(until, view["zone"], end) if until else end + parse_duration(by or "")
    _ask(app, api, path, {"end": later - later % _MINUTE_MS}, yes=yes)


def _wanted(view: Any, start: str | None, end: str | None, energy: str | None) -> dict[str, Any]:
    """What is to be different, as the API takes it; times by the charger's clocks."""
    from chargemesh_node import offline

    body: dict[str, Any] = {}
    begins = view["start"]["ms"]
    if start is not None:
        begins = parse_instant(start, view["zone"], offline.now())
        body["start"] = begins - begins % _MINUTE_MS
    if end is not None:
        ends = parse_instant(end, view["zone"], begins)
        body["end"] = ends - ends % _MINUTE_MS
    if energy is not None:
        body["energy_wh"] = min(parse_energy(energy), _MOST_WH)
    return body


def _ask(app: App, api: Api, path: str, wanted: dict[str, Any], *, yes: bool) -> None:
    if not yes and not app.interactive:
        raise click.UsageError("Nobody is at a terminal to agree to the price: add --yes.")
    found = api.post(f"{path}/terms", wanted)
    app.note(_sentences(found))
    prompts.require_yes(app, "Ask the host for it?", yes=yes)
    view = api.post(f"{path}/change", {"quote": found["quote"]})
    view = api.get(path, wait_until="answered", timeout_s=_LONG_POLL_SECONDS)
    _tell(app, view, found)


def _sentences(found: Any) -> str:
    """Both prices, and what follows from it, as a person agrees to it."""
    parts = [f"Now:  {terms_line(found['now'])}.", f"Then: {terms_line(found['terms'])}."]
    if found["cut"]:
        parts.insert(0, f"Not until {found['asked_end']['text']}: this is the latest end that can be had.")
    parts.append(found["prices"])
    if found["leaving_costs"]["micro"] and found["now"]["start"] != found["terms"]["start"]:
        parts.append(f"Cancelling will cost at least the {found['leaving_costs']['text']} that it costs now.")
    left = found["expires_in_s"] * 1000
    parts.append(f"This price holds for {format_duration(left - left % 1000)}.")
    return "\n".join(paragraph(part) for part in parts)


def _tell(app: App, view: Any, found: Any) -> None:
    """What came of it; a refusal leaves the booking as it was, which is no failure of the command."""
    named = short(view["id"])
    if not view["waited"]["reached"]:
        said = f"Asked. `chargemesh booking show {named}` tells what the host answers."
    elif (view["start"], view["end"]) == (found["terms"]["start"], found["terms"]["end"]):
        energy = format_energy(view["agreed"]["energy_wh"])
        said = f"Agreed: {view['start']['text']} to {view['end']['text']}, {energy}."
    else:
        said = " ".join(view["so_far"][1:])
    app.result(view, paragraph(said))
