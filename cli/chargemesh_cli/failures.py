"""How a call that fails ends: a sentence on stderr, with --json an object on stdout, and the exit code."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from chargemesh_protocol.errors import ChargemeshError, ExitCode, PersonError, Refused

from .hints import with_home

_MAX_LOG_BYTES = 1_000_000
_DOCTOR = "`chargemesh doctor` may say why."
_REFUSED = "What was read is damaged or of another version: ask whoever wrote it for another copy."
# click names its classes; a person wants to know what to type.
_CLICK_WORDS = {
    "integer range": "whole number",
    "float range": "number",
    "integer": "whole number",
    "float": "number",
}


def report(error: BaseException, *, as_json: bool, home_flag: str) -> int:
    """Tells what went wrong and returns the exit code. Never a traceback: that goes into a log."""
    from .render import clean

    context = _without_command(error)
    if context is not None and not as_json:
        click.echo(context.get_help(), err=True)  # as it stands, line by line
        return int(ExitCode.USAGE)
    known = as_person_error(error)
    if known is None:
        known = _unexpected(error, home_flag)
    try:
        if as_json:
            click.echo(
                json.dumps({"error": {"code": known.code, "message": known.message, "hint": known.hint}})
            )
        # A peer's words may be in it.
        hint = with_home(known.hint, home_flag)
        click.echo(clean(f"{known.message} {hint}".strip()), err=True)
    except OSError:
        _close_quietly()  # whoever read our output is gone; the exit code still tells
    return int(known.exit_code)


def as_person_error(error: BaseException) -> PersonError | None:
    """The error as a person is told it; None for a bug of ours."""
    if isinstance(error, PersonError):
        return error
    if isinstance(error, click.UsageError):
        text = "Missing command." if _without_command(error) else error.format_message()
        return PersonError("usage", _sentence(text), _usage_hint(error), ExitCode.USAGE)
    if isinstance(error, click.FileError):
        hint = "Name a file that exists and that you may read."
        return PersonError("cannot-read", _sentence(error.format_message()), hint, ExitCode.FAILURE)
    if isinstance(error, click.ClickException):
        return PersonError("failed", _sentence(error.format_message()), _DOCTOR, ExitCode.FAILURE)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        hint = "Run it again to go on."
        return PersonError("stopped", "Stopped.", hint, ExitCode.FAILURE)
    if isinstance(error, Refused):
        return PersonError(error.code, _sentence(error.message), _REFUSED, ExitCode.FAILURE)
    if isinstance(error, ChargemeshError):
        return PersonError("failed", _sentence(str(error)), _DOCTOR, ExitCode.FAILURE)
    return None


def _without_command(error: BaseException) -> click.Context | None:
    """Where a group was named and none of its commands."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.ctx
    if isinstance(error, click.UsageError) and error.message == "Missing command.":
        return error.ctx
    return None


def _usage_hint(error: click.UsageError) -> str:
    if error.ctx is None:
        return "See `chargemesh --help`."
    return f"See `{error.ctx.command_path} --help`."


def _sentence(text: str) -> str:
    """With a capital and a full stop, on one line."""
    plain = " ".join(text.split())
    for theirs, ours in _CLICK_WORDS.items():
        plain = plain.replace(f"is not a valid {theirs}.", f"is not a {ours}.")
    if plain and plain[-1] not in ".?!":
        plain += "."
    return plain[:1].upper() + plain[1:]


def _unexpected(error: BaseException, home_flag: str) -> PersonError:
    """A bug of ours: one line for the person, the rest in a file."""
    what = f"Something went wrong inside chargemesh ({type(error).__name__})."
    log = _write_log(error, home_flag)
    hint = f"The details are in {log}; please report them." if log else "The details could not be written."
    return PersonError("internal", what, hint, ExitCode.FAILURE)


def _write_log(error: BaseException, home_flag: str) -> Path | None:
    """Appends the traceback to the home's logs/cli.log, or to a new private file if there is no home."""
    import tempfile
    import traceback

    from chargemesh_node.home import locate_home

    text = "".join(traceback.format_exception(error)) + "\n"
    logs = locate_home(home_flag or None, os.environ).logs
    try:
        if not logs.is_dir():
            descriptor, name = tempfile.mkstemp(prefix="chargemesh-", suffix=".log")
            path = Path(name)
        else:
            path = logs / "cli.log"
            fresh = path.exists() and path.stat().st_size > _MAX_LOG_BYTES
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if fresh else os.O_APPEND)
            descriptor = os.open(path, flags, 0o600)
        with os.fdopen(descriptor, "a") as file:
            file.write(text)
    except OSError:
        return None
    return path


def _close_quietly() -> None:
    """Points stdout at nothing, so that the interpreter's own flush at exit stays silent."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
