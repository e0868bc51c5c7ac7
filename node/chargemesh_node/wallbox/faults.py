"""The ways in which the virtual wallbox can be told to misbehave; each has been seen in a real one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["Wh", "kWh", "kwh-as-wh"]


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default. Times in seconds.

    `vanish_after_s`: so long after a session began the connection drops, for `vanish_for_s`; readings are
    buffered meanwhile. `stop_late_s`: charges on for so long after it accepted a stop.
    `dead_transaction`: readings and the stop carry the number of an earlier session.
    `meter_backwards`: the register falls while it charges. `duplicates`: everything about a session is sent
    twice. `unit`: `kWh` with the unit said, `kwh-as-wh` without. `refuse_in_finishing`: no remote start
    before the car was unplugged. `no_subprotocol`: offers none. `stop_below_start`: a stop value 1 Wh below
    the start. `stop_minus_one`: the session -1 is stopped. `stop_before_start`: the stop is stamped an hour
    before the start. `values_after_stop`: one more reading after the stop. `reboot_on_settings`: reboots
    whenever it is asked to sample measurands. `ignore_refusal`: charges on when its tag is refused.
    `refuse_start`: no remote start at all.
    """

    vanish_after_s: float | None = None
    vanish_for_s: float = 5.0
    stop_late_s: float = 0.0
    dead_transaction: bool = False
    meter_backwards: bool = False
    duplicates: bool = False
    unit: Unit = "Wh"
    refuse_in_finishing: bool = False
    no_subprotocol: bool = False
    stop_below_start: bool = False
    stop_minus_one: bool = False
    stop_before_start: bool = False
    values_after_stop: bool = False
    reboot_on_settings: bool = False
    ignore_refusal: bool = False
    refuse_start: bool = False


NO_FAULTS = Faults()
