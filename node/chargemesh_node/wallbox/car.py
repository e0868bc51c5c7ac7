"""The car at the virtual wallbox: how much it takes, and how full it gets."""

from __future__ import annotations

LEAST_POWER_W = 1380  # 6 A at 230 V: below that no AC charging happens at all (IEC 61851)
_TAPER_FROM_PERCENT = 80.0
_TAPER_TO = 0.08  # of the full power, just before 100 %
_EFFICIENCY = 0.9  # the rest warms the charger in the car


class Car:
    """Takes constant power up to 80 %, then less and less, and nothing at 100 %."""

    def __init__(
        self, battery_wh: int = 60_000, soc_percent: float = 30.0, max_power_w: int = 11_000
    ) -> None:
        self.battery_wh = battery_wh
        self.soc_percent = soc_percent
        self.max_power_w = max_power_w

    def power(self, offered_w: int) -> int:
        """What it takes of the offered power (W)."""
        if offered_w < LEAST_POWER_W or self.soc_percent >= 100:
            return 0
        beyond = max(0.0, self.soc_percent - _TAPER_FROM_PERCENT) / (100 - _TAPER_FROM_PERCENT)
        return int(min(offered_w, self.max_power_w) * (1 - beyond * (1 - _TAPER_TO)))

    def charge(self, energy_wh: float) -> None:
        gained = energy_wh * _EFFICIENCY / self.battery_wh * 100
        self.soc_percent = min(100.0, self.soc_percent + gained)
