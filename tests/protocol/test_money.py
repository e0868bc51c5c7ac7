"""Amounts are micro-units; coins appear only where a total is rounded."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.money import (
    CURRENCIES,
    divide_half_up,
    format_amount,
    minor_digits,
    minor_unit,
    parse_amount,
    parse_currency,
    round_to_minor,
)

AMOUNTS = st.integers(-(10**16), 10**16)
CODES = st.sampled_from(sorted(CURRENCIES))


def test_currencies_have_their_own_minor_digits() -> None:
    assert [minor_digits(code) for code in ("EUR", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)
    assert parse_currency(" eur ") == "EUR"


@pytest.mark.parametrize(
    ("typed", "meant"), [("EURO", "EUR"), ("€", "EUR"), ("EUE", "EUR"), ("12", "ISO 4217")]
)
def test_a_currency_that_does_not_exist_is_a_clear_error(typed: str, meant: str) -> None:
    with pytest.raises(PersonError) as caught:
        parse_currency(typed)
    assert "There is no currency" in caught.value.message
    assert meant in caught.value.hint
    with pytest.raises(ValueError, match="no currency"):
        minor_digits("XXQ")


@pytest.mark.parametrize(
    ("text", "micro"), [("0.40", 400_000), ("0,4", 400_000), ("12.30 EUR", 12_300_000), ("0.395eur", 395_000)]
)
def test_reads_amounts(text: str, micro: int) -> None:
    assert parse_amount(text, "EUR") == micro


@pytest.mark.parametrize("text", ["", "-1", "1,000", "0.1234567", "1e3", "EUR", "35ct", "EUR 1 EUR"])
def test_refuses_what_is_no_amount(text: str) -> None:
    with pytest.raises(PersonError) as caught:
        parse_amount(text, "EUR")
    assert "0.40" in caught.value.hint


def test_prints_as_many_digits_as_the_currency_has_and_more_for_finer_prices() -> None:
    assert format_amount(12_300_000, "EUR") == "12.30 EUR"
    assert format_amount(395_000, "EUR") == "0.395 EUR"
    assert format_amount(500_000_000, "JPY") == "500 JPY"
    assert format_amount(-1_000_000, "KWD") == "-1.000 KWD"


@given(st.integers(0, 10**16), CODES)
def test_amounts_print_and_read_back(micro: int, currency: str) -> None:
    assert parse_amount(format_amount(micro, currency), currency) == micro


@given(AMOUNTS, st.integers(1, 10**8))
def test_division_rounds_half_away_from_zero(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    rounded = divide_half_up(numerator, denominator)
    assert abs(rounded - exact) <= Fraction(1, 2)
    if abs(rounded - exact) == Fraction(1, 2):
        assert abs(rounded) > abs(exact)
    assert divide_half_up(-numerator, denominator) == -rounded


@given(AMOUNTS, CODES)
def test_a_rounded_total_is_payable_and_stays(micro: int, currency: str) -> None:
    total = round_to_minor(micro, currency)
    assert total % minor_unit(currency) == 0
    assert abs(total - micro) * 2 <= minor_unit(currency)
    assert round_to_minor(total, currency) == total


def test_half_a_cent_goes_up() -> None:
    assert [round_to_minor(micro, "EUR") for micro in (4_999, 5_000, 15_000, -5_000)] == [
        0,
        10_000,
        20_000,
        -10_000,
    ]


@pytest.mark.parametrize("text", ["0.40", "0,40", "0.40 EUR", "eur 0.40", "€0.40", "0.40€", "0.40 euro"])
def test_the_currency_may_stand_beside_the_number(text: str) -> None:
    assert parse_amount(text, "EUR") == 400_000


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("0.35 XYZ", "bad-currency", "There is no currency 'XYZ'. Write its ISO 4217 code"),
        ("0.35 ERU", "bad-currency", "Did you mean EUR?"),
        ("0.35 CHF", "other-currency", "with --currency CHF"),
        ("$0.35", "other-currency", "is in USD, and these prices are in EUR"),
    ],
)
def test_another_currency_says_what_to_do(text: str, code: str, says: str) -> None:
    with pytest.raises(PersonError) as caught:
        parse_amount(text, "EUR")
    assert caught.value.code == code and says in str(caught.value)
