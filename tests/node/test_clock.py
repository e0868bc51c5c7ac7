"""Clocks, entropy, and when a clock is not to be believed."""

from __future__ import annotations

import pytest

from chargemesh_node.clock import ManualClock, SeededEntropy, SystemClock, SystemEntropy, judge_clock

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


def test_a_clock_behind_its_own_newest_record_is_not_trusted() -> None:
    verdict = judge_clock(NOON, NOON + 3 * 86_400_000)
    assert not verdict.trusted
    assert "3 days behind" in verdict.reason
    assert judge_clock(NOON, NOON).trusted
    assert judge_clock(NOON, None).trusted


def test_several_peers_overrule_our_clock_but_two_do_not() -> None:
    assert judge_clock(NOON, None, [600_000, 600_000]).trusted
    ahead = judge_clock(NOON, None, [-600_000, -600_000, 0, -500_000])
    assert not ahead.trusted
    assert "ahead of the clocks of 4 peers" in ahead.reason
    assert judge_clock(NOON, None, [120_000, -119_000, 90_000]).trusted


def test_one_lying_peer_changes_nothing() -> None:
    assert judge_clock(NOON, None, [10, -20, 10**12]).trusted
