"""Meter values as boxes really send them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.charging.samples import Sample, read_number, read_samples, read_time

AT = "2026-05-01T10:00:00Z"
AT_MS = 1_777_629_600_000


def entry(*values: dict[str, Any], timestamp: object = AT) -> dict[str, Any]:
    return {"timestamp": timestamp, "sampled_value": list(values)}


def test_a_value_without_a_measurand_or_unit_is_the_register_in_wh() -> None:
    assert read_samples([entry({"value": "1234"})]) == [Sample(AT_MS, 1_234_000, None)]


def test_units_are_honoured_and_fractions_kept() -> None:
    values = (
        {
            "value": "12.3456",
            "measurand": "Energy.Active.Import.Register",
            "unit": "kWh",
            "context": "Trigger",
        },
        {"value": "10,9", "measurand": "Power.Active.Import", "unit": "kW"},
    )
    assert read_samples([entry(*values)]) == [Sample(AT_MS, 12_345_600, 10_900, "Trigger")]


def test_phases_are_summed_only_without_a_total() -> None:
    phases = [
        {"value": "2000", "measurand": "Power.Active.Import", "unit": "W", "phase": f"L{n}"}
        for n in (1, 2, 3)
    ]
    assert read_samples([entry(*phases)])[0].power_w == 6000
    total = {"value": "6100", "measurand": "Power.Active.Import", "unit": "W"}
    assert read_samples([entry(*phases, total)])[0].power_w == 6100


@pytest.mark.parametrize(
    "value",
    ["", "NaN", "1e999999999", "Infinity", "0x10", "9" * 40, None, True, [], {"value": 1}],
)
def test_what_is_no_plain_number_is_left_out(value: object) -> None:
    assert read_number(value) is None
    assert read_samples([entry({"value": value})]) == []


def test_an_unknown_unit_or_signed_data_is_left_out() -> None:
    assert (
        read_samples([entry({"value": "7", "unit": "Celsius"}, {"value": "7", "format": "SignedData"})]) == []
    )


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01T00:00:00Z", "2026-13-01", 5, None, "2" * 99])
def test_an_unreadable_time_is_none(text: object) -> None:
    assert read_time(text) is None


def test_a_time_without_a_zone_is_utc() -> None:
    assert read_time("2026-05-01T10:00:00") == read_time("2026-05-01T12:00:00.000+02:00") == AT_MS


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["timestamp", "sampled_value", "value", "unit", "phase"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_nothing_a_box_sends_raises(payload: object) -> None:
    assert isinstance(read_samples(payload), list)
