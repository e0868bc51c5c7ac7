"""`chargemesh calendar`: bookings in the calendar of a phone, and busy times from one's own."""

from __future__ import annotations

from typing import Any

import click

from ..app import App, pass_app
from ..calendar_text import busy_sentence
from ..client import segment
from ..lazy import Group
from ..render import paragraph

_THIS_MACHINE_ONLY = (
    "It works on this machine only. For a phone: `chargemesh config set phone.address 192.168.1.20:8080` "
    "with this machine's own LAN address, then restart the node."
)


@click.group("calendar", cls=Group)
def calendar() -> None:
    """Your bookings in another calendar, and that calendar's busy times here."""


@calendar.command("url")
@pass_app
def url(app: App) -> None:
    """The secret URL that a calendar subscribes to; whoever has it sees your bookings, and nothing else."""
    _show(app, app.api().post("calendar"))


@calendar.command("renew")
@pass_app
def renew(app: App) -> None:
    """Another secret URL: the old one shows nothing any more."""
    _show(app, app.api().post("calendar/renew"))


@calendar.command("off")
@pass_app
def off(app: App) -> None:
    """End the feed; every subscription to it fails from now on."""
    app.result(app.api().delete("calendar"), "No calendar can read your bookings any more.")


@calendar.command("refresh")
@click.argument("charger_id", metavar="ID", default="last")
@pass_app
def refresh(app: App, charger_id: str) -> None:
    """Read the calendar that a charger follows (--busy-from) now; else it is read every hour."""
    value = app.api().post(f"chargers/{segment(charger_id)}/busy")
    app.result(value, paragraph(busy_sentence(value["busy"])))


def _show(app: App, value: Any) -> None:
    more = "" if value["on_lan"] else f"\n{paragraph(_THIS_MACHINE_ONLY)}"
    app.result(value, f"{value['url']}{more}")
