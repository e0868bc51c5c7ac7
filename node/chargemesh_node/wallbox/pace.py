"""The waiting times of an OCPP driver, in one place, so that tests can shorten them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds each.

    `sample_s`: how often the box is asked to send readings. `heartbeat_s`: how often it says that it lives.
    `after_boot_s`: pause between a boot and our first wish. `settle_s`: how long a box that reconnects
    without a boot is left to speak first. `freed_s`: how long a connector must be free before a session
    that nobody ended counts as over. `resumed_s`: how long after a boot a connector that waits for a car, or
    for one to leave, may keep silent about its session: boxes resume, or send the stop, within minutes.
    `keep_s`: how often the last register is kept while charging.
    `wanted_s`: how long a refused remote start waits for the person to replug.
    """

    sample_s: int = 15
    heartbeat_s: int = 60
    after_boot_s: float = 1.0
    settle_s: float = 5.0
    freed_s: float = 90.0
    resumed_s: float = 180.0
    keep_s: float = 30.0
    wanted_s: float = 900.0
