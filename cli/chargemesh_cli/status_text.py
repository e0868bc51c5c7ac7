"""What `status` tells: the node in a few sentences, and what it counted beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .render import label, paragraph
from .tables import pairs

_BYTES = "rss_bytes"
_MEGABYTE = 2**20


def story(value: Any) -> str:
    """The sentences; then each counter that is not 0."""
    lines = [paragraph(one) for one in _sentences(value)]
    counted = [(label(name), _shown(name, count)) for name, count in value["counters"].items() if count]
    if counted:
        lines += ["", "Counted since the start:", pairs(counted)]
    return "\n".join(lines)


def _sentences(value: Any) -> Iterator[str]:
    who, counts = value["identity"], value["counts"]
    yield (
        f"The node of {value['home']} (chargemesh {value['version']}, process {value['pid']}) runs on "
        f"{who['network']} since {value['started']['text']}."
    )
    yield f"Its identity is {who['author'][:16]}…: `chargemesh id` shows it whole, and where it answers."
    if value["network_pid"] is None:
        yield "Its network part does not run at the moment; it is started again by itself."
    if value["read_only"]:
        yield "It was restored and signs nothing yet: `chargemesh doctor` says what it waits for."
    if not value["clock"]["ok"]:
        yield value["clock"]["reason"]
    near = f", {counts['neighbours']} of the local network" if counts["neighbours"] else ""
    yield f"Connected to {_many(counts['peers'], 'peer')}{near}."
    yield f"{_many(counts['chargers'], 'charger')}, {counts['listed']} listed."
    if counts["calendars_failing"]:
        yield "A calendar that a charger follows can't be read: `chargemesh doctor` says why."
    if counts["superseded"]:
        yield "Another node signs as this identity: `chargemesh doctor` says what to do."
    yield f"{_many(counts['bookings'], 'booking')}, {counts['open_bookings']} open: `chargemesh bookings`."
    if counts["undelivered"]:
        yield f"{_many(counts['undelivered'], 'message')} not delivered yet; sent again until taken."
    yield from _mailbox(value["mailbox"])
    yield f"It keeps {_many(counts['listings_kept'], 'listing')} for its neighbourhood."
    waiting = f", {counts['entries_waiting']} to be published" if counts["entries_waiting"] else ""
    yield f"Its public log has {_many(counts['own_entries'], 'entry', 'entries')}{waiting}."
    for one in value["extensions"]:
        state = f"can't be used: {one['fault']}" if one["fault"] else "is there"
        yield f"The {one['what']} {one['name']} ({one['package']} {one['version']}) {state}."
    if value["phone"]:
        yield f"The phone page is on http://{value['phone']}."


def _mailbox(value: Any) -> Iterator[str]:
    if value["uses"]:
        chosen = ", which it chose itself" if value["auto"] else ""
        count = _many(len(value["uses"]), "mailbox holds", "mailboxes hold")
        yield f"While it is away, {count} parcels for it{chosen}."
    if value["keeps"]:
        kept = value["keeps"]
        yield (
            f"It holds {_many(kept['parcels'], 'sealed parcel')} for others "
            f"({kept['bytes'] / _MEGABYTE:.1f} of {kept['max_bytes'] / _MEGABYTE:.0f} MB)."
        )


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"


def _shown(name: str, count: int) -> str:
    return f"{count / _MEGABYTE:.0f} MB" if name.endswith(_BYTES) else str(count)
