"""receipts.json: what a host bills, and what a driver's node signs by itself of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chargemesh_protocol.booking.records import CancelReason, ReceiptLine
from chargemesh_protocol.tariff import PriceComponent, PricePlan

from .answered import answered
from .cast import DAY, HOUR, MINUTE
from .frame import Case, Json, VectorFile
from .story import EURO, START, Story
from .tariff_bills import energy, flat, parking, plan, time, turning

_LINE = ReceiptLine(dimension="ENERGY", quantity=10_000, price=500_000, amount=5_000_000)


def asked(told: Story, **more: Any) -> Json:
    """What an operation needs of a story, all of it taken."""
    records = [record.raw.hex() for record in told.named.values()]
    return {**told.begun, "records": records, "as_of": told.now, **more}


def charged(*readings: tuple[int, int], bounds: Json | None = None, **changes: Any) -> Story:
    """Readings at minutes from the start of the slot, the last one the end; checked in for `bounds`."""
    told = Story(**changes).until("reserved")
    told.at(START - MINUTE).says("authorisation", **(bounds or {}))
    told.says("acknowledge")
    for number, (at, wh) in enumerate(readings):
        ends = number == len(readings) - 1 and number > 0
        context = "Transaction.End" if ends else "Sample.Periodic" if number else "Transaction.Begin"
        told.at(START + at * MINUTE - 1_000).meter(wh, context, at=START + at * MINUTE)
    return told


_HOUR = ((0, 0), (60, 10_000))
_TAXED = plan(energy(500_000, 100), flat(330_000), tax_bp=1_900, tax_included=False)
_IN_YEN = plan(energy(33_333_333), currency="JPY", tax_bp=1_000)
_PARKED = plan(energy(500_000), parking(6_000_000))
_NIGHT = turning((180, (energy(250_000),)), (210, (energy(500_000), time(1_000_000))))


def _cancelled(cap: int = 16_500_000, minutes: int = -30, heard: bool = True, **changes: Any) -> Story:
    told = Story(cap=cap, **changes).until("reserved" if minutes < -60 else "arrived")
    told.at(START + minutes * MINUTE).says("cancel")
    if heard:
        told.says("acknowledge")
    return told


def _no_show() -> Story:
    told = Story().until("arrived")
    told.at(START + 17 * MINUTE).says("no-show")
    return told


def _without_a_check_in(*signs: str) -> Story:
    told = Story().until("reserved")
    for at, wh in _HOUR:
        told.at(START + at * MINUTE).meter(wh)
    for kind in signs:
        told.says(kind)
    if signs:
        told.says("acknowledge")
    return told


def _left(kind: str = "cancel", **changes: Any) -> Story:
    """Readings that the driver never signed for, and then no session: it left, or never came."""
    told = Story(**changes).until("arrived")
    told.at(START).meter(0, "Transaction.Begin")
    told.at(START + 17 * MINUTE).meter(2_000)
    told.says(kind, **({"reason": CancelReason.SAFETY} if kind == "cancel" and not changes else {}))
    if kind == "cancel":
        told.says("acknowledge")
    return told


def _left_above_the_cap(*readings: int) -> Story:
    """Half an hour before the start the slot moved to the next day, at a cap below what leaving cost then."""
    told = Story().until("arrived")
    told.at(START - 30 * MINUTE).asks(start=START + DAY, end=START + DAY + HOUR, cap=2 * EURO)
    told.says("amend", change=told.named["change"].id, access_due=START + DAY - HOUR)
    for wh in readings:
        told.meter(wh)
    told.says("cancel")
    told.says("acknowledge")
    return told


def _stopped(minutes: int) -> Story:
    """Stopped after half an hour, and read again so many minutes later."""
    told = charged((0, 0), bounds={"energy_wh": 20_000, "cost": 10 * EURO})
    told.at(START + 30 * MINUTE - 1_000).meter(5_000, at=START + 30 * MINUTE)
    told.says("stop")
    told.says("acknowledge")
    at = told.named["stop"].body.issued + minutes * MINUTE
    told.at(at).meter(7_000, "Transaction.End", at=at)
    return told


def _backwards() -> Story:
    told = charged((0, 0))
    for wh in (5_000, 4_000, 5_500):
        told.meter(wh)
    return told


# What is billed: name, story, energy and total; None where there is nothing to bill.
WRITTEN: dict[str, tuple[Callable[[], Story], tuple[int, int] | None]] = {
    "session": (lambda: charged(*_HOUR), (10_000, 5_000_000)),
    "session-with-steps-fee-and-tax": (
        lambda: charged((0, 0), (60, 9_950), plan=_TAXED), (9_950, 6_340_000),
    ),
    "session-in-yen": (lambda: charged(*_HOUR, plan=_IN_YEN, cap=10**9), (10_000, 333_000_000)),
    "session-with-parking": (
        lambda: charged(*_HOUR, (90, 10_000), plan=_PARKED), (10_000, 8_000_000),
    ),
    "session-over-two-periods": (lambda: charged(*_HOUR, plan=_NIGHT), (10_000, 4_250_000)),
    "session-raised-to-the-lowest-price": (
        lambda: charged(*_HOUR, plan=plan(energy(500_000), min_price=6_000_000)), (10_000, 6_000_000),
    ),
    "session-cut-to-the-highest-price": (
        lambda: charged(*_HOUR, plan=plan(energy(500_000), max_price=4_000_000)), (10_000, 4_000_000),
    ),
    "session-without-energy": (lambda: charged((0, 0), (60, 0)), (0, 0)),
    "meter-that-ran-back": (_backwards, (5_500, 2_750_000)),
    "beyond-the-authorised-energy": (
        lambda: charged(*_HOUR, bounds={"energy_wh": 6_000, "cost": 10 * EURO}), (10_000, 5_000_000),
    ),
    "beyond-the-authorised-cost": (
        lambda: charged(*_HOUR, bounds={"energy_wh": 20_000, "cost": 3 * EURO}), (10_000, 5_000_000),
    ),
    "never-checked-in": (_without_a_check_in, (10_000, 5_000_000)),
    "countersigned-without-a-check-in": (lambda: _without_a_check_in("countersign"), (10_000, 5_000_000)),
    "read-two-minutes-after-a-stop": (lambda: _stopped(2), (7_000, 3_500_000)),
    "read-three-minutes-after-a-stop": (lambda: _stopped(3), (7_000, 3_500_000)),
    "cancellation": (_cancelled, (0, 8_250_000)),
    "cancellation-rounded-to-coins": (lambda: _cancelled(cap=9_990_000), (0, 5_000_000)),
    "cancellation-in-yen": (
        lambda: _cancelled(cap=333_000_000, plan=_IN_YEN), (0, 167_000_000),
    ),
    "cancellation-that-nobody-heard-of": (lambda: _cancelled(heard=False), None),
    "cancellation-for-free": (lambda: _cancelled(minutes=-200), None),
    "no-show": (_no_show, (0, 13_200_000)),
    "cancellation-after-readings-not-signed-for": (lambda: _left(cap=16_000_000), (0, 12_800_000)),
    "no-show-after-readings-not-signed-for": (lambda: _left("no-show"), (0, 13_200_000)),
    "readings-not-signed-for-and-left-for-free": (_left, (2_000, 1_000_000)),
    "cancellation-above-the-cap": (_left_above_the_cap, (0, 8_250_000)),
    "reserved-only": (lambda: Story().until("arrived"), None),
}  # fmt: skip


def _billed(told: Story, **changes: Any) -> Story:
    told.says("receipt", **changes)
    return told


def _fee(cost: int, later: int = 0) -> Json:
    """What the bill of a cancellation says, also where there are readings."""
    line = ReceiptLine(dimension="CANCELLATION", quantity=1, price=cost, amount=cost)
    begun = START + later
    return {
        "started": begun,
        "ended": begun,
        "energy_wh": 0,
        "lines": (line,),
        "total": cost,
        "adjustment": None,
        "tax": None,
        "rounding": None,
        "beyond_authorisation_wh": None,
    }


def _by_hand(*signs: str, receipt: bool = True) -> Story:
    told = charged((0, 0))
    told.meter(10_000, "Transaction.End", by_hand=True)
    for kind in signs:
        told.says(kind)
    return _billed(told) if receipt else told


def _within(wh: int, energy_wh: int = 9_500, cost: int = 10 * EURO) -> Story:
    return charged((0, 0), (60, wh), bounds={"energy_wh": energy_wh, "cost": cost})


def _agreed() -> Story:
    told = Story().until("billed")
    told.says("agreement")
    told.says("acknowledge")
    return told


def _safe() -> Story:
    told = Story().until("arrived")
    told.at(START - 30 * MINUTE).says("cancel", reason=CancelReason.SAFETY)
    told.says("acknowledge")
    return _billed(told, total=1_000_000)


def _overshoot(more: int, *components: PriceComponent, later: PricePlan | None = None, **tax: Any) -> Story:
    """A last reading that makes the total so many micro-units dearer than what was authorised."""
    of, readings = later or plan(*components, **tax), ((0, 0), (30, 9_600), (60, 10_100))
    total = charged(*readings, plan=of, cap=10**9).state().tickets[-1].body.cost
    bounds = {"energy_wh": 20_000, "cost": total - more}
    return _billed(charged(*readings, plan=of, cap=10**9, bounds=bounds))


def _countersigned_beyond(*signs: str) -> Story:
    """A reading by hand of twice what was authorised."""
    told = charged((0, 0), bounds={"energy_wh": 5_000, "cost": 10 * EURO})
    told.meter(10_000, "Transaction.End", by_hand=True)
    _billed(told)
    for kind in signs:
        told.says(kind)
    return told


def _unanswered(kind: str) -> Story:
    told = Story().until("billed")
    told.says(kind)
    return told


def _dear_ticket() -> Story:
    told = charged((0, 0))
    told.meter(10_000, "Transaction.End", cost=5_010_000)
    return _billed(told)


# 500 Wh cost 250,001 and two minutes 100,001 (100,149): the tax on both is 66,500.38 (66,528.5).
_ODD = (energy(500_001), time(3_000_001), parking(1_000_000))
_HALF = (energy(500_001), time(1_000_000), parking(3_004_470))
_TAX: Json = {"tax_bp": 1_900, "tax_included": False}
_LATER = turning((180, (energy(900_000),)), (190, (energy(100_000), time(6_000_000))))
_TOLERANCES: dict[str, tuple[int, Callable[[int], Story]]] = {
    "dearer-of-the-times-and-tax": (416_502, lambda more: _overshoot(more, *_ODD, **_TAX)),
    "half-a-micro-unit-of-tax": (416_679, lambda more: _overshoot(more, *_HALF, **_TAX)),
    "tax-included": (350_002, lambda more: _overshoot(more, *_ODD, tax_bp=1_900)),
    "dearest-of-all-periods": (650_000, lambda more: _overshoot(more, later=_LATER)),
    "without-steps": (250_000, lambda more: _overshoot(more, energy(500_000, 200))),
}
_PARKED_LONG = ((0, 0), (30, 5_000), (60, 5_000))
# What the driver's node says: story; countersigns the newest ticket, confirms first, objections
JUDGED: dict[str, tuple[Callable[[], Story], bool, bool, list[str] | None]] = {
    "no-receipt-yet": (lambda: charged(*_HOUR), True, False, None),
    "right": (lambda: _billed(charged(*_HOUR)), True, False, []),
    "right-with-steps-fee-and-tax": (
        lambda: _billed(charged((0, 0), (60, 9_950), plan=_TAXED)), True, False, [],
    ),
    "agreed-already": (_agreed, True, False, []),
    "agreed-and-not-included": (lambda: _unanswered("agreement"), True, False, []),
    "countersigned-and-not-included": (lambda: _unanswered("countersign"), False, False, []),
    "ticket-at-another-price": (_dear_ticket, False, False, []),
    "everything-countersigned": (
        lambda: _billed(_without_a_check_in("countersign")), False, False, [],
    ),
    "other-start": (lambda: _billed(charged(*_HOUR), started=START - 1), True, False, ["started"]),
    "other-end": (lambda: _billed(charged(*_HOUR), ended=START), True, False, ["ended"]),
    "other-energy": (lambda: _billed(charged(*_HOUR), energy_wh=10_001), True, False, ["energy_wh"]),
    "other-total": (lambda: _billed(charged(*_HOUR), total=5_010_000), True, False, ["total"]),
    "lower-total": (lambda: _billed(charged(*_HOUR), total=4_990_000), True, False, ["total"]),
    "other-adjustment": (lambda: _billed(charged(*_HOUR), adjustment=10_000), True, False, ["adjustment"]),
    "other-tax": (lambda: _billed(charged(*_HOUR), tax=10_000), True, False, ["tax"]),
    "other-rounding": (lambda: _billed(charged(*_HOUR), rounding=-1), True, False, ["rounding"]),
    "zero-rounding-written": (lambda: _billed(charged(*_HOUR), rounding=0), True, False, []),
    "missing-line": (lambda: _billed(charged(*_HOUR), lines=()), True, False, ["lines"]),
    "line-twice": (lambda: _billed(charged(*_HOUR), lines=(_LINE, _LINE)), True, False, ["lines"]),
    "other-amount": (
        lambda: _billed(
            charged(*_HOUR), lines=(ReceiptLine(dimension="ENERGY", quantity=1, price=1, amount=5_000_000),),
        ),
        True, False, ["lines"],
    ),
    "several-differences": (
        lambda: _billed(charged(*_HOUR), total=6_000_000, ended=START, lines=()), True, False,
        ["ended", "lines", "total"],
    ),
    "as-much-as-the-cap": (lambda: _billed(charged(*_HOUR, cap=5_000_000)), True, False, []),
    "above-the-cap": (lambda: _billed(charged(*_HOUR, cap=4_990_000)), True, False, ["cap"]),
    "500-wh-beyond": (lambda: _billed(_within(10_000)), True, False, []),
    "501-wh-beyond": (lambda: _billed(_within(10_001)), False, False, ["beyond-energy"]),
    "cost-of-500-wh-beyond": (lambda: _billed(_within(10_000, 10_000, 4_750_000)), False, False,
                              ["beyond-energy"]),
    "parked-beyond-the-cost": (
        lambda: _billed(charged(*_PARKED_LONG, plan=_PARKED, bounds={"energy_wh": 9_000, "cost": 3 * EURO})),
        False, False, ["beyond-cost"],
    ),
    "parked-within-the-tolerance": (
        lambda: _billed(
            charged(*_PARKED_LONG, plan=_PARKED, bounds={"energy_wh": 9_000, "cost": 5_050_000}),
        ),
        True, False, [],
    ),
    "never-checked-in": (
        lambda: _billed(_without_a_check_in()), False, False, ["beyond-cost", "beyond-energy"],
    ),
    "read-three-minutes-after-a-stop": (
        lambda: _billed(_stopped(3)), False, False, ["beyond-cost", "beyond-energy"],
    ),
    "read-by-hand": (_by_hand, False, True, []),
    "read-by-hand-and-countersigned": (lambda: _by_hand("countersign", "acknowledge"), False, False, []),
    "read-by-hand-beyond-the-authorisation": (_countersigned_beyond, False, True, []),
    "read-by-hand-countersigned-and-not-included": (
        lambda: _countersigned_beyond("countersign"), False, False, [],
    ),
    "cancellation": (lambda: _billed(_cancelled()), False, False, []),
    "cancellation-at-another-price": (
        lambda: _billed(
            _cancelled(), total=9_000_000,
            lines=(ReceiptLine(dimension="CANCELLATION", quantity=1, price=9_000_000, amount=9_000_000),),
        ),
        False, False, ["lines", "total"],
    ),
    "cancellation-that-costs-nothing": (_safe, False, False, ["no-ticket"]),
    "no-show": (lambda: _billed(_no_show()), False, False, []),
    "cancellation-after-readings-not-signed-for": (
        lambda: _billed(_left(cap=16_000_000), **_fee(12_800_000)), False, False, [],
    ),
    "session-in-the-place-of-a-cancellation": (
        lambda: _billed(_left(cap=16_000_000)), False, False,
        ["ended", "energy_wh", "lines", "started", "total"],
    ),
    "readings-not-signed-for-and-left-for-free": (
        lambda: _billed(_left()), False, False, ["beyond-cost", "beyond-energy"],
    ),
    "cancellation-above-the-cap": (lambda: _billed(_left_above_the_cap()), False, False, []),
    "cancellation-above-the-cap-after-readings": (
        lambda: _billed(_left_above_the_cap(0, 1_000), **_fee(8_250_000, DAY)), False, False, [],
    ),
}  # fmt: skip


for _name, (_more, _told) in _TOLERANCES.items():
    JUDGED[f"tolerance-{_name}"] = (partial(_told, _more), True, False, [])
    JUDGED[f"a-micro-unit-beyond-{_name}"] = (partial(_told, _more + 1), False, False, ["beyond-cost"])


def writing() -> list[Case]:
    cases = []
    for name, (tell, expected) in WRITTEN.items():
        case = answered(f"write-{name}", "receipt.write", asked(tell()))
        out = case.answer["out"]
        if (expected and (out["energy_wh"], out["total"]) != expected) or (out and not expected):
            raise AssertionError(f"{name}: expected {expected}, ours says {out}")
        cases.append(case)
    return cases


def judging() -> list[Case]:
    cases = []
    for name, (tell, signs, confirms, wrong) in JUDGED.items():
        parts: Json = {"countersign": signs, "confirm": confirms}
        if wrong is not None:
            agrees = not wrong and not confirms and not name.startswith("agreed-")
            parts |= {"objections": wrong, "agree": agrees}
        cases.append(answered(f"judge-{name}", "receipt.judge", asked(tell()), **parts))
    return cases


def confirming() -> list[Case]:
    """A reading that the host's person typed, and what the driver's reads: 5,010,000 Wh on the register."""
    cases = []
    for name, own, register_wh, wrong in (
        ("the-same", {}, 5_010_000, []),
        ("99-wh-less", {}, 5_009_901, []),
        ("99-wh-more", {}, 5_010_099, []),
        ("100-wh-less", {}, 5_009_900, ["register"]),
        ("100-wh-more", {}, 5_010_100, ["register"]),
        ("energy-that-did-not-rise-so", {"register_wh": 5_010_001}, 5_010_001, ["energy"]),
        ("another-cost", {"cost": 5_010_000}, 5_010_000, ["cost"]),
        ("nothing-right", {"register_wh": 5_011_000, "cost": 1}, 5_010_000, ["cost", "energy", "register"]),
    ):
        told = charged((0, 0))
        told.meter(10_000, "Transaction.End", by_hand=True, **own)
        given = asked(told, register_wh=register_wh)
        parts = {"countersign": not wrong, "differing": wrong}
        cases.append(answered(f"confirm-{name}", "reading.confirm", given, **parts))
    return cases


def made() -> VectorFile:
    about = "Receipts, and what a driver's node signs by itself (11-charging.md)."
    return VectorFile("receipts", about, (*writing(), *judging(), *confirming()))
