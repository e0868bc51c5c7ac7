"""How a host answers requests, as clients send it; and what concerns members, blocked people and walk-ins."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chargemesh_protocol.host_rules import MAX_RULE_CHARS, parse_rules, write_rules
from chargemesh_protocol.policy import (
    NO_POLICY,
    AnswerWithin,
    MembersOnly,
    Otherwise,
    Policy,
    WalkIn,
    WalkInAnswer,
)

from .bodies import At, Id, Note, Short


class PolicyBody(Struct, forbid_unknown_fields=True):
    """words: rules such as "known drivers instantly; others on request"; empty for those that `rules` and
    `strangers` come to. answer_minutes: a person answers within, else the node does what `otherwise` says; 0
    for no deadline. members_only: "shown" in the listing, or "hidden": to others it is as if booked. walk_in:
    what the code at the charger is good for; empty while it has none."""

    words: Annotated[str, Meta(max_length=MAX_RULE_CHARS)] = ""
    answer_minutes: int = 0
    otherwise: Otherwise = Otherwise.DECLINE
    members_only: Literal["", "shown", "hidden"] = ""
    walk_in: Literal["", "instantly", "on request", "never"] = ""


class AskRules(Struct, forbid_unknown_fields=True):
    """peer: an identity, or a booking with them; left out, somebody never heard of. walk_in: who is there."""

    start: At
    end: At
    peer: Id | None = None
    walk_in: bool = False
    vehicle: Short | None = None
    plug: Annotated[str, Meta(max_length=40)] = ""


class MemberBody(Struct, forbid_unknown_fields=True):
    """peer: as in GET /v1/trust. group: small letters, digits and hyphens, or none."""

    peer: Id
    name: Short = ""
    group: Annotated[str, Meta(max_length=24)] = ""


class BlockBody(Struct, forbid_unknown_fields=True):
    """reason: for nobody else's eyes."""

    peer: Id
    reason: Note = ""


class NewCode(Struct, forbid_unknown_fields=True):
    """new: whoever has the code as it was can do nothing with it any more."""

    new: bool = False


def policy_from(body: PolicyBody, kept: Policy | None, secret: bytes) -> Policy | None:
    """The policy, None where nothing is said. secret: for a charger that has no code yet. PersonError for
    rules that can't be read."""
    words = write_rules(parse_rules(body.words)) if body.words.strip() else None
    answer = AnswerWithin(minutes=body.answer_minutes, otherwise=body.otherwise)
    had = kept.walk_in if kept is not None else None
    policy = Policy(
        words=words,
        answer=answer if body.answer_minutes else None,
        members_only=MembersOnly(body.members_only) if body.members_only else None,
        walk_in=(
            WalkIn(secret=had.secret if had else secret, answer=WalkInAnswer(body.walk_in))
            if body.walk_in
            else None
        ),
    )
    return None if policy == NO_POLICY else policy
