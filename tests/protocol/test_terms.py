"""What it costs when a booking does not happen as agreed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.encoding import decode, encode
from chargemesh_protocol.shape import from_tree, to_tree
from chargemesh_protocol.terms import (
    CancellationTier,
    Terms,
    cancellation_cost,
    describe_terms,
    host_failure_compensation,
    no_show_cost,
)

from .prices import BEGIN, CENT, EURO, HOUR, MINUTE

TERMS = Terms(
    tiers=(CancellationTier(24 * 60, 20), CancellationTier(120, 50, 2 * EURO)),
    no_show_percent=80,
    host_failure_percent=10,
    overstay_per_hour=6 * EURO,
    overstay_grace=15,
)
CAP = 10 * EURO
ANY_TERMS = st.builds(
    lambda begins, percents, fixed, no_show: Terms(
        tiers=tuple(
            CancellationTier(begin, percent, micro)
            for begin, percent, micro in zip(sorted(begins, reverse=True), percents, fixed, strict=False)
        ),
        no_show_percent=no_show,
    ),
    st.sets(st.integers(0, 3000), max_size=4),
    st.lists(st.integers(0, 100), min_size=4, max_size=4),
    st.lists(st.integers(0, 30 * EURO), min_size=4, max_size=4),
    st.integers(0, 100),
)


def cost(minutes_before: int, cap: int = CAP, terms: Terms = TERMS) -> int:
    """The cost, in cents, of cancelling so long before the start."""
    return cancellation_cost(terms, cap, BEGIN, BEGIN - minutes_before * MINUTE) // CENT


def test_tiers_begin_just_after_free_cancellation_ends() -> None:
    assert TERMS.free_minutes == 24 * 60
    assert TERMS.free_until(BEGIN) == BEGIN - 24 * HOUR
    assert [cost(24 * 60), cost(24 * 60 - 1), cost(120), cost(119), cost(1)] == [0, 200, 200, 500, 500]
    assert [cost(0), cost(-600)] == [800, 800]
    assert no_show_cost(TERMS, CAP, BEGIN) == 8 * EURO


def test_a_fixed_fee_is_a_least_and_the_cap_is_a_most() -> None:
    assert cost(60, cap=3 * EURO) == 200
    assert cost(60, cap=EURO) == 100


def test_terms_without_tiers_are_free_until_the_start() -> None:
    free = Terms(no_show_percent=50)
    assert free.free_until(BEGIN) == BEGIN
    assert [cost(1, terms=free), cost(0, terms=free)] == [0, 500]
    assert cost(-1, terms=Terms()) == 0


def test_the_hosts_side() -> None:
    assert host_failure_compensation(TERMS, CAP) == EURO


@given(
    ANY_TERMS, st.integers(0, 10**9), st.lists(st.integers(-3500, 100), min_size=2, max_size=2).map(sorted)
)
def test_waiting_never_makes_it_cheaper_nor_dearer_than_the_cap(
    terms: Terms, cap: int, minutes: list[int]
) -> None:
    sooner, later = (cancellation_cost(terms, cap, BEGIN, BEGIN + minute * MINUTE) for minute in minutes)
    assert 0 <= sooner <= later <= no_show_cost(terms, cap, BEGIN) <= cap
    assert from_tree(Terms, decode(encode(to_tree(terms)))) == terms


def test_terms_in_words() -> None:
    assert describe_terms(TERMS, "EUR") == (
        "Cancelling is free until 1 d before the start."
        " From 1 d before the start it costs 20 % of the highest price."
        " From 2 h before the start it costs 50 % of the highest price and at least 2.00 EUR."
        " Not coming within 30 min of the start costs 80 % of the highest price."
        " Staying over 15 min beyond the end costs 6.00 EUR more an hour."
        " If the host fails you, they owe you 10 % of the highest price."
    )
    assert describe_terms(Terms(), "EUR").startswith(
        "Cancelling is free until the start. Not coming within 30 min"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"tiers": (CancellationTier(60, 50), CancellationTier(120, 20))},
        {"tiers": (CancellationTier(60, 50), CancellationTier(60, 20))},
        {"no_show_percent": 101},
        {"host_failure_percent": -1},
        {"no_show_after": -1},
        {"overstay_per_hour": -1},
    ],
)
def test_refuses_terms_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"tiers|percentage|minutes|price"):
        Terms(**wrong)  # type: ignore[arg-type]
    for tier in ((-1, 0, 0), (1, 101, 0), (1, 0, -1)):
        with pytest.raises(ValueError, match=r"tier|fee"):
            CancellationTier(*tier)
