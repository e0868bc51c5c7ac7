"""Photos of the way to the plug: `charger photo` for the host who adds them, `booking photos` for drivers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chargemesh_node.api.limits import MAX_PICTURE_BYTES
from chargemesh_protocol.errors import ExitCode, PersonError

from ..app import App, pass_app
from ..client import segment
from ..files import cannot_write, write_private
from ..lazy import Group, command
from ..tables import table


@click.group("photo", cls=Group)
def photo() -> None:
    """Photos of the way to the plug. A driver gets them with the address, and nobody else does."""


@photo.command("add")
@click.argument("charger_id", metavar="ID")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@pass_app
def add(app: App, charger_id: str, files: tuple[str, ...]) -> None:
    """Add up to four pictures (JPEG, PNG or WebP).

    The node makes them smaller and drops all but the pixels, such as place and time. Drivers who already have
    the address get the new photos at once.
    """
    pictures = [_read(Path(one)) for one in files]
    api, value = app.api(), None
    for one in pictures:
        value = api.upload(f"chargers/{segment(charger_id)}/photos", one)
    app.result(value, _shown(value))


@photo.command("list")
@click.argument("charger_id", metavar="ID")
@pass_app
def show(app: App, charger_id: str) -> None:
    """The photos of a charger, in the order in which drivers see them."""
    value = app.api().get(f"chargers/{segment(charger_id)}/photos")
    app.result(value, _shown(value))


@photo.command("remove")
@click.argument("charger_id", metavar="ID")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)
@pass_app
def remove(app: App, charger_id: str, photos: tuple[str, ...]) -> None:
    """Take photos away, also from drivers whose booking is still to come. PHOTO: the beginning of an id."""
    api, value = app.api(), None
    for one in photos:
        value = api.delete(f"chargers/{segment(charger_id)}/photos/{segment(one)}")
    app.result(value, _shown(value))


@command("photos")
@click.argument("booking_id", metavar="ID")
@click.option("--out", metavar="DIR", default=".", help="Folder to save them in (default: this one).")
@pass_app
def save(app: App, booking_id: str, out: str) -> None:
    """Save the photos that came with the address."""
    api, path = app.api(), f"bookings/{segment(booking_id)}"
    view = api.get(path)
    photos = (view["access"] or {}).get("photos", [])
    folder = Path(out).expanduser()
    saved = []
    for number, one in enumerate(photos, 1):
        if not one["here"]:
            continue
        file = folder / f"{view['id'][:8]}-{number}.jpg"
        _make(folder)
        write_private(file, api.download(f"{path}/photos/{one['id']}"))
        saved.append(str(file))
    waiting = len(photos) - len(saved)
    app.result({"booking": view["id"], "files": saved, "waiting": waiting}, _told(view, saved, waiting))


def _told(view: Any, saved: list[str], waiting: int) -> str:
    if not saved and not waiting:
        return "No photos came with this address." if view["access"] else "The address was not sent yet."
    lines = [f"Saved {one}" for one in saved]
    if waiting:
        lines.append(f"{waiting} still to come: the node asks the host's for them.")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if not value["photos"]:
        return "No photos yet. `chargemesh charger photo add ID FILE` adds one."
    rows = [
        (one["id"][:8], f"{one['width']} x {one['height']}", f"{one['bytes'] / 1024:.0f} KB")
        for one in value["photos"]
    ]
    return table(("photo", "pixels", "size"), rows)


def _read(file: Path) -> bytes:
    try:
        with file.expanduser().open("rb") as source:
            content = source.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        raise PersonError(
            "cannot-read", f"Cannot read {file}: {error.strerror}.", "Name a picture.", ExitCode.USAGE
        ) from error
    if len(content) > MAX_PICTURE_BYTES:
        raise PersonError(
            "too-large",
            f"{file} has more than {MAX_PICTURE_BYTES // 2**20} MB.",
            "Make it smaller with any photo program, and try again.",
            ExitCode.USAGE,
        )
    return content


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
