"""`chargemesh charge`: at the charger. Start, stop, and watch the meter with both signatures."""

from __future__ import annotations

import sys
from typing import Any

import click

from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.money import parse_amount
from chargemesh_protocol.units import format_energy, parse_energy

from .. import prompts
from ..app import App, pass_app
from ..booking_text import meter_line, state_word
from ..client import Api, segment
from ..following import follow
from ..lazy import Group
from ..render import display_width, paragraph, short


@click.group("charge", cls=Group)
def charge() -> None:
    """At the charger. BOOKING is the beginning of a booking's id, six signs or more, or `last`."""


@charge.command("start")
@click.argument("booking_id", metavar="BOOKING")
@click.option(
    "--energy", metavar="ENERGY", help="Sign for so much at most; by default what the quote allows."
)
@click.option(
    "--max-cost", metavar="AMOUNT", help="Sign for so much money at most; by default the quote's cap."
)
@click.option("--watch", "watching", is_flag=True, help="Watch the meter afterwards, as `charge watch`.")
@pass_app
def start(app: App, booking_id: str, energy: str | None, max_cost: str | None, watching: bool) -> None:
    """Check in: signs what you pay for without signing again, and has the wallbox started."""
    body: dict[str, Any] = {}
    if energy:
        body["energy_wh"] = parse_energy(energy)
    api = app.api()
    path = f"bookings/{segment(booking_id)}"
    if max_cost:
        body["cost_micro"] = parse_amount(max_cost, api.get(path)["cost"]["currency"])
    value = api.post(f"{path}/start", body)
    if not watching:
        app.result(
            value, f"Checked in: plug in. `chargemesh charge watch {short(booking_id)}` shows the meter."
        )
        return
    _watch(app, api, path)


@charge.command("stop")
@click.argument("booking_id", metavar="BOOKING")
@pass_app
def stop(app: App, booking_id: str) -> None:
    """Stop charging."""
    value = app.api().post(f"bookings/{segment(booking_id)}/stop")
    if value["session"] == "PENDING":
        again = f"`chargemesh charge start {short(booking_id)}` checks in again."
        app.result(value, f"Stopped, as far as this node knows before it began. {again}")
        return
    app.result(
        value, f"Stopping. `chargemesh receipt {short(booking_id)}` shows the receipt when it is there."
    )


@charge.command("confirm")
@click.argument("booking_id", metavar="BOOKING")
@click.option("--reading", metavar="KWH", help="What you read; signed only if the host read the same.")
@click.option("--yes", is_flag=True, help="Don't ask: what the host read is right.")
@pass_app
def confirm(app: App, booking_id: str, reading: str | None, yes: bool) -> None:
    """At a charger whose meter people read: sign for what the host read there.

    Readings are the same if they are less than 0.1 kWh apart.
    """
    api = app.api()
    path = f"bookings/{segment(booking_id)}"
    waiting = api.get(path)["reading"]
    if waiting is None:
        hint = f"`chargemesh booking show {short(booking_id)}` tells what comes next."
        raise PersonError("no-reading", "No reading of the host's waits for you here.", hint)
    body: dict[str, Any] = {"ticket": waiting["ticket"]}
    app.say(paragraph(_reading_line(waiting)))
    if reading is None:
        prompts.require_yes(app, "Do you read the same on the meter?", yes=yes)
    else:
        unit = "" if reading.strip()[-1:].isalpha() else "kWh"
        body["register_wh"] = parse_energy(f"{reading}{unit}")
    value = api.post(f"{path}/reading", body)
    app.result(value, "Signed by both of you now.")


def _reading_line(waiting: Any) -> str:
    """ "At 2027-01-15 09:30 the host read 102 kWh: 2 kWh for 0.70 EUR since 100 kWh, where it began"."""
    read, begun = format_energy(waiting["register_wh"]), format_energy(waiting["from_wh"])
    so_far = f"{format_energy(waiting['energy_wh'])} for {waiting['cost']['text']}"
    return f"At {waiting['at']['text']} the host read {read}: {so_far} since {begun}, where it began."


@charge.command("watch")
@click.argument("booking_id", metavar="BOOKING")
@pass_app
def watch(app: App, booking_id: str) -> None:
    """Energy, power and cost as the meter counts, and how far both have signed; ends with the receipt.

    Ctrl-C stops watching, not charging. With --json: one JSON object a line, for each change.
    """
    _watch(app, app.api(), f"bookings/{segment(booking_id)}")


def _watch(app: App, api: Api, path: str) -> None:
    live = _Line(sys.stdout.isatty() and not app.json)
    last: Any = None
    try:
        for view in follow(api, path):
            if app.json:
                told = {
                    name: view[name]
                    for name in ("id", "reservation", "session", "settlement", "energy_wh", "meter")
                }
                if told != last:
                    app.line(told)
                last = told
            else:
                live.show(f"{state_word(view)}: {meter_line(view)}" if view["meter"] else meter_line(view))
            if view["receipt"] or view["session"] == "INVALID" or view["finished"]:
                break
    except KeyboardInterrupt:
        live.end()
        app.note("Not watching any more; the charge goes on.")
        return
    live.end()
    if not app.json:
        app.say(paragraph(" ".join(view["next_steps"])))


class _Line:
    """One line that is written over on a terminal; elsewhere a line for each change."""

    def __init__(self, over: bool) -> None:
        self._over = over
        self._last = ""

    def show(self, text: str) -> None:
        if text == self._last:
            return
        if self._over:
            blank = " " * max(0, display_width(self._last) - display_width(text))
            click.echo(f"\r{text}{blank}", nl=False)
        else:
            click.echo(text)
        sys.stdout.flush()
        self._last = text

    def end(self) -> None:
        if self._over and self._last:
            click.echo()
