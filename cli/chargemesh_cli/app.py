"""What every command shares in one call of the program: the home, how to speak, and the way to the node."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from .hints import with_home

if TYPE_CHECKING:
    from chargemesh_node.home import Home

    from .client import Api


@dataclass(slots=True)
class App:
    """The global options of this call. `interactive`: a person sits at a terminal and can be asked."""

    interactive: bool
    home_flag: str = ""
    json: bool = False
    no_start: bool = False

    @property
    def home(self) -> Home:
        """The home that --home, CHARGEMESH_HOME or the system's custom names."""
        from chargemesh_node.home import locate_home

        return locate_home(self.home_flag or None, os.environ)

    def api(self, timeout: float = 60.0) -> Api:
        """The node's API. On a terminal a node that isn't running is started; else exit code 4."""
        from .background import reach

        return reach(
            self.home, may_start=self.interactive and not self.no_start, say=self.say, timeout=timeout
        )

    def say(self, text: str = "", *, newline: bool = True) -> None:
        """A sentence for the person: on stdout, or on stderr where stdout is for a program."""
        click.echo(with_home(text, self.home_flag), err=self.json, nl=newline)

    def note(self, text: str) -> None:
        """Progress and asides: always on stderr."""
        click.echo(with_home(text, self.home_flag), err=True)

    def result(self, value: Any, text: str = "") -> None:
        """What the command was for: the value as JSON with --json, else the text."""
        if self.json:
            self.line(value)
        elif text:
            click.echo(with_home(text, self.home_flag))

    def line(self, value: Any) -> None:
        """One JSON value on a line of stdout, there at once."""
        click.echo(json.dumps(value, ensure_ascii=False))
        sys.stdout.flush()


def at_terminal() -> bool:
    """Whether a person can be asked: both what they type and what they are asked pass a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


pass_app = click.make_pass_decorator(App)
