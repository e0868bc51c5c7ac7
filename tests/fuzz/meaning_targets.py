"""What bytes mean once they are read: the set of a booking's records, and what a charge costs."""

from __future__ import annotations

import random
from collections.abc import Iterator

from chargemesh_protocol.booking.set import BookingSet
from chargemesh_protocol.encoding import decode, encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.metering import Reading, bill, check_readings, usage
from chargemesh_protocol.shape import from_tree, to_tree
from chargemesh_protocol.tariff import PricePlan

from ..conformance.fields import from_json
from ..protocol.booking.story import START
from ..protocol.booking.test_set import INSTANTS, states, told
from ..strategies import DRIVER_KINDS, HOST_KINDS, Step
from .target import Target, cases

_WAITS = (1000, 30_000, 180_000, 720_000, 3_600_000)
_STEPS = 24  # two bytes each


def check_booking(data: bytes) -> None:
    """Any records in any order, twice or once, make one state; asking in between leaves nothing behind."""
    story = told(list(_steps(data)))
    records = list(story.booking)[2:]
    chance = random.Random(data)
    shuffled = [*records, *chance.sample(records, len(records) // 2)]
    chance.shuffle(shuffled)
    other = BookingSet(story.quote, story.request)
    for record in shuffled:
        other.add(record)
        other.state(START)
    assert states(other) == states(story.booking)
    for instant in INSTANTS:
        due = story.booking.state(instant).next_deadline
        assert due is None or due > instant


def _steps(data: bytes) -> Iterator[Step]:
    kinds = HOST_KINDS + DRIVER_KINDS
    for at in range(0, min(len(data), 2 * _STEPS) - 1, 2):
        kind, how = data[at], data[at + 1]
        yield Step(
            kinds[kind % len(kinds)], _WAITS[how % len(_WAITS)], how // 8 % 3 if how & 64 else 0, how < 128
        )


def _stories() -> Iterator[bytes]:
    kinds = HOST_KINDS + DRIVER_KINDS
    for told_of in (
        ("accept", "access", "authorisation", "acknowledge", "ticket", "countersign", "ticket", "receipt"),
        ("accept", "cancel", "acknowledge"),
        ("accept", "host-cancel", "problem"),
        ("decline",),
        ("accept", "access", "no-show"),
        (
            "accept",
            "access",
            "authorisation",
            "acknowledge",
            "ticket",
            "stop",
            "receipt",
            "agreement",
            "paid",
        ),
    ):
        yield bytes(byte for kind in told_of for byte in (kinds.index(kind), 0))


def check_bill(data: bytes) -> None:
    """A plan and readings, as a quote and its tickets carry them: what was used adds up to what was read."""
    try:
        tree = decode(data)
    except Refused:
        return
    if type(tree) is not list or len(tree) != 2 or type(tree[1]) is not list:
        return
    plan, readings = _plan_of(tree[0]), _readings_of(tree[1])
    if plan is None or readings is None:
        return
    try:
        cost = bill(plan, readings)
    except ValueError:
        return  # a session that no car could have
    used = usage(plan, readings)
    assert sum(one.energy_wh for one in used) == readings[-1].energy_wh - readings[0].energy_wh
    assert all(one.charging_ms >= 0 and one.parking_ms >= 0 for one in used)
    assert type(cost.total) is int and cost.total >= 0
    assert bill(plan, readings) == cost


def _plan_of(tree: object) -> PricePlan | None:
    try:
        return from_tree(PricePlan, tree)  # type: ignore[arg-type]
    except Refused:
        return None


def _readings_of(items: list[object]) -> list[Reading] | None:
    """None where they are none: each is checked when a ticket is read, their order when they are billed."""
    pairs = [one for one in items if type(one) is list and len(one) == 2 and all(type(n) is int for n in one)]
    try:
        readings = [Reading(at, energy_wh) for at, energy_wh in pairs]
        check_readings(readings)
    except ValueError:
        return None
    return readings


def _bills() -> Iterator[bytes]:
    for case in cases():
        if case.op == "tariff.bill":
            plan = from_json(PricePlan, case.given["plan"])
            yield encode([to_tree(plan), [list(one) for one in case.given["readings"]]])


def _grown_bill(times: int) -> bytes:
    """Ever more readings under the plan with the most periods that the vectors have."""
    tree = max((decode(data) for data in _bills()), key=lambda one: len(str(one)))
    assert type(tree) is list and type(tree[1]) is list and type(tree[1][0]) is list
    first = tree[1][0][0]
    assert type(first) is int
    return encode([tree[0], [[first + 1000 * number, number] for number in range(100 * times)]])


TARGETS = (
    Target("booking", check_booking, _stories, lambda times: b"\0\0" + bytes([4, 0]) * 5 * times, 2 * _STEPS),
    Target("bill", check_bill, _bills, _grown_bill),
)
