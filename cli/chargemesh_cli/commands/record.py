"""`chargemesh record`: signed records in a file, explained, verified and compared without a node."""

from __future__ import annotations

import dataclasses
import os
import sys
import textwrap
from collections.abc import Iterator

import click

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.record import aad

from ..app import App, pass_app
from ..evidence import Verdict, judge
from ..lazy import Group
from ..proof import Proof
from ..record_diff import Difference, difference, repeated
from ..record_fields import field_lines
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
        for line in field_lines(one.fields, "   "):
            app.say(line)
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
    if twice := repeated(found):
        lines.append(f"{twice} of them {'stands' if twice == 1 else 'stand'} there more than once.")
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
            "repeated": repeated(found),
            "records": [one.as_json() for one in found],
        },
        "\n".join(hanging(clean(line)) for line in lines),
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
            yield hanging(f"  {clean(change.field)}: {clean(change.old)} -> {clean(change.new)}")
    for one_sided, where in ((found.missing, first), (found.added, second)):
        for verdict in one_sided:
            yield hanging(f"only in {where}: {_name(verdict)}. {clean(_explained(verdict))}")
    for number, where in zip(found.repeated, (first, second), strict=True):
        if number:
            yield f"{where} holds {number} of its records more than once, which makes no difference."
    same = f"{found.same} {'record is' if found.same == 1 else 'records are'} the same"
    if found.none:
        yield f"{same}; nothing differs."
    else:
        counts = (
            f"{len(found.changed)} changed, {len(found.missing)} only in {first}, {len(found.added)} only in"
        )
        yield f"{same}, {counts} {second}."


def _name(one: Verdict) -> str:
    return clean(f"{one.kind or 'record'} {one.id[:16]}").strip()


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
    if network is not None:
        _check_network(network, "--network", "Leave it out for the one that the file names, or this home's.")
    data = _read(file)
    if network is None and (named := network_named(data)):
        _check_network(named, f'"network" in {file}', "Name the right one with --network.")
        network = named
    network = network or _own_network(app)
    return network, *judge(data, network)


def _check_network(network: str, source: str, hint: str) -> None:
    """PersonError unless records can be signed for a network of that name (specs/02, R5)."""
    try:
        aad(network)
    except ValueError as error:
        raise PersonError("bad-network", f"{source}: {error}.", hint, ExitCode.USAGE) from error


def _signed_elsewhere(found: list[Verdict]) -> bool:
    """Whether no signature at all is good: then it is hardly the records' fault."""
    return all("(bad-signature)" in one.fault for one in found)


def _elsewhere(network: str) -> str:
    return (
        f"No signature is good on {clean(network)}: if these are of another network, name it with --network."
    )


def _headline(one: Verdict) -> str:
    good = "signature and delegation good" if one.speaks else "signature good"
    verdict = good if one.valid else f"NOT VALID: {one.fault}"
    author = f" by {one.author[:16]}…" if one.author else ""
    return clean(f"{_name(one)}{author}, key {one.kid[:16] or '?'}…, {one.bytes} bytes: {verdict}")


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
