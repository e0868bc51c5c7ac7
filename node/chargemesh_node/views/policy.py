"""How a host answers requests: its rules in words and sentences, and what they would say to somebody."""

from __future__ import annotations

from typing import Any, TypedDict

from chargemesh_protocol.acquaintances import Blocked, Member
from chargemesh_protocol.booking.rules import AskPerson, No, Take, Wish, facts_of, quotable
from chargemesh_protocol.booking.walk_in import WalkInLink, write_link
from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.host_rules import decide, holds, write_clause, write_rules
from chargemesh_protocol.host_rules_text import sentences
from chargemesh_protocol.place import region_of
from chargemesh_protocol.policy import Policy

from ..node import Node
from ..sheet import code_terminal
from .bookings import BookingLine, booking_line
from .values import Instant, instant

NOBODY = bytes(32)  # an author that nobody has: a stranger


class RulesView(TypedDict):
    """words: the rules, to be sent back or changed; own: they were said in words, and not only by the plain
    settings. sentences: one for each clause; the first that fits counts."""

    words: str
    own: bool
    sentences: list[str]


class ClauseView(TypedDict):
    """fits: all its conditions hold. counts: it is the first that does."""

    words: str
    sentence: str
    fits: bool
    counts: bool


class Verdict(TypedDict):
    """answer: instantly, on request, or no. code: of a refusal, else empty. sentence: for the host. told:
    what the driver would be told, empty if it is not refused."""

    answer: str
    code: str
    sentence: str
    told: str


class Outlook(Verdict):
    """What would come of a request, by whom, and why. with_me, in_all: completed sessions. clauses: none of
    one who stands there."""

    known: bool
    trust: int
    with_me: int
    in_all: int
    vouched: bool
    member: bool
    group: str
    blocked: bool
    clauses: list[ClauseView]


class MemberView(TypedDict):
    author: str
    name: str
    group: str


class Members(TypedDict):
    members: list[MemberView]


class BlockedView(TypedDict):
    """bookings: those with them that are still open."""

    author: str
    since: Instant
    reason: str
    bookings: list[BookingLine]


class BlockedPeople(TypedDict):
    blocked: list[BlockedView]


class Code(TypedDict):
    """What is printed at a charger. answer: what reading it is good for. lead_minutes: more than 0 keep
    walk-ins away."""

    link: str
    qr_terminal: str
    answer: str
    title: str
    lead_minutes: int


def rules_view(settings: ChargerSettings) -> RulesView:
    rules = settings.who_may
    return {
        "words": write_rules(rules),
        "own": settings.host_policy.words is not None,
        "sentences": list(sentences(rules)),
    }


def outlook(node: Node, settings: ChargerSettings, author: bytes, wish: Wish) -> Outlook:
    """What the node would answer, from the very function that answers requests."""
    now, host = node.clock.now(), node.runner.engine.host
    standing = node.runner.engine.standing(author, now)
    verdict = quotable(settings, wish.start, wish.end, now) or host.weigh(settings, wish, author, "", now)
    rules, facts = settings.who_may, facts_of(wish, standing, now)
    counts = decide(rules, facts)
    return {
        **_answer(verdict),
        "known": standing.known,
        "trust": standing.trust,
        "with_me": standing.with_me,
        "in_all": standing.in_all,
        "vouched": standing.vouched,
        "member": standing.group is not None,
        "group": standing.group or "",
        "blocked": standing.blocked,
        "clauses": [
            {
                "words": write_clause(clause),
                "sentence": told,
                "fits": all(holds(one, facts) for one in clause.conditions),
                "counts": clause is counts,
            }
            for clause, told in zip(rules, sentences(rules), strict=True)
            if not wish.walk_in
        ],
    }


def _answer(verdict: Take | AskPerson | No) -> Verdict:
    match verdict:
        case Take():
            return {"answer": "instantly", "code": "", "sentence": "Accepted at once.", "told": ""}
        case AskPerson(why=why):
            return {"answer": "on request", "code": "", "sentence": f"Waits for you: {why}.", "told": ""}
        case No(code=code, message=message):
            return {"answer": "no", "code": code, "sentence": "Refused at once.", "told": message}


def policy_as_json(policy: Policy) -> dict[str, Any]:
    """As `POST /v1/chargers` takes it (`api.policy_body`): the secret of the code is no part of it."""
    return {
        "words": policy.words or "",
        "answer_minutes": policy.answer.minutes if policy.answer else 0,
        "otherwise": policy.answer.otherwise.value if policy.answer else "DECLINE",
        "members_only": policy.members_only.value if policy.members_only else "",
        "walk_in": policy.walk_in.answer.value if policy.walk_in else "",
    }


def code_view(node: Node, settings: ChargerSettings) -> Code:
    """The code of a charger that has one."""
    walk_in, contact = settings.host_policy.walk_in, node.contact
    if walk_in is None:
        raise ValueError("this charger has no code")
    link = WalkInLink(
        network=node.me.network,
        host=node.me.author,
        charger=settings.charger,
        contact=Contact(contact.peer_id, contact.addresses),
        secret=walk_in.secret,
        region=region_of(settings.cell),
        title=settings.about.title,
        zone=settings.hours.zone,
    )
    text = write_link(link)
    return {
        "link": text,
        "qr_terminal": code_terminal(text),
        "answer": walk_in.answer.value,
        "title": settings.about.title,
        "lead_minutes": settings.rules.lead_minutes,
    }


def member_view(author: bytes, member: Member) -> MemberView:
    return {"author": author.hex(), "name": member.name, "group": member.group}


def blocked_view(node: Node, author: bytes, blocked: Blocked, zone: str) -> BlockedView:
    lines = [booking_line(node, one) for one in node.runner.engine.ledger if one.other == author]
    return {
        "author": author.hex(),
        "since": instant(blocked.since, zone),
        "reason": blocked.reason,
        "bookings": [one for one in lines if {"cancel"} & set(one["actions"])],
    }
