"""Messages of the booking stream: read back as written, and refused for the right reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.wire import AskQuote, Exchange, Failed, QuoteGiven
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_MESSAGE_BYTES, MAX_RECORD_BYTES

from ..trees import damaged

MESSAGES = (
    AskQuote(charger=b"c" * 16, start=5, end=9, energy_wh=0),
    QuoteGiven(quote=b"q", bundle=b"b"),
    Exchange(booking=b"b" * 32),
    Exchange(
        booking=b"b" * 32,
        records=(b"1", b"22"),
        known=3,
        statements=(b"s",),
        held=(b"h" * 32,),
        sealed=(b"x",),
        heard=1,
        opening=b"o",
        bundle=b"b",
    ),
    Failed(code="busy", message="later"),
)


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_are_read_as_written(message: wire.Message) -> None:
    assert wire.read(wire.write(message)) == message


def test_an_exchange_has_bytes_that_others_can_make() -> None:
    assert wire.write(MESSAGES[2]) == encode({0: 3, 1: b"b" * 32, 2: [], 3: 0, 4: [], 5: [], 6: [], 7: 0})


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        ({}, "unknown-operation"),
        ({0: 4}, "unknown-operation"),
        ({0: True}, "unknown-operation"),
        ({0: "3"}, "unknown-operation"),
        ({1: 3}, "unknown-operation"),
        ({0: 3}, "schema"),
        ({0: 1, 1: b"c" * 16, 2: 5, 3: 9, 4: 1_000_001}, "schema"),
        ({0: 1, 1: b"c" * 16, 2: 5, 3: 9, 4: 1, 5: 0}, "unknown-critical-key"),
        ([], "encoding"),
    ],
)
def test_what_is_none_of_ours_is_refused(tree: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        wire.read(encode(tree))
    assert refused.value.code == code


def test_bounds() -> None:
    with pytest.raises(Refused) as refused:
        wire.read(bytes(MAX_MESSAGE_BYTES + 1))
    assert refused.value.code == "too-large"
    for fields in (
        {"records": (b"r",) * 129},
        {"records": (bytes(MAX_RECORD_BYTES + 1),)},
        {"sealed": (b"s",) * 9},
    ):
        with pytest.raises(ValueError, match="Exchange"):
            wire.write(Exchange(booking=b"b" * 32, **fields))  # type: ignore[arg-type]


def test_an_answer_is_of_the_kind_that_was_asked_for() -> None:
    for body, code in ((wire.write(MESSAGES[4]), "busy"), (wire.write(MESSAGES[0]), "unexpected")):
        with pytest.raises(Refused) as refused:
            wire.read_as(QuoteGiven, body)
        assert refused.value.code == code


@given(st.sampled_from(MESSAGES).flatmap(lambda message: damaged(wire.write(message))))
def test_damaged_messages_are_refused_or_are_other_messages(body: bytes) -> None:
    try:
        message = wire.read(body)
    except Refused:
        return
    again = wire.read(wire.write(message))
    assert again == message
