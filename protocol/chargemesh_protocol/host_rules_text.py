"""A host's rules in sentences, as they are read back to the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .host_rules import Answer, Condition, Rules, What, count_of, time_of, trust_of
from .listing_text import plug_name

_ANSWERS = {
    Answer.INSTANTLY: "is accepted at once",
    Answer.ON_REQUEST: "waits for your answer",
    Answer.NOT_AT_ALL: "is refused",
}
_WHO: dict[What, Callable[[Condition], str]] = {
    What.KNOWN: lambda c: "has charged with you before",
    What.FIRST_TIMER: lambda c: "has not charged with you before",
    What.MEMBER: lambda c: f"is a member of {c.name}" if c.name else "is a member",
    What.VOUCHED: lambda c: "is vouched for by someone you know",
    What.TRUST_BELOW: lambda c: f"has a trust below {trust_of(c)}",
    What.TRUST_FROM: lambda c: f"has a trust of at least {trust_of(c)}",
    What.WITH_ME_FROM: lambda c: f"has completed at least {count_of(c)} with you",
    What.WITH_ME_BELOW: lambda c: f"has completed fewer than {count_of(c)} with you",
    What.IN_ALL_FROM: lambda c: f"has completed at least {count_of(c)} in all",
    What.IN_ALL_BELOW: lambda c: f"has completed fewer than {count_of(c)} in all",
    What.LASTS_TO: lambda c: f"asks for at most {time_of(c)}",
    What.LASTS_OVER: lambda c: f"asks for more than {time_of(c)}",
    What.AHEAD_FROM: lambda c: f"asks at least {time_of(c)} ahead",
    What.AHEAD_BELOW: lambda c: f"asks less than {time_of(c)} ahead",
    What.VEHICLE_NAMED: lambda c: "names the vehicle",
    What.VEHICLE_UNNAMED: lambda c: "names no vehicle",
    What.PLUG: lambda c: f"has a vehicle for {plug_name(c.name)}",
}


def sentences(rules: Rules) -> Iterator[str]:
    """One a clause, in order: the first that fits counts."""
    for clause in rules:
        who = " and ".join(_WHO[one.what](one) for one in clause.conditions)
        everybody = "Everybody else" if len(rules) > 1 else "Everybody"
        yield f"{f'Whoever {who}' if who else everybody} {_ANSWERS[clause.answer]}."
