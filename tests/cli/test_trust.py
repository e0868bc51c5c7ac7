"""`trust show` and `trust vouch`: what stands behind a score, and a word for somebody one knows."""

from __future__ import annotations

import pytest

from chargemesh_protocol.place import Point, public_cell, region_of

from . import samples
from .contract import require_fits
from .person import Person
from .stub_node import Refusal, StubNode

FRIEND = samples.AUTHOR[:8]
VOUCH = f"POST trust/{samples.AUTHOR}/vouch"


@pytest.fixture
def known(node: StubNode) -> StubNode:
    node.answers |= {f"GET trust/{FRIEND}": samples.TRUST, VOUCH: {**samples.TRUST, "vouched": True}}
    return node


def test_a_vouch_names_whom_it_is_for_and_can_be_undone(person: Person, known: StubNode) -> None:
    said = person.types("trust", "vouch", FRIEND)
    assert said.code == 0 and "You vouch for them. --undo takes it back." in said.out
    body = known.calls(VOUCH)[-1].body
    require_fits("vouch", body)
    assert body == {"stands": True}, "where: the node knows where they met"
    known.answers[VOUCH] = samples.TRUST
    said = person.types("--json", "trust", "vouch", FRIEND, "--undo")
    assert said.value == samples.TRUST and known.calls(VOUCH)[-1].body == {"stands": False}


def test_a_place_says_where_and_no_more_than_its_area(person: Person, known: StubNode) -> None:
    assert person.types("trust", "vouch", FRIEND, "--near", "52.5200,13.4050").code == 0
    body = known.calls(VOUCH)[-1].body
    require_fits("vouch", body)
    assert int(body["region"], 16) == region_of(public_cell(Point(52.52, 13.405)))
    said = person.types("trust", "vouch", FRIEND, "--near", "nowhere")
    assert said.code == 2 and "not a place" in said.err and len(known.calls(VOUCH)) == 1


def test_somebody_unknown_is_told_and_nothing_is_sent(person: Person, known: StubNode) -> None:
    known.answers[f"GET trust/{FRIEND}"] = Refusal(404, "no-such-person", "Nobody is known by that.", "", 3)
    assert person.types("trust", "vouch", FRIEND).code == 3
    assert known.calls(VOUCH) == []


def test_show_says_whom_this_node_vouches_for(person: Person, known: StubNode) -> None:
    assert "You vouch for them." not in person.types("trust", "show", FRIEND).out
    known.answers[f"GET trust/{FRIEND}"] = {**samples.TRUST, "vouched": True}
    assert "You vouch for them." in person.types("trust", "show", FRIEND).out
