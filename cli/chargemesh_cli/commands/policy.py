"""`chargemesh charger rules`, `charger members`, `charger qr`: who may book, and by which answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chargemesh_protocol.limits import MAX_TEXT_CHARS

from .. import prompts, times
from ..app import App, pass_app
from ..charger_fields import read_connector
from ..client import segment
from ..files import write_private
from ..lazy import Group, command
from ..policy_text import outlook_text, rules_text
from ..readers import free_text
from ..render import clean, paragraph, short
from ..tables import table

_MEANS = {
    "instantly": "Whoever reads it is accepted at once, from now on, for as long as a first booking may be.",
    "on request": "Whoever reads it waits for your answer.",
    "never": "By your settings it is good for nothing: `chargemesh charger edit ID --walk-in instantly`.",
}


@click.group("rules", cls=Group)
def rules() -> None:
    """Who may book a charger: your rules, read back, and what they would say to somebody."""


@rules.command("show")
@click.argument("charger_id", metavar="ID")
@pass_app
def show(app: App, charger_id: str) -> None:
    """The rules in sentences; the first that fits counts. `charger edit ID --rules` changes them."""
    view = app.api().get(f"chargers/{segment(charger_id)}")
    app.result({**view["who_may"], "policy": view["settings"]["policy"]}, rules_text(view))


@rules.command("explain")
@click.argument("charger_id", metavar="ID")
@click.argument("peer", required=False, metavar="[PEER]")
@times.options
@click.option("--stranger", is_flag=True, help="Somebody you have never heard of.")
@click.option("--walk-in", is_flag=True, help="Somebody who stands at the charger.")
@click.option("--vehicle", metavar="TEXT", help="They name their car.")
@click.option("--plug", metavar="PLUG", help="They name its inlet.")
@pass_app
def explain(
    app: App,
    /,
    charger_id: str,
    peer: str | None,
    stranger: bool,
    walk_in: bool,
    vehicle: str | None,
    plug: str | None,
    **given: Any,
) -> None:
    """What would come of a request for that time, and why. PEER: an identity, or a booking with them."""
    from chargemesh_node import offline

    if (peer is None) != stranger:
        raise click.UsageError("Name a PEER, or say --stranger.")
    span = times.read_span(given["from_"], given["for_"], given["to_"], given["zone"], offline.now())
    if span is None:
        raise click.UsageError("Missing --from T and --for DURATION: when?")
    body: dict[str, Any] = {"start": span.start, "end": span.end, "walk_in": walk_in}
    body |= {"peer": peer} if peer else {}
    body |= {"vehicle": vehicle} if vehicle else {}
    body |= {"plug": read_connector(plug)} if plug else {}
    value = app.api().post(f"chargers/{segment(charger_id)}/rules", body)
    app.result(value, outlook_text(value, short(peer) if peer else "A stranger"))


@click.group("members", cls=Group)
def members() -> None:
    """People whom you keep as members, for your rules. PEER: an identity, or a booking with them."""


@members.command("list")
@pass_app
def list_(app: App) -> None:
    """Everybody whom you keep as a member."""
    value = app.api().get("members")
    lines = [(short(one["author"]), clean(one["name"]), clean(one["group"])) for one in value["members"]]
    empty = "No members yet. `chargemesh charger members add PEER` adds one."
    app.result(value, table(("identity", "name", "group"), lines) if lines else empty)


@members.command("add")
@click.argument("peer", metavar="PEER")
@click.option("--name", metavar="TEXT", default="", help="What you call them.")
@click.option("--group", metavar="NAME", default="", help="A group of yours, such as family.")
@pass_app
def add(app: App, peer: str, name: str, group: str) -> None:
    """Add a member, or change name and group. Nobody is told."""
    body = {"peer": peer, "name": free_text(MAX_TEXT_CHARS)(name), "group": group.strip().lower()}
    value = app.api().post("members", body)
    app.result(value, f"A member now: {short(peer)}.")


@members.command("remove")
@click.argument("peer", metavar="PEER")
@pass_app
def remove(app: App, peer: str) -> None:
    """A member no more; bookings that stand are kept."""
    value = app.api().delete(f"members/{segment(peer)}")
    app.result(value, "A member no more.")


@command("qr")
@click.argument("charger_id", metavar="ID")
@click.option("--out", metavar="FILE", help="A sheet to print (.svg), or the code alone (.png).")
@click.option("--new", is_flag=True, help="A new code: the one before is good for nothing any more.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@pass_app
def qr(app: App, charger_id: str, out: str | None, new: bool, yes: bool) -> None:
    """The code at your charger, by which who stands there books from now on."""
    kind = "" if out is None else Path(out).suffix.lower()
    if kind not in ("", ".svg", ".png"):
        raise click.UsageError("--out names a file that ends with .svg or .png.")
    if new:
        prompts.require_yes(app, "Make a new code? The printed one ends with that.", yes=yes)
    api = app.api()
    path = f"chargers/{segment(charger_id)}/code"
    value = api.post(path, {"new": new} if new else None)
    if out is not None:
        write_private(Path(out), api.download(f"{path}{kind}"))
    shown = value["qr_terminal"] if out is None else f"Written to {out}."
    app.result(
        {name: part for name, part in value.items() if name != "qr_terminal"},
        f"{shown}\n{paragraph(' '.join(_notes(value)))}\n{value['link']}",
    )


def _notes(value: Any) -> list[str]:
    notes = [_MEANS[value["answer"]], "Keep it at the charger: who has it can book from elsewhere, too."]
    if value["lead_minutes"]:
        notes.append("Your charger wants to be booked ahead (--lead), which keeps walk-ins away.")
    return notes
