"""What the API takes, by name: a body that the command line sends must fit."""

from __future__ import annotations

from typing import Any

import msgspec

from chargemesh_node.api import bodies, charger_body, policy_body, series_body

BODIES: dict[str, Any] = {
    "charger": charger_body.ChargerBody,
    "quote": bodies.AskQuote,
    "book": bodies.Book,
    "cancel": bodies.Cancel,
    "answer": bodies.Answer,
    "terms": bodies.AskTerms,
    "change": bodies.Change,
    "offer": bodies.OfferTerms,
    "message": bodies.MessageText,
    "problem": bodies.Problem,
    "start": bodies.Start,
    "confirm reading": bodies.ConfirmReading,
    "agree": bodies.Agree,
    "claim": bodies.Claim,
    "review": bodies.Review,
    "vouch": bodies.Vouch,
    "reading": bodies.MeterReading,
    "find": bodies.FindQuery,
    "policy": policy_body.PolicyBody,
    "rules": policy_body.AskRules,
    "member": policy_body.MemberBody,
    "block": policy_body.BlockBody,
    "walk-in": bodies.WalkIn,
    "series": series_body.StartSeries,
    "skip": series_body.SkipDate,
    "move": series_body.MoveDate,
    "series price": series_body.AgreePrice,
}


def require_fits(name: str, sent: Any, *, query: bool = False) -> None:
    """ValidationError unless the API would take `sent` (a query holds text only)."""
    msgspec.convert(sent, BODIES[name], strict=not query)
