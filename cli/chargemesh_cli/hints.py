"""Commands that a text tells a person to type: they speak of the same home as the call that prints them.

Somebody who named a home by --home has to name it again the next time; with CHARGEMESH_HOME set, or the
usual home, the bare command does.
"""

from __future__ import annotations

import re
import shlex

import click

# A command in back quotes. One that names a home already, or only a page of help, is left as it is; the text
# may have been wrapped.
_COMMAND = re.compile(r"`(chargemesh\s(?![^`]*--home)[^`]*(?<!--help))`")
_COMMANDS_WITH_SPACES = re.compile(r"`[^`\n]+`")
_UNBROKEN = "\N{NO-BREAK SPACE}"


def home_of_call() -> str:
    """What --home named in the call that is running; empty if it named nothing, or nothing runs."""
    context = click.get_current_context(silent=True)
    return str(getattr(context.find_root().obj, "home_flag", "")) if context is not None else ""


def with_home(text: str, home_flag: str | None = None) -> str:
    """`text` whose commands name the call's home: `chargemesh run` is `chargemesh run --home DIR`."""
    named = home_of_call() if home_flag is None else home_flag
    if not named:
        return text
    flag = f" --home {shlex.quote(named)}`"
    return _COMMAND.sub(lambda found: f"`{found[1]}{flag}", text)


def command(words: str) -> str:
    """A command to type, on a line of its own: "chargemesh charge start 5d30ae0e --home DIR"."""
    return with_home(f"`chargemesh {words}`").strip("`")


def unbroken(text: str) -> str:
    """`text` in which no line can end within a command; `breakable` takes it back."""
    return _COMMANDS_WITH_SPACES.sub(lambda found: found[0].replace(" ", _UNBROKEN), text)


def breakable(text: str) -> str:
    return text.replace(_UNBROKEN, " ")
