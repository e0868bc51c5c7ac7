"""tariffs.json: plans of tariffs, bills of sessions, quotes, terms, and the slots of weekly hours."""

from __future__ import annotations

from typing import Any

from chargemesh_protocol.limits import LISTING_SLOTS, SLOT_MS
from chargemesh_protocol.schedule import WeeklyHours, WeeklySpan
from chargemesh_protocol.tariff import PricePlan
from chargemesh_protocol.terms import CancellationTier, Terms

from ..conformance.fields import to_json
from .answered import answered
from .cast import HOUR, MINUTE
from .frame import Case, VectorFile
from .tariff_bills import START, bills, energy, flat, parking, plan, time, turning
from .tariff_plans import BERLIN, LORD_HOWE, SYDNEY, odd_days, plans, utc

_BASE = energy(300_000)
# name: plan, hours, W, Wh asked for; energy_wh, estimate and cap
QUOTES: dict[str, tuple[PricePlan, float, int, int, tuple[int, int, int]]] = {
    "as-asked": (plan(_BASE), 3, 11_000, 20_000, (20_000, 6_000_000, 9_910_000)),
    "as-much-as-fits": (plan(_BASE), 3, 11_000, 0, (33_000, 9_900_000, 9_910_000)),
    "no-more-than-fits": (plan(_BASE), 1, 11_000, 20_000, (11_000, 3_300_000, 3_310_000)),
    "free": (plan(), 3, 11_000, 20_000, (20_000, 0, 0)),
    "cap-by-the-dearest-of-the-times": (
        plan(time(1_000_000), parking(3_000_000)), 3, 10_000, 10_000, (10_000, 7_000_000, 9_010_000),
    ),
    "cap-by-the-dearest-period": (
        turning((0, (_BASE,)), (60, (energy(500_000),))), 2, 10_000, 5_000, (5_000, 1_500_000, 10_010_000),
    ),
    "cap-without-a-later-period": (
        turning((0, (_BASE,)), (120, (energy(500_000),))), 2, 10_000, 5_000, (5_000, 1_500_000, 6_010_000),
    ),
    "cap-with-steps-and-a-fee": (
        plan(energy(300_000, 1_000), flat(1_000_000)), 1, 10_000, 9_500, (9_500, 4_000_000, 4_300_000),
    ),
    "cap-with-steps-of-both-times": (
        plan(time(1_000_000, 900), parking(3_000_000, 600)), 1, 10_000, 10_000,
        (10_000, 1_000_000, 3_760_000),
    ),
    "cap-with-all-but-a-millisecond-of-a-step": (
        plan(time(36_000_000_000)), 1, 10_000, 10_000, (10_000, 36_000_000_000, 36_010_000_000),
    ),
    "cap-within-the-highest-price": (
        plan(_BASE, max_price=5_000_000), 3, 11_000, 20_000, (20_000, 5_000_000, 5_000_000),
    ),
    "cap-with-the-lowest-price": (
        plan(_BASE, min_price=50_000_000), 3, 11_000, 20_000, (20_000, 50_000_000, 50_000_000),
    ),
    "cap-with-tax": (
        plan(energy(1_000_000), tax_bp=1_900, tax_included=False), 1, 10_000, 10_000,
        (10_000, 11_900_000, 11_910_000),
    ),
    "in-yen": (plan(energy(30_000_000), currency="JPY"), 1, 3_700, 0, (3_700, 111_000_000, 112_000_000)),
}  # fmt: skip

_TIERS = Terms(
    tiers=(CancellationTier(1440, 25, 0), CancellationTier(120, 50, 6_000_000)),
    no_show_percent=80,
    host_failure_percent=10,
)
_CAP = 10_000_000
# name: terms, cap, minutes from the start, what cancelling then costs
COSTS: dict[str, tuple[Terms, int, float, int]] = {
    "free-until-the-start": (Terms(), _CAP, -1, 0),
    "free-without-terms": (Terms(), _CAP, 30, 0),
    "before-the-first-tier": (_TIERS, _CAP, -1441, 0),
    "at-the-first-tier": (_TIERS, _CAP, -1440, 0),
    "a-millisecond-into-the-first-tier": (_TIERS, _CAP, -1440 + 1 / MINUTE, 2_500_000),
    "at-the-second-tier": (_TIERS, _CAP, -120, 2_500_000),
    "in-the-second-tier": (_TIERS, _CAP, -119, 6_000_000),
    "a-millisecond-before-the-start": (_TIERS, _CAP, -1 / MINUTE, 6_000_000),
    "at-the-start": (_TIERS, _CAP, 0, 8_000_000),
    "never-above-the-cap": (_TIERS, 4_000_000, -60, 4_000_000),
    "percent-rounded-half-up": (Terms(tiers=(CancellationTier(60, 25),)), 10_002, -1, 2_501),
    "an-earlier-tier-that-is-dearer": (
        Terms(tiers=(CancellationTier(60, 50), CancellationTier(10, 20))), _CAP, -5, 5_000_000,
    ),
}  # fmt: skip

_NINE_TO_FIVE = tuple((day, 540, 1020) for day in range(1, 6))
_TWO_TO_THREE = tuple((day, 120, 180) for day in range(1, 8))
_NIGHTS = tuple((day, 1080, 480) for day in range(1, 8))
_SPRING, _AUTUMN = "2025-03-24 00:00", "2025-10-20 00:00"
# name: zone, spans (weekday, opens, closes), start, busy (minutes from the start); slots that are open
HOURS: dict[str, tuple[str, Any, str, list[tuple[float, float]], int]] = {
    "never": (BERLIN, (), _SPRING, [], 0),
    "always": (BERLIN, tuple((day, 0, 1440) for day in range(1, 8)), _SPRING, [], 1344),
    "always-from-midnight-to-midnight": (
        BERLIN, tuple((day, 0, 0) for day in range(1, 8)), _SPRING, [], 1344,
    ),
    "working-hours-in-spring": (BERLIN, _NINE_TO_FIVE, _SPRING, [], 320),
    "working-hours-in-autumn": (BERLIN, _NINE_TO_FIVE, _AUTUMN, [], 320),
    "hour-that-is-skipped-in-berlin": (BERLIN, _TWO_TO_THREE, _SPRING, [], 52),
    "hour-that-comes-twice-in-berlin": (BERLIN, _TWO_TO_THREE, _AUTUMN, [], 60),
    "hour-that-comes-twice-in-sydney": (SYDNEY, _TWO_TO_THREE, "2025-03-31 00:00", [], 60),
    "hour-that-is-skipped-in-sydney": (SYDNEY, _TWO_TO_THREE, "2025-09-29 00:00", [], 52),
    "hour-of-which-half-is-skipped-on-lord-howe": (LORD_HOWE, _TWO_TO_THREE, "2025-09-29 00:00", [], 54),
    "nights-in-spring": (BERLIN, _NIGHTS, _SPRING, [], 784),
    "nights-in-autumn": (BERLIN, _NIGHTS, _AUTUMN, [], 784),
    "sunday-night-into-monday": ("UTC", ((7, 1320, 120),), "2025-06-09 00:00", [], 32),
    "zone-of-45-minutes": ("Asia/Kathmandu", _NINE_TO_FIVE, "2025-06-09 00:00", [], 320),
    "slots-cut-by-odd-minutes": ("UTC", ((1, 485, 610),), "2025-06-09 00:00", [], 14),
    "spans-that-meet-within-a-slot": ("UTC", ((1, 480, 487), (1, 487, 495)), "2025-06-09 00:00", [], 2),
    "spans-that-overlap": ("UTC", ((1, 480, 600), (1, 540, 660)), "2025-06-09 00:00", [], 24),
    "from-the-middle-of-an-hour": ("UTC", ((1, 480, 600),), "2025-06-09 09:15", [], 16),
    "busy": ("UTC", ((1, 480, 600),), "2025-06-09 00:00", [(480, 510)], 14),
    "busy-for-a-part-of-slots": ("UTC", ((1, 480, 600),), "2025-06-09 00:00", [(494, 496)], 14),
    "busy-before-and-beyond": (
        "UTC", tuple((day, 0, 0) for day in range(1, 8)), "2025-06-09 00:00", [(-60, 15), (20_145, 30_000)],
        1342,
    ),
}  # fmt: skip


def quotes() -> list[Case]:
    cases = []
    for name, (of, hours, power_w, asked_wh, (energy_wh, estimate, cap)) in QUOTES.items():
        window = {"start": START, "end": START + round(hours * HOUR)}
        given = {"plan": to_json(of), **window, "power_w": power_w, "energy_wh": asked_wh}
        parts = {"energy_wh": energy_wh, "estimate": estimate, "cap": cap}
        cases.append(answered(f"quote-{name}", "tariff.quote", given, **parts))
    return cases


def costs() -> list[Case]:
    return [
        answered(
            f"terms-{name}",
            "terms.costs",
            {"terms": to_json(of), "cap": cap, "start": START, "at": START + round(at * MINUTE)},
            cancelling=cost,
        )
        for name, (of, cap, at, cost) in COSTS.items()
    ]


def hours() -> list[Case]:
    cases = []
    for name, (zone, spans, start, busy, open_slots) in HOURS.items():
        weekly = WeeklyHours(zone, tuple(WeeklySpan(*one) for one in spans))
        first = utc(start)
        taken = [[first + round(at * MINUTE), first + round(to * MINUTE)] for at, to in busy]
        given = {"hours": to_json(weekly), "start": first, "busy": taken}
        case = answered(f"hours-{name}", "hours.slots", given)
        bits = int(case.answer["out"]["slots"]["bits"], 16)
        if bits.bit_count() != open_slots or bits >= 1 << LISTING_SLOTS or first % SLOT_MS:
            raise AssertionError(f"{name}: {bits.bit_count()} slots, expected {open_slots}")
        cases.append(case)
    return cases


def made() -> VectorFile:
    cases = [*bills(), *plans(), *odd_days(), *quotes(), *costs(), *hours()]
    about = "Tariffs, plans, bills, quotes, terms and weekly hours (10-tariffs.md)."
    return VectorFile("tariffs", about, tuple(cases))
