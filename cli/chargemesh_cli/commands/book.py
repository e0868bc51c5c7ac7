"""`chargemesh quote` and `chargemesh book`: what a charge costs all in, and taking it."""

from __future__ import annotations

import time
from typing import Any

import click

from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.units import (
    format_duration,
    format_energy,
    format_span,
    parse_duration,
    parse_energy,
)

from .. import prompts, times, weekly
from ..app import App, pass_app
from ..charger_fields import read_connector
from ..client import Api, segment
from ..lazy import command
from ..render import clean, paragraph, short

_EXPIRED = (
    "This price holds no longer by this machine's clock, though the host has just named it: one of the two "
    "clocks may be wrong. `chargemesh doctor` compares them."
)
_LONG_POLL_SECONDS = 20
_DEFAULT_WAIT = "15m"
_MOST_WH = 1_000_000
_SPARE_MS = 60_000  # so that the host's node still answers by itself before the request ends
_OTHERWISE = {"ACCEPT": "accepts", "DECLINE": "declines"}
# What to do about a refusal at once, by its code (specs/errors.json).
_INSTEAD = {
    "members-only": "Ask the host to add you to its members.",
    "rules": "Ask for another time, or try another charger.",
    "walk-in": "Scan the code at the charger again.",
    "stranger": "End the booking that you have there first, or ask for a shorter or an earlier one.",
    "trust": "Trust grows with charges and reviews: charge elsewhere first.",
    "unpaid-receipt": "`chargemesh bookings` shows which; `chargemesh pay ID --paid` says that it is paid.",
    "clock": "`chargemesh doctor` checks this machine's clock.",
    "quote-expired": "Book again: that asks for a new price.",
    "busy": "Try again in a minute.",
}


VEHICLE = click.option(
    "--vehicle", metavar="TEXT", help="What the host may know of your car, such as its colour."
)
PLUG = click.option(
    "--plug", metavar="PLUG", help="Your car's inlet (Type2, CCS, …), if the host asks for it."
)


@command("quote")
@click.argument("listing")
@times.options
@click.option("--energy", metavar="ENERGY", help="How much your car takes; else what fits the time.")
@pass_app
def quote(app: App, /, listing: str, energy: str | None, **given: Any) -> None:
    """Ask a host what a charge would cost: all in, with the most it can cost.

    LISTING: its row in the last `find`, or its id.
    """
    span = _span(given)
    energy_wh = energy_of(energy)
    value = _ask(app.api(), listing, span, energy_wh)
    app.result(value, sentences(value))


@command("book")
@click.argument("listing")
@times.options
@click.option("--energy", metavar="ENERGY", help="How much your car takes; else what fits the time.")
@VEHICLE
@PLUG
@click.option("--answer-within", metavar="DURATION", help="How long the host has. [as it says, else 15m]")
@weekly.options
@click.option("--yes", is_flag=True, help="Take the quote without being asked.")
@click.option("--no-wait", is_flag=True, help="Don't wait for the host's answer.")
@pass_app
def book(
    app: App,
    /,
    listing: str,
    energy: str | None,
    vehicle: str | None,
    plug: str | None,
    answer_within: str | None,
    yes: bool,
    no_wait: bool,
    **given: Any,
) -> None:
    """Book a charger: shows the quote, asks, and waits for the host's answer.

    With --weekly the same time of every week: your node asks for each date by itself, up to 14 days ahead,
    and books it if it costs no more than you agree to now. LISTING: its row in the last `find`, or its id.
    """
    span = _span(given)
    energy_wh = energy_of(energy)
    wait_ms = None if answer_within is None else parse_duration(answer_within)
    repeats = weekly.read(given)
    if not yes and not app.interactive:
        raise click.UsageError("Nobody is at a terminal to agree to the price: add --yes.")
    api = app.api()
    offer = _ask(api, listing, span, energy_wh)
    app.note(sentences(offer))
    body = wait_of(offer, wait_ms, vehicle, plug)
    if repeats is None:
        prompts.require_yes(app, "Book it?", yes=yes)
        booking = api.post("bookings", body)
    else:
        booking = weekly.begin(app, api, offer, body, repeats, yes=yes)
    path = f"bookings/{segment(booking['id'])}"
    if not no_wait:
        booking = wait_for_answer(app, api, path, booking)
    elif not app.json:
        app.say(f"Asked. `chargemesh booking show {short(booking['id'])}` tells what becomes of it.")
    tell(app, booking, waited=not no_wait)


def wait_of(offer: Any, wait_ms: int | None, vehicle: str | None, plug: str | None) -> dict[str, Any]:
    """The body of a booking by this offer. The host has the time that it asks for, or `wait_ms`."""
    within = offer["answer_within_s"]
    if wait_ms is None:
        wait_ms = parse_duration(_DEFAULT_WAIT) if within is None else within * 1000 + _SPARE_MS
    body: dict[str, Any] = {"quote": offer["quote"], "wait_ms": wait_ms}
    body |= {"vehicle": vehicle} if vehicle else {}
    return body | ({"plug": read_connector(plug)} if plug else {})


def sentences(offer: Any) -> str:
    """The quote as a person agrees to it, with all times in the charger's zone."""
    span = format_span(offer["start"]["ms"], offer["end"]["ms"], offer["zone"])
    estimate, cap = offer["estimate"]["text"], offer["cap"]["text"]
    energy = format_energy(offer["energy_wh"])
    price = f"about {estimate} for {energy}, and never more than {cap} in that time"
    if estimate == cap:
        price = f"at most {cap}, for {energy}"
    first = f"{clean(offer['title']) or 'Charger'}, {span} ({offer['zone']}): {price}."
    # A quote does not say whether the rules take this driver: a stranger may have to wait for the host.
    answered = (
        "The host's rules answer at once, or the host in person where they leave it to them."
        if offer["instant"]
        else "The host answers in person."
    )
    if offer["answer_within_s"] is not None:
        within = format_duration(offer["answer_within_s"] * 1000)
        answered += f" A person has {within}; after that the host's node {_OTHERWISE[offer['otherwise']]} it."
    left = offer["expires_in_s"] * 1000
    parts = [
        first,
        offer["prices"],
        *([offer["power"]] if offer["power"] else []),
        offer["terms"],
        f"{answered} The address is sent by {offer['address_by']['text']} at the latest.",
        f"This price holds for {format_duration(left - left % 1000)}." if left else _EXPIRED,
        *_away(offer),
    ]
    return "\n".join(paragraph(part) for part in parts)


def _away(offer: Any) -> list[str]:
    """Where the host's node did not answer just now."""
    if not offer["host_away"]:
        return []
    if not offer["mailbox"]:
        return [
            "The host's node is away: the request is tried until it answers, or the time for that is over."
        ]
    return [
        "The host's node is away. The request waits in its mailbox, and is answered when the node is back."
    ]


def energy_of(text: str | None) -> int:
    """Wh; 0 where nothing is said."""
    energy_wh = parse_energy(text) if text else 0
    if energy_wh > _MOST_WH:
        raise PersonError(
            "bad-energy",
            f"No car takes {format_energy(energy_wh)}.",
            f"Write at most {format_energy(_MOST_WH)}.",
            ExitCode.USAGE,
        )
    return energy_wh


def _span(given: Any) -> times.Span:
    from chargemesh_node import offline

    span = times.read_span(given["from_"], given["for_"], given["to_"], given["zone"], offline.now())
    if span is None:
        raise click.UsageError("Missing --from T and --for DURATION: when?")
    return span


def _ask(api: Api, listing: str, span: times.Span, energy_wh: int) -> Any:
    body = {"listing": listing.strip(), "start": span.start, "end": span.end, "energy_wh": energy_wh}
    return api.post("quotes", body)


def wait_for_answer(app: App, api: Api, path: str, booking: Any) -> Any:
    """Until the host has decided or its time is over; Ctrl-C stops waiting, not the request."""
    app.note(f"Asked as booking {short(booking['id'])}; waiting for the host … (Ctrl-C stops waiting)")
    try:
        while booking["reservation"] == "PENDING":
            before = time.monotonic()
            booking = api.get(path, wait_until="decided", timeout_s=_LONG_POLL_SECONDS)
            if time.monotonic() - before < 0.2:
                time.sleep(0.2)  # an answer at once that decides nothing must not spin
    except KeyboardInterrupt:
        app.note(f"\nNot waiting; `chargemesh booking show {short(booking['id'])}` tells what becomes of it.")
    return booking


def tell(app: App, booking: Any, *, waited: bool) -> None:
    """The outcome, and its exit code: a refusal is the peer's, silence is a time-out."""
    if not waited or booking["reservation"] == "PENDING":
        app.result(booking)
        return
    reservation = booking["reservation"]
    lines = [*booking.get("so_far", ())[1:], *booking.get("next_steps", ())]
    if reservation in ("RESERVED", "FULFILLED"):
        app.result(booking, paragraph(f"Booked ({short(booking['id'])}). " + " ".join(lines)))
        return
    said = " ".join(booking.get("so_far", ())[1:]) or f"The booking is {reservation}."
    if reservation == "FAILED":
        raise PersonError("no-answer", said, "Try another charger, or ask again.", ExitCode.TIMED_OUT)
    hint = _INSTEAD.get(booking["refused"], "Try another time or another charger.")
    raise PersonError("rejected", said, hint, ExitCode.REJECTED_BY_PEER)
