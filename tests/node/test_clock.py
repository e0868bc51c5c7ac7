"""Clocks and entropy, real and made for tests."""

from __future__ import annotations

import pytest

from chargemesh_node.clock import ManualClock, SeededEntropy, SystemClock, SystemEntropy

NOON = 1_790_000_000_000


def test_the_system_clock_counts_unix_milliseconds() -> None:
    assert 1_600_000_000_000 < SystemClock().now() < 4_000_000_000_000


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(NOON)
    clock.advance(250)
    assert clock.now() == NOON + 250
    clock.set(NOON)
    assert clock.now() == NOON
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_one_seed_gives_one_stream() -> None:
    first, again, other = SeededEntropy(b"1"), SeededEntropy(b"1"), SeededEntropy(b"2")
    drawn = [first.bytes(n) for n in (32, 0, 5, 100)]
    assert drawn == [again.bytes(n) for n in (32, 0, 5, 100)]
    assert [len(piece) for piece in drawn] == [32, 0, 5, 100]
    assert drawn[0] != other.bytes(32)
    assert first.bytes(32) != first.bytes(32)


def test_system_entropy_differs() -> None:
    assert SystemEntropy().bytes(32) != SystemEntropy().bytes(32)
