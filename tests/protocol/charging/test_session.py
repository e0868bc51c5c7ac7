"""One session's meter, misbehaving in every way that we know of."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.charging.reports import Reading
from chargemesh_protocol.charging.samples import Sample
from chargemesh_protocol.charging.session import Session, take_sample, take_stop

T0 = 1_777_629_600_000
MINUTE = 60_000
MAX_W = 22_000


def session(start_wh: int = 5_000_000) -> Session:
    return Session(
        transaction=7, connector=1, tag="T", owner=False, refused=False, started_at=T0,
        start_mwh=start_wh * 1000, claimed_start=(T0, str(start_wh)), last_at=T0, last_mwh=start_wh * 1000,
    )  # fmt: skip


def feed(
    now: Session, *values: tuple[float, float], power_w: int | None = 11_000, scale: float = 1
) -> tuple[Session, list[Reading]]:
    """Readings as (minutes since the start, Wh), received when they were taken."""
    readings = []
    for minutes, wh in values:
        at = T0 + int(minutes * MINUTE)
        now, reading = take_sample(now, Sample(at, int(wh * 1000 * scale), power_w), at, MAX_W)
        if reading is not None:
            readings.append(reading)
    return now, readings


def registers(readings: list[Reading]) -> list[int]:
    return [reading.register_wh for reading in readings]


def test_plain_readings_pass() -> None:
    _, readings = feed(session(), (1, 5_000_180), (2, 5_000_360))
    assert registers(readings) == [5_000_180, 5_000_360]
    assert readings[0] == Reading("7", 5_000_180, 11_000, T0 + MINUTE, "Sample.Periodic")


def test_a_duplicate_says_nothing_new() -> None:
    _, readings = feed(session(), (1, 5_000_180), (1, 5_000_180))
    assert len(readings) == 1


def test_a_stop_1_wh_below_the_start_ends_at_the_start() -> None:
    ended = take_stop(session(), 4_999_999_000, T0 + MINUTE, T0 + MINUTE, MAX_W)
    assert (ended.register_wh, ended.ended_at, ended.held_back) == (5_000_000, T0 + MINUTE, 0)


def test_a_stop_far_below_or_far_above_ends_at_the_last_reading() -> None:
    now, _ = feed(session(), (1, 5_000_180))
    for stop_wh in (0, 4_000_000, 6_000_000, -1):
        ended = take_stop(now, stop_wh * 1000, T0 + 2 * MINUTE, T0 + 2 * MINUTE, MAX_W)
        assert (ended.register_wh, ended.held_back) == (5_000_180, 1), stop_wh


def test_a_stop_before_the_start_ends_now_when_live_and_at_the_last_moment_from_a_backlog() -> None:
    now, _ = feed(session(), (1, 5_000_180))
    assert take_stop(now, None, T0 - 99 * MINUTE, T0 + 2 * MINUTE, MAX_W).ended_at == T0 + 2 * MINUTE
    assert take_stop(now, None, T0 - 99 * MINUTE, T0 + 3000 * MINUTE, MAX_W).ended_at == T0 + MINUTE


def test_a_meter_that_runs_backwards_is_held_at_its_highest() -> None:
    now, readings = feed(
        session(), (1, 5_000_180), (2, 5_000_000), (3, 4_999_800), (4, 4_999_600), (5, 4_999_400)
    )
    assert registers(readings) == [5_000_180]
    assert (now.held_back, now.register_wh) == (4, 5_000_180)


def test_a_single_jump_is_held_back() -> None:
    now, readings = feed(session(), (1, 5_000_180), (2, 5_900_000), (3, 5_000_540))
    assert registers(readings) == [5_000_180, 5_000_540]
    assert now.held_back == 1


def test_a_meter_that_was_reset_is_followed_and_the_jump_billed_to_nobody() -> None:
    now, readings = feed(session(), (1, 5_000_180), (2, 10), (3, 190), (4, 370), (5, 550), (6, 730))
    assert registers(readings) == [5_000_180, 5_000_360, 5_000_540]
    assert take_stop(now, 730_000, T0 + 7 * MINUTE, T0 + 7 * MINUTE, MAX_W).register_wh == 5_000_540


def test_kwh_sent_as_wh_is_found_by_the_start() -> None:
    now, readings = feed(session(), (1, 5_000_180), (2, 5_000_360), (3, 5_000_540), scale=1 / 1000)
    assert registers(readings) == [5_000_180, 5_000_360, 5_000_540]
    assert take_stop(now, 5_000_541_000, T0 + 4 * MINUTE, T0 + 4 * MINUTE, MAX_W).register_wh == 5_000_541


def test_kwh_sent_as_wh_is_found_by_the_power_when_the_register_starts_at_zero() -> None:
    minutes = [(m, m * 11_000 / 60) for m in range(1, 8)]
    now, readings = feed(session(0), *minutes, scale=1 / 1000)
    assert registers(readings)[-1] == 7 * 11_000 // 60
    assert registers(readings) == sorted(registers(readings))
    assert now.scale == 1000


def test_wh_declared_as_kwh_is_found_too() -> None:
    _, readings = feed(session(), (1, 5_000_180), (2, 5_000_360), scale=1000)
    assert registers(readings) == [5_000_180, 5_000_360]


def test_a_clock_in_the_future_or_before_the_start_is_replaced_by_ours() -> None:
    for wrong in (T0 + 999 * MINUTE, T0 - 999 * MINUTE, None):
        _, reading = take_sample(session(), Sample(wrong, 5_000_180_000, None), T0 + MINUTE, MAX_W)
        assert reading is not None and reading.at == T0 + MINUTE


def test_days_of_backlog_keep_their_own_times() -> None:
    received = T0 + 3 * 24 * 60 * MINUTE
    now, count = session(), 0
    for minute in range(1, 1000):
        sample = Sample(T0 + minute * MINUTE, 5_000_000_000 + minute * 180_000, 11_000)
        now, reading = take_sample(now, sample, received, MAX_W)
        assert reading is not None and reading.at == sample.at
        count += 1
    assert (count, now.held_back) == (999, 0)


def test_what_is_older_than_the_last_reading_is_left_out() -> None:
    _, readings = feed(session(), (5, 5_000_900), (1, 5_000_180))
    assert registers(readings) == [5_000_900]


@given(
    st.lists(st.tuples(st.integers(-10_000, 10_000), st.integers(-(10**12), 10**12), st.integers(-9, 10**6)),
             max_size=30),
    st.integers(-(10**12), 10**12),
)  # fmt: skip
def test_registers_and_times_never_fall_and_never_outrun_the_connector(
    facts: list[tuple[int, int, int]], stop: int
) -> None:
    now, received, last = session(), T0, (T0, 5_000_000)
    for minutes, register, power in facts:
        received += MINUTE
        now, reading = take_sample(now, Sample(T0 + minutes * MINUTE, register, power), received, MAX_W)
        if reading is not None:
            assert reading.at >= last[0] and reading.register_wh >= last[1]
            gained = reading.register_wh - last[1]
            assert gained <= MAX_W * (received + 2 * MINUTE - T0) // 3_600_000 + 1_001
            last = (reading.at, reading.register_wh)
    ended = take_stop(replace(now), stop, None, received, MAX_W)
    assert ended.register_wh >= last[1] and ended.ended_at is not None and ended.ended_at >= last[0]
