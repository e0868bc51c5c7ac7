"""From when to when: --from T with --for DURATION or --to T, as `find`, `quote` and `book` take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.units import format_span, parse_duration, parse_instant
from chargemesh_protocol.zones import MINUTE_MS, parse_zone

from .local_zone import local_zone


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end), unix ms, and the zone that it was typed in."""

    start: int
    end: int
    zone: str

    def __str__(self) -> str:
        return format_span(self.start, self.end, self.zone)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--from, --for, --to and --zone."""
    for option in (
        click.option("--zone", metavar="ZONE", help="IANA time zone of the times. [this machine's]"),
        click.option("--to", "to_", metavar="T", help="Until when, instead of --for."),
        click.option("--for", "for_", metavar="DURATION", help="For how long: 3h, 90m."),
        click.option(
            "--from", "from_", metavar="T", help='From when: now, 18:00, "tomorrow 18:00", ISO 8601.'
        ),
    ):
        command = option(command)
    return command


def read_span(
    from_: str | None, for_: str | None, to_: str | None, zone: str | None, now: int
) -> Span | None:
    """The span that the flags name, None if they name none; PersonError says which is missing or wrong."""
    if from_ is None and for_ is None and to_ is None:
        return None
    name = parse_zone(zone) if zone else local_zone()
    if for_ is not None and to_ is not None:
        raise click.UsageError("--for and --to both name the end: give one of them.")
    start = parse_instant(from_ or "now", name, now)
    start -= start % MINUTE_MS  # "now" is this minute: nobody books by the second
    if for_ is not None:
        end = start + parse_duration(for_)
    elif to_ is not None:
        end = parse_instant(to_, name, start)
    else:
        raise click.UsageError("Missing --for DURATION (or --to T): until when?")
    if end <= start:
        raise PersonError(
            "bad-span",
            "The end must be after the start.",
            "Give --for 3h, or a --to later than --from.",
            ExitCode.USAGE,
        )
    return Span(start, end, name)
