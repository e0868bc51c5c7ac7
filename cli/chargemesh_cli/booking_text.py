"""A booking in words: a line of a list, the whole story, and the live line of a charge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chargemesh_protocol.units import format_energy, format_power

from .hints import command
from .render import clean, paragraph, short

# What a person types for an action of the API.
_COMMAND_FOR = {
    "accept": "booking accept {}",
    "decline": "booking decline {}",
    "start": "charge start {}",
    "stop": "charge stop {}",
    "reading": "charge confirm {}",
    "agree": "receipt {} --agree",
    "claim": "pay {}",
    "confirm": "pay confirm {}",
    "review": "review {}",
    "change": "booking change {} --start T --end T",
    "offer": "booking counter {} --start T",
    "cancel": "booking cancel {}",
    "problem": "booking problem {} KIND",
    "fault": "booking problem {} KIND",
}
_WHERE = {
    "delivered": " (delivered)",
    "in-mailbox": " (in their mailbox)",
    "trying": " (not delivered yet)",
    "pending": " (being sent)",
    "given-up": " (never delivered)",
}
# In a list only what a person may have to reckon with.
_LINE_WHERE = {
    "in-mailbox": " (Yours waits in their mailbox.)",
    "trying": " (Not delivered yet.)",
    "given-up": " (Never delivered.)",
}
_ADDRESS = ("address", "way", "code", "phone")


def line_cells(one: Any) -> tuple[str, ...]:
    """id, side, when, state, cost, what comes next."""
    return (
        short(one["id"]),
        one["role"],
        f"{one['start']['text']} – {until(one['start']['text'], one['end']['text'])}",
        state_word(one),
        one["cost"]["text"] if one["cost"]["micro"] else "–",
        f"{clean(one['title'])}: {_weekly(one)}{one['next']}{_LINE_WHERE.get(one['delivery'], '')}",
    )


def in_series(lines: Sequence[Any]) -> list[Any]:
    """The same in the same order, except that bookings of one weekly series follow the first of them."""
    groups: dict[str, list[Any]] = {}
    for one in lines:
        open_series = one["series"] is not None and not one["finished"]
        groups.setdefault(one["series"]["id"] if open_series else one["id"], []).append(one)
    return [one for group in groups.values() for one in group]


def until(start: str, end: str) -> str:
    """The end of a span in words, without its date where that is the start's."""
    day = start.partition(" ")[0]
    return end.removeprefix(day).lstrip()


def _weekly(one: Any) -> str:
    return f"(weekly {short(one['series']['id'])}) " if one["series"] else ""


def _series_sentences(view: Any) -> list[str]:
    """What a weekly series means for one of its bookings."""
    if not view["series"]:
        return []
    name = short(view["series"]["id"])
    if view["role"] == "driver":
        return [f"One of a weekly series: {command(f'series show {name}')} tells of the others."]
    agreed = view["series"]["agreed_until"]
    if agreed:
        ends = command(f"booking decline {short(view['id'])} --series")
        return [f"One of a weekly series ({name}), which you take until {agreed['text']}: {ends} ends that."]
    if "accept" in view["actions"]:
        all_ = command(f"booking accept {short(view['id'])} --series")
        return [f"One of a weekly series ({name}): {all_} takes the next as well."]
    return [f"One of a weekly series ({name})."]


def state_word(one: Any) -> str:
    """The one of the three states that says most now."""
    if one["settlement"] not in ("OPEN", ""):
        return str(one["settlement"])
    if one["reservation"] in ("REJECTED", "FAILED"):
        return str(one["reservation"])
    if one["reservation"] in ("CANCELED", "NO_SHOW"):  # no session counts then; what may be due is the fee
        return f"{one['reservation']}{', fee due' if one['cost']['micro'] and not one['finished'] else ''}"
    if one["session"] in ("ACTIVE", "COMPLETED", "INVALID"):
        return {"ACTIVE": "CHARGING"}.get(one["session"], str(one["session"]))
    return str(one["reservation"])


def story(view: Any) -> str:
    """Everything that `booking show` prints."""
    parts = [f"{clean(view['title'])} ({short(view['id'])}), you are the {view['role']}.", ""]
    parts += [paragraph(one) for one in view["so_far"]]
    parts += [paragraph(one) for one in _series_sentences(view)]
    if view["next_steps"]:
        parts += ["", *(paragraph(f"Next: {one}") for one in view["next_steps"])]
    to_type = [_COMMAND_FOR[one].format(short(view["id"])) for one in view["actions"] if one in _COMMAND_FOR]
    if view.get("to_read"):
        to_type.insert(0, f"charger reading {short(view['to_read'])} ENERGY")
    if to_type:
        parts += ["", "You can:", *(f"  {command(words)}" for words in to_type)]
    if view.get("access"):
        parts += ["", *_access(view["access"])]
    if view.get("meter"):
        parts += ["", meter_line(view)]
    if view.get("messages"):
        parts.append("")
        parts += [_message(one) for one in view["messages"]]
    if view.get("faults"):
        parts += ["", *(paragraph(f"Contradiction: {one}") for one in view["faults"])]
    if post := delivery_sentence(view):
        parts += ["", paragraph(post)]
    who = view.get("counterparty") or {}
    if who:
        parts += ["", paragraph(f"The other side, {short(who['author'])}: {who['sentence']}")]
    return "\n".join(parts)


def terms_line(terms: Any) -> str:
    """ "2027-01-15 09:00 to 12:00, 20 kWh: about 7.00 EUR, at most 11.55 EUR"."""
    start, end = terms["start"]["text"], terms["end"]["text"]
    price = f"about {terms['estimate']['text']}, at most {terms['cap']['text']}"
    return f"{start} to {until(start, end)}, {format_energy(terms['energy_wh'])}: {price}"


def offer_sentence(offer: Any, who: str) -> str:
    """ "The host offers … until …", with what is said beside it."""
    note = f' "{clean(offer["text"])}"' if offer["text"] else ""
    return f"{who} {terms_line(offer['terms'])}; it stands until {offer['expires']['text']}.{note}"


def meter_line(view: Any) -> str:
    """ "12.3 kWh · 11 kW · 4.31 EUR · 14 tickets, 14 signed by both"."""
    meter = view["meter"]
    if not meter:
        return f"{state_word(view)}: no reading yet"
    signed = (
        "all signed by both"
        if meter["countersigned"] == meter["tickets"]
        else (f"{meter['countersigned']} of {meter['tickets']} signed by both")
    )
    tickets = "ticket" if meter["tickets"] == 1 else "tickets"
    return " · ".join(
        (
            format_energy(meter["energy_wh"]),
            format_power(meter["power_w"]),
            meter["cost"]["text"],
            f"{meter['tickets']} {tickets}, {signed}",
        )
    )


def _access(access: Any) -> list[str]:
    lines = [f"{name:<8} {clean(access[name])}" for name in _ADDRESS if access.get(name)]
    if access.get("place"):
        lines.append(f"{'map':<8} {access['place']['map']}")
    if access.get("photos"):
        lines.append(f"{'photos':<8} {_photos(access['photos'])}")
    return lines


def delivery_sentence(view: Any) -> str:
    """Where what we sent is, if the other side has not yet said that it holds it; else empty."""
    post = view["post"]
    again = (
        f" The next try to reach the other side is at {post['next_try']['text']}." if post["next_try"] else ""
    )
    match post["state"]:
        case "in-mailbox":
            return (
                f"What you sent waits in their mailbox since {post['handed_in']['text']}, at most until "
                f"{post['kept_until']['text']}: their node collects it when it is back.{again}"
            )
        case "trying":
            return f"Something of yours has not reached the other side yet.{again}"
        case "given-up":
            return "Something of yours never reached the other side, and is not tried any more."
    return ""


def _photos(photos: Any) -> str:
    """ "3, of which 1 is still to come"."""
    waiting = sum(not one["here"] for one in photos)
    return f"{len(photos)}{f', of which {waiting} still to come' if waiting else ''}"


def _message(one: Any) -> str:
    who = "you" if one["ours"] else "they"
    where = _WHERE.get(one["delivery"] or "", "")
    return paragraph(f"{one['sent']['text']} {who}{where}: {clean(one['text'])}")
