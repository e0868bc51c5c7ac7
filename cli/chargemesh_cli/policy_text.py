"""How a host answers requests, in words: its rules, and what they would say to somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chargemesh_protocol.units import format_duration
from chargemesh_protocol.zones import MINUTE_MS

from .render import clean, paragraph

_OTHERWISE = {"ACCEPT": "is accepted", "DECLINE": "is declined"}
_WALK_IN = {
    "instantly": "who reads the code at the charger is accepted at once",
    "on request": "who reads the code at the charger waits for your answer",
    "never": "the code at the charger is good for nothing",
}
_MEMBERS = {
    "shown": "only members, as the listing says",
    "hidden": "only members; to others it seems taken",
}


def rules_text(view: Any) -> str:
    """The rules, sentence by sentence, and the words to copy and change."""
    told = [
        paragraph(one, f"{number}. ", "   ") for number, one in enumerate(view["who_may"]["sentences"], 1)
    ]
    more = [f"{name}: {text}" for name, text in rows(view["settings"]["policy"])]
    return "\n".join([*told, "", f"In words: {view['who_may']['words']}", *more])


def rows(policy: Any) -> Iterator[tuple[str, str]]:
    """Labelled lines of what is set beside the rules."""
    if policy["answer_minutes"]:
        within = format_duration(policy["answer_minutes"] * MINUTE_MS)
        yield (
            "you answer",
            f"within {within}; without an answer the request {_OTHERWISE[policy['otherwise']]}",
        )
    if policy["members_only"]:
        yield "taken", _MEMBERS[policy["members_only"]]
    if policy["walk_in"]:
        yield "walk-ins", _WALK_IN[policy["walk_in"]]


def outlook_text(outlook: Any, who: str) -> str:
    """What would come of a request, who asks, and which of the rules it is by."""
    lines = [paragraph(outlook["sentence"])]
    if outlook["told"]:
        lines.append(paragraph(f"{who} would be told: {clean(outlook['told'])}."))
    lines.append(paragraph(f"{who}: {'; '.join(_standing(outlook))}."))
    for number, clause in enumerate(outlook["clauses"], 1):
        mark = "this one counts" if clause["counts"] else "fits too" if clause["fits"] else "does not fit"
        lines.append(paragraph(f"{clause['sentence']} ({mark})", f"{number}. ", "   "))
    return "\n".join(lines)


def _standing(outlook: Any) -> Iterator[str]:
    if outlook["blocked"]:
        yield "blocked by you"
    if outlook["member"]:
        yield f"a member of {clean(outlook['group'])}" if outlook["group"] else "a member"
    yield "known to you" if outlook["known"] else "a first-timer"
    yield f"trust {outlook['trust'] / 10:g} %"
    yield f"{outlook['with_me']} sessions with you, {outlook['in_all']} in all"
    if outlook["vouched"]:
        yield "vouched for by someone you know"
