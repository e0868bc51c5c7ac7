"""IBANs and the text of a SEPA QR code, beside another implementation of the standard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from segno import helpers

from chargemesh_protocol.payment_text import (
    IBAN_LENGTHS,
    check_iban,
    epc_text,
    format_iban,
)

from .prices import CENT, EURO

# The examples that the registry of ISO 13616 prints.
IBANS = [
    "DE89 3704 0044 0532 0130 00",
    "AT61 1904 3002 3457 3201",
    "FR14 2004 1010 0505 0001 3M02 606",
    "NL91 ABNA 0417 1643 00",
    "ES91 2100 0418 4502 0005 1332",
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "NO93 8601 1117 947",
    "CH93 0076 2011 6238 5295 7",
]
DE = "DE89370400440532013000"


@pytest.mark.parametrize("iban", IBANS)
def test_valid_ibans(iban: str) -> None:
    assert format_iban(check_iban(iban.lower())) == iban
    assert check_iban(iban.replace(" ", "-")) == check_iban(f" {iban} ")


@given(st.sampled_from(IBANS), st.data())
def test_one_wrong_character_or_two_swapped_are_found(iban: str, data: st.DataObject) -> None:
    good = check_iban(iban)
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from("0123456789" if good[at].isdigit() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    swapped = good[:at] + good[at : at + 2][::-1] + good[at + 2 :]
    for bad in {good[:at] + other + good[at + 1 :], swapped} - {good}:
        with pytest.raises(ValueError, match=r"check digits|has \d+ characters|SEPA|two letters"):
            check_iban(bad)


@pytest.mark.parametrize(
    "text", ["", "DE", "DE8937040044053201300", "US12 3456 7890 1234 5678", "DE89 3704 0044 0532 0130 0ü"]
)
def test_what_is_no_iban_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r"an IBAN (has|of DE has)|SEPA"):
        check_iban(text)


def test_lengths_are_known_for_the_countries_of_sepa() -> None:
    assert len(IBAN_LENGTHS) == 42 and IBAN_LENGTHS["DE"] == 22


def test_the_text_of_a_transfer() -> None:
    name = " Erika  Müller\n"
    said = epc_text(name=name, iban=IBANS[0], amount_micro=12_345_000, remittance="booking 7f3a")
    assert said == f"BCD\n002\n1\nSCT\n\nErika Müller\n{DE}\nEUR12.35\n\n\nbooking 7f3a"


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
    st.integers(1, 10**9),
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40),
)
def test_another_implementation_writes_the_same_transfer(name: str, cents: int, text: str) -> None:
    ours = epc_text(name=name, iban=DE, amount_micro=cents * CENT, remittance=text).split("\n")
    theirs = helpers._make_epc_qr_data(
        name=ours[5], iban=DE, amount=f"{cents // 100}.{cents % 100:02d}", text=ours[10], encoding=1
    )
    amount = ours[7].rstrip("0").rstrip(".")  # trailing zeros are allowed, they leave them out
    assert [*ours[:7], amount, *ours[8:]] == theirs.decode().split("\n")


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_name_or_text_can_add_a_line(name: str, text: str) -> None:
    try:
        found = epc_text(name=name, iban=DE, amount_micro=EURO, remittance=text)
    except ValueError:
        return
    assert len(found.splitlines()) in (8, 11)
    assert len(found.encode()) <= 331


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"amount_micro": 4_999}, "0.01 to"),
        ({"amount_micro": 10**15}, "0.01 to"),
        ({"name": " \n"}, "name has 1 to 70"),
        ({"name": "n" * 71}, "name has 1 to 70"),
        ({"remittance": "t" * 141}, "at most 140"),
        ({"name": "é" * 70, "remittance": "é" * 140}, "331 bytes"),
        ({"iban": "DE00370400440532013000"}, "check digits"),
        ({"iban": IBANS[-1]}, "needs the bank's BIC"),
        ({"bic": "NOBIC"}, "is not a BIC"),
    ],
)
def test_refuses_what_no_bank_would_take(wrong: dict[str, str | int], why: str) -> None:
    usual: dict[str, str | int] = {"name": "Erika", "iban": DE, "amount_micro": EURO, "remittance": "thanks"}
    with pytest.raises(ValueError, match=why):
        epc_text(**(usual | wrong))  # type: ignore[arg-type]


def test_outside_the_eea_a_bic_is_written() -> None:
    found = epc_text(name="Urs", iban=IBANS[-1], amount_micro=EURO, remittance="", bic="POFICHBEXXX")
    assert found.split("\n")[4:8] == ["POFICHBEXXX", "Urs", "CH9300762011623852957", "EUR1.00"]
