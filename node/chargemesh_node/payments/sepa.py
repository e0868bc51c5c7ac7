"""SEPA credit transfer by the QR code that European banking apps read (EPC069-12)."""

from __future__ import annotations

from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.payment_text import check_iban, epc_text, format_iban

from .rail import Payee, PaymentRequest, payable


class SepaRail:
    """Euros to an IBAN."""

    @property
    def name(self) -> str:
        return "sepa-qr"

    def can_pay(self, currency: str, payee: Payee) -> bool:
        try:
            epc_text(name=payee.name, iban=payee.account, amount_micro=10_000, remittance="", bic=payee.bic)
        except ValueError:
            return False
        return currency == "EUR"

    def request(self, amount_micro: int, currency: str, payee: Payee, reference: str) -> PaymentRequest:
        """The transfer in words and as a QR code; PersonError where it isn't possible."""
        if currency != "EUR":
            raise PersonError(
                "not-payable", f"A SEPA transfer is in euros, this is in {currency}.", "Pay by hand instead."
            )
        try:
            qr = epc_text(
                name=payee.name,
                iban=payee.account,
                amount_micro=amount_micro,
                remittance=reference,
                bic=payee.bic,
            )
        except ValueError as error:
            raise PersonError(
                "not-payable", f"This can't be paid by SEPA transfer: {error}.", "Pay by hand instead."
            ) from None
        amount, shown = payable(amount_micro, currency)
        account = format_iban(check_iban(payee.account))
        text = f"Transfer {shown} to {payee.name}, {account}, with the text {reference!r}."
        return PaymentRequest(self.name, amount, currency, text, qr)
