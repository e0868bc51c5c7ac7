"""`chargemesh run`: the node itself, in this process or in the background."""

from __future__ import annotations

import os
from typing import Any

import click

from ..app import App, pass_app
from ..lazy import command


@command("run")
@click.option(
    "--listen", multiple=True, metavar="ADDR", help="Where peers reach it, such as /ip4/0.0.0.0/tcp/4001."
)
@click.option("--bootstrap", multiple=True, metavar="ADDR", help="A node to begin with, …/p2p/PEERID.")
@click.option(
    "--no-mdns", is_flag=True, help="Don't look for nodes on the local network, nor be found there."
)
@click.option("--api", metavar="HOST:PORT", help="Loopback: the API's address; on the LAN: the phone page's.")
@click.option("--network", metavar="ID", help="The network's id; an identity is bound to one.")
@click.option("--background", is_flag=True, help="Start it, wait until it answers, and leave it running.")
@pass_app
def run(
    app: App,
    listen: tuple[str, ...],
    bootstrap: tuple[str, ...],
    no_mdns: bool,
    api: str | None,
    network: str | None,
    background: bool,
) -> None:
    """Run the node until Ctrl-C, SIGTERM or `chargemesh stop`."""
    from chargemesh_node import offline

    home = app.home
    home.require_initialised()
    home.check_private()
    overrides = offline.run_overrides(
        listen=listen, bootstrap=bootstrap, no_mdns=no_mdns, api=api, network=network
    )
    config = offline.load(home, os.environ, overrides)
    if background:
        flags = _flags(listen, bootstrap, no_mdns, api, network)
        _run_in_background(app, flags)
        return
    offline.serve(home, config, lambda running: _tell(app, running))
    app.note("Stopped.")


def _run_in_background(app: App, flags: list[str]) -> None:
    from ..background import answers, start, wait_until_it_answers
    from ..client import Api

    already = answers(app.home)
    if not already:
        process = start(app.home, flags)
        wait_until_it_answers(app.home, process)
    who = Api(app.home).get("id")
    runs = "A node runs already on this home" if already else "The node runs in the background"
    app.result(who, f"{runs}; `chargemesh stop` stops it. Log: {app.home.log_file}")


def _flags(
    listen: tuple[str, ...], bootstrap: tuple[str, ...], no_mdns: bool, api: str | None, network: str | None
) -> list[str]:
    """The same flags again, for the process in the background."""
    flags = [part for one in listen for part in ("--listen", one)]
    flags += [part for one in bootstrap for part in ("--bootstrap", one)]
    flags += ["--no-mdns"] * no_mdns
    flags += ["--api", api] if api else []
    flags += ["--network", network] if network else []
    return flags


def _tell(app: App, running: Any) -> None:
    """The node is ready: who it is and where it answers."""
    contact = running.network.contact
    facts = {
        "ready": True,
        "author": running.keys.author.hex(),
        "peer_id": contact.peer_id,
        "network": running.config.network.id,
        "addresses": [f"{address}/p2p/{contact.peer_id}" for address in contact.addresses],
        "home": str(app.home.root),
    }
    lines = [f"The node of {app.home.root} runs on {facts['network']}. Stop it with Ctrl-C."]
    lines += [f"  {address}" for address in facts["addresses"]]
    app.result(facts, "\n".join(lines))
