"""Messages read back as written; garbage of every kind is refused and nothing else is raised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.discovery import wire
from chargemesh_protocol.encoding import decode_map, encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_LISTING_BYTES, MAX_QUERY_CELLS
from chargemesh_protocol.listing import Need

from .hosts import CHARGER, HERE, NOW, Host

ANNA = Host("anna")
LISTING = ANNA.lists()
CELL = LISTING.body.cell
MESSAGES: list[wire.Message] = [
    ANNA.stores(LISTING),
    wire.StoreRenewal(author=ANNA.author, charger=CHARGER, renewal=ANNA.renews(LISTING).raw),
    ANNA.retracts(LISTING),
    wire.Query(cells=(CELL,), need=Need(connector="IEC_62196_T2", start=NOW, end=NOW + 1), limit=10),
    wire.Query(cells=(CELL,), need=Need(), limit=64, after=bytes(56)),
    wire.Found(items=(ANNA.item(LISTING),), more=bytes(56)),
    wire.Found(items=()),
    wire.Kept(),
    wire.Failed(code="cell-full", message="no place"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_a_message_reads_back(message: wire.Message) -> None:
    assert wire.read(wire.write(message)) == message


@given(st.sampled_from(MESSAGES), st.data())
def test_altered_messages_are_read_or_refused(message: wire.Message, data: st.DataObject) -> None:
    body = bytearray(wire.write(message))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        wire.read(bytes(body[: data.draw(st.integers(0, len(body)))]))
    except Refused:
        pass


@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        wire.read(data)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (0, 99),
        (0, True),
        (1, []),
        (1, [CELL] * (MAX_QUERY_CELLS + 1)),
        (1, [12345]),
        (1, [Host("anna").lists(HERE).body.cell ^ 1 << 59]),
        (3, 0),
        (3, 65),
        (4, bytes(55)),
        (9, 1),
    ],
)
def test_a_query_out_of_bounds_is_refused(key: int, value: object) -> None:
    tree = decode_map(wire.write(MESSAGES[4]))
    tree[key] = value  # type: ignore[assignment]
    with pytest.raises(Refused):
        wire.read(encode(tree))


def test_a_window_without_end_and_an_oversized_listing_are_refused() -> None:
    tree = decode_map(wire.write(MESSAGES[4]))
    tree[2] = {4: NOW}
    with pytest.raises(Refused):
        wire.read(encode(tree))
    tree = decode_map(wire.write(MESSAGES[0]))
    tree[1] = bytes(MAX_LISTING_BYTES + 1)
    with pytest.raises(Refused):
        wire.read(encode(tree))


def test_a_failure_is_raised_where_an_answer_was_expected() -> None:
    with pytest.raises(Refused, match="cell-full"):
        wire.read_as(wire.Kept, wire.write(MESSAGES[-1]))
    with pytest.raises(Refused, match="unexpected"):
        wire.read_as(wire.Found, wire.write(wire.Kept()))
    assert len(wire.failed(Refused("code", "x" * 1000)).message) == 320
