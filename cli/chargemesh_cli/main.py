"""The program `chargemesh`: reads the command line, runs one command, and ends with the right exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from chargemesh_protocol.errors import ExitCode, PersonError

from .app import App, at_terminal
from .lazy import Commands, global_options
from .signs import make_printable


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version

        click.echo(f"chargemesh {version('chargemesh')}")
        ctx.exit()


@click.command("chargemesh", cls=Commands, no_args_is_help=True)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def cli() -> None:
    """Share EV chargers with your neighbours, with no company in between.

    A host: `init`, `charger add`, then `run`. A driver: `init`, `join LINK`, `find --near PLACE`, `book`.
    """


cli.params[:0] = global_options()


def main(arguments: Sequence[str] | None = None, *, interactive: bool | None = None) -> int:
    """Runs one command line (by default this process's) and returns the exit code (`errors.ExitCode`).

    `interactive` says whether somebody can be asked; by default whether this is a terminal.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    app = App(at_terminal() if interactive is None else interactive)
    extra: dict[str, Any] = {"obj": app}
    make_printable(sys.stdout, sys.stderr)
    if os.environ.get("NO_COLOR"):
        extra["color"] = False
    try:
        _require_text(given)
        code = cli.main(args=given, prog_name="chargemesh", standalone_mode=False, **extra)
        return code if isinstance(code, int) else int(ExitCode.OK)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place where everything ends
        from .failures import report

        return report(error, as_json=app.json or "--json" in given, home_flag=app.home_flag)


def _require_text(arguments: Sequence[str]) -> None:
    """PersonError for bytes that this locale can't read: sent on, they would be somebody else's error."""
    for one in arguments:
        if any("\udc80" <= sign <= "\udcff" for sign in one):
            raise PersonError(
                "not-text",
                "An argument holds signs that this locale can't read.",
                "Set one for UTF-8, such as LC_ALL=C.UTF-8.",
                ExitCode.USAGE,
            )
