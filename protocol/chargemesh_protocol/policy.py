"""How a host answers requests for one charger, beyond what its listing shows: kept at home, as settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .errors import PersonError
from .host_rules import MAX_RULE_CHARS, parse_rules
from .shape import ID, Int, Name, Struct, Text, key, shape


class Otherwise(Enum):
    """What becomes of a request that the host's person has not answered in time."""

    ACCEPT = "ACCEPT"
    DECLINE = "DECLINE"


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerWithin:
    """A person answers within `minutes` of the request; after that the host's node does, by itself."""

    minutes: int = key(0, Int(5, 20_160))
    otherwise: Otherwise = key(1, Name(Otherwise))


class MembersOnly(Enum):
    """A charger for members alone. SHOWN: its listing says so; HIDDEN: to others it is as if booked."""

    SHOWN = "shown"
    HIDDEN = "hidden"


class WalkInAnswer(Enum):
    """What comes of a request by somebody who stands before the charger."""

    INSTANTLY = "instantly"
    ON_REQUEST = "on request"
    NEVER = "never"


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class WalkIn:
    """The secret in the QR code at the charger, which proves presence, and what presence is good for."""

    secret: bytes = key(0, ID)
    answer: WalkInAnswer = key(1, Name(WalkInAnswer))


@shape
@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """words: the host's rules (`host_rules`), None for those that the plain settings come to."""

    words: str | None = key(16, Text(MAX_RULE_CHARS, 1), optional=True)
    answer: AnswerWithin | None = key(17, Struct(AnswerWithin), optional=True)
    members_only: MembersOnly | None = key(18, Name(MembersOnly), optional=True)
    walk_in: WalkIn | None = key(19, Struct(WalkIn), optional=True)

    def __post_init__(self) -> None:
        if self.words is not None:
            try:
                parse_rules(self.words)
            except PersonError as error:
                raise ValueError(error.message) from error


NO_POLICY = Policy()
