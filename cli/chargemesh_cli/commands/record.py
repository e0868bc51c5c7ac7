"""`chargemesh record`: signed records in a file, explained, verified and compared without a node."""

from __future__ import annotations

import dataclasses
import os
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from chargemesh_protocol.errors import ExitCode, PersonError

from ..app import App, pass_app
from ..evidence import Verdict, judge
from ..lazy import Group
from ..proof import Proof
from ..record_diff import Difference, difference
from ..record_file import MAX_FILE_BYTES, network_named
from ..render import clean
from ..tables import hanging

_NETWORK = click.option(
    "--network", metavar="ID", help="The network it was signed for; else the file's own, or this home's."
)


@click.group("record", cls=Group)
def record() -> None:
    """Explain, verify or compare signed records. FILE holds bytes, base64 or hex; - is the standard input."""


@record.command("show")
@click.argument("file")
@_NETWORK
@pass_app
def show(app: App, file: str, network: str | None) -> None:
    """Explain each record: who says what and when, whether it is valid or why not, and its fields by name."""
    network, found, _ = _judged(app, file, network)
    if app.json:
        app.result([one.as_json() for one in found])
        return
    for number, one in enumerate(found, 1):
        app.say(f"{number}. {_headline(one)}")
        app.say(textwrap.indent(hanging(clean(_explained(one))), "   "))
        _say_fields(app, one.fields, "   ")
    if _signed_elsewhere(found):
        app.note(_elsewhere(network))


@record.command("verify")
@click.argument("file")
@_NETWORK
@pass_app
def verify(app: App, file: str, network: str | None) -> None:
    """Verify every record in FILE; the exit code is 1 if one is not valid.

    What stands where a record must and can't be read as one counts as a record that is not valid.
    Valid means: strict encoding, known kind, and a good signature by the key it names, on that network. Where
    the author's genesis stands in the same file, that key must have a delegation of the author's too.
    The last sentences say what the file proves: the receipt, who signed it, and whether it is paid.
    """
    network, found, proven = _judged(app, file, network)
    bad = [one for one in found if not one.valid]
    lines = [_headline(one) for one in found]
    lines.append(f"{len(found) - len(bad)} of {len(found)} valid on {network}.")
    if _signed_elsewhere(found):
        lines.append(_elsewhere(network))
    else:
        lines += proven.sentences
    app.result(
        {
            "network": network,
            "valid": not bad,
            "proves": list(proven.sentences),
            "missing": list(proven.missing),
            "records": [one.as_json() for one in found],
        },
        "\n".join(hanging(line) for line in lines),
    )
    if bad:
        raise click.exceptions.Exit(int(ExitCode.FAILURE))


@record.command("diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@_NETWORK
@pass_app
def diff(app: App, first: str, second: str, network: str | None) -> None:
    """Explain what differs from A to B: records that one lacks; fields, signatures, verdicts that changed.

    The exit code is 0 if they hold the same records, and 1 if not. Which records say the same sort of thing
    is judged by kind, author and the ids that they name.
    """
    network, old, _ = _judged(app, first, network)
    _, new, _ = _judged(app, second, network)
    found = difference(old, new)
    app.result(
        {"network": network, "equal": found.none, **dataclasses.asdict(found)},
        "\n".join(_differences(found, first, second)),
    )
    if not found.none:
        raise click.exceptions.Exit(int(ExitCode.FAILURE))


def _differences(found: Difference, first: str, second: str) -> Iterator[str]:
    for one in found.changed:
        yield hanging(f"changed: {_name(one.old)} in {first} is {_name(one.new)} in {second}:")
        for change in one.changes:
            yield hanging(f"  {change.field}: {clean(change.old)} -> {clean(change.new)}")
    for one_sided, where in ((found.missing, first), (found.added, second)):
        for verdict in one_sided:
            yield hanging(f"only in {where}: {_name(verdict)}. {clean(_explained(verdict))}")
    same = f"{found.same} {'record is' if found.same == 1 else 'records are'} the same"
    if found.none:
        yield f"{same}; nothing differs."
    else:
        counts = (
            f"{len(found.changed)} changed, {len(found.missing)} only in {first}, {len(found.added)} only in"
        )
        yield f"{same}, {counts} {second}."


def _name(one: Verdict) -> str:
    return f"{one.kind or 'record'} {one.id[:16]}".strip()


def _explained(one: Verdict) -> str:
    """Who says what and when; of a record that is not valid, what it claims, and the reason."""
    if one.valid:
        return one.says
    why = f"Not valid: {one.fault}."
    return f"{why} It claims: {one.says}" if one.says else why


def _judged(app: App, file: str, network: str | None) -> tuple[str, list[Verdict], Proof]:
    """The network, and every record of a file judged on it, also of kinds that extensions know."""
    from chargemesh_node import offline

    offline.load_record_kinds()
    data = _read(file)
    network = network or network_named(data) or _own_network(app)
    return network, *judge(data, network)


def _signed_elsewhere(found: list[Verdict]) -> bool:
    """Whether no signature at all is good: then it is hardly the records' fault."""
    return all("(bad-signature)" in one.fault for one in found)


def _elsewhere(network: str) -> str:
    return f"No signature is good on {network}: if these are of another network, name it with --network."


def _headline(one: Verdict) -> str:
    good = "signature and delegation good" if one.speaks else "signature good"
    verdict = good if one.valid else f"NOT VALID: {one.fault}"
    name = f"{one.kind or 'record'} {one.id[:16]}".strip()
    author = f" by {one.author[:16]}…" if one.author else ""
    return f"{name}{author}, key {one.kid[:16] or '?'}…, {one.bytes} bytes: {verdict}"


def _say_fields(app: App, fields: Any, indent: str) -> None:
    for name, value in fields.items():
        if isinstance(value, dict):
            app.say(f"{indent}{name}:")
            _say_fields(app, value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            app.say(f"{indent}{name}:")
            for item in value:
                _say_fields(app, item, indent + "  ")
        else:
            shown = ", ".join(str(item) for item in value) if isinstance(value, list) else value
            app.say(f"{indent}{name}: {shown}")


def _read(file: str) -> bytes:
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with open(file, "rb") as source:
                data = source.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        code = ExitCode.NOT_FOUND if isinstance(error, FileNotFoundError) else ExitCode.FAILURE
        raise PersonError(
            "cannot-read",
            f"Cannot read {file}: {error.strerror}.",
            "`chargemesh receipt BOOKING --records FILE` writes such a file.",
            code,
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise PersonError(
            "file-too-large",
            f"{file} is larger than {MAX_FILE_BYTES} bytes.",
            "Split it: the evidence of one booking takes far less.",
            ExitCode.USAGE,
        )
    return data


def _own_network(app: App) -> str:
    from chargemesh_node import offline

    return str(offline.setting(app.home, os.environ, "network.id"))
