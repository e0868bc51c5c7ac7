"""`chargemesh wallbox`: a virtual wallbox with a car, for trying things out without either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.units import format_energy, format_power, parse_energy, parse_power

from ..app import App, pass_app
from ..client import Api, segment
from ..lazy import command

_SECONDS = click.FloatRange(0.01)
_SPEED = click.FloatRange(0.01, 10_000)
_SHOWN: dict[str, Callable[[Any], str]] = {
    "power_w": format_power,
    "register_wh": format_energy,
    "watts": lambda watts: "none" if watts is None else format_power(int(watts)),
    "soc": lambda percent: f"{percent} % full",
    "seconds": lambda seconds: f"{seconds:g} s",
}


@command("wallbox")
@click.option("--charger", metavar="ID", help="A charger of this home's node; needless if it has only one.")
@click.option("--url", help="Another node: where it listens, as `charger pair` shows it.")
@click.option("--id", "charger_id", help="Then also the charge point's id.")
@click.option("--password", help="The charge point's password; it shows in the list of processes.")
@click.option("--password-file", type=click.Path(path_type=Path), help="A file that holds the password.")
@click.option("--power", default="11kW", show_default=True, help="What wallbox and car can do at most.")
@click.option("--battery", default="60kWh", show_default=True, help="The car's battery.")
@click.option(
    "--soc",
    type=click.FloatRange(0, 100),
    default=30.0,
    show_default=True,
    help="How full it is, in percent.",
)
@click.option(
    "--speed", type=_SPEED, default=1.0, show_default=True, help="Count energy so many times too fast."
)
@click.option("--sample", type=_SECONDS, help="Seconds between readings, whatever the node asks for.")
@click.option("--tag", help="Hold up this tag at the start.")
@click.option("--no-plug-in", is_flag=True, help="Begin without a car.")
@click.option("--for", "run_s", type=_SECONDS, help="Stop after so many seconds.")
@click.option("--vanish-after", type=_SECONDS, help="Lose the connection so many seconds into a session.")
@click.option("--vanish-for", type=_SECONDS, default=5.0, show_default=True, help="How long it stays away.")
@click.option(
    "--stop-late", type=click.FloatRange(0), default=0.0, help="Charge on for so many seconds after a stop."
)
@click.option("--dead-transaction", is_flag=True, help="Send readings with the number of an old session.")
@click.option("--meter-backwards", is_flag=True, help="Run the meter backwards.")
@click.option("--duplicates", is_flag=True, help="Say everything about a session twice.")
@click.option("--unit", type=click.Choice(["Wh", "kWh", "kwh-as-wh"]), default="Wh", show_default=True)
@click.option(
    "--refuse-in-finishing", is_flag=True, help="Refuse a remote start until the car was unplugged."
)
@click.option("--refuse-start", is_flag=True, help="Refuse every remote start.")
@click.option("--no-subprotocol", is_flag=True, help="Offer no subprotocol.")
@click.option("--stop-below-start", is_flag=True, help="Send a stop value 1 Wh below the start.")
@click.option("--stop-minus-one", is_flag=True, help="Stop the session -1.")
@click.option("--stop-before-start", is_flag=True, help="Stamp the stop an hour before the start.")
@click.option("--values-after-stop", is_flag=True, help="Send one more reading after the stop.")
@click.option(
    "--backlog",
    type=click.IntRange(0, 20_000),
    default=0,
    help="Tell first of a session of so many minutes, offline.",
)
@pass_app
def wallbox(app: App, /, **given: Any) -> None:
    """A virtual OCPP 1.6J wallbox: it connects to a node like a real one, and misbehaves when told to.

    Without --url it is the wallbox of a charger of this home's node.

    Lines typed into it (after `fg`, if it runs in the background of a terminal): plug, unplug, tag TAG,
    vanish SECONDS, quit. With --json: one JSON object a line, an event each.
    """
    from chargemesh_node.wallbox.virtual_run import run_virtual

    if given["url"] is None:
        given |= _paired(app.api(), given["charger"])
    elif given["charger_id"] is None:
        raise click.UsageError("Missing option '--id': the charge point's id at that node.")
    options = _options(given)

    def tell(event: str, facts: dict[str, Any]) -> None:
        if app.json:
            app.line({"event": event, **facts})
        else:
            click.echo(_line(event, facts))

    asyncio.run(run_virtual(options, tell))


def _paired(api: Api, charger: str | None) -> dict[str, Any]:
    """URL, id and password of a charger of our own."""
    if charger is None:
        own = [one for one in api.get("chargers")["chargers"] if one["driver"] == "ocpp"]
        if len(own) != 1:
            raise PersonError(
                "which-charger",
                f"This node has {len(own)} chargers with a wallbox.",
                "Name one with --charger ID (`chargemesh charger list`), or another node with --url.",
                ExitCode.USAGE,
            )
        charger = own[0]["id"]
    view = api.get(f"chargers/{segment(charger)}/wallbox")
    if view["driver"] != "ocpp":
        raise PersonError(
            "no-wallbox", "That charger has no wallbox that the node runs.", "Choose another.", ExitCode.USAGE
        )
    return {"url": view["url"], "charger_id": view["id"], "password": view["password"], "password_file": None}


def _options(given: dict[str, Any]) -> Any:
    from chargemesh_node.wallbox.faults import Faults
    from chargemesh_node.wallbox.virtual_run import VirtualOptions

    faults = Faults(
        vanish_after_s=given["vanish_after"],
        vanish_for_s=given["vanish_for"],
        stop_late_s=given["stop_late"],
        dead_transaction=given["dead_transaction"],
        meter_backwards=given["meter_backwards"],
        duplicates=given["duplicates"],
        unit=given["unit"],
        refuse_in_finishing=given["refuse_in_finishing"],
        refuse_start=given["refuse_start"],
        no_subprotocol=given["no_subprotocol"],
        stop_below_start=given["stop_below_start"],
        stop_minus_one=given["stop_minus_one"],
        stop_before_start=given["stop_before_start"],
        values_after_stop=given["values_after_stop"],
    )
    return VirtualOptions(
        url=given["url"],
        charger_id=given["charger_id"],
        password=_password(given["password"], given["password_file"]),
        power_w=parse_power(given["power"]),
        battery_wh=parse_energy(given["battery"]),
        soc_percent=given["soc"],
        speed=given["speed"],
        sample_s=given["sample"] or 10.0,
        obey_sample_interval=given["sample"] is None,
        faults=faults,
        plug_in=not given["no_plug_in"],
        tag=given["tag"],
        backlog_minutes=given["backlog"],
        run_s=given["run_s"],
    )


def _password(password: str | None, file: Path | None) -> str | None:
    """From the file, if one is named."""
    if file is None:
        return password
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PersonError(
            "bad-password-file",
            f"The password file can't be read: {error}",
            "`chargemesh charger pair` shows the password.",
            ExitCode.USAGE,
        ) from None


def _line(event: str, facts: dict[str, Any]) -> str:
    """The event and its facts as people read them: `reading: 1.235 kWh, 11 kW, 31.2 % full`."""
    shown = [_SHOWN.get(name, str)(value) for name, value in facts.items()]
    return f"{event}: {', '.join(shown)}" if shown else event
