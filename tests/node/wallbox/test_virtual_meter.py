"""The virtual wallbox's meter: one register, whoever reads it."""

from __future__ import annotations

import pytest

from chargemesh_node.wallbox.faults import Faults, Unit
from chargemesh_node.wallbox.virtual_meter import VirtualMeter

MEASURANDS = ("Energy.Active.Import.Register",)


@pytest.mark.parametrize(("unit", "told"), [("Wh", "1001"), ("kWh", "1.001")])
def test_a_reading_is_never_above_what_a_stop_at_that_moment_says(unit: Unit, told: str) -> None:
    meter = VirtualMeter(1000.0, Faults(unit=unit))
    meter.power_w = 3600
    meter.count(1.9, speed=1)
    (entry,) = meter.values(0, "Sample.Periodic", MEASURANDS)
    assert entry["sampled_value"][0]["value"] == told
    assert meter.register_wh == 1001
