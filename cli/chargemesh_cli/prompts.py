"""Questions to a person at a terminal, on stderr: each has a default where there is one, and is asked again
until the answer can be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from chargemesh_protocol.errors import ExitCode, PersonError

from .app import App
from .render import paragraph

T = TypeVar("T")
PASSPHRASE_VARIABLE = "CHARGEMESH_PASSPHRASE"
_MAX_FILE_BYTES = 10_000


def ask(question: str, read: Callable[[str], T], default: str | None = None) -> T:
    """What `read` makes of the answer; a PersonError of `read` is shown, and the question asked again."""
    while True:
        answer = click.prompt(question, default=default, err=True, show_default=bool(default))
        try:
            return read(str(answer).strip())
        except PersonError as error:
            click.echo(paragraph(str(error), "  "), err=True)


def confirm(question: str, *, default: bool = False) -> bool:
    return bool(click.confirm(question, default=default, err=True))


def require_yes(app: App, question: str, *, yes: bool, default: bool = False) -> None:
    """Returns if the person agrees, by --yes or on being asked; PersonError otherwise."""
    if yes:
        return
    if not app.interactive:
        raise PersonError(
            "not-confirmed",
            "Nobody is at a terminal to agree to this.",
            "Add --yes to agree beforehand.",
            ExitCode.USAGE,
        )
    if not confirm(question, default=default):
        raise PersonError(
            "not-confirmed", "Nothing was done.", "Answer y, or add --yes, to go on.", ExitCode.FAILURE
        )


def passphrase(app: App, file: Path | None, *, twice: bool) -> str:
    """The passphrase of a backup: from a file, from CHARGEMESH_PASSPHRASE, or typed without being shown."""
    if file is not None:
        return read_words(file)
    if os.environ.get(PASSPHRASE_VARIABLE):
        return os.environ[PASSPHRASE_VARIABLE]
    if not app.interactive:
        raise PersonError(
            "no-passphrase",
            "A backup is sealed with a passphrase, and none was given.",
            f"Use --passphrase-file FILE, or set {PASSPHRASE_VARIABLE}.",
            ExitCode.USAGE,
        )
    return str(click.prompt("Passphrase of the backup", hide_input=True, confirmation_prompt=twice, err=True))


def read_words(file: Path) -> str:
    """The text of a small file, without the line end."""
    try:
        with file.open("rb") as source:
            raw = source.read(_MAX_FILE_BYTES + 1)
        if len(raw) > _MAX_FILE_BYTES:
            raise PersonError(
                "file-too-large",
                f"{file} is too large for this.",
                f"Name the file that holds only these words, at most {_MAX_FILE_BYTES} bytes.",
                ExitCode.USAGE,
            )
        return raw.decode("utf-8").strip("\r\n")
    except OSError as error:
        raise PersonError(
            "cannot-read",
            f"Cannot read {file}: {error.strerror}.",
            "Name a file that exists and that you may read.",
            ExitCode.USAGE,
        ) from error
    except UnicodeDecodeError as error:
        raise PersonError(
            "cannot-read", f"{file} is not text.", "Save it as plain text in UTF-8.", ExitCode.USAGE
        ) from error


def ask_secret(question: str, read: Callable[[str], str]) -> str:
    """As `ask`, typed twice and not shown."""
    while True:
        answer = click.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
        try:
            return read(str(answer))
        except PersonError as error:
            click.echo(paragraph(str(error), "  "), err=True)
