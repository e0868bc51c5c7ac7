"""Rules, members, codes and blocked people on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from . import samples
from .contract import require_fits
from .person import Person
from .stub_node import StubNode

CHARGER = f"chargers/{samples.CHARGER}"
STANDING = {
    "known": False,
    "trust": 405,
    "with_me": 0,
    "in_all": 7,
    "vouched": True,
    "member": False,
    "group": "",
    "blocked": False,
}
OUTLOOK = {
    **STANDING,
    "answer": "on request",
    "code": "",
    "sentence": "Waits for you: others on request.",
    "told": "",
    "clauses": [
        {"words": "a", "sentence": "Whoever has charged with you before …", "fits": False, "counts": False},
        {"words": "b", "sentence": "Everybody else waits for your answer.", "fits": True, "counts": True},
    ],
}
CODE = {
    "link": "chargemesh:walk-in/AAAA",
    "qr_terminal": "##",
    "answer": "instantly",
    "title": "G",
    "lead_minutes": 0,
}


@pytest.mark.parametrize(
    ("flags", "policy"),
    [
        (("--rules", "Known  drivers instantly"), {"words": "known drivers instantly; others on request"}),
        (("--rules", "none"), {"words": ""}),
        (("--answer-within", "2h, then decline"), {"answer_minutes": 120, "otherwise": "DECLINE"}),
        (("--answer-within", "90m then accept"), {"answer_minutes": 90, "otherwise": "ACCEPT"}),
        (("--answer-within", "none"), {"answer_minutes": 0}),
        (("--members-only", "hidden"), {"members_only": "hidden"}),
        (("--walk-in", "on request"), {"walk_in": "on request"}),
    ],
)
def test_flags_say_how_requests_are_answered(
    person: Person, node: StubNode, flags: tuple[str, ...], policy: dict[str, Any]
) -> None:
    node.answers[f"GET {CHARGER}"] = node.answers[f"PATCH {CHARGER}"] = samples.CHARGER_VIEW
    assert person.types("charger", "edit", samples.CHARGER, *flags).code == 0
    assert node.asked[-1].body == {"policy": policy}
    require_fits("policy", policy)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--rules", "friends instantly"), "--rules: 'friends' is no condition."),
        (("--answer-within", "2h"), "doesn't say what happens without an answer"),
        (("--answer-within", "1m, then accept"), "out of range"),
        (("--members-only", "maybe"), "--members-only: There is no answer 'maybe'."),
    ],
)
def test_what_cannot_be_read_names_its_flag(
    person: Person, node: StubNode, flags: tuple[str, ...], words: str
) -> None:
    said = person.types("charger", "edit", samples.CHARGER, *flags)
    assert said.code == 2 and words in " ".join(said.err.split())


def test_rules_in_words_are_not_overruled_by_a_switch(person: Person, node: StubNode) -> None:
    own = {**samples.WHO_MAY, "own": True}
    node.answers[f"GET {CHARGER}"] = {**samples.CHARGER_VIEW, "who_may": own}
    said = person.types("charger", "edit", samples.CHARGER, "--instant")
    assert said.code == 2 and "--rules" in said.err


def test_rules_are_read_back(person: Person, node: StubNode) -> None:
    node.answers[f"GET {CHARGER}"] = samples.CHARGER_VIEW
    said = person.types("charger", "rules", "show", samples.CHARGER)
    assert "1. Whoever has charged with you before is accepted at once." in said.out
    assert "In words: known drivers instantly; others on request" in said.out


def test_explain_says_which_rule_counts(person: Person, node: StubNode) -> None:
    node.answers[f"POST {CHARGER}/rules"] = OUTLOOK
    when = ("--from", "2027-01-15T09:00", "--for", "3h", "--zone", samples.ZONE)
    said = person.types("charger", "rules", "explain", samples.CHARGER, "last", "--plug", "CCS", *when)
    sent = node.asked[-1].body
    require_fits("rules", sent)
    assert (sent["peer"], sent["plug"]) == ("last", "IEC_62196_T2_COMBO")
    assert "2. Everybody else waits for your answer. (this one counts)" in said.out
    assert "trust 40.5 %" in said.out and "vouched for" in said.out
    assert person.types("charger", "rules", "explain", samples.CHARGER, *when).code == 2


def test_members(person: Person, node: StubNode) -> None:
    member = {"author": samples.AUTHOR, "name": "Anna", "group": "family"}
    node.answers["POST members"] = node.answers["GET members"] = {"members": [member]}
    person.types("charger", "members", "add", "last", "--name", "Anna", "--group", "Family")
    require_fits("member", node.asked[-1].body)
    assert node.asked[-1].body == {"peer": "last", "name": "Anna", "group": "family"}
    assert "Anna" in person.types("charger", "members", "list").out


def test_a_code_is_shown_or_written(person: Person, node: StubNode, tmp_path: Path) -> None:
    node.answers[f"POST {CHARGER}/code"] = CODE
    node.answers[f"GET {CHARGER}/code.svg"] = b"<svg/>"
    said = person.types("charger", "qr", samples.CHARGER)
    assert "##" in said.out and said.out.rstrip().endswith(CODE["link"])
    sheet = tmp_path / "sheet.svg"
    assert person.types("charger", "qr", samples.CHARGER, "--out", str(sheet)).code == 0
    assert sheet.read_bytes() == b"<svg/>" and sheet.stat().st_mode & 0o777 == 0o600
    assert person.types("charger", "qr", samples.CHARGER, "--out", "sheet.pdf").code == 2


def test_a_walk_in_shows_the_price_and_books(person: Person, node: StubNode) -> None:
    node.answers["POST walk-in"] = samples.QUOTE_VIEW
    node.answers["POST bookings"] = samples.BOOKING_VIEW
    said = person.types("walk-in", CODE["link"], "--for", "2h", "--yes")
    assert said.code == 0 and "11.55 EUR" in said.err
    asked, booked = node.asked[-2:]
    require_fits("walk-in", asked.body)
    require_fits("book", booked.body)
    assert person.types("walk-in", CODE["link"], "--for", "2h", "--until", "20:00", "--yes").code == 2


def test_blocking_offers_to_cancel_for_safety(person: Person, node: StubNode) -> None:
    someone = {
        "author": samples.AUTHOR,
        "since": samples.START,
        "reason": "",
        "bookings": [samples.BOOKING_LINE],
    }
    node.answers["POST blocked"] = someone
    node.answers["GET blocked"] = {"blocked": [someone]}
    node.answers[f"POST bookings/{samples.BOOKING}/cancel"] = samples.BOOKING_VIEW
    said = person.types("block", "last", "--reason", "loud")
    require_fits("block", node.asked[-1].body)
    assert "--reason SAFETY" in said.out
    person.types("block", "last", "--cancel")
    assert node.asked[-1].body == {"reason": "SAFETY"}
    assert samples.AUTHOR[:8] in person.types("blocked").out


def test_cancelling_can_block_as_well(person: Person, node: StubNode) -> None:
    path = f"bookings/{samples.BOOKING}"
    node.answers[f"GET {path}"] = node.answers[f"POST {path}/cancel"] = samples.BOOKING_VIEW
    node.answers["POST blocked"] = {"author": samples.AUTHOR, "bookings": []}
    person.types("booking", "cancel", samples.BOOKING, "--reason", "safety", "--block", "--yes")
    sent = {one.path: one.body for one in node.asked if one.method == "POST"}
    assert sent == {
        f"{path}/cancel": {"reason": "SAFETY"},
        "blocked": {"peer": samples.BOOKING, "reason": ""},
    }
