"""What a payment request says: IBAN checks and the EPC069-12 text of a SEPA QR code.

EPC069-12 version 002: lines "BCD", version, character set, "SCT", BIC, name, IBAN, amount, purpose,
structured reference, unstructured text; 331 bytes at most, error correction M, QR version 13 at most.
"""

from __future__ import annotations

import re
import unicodedata

from .money import MICRO, round_to_minor
from .units import format_decimal

MAX_NAME_CHARS = 70
MAX_REMITTANCE_CHARS = 140
MAX_EPC_BYTES = 331
# Lengths of IBANs in the countries of the SEPA scheme (ISO 13616 registry).
_COUNTRIES_BY_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FI NL",
    19: "MK SI",
    20: "AT EE LT LU",
    21: "CH HR LI LV",
    22: "BG DE GB IE ME RS VA",
    23: "GI",
    24: "AD CZ ES MD RO SE SK",
    25: "PT",
    26: "IS",
    27: "FR GR IT MC SM",
    28: "AL CY HU PL",
    31: "MT",
}
IBAN_LENGTHS = {code: length for length, codes in _COUNTRIES_BY_LENGTH.items() for code in codes.split()}
OUTSIDE_EEA = frozenset({"AD", "AL", "CH", "GB", "GI", "MC", "MD", "ME", "MK", "RS", "SM", "VA"})
_CENT = MICRO // 100
_MAX_AMOUNT = 999_999_999_99 * _CENT


def check_iban(text: str) -> str:
    """The IBAN in `text` without spaces, in capitals; ValueError, with the reason, if it isn't valid."""
    iban = re.sub(r"[\s-]", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban, re.ASCII):
        raise ValueError("an IBAN has two letters, two digits and 11 to 30 letters or digits")
    wanted = IBAN_LENGTHS.get(iban[:2])
    if wanted is None:
        raise ValueError(f"accounts in {iban[:2]} can't be paid by SEPA transfer")
    if len(iban) != wanted:
        raise ValueError(f"an IBAN of {iban[:2]} has {wanted} characters, this one {len(iban)}")
    # ISO 7064 mod 97-10, letters counting from A = 10.
    if int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 != 1:
        raise ValueError("its check digits are wrong, so a character is mistyped")
    return iban


def format_iban(iban: str) -> str:
    """In groups of four, as banks print it."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))


def epc_text(*, name: str, iban: str, amount_micro: int, remittance: str, bic: str = "") -> str:
    """The text of the QR code for a transfer in euros; version 002 needs a BIC only outside the EEA.

    `amount_micro` is rounded half up to cents and must come to at least one. Line breaks in `name` and
    `remittance` become spaces; text too long for the standard is refused. Raises ValueError.
    """
    amount = round_to_minor(amount_micro, "EUR")
    if not _CENT <= amount <= _MAX_AMOUNT:
        raise ValueError("a SEPA transfer is of 0.01 to 999999999.99 EUR")
    payee = _one_line(name)
    if not 1 <= len(payee) <= MAX_NAME_CHARS:
        raise ValueError(f"the payee's name has 1 to {MAX_NAME_CHARS} characters")
    text = _one_line(remittance)
    if len(text) > MAX_REMITTANCE_CHARS:
        raise ValueError(f"the text of a transfer has at most {MAX_REMITTANCE_CHARS} characters")
    account = check_iban(iban)
    if bic and not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", bic, re.ASCII):
        raise ValueError(f"{bic[:20]!r} is not a BIC")
    if not bic and account[:2] in OUTSIDE_EEA:
        raise ValueError(f"a transfer to {account[:2]} needs the bank's BIC as well")
    euros = format_decimal(amount, MICRO, 2)
    lines = ["BCD", "002", "1", "SCT", bic, payee, account, f"EUR{euros}", "", "", text]
    payload = "\n".join(lines).rstrip("\n")
    if len(payload.encode()) > MAX_EPC_BYTES:
        raise ValueError(f"name and text together are too long for a code of {MAX_EPC_BYTES} bytes")
    return payload


def _one_line(text: str) -> str:
    """`text` composed, with every run of white space and control characters as one space."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(" " if unicodedata.category(c)[0] == "C" else c for c in composed).split())
