"""The rules as one function: every reason to say no, and who asks a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargemesh_protocol.booking.records import Quote, Request
from chargemesh_protocol.booking.rules import AskPerson, Load, No, Standing, Take, judge, quotable
from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.limits import CLOCK_TOLERANCE_MS, MAX_OPEN_BOOKINGS_OF_DRIVER

from ..neighbours import HOUR, MINUTE, ON_REQUEST, charger
from .story import START, quote_body

NOW = START - 2 * HOUR
QUOTE = quote_body(issued=NOW - MINUTE, expires=NOW + 14 * MINUTE)
KNOWN, STRANGER = Standing(True, 0, False), Standing(False, 500, False)
IDLE = Load(0, 0, 0, 0)


def request(issued: int = NOW, expires: int = NOW + HOUR) -> Request:
    return Request(
        author=b"D" * 32,
        issued=issued,
        quote=b"q" * 32,
        one_time_key=b"o" * 32,
        contact=Contact("x", ()),
        expires=expires,
    )


def judged(settings: ChargerSettings | None = None, **changes: Any) -> Take | AskPerson | No:
    given: dict[str, Any] = {
        "quote": QUOTE,
        "request": request(),
        "standing": STRANGER,
        "load": IDLE,
        "free": True,
        "now": NOW,
    }
    return judge(settings or charger(), **(given | changes))


def code(verdict: Take | AskPerson | No) -> str:
    return verdict.code if isinstance(verdict, No) else type(verdict).__name__


def later(**fields: int) -> Quote:
    return replace(QUOTE, **fields)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Take"),
        ({"request": request(issued=NOW + CLOCK_TOLERANCE_MS)}, "Take"),
        ({"request": request(issued=NOW + CLOCK_TOLERANCE_MS + 1)}, "clock"),
        ({"request": request(issued=NOW - HOUR)}, "Take"),  # an outbox that waited
        ({"request": request(expires=NOW - 1)}, "quote-expired"),
        ({"now": QUOTE.expires + CLOCK_TOLERANCE_MS}, "Take"),
        ({"now": QUOTE.expires + CLOCK_TOLERANCE_MS + 1}, "quote-expired"),
        ({"free": False}, "not-offerable"),
        ({"standing": replace(KNOWN, unpaid=True)}, "unpaid-receipt"),
        ({"quote": later(end=START + 5 * HOUR)}, "stranger"),
        ({"quote": later(start=NOW + 49 * HOUR, end=NOW + 50 * HOUR)}, "stranger"),
        ({"load": replace(IDLE, open_by_key=1)}, "stranger"),
        ({"standing": KNOWN, "load": replace(IDLE, open_by_key=MAX_OPEN_BOOKINGS_OF_DRIVER - 1)}, "Take"),
        ({"standing": KNOWN, "load": replace(IDLE, open_by_key=MAX_OPEN_BOOKINGS_OF_DRIVER)}, "busy"),
        ({"load": replace(IDLE, open_by_block=1)}, "stranger"),
        ({"load": replace(IDLE, access_records_this_week=3)}, "AskPerson"),
        ({"load": Load(9, 9, 99, 9), "standing": KNOWN}, "Take"),
    ],
)
def test_verdicts(changes: dict[str, Any], expected: str) -> None:
    assert code(judged(**changes)) == expected


def test_settings_decide() -> None:
    trusting = charger(rules=replace(charger().rules, min_trust=501))
    assert code(judged(trusting)) == "trust"
    assert code(judged(trusting, standing=KNOWN)) == "Take"
    assert code(judged(trusting, standing=replace(STRANGER, trust=501))) == "Take"
    assert code(judged(charger(paused=True))) == "not-offerable"
    assert code(judged(charger(rules=ON_REQUEST), standing=KNOWN)) == "AskPerson"
    shy = charger(strangers=replace(charger().strangers, on_request=True))
    assert code(judged(shy)) == "AskPerson"
    assert code(judged(shy, standing=KNOWN)) == "Take"
    assert code(judged(shy, load=replace(IDLE, pending_strangers=32))) == "busy"
    assert code(judged(shy, load=replace(IDLE, pending_strangers=32), standing=KNOWN)) == "Take"


def test_what_may_be_asked_depends_on_no_booking() -> None:
    rules = replace(charger().rules, lead_minutes=60)
    settings = charger(rules=rules)
    assert quotable(settings, NOW + HOUR, NOW + 2 * HOUR, NOW) is None
    for start, end, expected in (
        (NOW + HOUR - 1, NOW + 2 * HOUR, "lead-time"),
        (NOW - 15 * MINUTE - 1, NOW + HOUR, "not-offerable"),
        (NOW + HOUR, NOW + HOUR + 14 * MINUTE, "duration"),
        (NOW + HOUR, NOW + 14 * HOUR, "duration"),
    ):
        refused = quotable(settings, start, end, NOW)
        assert refused is not None and refused.code == expected
