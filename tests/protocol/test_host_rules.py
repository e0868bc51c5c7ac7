"""Rules in words: what is written is read back as the same rules, and every driver gets an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.host_rules import (
    MAX_RULE_CHARS,
    Answer,
    Clause,
    Condition,
    Facts,
    What,
    decide,
    holds,
    least_trust,
    parse_rules,
    plain_rules,
    takes_known,
    write_clause,
    write_rules,
)
from chargemesh_protocol.host_rules_text import sentences

SOMEBODY = Facts(
    known=False,
    trust=0,
    sessions_with_me=0,
    sessions_in_all=0,
    vouched=False,
    group=None,
    minutes=60,
    ahead=600,
    vehicle=False,
    plug="",
)
VALUES: dict[What, st.SearchStrategy[Any]] = {
    What.TRUST_BELOW: st.integers(0, 1000),
    What.TRUST_FROM: st.integers(0, 1000),
    **dict.fromkeys(
        (What.WITH_ME_FROM, What.WITH_ME_BELOW, What.IN_ALL_FROM, What.IN_ALL_BELOW), st.integers(0, 10_000)
    ),
    **dict.fromkeys(
        (What.LASTS_TO, What.LASTS_OVER, What.AHEAD_FROM, What.AHEAD_BELOW), st.integers(0, 366 * 24 * 60)
    ),
}
NAMES: dict[What, st.SearchStrategy[str]] = {
    What.MEMBER: st.sampled_from(["", "family", "house-7"]),
    What.PLUG: st.sampled_from(["IEC_62196_T2", "CHADEMO"]),
}


def conditions() -> st.SearchStrategy[Condition]:
    return st.sampled_from(What).flatmap(
        lambda what: st.builds(
            Condition, st.just(what), VALUES.get(what, st.just(0)), NAMES.get(what, st.just(""))
        )
    )


def rules() -> st.SearchStrategy[tuple[Clause, ...]]:
    clause = st.builds(
        Clause, st.lists(conditions(), min_size=1, max_size=3).map(tuple), st.sampled_from(Answer)
    )
    others = st.builds(Clause, st.just(()), st.sampled_from(Answer))
    return st.builds(lambda some, last: (*some, last), st.lists(clause, max_size=5), others)


def facts() -> st.SearchStrategy[Facts]:
    return st.builds(
        Facts,
        known=st.booleans(),
        trust=st.integers(0, 1000),
        sessions_with_me=st.integers(0, 50),
        sessions_in_all=st.integers(0, 50),
        vouched=st.booleans(),
        group=st.sampled_from([None, "", "family"]),
        minutes=st.integers(1, 20_160),
        ahead=st.integers(0, 20_160),
        vehicle=st.booleans(),
        plug=st.sampled_from(["", "IEC_62196_T2"]),
    )


@given(rules())
def test_what_is_read_back_is_the_same_rules(given: tuple[Clause, ...]) -> None:
    words = write_rules(given)
    if len(words) <= MAX_RULE_CHARS:
        assert parse_rules(words) == given
        assert parse_rules(words.upper().replace(" I ", " i ")) == given


@given(rules(), facts())
def test_the_first_clause_that_fits_counts_and_there_always_is_one(
    given: tuple[Clause, ...], who: Facts
) -> None:
    found = decide(given, who)
    before = given[: given.index(found)]
    assert all(holds(one, who) for one in found.conditions)
    assert not any(all(holds(one, who) for one in clause.conditions) for clause in before)


@given(st.text(max_size=60))
def test_any_words_are_read_or_refused_with_a_hint(words: str) -> None:
    try:
        assert parse_rules(words)[-1].conditions == ()
    except PersonError as error:
        assert error.code == "bad-rules" and "instantly" in error.hint


def test_the_example_of_the_readme() -> None:
    read = parse_rules(
        "known drivers instantly; members instantly; "
        "vouched for by someone I know and at most 8 h instantly; first-timers on request; "
        "trust below 40 % not at all"
    )
    answers = [
        (replace(SOMEBODY, known=True), "known drivers instantly"),
        (replace(SOMEBODY, group="family"), "members instantly"),
        (replace(SOMEBODY, vouched=True), "vouched for by someone I know and at most 8 h instantly"),
        (replace(SOMEBODY, vouched=True, minutes=481), "first-timers on request"),
    ]
    assert [write_clause(decide(read, who)) for who, _ in answers] == [words for _, words in answers]
    assert read[-1] == Clause((), Answer.ON_REQUEST)


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("Known Drivers  INSTANTLY", "known drivers instantly; others on request"),
        ("strangers not at all; everybody else instantly", "first-timers not at all; others instantly"),
        (
            "known, for at most 90 min instantly",
            "known drivers and at most 1 h 30 min instantly; others on request",
        ),
        ("members of Family instantly", "members of family instantly; others on request"),
        ("trust under 40.5% not at all", "trust below 40.5 % not at all; others on request"),
        ("plug iec_62196_t2 instantly;", "plug IEC_62196_T2 instantly; others on request"),
        ("at least 1 session with me instantly", "at least 1 session with me instantly; others on request"),
    ],
)
def test_other_words_for_the_same(words: str, same: str) -> None:
    assert write_rules(parse_rules(words)) == same


def test_in_sentences_for_the_host() -> None:
    read = parse_rules(
        "members of family instantly; vouched and at most 8 h instantly; trust below 40 % not at all"
    )
    assert list(sentences(read)) == [
        "Whoever is a member of family is accepted at once.",
        "Whoever is vouched for by someone you know and asks for at most 8 h is accepted at once.",
        "Whoever has a trust below 40 % is refused.",
        "Everybody else waits for your answer.",
    ]


@given(rules())
def test_every_clause_has_its_sentence(given: tuple[Clause, ...]) -> None:
    told = list(sentences(given))
    assert len(told) == len(given) and all(one.endswith(".") for one in told)


@pytest.mark.parametrize(
    "words",
    [
        "",
        ";",
        "known drivers",
        "known drivers maybe",
        "friends instantly",
        "others instantly; known drivers not at all",
        "trust below 101 % not at all",
        "at most 8 parsecs instantly",
        "plug TYPE_9 instantly",
        "at least 10001 sessions in all instantly",
        "known drivers and instantly",
        ";".join(["known drivers instantly"] * 24),
        "known " * 300 + "instantly",
    ],
)
def test_what_cannot_be_read_is_refused(words: str) -> None:
    with pytest.raises(PersonError) as caught:
        parse_rules(words)
    assert caught.value.code == "bad-rules"


@pytest.mark.parametrize(
    ("instant", "min_trust", "on_request", "same"),
    [
        (True, 0, False, "others instantly"),
        (True, 0, True, "known drivers instantly; others on request"),
        (False, 0, True, "others on request"),
        (
            True,
            400,
            True,
            "first-timers and trust below 40 % not at all; known drivers instantly; others on request",
        ),
        (False, 5, False, "first-timers and trust below 0.5 % not at all; others on request"),
    ],
)
def test_plain_settings_are_rules_too(instant: bool, min_trust: int, on_request: bool, same: str) -> None:
    plain = plain_rules(instant=instant, min_trust=min_trust, strangers_on_request=on_request)
    assert write_rules(plain) == same
    # What a listing says of them is what was set.
    assert (takes_known(plain), least_trust(plain)) == (instant, min_trust)
