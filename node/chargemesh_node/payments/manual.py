"""Payment by hand: cash, or whatever the two agree on; the host confirms it."""

from __future__ import annotations

from .rail import Payee, PaymentRequest, payable


class ManualRail:
    """Always possible, in any currency."""

    @property
    def name(self) -> str:
        return "manual"

    def can_pay(self, currency: str, payee: Payee) -> bool:
        return True

    def request(self, amount_micro: int, currency: str, payee: Payee, reference: str) -> PaymentRequest:
        """A sentence that says what to hand over, and that the host confirms it."""
        amount, shown = payable(amount_micro, currency)
        to = payee.name or "your host"
        account = f" ({payee.account})" if payee.account else ""
        text = (
            f"Pay {shown} to {to}{account}, in cash or as you agreed, and name {reference}. The host then "
            "confirms it."
        )
        return PaymentRequest(self.name, amount, currency, text)
