"""From the command line to the API's body of a charger: options, answers, and the JSON that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from . import calendar_fields, policy_fields
from .charger_fields import FIELDS, Answers, read_field, read_price, read_tag

DEFAULT_CANCEL_PERCENT = 50
_DC = ("CHADEMO", "CHAOJI", "GBT_DC", "IEC_62196_T1_COMBO", "IEC_62196_T2_COMBO", "MCS")
_SINGLE_PHASE_W = 7_400
_SWITCHES = ("instant", "plug_and_charge")
_LISTS = ("owner_tag", "amenity", "language")
# Where each answer that is sent as it is stands in the API's body.
_PATHS = {
    "title": "title",
    "address": "home.address",
    "way": "home.way",
    "code": "home.code",
    "phone": "home.phone",
    "resolution": "resolution",
    "currency": "tariff.currency",
    "price": "tariff.per_kwh",
    "per_hour": "tariff.per_hour",
    "flat": "tariff.flat",
    "min_price": "tariff.min_price",
    "max_price": "tariff.max_price",
    "zone": "hours.zone",
    "hours": "hours.text",
    "instant": "rules.instant",
    "min_duration": "rules.min_minutes",
    "max_duration": "rules.max_minutes",
    "lead": "rules.lead_minutes",
    "no_show_cost": "terms.no_show_percent",
    "no_show_after": "terms.no_show_after",
    "host_failure": "terms.host_failure_percent",
    "overstay": "terms.overstay_per_hour",
    "address_lead": "access_lead_minutes",
    "parking": "about.parking",
    "access_method": "about.access_method",
    "amenity": "about.amenities",
    "language": "about.languages",
    "wallbox": "wallbox.driver",
    "wallbox_option": "wallbox.options",
    "owner_tag": "wallbox.owner_tags",
    "plug_and_charge": "wallbox.plug_and_charge",
    "payee_name": "payee.name",
    "iban": "payee.account",
    "account": "payee.account",
}


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds every field as an option, and the switches and lists beside them."""
    switches = (
        click.option(
            "--instant/--on-request", default=None, help="Accept by the rules, or answer each one yourself."
        ),
        click.option(
            "--plug-and-charge/--no-plug-and-charge",
            default=None,
            help="Charges without a tag when not booked.",
        ),
        click.option("--owner-tag", multiple=True, metavar="TAG", help="A tag of yours: it always charges."),
        click.option(
            "--wallbox-option",
            multiple=True,
            metavar="NAME=VALUE",
            help="Told to an installed wallbox driver; NAME= takes it back.",
        ),
        click.option("--amenity", multiple=True, help="Something nearby or on site."),
        click.option("--language", multiple=True, help="A language you speak (de, en, …)."),
    )
    for switch in reversed(switches):
        command = switch(command)
    command = policy_fields.options(calendar_fields.options(command))
    for field in reversed(FIELDS):
        command = click.option(field.flag, field.name, metavar=field.metavar, help=field.help)(command)
    return command


def read_flags(given: Mapping[str, Any], saved: Mapping[str, str]) -> Answers:
    """The answers that flags give; PersonError names the flag that can't be read.

    Currency and zone first, whatever their order: prices and hours are read by them.
    """
    answers: Answers = {"saved": saved}
    for field in sorted(FIELDS, key=lambda one: one.name not in ("currency", "zone")):
        text = given.get(field.name)
        if text is not None:
            answers[field.name] = read_field(field, str(text), answers)
    for name in _SWITCHES:
        if given.get(name) is not None:
            answers[name] = given[name]
    for name in _LISTS:
        if given.get(name):
            answers[name] = list(given[name])
    for tag in answers.get("owner_tag", ()):
        read_tag(tag)
    if "iban" in answers and "account" in answers:
        raise click.UsageError("--iban and --account are both the account: give one of them.")
    currency = answers.get("currency", "EUR")
    answers |= calendar_fields.read_flags(given, lambda text: read_price(text, currency, "kwh"))
    answers |= policy_fields.read_flags(given)
    if given.get("wallbox_option"):
        answers["wallbox_option"] = _options(given["wallbox_option"], answers.get("wallbox", ""))
    return answers


def _options(pairs: Iterable[str], driver: str) -> dict[str, str]:
    """{"host": "192.168.1.20"} from NAME=VALUE."""
    if driver in ("ocpp", "manual"):
        raise click.UsageError(f"--wallbox-option is for installed drivers; {driver} takes none.")
    options: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise click.UsageError(f"--wallbox-option {pair[:40]!r}: write NAME=VALUE.")
        options[name] = value
    return options


def body(answers: Answers) -> dict[str, Any]:
    """What the API takes; holds only what the answers name, so that it also serves a change."""
    found: dict[str, Any] = {}

    def put(path: str, value: Any) -> None:
        section, _, name = path.rpartition(".")
        (found.setdefault(section, {}) if section else found)[name] = value

    for name, path in _PATHS.items():
        if name in answers:
            put(path, answers[name])
    if "at" in answers:
        put("home.latitude", answers["at"][0])
        put("home.longitude", answers["at"][1])
    if "strangers" in answers:
        put("strangers.on_request", answers["strangers"] == "request")
    if "tax" in answers:
        put("tariff.tax_bp", answers["tax"])
    if "min_trust" in answers:
        put("rules.min_trust", answers["min_trust"] * 10)
    if "cancel_free" in answers:
        put("terms.tiers", _tiers(answers["cancel_free"], answers.get("cancel_cost", DEFAULT_CANCEL_PERCENT)))
    if {"connector", "power", "format"} & answers.keys():
        found["connectors"] = [_connector(answers)]
    calendar_fields.put_into(found, answers)
    if "policy" in answers:
        found["policy"] = answers["policy"]
    return found


def _tiers(free_minutes: int, cost_percent: int) -> list[dict[str, int]]:
    """Free until then, `cost_percent` after; free to the very start is no tier at all."""
    if not free_minutes or not cost_percent:
        return []
    return [{"minutes_before": free_minutes, "percent": cost_percent, "fixed": 0}]


def _connector(answers: Answers) -> dict[str, Any]:
    kind, power = answers.get("connector", "IEC_62196_T2"), answers.get("power", 11_000)
    if kind in _DC:
        phases = "DC"
    else:
        phases = "AC_1_PHASE" if power <= _SINGLE_PHASE_W else "AC_3_PHASE"
    return {
        "type": kind,
        "format": answers.get("format", "SOCKET"),
        "power_type": phases,
        "max_power_w": power,
    }
