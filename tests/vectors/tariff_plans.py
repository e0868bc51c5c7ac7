"""Tariffs in local time and the plans of instants that they become, on usual days and on odd ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chargemesh_protocol.tariff import PriceComponent, PricePlan, Restrictions, Tariff, TariffElement
from chargemesh_protocol.terms import Terms

from ..conformance.fields import from_json, to_json
from .answered import answered
from .cast import HOUR, MINUTE
from .frame import Case, Json, bad
from .tariff_bills import bill, energy, flat, parking, time

CHEAP, USUAL, DEAR = 200_000, 400_000, 5_000_000
BERLIN, SYDNEY, LORD_HOWE, HAVANA = (
    "Europe/Berlin",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "America/Havana",
)


def utc(text: str) -> int:
    """Unix ms of a UTC time such as 2025-03-30 01:00."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def tariff(*elements: tuple[tuple[PriceComponent, ...], Restrictions | None], **fields: Any) -> Tariff:
    return Tariff(currency="EUR", elements=tuple(TariffElement(*one) for one in elements), **fields)


def clock(begin: int, end: int, **more: Any) -> Restrictions:
    return Restrictions(start_time=begin, end_time=end, **more)


def _night(begin: int = 22 * 60, end: int = 6 * 60) -> Tariff:
    return tariff(((energy(CHEAP),), clock(begin, end)), ((energy(USUAL),), None))


_TWO_TO_THREE = tariff(((time(DEAR),), clock(120, 180)), ((time(1_000_000),), None))
_HALF_PAST = tariff(((time(DEAR),), clock(90, 120)), ((time(1_000_000),), None))
_WEEKEND = tariff(((energy(CHEAP),), Restrictions(weekdays=(6, 7))), ((energy(USUAL),), None))
_SUNDAY = tariff(((energy(CHEAP),), Restrictions(weekdays=(7,))), ((energy(USUAL),), None))
_FRIDAY_NIGHT = tariff(((energy(CHEAP),), clock(22 * 60, 6 * 60, weekdays=(5,))), ((energy(USUAL),), None))
_BY_POWER = tariff(
    ((energy(USUAL),), Restrictions(max_power_w=7_400)),
    ((energy(DEAR),), Restrictions(min_power_w=7_400, max_power_w=22_000)),
    ((energy(CHEAP),), Restrictions(min_power_w=22_000)),
)
_BY_DIMENSION = tariff(
    ((energy(CHEAP), parking(0)), clock(22 * 60, 6 * 60)),
    ((energy(USUAL), time(100_000)), None),
    ((energy(DEAR), parking(1_000_000), flat(500_000)), None),
)
_OFTEN = tariff(
    *(((energy(100_000 + n),), clock(90 * n, 90 * n + 60)) for n in range(15)), ((energy(USUAL),), None)
)
_EVENING_LATER = tariff(((time(7_000_000),), clock(8 * 60, 20 * 60)), ((time(1_000_000),), None))

# name: tariff, zone, start, end, (instant, price of the first component; None where there is none) ...
_Row = tuple[Tariff, str, str, str, list[tuple[str, int | None]]]
PLANS: dict[str, _Row] = {
    "one-price": (
        tariff(((energy(USUAL),), None)), BERLIN, "2025-06-10 08:00", "2025-06-12 08:00",
        [("2025-06-10 08:00", USUAL)],
    ),
    "no-price": (tariff(), BERLIN, "2025-06-10 08:00", "2025-06-10 09:00", [("2025-06-10 08:00", None)]),
    "night": (
        _night(), BERLIN, "2025-06-10 18:00", "2025-06-11 08:00",
        [("2025-06-10 18:00", USUAL), ("2025-06-10 20:00", CHEAP), ("2025-06-11 04:00", USUAL)],
    ),
    "change-at-the-start": (
        _night(), BERLIN, "2025-06-10 20:00", "2025-06-10 21:00", [("2025-06-10 20:00", CHEAP)],
    ),
    "change-at-the-end": (
        _night(), BERLIN, "2025-06-10 18:00", "2025-06-10 20:00", [("2025-06-10 18:00", USUAL)],
    ),
    "start-within-a-minute-of-the-night": (
        _night(), BERLIN, "2025-06-10 19:59:59", "2025-06-10 21:00",
        [("2025-06-10 19:59:59", USUAL), ("2025-06-10 20:00", CHEAP)],
    ),
    "until-midnight": (
        _night(22 * 60, 1440), BERLIN, "2025-06-10 19:00", "2025-06-11 01:00",
        [("2025-06-10 19:00", USUAL), ("2025-06-10 20:00", CHEAP), ("2025-06-10 22:00", USUAL)],
    ),
    "from-midnight": (
        _night(0, 60), BERLIN, "2025-06-10 21:00", "2025-06-11 01:00",
        [("2025-06-10 21:00", USUAL), ("2025-06-10 22:00", CHEAP), ("2025-06-10 23:00", USUAL)],
    ),
    "weekend": (
        _WEEKEND, BERLIN, "2025-06-13 12:00", "2025-06-16 12:00",
        [("2025-06-13 12:00", USUAL), ("2025-06-13 22:00", CHEAP), ("2025-06-15 22:00", USUAL)],
    ),
    "friday-night-ends-at-midnight": (
        _FRIDAY_NIGHT, BERLIN, "2025-06-13 18:00", "2025-06-14 08:00",
        [("2025-06-13 18:00", USUAL), ("2025-06-13 20:00", CHEAP), ("2025-06-13 22:00", USUAL)],
    ),
    "friday-begins-in-its-night": (
        _FRIDAY_NIGHT, BERLIN, "2025-06-12 20:00", "2025-06-13 08:00",
        [("2025-06-12 20:00", USUAL), ("2025-06-12 22:00", CHEAP), ("2025-06-13 04:00", USUAL)],
    ),
    "first-element-of-each-dimension": (
        _BY_DIMENSION, BERLIN, "2025-06-10 18:00", "2025-06-10 21:00",
        [("2025-06-10 18:00", USUAL), ("2025-06-10 20:00", CHEAP)],
    ),
    "changes-that-change-nothing": (
        tariff(((energy(USUAL),), clock(600, 660)), ((energy(USUAL),), None)), BERLIN,
        "2025-06-10 07:00", "2025-06-10 12:00", [("2025-06-10 07:00", USUAL)],
    ),
    "quarter-hours-off-utc": (
        _night(), "Asia/Kathmandu", "2025-06-10 12:00", "2025-06-11 03:00",
        [("2025-06-10 12:00", USUAL), ("2025-06-10 16:15", CHEAP), ("2025-06-11 00:15", USUAL)],
    ),
    "universal-time": (
        _night(), "UTC", "2025-06-10 21:00", "2025-06-11 07:00",
        [("2025-06-10 21:00", USUAL), ("2025-06-10 22:00", CHEAP), ("2025-06-11 06:00", USUAL)],
    ),
    # Berlin: 2025-03-30 02:00 is 03:00, 2025-10-26 03:00 is 02:00, both at 01:00 UTC
    "berlin-forward-without-the-hour": (
        _TWO_TO_THREE, BERLIN, "2025-03-29 23:00", "2025-03-30 04:00", [("2025-03-29 23:00", 1_000_000)],
    ),
    "berlin-back-with-the-hour-twice": (
        _TWO_TO_THREE, BERLIN, "2025-10-25 22:00", "2025-10-26 05:00",
        [("2025-10-25 22:00", 1_000_000), ("2025-10-26 00:00", DEAR), ("2025-10-26 02:00", 1_000_000)],
    ),
    "berlin-back-half-the-hour-twice": (
        tariff(((time(DEAR),), clock(150, 180)), ((time(1_000_000),), None)), BERLIN,
        "2025-10-25 22:00", "2025-10-26 05:00",
        [
            ("2025-10-25 22:00", 1_000_000), ("2025-10-26 00:30", DEAR), ("2025-10-26 01:00", 1_000_000),
            ("2025-10-26 01:30", DEAR), ("2025-10-26 02:00", 1_000_000),
        ],
    ),
    "berlin-forward-from-a-time-that-is-skipped": (
        _night(150, 240), BERLIN, "2025-03-29 23:00", "2025-03-30 04:00",
        [("2025-03-29 23:00", USUAL), ("2025-03-30 01:00", CHEAP), ("2025-03-30 02:00", USUAL)],
    ),
    "berlin-night-of-seven-hours": (
        _night(), BERLIN, "2025-03-29 20:00", "2025-03-30 06:00",
        [("2025-03-29 20:00", USUAL), ("2025-03-29 21:00", CHEAP), ("2025-03-30 04:00", USUAL)],
    ),
    "berlin-night-of-nine-hours": (
        _night(), BERLIN, "2025-10-25 19:00", "2025-10-26 06:00",
        [("2025-10-25 19:00", USUAL), ("2025-10-25 20:00", CHEAP), ("2025-10-26 05:00", USUAL)],
    ),
    # Sydney: 2025-04-06 03:00 is 02:00, 2025-10-05 02:00 is 03:00, both at 16:00 UTC of the day before
    "sydney-back-with-the-hour-twice": (
        _TWO_TO_THREE, SYDNEY, "2025-04-05 13:00", "2025-04-05 20:00",
        [("2025-04-05 13:00", 1_000_000), ("2025-04-05 15:00", DEAR), ("2025-04-05 17:00", 1_000_000)],
    ),
    "sydney-forward-without-the-hour": (
        _TWO_TO_THREE, SYDNEY, "2025-10-04 14:00", "2025-10-04 19:00", [("2025-10-04 14:00", 1_000_000)],
    ),
    # Lord Howe changes by half an hour: 2025-04-06 02:00 is 01:30, 2025-10-05 02:00 is 02:30
    "lord-howe-back-with-the-half-hour-twice": (
        _HALF_PAST, LORD_HOWE, "2025-04-05 13:00", "2025-04-05 18:00",
        [("2025-04-05 13:00", 1_000_000), ("2025-04-05 14:30", DEAR), ("2025-04-05 15:30", 1_000_000)],
    ),
    "lord-howe-forward-with-half-of-the-hour": (
        _TWO_TO_THREE, LORD_HOWE, "2025-10-04 14:00", "2025-10-04 19:00",
        [("2025-10-04 14:00", 1_000_000), ("2025-10-04 15:30", DEAR), ("2025-10-04 16:00", 1_000_000)],
    ),
    # Havana changes at midnight: 2025-03-09 has no 00:00, 2025-11-02 has it twice
    "havana-day-without-a-midnight": (
        _SUNDAY, HAVANA, "2025-03-09 02:00", "2025-03-09 08:00",
        [("2025-03-09 02:00", USUAL), ("2025-03-09 05:00", CHEAP)],
    ),
    "havana-day-with-two-midnights": (
        _SUNDAY, HAVANA, "2025-11-02 02:00", "2025-11-02 08:00",
        [("2025-11-02 02:00", USUAL), ("2025-11-02 04:00", CHEAP)],
    ),
}  # fmt: skip


def _asked(
    of: Tariff, zone: str, start: str, end: str, power_w: int = 11_000, terms: Terms | None = None
) -> Json:
    rest = {"power_w": power_w, "terms": to_json(terms or Terms())}
    return {"tariff": to_json(of), "zone": zone, "start": utc(start), "end": utc(end), **rest}


def _shown(case: Case) -> list[tuple[int, int | None]]:
    """(start, price of the first component) of each period."""
    return [
        (one["start"], one["components"][0]["price"] if one["components"] else None)
        for one in case.answer["out"]["plan"]["periods"]
    ]


def plans() -> list[Case]:
    cases = []
    for name, (of, zone, start, end, expected) in PLANS.items():
        case = answered(f"plan-{name}", "tariff.plan", _asked(of, zone, start, end))
        if _shown(case) != [(utc(at), price) for at, price in expected]:
            raise AssertionError(f"{name}: expected {expected}, ours says {_shown(case)}")
        cases.append(case)
    return cases + _powers() + _overstays() + _limits()


def _powers() -> list[Case]:
    cases = []
    for power_w, price in ((7_399, USUAL), (7_400, DEAR), (21_999, DEAR), (22_000, CHEAP)):
        given = _asked(_BY_POWER, BERLIN, "2025-06-10 08:00", "2025-06-10 09:00", power_w)
        case = answered(f"plan-power-{power_w}", "tariff.plan", given)
        if [one for _, one in _shown(case)] != [price]:
            raise AssertionError(f"{power_w} W: {_shown(case)}")
        cases.append(case)
    return cases


def _overstays() -> list[Case]:
    """6 EUR an hour from 10 minutes after the end."""
    terms = Terms(overstay_per_hour=6_000_000, overstay_grace=10)
    whole = Terms(overstay_per_hour=6_000_000, overstay_grace=60)
    window = ("2025-06-10 17:00", "2025-06-10 18:00")
    return [
        answered(f"plan-overstay-{name}", "tariff.plan", _asked(of, BERLIN, *window, terms=of_host))
        for name, of, of_host in (
            ("without-time-prices", tariff(((energy(USUAL),), None)), terms),
            ("on-time-prices", tariff(((time(1_000_000, 900), parking(2_000_000, 60)), None)), terms),
            ("after-a-change-within-the-grace", _night(20 * 60 + 5), terms),
            ("equal-to-the-period-before", _EVENING_LATER, whole),
            ("of-a-free-charger", tariff(), terms),
        )
    ]


def _limits() -> list[Case]:
    """30 changes a day: 64 periods fit into two days and a bit."""
    fits = _asked(_OFTEN, BERLIN, "2025-06-09 22:00", "2025-06-12 00:00")
    while True:
        longer = fits | {"end": fits["end"] + 30 * MINUTE}
        try:
            answered("longer", "tariff.plan", longer)
        except AssertionError:
            break
        fits = longer
    most = answered("plan-of-64-periods", "tariff.plan", fits)
    if len(_shown(most)) != 64:
        raise AssertionError(f"{len(_shown(most))} periods")
    why = "the 65th period can't be quoted"
    return [most, bad("plan-of-65-periods", "tariff.plan", longer, "unpriceable", why, fits)]


def odd_days() -> list[Case]:
    """Sessions over the odd days, by the plans of these tariffs: hours are counted, not what clocks show."""
    made = {case.name: case for case in plans()}
    rows: dict[str, tuple[list[tuple[float, int]], int]] = {
        # hours after the start of the plan, Wh; and the total
        "berlin-forward-without-the-hour": ([(0, 0), (5, 9_000)], 5_000_000),
        "berlin-back-with-the-hour-twice": ([(0, 0), (7, 9_000)], 15_000_000),
        "berlin-night-of-seven-hours": ([(0, 0), (10, 10_000)], 2_600_000),
        "berlin-night-of-nine-hours": ([(0, 0), (11, 11_000)], 2_600_000),
        "sydney-back-with-the-hour-twice": ([(0, 0), (7, 9_000)], 15_000_000),
        "sydney-forward-without-the-hour": ([(0, 0), (5, 9_000)], 5_000_000),
        "lord-howe-forward-with-half-of-the-hour": ([(0, 0), (5, 9_000)], 7_000_000),
        "havana-day-without-a-midnight": ([(0, 0), (6, 6_000)], 1_800_000),
        "weekend": ([(9, 0), (11, 2_000)], 600_000),
    }
    cases = []
    for name, (readings, total) in rows.items():
        given = made[f"plan-{name}"].given
        plan = from_json(PricePlan, made[f"plan-{name}"].answer["out"]["plan"])
        told = [[given["start"] + round(at * HOUR), wh] for at, wh in readings]
        cases.append(bill(name, plan, told, total))
    return cases
