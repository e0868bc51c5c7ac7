"""When a clock is not to be believed, and what a restart must remember for that."""

from __future__ import annotations

from chargemesh_protocol.clock import CLOCK, ClockWatch, NewestSigned, differing_clocks, judge_clock
from chargemesh_protocol.effects import Effect, PutDocument, ReleaseSlot

NOON = 1_790_000_000_000
MINUTE = 60_000
DAY = 86_400_000


def test_a_clock_behind_its_own_newest_record_is_not_trusted() -> None:
    verdict = judge_clock(NOON, NOON + 3 * DAY)
    assert not verdict.trusted
    assert "3 days behind the newest record" in verdict.reason
    assert judge_clock(NOON, NOON).trusted
    assert judge_clock(NOON, 0).trusted


def test_several_peers_overrule_our_clock_but_two_do_not() -> None:
    assert judge_clock(NOON, 0, [600_000, 600_000]).trusted
    ahead = judge_clock(NOON, 0, [-600_000, -600_000, 0, -500_000])
    assert not ahead.trusted
    assert "ahead of the clocks of 4 peers" in ahead.reason
    assert judge_clock(NOON, 0, [120_000, -119_000, 90_000]).trusted
    assert not judge_clock(NOON, 0, [120_001, 120_001, 120_001]).trusted


def test_of_too_few_clocks_nobody_knows_which_is_wrong_but_that_one_is() -> None:
    sentence = differing_clocks([600_000])
    assert "theirs is 10 minutes ahead of ours. One of the two clocks is wrong." in sentence
    assert "a peer's clock differ: theirs is 10 minutes behind ours" in differing_clocks([5, -600_000])
    assert differing_clocks([]) == differing_clocks([120_000, -3]) == ""
    assert differing_clocks([600_000] * 3) == "", "that many are for judge_clock"


def test_one_lying_peer_changes_nothing() -> None:
    assert judge_clock(NOON, 0, [10, -20, 10**12]).trusted
    assert not judge_clock(NOON, 0, [10**7, 10**7, 0]).trusted


def test_a_record_that_a_wrong_clock_dated_into_the_future_does_not_silence_the_node_for_years() -> None:
    """Several peers show where the present is; without them it can't be told from a clock that is behind."""
    wrong = NOON + 3000 * DAY
    assert not judge_clock(NOON, wrong, [0, 0]).trusted
    assert judge_clock(NOON, wrong, [0, 5, -5]).trusted
    assert not judge_clock(NOON, NOON + MINUTE, [0, 5, -5]).trusted, "within the tolerance it may be right"
    assert not judge_clock(NOON, NOON + DAY, [DAY, DAY, DAY]).trusted


def test_what_was_signed_is_known_after_a_restart() -> None:
    watch = ClockWatch(newest := NewestSigned(), {}, tuple)
    newest.note(NOON)
    (kept,) = watch.saved([ReleaseSlot(b"booking")])
    assert watch.saved([ReleaseSlot(b"booking")]) == []
    restarted = ClockWatch(NewestSigned(), documents(kept), tuple)
    assert not restarted.judge(NOON - 1).trusted and restarted.judge(NOON).trusted


def test_what_is_not_kept_costs_a_write_a_minute_at_most() -> None:
    """Quotes and renewals are signed without being written down."""
    watch = ClockWatch(newest := NewestSigned(), {}, tuple)
    newest.note(NOON)
    assert watch.deadline() is not None
    watch.saved([])
    writes = 0
    for second in range(1, 121):
        newest.note(NOON + second * 1000)
        writes += len(watch.saved([]))
    assert writes == 2
    newest.note(NOON + DAY)
    assert watch.deadline() == NOON + DAY + MINUTE


def documents(effect: Effect) -> dict[str, dict[bytes, bytes]]:
    assert isinstance(effect, PutDocument) and effect.collection == CLOCK
    return {effect.collection: {effect.key: effect.value}}
