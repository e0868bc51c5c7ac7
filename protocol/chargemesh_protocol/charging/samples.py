"""Reads OCPP 1.6 MeterValues as wallboxes really send them, without believing more than the text says.

Input are the payload's `meter_value` entries as JSON gives them, keys in snake_case. Nothing here raises
over what a box sent: what can't be read is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ..limits import MAX_METER_VALUES

REGISTER = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
PERIODIC = "Sample.Periodic"

# Bounded on purpose: Decimal would take "1e999999999" and then fill the memory.
_NUMBER = re.compile(r"-?\d{1,15}(?:[.,]\d{1,9})?")
_EARLIEST_YEAR, _LATEST_YEAR = 1970, 2200


@dataclass(frozen=True, slots=True)
class Sample:
    """One instant of a meter, as declared. `at` is the box's own timestamp, None when it can't be read.

    `register_mwh` is in thousandths of a Wh by the declared unit (Wh when none is), so that nothing is
    rounded before the unit is known to be right.
    """

    at: int | None
    register_mwh: int | None
    power_w: int | None
    context: str = PERIODIC


def read_samples(meter_value: object) -> list[Sample]:
    """The usable instants of a MeterValues or of a StopTransaction's transaction data, in the box's order."""
    if not isinstance(meter_value, list):
        return []
    samples = []
    for entry in meter_value[:MAX_METER_VALUES]:
        if not isinstance(entry, dict):
            continue
        sampled = entry.get("sampled_value")
        values = [value for value in sampled if isinstance(value, dict)] if isinstance(sampled, list) else []
        register = _quantity(values, REGISTER, {"Wh": 1, "kWh": 1000})
        power = _quantity(values, POWER, {"W": 1, "kW": 1000})
        if register is None and power is None:
            continue
        samples.append(
            Sample(
                at=read_time(entry.get("timestamp")),
                register_mwh=None if register is None else int(register * 1000),
                power_w=None if power is None else int(power),
                context=_context(values),
            )
        )
    return samples


def read_time(text: object) -> int | None:
    """Unix ms of an ISO 8601 text; without a zone it is taken as UTC, as OCPP asks. None if unreadable."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if not _EARLIEST_YEAR < moment.year < _LATEST_YEAR:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def read_number(value: object) -> Decimal | None:
    """A plain decimal number from text or JSON number; boxes also write a comma. None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value).strip()
    if _NUMBER.fullmatch(text) is None:
        return None
    return Decimal(text.replace(",", "."))


def _quantity(values: list[dict[str, Any]], measurand: str, units: dict[str, int]) -> Decimal | None:
    """The measurand's value in the base unit: the total if the box gives one, else the phases' sum.

    A measurand left out means the register, and a unit left out the base unit (OCPP 1.6, 7.43).
    A unit that isn't one of `units` makes that value unusable.
    """
    total: Decimal | None = None
    phases: dict[str, Decimal] = {}
    for value in values:
        if value.get("measurand", REGISTER) != measurand or value.get("format") == "SignedData":
            continue
        unit = value.get("unit")
        number = read_number(value.get("value"))
        factor = units.get(unit) if isinstance(unit, str) else next(iter(units.values()))
        if number is None or factor is None or value.get("location", "Outlet") not in ("Outlet", "Body"):
            continue
        phase = value.get("phase")
        if phase is None:
            total = number * factor if total is None else total
        elif phase in ("L1", "L2", "L3", "L1-N", "L2-N", "L3-N"):
            phases[phase[:2]] = number * factor
    if total is not None:
        return total
    return sum(phases.values(), Decimal(0)) if phases else None


def _context(values: list[dict[str, Any]]) -> str:
    for value in values:
        context = value.get("context")
        if isinstance(context, str) and 0 < len(context) <= 40:
            return context
    return PERIODIC
