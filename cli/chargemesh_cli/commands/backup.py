"""`chargemesh backup` and `chargemesh restore`: keys, bookings and settings in one sealed file."""

from __future__ import annotations

from pathlib import Path

import click

from .. import prompts
from ..app import App, pass_app
from ..lazy import command

_PASSPHRASE = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="A file with the passphrase; else it is asked for.",
)


@command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@_PASSPHRASE
@pass_app
def backup(app: App, file: Path, passphrase_file: Path | None) -> None:
    """Write keys, bookings and settings to FILE, sealed with a passphrase. The node may be running."""
    from chargemesh_node import offline

    app.home.require_initialised()
    secret = offline.check_passphrase(prompts.passphrase(app, passphrase_file, twice=True))
    size = offline.backup(app.home, file, secret)
    app.result(
        {"file": str(file), "bytes": size},
        f"The backup is in {file}. Keep it, and its passphrase, away from this machine.",
    )


@command("restore")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_PASSPHRASE
@click.option("--force", is_flag=True, help="Let the restored node sign at once; says first what that risks.")
@click.option("--yes", is_flag=True, help="Accept that risk without being asked.")
@pass_app
def restore(app: App, file: Path | None, passphrase_file: Path | None, force: bool, yes: bool) -> None:
    """Restore a backup into a new, empty home (--home).

    The node then reads but doesn't sign until it has asked a peer for its own newest entry. With no peer in
    reach, `restore --force` without a FILE lifts that on a restored home.
    """
    from chargemesh_node import offline

    home = app.home
    if file is None and not force:
        raise click.UsageError("Missing argument 'FILE': the backup to restore.")
    if force:
        app.note(offline.risk_of_force())
        prompts.require_yes(app, "Go on all the same?", yes=yes)
    if file is None:
        lifted = offline.force(home)
        text = "This node signs again." if lifted else "This node was not waiting for anything."
        app.result({"home": str(home.root), "lifted": lifted}, text)
        return
    made = offline.restore(file, home, prompts.passphrase(app, passphrase_file, twice=False), force=force)
    text = f"Restored into {home.root}."
    if not force:
        text += " It signs nothing until it has asked a peer for its own newest entry."
    app.result({"home": str(home.root), "made": made, "read_only": not force}, text)
