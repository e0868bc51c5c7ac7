"""A charger of one's own in words: what it offers, what strangers see, how its box stands, all settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chargemesh_protocol.money import format_amount
from chargemesh_protocol.units import format_decimal, format_duration, format_energy, format_power
from chargemesh_protocol.zones import MINUTE_MS

from . import policy_text
from .calendar_text import busy_sentence
from .render import clean, paragraph, short, words
from .tables import pairs

# OCPP 1.6's ChargePointStatus, as a person sees it at the box.
_STATES = {
    "Available": "free, no car is plugged in",
    "Preparing": "a car is plugged in and does not charge",
    "Charging": "it charges",
    "SuspendedEV": "the car takes nothing at the moment",
    "SuspendedEVSE": "the box gives nothing at the moment",
    "Finishing": "charging is over, the car is still plugged in",
    "Reserved": "reserved",
    "Unavailable": "out of use",
    "Faulted": "it reports a fault: look at the box itself",
}
_PRICES = (("per_kwh", "per kWh"), ("per_hour", "per hour"), ("parking_per_hour", "per hour parked"))


def story(view: Any) -> str:
    """Everything that `charger show` prints."""
    return "\n\n".join(
        (
            f"{clean(view['title']) or 'Charger'} ({short(view['id'])})",
            paragraph(view["sentence"].removeprefix(f"{view['title']}: ")),
            paragraph(_seen_by_strangers(view)),
            paragraph(_listed(view)),
            paragraph(_box(view)),
            *([paragraph(busy_sentence(view["busy"]))] if view["busy"] else []),
            pairs([(name, clean(text)) for name, text in _rows(view) if text]),
        )
    )


def wallbox_word(one: Any) -> str:
    """The wallbox in a line of a list."""
    state = one.get("wallbox")
    if one["driver"] == "manual":
        return "manual"
    if not state or not state["connected"]:
        return "not connected"
    return str(state["state"])


def _seen_by_strangers(view: Any) -> str:
    from chargemesh_protocol.listing_text import describe_place

    return (
        f"Strangers see {describe_place(int(view['cell']['cell'], 16))}, with name, plug, prices, hours and "
        "terms. Address, way, code and phone go only to a driver you accepted."
    )


def _listed(view: Any) -> str:
    zone = view["settings"]["hours"]["zone"]
    if view["paused"]:
        return f"Not listed: it is paused. `chargemesh charger resume {short(view['id'])}` lists it again."
    if view["superseded"]:
        return (
            "Not listed as it is here: another node signs as this identity, and its listing is newer. "
            "`chargemesh doctor` says what to do."
        )
    if not view["listed"] or not view["listing"]:
        return "Not listed at the moment: `chargemesh doctor` says why."
    until = view["listing"]["expires"]["text"]
    return f"Listed: drivers can find it. The listing is good until {until} ({zone}) and renewed before."


def _box(view: Any) -> str:
    box, name = view["wallbox"], short(view["id"])
    if view["driver"] == "manual":
        return f"No wallbox: both of you read the meter, you with `chargemesh charger reading {name} ENERGY`."
    if view["driver"] != "ocpp" and not (box and box["connected"]):
        return f"The wallbox driver {view['driver']} does not reach it: `chargemesh doctor` says why."
    if not box or not box["connected"]:
        return (
            "The wallbox is not connected: nobody can charge. "
            f"`chargemesh charger pair {name}` shows what it needs, and waits for it."
        )
    parts = [f"The wallbox is connected: {_STATES.get(box['state'], words(box['state']))}"]
    if box["session"] and box["owner"]:
        parts.append("this is your own car")
    if box["power_w"]:
        parts.append(format_power(box["power_w"]))
    if box["register_wh"] is not None:
        parts.append(f"its meter shows {format_energy(box['register_wh'])}")
    if box["held_back"]:
        parts.append(f"{box['held_back']} values of it could not be believed")
    return ", ".join(parts) + "."


def _rows(view: Any) -> Iterator[tuple[str, str]]:
    kept = view["settings"]
    home, about, payee = kept["home"], kept["about"], kept["payee"]
    yield "id", view["id"]
    yield "address", f"{home['address']} ({home['latitude']:.6f}, {home['longitude']:.6f})"
    for name in ("way", "code", "phone"):
        yield name, home[name]
    yield "plug", _plugs(kept["connectors"])
    yield "price", _prices(kept["tariff"])
    yield "hours", f"{kept['hours']['text']} ({kept['hours']['zone']})"
    yield from _calendar(kept["calendar"])
    yield "rules", view["who_may"]["words"]
    yield from policy_text.rows(kept["policy"])
    yield from _rules(kept)
    yield "terms", _terms(kept["terms"], kept["tariff"]["currency"])
    yield "address sent", f"{_minutes(kept['access_lead_minutes'])} before the start"
    yield "parking", _plain(about["parking"])
    yield "access", _plain(about["access_method"])
    yield "amenities", ", ".join(about["amenities"])
    yield "languages", ", ".join(about["languages"])
    if view["driver"] not in ("ocpp", "manual"):
        yield "run by", f"the wallbox driver {view['driver']}"
    if view["driver"] != "manual":
        yield "own tags", ", ".join(kept["wallbox"]["owner_tags"]) or "none"
        plugged = "charges" if kept["wallbox"]["plug_and_charge"] else "needs one of your tags"
        yield "own car", f"{plugged} while nobody has booked"
    account = f", {payee['account']}" if payee["account"] else ""
    yield "paid to", f"{payee['name']}{account}" if account else "by hand (no account)"
    yield "booked", f"{view['reserved']} to come" if view["reserved"] else "nothing to come"


def _plugs(connectors: Any) -> str:
    from chargemesh_protocol.listing_text import describe_plug

    return ", ".join(describe_plug(one["type"], one["format"], one["max_power_w"]) for one in connectors)


def _prices(tariff: Any) -> str:
    """ "0.35 EUR per kWh, 1.00 EUR a session"; prices that depend on the time are in the sentence above."""
    currency = tariff["currency"]
    if "elements" in tariff:
        return f"in {currency}, by time (above)"
    parts = [f"{format_amount(tariff[name], currency)} {unit}" for name, unit in _PRICES if tariff.get(name)]
    parts += [
        f"{format_amount(one['per_kwh'], currency)} per kWh {one['when']}"
        for one in tariff.get("by_period", ())
    ]
    if tariff.get("flat"):
        parts.append(f"{format_amount(tariff['flat'], currency)} a session")
    if tariff["min_price"]:
        parts.append(f"at least {format_amount(tariff['min_price'], currency)}")
    if tariff["max_price"]:
        parts.append(f"at most {format_amount(tariff['max_price'], currency)}")
    if tariff["tax_bp"]:
        rate = format_decimal(tariff["tax_bp"], 100)
        parts.append(f"{rate} % tax {'included' if tariff['tax_included'] else 'added'}")
    return ", ".join(parts) or "free"


def _calendar(calendar: Any) -> Iterator[tuple[str, str]]:
    """What is said beyond the weekly hours."""
    from chargemesh_protocol.opening_text import describe_rules, read_rules

    yield from describe_rules(read_rules(**calendar))


def _rules(kept: Any) -> Iterator[tuple[str, str]]:
    rules, strangers = kept["rules"], kept["strangers"]
    ahead = f", {_minutes(rules['lead_minutes'])} ahead or more" if rules["lead_minutes"] else ""
    yield "bookings", f"of {_minutes(rules['min_minutes'])} to {_minutes(rules['max_minutes'])}{ahead}"
    trust = f", with a trust of {rules['min_trust']} of 1000 or more" if rules["min_trust"] else ""
    who = "you answer" if strangers["on_request"] or not rules["instant"] else "the rules answer"
    if kept["policy"]["words"]:
        who = "whatever the rules say"
    else:
        yield "answered", ("at once, by these rules" if rules["instant"] else "by you, each one") + trust
    yield (
        "first-timers",
        f"{who}; {strangers['open_bookings']} open each, of {_minutes(strangers['max_minutes'])} at most, "
        f"within {_minutes(strangers['horizon_minutes'])}; {strangers['access_records_a_week']} of them a "
        "week get the address without your word",
    )


def _terms(terms: Any, currency: str) -> str:
    from chargemesh_protocol.terms import CancellationTier, Terms, describe_terms

    tiers = tuple(CancellationTier(**one) for one in terms["tiers"])
    return describe_terms(Terms(**{**terms, "tiers": tiers}), currency)


def _plain(name: str) -> str:
    """OCPI's names in words: "on driveway"."""
    return name.replace("_", " ").lower()


def _minutes(minutes: int) -> str:
    return format_duration(minutes * MINUTE_MS)
