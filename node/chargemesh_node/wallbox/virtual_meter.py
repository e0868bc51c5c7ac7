"""The virtual wallbox's meter: counts what the car takes, and says it as OCPP MeterValues, or wrongly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .faults import Faults

_REGISTER = "Energy.Active.Import.Register"
_POWER = "Power.Active.Import"


class VirtualMeter:
    """A register in Wh that begins at `register_wh`, and the power of this moment in W."""

    def __init__(self, register_wh: float, faults: Faults) -> None:
        self._wh = register_wh
        self._faults = faults
        self.power_w = 0

    @property
    def register_wh(self) -> int:
        return int(self._wh)

    def count(self, seconds: float, speed: float) -> float:
        """Counts the present power for `seconds`, `speed` times too fast; returns the energy in Wh."""
        energy = self.power_w * seconds * speed / 3600
        self._wh += -energy if self._faults.meter_backwards else energy
        return energy

    def values(self, at: int, context: str, measurands: tuple[str, ...]) -> list[dict[str, Any]]:
        """One MeterValue entry for the present moment, with those of `measurands` that this meter has."""
        return self.values_of(self._wh, self.power_w, at, context, measurands)

    def values_of(
        self, register_wh: float, power_w: int, at: int, context: str, measurands: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        sampled: list[dict[str, Any]] = []
        shown_wh = int(register_wh)  # as at the stop: rounded up, the reading before it would be the higher
        if _REGISTER in measurands:
            entry = {"value": str(shown_wh), "measurand": _REGISTER, "unit": "Wh", "context": context}
            if self._faults.unit != "Wh":
                entry["value"] = f"{shown_wh / 1000:.3f}"
                entry["unit"] = "kWh"
            if self._faults.unit == "kwh-as-wh":
                del entry["unit"]
            sampled.append(entry)
        if _POWER in measurands:
            sampled.append({"value": str(power_w), "measurand": _POWER, "unit": "W", "context": context})
        return [{"timestamp": iso(at), "sampled_value": sampled}]


def iso(at: int) -> str:
    """Unix ms as OCPP writes times."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
