"""A weekly series in words: its sentence, its dates, and the question that it may ask."""

from __future__ import annotations

from typing import Any

from .booking_text import until
from .hints import command
from .render import clean, paragraph, short
from .tables import table

_STATE = {
    "PLANNED": "planned",
    "ASKED": "asked, not answered yet",
    "BOOKED": "booked",
    "TRYING": "not booked yet",
    "PRICE": "waits for your word",
    "SKIPPED": "skipped",
    "CANCELED": "not taking place",
    "LEFT_OUT": "not booked",
}


def series_cells(view: Any) -> tuple[str, ...]:
    """id, what it is, what it may cost, the next date."""
    after = [one for one in view["dates"] if one["state"] not in ("LEFT_OUT", "SKIPPED", "CANCELED")]
    following = f"{after[0]['start']['text']}: {_STATE[after[0]['state']]}" if after else "–"
    if view["asked"]:
        following = "costs more now, and waits for your word"
    what = f"{clean(view['title'])}: {view['says']}"
    return short(view["id"]), what, view["at_most"]["text"], "ended" if view["ended"] else following


def series_story(view: Any) -> str:
    """Everything that `series show` prints."""
    name = clean(view["title"]) or "Charger"
    parts = [
        paragraph(f"{name} ({short(view['id'])}). {view['says']}; at most {view['at_most']['text']} each.")
    ]
    if view["ended"]:
        parts += ["", "It is ended: nothing more is booked."]
    if view["asked"]:
        parts += ["", paragraph(question(view)), f"  {command('series price ' + short(view['id']))}"]
    if view["dates"]:
        rows = [_date_cells(one) for one in view["dates"]]
        parts += ["", table(("date", "when", "state", "booking"), rows)]
    reasons = [_reason(one) for one in view["dates"] if one["why"] or one["again"]]
    return "\n".join([*parts, *(["", *reasons] if reasons else [])])


def question(view: Any) -> str:
    """What the host asks by now, for the person's yes."""
    asked = view["asked"]
    return (
        f"From {asked['date']} on the host asks up to {asked['cap']['text']}; you agreed to "
        f"{view['at_most']['text']}. {asked['conditions']} Unless you agree, these dates are left out."
    )


def _date_cells(one: Any) -> tuple[str, ...]:
    when = f"{one['start']['text']} – {until(one['start']['text'], one['end']['text'])}"
    moved = " (moved)" if one["moved"] else ""
    booking = short(one["booking"]) if one["booking"] else "–"
    return one["date"], when + moved, _STATE[one["state"]], booking


def _reason(one: Any) -> str:
    """Why a date is not booked, and when that is tried again."""
    again = f"; tried again {one['again']['text']}" if one["again"] else ""
    return paragraph(f"{one['date']}: {clean(one['why']) or 'the host said no'}{again}.")
