"""Sessions and what they cost: plan and readings in, with the total as it comes out on paper."""

from __future__ import annotations

from typing import Any, TypeAlias

from chargemesh_protocol.tariff import PriceComponent, PricePlan, TariffDimension, TariffPeriod

from ..conformance.fields import to_json
from .answered import answered
from .cast import HOUR, MINUTE, NOW
from .frame import Case

START = NOW + HOUR
Component: TypeAlias = PriceComponent
Readings: TypeAlias = list[tuple[float, int]]  # minutes from START, Wh


def energy(price: int, step: int = 1) -> Component:
    return PriceComponent(TariffDimension.ENERGY, price, step)


def time(price: int, step: int = 1) -> Component:
    return PriceComponent(TariffDimension.TIME, price, step)


def parking(price: int, step: int = 1) -> Component:
    return PriceComponent(TariffDimension.PARKING_TIME, price, step)


def flat(price: int) -> Component:
    return PriceComponent(TariffDimension.FLAT, price)


def plan(*components: Component, currency: str = "EUR", **fields: Any) -> PricePlan:
    """One price for all time."""
    return turning((0, components), currency=currency, **fields)


def turning(*periods: tuple[int, tuple[Component, ...]], currency: str = "EUR", **fields: Any) -> PricePlan:
    """Prices that change at minutes from START."""
    made = tuple(TariffPeriod(START + at * MINUTE, components) for at, components in periods)
    return PricePlan(currency=currency, periods=made, **fields)


def bill(name: str, of: PricePlan, readings: list[list[int]], total: int | str) -> Case:
    given = {"plan": to_json(of), "readings": readings}
    return answered(f"bill-{name}", "tariff.bill", given, total=total)


_CENT = 10_000
_DAY_NIGHT = turning((0, (energy(300_000),)), (60, (energy(400_000),)))
_TIMES = (time(1_000_000), parking(3_000_000))
_HOUR_OF_10_KWH: Readings = [(0, 0), (60, 10_000)]
_TWENTY: Readings = [(0, 0), (120, 20_000)]
_BY_STEPS = turning(
    (0, (energy(300_000, 100), parking(6_000_000, 60), flat(1_000_000))),
    (60, (energy(400_000, 100), parking(6_000_000, 60), flat(1_000_000))),
    tax_bp=2_000,
    tax_included=False,
)
_PAUSED: Readings = [(0, 0), (20, 2_000), (40, 2_000), (60, 4_000), (90, 4_000)]
_OVERSTAYED = (energy(300_000), time(6_000_000), parking(6_000_000))
_MILLISECOND = 1 / MINUTE

# name: plan, readings, total in micro-units
BILLS: dict[str, tuple[PricePlan, Readings, int | str]] = {
    "energy": (plan(energy(300_000)), _HOUR_OF_10_KWH, 300 * _CENT),
    "one-reading": (plan(energy(300_000)), [(0, 0)], 0),
    "one-reading-and-a-fee": (plan(energy(300_000), flat(1_000_000)), [(0, 0)], 100 * _CENT),
    "energy-counted-from-the-first-reading": (plan(energy(300_000)), [(0, 500), (60, 10_500)], 300 * _CENT),
    "nothing-charged-for": (plan(), _HOUR_OF_10_KWH, 0),
    "price-of-zero-has-a-line": (plan(energy(0)), _HOUR_OF_10_KWH, 0),
    # rounding
    "half-a-micro-unit-up": (plan(energy(420_500)), [(0, 0), (1, 1)], 0),
    "below-half-a-micro-unit": (plan(energy(420_499)), [(0, 0), (1, 1)], 0),
    "half-a-cent-up": (plan(energy(100_000)), [(0, 0), (1, 50)], _CENT),
    "below-half-a-cent": (plan(energy(100_000)), [(0, 0), (1, 49)], 0),
    "lines-are-not-rounded-to-cents": (
        turning((0, (energy(100_000),)), (1, (energy(200_000),))), [(0, 0), (1, 44), (2, 66)], _CENT,
    ),
    # steps
    "energy-step": (plan(energy(300_000, 100)), [(0, 0), (60, 12_345)], 372 * _CENT),
    "energy-step-reached": (plan(energy(300_000, 100)), [(0, 0), (60, 12_400)], 372 * _CENT),
    "energy-step-of-a-kwh": (plan(energy(300_000, 1_000)), [(0, 0), (60, 1)], 30 * _CENT),
    "energy-step-unused": (plan(energy(300_000, 1_000)), [(0, 0), (60, 0)], 0),
    "example-of-the-chapter": (
        _BY_STEPS, [(0, 0), (45, 5_000), (75, 10_001), (105, 12_345), (120, 12_345)], 805 * _CENT,
    ),
    "step-of-the-last-period": (
        turning((0, (energy(300_000, 1_000),)), (60, (energy(400_000, 10),))),
        [(0, 0), (60, 1_234), (120, 2_345)],
        82 * _CENT,
    ),
    "step-of-the-last-period-that-was-used": (
        turning((0, (energy(300_000, 100),)), (60, (energy(400_000, 1_000),))),
        [(0, 0), (30, 1_234), (120, 1_234)],
        39 * _CENT,
    ),
    "time-step": (plan(time(6_000_000, 900)), [(0, 0), (61, 100)], 750 * _CENT),
    "time-step-over-two-periods": (
        turning((0, (time(1_000_000, 900),)), (60, (time(2_000_000, 900),))), [(0, 0), (100, 100)],
        250 * _CENT,
    ),
    "time-in-whole-seconds": (plan(time(36_000_000)), [(0, 0), (0.025, 1)], 2 * _CENT),
    "both-times-have-steps-of-their-own": (
        plan(time(1_000_000, 3_600), parking(3_000_000, 3_600)), [(0, 0), (61, 100), (122, 100)], 800 * _CENT,
    ),
    # time while charging and after
    "time": (plan(time(6_000_000)), [(0, 0), (90, 5_000)], 900 * _CENT),
    "parking": (plan(parking(3_000_000)), [(0, 0), (60, 10_000), (120, 10_000)], 300 * _CENT),
    "time-and-parking": (plan(*_TIMES), [(0, 0), (60, 10_000), (120, 10_000)], 400 * _CENT),
    "took-nothing-and-parked": (plan(*_TIMES), [(0, 0), (60, 0)], 300 * _CENT),
    "pause-is-charging-time": (plan(*_TIMES), _PAUSED, 250 * _CENT),
    "pause-until-one-more-wh": (plan(*_TIMES), [*_PAUSED[:-1], (90, 4_001)], 150 * _CENT),
    "charging-over-a-change": (
        turning((0, (time(1_000_000),)), (60, (time(2_000_000),))), [(0, 0), (90, 9_000), (120, 9_000)],
        200 * _CENT,
    ),
    "parking-over-a-change": (
        turning((0, (parking(1_000_000),)), (120, (parking(2_000_000),))), [(0, 0), (60, 9), (180, 9)],
        300 * _CENT,
    ),
    "charging-ends-at-the-first-of-equal-readings": (
        plan(*_TIMES), [(0, 0), (30, 5_000), (60, 5_000), (90, 5_000)], 350 * _CENT,
    ),
    "stays-too-long": (
        turning((0, (energy(300_000),)), (180, _OVERSTAYED)), [(0, 0), (60, 10_000), (240, 10_000)],
        900 * _CENT,
    ),
    # the fee
    "fee-of-the-first-period": (
        turning((0, (flat(1_000_000),)), (60, (flat(2_000_000),))), _TWENTY, 100 * _CENT,
    ),
    "fee-of-a-later-period-is-none": (turning((0, ()), (60, (flat(2_000_000),))), _TWENTY, 0),
    # periods
    "two-periods": (_DAY_NIGHT, [(0, 0), (120, 20_000)], 700 * _CENT),
    "change-of-period-between-two-readings-of-one-instant": (
        _DAY_NIGHT, [(0, 0), (60, 5_000), (60, 6_000), (90, 8_000)], 270 * _CENT,
    ),
    "split-rounded-down": (
        turning((0, (energy(300_000),)), (20, (energy(400_000),))), [(0, 0), (60, 6_001)], 220 * _CENT,
    ),
    "three-changes-between-two-readings": (
        turning(*((15 * n, (energy(100_000 * (n + 1)),)) for n in range(4))), [(0, 0), (60, 1_001)],
        25 * _CENT,
    ),
    "reading-at-a-change": (_DAY_NIGHT, [(0, 0), (60, 5_000), (120, 7_000)], 230 * _CENT),
    "two-readings-at-a-change": (
        _DAY_NIGHT, [(0, 0), (60, 5_000), (60, 5_200), (120, 7_000)], 230 * _CENT,
    ),
    "ends-at-a-change": (_DAY_NIGHT, _HOUR_OF_10_KWH, 300 * _CENT),
    "ends-a-millisecond-after-a-change": (_DAY_NIGHT, [(0, 0), (60 + _MILLISECOND, 36_000)], 1_080 * _CENT),
    "begins-at-a-change": (_DAY_NIGHT, [(60, 0), (120, 10_000)], 400 * _CENT),
    "begins-before-the-first-period": (_DAY_NIGHT, [(-30, 0), (0, 2_000)], 60 * _CENT),
    "begins-and-ends-at-a-change": (_DAY_NIGHT, [(60, 0), (60, 1_000)], 40 * _CENT),
    "one-price-comes-back": (
        turning((0, (energy(300_000),)), (60, (energy(400_000),)), (120, (energy(300_000),))),
        [(0, 0), (60, 3_000), (120, 6_000), (180, 9_000)],
        300 * _CENT,
    ),
    "period-without-a-price": (
        turning((0, (energy(300_000),)), (60, ()), (120, (energy(300_000),))), [(0, 0), (180, 9_000)],
        180 * _CENT,
    ),
    # limits
    "raised-to-the-lowest-price": (
        plan(energy(300_000), min_price=2_000_000), [(0, 0), (60, 1_000)], 200 * _CENT,
    ),
    "lowest-price-for-nothing": (plan(min_price=2_000_000), [(0, 0)], 200 * _CENT),
    "cut-to-the-highest-price": (plan(energy(300_000), max_price=5_000_000), _TWENTY, 500 * _CENT),
    "no-highest-price": (plan(energy(300_000), max_price=0), _TWENTY, 600 * _CENT),
    "lowest-is-highest": (
        plan(energy(300_000), min_price=3_000_000, max_price=3_000_000), _TWENTY, 300 * _CENT,
    ),
    # tax
    "tax-included": (plan(energy(1_190_000), tax_bp=1_900), _HOUR_OF_10_KWH, 1_190 * _CENT),
    "tax-on-top": (
        plan(energy(1_000_000), tax_bp=1_900, tax_included=False), _HOUR_OF_10_KWH, 1_190 * _CENT,
    ),
    "tax-on-top-rounded-down": (
        plan(energy(330_000), tax_bp=1_900, tax_included=False), [(0, 0), (9, 1_000)], 39 * _CENT,
    ),
    "tax-on-top-of-half-a-cent": (
        plan(energy(300_000), tax_bp=500, tax_included=False), [(0, 0), (9, 1_000)], 32 * _CENT,
    ),
    "tax-in-the-lowest-price": (
        plan(energy(300_000), min_price=2_380_000, tax_bp=1_900), [(0, 0), (9, 1_000)], 238 * _CENT,
    ),
    "tax-on-top-of-the-highest-price": (
        plan(energy(300_000), max_price=5_000_000, tax_bp=1_900, tax_included=False), _TWENTY, 595 * _CENT,
    ),
    "tax-of-100-percent": (
        plan(energy(100_000), tax_bp=10_000, tax_included=False), _HOUR_OF_10_KWH, 200 * _CENT,
    ),
    "tax-in-francs": (
        plan(energy(333_000), currency="CHF", tax_bp=770, tax_included=False), _HOUR_OF_10_KWH, 359 * _CENT,
    ),
    # coins
    "yen": (plan(energy(30_000_000), currency="JPY"), [(0, 0), (60, 12_345)], 370_000_000),
    "half-a-yen": (plan(energy(1_000_000), currency="JPY"), [(0, 0), (60, 500)], 1_000_000),
    "yen-and-tax": (
        plan(energy(30_000_000), currency="JPY", tax_bp=1_000, tax_included=False), [(0, 0), (60, 12_345)],
        407_000_000,
    ),
    "dinar-of-1000-fils": (plan(energy(29_500), currency="BHD"), [(0, 0), (60, 10_050)], 296_000),
    "half-a-fils": (plan(energy(1_000), currency="BHD"), [(0, 0), (60, 500)], 1_000),
    "dinar-and-tax": (plan(energy(52_500), currency="KWD", tax_bp=500), _HOUR_OF_10_KWH, 525_000),
    "four-digits": (plan(energy(12_350), currency="CLF"), [(0, 0), (60, 1_000)], 12_400),
    "beyond-64-bits": (plan(energy(10**13)), [(0, 0), (60, 10**8)], str(10**18)),
}  # fmt: skip


def bills() -> list[Case]:
    return [
        bill(name, of, [[START + round(at * MINUTE), wh] for at, wh in readings], total)
        for name, (of, readings, total) in BILLS.items()
    ]
