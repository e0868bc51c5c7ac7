"""A host's rules in words: whom to take at once, whom to ask about, whom to refuse.

    rules     = clause *(";" clause)
    clause    = (condition *("and" condition) | "others") answer
    answer    = "instantly" | "on request" | "not at all"

    known drivers instantly; vouched for by someone I know and at most 8 h instantly; others on request

The first clause whose conditions all hold counts; the last is about `others`. `parse_rules` reads the
words, `write_rules` writes them back, and what it writes is read as the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from .errors import ExitCode, PersonError
from .listing import CONNECTOR_TYPES
from .units import format_decimal, format_duration, parse_decimal, parse_duration
from .zones import MINUTE_MS

MAX_RULE_CHARS = 1000  # people have a handful of rules, and a listing's host reads them all
MAX_RULE_CLAUSES = 24
MAX_RULE_CONDITIONS = 6  # of one clause
_MOST_SESSIONS = 10_000
_MOST_MINUTES = 366 * 24 * 60
_EXAMPLE = "known drivers instantly; at most 4 h on request; others not at all"


class Answer(Enum):
    """What a clause leads to."""

    INSTANTLY = "instantly"
    ON_REQUEST = "on request"
    NOT_AT_ALL = "not at all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rules look at. trust: per mille of the host's own scale. Sessions: completed ones that this
    node knows of. group: of the host's members, "" for one in none of them; None for who is no member. ahead:
    minutes from the asking to the start. vehicle: the driver named it. plug: OCPI's name, "" if untold."""

    known: bool
    trust: int
    sessions_with_me: int
    sessions_in_all: int
    vouched: bool
    group: str | None
    minutes: int
    ahead: int
    vehicle: bool
    plug: str


class What(Enum):
    """What a condition is about."""

    KNOWN = "known"
    FIRST_TIMER = "first-timer"
    MEMBER = "member"
    VOUCHED = "vouched"
    TRUST_BELOW = "trust-below"
    TRUST_FROM = "trust-from"
    WITH_ME_FROM = "with-me-from"
    WITH_ME_BELOW = "with-me-below"
    IN_ALL_FROM = "in-all-from"
    IN_ALL_BELOW = "in-all-below"
    LASTS_TO = "lasts-to"
    LASTS_OVER = "lasts-over"
    AHEAD_FROM = "ahead-from"
    AHEAD_BELOW = "ahead-below"
    VEHICLE_NAMED = "vehicle-named"
    VEHICLE_UNNAMED = "vehicle-unnamed"
    PLUG = "plug"


@dataclass(frozen=True, slots=True)
class Condition:
    """value: per mille, sessions or minutes; name: of a group or a plug. Each only where `what` has one."""

    what: What
    value: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Clause:
    """Its answer counts where every condition holds; without any it is the one about `others`."""

    conditions: tuple[Condition, ...]
    answer: Answer


Rules = tuple[Clause, ...]  # never empty; the last clause, and no other, is about others


def decide(rules: Rules, facts: Facts) -> Clause:
    """The clause that counts. Total: the one about others always fits."""
    return next(one for one in rules if all(holds(condition, facts) for condition in one.conditions))


def holds(condition: Condition, facts: Facts) -> bool:
    return _PHRASES[condition.what].holds(facts, condition)


@lru_cache(maxsize=256)
def parse_rules(text: str) -> Rules:
    """The rules in `text`; what is said about nobody else is asked about. PersonError names the words that
    can't be read, and what to write."""
    if len(text) > MAX_RULE_CHARS:
        raise _mistake(f"The rules are longer than {MAX_RULE_CHARS} characters.")
    clauses = [_clause(one) for one in text.split(";") if one.strip()]
    if not clauses:
        raise _mistake("There are no rules in these words.")
    if clauses[-1].conditions:
        clauses.append(Clause((), Answer.ON_REQUEST))
    if any(not one.conditions for one in clauses[:-1]):
        raise _mistake("`others` fits everybody who is left: nothing can come after it.")
    if len(clauses) > MAX_RULE_CLAUSES:
        raise _mistake(f"There are more than {MAX_RULE_CLAUSES} rules.")
    return tuple(clauses)


def plain_rules(*, instant: bool, min_trust: int, strangers_on_request: bool) -> Rules:
    """The rules that the plain settings come to, where a host says nothing in words. min_trust: per mille."""
    first_timer = Condition(What.FIRST_TIMER)
    trusted = Clause((first_timer, Condition(What.TRUST_BELOW, min_trust)), Answer.NOT_AT_ALL)
    known = Clause((Condition(What.KNOWN),), Answer.INSTANTLY)
    asked = not instant or strangers_on_request
    return (
        *([trusted] if min_trust else []),
        *([known] if instant and strangers_on_request else []),
        Clause((), Answer.ON_REQUEST if asked else Answer.INSTANTLY),
    )


def takes_known(rules: Rules) -> bool:
    """Whether some driver whom the host knows is answered by these rules at once."""
    return any(
        one.answer is Answer.INSTANTLY and Condition(What.FIRST_TIMER) not in one.conditions for one in rules
    )


def least_trust(rules: Rules) -> int:
    """The trust (per mille) below which these rules refuse first-timers, whatever else they ask for."""
    told = (What.FIRST_TIMER, What.TRUST_BELOW)
    return max(
        (
            condition.value
            for clause in rules
            if clause.answer is Answer.NOT_AT_ALL and all(one.what in told for one in clause.conditions)
            for condition in clause.conditions
            if condition.what is What.TRUST_BELOW
        ),
        default=0,
    )


def write_rules(rules: Rules) -> str:
    """The words that `parse_rules` reads as these rules."""
    return "; ".join(map(write_clause, rules))


def write_clause(clause: Clause) -> str:
    who = " and ".join(map(write_condition, clause.conditions)) or "others"
    return f"{who} {clause.answer.value}"


def write_condition(condition: Condition) -> str:
    return _PHRASES[condition.what].write(condition)


# --- reading --------------------------------------------------------------------------------------


def _clause(text: str) -> Clause:
    words = " ".join(text.split())
    answer = next((one for one in Answer if words.lower().endswith(f" {one.value}")), None)
    if answer is None:
        ends = ", ".join(f"`{one.value}`" for one in Answer)
        raise _mistake(f"{words[:60]!r} doesn't say what it leads to: it ends with {ends}.")
    who = words[: -len(answer.value)].strip()
    if who.lower() in ("others", "all others", "everybody", "everybody else"):
        return Clause((), answer)
    conditions = tuple(_condition(one) for one in re.split(r"\s+and\s+|\s*,\s*", who, flags=re.IGNORECASE))
    if len(conditions) > MAX_RULE_CONDITIONS:
        raise _mistake(f"{words[:60]!r} has more than {MAX_RULE_CONDITIONS} conditions.")
    return Clause(conditions, answer)


def _condition(words: str) -> Condition:
    for what, phrase in _PHRASES.items():
        match = phrase.pattern.fullmatch(words)
        if match:
            return _checked(what, phrase, match[1] if phrase.pattern.groups else None, words)
    raise _mistake(f"{words[:60]!r} is no condition.")


def _checked(what: What, phrase: _Phrase, said: str | None, words: str) -> Condition:
    try:
        value = phrase.read(said or "")
    except (ValueError, PersonError) as error:
        reason = error.message if isinstance(error, PersonError) else f"{error}"
        raise _mistake(f"{words[:60]!r} can't be read: {reason.rstrip('.')}.") from None
    return Condition(what, value) if isinstance(value, int) else Condition(what, 0, value)


def _mistake(message: str) -> PersonError:
    known = ", ".join(phrase.example for phrase in _PHRASES.values())
    hint = f"Write for example: {_EXAMPLE}. Conditions, joined by `and`: {known}."
    return PersonError("bad-rules", message, hint, ExitCode.USAGE)


def _nothing(_: str) -> int:
    return 0


def _percent(text: str) -> int:
    per_mille = parse_decimal(text, 10)
    if per_mille > 1000:
        raise ValueError("trust goes from 0 to 100 %")
    return per_mille


def _sessions(text: str) -> int:
    if len(text) > 6 or int(text) > _MOST_SESSIONS:
        raise ValueError(f"it goes up to {_MOST_SESSIONS}")
    return int(text)


def _minutes(text: str) -> int:
    minutes, rest = divmod(parse_duration(text), MINUTE_MS)
    if rest or minutes > _MOST_MINUTES:
        raise ValueError("it takes whole minutes, up to a year")
    return minutes


def _plug(text: str) -> str:
    found = next((one for one in CONNECTOR_TYPES if one.lower() == text.lower()), None)
    if found is None:
        raise ValueError("plugs have OCPI's names here, such as IEC_62196_T2")
    return found


# --- the conditions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Phrase:
    """One condition in words. pattern: its group, if any, is what `read` gets (an int is the condition's
    value, text its name; ValueError with a reason)."""

    pattern: re.Pattern[str]
    example: str
    read: Callable[[str], int | str]
    write: Callable[[Condition], str]
    holds: Callable[[Facts, Condition], bool]


def _phrase(
    pattern: str,
    example: str,
    holds: Callable[[Facts, Condition], bool],
    read: Callable[[str], int | str] = _nothing,
    write: Callable[[Condition], str] | None = None,
) -> _Phrase:
    fixed = write or (lambda _: example)
    return _Phrase(re.compile(pattern, re.IGNORECASE | re.ASCII), example, read, fixed, holds)


def trust_of(condition: Condition) -> str:
    return f"{format_decimal(condition.value, 10)} %"


def time_of(condition: Condition) -> str:
    return format_duration(condition.value * MINUTE_MS)


def count_of(condition: Condition) -> str:
    return f"{condition.value} session{'' if condition.value == 1 else 's'}"


_TRUST = r"(\d+(?:\.\d)?) ?(?:%|percent|per cent)"
_TIME = r"(\d[\d. a-z]*?)"
_COUNT = r"(\d+) (?:completed )?(?:sessions?|charges?)"

_PHRASES: dict[What, _Phrase] = {
    What.KNOWN: _phrase(r"(?:a )?known(?: drivers?)?", "known drivers", lambda f, c: f.known),
    What.FIRST_TIMER: _phrase(
        r"(?:a )?first[- ]?timers?|strangers?", "first-timers", lambda f, c: not f.known
    ),
    What.MEMBER: _phrase(
        r"(?:a )?members?(?: of ([a-z0-9-]{1,24}))?",
        "members",
        lambda f, c: f.group is not None and c.name in ("", f.group),
        str.lower,
        lambda c: f"members of {c.name}" if c.name else "members",
    ),
    What.VOUCHED: _phrase(
        r"vouched(?: for)?(?: by (?:someone|somebody) i know)?",
        "vouched for by someone I know",
        lambda f, c: f.vouched,
    ),
    What.TRUST_BELOW: _phrase(
        rf"(?:a )?trust (?:of )?(?:below|under|less than) {_TRUST}",
        "trust below 40 %",
        lambda f, c: f.trust < c.value,
        _percent,
        lambda c: f"trust below {trust_of(c)}",
    ),
    What.TRUST_FROM: _phrase(
        rf"(?:a )?trust (?:of )?(?:at least|from) {_TRUST}",
        "trust of at least 40 %",
        lambda f, c: f.trust >= c.value,
        _percent,
        lambda c: f"trust of at least {trust_of(c)}",
    ),
    What.WITH_ME_FROM: _phrase(
        rf"at least {_COUNT} with me",
        "at least 3 sessions with me",
        lambda f, c: f.sessions_with_me >= c.value,
        _sessions,
        lambda c: f"at least {count_of(c)} with me",
    ),
    What.WITH_ME_BELOW: _phrase(
        rf"(?:fewer|less) than {_COUNT} with me",
        "fewer than 3 sessions with me",
        lambda f, c: f.sessions_with_me < c.value,
        _sessions,
        lambda c: f"fewer than {count_of(c)} with me",
    ),
    What.IN_ALL_FROM: _phrase(
        rf"at least {_COUNT} in all",
        "at least 5 sessions in all",
        lambda f, c: f.sessions_in_all >= c.value,
        _sessions,
        lambda c: f"at least {count_of(c)} in all",
    ),
    What.IN_ALL_BELOW: _phrase(
        rf"(?:fewer|less) than {_COUNT} in all",
        "fewer than 5 sessions in all",
        lambda f, c: f.sessions_in_all < c.value,
        _sessions,
        lambda c: f"fewer than {count_of(c)} in all",
    ),
    What.AHEAD_FROM: _phrase(
        rf"(?:asked )?at least {_TIME} ahead",
        "at least 2 h ahead",
        lambda f, c: f.ahead >= c.value,
        _minutes,
        lambda c: f"at least {time_of(c)} ahead",
    ),
    What.AHEAD_BELOW: _phrase(
        rf"(?:asked )?less than {_TIME} ahead",
        "less than 2 h ahead",
        lambda f, c: f.ahead < c.value,
        _minutes,
        lambda c: f"less than {time_of(c)} ahead",
    ),
    What.LASTS_TO: _phrase(
        rf"(?:for )?at most {_TIME}",
        "at most 8 h",
        lambda f, c: f.minutes <= c.value,
        _minutes,
        lambda c: f"at most {time_of(c)}",
    ),
    What.LASTS_OVER: _phrase(
        rf"(?:for )?(?:longer|more) than {_TIME}",
        "longer than 8 h",
        lambda f, c: f.minutes > c.value,
        _minutes,
        lambda c: f"longer than {time_of(c)}",
    ),
    What.VEHICLE_NAMED: _phrase(
        r"(?:a )?vehicle named|with (?:a )?named vehicle", "vehicle named", lambda f, c: f.vehicle
    ),
    What.VEHICLE_UNNAMED: _phrase(
        r"(?:no vehicle|vehicle not) named", "vehicle not named", lambda f, c: not f.vehicle
    ),
    What.PLUG: _phrase(
        r"(?:a |with )?plug ([a-z0-9_]{1,40})",
        "plug IEC_62196_T2",
        lambda f, c: f.plug == c.name,
        _plug,
        lambda c: f"plug {c.name}",
    ),
}
