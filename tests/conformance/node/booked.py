"""A booking of a made-up driver at the node's own charger: how it is made, and how the host's is judged."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import Cancel, CancelReason, Quote, Request
from chargemesh_protocol.booking.sealing import one_time_keypair
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory, Scope
from chargemesh_protocol.record import Record, open_as, open_record, sign

from .dialogue import Answer, booking
from .place import offered
from .scene import DAY_MS, NotHere, Probe, Scene, Stranger, now

MINUTE_MS, QUARTER_MS = 60_000, 900_000
# A host may have rules of its own for people it doesn't know (08, K5).
OWN_RULES = tuple(f"failed: {code}" for code in ("stranger", "busy", "trust", "unavailable"))


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at the listing that can be had."""

    listing: Any
    start: int
    end: int

    @property
    def ask(self) -> wire.AskQuote:
        return wire.AskQuote(charger=self.listing.charger, start=self.start, end=self.end, energy_wh=1000)


@dataclass(frozen=True, slots=True)
class Booked:
    """The booking that all checks of a host share: our side of it, and the host's first answer."""

    driver: Stranger
    request: Record[Request]
    first: wire.Exchange
    answer: Answer
    quote: Quote

    @property
    def id(self) -> bytes:
        return self.request.id

    @property
    def host_bundle(self) -> bytes | None:
        """The host's bundle, which it need not send again once the driver holds a record of it."""
        bundle: bytes | None = self.answer.message.bundle
        return bundle


async def free_slot(scene: Scene) -> Slot:
    """The first offerable time from about a day ahead; NotHere."""
    listed = await offered(scene)
    if listed is None:
        raise NotHere("the node lists no charger that was found")
    body = listed.body
    length = -(-body.rules.min_minutes * MINUTE_MS // QUARTER_MS) * QUARTER_MS
    lead = max(DAY_MS, body.rules.lead_minutes * MINUTE_MS + QUARTER_MS)
    first = -(-(now() + lead) // QUARTER_MS) * QUARTER_MS
    for start in range(first, first + DAY_MS, QUARTER_MS):
        if body.slots.offerable(start, start + length):
            return Slot(body, start, start + length)
    raise NotHere("the charger is not to be had from a day to two days ahead")


async def quoted(scene: Scene) -> tuple[Slot, wire.QuoteGiven]:
    """A fresh quote; NotHere where the node gives none, which `quote` tells of."""
    slot = await free_slot(scene)
    answer = await booking(scene.honest, slot.ask)
    if answer.word != "quote-given":
        raise NotHere(f"a quote was asked for: {answer.word}")
    return slot, answer.message


def requested(scene: Scene, given: wire.QuoteGiven, driver: Stranger, **changes: Any) -> wire.Exchange:
    """A driver's first exchange; `changes`: fields of the request that are to be otherwise."""
    quote = open_as(Quote, given.quote, scene.network)
    body = Request(
        author=driver.author,
        issued=now(),
        quote=quote.id,
        one_time_key=one_time_keypair(os.urandom(32))[0],
        contact=Contact(scene.honest.peer_id, ()),
        expires=now() + 10 * MINUTE_MS,
    )
    request = sign(replace(body, **changes), driver.device, scene.network)
    return wire.Exchange(
        booking=request.id,
        records=(request.raw,),
        opening=given.quote,
        bundle=driver.bundle.to_bytes(),
    )


async def booked(scene: Scene) -> Booked:
    """Makes the booking once, and says how it goes at the end of the run."""
    if "booked" not in scene.found:
        _, given = await quoted(scene)
        driver = scene.stranger()
        first = requested(scene, given, driver)
        request = open_as(Request, first.records[0], scene.network)
        answer = await booking(scene.honest, first)
        made = Booked(driver, request, first, answer, open_as(Quote, given.quote, scene.network).body)
        scene.found["booked"] = made
        if answer.word == "exchange":
            scene.farewells.append(lambda: booking(scene.honest, tells(scene, made, cancels(made))))
    found: Booked = scene.found["booked"]
    if found.answer.word in OWN_RULES:
        raise NotHere(f"this host takes no stranger: {found.answer.word}")
    return found


def cancels(made: Booked, driver: Stranger | None = None) -> Record[Cancel]:
    """A cancellation that costs nothing, by the driver (or somebody who has no part in it)."""
    by = driver or made.driver
    fields = {"author": by.author, "issued": now(), "booking": made.id, "seen": made.id}
    return sign(Cancel(reason=CancelReason.SAFETY, **fields), by.device, by.network)


def tells(scene: Scene, made: Booked, *records: Record[Any], known: int = 0) -> wire.Exchange:
    return wire.Exchange(booking=made.id, records=tuple(one.raw for one in records), known=known)


async def exchanged(scene: Scene, probe: Probe, sent: str, exchange: wire.Exchange) -> wire.Exchange:
    answer = await booking(scene.honest, exchange)
    probe.sees(sent, "exchange", answer.word)
    message: wire.Exchange = answer.message
    return message


def chain_of(scene: Scene, answer: wire.Exchange) -> list[Record[Any]]:
    return [open_record(raw, scene.network) for raw in answer.records]


def judged(scene: Scene, made: Booked, answer: wire.Exchange) -> str:
    """Whether an exchange brings the host's chain from number 1, signed and in order (05, B6, B11)."""
    directory = Directory(scene.network)
    try:
        if answer.bundle is not None:
            directory.learn(answer.bundle)
        elif answer.records:
            return "no bundle before the driver holds a record"
        chain = chain_of(scene, answer)
        before, issued = made.id, 0
        for number, one in enumerate(chain, 1):
            directory.authorise(one, made.quote.author, Scope.BOOK)
            body = one.body
            place = (body.number, body.previous, body.booking)
            if place != (number, before, made.id) or body.issued < issued:
                return f"{one.kind} {body.number} is out of its place"
            before, issued = one.id, body.issued
    except Refused as fault:
        return f"a record that is refused: {fault.code}"
    return "a good chain"
