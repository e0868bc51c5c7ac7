"""What can be said about a charger: a flag, a reader and a help text each, and the wizard's questions.

One table serves `charger add` (flags, then questions for what is missing) and `charger edit` (flags alone).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.limits import MAX_TEXT_CHARS
from chargemesh_protocol.money import MICRO, parse_amount, parse_currency
from chargemesh_protocol.units import format_duration, parse_decimal, parse_duration, parse_power
from chargemesh_protocol.zones import MINUTE_MS, parse_zone

from .local_zone import local_zone
from .place_text import parse_place
from .readers import choice, free_text, number, percent

Answers = dict[str, Any]
Reader = Callable[[str, Answers], Any]

# OCPI's names behind the usual ones.
CONNECTORS = {
    "type2": "IEC_62196_T2",
    "mennekes": "IEC_62196_T2",
    "ccs": "IEC_62196_T2_COMBO",
    "ccs2": "IEC_62196_T2_COMBO",
    "type1": "IEC_62196_T1",
    "j1772": "IEC_62196_T1",
    "ccs1": "IEC_62196_T1_COMBO",
    "chademo": "CHADEMO",
    "schuko": "DOMESTIC_F",
    "nacs": "SAE_J3400",
}
_SHOWN_PLUGS = ("type2", "ccs", "type1", "ccs1", "chademo", "schuko", "nacs")
_MOST_W = 1_000_000
MAX_TERM_MINUTES = 14 * 24 * 60  # as specs/ bound every duration of a listing
MAX_TAG_CHARS = 20
MAX_TAX_BP = 10_000
_LEAST_W = 1_000  # nothing charges a car with less: 11W is a slip of 11kW
_MOST_MONEY = 1_000_000
_PARKING = ("ON_DRIVEWAY", "ON_STREET", "PARKING_GARAGE", "PARKING_LOT", "UNDERGROUND_GARAGE")
_UNITS = {"kwh": "kWh", "h": "hour"}
_PER = re.compile(r"\s*(?:/|\bper\b|\ban?\b)\s*(kwh|h|hour)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing about a charger. `read` gets the text and the answers so far: a price needs its currency."""

    name: str
    read: Reader
    metavar: str
    help: str

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Question:
    """What the wizard asks where no flag has answered. A default of "-" stands for nothing."""

    text: str
    default: str = ""


def read_connector(text: str) -> str:
    """The OCPI name of a plug, from that name or a usual one such as Type2, CCS, NACS."""
    from chargemesh_protocol.listing import CONNECTOR_TYPES

    plain = text.strip().lower().replace(" ", "").replace("-", "")
    if plain in CONNECTORS:
        return CONNECTORS[plain]
    near = get_close_matches(plain, CONNECTORS, n=1, cutoff=0.85)
    usual = f"Did you mean {near[0]}?" if near else f"Usual ones: {', '.join(_SHOWN_PLUGS)}."
    return choice(text, CONNECTOR_TYPES, "plug", usual, suggest=not near)


def read_tag(text: str) -> str:
    """An OCPP idTag."""
    if not 0 < len(text) <= MAX_TAG_CHARS:
        raise PersonError(
            "bad-tag",
            f"{text[:30]!r} can't be a tag: it has 1 to {MAX_TAG_CHARS} characters.",
            "Write what is printed on it, or what the wallbox shows for it.",
            ExitCode.USAGE,
        )
    return text


def read_price(text: str, currency: str, per: str) -> int:
    """Micro-units from "0.35", "0.35/kWh" or "0.35 EUR/kWh"; `per` is kwh or h."""
    match = _PER.search(text)
    if match and match[1].lower()[0] != per[0]:
        raise PersonError(
            "bad-amount",
            f"{text.strip()[:40]!r} is a price per {match[1]}, and this is one per {_UNITS[per]}.",
            "--price is per kWh, --per-hour per hour.",
            ExitCode.USAGE,
        )
    return _bounded(parse_amount(text[: match.start()] if match else text, currency), currency)


def _bounded(micro: int, currency: str) -> int:
    if micro > _MOST_MONEY * MICRO:
        raise PersonError(
            "bad-amount",
            f"That is more than {_MOST_MONEY:,} {currency}.",
            f"Write the price in {currency}, for example 0.35.",
            ExitCode.USAGE,
        )
    return micro


def _typed(read: Callable[[str], Any]) -> Reader:
    """A reader that needs no other answer."""
    return lambda text, _: read(text)


def _one_of(*allowed: str, what: str) -> Reader:
    return lambda text, _: choice(text, allowed, what)


def _per(unit: str) -> Reader:
    return lambda text, so_far: read_price(text, so_far.get("currency", "EUR"), unit)


def _power(text: str) -> int:
    watts = parse_power(text)
    if not _LEAST_W <= watts <= _MOST_W:
        raise PersonError(
            "bad-power",
            f"{text.strip()[:40]!r} is not what a charger gives: that is 1 kW to 1 MW.",
            "Write for example 11kW.",
            ExitCode.USAGE,
        )
    return watts


def _money(text: str, so_far: Answers) -> int:
    currency = so_far.get("currency", "EUR")
    return _bounded(parse_amount(text, currency), currency)


def _duration(least: int = 0) -> Reader:
    """A reader of whole minutes, from `least` to the longest that a listing can say."""

    def read(text: str, _: Answers) -> int:
        minutes = parse_duration(text) // MINUTE_MS
        if not least <= minutes <= MAX_TERM_MINUTES:
            low, high = (format_duration(one * MINUTE_MS) for one in (least, MAX_TERM_MINUTES))
            raise PersonError(
                "bad-duration",
                f"{text.strip()[:40]!r} is out of range: it goes from {low} to {high}.",
                "Write for example 2h.",
                ExitCode.USAGE,
            )
        return minutes

    return read


def _tax(text: str) -> int:
    """Basis points from "19%" or "8.1 %"."""
    try:
        points = parse_decimal(text.strip().removesuffix("%"), 100)
    except ValueError:
        points = -1
    if not 0 <= points <= MAX_TAX_BP:
        most = MAX_TAX_BP // 100
        raise PersonError(
            "bad-percent",
            f"{text.strip()[:20]!r} is not a rate of tax from 0 to {most} %.",
            "Write for example 19% or 8.1%.",
            ExitCode.USAGE,
        )
    return points


def _hours(text: str, so_far: Answers) -> str:
    """Checked here, so that a mistake is told at once; the text is what the node is sent."""
    from chargemesh_protocol.schedule import format_hours, parse_hours

    return format_hours(parse_hours(text, so_far.get("zone") or local_zone()))


def _driver(text: str) -> str:
    """What is installed beside our own two is looked up only for another name than theirs."""
    known: tuple[str, ...] = ("ocpp", "manual")
    if text.strip().lower() not in known:
        from chargemesh_node import offline

        known += offline.wallbox_drivers()
    return choice(text, known, "kind of wallbox")


def _place(text: str, so_far: Answers) -> tuple[float, float]:
    return parse_place(text, so_far.get("saved"))


def _iban(text: str, _: Answers) -> str:
    from chargemesh_protocol.payment_text import check_iban

    try:
        return check_iban(text)
    except ValueError as error:
        raise PersonError(
            "bad-iban",
            f"{text.strip()[:40]!r} can't be an account: {error}.",
            "Leave it out if drivers pay you by hand.",
            ExitCode.USAGE,
        ) from None


FIELDS: tuple[Field, ...] = (
    Field("title", _typed(free_text(MAX_TEXT_CHARS, 1)), "TEXT", "What drivers see it called."),
    Field("at", _place, "PLACE", "Where it is: LAT,LON, a geo: URI, a Plus Code or a saved place."),
    Field("address", _typed(free_text(200, 1)), "TEXT", "Its address; only accepted drivers get it."),
    Field("way", _typed(free_text(1000)), "TEXT", "How to find the plug; for accepted drivers."),
    Field(
        "code",
        _typed(free_text(MAX_TEXT_CHARS)),
        "TEXT",
        "A code that opens gate or box; for accepted drivers.",
    ),
    Field("phone", _typed(free_text(32)), "TEXT", "A phone number; for accepted drivers."),
    Field("resolution", _typed(number(4, 8)), "4..8", "How finely strangers see the place (8: finest). [7]"),
    Field("connector", _typed(read_connector), "PLUG", "Type2, CCS, … or OCPI's name."),
    Field(
        "format", _one_of("SOCKET", "CABLE", what="format"), "TEXT", "socket, or cable if one hangs there."
    ),
    Field("power", _typed(_power), "POWER", "What it gives at most."),
    Field("currency", _typed(parse_currency), "CODE", "ISO 4217 code of all prices. [EUR]"),
    Field("price", _per("kwh"), "0.35/kWh", "Price of a kWh."),
    Field("per_hour", _per("h"), "AMOUNT", "Price of an hour of charging."),
    Field("flat", _money, "AMOUNT", "Fee a session."),
    Field("min_price", _money, "AMOUNT", "What a session costs at least."),
    Field("max_price", _money, "AMOUNT", "What a session costs at most."),
    Field("tax", _typed(_tax), "PERCENT", "Tax that the prices include."),
    Field("zone", _typed(parse_zone), "ZONE", "IANA time zone of the hours. [this machine's]"),
    Field("hours", _hours, "HOURS", 'Such as "mon-fri 18:00-08:00; sat,sun 00:00-24:00", or "always".'),
    Field("min_duration", _duration(15), "DURATION", "Shortest booking."),
    Field("max_duration", _duration(15), "DURATION", "Longest booking."),
    Field("lead", _duration(), "DURATION", "How long before the start it must be booked."),
    Field("min_trust", _typed(percent), "PERCENT", "Trust that a driver needs."),
    Field(
        "strangers",
        _one_of("instant", "request", what="answer"),
        "TEXT",
        "instant: rules accept first-timers too; request: you answer them. [request]",
    ),
    Field("cancel_free", _duration(), "DURATION", "Cancelling is free until so long before the start. [2h]"),
    Field("cancel_cost", _typed(percent), "PERCENT", "What it costs later, of the highest price. [50 %]"),
    Field("no_show_cost", _typed(percent), "PERCENT", "What not coming costs, of the highest price."),
    Field("no_show_after", _duration(), "DURATION", "How long you wait for a driver."),
    Field("host_failure", _typed(percent), "PERCENT", "What you owe for failing a driver, likewise."),
    Field("overstay", _per("h"), "AMOUNT", "Price of an hour beyond the booked end."),
    Field("address_lead", _duration(), "DURATION", "The address is sent so long before the start."),
    Field("parking", _one_of(*_PARKING, what="kind of parking"), "TEXT", f"One of {', '.join(_PARKING)}."),
    Field("access_method", _typed(free_text(40)), "TEXT", "OPEN, ACCESS_CODE, LICENSE_PLATE, …"),
    Field(
        "wallbox",
        _typed(_driver),
        "NAME",
        "ocpp: the node runs it; manual: both read the meter; or an installed driver. [ocpp]",
    ),
    Field("payee_name", _typed(free_text(70)), "TEXT", "Name of the account that drivers pay into."),
    Field("iban", _iban, "IBAN", "Its IBAN; without one drivers pay by hand."),
    Field(
        "account",
        _typed(free_text(64, 1)),
        "TEXT",
        "Instead of an IBAN: what an installed payment rail pays into.",
    ),
)

QUESTIONS: dict[str, Question] = {
    "title": Question("Name that drivers see", "Home charger"),
    "at": Question("Where it is (LAT,LON or a Plus Code)"),
    "address": Question("Address (only accepted drivers get it)"),
    "way": Question("How to find the plug", "-"),
    "connector": Question("Plug", "Type2"),
    "format": Question("socket or cable", "socket"),
    "power": Question("Power", "11kW"),
    "currency": Question("Currency", "EUR"),
    "price": Question("Price of a kWh", "0.35"),
    "hours": Question("Hours", "always"),
    "strangers": Question("First-timers: instant, or request (you answer)", "request"),
    "cancel_free": Question("Cancelling is free until, before the start", "2h"),
    "wallbox": Question("Wallbox: ocpp, or manual (both read the meter)", "ocpp"),
    "payee_name": Question("Name of your account for payments", "-"),
    "iban": Question("Its IBAN (- for payment by hand)", "-"),
}
# What a charger can't be listed without, and no default can guess.
REQUIRED = ("at", "address", "price")


def read_answer(field: Field, text: str, so_far: Answers) -> Any:
    """What a person answered to the field's question: its value; "-" where that is offered as nothing."""
    if text.strip() == "-" and field.name in QUESTIONS and QUESTIONS[field.name].default == "-":
        return ""
    return field.read(text, so_far)


def read_field(field: Field, text: str, so_far: Answers) -> Any:
    """As `read_answer`, from the command line: PersonError names the flag."""
    try:
        return read_answer(field, text, so_far)
    except PersonError as error:
        raise PersonError(error.code, f"{field.flag}: {error.message}", error.hint, error.exit_code) from None
