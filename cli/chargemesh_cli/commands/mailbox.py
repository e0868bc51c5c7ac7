"""`chargemesh mailbox`: who holds what is sent to this node while it is away, and holding it for others."""

from __future__ import annotations

from typing import Any

import click

from ..app import App, pass_app
from ..lazy import Group
from ..render import paragraph
from ..signs import qr

_NONE = "No mailbox: while this node is away, others can leave nothing for it."


@click.group("mailbox", cls=Group)
def mailbox() -> None:
    """Where others leave what they can't tell your node now. The keeper of a mailbox can't read it."""


@mailbox.command("use")
@click.argument("links", nargs=-1, metavar="LINK…|none")
@click.option("--auto", is_flag=True, help="Let the node choose among the peers that it is connected to.")
@pass_app
def use(app: App, links: tuple[str, ...], auto: bool) -> None:
    """Name one mailbox or two in your listings and requests, or `none`.

    A LINK comes from `chargemesh mailbox link` of whoever keeps one. Its keeper sees when which addresses
    come for your node, and which of three sizes a parcel has.
    """
    if auto == bool(links):
        raise click.UsageError("Name a link, `none`, or --auto.")
    chosen = [] if links == ("none",) else list(links)
    value = app.api().post("mailbox", {"links": chosen, "auto": auto})
    app.result(value, _uses(value))


@mailbox.command("show")
@pass_app
def show(app: App) -> None:
    """Which mailboxes your node uses, and what it holds for others."""
    value = app.api().get("mailbox")
    lines = [_uses(value)]
    if value["keeps"]:
        kept = value["keeps"]
        lines.append(f"It keeps one for others: {kept['parcels']} parcels, {kept['bytes']} bytes.")
    app.result(value, "\n".join(lines))


@mailbox.command("link")
@click.option("--no-qr", is_flag=True, help="Only the link.")
@pass_app
def link(app: App, no_qr: bool) -> None:
    """The link to the mailbox that your node keeps for others (setting `mailbox.serve`)."""
    value = app.api().get("mailbox/link")
    app.result(value, value["link"] if no_qr else f"{qr(value['qr_terminal'])}\n{value['link']}")


def _uses(value: Any) -> str:
    if not value["uses"]:
        return paragraph(_NONE)
    chosen = "chosen by the node" if value["auto"] else "as you named it"
    lines = [f"While your node is away, parcels for it are held ({chosen}):"]
    for one in value["uses"]:
        answered = f"answered at {one['answered']['text']}" if one["answered"] else "not visited yet"
        lines.append(f"  {one['peer_id']}  {answered}")
    return "\n".join(lines)
