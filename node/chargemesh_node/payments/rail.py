"""The one shape of every way to pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chargemesh_protocol.money import format_amount, round_to_minor


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid, as the receipt names them. `account` is an IBAN, or empty; `bic` only outside the EEA."""

    name: str
    account: str = ""
    bic: str = ""


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What a driver is shown. `amount` is in micro-units, whole coins; `qr` the text of a QR code, if any."""

    rail: str
    amount: int
    currency: str
    text: str
    qr: str | None = None


class PaymentRail(Protocol):
    """A way to pay. It asks; whether the money came is the payee's word, signed over the receipt's id."""

    @property
    def name(self) -> str:
        """Stable, at most 24 characters: it stands in the `paid` record."""
        ...

    def can_pay(self, currency: str, payee: Payee) -> bool: ...

    def request(self, amount_micro: int, currency: str, payee: Payee, reference: str) -> PaymentRequest:
        """How to pay; PersonError, with what to do instead, where this rail can't."""
        ...


def payable(amount_micro: int, currency: str) -> tuple[int, str]:
    """The amount in whole coins, and as text."""
    amount = round_to_minor(amount_micro, currency)
    return amount, format_amount(amount, currency)
