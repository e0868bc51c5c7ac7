"""Somebody by the text that a person writes for them."""

from __future__ import annotations

import re

from .context import LAST, Call
from .reading import by_prefix

_AUTHOR = re.compile(r"[0-9a-f]{64}")


def author_of(call: Call, text: str) -> bytes:
    """An identity or the beginning of one that this node has heard of, or a booking, which means its other
    side; PersonError where it is neither."""
    node = call.node
    overview = node.runner.engine.ledger.overview(node.clock.now())
    bookings = {id: one.other for id, one in overview.items()}
    if text == LAST:
        return bookings[call.find_booking(text)]
    people = node.runner.engine.people
    authors = {node.me.author, *bookings.values(), *(one.record.body.author for one in node.found.values())}
    authors |= people.members.keys() | people.blocked.keys()
    evidence = node.replica.evidence()
    authors |= {who for pair in evidence.completed for who in (pair.one, pair.other)}
    authors |= {who for one in evidence.reviewed for who in (one.author, one.subject)}
    if _AUTHOR.fullmatch(text) and bytes.fromhex(text) not in bookings:
        return bytes.fromhex(text)  # also somebody never heard of
    found = by_prefix(text, [*bookings, *authors], "person", "chargemesh find")
    return bookings.get(found, found)
