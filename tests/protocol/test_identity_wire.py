"""Asking for bundles: what is known is given, and nobody slips in a bundle that wasn't asked for."""

from __future__ import annotations

from typing import Any

import pytest

from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.identity_wire import Get, Given, answer, read, read_as, take, write
from chargemesh_protocol.limits import MAX_ASKED_BUNDLES

from .trust.people import NETWORK, Person, directory_of

ANNA, BORIS, CLARA = Person("anna"), Person("boris"), Person("clara")


def test_known_authors_are_introduced_and_unknown_ones_left_out() -> None:
    asked = Get(authors=(ANNA.author, CLARA.author, ANNA.author))
    given = answer(directory_of(ANNA, BORIS), read_as(Get, write(asked)))
    assert given.bundles == (ANNA.bundle.to_bytes(),)
    directory = Directory(NETWORK)
    assert take(directory, asked.authors, read_as(Given, write(given))) == [ANNA.author]
    assert directory.knows(ANNA.author) and not directory.knows(CLARA.author)


def test_a_bundle_that_nobody_asked_for_or_that_is_forged_is_refused() -> None:
    with pytest.raises(Refused):
        take(Directory(NETWORK), [ANNA.author], Given(bundles=(BORIS.bundle.to_bytes(),)))
    good = ANNA.bundle.to_bytes()
    spoilt = good[:-1] + bytes([good[-1] ^ 1])
    with pytest.raises(Refused):
        take(Directory(NETWORK), [ANNA.author], Given(bundles=(spoilt,)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        encode({0: 1, 1: []}),
        encode({0: 1, 1: [bytes(31)]}),
        encode({0: 1, 1: [bytes(32)] * (MAX_ASKED_BUNDLES + 1)}),
        encode({0: 2, 1: [bytes(32)]}),
        encode({0: 1, 1: [bytes(32)], 2: 1}),
    ],
)
def test_questions_out_of_bounds_are_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        read_as(Get, body)


@pytest.mark.parametrize("tree", [{}, {0: 3}, {0: "1"}, {0: True, 1: [bytes(32)]}])
def test_an_operation_that_is_none_is_refused_by_its_name(tree: dict[int, Any]) -> None:
    with pytest.raises(Refused) as refused:
        read(encode(tree))
    assert refused.value.code == "unknown-operation"


def test_a_question_is_no_answer() -> None:
    with pytest.raises(Refused) as refused:
        read_as(Given, write(Get(authors=(ANNA.author,))))
    assert refused.value.code == "unexpected"
