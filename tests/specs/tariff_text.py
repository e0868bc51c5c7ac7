"""The arithmetic of specs/10-tariffs.md, written from its text alone (rule by rule, on plain trees)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Tree = dict[int, Any]
DIMENSIONS = ("ENERGY", "TIME", "PARKING_TIME", "FLAT")
HOUR = 3_600_000
UNIT = {"ENERGY": 1000, "TIME": HOUR, "PARKING_TIME": HOUR, "FLAT": 1}
_TABLE = Path(__file__).parents[2] / "specs" / "tables" / "currencies.json"
DIGITS = {one["code"]: one["digits"] for one in json.loads(_TABLE.read_text())}


def half_up(a: int, b: int) -> int:
    return (2 * a + b) // (2 * b) if a >= 0 else -half_up(-a, b)


def ceil(a: int, b: int) -> int:
    return (a + b - 1) // b


def coin(currency: str) -> int:
    return int(10 ** (6 - DIGITS[currency]))


def component(period: Tree, dimension: str) -> Tree | None:
    return next((one for one in period[1] if one[0] == dimension), None)


def index(plan: Tree, instant: int) -> int:
    """p(t) of T7."""
    return sum(1 for period in plan[1][1:] if period[0] <= instant)


def usage(plan: Tree, readings: list[tuple[int, int]]) -> list[dict[str, int]]:
    """T6 and T7: for each period its number and what was used in it."""
    (begin, meter), (end, final) = readings[0], readings[-1]
    full = next(t for t, energy in readings if energy == final)
    first, last = index(plan, begin), index(plan, max(begin, end - 1))
    found, at = [], begin
    for k in range(first, last + 1):
        past = end if k == last else plan[1][k + 1][0]
        then = final if k == last else _meter_at(readings, past)
        charging = max(0, min(full, past) - at)
        found.append({"k": k, "ENERGY": then - meter, "TIME": charging, "PARKING_TIME": past - at - charging})
        at, meter = past, then
    return found


def _meter_at(readings: list[tuple[int, int]], past: int) -> int:
    t, energy = [one for one in readings if one[0] < past][-1]
    later, more = next(one for one in readings if one[0] >= past)
    return energy + ((more - energy) * (past - t)) // (later - t)


def bill(plan: Tree, readings: list[tuple[int, int]]) -> dict[str, Any]:
    """T8 and T9."""
    used = usage(plan, readings)
    lines: list[list[Any]] = []
    for dimension in DIMENSIONS[:3]:
        billed: list[list[Any]] = [
            [part, one[dimension]]
            for one in used
            if (part := component(plan[1][one["k"]], dimension)) and one[dimension]
        ]
        if billed:
            whole = billed[-1][0][2] * (1 if dimension == "ENERGY" else 1000)
            billed[-1][1] += (whole - sum(quantity for _, quantity in billed) % whole) % whole
        for used_part, quantity in billed:
            known = next((line for line in lines if line[0] == dimension and line[2] == used_part[1]), None)
            if known is None:
                lines.append([dimension, quantity, used_part[1]])
            else:
                known[1] += quantity
    if flat := component(plan[1][used[0]["k"]], "FLAT"):
        lines.append(["FLAT", 1, flat[1]])
    rows = [(d, q, price, half_up(q * price, UNIT[d])) for d, q, price in lines]
    subtotal = sum(row[3] for row in rows)
    limited = _limited(plan, subtotal)
    unit = coin(plan[0])
    total = half_up(_taxed(plan, limited), unit) * unit
    tax = half_up(half_up(total * plan[4], 10_000 + plan[4]), unit) * unit
    exact = limited + (0 if plan[5] else tax)
    return {
        "lines": rows,
        "adjustment": limited - subtotal,
        "tax": tax,
        "total": total,
        "rounding": total - exact,
    }


def _limited(plan: Tree, amount: int) -> int:
    raised = max(amount, plan[2])
    return int(min(raised, plan[3]) if plan[3] else raised)


def _taxed(plan: Tree, amount: int) -> int:
    return amount if plan[5] else amount + half_up(amount * plan[4], 10_000)


def cap(plan: Tree, start: int, end: int, most_wh: int) -> int:
    """T12."""
    first, last = index(plan, start), index(plan, end - 1)
    periods = plan[1][first : last + 1]
    parts = [one for period in periods for one in period[1]]
    d = {name: max((one[1] for one in parts if one[0] == name), default=0) for name in DIMENSIONS}
    u = {name: max((one[2] for one in parts if one[0] == name), default=1) for name in DIMENSIONS}
    time = 0
    for k, period in enumerate(periods, first):
        begins = start if k == first else period[0]
        ends = end if k == last else plan[1][k + 1][0]
        dearer = max((one[1] for one in period[1] if one[0] in ("TIME", "PARKING_TIME")), default=0)
        time += (ends - begins) * dearer
    time += sum((u[name] * 1000 - 1) * d[name] for name in ("TIME", "PARKING_TIME"))
    most = d["FLAT"] + ceil((most_wh + u["ENERGY"] - 1) * d["ENERGY"], 1000) + ceil(time, HOUR) + len(parts)
    return ceil(_taxed(plan, _limited(plan, most)), coin(plan[0])) * coin(plan[0])


def holds(given: Tree, local: datetime, power_w: int) -> bool:
    """The restrictions of T3."""
    minute = local.hour * 60 + local.minute
    if 0 in given:
        begin, end = given[0], given[1]
        inside = begin <= minute < end if begin < end else minute >= begin or minute < end
        if not inside:
            return False
    if 2 in given and local.isoweekday() not in given[2]:
        return False
    return bool(given.get(3, 0) <= power_w < given.get(4, 2**63))


def at_instant(tariff: Tree, local: datetime, power_w: int) -> list[Tree]:
    """T3: the prices that hold, in the order of T4."""
    chosen: dict[str, Tree] = {}
    for element in tariff[1]:
        if 1 not in element or holds(element[1], local, power_w):
            for part in element[0]:
                chosen.setdefault(part[0], part)
    return [chosen[name] for name in DIMENSIONS if name in chosen]


def periods(tariff: Tree, zone: str, start: int, end: int, power_w: int) -> list[Tree]:
    """T4 without overstay, minute by minute: clocks and prices change on whole minutes only."""
    found: list[Tree] = []
    for t in (start, *range(start - start % 60_000 + 60_000, end, 60_000)):
        local = datetime.fromtimestamp(t // 1000, ZoneInfo(zone))
        parts = at_instant(tariff, local, power_w)
        if not found or found[-1][1] != parts:
            found.append({0: t, 1: parts})
    return found


def cancelling(terms: Tree, worst: int, start: int, at: int) -> int:
    """T13."""
    costs = [0]
    for minutes, percent, fixed in ((tier[0], tier[1], tier[2]) for tier in terms[0]):
        if at > start - minutes * 60_000:
            costs += [half_up(worst * percent, 100), fixed]
    if at >= start:
        costs.append(half_up(worst * terms[1], 100))
    return min(max(costs), worst)
