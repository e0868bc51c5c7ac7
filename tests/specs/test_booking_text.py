"""Chapter 05 and the code come to one state, for sets of records that anybody may have signed."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from chargemesh_protocol.booking.records import (
    Accept,
    Cancel,
    CancelReason,
    Change,
    Offer,
    Problem,
    ProblemKind,
)
from chargemesh_protocol.record import Record
from chargemesh_protocol.shape import to_tree
from tests.protocol.booking.story import DRIVER_KIND_NAMES, HOST_KIND_NAMES, HOUR, MINUTE, START, Story

from .booking_text import Booking, Signed

# How bookings usually go; chance leads away from it at each step.
_SCRIPTS = tuple(
    one.split()
    for one in (
        "accept access authorisation acknowledge ticket ticket countersign ticket receipt agreement"
        " acknowledge claim paid",
        "accept access ticket authorisation ticket receipt agreement acknowledge problem acknowledge"
        " receipt agreement acknowledge receipt paid",
        "authorisation accept access stop acknowledge authorisation ticket stop ticket acknowledge receipt",
        "accept access cancel no-show acknowledge receipt agreement acknowledge",
        "accept problem acknowledge cancel acknowledge",
        "accept access no-show cancel acknowledge",
        "offer change accept access authorisation ticket ticket change amend ticket receipt agreement",
        "accept access change amend cancel acknowledge",
        "accept offer change amend change refuse cancel acknowledge",
        "accept access change amend fault cancel acknowledge",
    )
)


def told(seed: int) -> tuple[Story, list[Record[Any]]]:
    """A story that goes where chance leads it, and all records that were signed in it."""
    random = Random(f"booking {seed}")
    requested = START - random.choice([10, 16, 18, 90]) * MINUTE
    story = Story(requested, waits=random.choice([5 * MINUTE, HOUR, 5 * HOUR]))
    signed: list[Record[Any]] = []
    straight, script = random.choice([0.6, 0.85, 0.95]), random.choice(_SCRIPTS)
    for step in range(random.randint(1, len(script) + 3)):
        story.now += random.choice([0, 0, 0, MINUTE, 3 * MINUTE, 16 * MINUTE, 20 * MINUTE, HOUR])
        usual = script[min(step, len(script) - 1)]
        kind = usual if random.random() < straight else random.choice(HOST_KIND_NAMES + DRIVER_KIND_NAMES)
        add = random.random() < 0.8  # else: the other side has not seen it when it signs the next
        signed.append(_signed(story, kind, add, random))
    return story, signed


def _signed(story: Story, kind: str, add: bool, random: Random) -> Record[Any]:
    changes: dict[str, Any] = {}
    if random.random() < 0.3:
        changes["issued"] = story.now + random.choice([-HOUR, -5 * MINUTE, -MINUTE, MINUTE, 5 * MINUTE])
    if kind in HOST_KIND_NAMES:
        if kind == "ticket":
            end, at = random.random() < 0.2, story.now - random.choice([0, 0, HOUR])
            record: Record[Any] = story.ticket(random.randint(0, 9_000), end, add=add, changes=changes, at=at)
        elif kind == "accept":
            due = story.now + random.choice([0, HOUR, 9 * HOUR])
            record = story.host(Accept, add, changes, access_due=due)
        elif kind == "receipt":
            record = story.receipt(
                random.choice([0, 4_000_000]),
                add=add,
                changes=changes,
                currency=random.choice(["EUR", "EUR", "SEK"]),
            )
        elif kind == "offer":
            record = story.host(Offer, add, changes, quote=_requoted(story, random), text="")
        else:
            record = story.of_host(kind, add, changes)
        return record
    if random.random() < 0.2:
        changes["seen"] = random.choice([story.request.id, b"?" * 32])
    if kind == "problem":
        return story.driver(Problem, add, changes, problem=random.choice(list(ProblemKind)), text="")
    if kind == "cancel":
        return story.driver(Cancel, add, changes, reason=random.choice(list(CancelReason)))
    if kind == "change":
        offer = story.state().offer
        if offer is not None and random.random() < 0.7:
            quote = offer.body.quote if random.random() < 0.9 else _requoted(story, random)
            return story.driver(Change, add, changes, quote=quote, offer=offer.id)
        return story.driver(Change, add, changes, quote=_requoted(story, random))
    return story.of_driver(kind, add, changes)


def _requoted(story: Story, random: Random) -> bytes:
    """Other terms, now and then some that don't fit."""
    now = story.state().quote
    later = random.choice([0, 0, 0, HOUR, 30 * HOUR, -HOUR])
    fields: dict[str, Any] = {"start": now.start + later, "end": now.end + later + random.choice([0, HOUR])}
    fields["cap"] = now.cap * random.choice([1, 2])
    if random.random() < 0.1:
        wrong: list[dict[str, Any]] = [
            {"author": b"X" * 32}, {"charger": b"x" * 16}, {"one_time_key": b"x" * 32},
            {"plan": replace(now.plan, currency="SEK")},
        ]  # fmt: skip
        fields |= random.choice(wrong)
    return story.requote(**fields).raw


def plain(record: Record[Any]) -> Signed:
    return Signed(record.id, record.kind, to_tree(record.body))


def test_one_state() -> None:
    seen: set[tuple[str, str, str]] = set()
    for seed in range(900):
        story, signed = told(seed)
        booking = story.fresh_set()
        for record in signed:
            booking.add(record)
        for t in (story.now, START + 3 * HOUR + 2 * MINUTE, START + 9 * HOUR):
            ours = booking.state(t)
            text = Booking(to_tree(story.quote.body), plain(story.request), [plain(one) for one in signed])
            text.walk()
            text.pass_time(t)
            states = (str(ours.reservation), str(ours.session), str(ours.settlement))
            assert states == (text.reservation, text.session, text.settlement), seed
            assert ours.fee_floor == text.in_force[-1][2], seed
            assert to_tree(ours.quote) == text.now, seed
            assert (ours.cost, ours.compensation) == (text.cost, text.owed), seed
            assert [one.id for one in ours.tickets] == [one.id for one in text.tickets], seed
            assert (ours.countersigned, ours.stop_counts_from) == (text.countersigned, text.stop_from), seed
            assert (ours.receipt.id if ours.receipt else None) == (
                text.receipt.id if text.receipt else None
            ), seed
            seen.add(states)
    assert len(seen) >= 15 and ("FULFILLED", "COMPLETED", "PAID") in seen, seen
