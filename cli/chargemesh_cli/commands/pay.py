"""`chargemesh pay` and `chargemesh receipt`: the money goes from driver to host directly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .. import prompts
from ..app import App, pass_app
from ..booking_text import until
from ..client import segment
from ..files import write_file, write_private
from ..lazy import Command, Group, command
from ..render import clean, paragraph, short

_SETTLED = {
    "OPEN": "Not paid yet: it is to be paid{to}.",
    "CLAIMED": "The driver says that it is paid{to}; the host has not confirmed it yet.",
    "PAID": "It is paid{to}.",
    "DISPUTED": "The driver disputes it; it would be paid{to}.",
}


class _PayGroup(Group):
    """`pay BOOKING` pays; `pay confirm BOOKING` is the host's word that the money is there."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            return "booking", self.commands["booking"], args
        return super().resolve_command(ctx, args)


@click.group(
    "pay",
    cls=_PayGroup,
    no_args_is_help=True,
    subcommand_metavar="BOOKING | confirm BOOKING",
    # An option before BOOKING belongs to it, not to the group.
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def pay() -> None:
    """Pay a receipt (`pay BOOKING`), or say that the money is there (`pay confirm BOOKING`).

    No money passes through chargemesh: it shows a code for your banking app, or says what to hand over.
    `pay BOOKING --help` lists the options (--png, --svg, --rail, --paid).
    """


@pay.command("booking", cls=Command, hidden=True)
@click.argument("booking_id", metavar="BOOKING")
@click.option("--png", type=click.Path(path_type=Path), help="Write the QR code to this file.")
@click.option("--svg", type=click.Path(path_type=Path), help="Likewise, as SVG.")
@click.option(
    "--rail",
    metavar="NAME",
    help="How: sepa-qr, manual or an installed one; by default what the host can take.",
)
@click.option("--paid", is_flag=True, help="Say that you have paid, without being asked.")
@pass_app
def pay_booking(
    app: App, booking_id: str, png: Path | None, svg: Path | None, rail: str | None, paid: bool
) -> None:
    """Show how to pay a booking's receipt, and tell the host once you have."""
    api = app.api()
    path = f"bookings/{segment(booking_id)}"
    value = api.get(f"{path}/payment", rail=rail)
    app.say(paragraph(value["text"]))
    for file, ending in ((png, "png"), (svg, "svg")):
        if file is not None:
            write_file(file, api.download(f"{path}/payment.{ending}"))
            app.say(f"The QR code is in {file}.")
    if value.get("qr_terminal") and not app.json and png is None and svg is None:
        app.say(value["qr_terminal"])
    if value["settlement"] in ("CLAIMED", "PAID"):
        app.result(value, "The host knows of your payment already.")
        return
    if paid or (app.interactive and prompts.confirm("Have you paid?")):
        api.post(f"{path}/claim", {"rail": value["rail"], "reference": value["reference"]})
        value = api.get(f"{path}/payment", rail=rail)
        app.say("The host is told, and confirms once the money is there.")
    elif not app.interactive:
        app.say("Once you have paid, `chargemesh pay BOOKING --paid` tells the host.")
    app.result(value)


@pay.command("confirm")
@click.argument("booking_id", metavar="BOOKING")
@click.option("--yes", is_flag=True, help="Don't ask.")
@pass_app
def confirm(app: App, booking_id: str, yes: bool) -> None:
    """The host's word that the money is there: a signed proof of payment for the driver."""
    api = app.api()
    path = f"bookings/{segment(booking_id)}"
    if not yes and app.interactive:
        view = api.get(path)
        total = view["receipt"]["total"]["text"] if view.get("receipt") else view["cost"]["text"]
        prompts.require_yes(app, f"Have you received {total}?", yes=False)
    value = api.post(f"{path}/confirm")
    app.result(value, "Confirmed: the driver gets a signed proof of payment.")


@command("receipt")
@click.argument("booking_id", metavar="BOOKING")
@click.option(
    "--records", type=click.Path(path_type=Path), help="Also write the booking's signed records there."
)
@click.option("--agree", is_flag=True, help="Sign it although your node does not by itself.")
@click.option("--yes", is_flag=True, help="With --agree: don't ask.")
@pass_app
def receipt(app: App, booking_id: str, records: Path | None, agree: bool, yes: bool) -> None:
    """The receipt of a booking: every line, who signed it, and whether it is paid.

    A driver's node signs it by itself if it is as was agreed; else it says what differs, and --agree signs
    all the same. `chargemesh record verify FILE` checks what --records wrote, on any machine.
    """
    api = app.api()
    path = f"bookings/{segment(booking_id)}"
    value = api.get(f"{path}/receipt")
    signed_before = value["signed_by_driver"]
    if agree:
        value = _agreed(app, path, value, yes)
    if records is not None:
        write_private(records, json.dumps(api.get(f"{path}/records"), indent=1).encode())
    text = _receipt_text(value)
    if agree and not signed_before:
        text += "\nYou have agreed: your signature is on its way to the host."
    elif value["differences"] and not value["signed_by_driver"]:
        unread = any(one.startswith("reading:") for one in value["differences"])
        if unread:
            text += f"\n`chargemesh charge confirm {short(booking_id)}` says that you have read the same."
        text += f"\n`chargemesh receipt {short(booking_id)} --agree` agrees with it all the same."
    if records is not None:
        text += (
            f"\nThe signed records are in {records} (0600): `chargemesh record verify {records}` checks them."
        )
    app.result(value, text)


def _agreed(app: App, path: str, value: Any, yes: bool) -> Any:
    """The receipt once its driver has agreed with it, after seeing what speaks against that."""
    app.say(_receipt_text(value))
    prompts.require_yes(app, f"Agree with {value['total']['text']}?", yes=yes)
    return app.api().post(f"{path}/agree", {"receipt": value["receipt"]})["receipt"]


def _receipt_text(value: Any) -> str:
    signed = value["signed_by_driver"]
    lines = [
        f"{value['started']['text']} to {until(value['started']['text'], value['ended']['text'])}",
        *value["text"],
    ]
    if value["beyond_authorisation_wh"]:
        lines.append(
            f"{value['beyond_authorisation_wh']} Wh of it were not signed for: a claim of the host's."
        )
    lines.append(
        f"Signed by the host {value['signed_by_host']['text']}, "
        f"by the driver {signed['text'] if signed else 'not yet'}."
    )
    against = "You agreed, although" if signed else "Your node does not agree by itself"
    lines += [f"{against}: {one}." for one in value["differences"]]
    to = f" to {clean(value['payee_name'])}" if value["payee_name"] else ""
    account = f" ({clean(value['payee_account'])})" if value["payee_account"] else ""
    lines.append(_SETTLED.get(value["settlement"], value["settlement"] + "{to}").format(to=f"{to}{account}"))
    return "\n".join(lines)
