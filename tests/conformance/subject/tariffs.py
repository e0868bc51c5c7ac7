"""Operations on tariffs, costs, terms and weekly hours (10-tariffs.md, 04-places-listings.md)."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.metering import Reading, bill, estimate, usage
from chargemesh_protocol.pricing import worst_case
from chargemesh_protocol.schedule import WeeklyHours, slot_map
from chargemesh_protocol.tariff import PricePlan, Tariff, resolve
from chargemesh_protocol.terms import Terms, cancellation_cost, host_failure_compensation, no_show_cost
from chargemesh_protocol.zones import HOUR_MS, MINUTE_MS

from ..fields import from_json, to_json
from ..values import number


def billed(given: dict[str, Any]) -> dict[str, Any]:
    plan = from_json(PricePlan, given["plan"])
    readings = [Reading(at, energy_wh) for at, energy_wh in given["readings"]]
    cost = bill(plan, readings)
    on_top = 0 if plan.tax_included else cost.tax
    return {
        "used": [
            {
                "period": one.period,
                "energy_wh": one.energy_wh,
                "charging_ms": one.charging_ms,
                "parking_ms": one.parking_ms,
            }
            for one in usage(plan, readings)
        ],
        "lines": [
            {
                "dimension": one.dimension.value,
                "quantity": number(one.quantity),
                "price": number(one.price),
                "amount": number(one.amount),
            }
            for one in cost.lines
        ],
        "adjustment": number(cost.adjustment),
        "tax": number(cost.tax),
        "rounding": number(cost.total - sum(one.amount for one in cost.lines) - cost.adjustment - on_top),
        "total": number(cost.total),
    }


def planned(given: dict[str, Any]) -> dict[str, Any]:
    terms = from_json(Terms, given["terms"])
    try:
        plan = resolve(
            from_json(Tariff, given["tariff"]),
            given["zone"],
            given["start"],
            given["end"],
            power_w=given["power_w"],
            overstay_after_ms=terms.overstay_grace * MINUTE_MS,
            overstay_per_hour=terms.overstay_per_hour,
        )
    except ValueError as error:
        raise Refused("unpriceable", str(error)) from error
    return {"plan": to_json(plan)}


def quoted(given: dict[str, Any]) -> dict[str, Any]:
    plan, power_w = from_json(PricePlan, given["plan"]), given["power_w"]
    start, end = given["start"], given["end"]
    most_wh = (end - start) * power_w // HOUR_MS
    energy_wh = min(given["energy_wh"], most_wh) or most_wh
    return {
        "energy_wh": energy_wh,
        "estimate": estimate(plan, start, end, energy_wh, power_w).total,
        "cap": worst_case(plan, start, end, most_wh),
    }


def owed(given: dict[str, Any]) -> dict[str, Any]:
    terms, cap, start = from_json(Terms, given["terms"]), given["cap"], given["start"]
    return {
        "cancelling": cancellation_cost(terms, cap, start, given["at"]),
        "no_show": no_show_cost(terms, cap, start),
        "host_failure": host_failure_compensation(terms, cap),
        "free_until": terms.free_until(start),
    }


def slots(given: dict[str, Any]) -> dict[str, Any]:
    busy = [(taken_from, taken_to) for taken_from, taken_to in given["busy"]]
    return {"slots": to_json(slot_map(from_json(WeeklyHours, given["hours"]), given["start"], busy))}


OPERATIONS = {
    "tariff.bill": billed,
    "tariff.plan": planned,
    "tariff.quote": quoted,
    "terms.costs": owed,
    "hours.slots": slots,
}
