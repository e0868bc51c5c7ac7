"""What the text of chapter 10 says and what the code computes is the same, for plans of every sort."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from chargemesh_protocol.metering import Reading, bill
from chargemesh_protocol.pricing import worst_case
from chargemesh_protocol.shape import from_tree, to_tree
from chargemesh_protocol.tariff import PricePlan, Tariff, resolve
from chargemesh_protocol.terms import Terms, cancellation_cost, no_show_cost

from . import tariff_text
from .tariff_text import DIMENSIONS, HOUR, Tree

START = 1_800_000_000_000
SEEDS = range(400)


def plan_of(random: Random) -> Tree:
    currency = random.choice(["EUR", "EUR", "JPY", "BHD", "CLF"])
    unit = tariff_text.coin(currency)
    starts = sorted(random.sample(range(-HOUR, 6 * HOUR, 60_000), random.randint(1, 5)))
    low = random.choice([0, 0, random.randint(0, 3_000_000) // unit * unit])
    high = random.choice([0, 0, low, low + random.randint(0, 9_000_000) // unit * unit])
    return {
        0: currency,
        1: [{0: START + at, 1: _components(random)} for at in starts],
        2: low,
        3: high,
        4: random.choice([0, 700, 1_900, 10_000]),
        5: random.random() < 0.5,
    }


def _components(random: Random) -> list[Tree]:
    chosen = [one for one in DIMENSIONS if random.random() < 0.6]
    steps = {"ENERGY": (1, 100, 1000), "TIME": (1, 60, 900), "PARKING_TIME": (1, 300), "FLAT": (1,)}
    prices = (0, 350_000, 333_333, 350_001, 10**7)
    return [{0: one, 1: random.choice(prices), 2: random.choice(steps[one])} for one in chosen]


def readings_of(random: Random) -> list[tuple[int, int]]:
    at, energy, found = START + random.randint(-HOUR, HOUR), 0, []
    for _ in range(random.randint(1, 9)):
        found.append((at, energy))
        at += random.choice([0, 1, 999, 60_000, random.randint(0, 2 * HOUR)])
        energy += random.choice([0, 0, 1, 999, random.randint(0, 15_000)])
    return found


@pytest.mark.parametrize("part", range(4))
def test_a_bill(part: int) -> None:
    for seed in SEEDS[part::4]:
        random = Random(f"bill {seed}")
        tree, readings = plan_of(random), readings_of(random)
        ours = bill(from_tree(PricePlan, tree), [Reading(*one) for one in readings])
        told: dict[str, Any] = tariff_text.bill(tree, readings)
        lines = [(one.dimension.value, one.quantity, one.price, one.amount) for one in ours.lines]
        assert lines == told["lines"], seed
        assert (ours.adjustment, ours.tax, ours.total) == (told["adjustment"], told["tax"], told["total"]), (
            seed
        )


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
# Noon before the days of 2027 on which clocks change in some of these zones, and a day on which none do.
DAYS = (1_804_939_200_000, 1_806_148_800_000, 1_806_753_600_000, 1_824_897_600_000, 1_825_502_400_000, START)


def tariff_of(random: Random) -> Tree:
    elements: list[Tree] = []
    for _ in range(random.randint(1, 4)):
        element: Tree = {0: _components(random) or [{0: "ENERGY", 1: 1, 2: 1}]}
        if random.random() < 0.8:
            given: Tree = {}
            if random.random() < 0.8:
                begin, end = random.sample((0, 30, 120, 150, 180, 600, 1439), 2)
                given |= {0: begin, 1: random.choice((end, 1440))}
            if random.random() < 0.3:
                given[2] = sorted(random.sample(range(1, 8), 3))
            if random.random() < 0.3:
                given[3] = random.choice((7_000, 11_000, 22_000))
            element[1] = given
        elements.append(element)
    return {0: "EUR", 1: elements, 2: 0, 3: 0, 4: 0, 5: True}


def test_the_periods_of_a_plan() -> None:
    for seed in range(60):
        random = Random(f"plan {seed}")
        tree, zone = tariff_of(random), random.choice(ZONES)
        start = random.choice(DAYS) + random.randint(0, 8 * HOUR)
        end = start + random.randint(1, 30) * HOUR
        plan = resolve(from_tree(Tariff, tree), zone, start, end, power_w=11_000)
        told = tariff_text.periods(tree, zone, start, end, 11_000)
        assert to_tree(plan)[1] == told, (seed, zone)


def test_the_highest_price() -> None:
    for seed in SEEDS:
        random = Random(f"cap {seed}")
        tree, length = plan_of(random), random.randint(1, 8 * HOUR)
        most = length * 11_000 // HOUR
        ours = worst_case(from_tree(PricePlan, tree), START, START + length, most)
        assert ours == tariff_text.cap(tree, START, START + length, most), seed


def test_cancelling_and_not_coming() -> None:
    for seed in SEEDS:
        random = Random(f"terms {seed}")
        minutes = sorted(random.sample(range(3000), random.randint(0, 4)), reverse=True)
        tiers = [{0: m, 1: random.randint(0, 100), 2: random.randint(0, 9_000_000)} for m in minutes]
        tree: Tree = {0: tiers, 1: random.randint(0, 100), 2: 30, 3: 0, 4: 0, 5: 15}
        terms, worst = from_tree(Terms, tree), random.randint(0, 30_000_000)
        edges = [START - m * 60_000 + by for m in (*minutes, 0) for by in (-1, 0, 1)]
        for at in edges:
            assert cancellation_cost(terms, worst, START, at) == tariff_text.cancelling(
                tree, worst, START, at
            ), seed
        assert no_show_cost(terms, worst, START) == tariff_text.cancelling(tree, worst, START, START + 1)
