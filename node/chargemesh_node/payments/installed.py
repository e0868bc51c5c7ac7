"""Payment rails of other packages: what goes wrong in one is told, and the node survives it."""

from __future__ import annotations

import logging

from chargemesh_protocol.errors import PersonError

from ..extensions import Extension, installed
from .rail import Payee, PaymentRail, PaymentRequest

_log = logging.getLogger(__name__)


def installed_rails() -> tuple[PaymentRail, ...]:
    """In the order of their names."""
    return tuple(GuardedRail(one) for one in installed().rails.values())


class GuardedRail:
    """A PaymentRail around somebody else's."""

    def __init__(self, extension: Extension) -> None:
        self._extension = extension
        self._rail: PaymentRail = extension.value

    @property
    def name(self) -> str:
        return self._extension.name

    def can_pay(self, currency: str, payee: Payee) -> bool:
        """False also where the rail fails over the question."""
        try:
            return bool(self._rail.can_pay(currency, payee))
        except Exception as error:  # noqa: BLE001 - somebody else's code
            self._tell(error)
            return False

    def request(self, amount_micro: int, currency: str, payee: Payee, reference: str) -> PaymentRequest:
        """As the rail says; PersonError where it says nothing that could be shown."""
        try:
            request = self._rail.request(amount_micro, currency, payee, reference)
            if not isinstance(request, PaymentRequest) or request.rail != self.name:
                raise TypeError(f"{request!r} is no PaymentRequest of {self.name}")
        except PersonError:
            raise
        except Exception as error:
            self._tell(error)
            raise PersonError(
                "not-payable",
                f"The payment extension {self.name!r} of {self._extension.source} failed.",
                "`chargemesh logs` says why. Pay by hand instead: `--rail manual`.",
            ) from error
        return request

    def _tell(self, error: Exception) -> None:
        _log.error("the payment rail %s of %s failed", self.name, self._extension.source, exc_info=error)
