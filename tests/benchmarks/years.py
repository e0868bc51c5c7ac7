"""The node.db of a host after years: bookings of hundreds of drivers, each signed by its own two parties.

One booking is played through by two real engines, from the request to the entries of the log. The others
are the same records at other times, between the host and another driver, with new ids in their links and new
signatures; what the store must hold beside them is derived as the engine derives it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from chargemesh_node.clock import SystemClock
from chargemesh_node.store.node_db import SqliteStore
from chargemesh_protocol.booking.at_rest import AtRest
from chargemesh_protocol.booking.charging import tag_of
from chargemesh_protocol.booking.kept import Booking, BookingFile
from chargemesh_protocol.booking.rows import AT_REST, BUNDLES, FILES, STATEMENTS
from chargemesh_protocol.effects import AddRecord, PutDocument, Save
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.events import ClaimPaid, ConfirmPaid, StartCharging
from chargemesh_protocol.identity import create_identity, public_key
from chargemesh_protocol.me import Me
from chargemesh_protocol.record import Record
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.trust.drafts import Draft, name_of
from chargemesh_protocol.trust.entries import CompletionStatement
from chargemesh_protocol.trust.keeper import OWN_INDEX, OWN_LOG
from chargemesh_protocol.trust.month import month_of
from chargemesh_protocol.trust.own_index import Indexed, Says
from chargemesh_protocol.trust.sync import Item
from tests.protocol.neighbours import DAY, Street, charges

YEARS = 5
DRIVERS = 500
TICKETS = 30  # a short charge, at one reading a minute
_SINCE = 1_500_000_000_000  # integers from here on are instants, not amounts
_BATCH = 100


@dataclass(frozen=True)
class Played:
    """The booking that the others are made from, as the host keeps it at rest. order: its records after the
    request, each after those that it names."""

    booking: Booking
    order: tuple[Record[Any], ...]
    summary: AtRest
    host: bytes
    driver: bytes


def play() -> Played:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    bob.tells(StartCharging(booking))
    charges(alice, tag_of(booking), minutes=TICKETS)
    bob.tells(ClaimPaid(booking, "manual", ""))
    alice.tells(ConfirmPaid(booking))
    street.wait(8 * DAY)  # the secrets are gone
    summary = alice.engine.ledger.resting.get(booking)
    assert summary is not None and not summary.wake
    found = alice.booking(booking)
    return Played(found, _in_order(found), summary, alice.author, bob.author)


def _in_order(booking: Booking) -> tuple[Record[Any], ...]:
    left = list(booking.set)[2:]
    order: list[Record[Any]] = []
    while left:
        waited_for = {one.id for one in left}
        ready = [one for one in left if not waited_for & _named(one.body)]
        order += ready
        left = [one for one in left if one not in ready]
    return tuple(order)


def _named(body: Any) -> set[bytes]:
    """Whatever could be an id in the fields of a record."""
    found: set[bytes] = set()
    for one in fields(body):
        value = getattr(body, one.name)
        found.update([value] if isinstance(value, bytes) else value if isinstance(value, tuple) else ())
    return {one for one in found if isinstance(one, bytes)}


class Years:
    """Writes the past of one host: bookings of the last five years, evenly spread, of so many drivers."""

    def __init__(self, me: Me, now: int, *, most: int, drivers: int = DRIVERS) -> None:
        self._me = me
        self._now = now
        self._step = YEARS * 365 * DAY // most
        self.drivers = [driver(number, me.network, now) for number in range(drivers)]
        self._played = play()
        self._ids: list[bytes] = []  # of the entries in our own log
        self.written = 0
        self.records = 0

    def fill(self, path: Path, until: int) -> None:
        """Adds to that node.db until it holds `until` of them."""
        asyncio.run(self._fill(path, until))

    async def _fill(self, path: Path, until: int) -> None:
        store = SqliteStore(path, SystemClock())
        await store.open()
        saves: list[Save] = [PutDocument(BUNDLES, one.author, one.bundle) for one in self.drivers]
        while self.written < until:
            other = self.drivers[self.written % len(self.drivers)]
            # Far enough back for the newest to be at rest.
            start = self._now - 10 * DAY - self.written * self._step
            made = list(_made(self._played, self._me, other, start, self._ids))
            self.records += sum(isinstance(one, AddRecord) for one in made)
            self.written += 1
            saves += made
            if self.written % _BATCH == 0:
                await store.commit(saves)
                saves = []
        await store.commit(saves)
        await store.close()


def driver(number: int, network: str, now: int) -> Me:
    """A driver's identity; its delegation covers only a part of the years, which nobody looks at again."""
    root = sha256(b"driver %d" % number).digest()
    device = sha256(root).digest()
    made = create_identity(
        root_seed=root,
        recovery_key=public_key(sha256(device).digest()),
        device_key=public_key(device),
        network=network,
        now=now - 300 * DAY,
        life_ms=360 * DAY,
    )
    return Me(made.author, made.to_bytes(), network, device)


def _made(played: Played, me: Me, other: Me, start: int, ids: list[bytes]) -> Iterator[Save]:
    """One booking's rows. `ids`: of the entries in our own log so far; this booking's is added."""
    shift = start - played.booking.quote.body.start
    source, sides = played.booking, {played.host: me, played.driver: other}
    known = {played.host: me.author, played.driver: other.author}

    def sign(record: Record[Any]) -> Record[Any]:
        body = _moved(record.body, known, shift)
        signed = sides[record.body.author].sign(body)
        known[record.id] = signed.id
        return signed

    quote, request = sign(source.quote), sign(source.request)
    known[source.id] = request.id
    file = _moved(source.file, known, shift)
    yield PutDocument(FILES, request.id, _bytes(replace(file, quote=quote.raw, request=request.raw)))
    for record in played.order:
        signed = sign(record)
        yield AddRecord(request.id, signed.id, signed.raw)
    summary = replace(
        played.summary,
        other=other.author,
        start=quote.body.start,
        end=quote.body.end,
        asked=request.body.issued,
    )
    yield PutDocument(AT_REST, request.id, summary.to_bytes())
    month = month_of(quote.body.end)
    for statement in source.statements.values():
        assert isinstance(statement.body, CompletionStatement)
        body = replace(_moved(statement.body, known, 0), month=month)
        signed = sides[statement.body.author].sign(body)
        yield PutDocument(STATEMENTS, request.id + signed.id, signed.raw)
        if statement.body.author == played.driver:
            draft = Draft(
                month=month,
                region=body.region,
                subject=other.author,
                booking=body.booking,
                statement=signed.raw,
            )
            entry = draft.signed(me, ids)
            ids.append(entry.id)
            place = len(ids).to_bytes(4, "big")
            yield PutDocument(OWN_LOG, place, Item(raw=entry.raw).to_bytes())
            said = Indexed(entry.id, Says.ONCE, name_of("completion", body.booking))
            yield PutDocument(OWN_INDEX, place, said.to_bytes())


def _moved(value: Any, known: dict[bytes, bytes], shift: int) -> Any:
    """`value` with its instants moved, and with the ids and authors that are others now."""
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            one.name: _moved(getattr(value, one.name), known, shift) for one in fields(value) if one.init
        }
        return replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(_moved(one, known, shift) for one in value)
    if isinstance(value, bytes):
        return known.get(value, value)
    if isinstance(value, int) and not isinstance(value, bool) and _SINCE < value < 4 * _SINCE:
        return value + shift
    return value


def _bytes(file: BookingFile) -> bytes:
    return encode(to_tree(file))
