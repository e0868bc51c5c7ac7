"""Each rail says how to pay, or what to do instead."""

from __future__ import annotations

import pytest

from chargemesh_node.payments import Payee, rail_for, rail_named, rails
from chargemesh_protocol.errors import PersonError

ERIKA = Payee("Erika Müller", "DE89 3704 0044 0532 0130 00")
EURO = 1_000_000


def test_by_hand_is_always_possible() -> None:
    found = rail_named("manual").request(1_499_500_000, "JPY", Payee("Hana"), "chargemesh 0001")
    assert (found.amount, found.currency, found.qr) == (1_500_000_000, "JPY", None)
    assert found.text == (
        "Pay 1500 JPY to Hana, in cash or as you agreed, and name chargemesh 0001. The host then confirms it."
    )
    assert "to your host" in rail_named("manual").request(EURO, "EUR", Payee(""), "x").text


def test_sepa_in_words_and_as_a_code() -> None:
    found = rail_named("sepa-qr").request(12_345_000, "EUR", ERIKA, "chargemesh 0001")
    assert found.amount == 12_350_000
    assert found.text == (
        "Transfer 12.35 EUR to Erika Müller, DE89 3704 0044 0532 0130 00, with the text 'chargemesh 0001'."
    )
    assert found.qr is not None and found.qr.split("\n")[5:8] == [
        "Erika Müller",
        "DE89370400440532013000",
        "EUR12.35",
    ]


@pytest.mark.parametrize(
    ("currency", "payee", "rail"),
    [
        ("EUR", ERIKA, "sepa-qr"),
        ("CHF", ERIKA, "manual"),
        ("EUR", Payee("Erika"), "manual"),
        ("EUR", Payee("", ERIKA.account), "manual"),
        ("EUR", Payee("Erika", "DE00 3704 0044 0532 0130 00"), "manual"),
    ],
)
def test_the_first_rail_that_can_is_proposed(currency: str, payee: Payee, rail: str) -> None:
    chosen = rail_for(currency, payee)
    assert chosen.name == rail
    assert chosen.request(EURO, currency, payee, "chargemesh 0001").rail == rail


@pytest.mark.parametrize(("currency", "payee"), [("CHF", ERIKA), ("EUR", Payee("Erika"))])
def test_sepa_says_what_to_do_where_it_is_not_possible(currency: str, payee: Payee) -> None:
    with pytest.raises(PersonError) as caught:
        rail_named("sepa-qr").request(EURO, currency, payee, "x")
    assert caught.value.code == "not-payable" and "by hand" in caught.value.hint


def test_an_unknown_rail_names_those_there_are() -> None:
    with pytest.raises(PersonError, match="sepa-qr, manual"):
        rail_named("gold")
    assert all(len(rail.name) <= 24 for rail in rails())
