"""What can be said about how a host answers requests: flags, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import click

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.units import format_duration, parse_duration
from chargemesh_protocol.zones import MINUTE_MS

from .readers import choice

Answers = dict[str, Any]
_NONE = "none"
_LEAST, _MOST = 5, 14 * 24 * 60
_DEADLINE = re.compile(r"(?P<time>[^,]+?)(?:\s*,)?\s+then\s+(?P<otherwise>accept|decline)", re.IGNORECASE)
PLAIN = ("instant", "strangers", "min_trust")  # answers that rules in words stand in the place of


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds these flags."""
    for flag, metavar, text in reversed(
        (
            ("--rules", "WORDS", '"known drivers instantly; trust below 40 % not at all; …"; none.'),
            ("--answer-within", "WORDS", 'You answer "2h, then decline" (or accept); none.'),
            ("--members-only", "TEXT", "shown in the listing, or hidden: to others it seems taken; none."),
            ("--walk-in", "TEXT", "Who reads the code at the charger: instantly, on request, never; none."),
        )
    ):
        command = click.option(flag, metavar=metavar, help=text)(command)
    return command


def read_flags(given: Mapping[str, Any]) -> Answers:
    """The part of the API's body that the flags give; PersonError names the flag."""
    found: Answers = {}
    for name, read in (
        ("rules", _rules),
        ("answer_within", _deadline),
        ("members_only", _one_of("members_only", "shown", "hidden")),
        ("walk_in", _one_of("walk_in", "instantly", "on_request", "never")),
    ):
        text = given.get(name)
        if text is not None:
            try:
                found |= read(text)
            except PersonError as error:
                flag = "--" + name.replace("_", "-")
                told = f"{flag}: {error.message}"
                raise PersonError(error.code, told, error.hint, error.exit_code) from None
    return {"policy": found} if found else {}


def require_plain(who_may: Any) -> None:
    """UsageError where rules in words say already what a switch would."""
    if who_may["own"]:
        raise click.UsageError(
            "This charger has rules in words, which say who is taken at once and who is not: change them "
            "with --rules, or end them with --rules none."
        )


def _rules(text: str) -> Answers:
    from chargemesh_protocol.host_rules import parse_rules, write_rules

    return {"words": "" if _is_none(text) else write_rules(parse_rules(text))}


def _deadline(text: str) -> Answers:
    if _is_none(text):
        return {"answer_minutes": 0}
    match = _DEADLINE.fullmatch(text.strip())
    if match is None:
        raise PersonError(
            "bad-deadline",
            f"{text.strip()[:40]!r} doesn't say what happens without an answer.",
            'Write for example "2h, then decline".',
            ExitCode.USAGE,
        )
    minutes = parse_duration(match["time"]) // MINUTE_MS
    if not _LEAST <= minutes <= _MOST:
        low, high = (format_duration(one * MINUTE_MS) for one in (_LEAST, _MOST))
        raise PersonError(
            "bad-duration",
            f"{match['time'][:40]!r} is out of range: it goes from {low} to {high}.",
            'Write for example "2h, then decline".',
            ExitCode.USAGE,
        )
    return {"answer_minutes": minutes, "otherwise": match["otherwise"].upper()}


def _one_of(name: str, *allowed: str) -> Callable[[str], Answers]:
    def read(text: str) -> Answers:
        return {name: "" if _is_none(text) else choice(text, allowed, "answer").replace("_", " ")}

    return read


def _is_none(text: str) -> bool:
    return text.strip().lower() == _NONE
