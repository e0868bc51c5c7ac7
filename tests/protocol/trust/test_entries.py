"""Records of trust: what their shapes refuse, skip links, hashes and what one half of a pair proves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_ENTRY_BYTES, MAX_NOTE_CHARS, MAX_REVIEW_CONTENT_BYTES
from chargemesh_protocol.record import open_record, sign
from chargemesh_protocol.trust.entries import (
    Completion,
    ReviewContent,
    Stars,
    Vouch,
    booking_hash,
    commitment_of,
    content_bytes,
    open_content,
    skip_target,
)
from chargemesh_protocol.trust.log import Unauthorised, judge
from chargemesh_protocol.trust.month import month_of, span_of, text_of

from .people import BORN, MONTH, NETWORK, Person, directory_of, hashed

alice, bob, carol = Person("alice"), Person("bob"), Person("carol")
EVERYBODY = directory_of(alice, bob, carol)


def test_skip_links_clear_the_lowest_bit_and_reach_back_fast() -> None:
    assert [skip_target(n) for n in range(1, 13)] == [None] * 5 + [4, None, None, None, 8, None, 8]
    for start in (4095, 4094, 100_000):
        at, steps = start, 0
        while at > 4096 >> 3:
            at, steps = skip_target(at) or at - 1, steps + 1
        assert steps < 300


def test_one_half_proves_the_pair() -> None:
    item = Person("alice").completes(bob, "monday")
    judged = judge(item.raw, NETWORK, EVERYBODY)
    assert judged.record.body.author == alice.author
    assert (judged.subject, judged.booking) == (bob.author, hashed("monday"))
    assert len(item.raw) <= MAX_ENTRY_BYTES // 2 + 50


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (bob.states(carol, "monday"), "not about this author"),
        (alice.states(bob, "monday"), "not about this author"),
        (bob.states(alice, "monday", month=MONTH + 1), "month or region differ"),
        (Person("mallory").states(alice, "monday"), "no bundle"),
    ],
)
def test_a_forged_pair_is_refused(statement: Any, reason: str) -> None:
    item = Person("alice").writes(Completion, month=MONTH, statement=statement.raw)
    with pytest.raises(Refused, match=reason):
        judge(item.raw, NETWORK, EVERYBODY)


def test_a_statement_signed_by_a_key_that_is_not_the_others_is_refused() -> None:
    body = bob.states(alice, "monday").body
    forged = sign(body, alice.device, NETWORK)
    item = Person("alice").writes(Completion, month=MONTH, statement=forged.raw)
    with pytest.raises(Unauthorised) as refused:
        judge(item.raw, NETWORK, EVERYBODY)
    assert (refused.value.code, refused.value.author) == ("not-delegated", bob.author)


def test_one_altered_bit_in_the_embedded_statement_is_refused() -> None:
    statement = bytearray(bob.states(alice, "monday").raw)
    statement[-1] ^= 1
    item = Person("alice").writes(Completion, month=MONTH, statement=bytes(statement))
    with pytest.raises(Refused, match="bad-signature"):
        judge(item.raw, NETWORK, EVERYBODY)


def test_a_statement_is_no_entry_and_an_entry_of_another_network_is_none_here() -> None:
    with pytest.raises(Refused, match="no log entry"):
        judge(bob.states(alice, "monday").raw, NETWORK, EVERYBODY)
    foreign = Person("alice", network="chargemesh-test-other").vouches(bob)
    with pytest.raises(Refused, match="bad-signature"):
        judge(foreign.raw, NETWORK, EVERYBODY)


def test_an_entry_of_a_month_that_no_delegation_covers_is_refused() -> None:
    for month in (month_of(BORN) - 1, month_of(BORN) + 11):
        item = Person("alice").vouches(bob, month=month)
        with pytest.raises(Unauthorised, match="no delegation"):
            judge(item.raw, NETWORK, EVERYBODY)
    judge(Person("alice").vouches(bob, month=month_of(BORN)).raw, NETWORK, EVERYBODY)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"skip": bytes(32)}, "skip link"),
        ({"previous": bytes(32)}, "names its author"),
        ({"region": 0x8928308280FFFFF}, "resolution 4"),
        ({"region": 1}, "region"),
        ({"subject": alice.author}, "somebody else"),
    ],
)
def test_shapes_refuse_what_no_reader_could_use(changes: dict[str, Any], reason: str) -> None:
    record = open_record(Person("alice").vouches(bob).raw, NETWORK)
    assert isinstance(record.body, Vouch)
    with pytest.raises(ValueError, match=reason):
        replace(record.body, **changes)


def test_nobody_completes_a_booking_with_themselves() -> None:
    with pytest.raises(ValueError, match="themselves"):
        alice.states(alice, "monday")


def test_the_largest_review_fits_and_reads_back() -> None:
    content = ReviewContent(
        stars=Stars(overall=4, reliable=5), text="\N{ELECTRIC PLUG}" * MAX_NOTE_CHARS, salt=bytes(32)
    )
    data = content_bytes(content)
    assert len(data) <= MAX_REVIEW_CONTENT_BYTES
    assert open_content(data) == content


@pytest.mark.parametrize("stars", [{0: 0}, {0: 6}, {}, {0: True}, {0: 5, 1: 5}])
def test_odd_stars_are_refused(stars: dict[int, int]) -> None:
    with pytest.raises(Refused):
        open_content(encode({0: stars, 1: "", 2: bytes(16)}))  # type: ignore[dict-item]


def test_both_sides_reach_the_same_hash_and_only_with_the_receipt() -> None:
    booking, receipt = bytes(32), b"r" * 32
    assert booking_hash(booking, receipt) == booking_hash(booking, receipt)
    assert booking_hash(booking, receipt) != booking_hash(booking, bytes(32))


def test_a_commitment_binds_booking_and_content() -> None:
    one = commitment_of(bytes(32), b"content")
    assert one != commitment_of(b"b" * 32, b"content")
    assert one != commitment_of(bytes(32), b"kontent")


def test_months() -> None:
    assert month_of(0) == 0
    assert text_of(month_of(1_795_293_600_000)) == "2026-11"
    first, after = span_of(682)
    assert (month_of(first - 1), month_of(first), month_of(after - 1), month_of(after)) == (
        681,
        682,
        682,
        683,
    )
