"""The promises that `make fuzz` tests at length, with a few random examples of each."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..protocol.trees import damaged
from .cost import MAX_BYTES_FOR_A_BYTE, MAX_GROWTH, SPARE_BYTES, calls, peak_bytes
from .found import FOUND
from .target import Target
from .targets import TARGETS

each = pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)


@each
def test_it_begins_with_inputs_that_are_read(target: Target) -> None:
    seeds = list(target.seeds())
    assert len(seeds) >= 3
    for seed in seeds:
        target.check(seed)


@each
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_no_damage_breaks_the_promise(target: Target, data: st.DataObject) -> None:
    seeds = [seed for seed in target.seeds() if seed]
    target.check(data.draw(st.sampled_from(seeds).flatmap(damaged)))
    target.check(data.draw(st.binary(max_size=60)))


@each
def test_twice_the_input_costs_no_more_than_four_times_as_much(target: Target) -> None:
    once, twice, four_times = (calls(target, target.grown(times)) for times in (1, 2, 4))
    assert twice < MAX_GROWTH * once
    assert four_times < MAX_GROWTH * twice


@each
def test_memory_is_bounded_by_the_input(target: Target) -> None:
    for times in (1, 4):
        data = target.grown(times)
        assert peak_bytes(target, data) < SPARE_BYTES + MAX_BYTES_FOR_A_BYTE * len(data)


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_stays_mended(name: str, data: bytes) -> None:
    TARGETS[name].check(data)
