"""How a driver pays a host directly: a rail a file, all behind `PaymentRail`. No money passes through us."""

from __future__ import annotations

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.payment_text import check_iban

from .installed import installed_rails
from .manual import ManualRail
from .rail import Payee, PaymentRail, PaymentRequest
from .sepa import SepaRail

__all__ = ["Payee", "PaymentRail", "PaymentRequest", "check_account", "rail_for", "rail_named", "rails"]


def rails() -> tuple[PaymentRail, ...]:
    """In the order of preference: the first that can pay a payee is proposed; by hand is the last."""
    return (SepaRail(), *installed_rails(), ManualRail())


def rail_named(name: str) -> PaymentRail:
    """The rail called `name`; PersonError names those there are."""
    for rail in rails():
        if rail.name == name:
            return rail
    known = ", ".join(rail.name for rail in rails())
    raise PersonError(
        "bad-rail",
        f"There is no way to pay called {name[:40]!r}.",
        f"Choose one of: {known}.",
        ExitCode.USAGE,
    )


def rail_for(currency: str, payee: Payee) -> PaymentRail:
    """The first rail that can pay `payee` in `currency`; by hand is always possible."""
    return next(rail for rail in rails() if rail.can_pay(currency, payee))


def check_account(account: str, name: str, currency: str) -> str:
    """An account as it is kept: an IBAN, or what an installed rail can pay. ValueError says why it is
    neither."""
    payee = Payee(name, account.strip())
    if any(rail.can_pay(currency, payee) for rail in installed_rails()):
        return payee.account
    return check_iban(account)
