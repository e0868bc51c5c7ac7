"""How a driver pays a host directly: a rail a file, all behind `PaymentRail`. No money passes through us."""

from __future__ import annotations

from chargemesh_protocol.errors import ExitCode, PersonError

from .manual import ManualRail
from .rail import Payee, PaymentRail, PaymentRequest
from .sepa import SepaRail

__all__ = ["RAILS", "Payee", "PaymentRail", "PaymentRequest", "rail_for", "rail_named"]

# In the order of preference: the first that can pay a payee is proposed.
RAILS: tuple[PaymentRail, ...] = (SepaRail(), ManualRail())


def rail_named(name: str) -> PaymentRail:
    """The rail called `name`; PersonError names those there are."""
    for rail in RAILS:
        if rail.name == name:
            return rail
    known = ", ".join(rail.name for rail in RAILS)
    raise PersonError(
        "bad-rail",
        f"There is no way to pay called {name[:40]!r}.",
        f"Choose one of: {known}.",
        ExitCode.USAGE,
    )


def rail_for(currency: str, payee: Payee) -> PaymentRail:
    """The first rail that can pay `payee` in `currency`; by hand is always possible."""
    return next(rail for rail in RAILS if rail.can_pay(currency, payee))
