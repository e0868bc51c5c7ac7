"""`chargemesh config`: read and change the settings in config.toml."""

from __future__ import annotations

import os
from typing import Any

import click

from ..app import App, pass_app
from ..lazy import Group, hidden_options
from ..place_text import parse_place
from ..tables import table


@click.group("config", cls=Group, invoke_without_command=True)
@click.pass_context
def config(ctx: click.Context) -> None:
    """Read and change settings (config.toml; the environment's CHARGEMESH_SECTION_NAME goes before it).

    Without a command it prints all of them, as `config get` does.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(get)


config.params += hidden_options()  # alone it is a command, and takes them at its end


@config.command("get")
@click.argument("key", required=False)
@pass_app
def get(app: App, key: str | None) -> None:
    """Print one setting, or all of them with what they mean."""
    from chargemesh_node import offline

    if key is not None:
        value = offline.setting(app.home, os.environ, key)
        app.result(value, _plain(value))
        return
    found = offline.settings(app.home, os.environ)
    rows = [(one.key, _plain(one.value), one.description) for one in found]
    app.result({one.key: one.value for one in found}, table(("setting", "value", "meaning"), rows))


@config.command("set")
@click.argument("key")
@click.argument("value")
@pass_app
def set_(app: App, key: str, value: str) -> None:
    """Change one setting; lists are written a,b or ["a", "b"]. A node reads it when it next starts."""
    from chargemesh_node import offline

    if key == "find.places":
        _require_places(offline.read_setting(key, value))
    kept = offline.change_setting(app.home, key, value)
    text = f"{key} is now {_plain(kept) or 'empty'}."
    if offline.running(app.home) is not None:
        text += " Restart the node for it: `chargemesh stop`, then `chargemesh run`."
    variable = offline.overriding_variable(os.environ, key)
    if variable:
        text = (
            f"{key} is now {_plain(kept) or 'empty'} in config.toml, but this environment sets {variable}, "
            f"which goes before it: a node started here uses {os.environ[variable]!r}."
        )
    app.result({"key": key, "value": kept, "overridden_by": variable or None}, text)


@config.command("path")
@pass_app
def path(app: App) -> None:
    """Print where config.toml is."""
    file = str(app.home.config_file)
    app.result({"path": file}, file)


def _require_places(places: tuple[str, ...]) -> None:
    """PersonError for one that nobody could search near."""
    for one in places:
        parse_place(one.partition("=")[2])


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ", ".join(str(one) for one in value)
    return str(value)
