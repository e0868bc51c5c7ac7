"""`chargemesh charger`: a host's chargers. `add` is a wizard on a terminal, with flags for everything."""

from __future__ import annotations

import os
from typing import Any

import click

from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.units import format_energy, parse_duration, parse_energy

from .. import calendar_fields, policy_fields, prompts
from .. import charger_form as form
from ..app import App, pass_app
from ..charger_fields import FIELDS, QUESTIONS, REQUIRED, Answers, Field, read_answer, read_field, read_tag
from ..charger_text import story, wallbox_word
from ..client import Api, segment
from ..lazy import Group
from ..local_zone import local_zone
from ..pairing import show_and_wait
from ..render import paragraph, short, words
from ..tables import table
from . import policy
from .photos import photo

_RESTORED = (
    "This node was restored from a backup: it lists nothing and answers nobody before it has asked a peer "
    "for its own newest entry. `chargemesh join LINK` connects it to one; `chargemesh restore --force` goes "
    "without, and says first what that risks."
)


@click.group("charger", cls=Group)
def charger() -> None:
    """A host's chargers. ID is the beginning of a charger's id, six signs or more; `last`: your only one."""


for _one in (photo, policy.rules, policy.members, policy.qr):
    charger.add_command(_one)


@charger.command("add")
@form.options
@click.option("--yes", is_flag=True, help="Ask nothing: flags and defaults.")
@click.option(
    "--wait", metavar="DURATION", help="How long to wait for the wallbox (on a terminal: until Ctrl-C)."
)
@click.option("--no-wait", is_flag=True, help="Don't wait for the wallbox.")
@pass_app
def add(app: App, /, yes: bool, wait: str | None, no_wait: bool, **given: Any) -> None:
    """List a charger. On a terminal it asks for what no flag says; everything can be changed later.

    Strangers see a map cell, never the address: that goes only to a driver whose booking you accepted.
    """
    from chargemesh_node import offline

    wait_ms = None if wait is None else parse_duration(wait)
    asking = app.interactive and not yes
    saved = offline.saved_places(app.home, os.environ)
    answers = form.read_flags(given, saved)
    if not asking:
        _require_flags(answers)
    api = app.api()
    answers = _complete(answers, asking)
    body = form.body(answers)
    seen = api.post("chargers/preview", body)
    app.note("\n" + paragraph(seen["sentence"]))
    app.note(paragraph(seen["place"]))
    app.note(paragraph(seen["terms"]))
    if asking and not prompts.confirm("List it like this?", default=True):
        raise PersonError("not-confirmed", "Nothing was listed.", "Run `chargemesh charger add` again.")
    kept = api.post("chargers", body)
    app.say(f"Listed as charger {short(kept['id'])}.")
    if kept["driver"] == "manual":
        app.result(kept)
        typed = f"`chargemesh charger reading {short(kept['id'])} ENERGY`"
        app.say(f"With no wallbox to run, both of you read the meter: {typed} types in what it shows.")
        return
    wallbox = show_and_wait(app, api, kept["id"], wait_ms=wait_ms, wait=not no_wait)
    app.result({**kept, "pairing": wallbox})


@charger.command("list")
@pass_app
def list_(app: App) -> None:
    """Your chargers, what they offer, and how their wallboxes are."""
    api = app.api()
    value = api.get("chargers")
    rows = [
        (short(one["id"]), _listed(one), wallbox_word(one), str(one["reserved"]), one["title"])
        for one in value["chargers"]
    ]
    headings = ("id", "listed", "wallbox", "bookings", "title")
    empty = "No chargers yet. `chargemesh charger add` lists one."
    app.result(value, table(headings, rows) if rows else empty)
    _tell_if_restored(app, api, value["chargers"])


@charger.command("show")
@click.argument("charger_id", metavar="ID")
@pass_app
def show(app: App, charger_id: str) -> None:
    """Everything about one charger: what it offers, what strangers see of it, and how its wallbox stands."""
    value = app.api().get(f"chargers/{segment(charger_id)}")
    app.result(value, story(value))


@charger.command("edit")
@click.argument("charger_id", metavar="ID")
@form.options
@pass_app
def edit(app: App, /, charger_id: str, **given: Any) -> None:
    """Change what the flags name; bookings that stand keep what they were promised."""
    from chargemesh_node import offline

    saved = offline.saved_places(app.home, os.environ)
    answers = form.read_flags(given, saved)
    api = app.api()
    path = f"chargers/{segment(charger_id)}"
    if answers.keys() & set(policy_fields.PLAIN) and "words" not in answers.get("policy", {}):
        policy_fields.require_plain(api.get(path)["who_may"])
    if {"connector", "power", "format", "cancel_free", "cancel_cost"} & answers.keys():
        answers = _with_what_stands(api.get(path)["settings"], answers)
    if calendar_fields.needs_what_stands(answers):
        answers = calendar_fields.with_what_stands(api.get(path)["settings"]["calendar"], answers)
    changes = form.body(answers)
    if not changes:
        raise click.UsageError("Nothing to change: name it by a flag, such as --price 0.40.")
    value = api.patch(path, changes)
    app.result(value, paragraph(value["sentence"]))


@charger.command("pair")
@click.argument("charger_id", metavar="ID")
@click.option("--wait", metavar="DURATION", help="How long to wait (on a terminal: until Ctrl-C).")
@click.option("--no-wait", is_flag=True, help="Only print what the wallbox needs.")
@pass_app
def pair(app: App, charger_id: str, wait: str | None, no_wait: bool) -> None:
    """Print what to type into the wallbox, and wait until it connects."""
    wait_ms = None if wait is None else parse_duration(wait)
    value = show_and_wait(app, app.api(), charger_id, wait_ms=wait_ms, wait=not no_wait)
    app.result(value)


@charger.command("tag")
@click.argument("charger_id", metavar="ID")
@click.argument("tags", nargs=-1, metavar="[TAG]...")
@click.option("--remove", multiple=True, metavar="TAG", help="Take a tag off the list.")
@pass_app
def tag(app: App, charger_id: str, tags: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Your own tags, which always charge: list them, or add TAGs."""
    api = app.api()
    path = f"chargers/{segment(charger_id)}"
    known = list(api.get(path)["settings"]["wallbox"]["owner_tags"])
    for one in tags:
        read_tag(one)
    wanted = [one for one in dict.fromkeys([*known, *tags]) if one not in remove]
    if wanted != known:
        wanted = api.patch(path, {"wallbox": {"owner_tags": wanted}})["settings"]["wallbox"]["owner_tags"]
    app.result({"charger": charger_id, "owner_tags": wanted}, words(wanted))


@charger.command("pause")
@click.argument("charger_id", metavar="ID")
@pass_app
def pause(app: App, charger_id: str) -> None:
    """Take the listing away; bookings that stand are kept."""
    value = app.api().post(f"chargers/{segment(charger_id)}/pause")
    app.result(value, "Paused: nobody finds it now. Bookings that stand are kept.")


@charger.command("resume")
@click.argument("charger_id", metavar="ID")
@pass_app
def resume(app: App, charger_id: str) -> None:
    """List a paused charger again."""
    value = app.api().post(f"chargers/{segment(charger_id)}/resume")
    app.result(value, "It is listed again.")


@charger.command("remove")
@click.argument("charger_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Don't ask.")
@pass_app
def remove(app: App, charger_id: str, yes: bool) -> None:
    """Withdraw a charger and forget its settings; refused while it has bookings."""
    api = app.api()
    prompts.require_yes(app, f"Remove charger {charger_id}?", yes=yes)
    value = api.delete(f"chargers/{segment(charger_id)}")
    app.result(value, "Removed.")


@charger.command("reading")
@click.argument("charger_id", metavar="ID")
@click.argument("register", metavar="ENERGY")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--sure", is_flag=True, help="It is right, also if the charger can hardly have given so much.")
@pass_app
def reading(app: App, charger_id: str, register: str, yes: bool, sure: bool) -> None:
    """Type in what the meter shows (1234.5kWh), for a charger whose wallbox nobody controls.

    It is signed, and can't be taken back; the driver is asked to read the same.
    """
    body: dict[str, Any] = {"register_wh": parse_energy(register)}
    api = app.api()
    path = f"chargers/{segment(charger_id)}"
    if app.interactive and not yes and not sure:
        prompts.require_yes(
            app, _reading_question(api.get(f"{path}/wallbox"), body["register_wh"]), yes=False
        )
    try:
        value = api.post(f"{path}/reading", {**body, "sure": True} if sure else body)
    except PersonError as error:
        if error.code != "unlikely-reading" or not app.interactive or yes:
            raise
        prompts.require_yes(app, f"{error.message} Have you looked again?", yes=False)
        value = api.post(f"{path}/reading", {**body, "sure": True})
    app.result(value, f"Signed: {register}. The driver is asked to confirm it.")


def _reading_question(wallbox: Any, register_wh: int) -> str:
    before = (wallbox["state"] or {}).get("register_wh")
    text = f"Sign that the meter shows {format_energy(register_wh)}"
    if before is not None and before <= register_wh:
        text += f", {format_energy(register_wh - before)} more than last time"
    return f"{text}? It can't be taken back."


def _require_flags(answers: Answers) -> None:
    missing = [f"--{name}" for name in REQUIRED if name not in answers]
    if "per_hour" in answers or "flat" in answers:
        missing = [one for one in missing if one != "--price"]
    if missing:
        raise click.UsageError(f"Missing {', '.join(missing)} (on a terminal, without --yes, it asks).")


def _complete(answers: Answers, asking: bool) -> Answers:
    """The questions of the wizard, or their defaults."""
    answers = dict(answers)
    priced_otherwise = "per_hour" in answers or "flat" in answers
    for field in FIELDS:
        if field.name in answers or field.name not in QUESTIONS:
            continue
        if field.name == "price" and priced_otherwise:
            continue
        if asking:
            answers[field.name] = _ask(field, answers)
        elif QUESTIONS[field.name].default not in ("", "-"):
            answers[field.name] = read_field(field, QUESTIONS[field.name].default, answers)
    answers.setdefault("zone", local_zone())
    if "instant" not in answers:
        answers["instant"] = not asking or prompts.confirm(
            "Accept drivers you know at once (no: you answer each request)?", default=True
        )
    # Nothing said: the node's own default, which may come from the config file.
    return {name: value for name, value in answers.items() if value != ""}


def _ask(field: Field, answers: Answers) -> Any:
    question = QUESTIONS[field.name]
    return prompts.ask(
        question.text, lambda text: read_answer(field, text, answers), question.default or None
    )


def _with_what_stands(settings: Any, answers: Answers) -> Answers:
    """Plug and cancellation are changed as a whole: what no flag names of them stays as it is."""
    if {"connector", "power", "format"} & answers.keys():
        now = settings["connectors"][0]
        plug = {"connector": now["type"], "format": now["format"], "power": now["max_power_w"]}
        answers = {**plug, **answers}
    tiers = settings["terms"]["tiers"]
    if {"cancel_free", "cancel_cost"} & answers.keys() and tiers:
        tier = {"cancel_free": tiers[0]["minutes_before"], "cancel_cost": tiers[0]["percent"]}
        answers = {**tier, **answers}
    if "cancel_cost" in answers and "cancel_free" not in answers:
        raise click.UsageError("Cancelling is free to the start: say by --cancel-free until when instead.")
    return answers


def _tell_if_restored(app: App, api: Api, chargers: Any) -> None:
    """Why nothing is listed on a node that was just restored: nobody would guess it from the table."""
    unlisted = any(not one["listed"] and not one["paused"] for one in chargers)
    if unlisted and not app.json and api.get("status")["read_only"]:
        app.note(paragraph(_RESTORED))


def _listed(one: Any) -> str:
    return "paused" if one["paused"] else "yes" if one["listed"] else "no"
