"""Every command's help, the table of commands, and a start that imports nothing heavy."""

from __future__ import annotations

import importlib
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from chargemesh_cli.app import App
from chargemesh_cli.examples import EXAMPLES
from chargemesh_cli.lazy import COMMANDS
from chargemesh_cli.main import cli
from tests.house.tree import ROOT

from .person import Person

DESIGNED = {
    "init", "run", "stop", "status", "doctor", "id", "peers", "invite", "join", "charger", "find", "quote",
    "book", "bookings", "booking", "charge", "pay", "receipt", "review", "trust", "record", "wallbox", "demo",
    "backup", "restore", "config", "logs",
}  # fmt: skip
HEAVY = (
    "rich",
    "httpx",
    "cbor2",
    "nacl",
    "h3",
    "msgspec",
    "asyncio",
    "http.client",
    "platformdirs",
    "libp2p",
)


def is_there(name: str) -> bool:
    """Whether the command's module is in this tree (`demo` is made by others)."""
    return (ROOT / "cli/chargemesh_cli/commands" / f"{COMMANDS[name].module}.py").exists()


def every_command() -> Iterator[tuple[str, ...]]:
    """The words of every command and group."""

    def below(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[str, ...]]:
        yield path
        if isinstance(command, click.Group):
            for name in command.commands:
                yield from below((*path, name), command.commands[name])

    for name in filter(is_there, COMMANDS):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        yield from below((name,), command)


def test_the_table_names_what_the_design_asks_for() -> None:
    assert set(COMMANDS) >= DESIGNED


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_every_command_says_what_it_does(person: Person, words: tuple[str, ...]) -> None:
    said = person.types(*words, "--help")
    assert said.code == 0 and "Usage: chargemesh" in said.out and said.err == ""
    assert all(len(line) <= 80 for line in said.out.splitlines())


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_every_help_ends_with_an_example_that_can_be_read(person: Person, words: tuple[str, ...]) -> None:
    example = EXAMPLES[" ".join(words)]
    said = person.types(*words, "--help")
    assert said.out.endswith(f"\n\nExample: chargemesh {example}\n")
    typed = shlex.split(example)
    assert typed[0] == words[0]
    command: click.Command = cli
    context = click.Context(cli, obj=App(interactive=False))
    while isinstance(command, click.Group):
        name, found, typed = command.resolve_command(context, typed)
        assert found is not None
        command = found
        if not isinstance(command, click.Group):
            command.make_context(name, list(typed), parent=context)  # a wrong flag would raise


def test_the_help_and_the_readme_name_the_streams(person: Person) -> None:
    """Commands that print several JSON values with --json say so, and they alone."""
    streams = {("find",), ("charge", "watch"), ("wallbox",)}
    said = {
        words
        for words in every_command()
        if "JSON object a" in " ".join(person.types(*words, "--help").out.split())
    }
    assert said == streams
    readme = (ROOT / "README.md").read_text()
    sentence = next(line for line in readme.splitlines() if "`--json` prints one JSON value" in line)
    first = " ".join(person.types("--help").out.split())
    of_json = first.partition("One JSON value on stdout;")[2].partition(".")[0]
    for words in streams:
        assert f"`{' '.join(words)}`" in sentence and " ".join(words) in of_json


def test_the_first_help_lists_them_all(person: Person) -> None:
    said = person.types("--help")
    for name, entry in COMMANDS.items():
        assert name in said.out and entry.help.split()[0] in said.out
    assert person.types("--version").out.startswith("chargemesh ")


def test_every_entry_of_the_table_leads_to_a_command() -> None:
    for name in filter(is_there, COMMANDS):
        module = importlib.import_module(f"chargemesh_cli.commands.{COMMANDS[name].module}")
        assert getattr(module, COMMANDS[name].attribute).name == name


def test_a_start_imports_nothing_heavy() -> None:
    code = (
        "import sys; from chargemesh_cli.main import main; main(['--help'], interactive=False); "
        f"print([one for one in {HEAVY} if one in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stderr.strip() == "[]"


def test_help_is_short_of_imports_in_every_command() -> None:
    """`find --help` may load what reads prices and times, not the network's or the node's parts."""
    code = (
        "import sys; from chargemesh_cli.main import main; main(['find', '--help'], interactive=False); "
        "print([one for one in sys.modules if one.startswith(('libp2p', 'chargemesh_node', 'nacl'))], "
        "file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("words", [("charger",), ("record",), ("booking",)])
def test_nothing_after_it_shows_the_help_line_by_line(person: Person, words: tuple[str, ...]) -> None:
    said = person.types(*words)
    assert said.code == 2 and "\n\nCommands:\n" in said.err
    bare = person.types()
    assert bare.code == 2 and "\nCommands:\n" in bare.err
