"""`chargemesh demo`: the whole story on this machine, between real nodes."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from ..app import App, pass_app
from ..lazy import command

_COLUMNS, _ROWS = 78, 23


@command("demo")
@click.option(
    "--nodes",
    type=click.IntRange(4, 24),
    default=8,
    show_default=True,
    help="How many; a small machine may want fewer.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Leave homes, logs and records there to look at.",
)
@click.option("--plain", is_flag=True, help="Plain lines, also on a terminal.")
@pass_app
def demo(app: App, nodes: int, keep: Path | None, plain: bool) -> None:
    """The whole story in under a minute: real nodes, a virtual wallbox, nothing beyond this machine.

    A host lists a charger, a driver finds, books, charges and pays, both review, and a third node sees it.
    """
    from ..demo.stage import JsonStage, PlainStage, Stage, Stopwatch
    from ..demo.story import run

    watch = Stopwatch()
    stage: Stage
    if app.json:
        stage = JsonStage(watch)
    elif plain or not _has_room():
        stage = PlainStage(watch)
    else:
        from ..demo.live import LiveStage

        stage = LiveStage(watch)
    figures = run(stage, watch, nodes=nodes, keep=keep)
    kept = f" Homes and records are in {keep}." if keep else ""
    app.result({"demo": "ok", **figures}, f"The demo took {figures['seconds']:.0f} s.{kept}")


def _has_room() -> bool:
    """Whether stdout is a terminal that the live view fits on."""
    size = shutil.get_terminal_size()
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return sys.stdout.isatty() and not dumb and size.columns >= _COLUMNS and size.lines >= _ROWS
