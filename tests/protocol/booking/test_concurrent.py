"""Every pair of the table of concurrent records, in both orders of arrival."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from chargemesh_protocol.booking.concurrent import (
    CONCURRENT,
    REQUEST_EXPIRED,
    SLOT_OVER,
    as_data,
)
from chargemesh_protocol.booking.fold import TAKES_EFFECT_ALONE
from chargemesh_protocol.booking.outcome import CHANGING, STAGES, Outcome
from chargemesh_protocol.booking.state import BookingState
from chargemesh_protocol.record import Record

from . import stages
from .story import DRIVER_KIND_NAMES, HOST_KIND_NAMES, HOUR, NO_SHOW_FROM, START, Story

SPEC = Path(__file__).parents[3] / "specs" / "tables" / "booking-concurrent.json"
CROSS = list(itertools.product(DRIVER_KIND_NAMES, HOST_KIND_NAMES))
DEVICES = [pair for pair in CONCURRENT if pair[0] in DRIVER_KIND_NAMES and pair[1] in DRIVER_KIND_NAMES]
FORKS = [pair for pair in CONCURRENT if pair[0] in HOST_KIND_NAMES and pair[1] in HOST_KIND_NAMES]
INSTANTS = [pair for pair in CONCURRENT if pair[0] in (REQUEST_EXPIRED, SLOT_OVER)]


def begin(outcome: Outcome) -> Story:
    assert outcome.stage in (*STAGES, *CHANGING)
    return Story().until(outcome.stage)


def both_orders(story: Story, *records: Record) -> BookingState:
    """The one state that `story` has with these records, added in every order."""
    before = list(story.booking)[2:]
    states = []
    for order in itertools.permutations(records):
        booking = story.fresh_set()
        for record in (*order, *before):
            assert booking.add(record)
        states.append(booking.state(story.now))
    assert all(state == states[0] for state in states)
    return states[0]


def check(state: BookingState, outcome: Outcome, first: Record, second: Record) -> None:
    assert (state.reservation, state.session, state.settlement) == (
        outcome.reservation,
        outcome.session,
        outcome.settlement,
    )
    ignored = [one.kind for one in state.ignored if one.record in (first.id, second.id)]
    assert sorted([*outcome.stands, *ignored]) == sorted([first.kind, second.kind]), state.ignored


def test_every_pair_is_decided_with_a_reason() -> None:
    assert set(CROSS) <= set(CONCURRENT)
    for pair in itertools.combinations_with_replacement(DRIVER_KIND_NAMES, 2):
        assert pair in CONCURRENT or pair[::-1] in CONCURRENT
    for pair in itertools.combinations_with_replacement(HOST_KIND_NAMES, 2):
        assert pair in CONCURRENT
    for outcome in CONCURRENT.values():
        assert outcome.reason.endswith(".") and len(outcome.reason) > 15


def test_the_specs_hold_the_same_table() -> None:
    assert json.loads(SPEC.read_text()) == as_data()


def test_the_specs_say_what_each_stage_holds() -> None:
    """And the story that is told up to it has just those records, each with an effect."""
    assert set(stages.STAGES) == {*STAGES, *CHANGING}
    for name, said in stages.STAGES.items():
        assert CHANGING.get(name, said["after"]) == said["after"] and said["holds"].endswith(".")
        story = Story().until(name)
        assert [one.kind for one in list(story.booking)[2:]] == [one["kind"] for one in stages.steps_to(name)]
        assert story.state().ignored == () and story.state().not_included == ()


@pytest.mark.parametrize("pair", CROSS, ids="-vs-".join)
def test_driver_against_host(pair: tuple[str, str]) -> None:
    outcome = CONCURRENT[pair]
    story = begin(outcome)
    if pair[1] == "no-show" and outcome.stage == "arrived":
        story.now = NO_SHOW_FROM
    ours = story.of_driver(pair[0], add=False)
    theirs = story.of_host(pair[1], add=False)
    if pair[0] in TAKES_EFFECT_ALONE:  # decided before the host has included it, and not otherwise afterwards
        check(both_orders(story, ours, theirs), outcome, ours, theirs)
    story.booking.add(theirs)
    story.booking.add(ours)
    acknowledged = story.of_host("acknowledge")
    assert ours.id in acknowledged.body.includes
    story.booking = story.fresh_set_without(acknowledged, ours, theirs)
    check(both_orders(story, ours, theirs, acknowledged), outcome, ours, theirs)


@pytest.mark.parametrize("pair", DEVICES, ids="-then-".join)
def test_two_devices_of_a_driver(pair: tuple[str, str]) -> None:
    for kinds in {pair, pair if pair[::-1] in CONCURRENT else pair[::-1]}:
        outcome = CONCURRENT[pair]
        story = begin(outcome)
        first = story.of_driver(kinds[0], add=False)
        second = story.of_driver(kinds[1], add=False)
        story.booking.add(first)
        story.booking.add(second)
        acknowledged = story.of_host("acknowledge")
        story.booking = story.fresh_set_without(acknowledged, first, second)
        check(both_orders(story, first, second, acknowledged), outcome, first, second)


@pytest.mark.parametrize("pair", FORKS, ids="-or-".join)
def test_one_number_used_twice(pair: tuple[str, str]) -> None:
    story = Story().until("charging")
    one, other = story.of_host(pair[0], add=False), story.of_host(pair[1], add=False)
    state = both_orders(story, one, other)
    assert state.head == min(one.id, other.id)
    assert [fault.records for fault in state.faults] == [tuple(sorted((one.id, other.id)))]
    assert state.faults[0].code == "fork"


@pytest.mark.parametrize("pair", INSTANTS, ids="-vs-".join)
def test_a_record_after_an_instant(pair: tuple[str, str]) -> None:
    outcome = CONCURRENT[pair]
    story = begin(outcome)
    late = story.request.body.expires if pair[0] == REQUEST_EXPIRED else START + 3 * HOUR
    story.now = late + 2 * 60_000 + 1
    kind = pair[1]
    record = story.of_driver(kind) if kind in DRIVER_KIND_NAMES else story.of_host(kind)
    story.of_host("acknowledge")
    state = story.state()
    assert (state.reservation, state.session) == (outcome.reservation, outcome.session)
    assert (not state.ignored_reason(record.id)) == (kind in outcome.stands)


@pytest.mark.parametrize("pair", INSTANTS, ids="-vs-".join)
def test_the_same_record_within_the_tolerance_counts(pair: tuple[str, str]) -> None:
    story = begin(CONCURRENT[pair])
    late = story.request.body.expires if pair[0] == REQUEST_EXPIRED else START + 3 * HOUR
    story.now = late + 2 * 60_000 - 2_000
    kind = pair[1]
    record = story.of_driver(kind) if kind in DRIVER_KIND_NAMES else story.of_host(kind)
    story.of_host("acknowledge")
    assert not story.state().ignored_reason(record.id)
