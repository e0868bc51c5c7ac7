"""The table of commands, and click classes that import a command only when it is used.

A start imports click and this table, nothing else of ours: `chargemesh --help` is to be there at once.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import click


class Entry(NamedTuple):
    """Where a command lives (module below `commands`, and its name there), and its line in the help."""

    module: str
    attribute: str
    help: str


COMMANDS: dict[str, Entry] = {
    "init": Entry("init", "init", "Make a node's home: keys, recovery phrase, settings."),
    "run": Entry("run", "run", "Run the node until it is stopped."),
    "stop": Entry("node", "stop", "Stop the node."),
    "status": Entry("node", "status", "What the node is doing, and its limits."),
    "doctor": Entry("node", "doctor", "Check what commonly goes wrong, and who can see what."),
    "id": Entry("node", "identity", "Who this node is."),
    "peers": Entry("node", "peers", "The nodes it is connected to."),
    "invite": Entry("node", "invite", "A link and QR code for somebody who joins."),
    "join": Entry("node", "join", "Join the network of an invitation."),
    "mailbox": Entry("mailbox", "mailbox", "Where others leave what they can't tell your node now."),
    "phone": Entry("node", "phone", "A link and QR code for the page on your phone."),
    "charger": Entry("charger", "charger", "A host's chargers: add, list, show, edit, pair, tag, …"),
    "calendar": Entry(
        "calendar", "calendar", "Bookings in your calendar, its busy times here: url, refresh, …"
    ),
    "find": Entry("find", "find", "Find chargers near a place."),
    "quote": Entry("book", "quote", "Ask a host what a charge would cost, all in."),
    "book": Entry("book", "book", "Book a charger."),
    "walk-in": Entry("walk_in", "walk_in", "Book the charger that you stand at, by the code at it."),
    "bookings": Entry("bookings", "bookings", "Your bookings, as driver and as host."),
    "booking": Entry("bookings", "booking", "One booking: show, accept, change, extend, cancel, message, …"),
    "series": Entry("series", "series", "Weekly bookings: list, show, skip, move, price, end."),
    "charge": Entry("charge", "charge", "At the charger: start, stop, watch."),
    "pay": Entry("pay", "pay", "Pay a receipt; `pay confirm` says that the money is there."),
    "receipt": Entry("pay", "receipt", "The receipt of a booking."),
    "review": Entry("trust", "review", "Review the other side of a booking."),
    "trust": Entry("trust", "trust", "What stands behind somebody's reputation."),
    "block": Entry("block", "block", "Deal with somebody no more; they are not told."),
    "unblock": Entry("block", "unblock", "Block somebody no longer."),
    "blocked": Entry("block", "blocked", "Whom this node deals with no more."),
    "record": Entry("record", "record", "Explain, verify or compare signed records, without a node."),
    "wallbox": Entry("wallbox", "wallbox", "A virtual wallbox with a car, to try things out."),
    "demo": Entry("demo", "demo", "The whole story on this machine, with real nodes."),
    "backup": Entry("backup", "backup", "Write keys, bookings and settings to one sealed file."),
    "restore": Entry("backup", "restore", "Restore a backup into a new home."),
    "config": Entry("config", "config", "Read and change settings."),
    "logs": Entry("node", "logs", "What the node wrote about itself."),
}


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """`click.command` whose options include the global ones, so that they may also stand at the end."""
    return cast(Callable[[Callable[..., Any]], click.Command], click.command(name, cls=Command, **attributes))


def _set_global(name: str, ctx: click.Context, _: click.Parameter, value: Any) -> None:
    if value:
        setattr(ctx.find_root().obj, name, value)


def global_options() -> list[click.Option]:
    """--home, --json and --no-start, told to the `App` of this call wherever they stand."""

    def option(name: str, field: str, help: str, **more: Any) -> click.Option:
        callback = functools.partial(_set_global, field)
        return click.Option([name], help=help, expose_value=False, is_eager=True, callback=callback, **more)

    return [
        option("--home", "home_flag", "The node's folder; else from CHARGEMESH_HOME.", metavar="DIR"),
        option(
            "--json",
            "json",
            "One JSON value on stdout; find, charge watch, wallbox: one a line.",
            is_flag=True,
        ),
        option("--no-start", "no_start", "Don't start the node if it isn't running.", is_flag=True),
    ]


def hidden_options() -> list[click.Option]:
    """The global options for a command that takes them too, without listing them in its help."""
    options = global_options()
    for one in options:
        one.hidden = True
    return options


def _write_example(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """The last line of a command's help: one call of it, to copy."""
    from .examples import EXAMPLES

    _, _, words = ctx.command_path.partition(" ")
    if words in EXAMPLES:
        formatter.write_paragraph()
        formatter.write(f"Example: chargemesh {EXAMPLES[words]}\n")


class Command(click.Command):
    """A command that takes the global options as well, without listing them in its help."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params += hidden_options()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_example(ctx, formatter)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_example(ctx, formatter)


class Commands(Group):
    """The root: its commands come from the table, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"chargemesh_cli.commands.{entry.module}")
        return cast(click.Command, getattr(module, entry.attribute))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:  # click does not know ours: it would suggest none
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=COMMANDS, ctx=ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table: to list the commands must not import them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])
