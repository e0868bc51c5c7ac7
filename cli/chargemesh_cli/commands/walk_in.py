"""`chargemesh walk-in`: book the charger before which one stands, by the code at it."""

from __future__ import annotations

import click

from chargemesh_protocol.units import parse_instant
from chargemesh_protocol.zones import parse_zone

from .. import prompts
from ..app import App, pass_app
from ..client import segment
from ..lazy import command
from ..local_zone import local_zone
from .book import PLUG, VEHICLE, energy_of, sentences, tell, wait_for_answer, wait_of

_DEFAULT_FOR = "2h"


@command("walk-in")
@click.argument("link")
@click.option("--for", "for_", metavar="DURATION", help=f"For how long from now on. [{_DEFAULT_FOR}]")
@click.option("--until", metavar="T", help='Until when instead: "20:30".')
@click.option("--zone", metavar="ZONE", help="IANA time zone of --until. [this machine's]")
@click.option("--energy", metavar="ENERGY", help="How much your car takes; else what fits the time.")
@VEHICLE
@PLUG
@click.option("--yes", is_flag=True, help="Take the price without being asked.")
@pass_app
def walk_in(
    app: App,
    link: str,
    for_: str | None,
    until: str | None,
    zone: str | None,
    energy: str | None,
    vehicle: str | None,
    plug: str | None,
    yes: bool,
) -> None:
    """Book the charger that you stand at, from now on.

    LINK: what the code at it says, from chargemesh:walk-in/ on. Shows the price first.
    """
    from chargemesh_node import offline

    if for_ is not None and until is not None:
        raise click.UsageError("--for and --until both say how long: give one of them.")
    now = offline.now()
    name = parse_zone(zone) if zone else local_zone()
    end = parse_instant(until or f"in {for_ or _DEFAULT_FOR}", name, now)
    if not yes and not app.interactive:
        raise click.UsageError("Nobody is at a terminal to agree to the price: add --yes.")
    api = app.api()
    offer = api.post("walk-in", {"link": link, "end": end, "energy_wh": energy_of(energy)})
    app.note(sentences(offer))
    prompts.require_yes(app, "Book it?", yes=yes)
    booking = api.post("bookings", wait_of(offer, None, vehicle, plug))
    booking = wait_for_answer(app, api, f"bookings/{segment(booking['id'])}", booking)
    tell(app, booking, waited=True)
