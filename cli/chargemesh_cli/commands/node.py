"""The node as a whole: stop, status, doctor, id, peers, invite, join, logs."""

from __future__ import annotations

import os
import time
from collections import deque

import click

from chargemesh_protocol.errors import ExitCode, PersonError

from ..app import App, pass_app
from ..client import NodeAway
from ..lazy import command
from ..render import facts, paragraph, words
from ..signs import qr
from ..status_text import story
from ..tables import table

_STOP_SECONDS = 20.0
_MARKS = {True: "  ok", None: "note", False: "  NO"}
_BELOW_MARK = " " * 6


@command("stop")
@pass_app
def stop(app: App) -> None:
    """Stop the node and wait until it has."""
    from chargemesh_node import offline

    from ..background import reach

    home = app.home
    pid = offline.running(home)
    reach(home, may_start=False, say=app.note).post("stop")
    deadline = time.monotonic() + _STOP_SECONDS
    while offline.running(home) is not None:
        if time.monotonic() > deadline:
            raise PersonError(
                "slow-stop",
                f"The node (process {pid}) is still stopping.",
                "Wait a little; `chargemesh logs` says what it is busy with.",
                ExitCode.TIMED_OUT,
            )
        time.sleep(0.05)
    app.result({"stopped": True, "pid": pid}, "The node has stopped.")


@command("status")
@click.option("--limits", is_flag=True, help="Only the bounds on what strangers can send.")
@pass_app
def status(app: App, limits: bool) -> None:
    """What the node is doing, and what it is connected to."""
    value = app.api().get("status")
    app.result(value, facts(value["limits"]) if limits else story(value))


@command("id")
@pass_app
def identity(app: App) -> None:
    """Who this node is: its identity, and the address of its network part."""
    value = app.api().get("id")
    shown = {name: one for name, one in value.items() if name != "addresses"}
    whole = [f"{one}/p2p/{value['peer_id']}" for one in value["addresses"]]
    text = facts(shown)
    if whole:
        told = "\n  ".join(whole)
        text += f"\n\nIt answers at (for `peers --add` on another machine):\n  {told}"
    app.result(value, text)


@command("doctor")
@pass_app
def doctor(app: App) -> None:
    """Check what commonly goes wrong, and say plainly who can see what.

    With no node running it checks files, clock and ports, and ends with exit code 4.
    """
    from chargemesh_node import offline

    from ..background import reach

    away = False
    try:
        value = reach(app.home, may_start=False, say=app.note).get("doctor")
    except NodeAway as why:
        away = True
        checks = offline.doctor(app.home, os.environ)
        checks.append({"name": "node", "ok": False, "text": why.message, "hint": why.hint})
        value = {"healthy": False, "checks": checks}
    lines = []
    for check in value["checks"]:
        lines.append(paragraph(check["text"], f"{_MARKS[check['ok']]}  ", _BELOW_MARK))
        if check["hint"]:
            lines.append(paragraph(check["hint"], _BELOW_MARK))
    app.result(value, "\n".join(lines))
    if away:
        raise click.exceptions.Exit(int(ExitCode.NOT_RUNNING))
    if not value["healthy"]:
        raise click.exceptions.Exit(int(ExitCode.FAILURE))


@command("peers")
@click.option("--add", "address", metavar="ADDR", help="Connect to a node: /ip4/…/tcp/…/p2p/PEERID.")
@pass_app
def peers(app: App, address: str | None) -> None:
    """The nodes it is connected to."""
    api = app.api()
    if address is not None:
        value = api.post("peers", {"address": address})
        app.result(value, "Connected.")
        return
    value = api.get("peers")
    rows = [(one["peer_id"], words(one.get("addresses"))) for one in value["peers"]]
    app.result(
        value,
        table(("peer", "addresses"), rows) if rows else "No peers yet. `chargemesh join LINK` finds some.",
    )


@command("invite")
@click.option("--no-qr", is_flag=True, help="Only the link.")
@pass_app
def invite(app: App, no_qr: bool) -> None:
    """A link and a QR code with which somebody joins the network through this node."""
    value = app.api().get("invite")
    text = value["link"] if no_qr else f"{qr(value['qr_terminal'])}\n{value['link']}"
    app.result(value, text)


@command("join")
@click.argument("link")
@pass_app
def join(app: App, link: str) -> None:
    """Join the network of an invitation (chargemesh:join/…)."""
    from chargemesh_node import offline

    offline.network_of_invite(link)  # a damaged link is told before a node is started for it
    value = app.api().post("join", {"link": link})
    count = value["connected"]
    app.result(value, f"Joined {value['network']}: connected to {count} {'node' if count == 1 else 'nodes'}.")


@command("logs")
@click.option(
    "--lines", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many, from the end."
)
@pass_app
def logs(app: App, lines: int) -> None:
    """What the node wrote about itself, the newest last. Works with the node stopped."""
    path = app.home.log_file
    app.home.require_initialised()
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            newest = list(deque((line.rstrip("\n") for line in file), maxlen=lines))
    except FileNotFoundError:
        newest = []
    app.result(
        {"file": str(path), "lines": newest}, "\n".join(newest) or f"Nothing has been logged in {path} yet."
    )


@command("phone")
@click.argument("name", default="phone")
@pass_app
def phone(app: App, name: str) -> None:
    """A link and QR code that open this node's page on a phone: bookings, address, start and stop.

    Works on your own network once `phone.address` is set (or `run --api LAN-ADDRESS:PORT`). Each NAME gets a
    token of its own; whoever has the link can look after your bookings.
    """
    value = app.api().post("phones", {"name": name})
    text = f"{qr(value['qr_terminal'])}\n{value['link']}"
    if not value["on_lan"]:
        text += (
            "\nThis link works on this machine only. For a phone: `chargemesh config set phone.address "
            "192.168.1.20:8080` with this machine's own LAN address, then restart the node."
        )
    app.result(value, text)
