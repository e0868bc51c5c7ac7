"""05, stream /chargemesh/booking/1: the node as a host. A made-up driver books a day ahead, and cancels."""

from __future__ import annotations

import os
from dataclasses import replace

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import Accept, Acknowledge, Quote
from chargemesh_protocol.booking.sealing import require_key
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory, Scope
from chargemesh_protocol.record import open_as, sign
from chargemesh_protocol.shape import to_tree

from .booked import (
    MINUTE_MS,
    OWN_RULES,
    booked,
    cancels,
    chain_of,
    exchanged,
    free_slot,
    judged,
    quoted,
    requested,
    tells,
)
from .dialogue import BOOKING, booking, say
from .scene import DAY_MS, Chapter, NotHere, Probe, Scene, now

HOST = Chapter("booking")


@HOST.check("quote", "B1", "B2", "B3", "I11")
async def quote(scene: Scene, probe: Probe) -> None:
    """A quote is for what was asked, signed for the listing's author, and holds nothing."""
    slot = await free_slot(scene)
    for which in ("first", "second"):
        answer = await booking(scene.honest, slot.ask)
        probe.sees(f"ask-quote, the {which} time", "quote-given", answer.word)
    try:
        made = open_as(Quote, answer.message.quote, scene.network)
        directory = Directory(scene.network)
        directory.learn(answer.message.bundle)
        directory.authorise(made, slot.listing.author, Scope.LIST)
        require_key(made.body.one_time_key)
        got = "good"
    except Refused as fault:
        got = f"refused: {fault.code}"
    probe.sees("the quote, under the bundle that came", "good", got)
    asked = (slot.listing.author, slot.listing.charger, slot.start, slot.end)
    body = made.body
    same = asked == (body.author, body.charger, body.start, body.end)
    probe.holds("what it is for", "author, charger, start and end as asked", same, str(body)[:200])
    probe.holds("its terms", "the listing's", body.terms == slot.listing.terms, str(body.terms))
    probe.holds("its money", "estimate within cap", body.estimate <= body.cap, f"{body.estimate}, {body.cap}")


@HOST.check("no-quote", "B2", "B22")
async def no_quote(scene: Scene, probe: Probe) -> None:
    """What can't be had is refused with a code that tells no more than that."""
    ask = (await free_slot(scene)).ask
    month = 31 * DAY_MS
    cases = {
        "a charger that nobody has": (replace(ask, charger=os.urandom(16)), ("not-offerable",)),
        "yesterday": (
            replace(ask, start=ask.start - 3 * DAY_MS, end=ask.end - 3 * DAY_MS),
            ("not-offerable",),
        ),
        "in a month": (
            replace(ask, start=ask.start + month, end=ask.end + month),
            ("not-offerable",),
        ),
        "a minute": (replace(ask, end=ask.start + MINUTE_MS), ("duration", "not-offerable")),
        "a month long": (replace(ask, end=ask.start + month), ("duration", "not-offerable")),
        "an end before the start": (replace(ask, end=ask.start - 1), ("duration", "schema")),
    }
    for name, (message, codes) in cases.items():
        got = (await booking(scene.honest, message)).word
        probe.sees(f"ask-quote: {name}", tuple(f"failed: {code}" for code in codes), got)


def _moved(ask: wire.AskQuote, by_ms: int) -> wire.AskQuote:
    return replace(ask, start=ask.start + by_ms, end=ask.end + by_ms)


@HOST.check("bad-requests", "B21", "S2", "I10")
async def bad_requests(scene: Scene, probe: Probe) -> None:
    """A first exchange that doesn't belong together, is late, early or for nobody, is refused by its code."""
    _, given = await quoted(scene)
    driver, other = scene.stranger(), scene.stranger()
    good = requested(scene, given, driver)
    quote = open_as(Quote, given.quote, scene.network)
    foreign = sign(replace(quote.body, author=other.author), other.device, scene.network)
    of_other = wire.QuoteGiven(quote=foreign.raw, bundle=other.bundle.to_bytes())
    cut = bytearray(good.records[0])
    cut[-1] ^= 1
    cases = {
        "a booking that nobody knows": (wire.Exchange(booking=os.urandom(32)), "unknown-booking"),
        "no quote": (replace(good, opening=None), "unknown-booking"),
        "no bundle": (replace(good, bundle=None), "unknown-booking"),
        "no request": (replace(good, records=()), "unknown-booking"),
        "a quote of another host": (requested(scene, of_other, driver), "not-ours"),
        "another booking's id": (replace(good, booking=os.urandom(32)), "mismatch"),
        "another one's bundle": (replace(good, bundle=other.bundle.to_bytes()), "mismatch"),
        "a request for another quote": (
            requested(scene, given, driver, quote=os.urandom(32)),
            "mismatch",
        ),
        "a key of small order": (requested(scene, given, driver, one_time_key=bytes(32)), "bad-key"),
        "issued in ten minutes": (
            requested(scene, given, driver, issued=now() + 10 * MINUTE_MS),
            "clock",
        ),
        "expired a second ago": (
            requested(scene, given, driver, issued=now() - MINUTE_MS, expires=now() - 1000),
            "quote-expired",
        ),
        "a signature with one bit changed": (replace(good, records=(bytes(cut),)), "bad-signature"),
    }
    for name, (message, code) in cases.items():
        got = (await booking(scene.honest, message)).word
        probe.sees(f"exchange: {name}", f"failed: {code}", got)


@HOST.check("request", "B6", "B18", "B21", "S5")
async def request(scene: Scene, probe: Probe) -> None:
    """A good request is kept, and answered with an acceptance, or with none yet if a person decides."""
    made = await booked(scene)
    probe.sees("exchange: a good request", "exchange", made.answer.word)
    answer = made.answer.message
    probe.holds("its booking", "the request's id", answer.booking == made.id, answer.booking.hex())
    probe.sees("its known", "0", str(answer.known))
    probe.sees("its records", "a good chain", judged(scene, made, answer))
    chain = chain_of(scene, answer)
    if chain:
        probe.sees("the first record", "accept", chain[0].kind)
        due = chain[0].body.access_due
        probe.holds("the address", "not before it is due", due <= now() or len(chain) == 1, str(len(chain)))


@HOST.check("request-again", "N10", "B6", "B19")
async def request_again(scene: Scene, probe: Probe) -> None:
    """The same request again makes no second booking and no second acceptance."""
    made = await booked(scene)
    before = await exchanged(scene, probe, "the same first exchange", made.first)
    again = await exchanged(scene, probe, "and once more", made.first)
    probe.holds("the host's records", "the same", again.records == before.records, f"{len(again.records)}")
    first = made.answer.message.records
    probe.holds("the first of them", "the same", again.records[: len(first)] == first, "others")


@HOST.check("taken-slot", "B2", "B8", "B21")
async def taken_slot(scene: Scene, probe: Probe) -> None:
    """What is booked is refused like what never was to be had, and no second driver gets it."""
    made = await booked(scene)
    if not made.answer.message.records:
        raise NotHere("a person has yet to decide")
    ask = (await free_slot(scene)).ask
    answer = await booking(scene.honest, ask)
    if answer.word == "quote-given":
        body = made.quote
        probe.holds("ask-quote: the first free slot", "another one", ask.start >= body.end, "the booked one")
    body = made.quote
    taken = replace(ask, start=body.start, end=body.end)
    got = (await booking(scene.honest, taken)).word
    probe.sees("ask-quote: the booked slot", "failed: not-offerable", got)
    given = wire.QuoteGiven(quote=made.first.opening or b"", bundle=b"-")
    rival = requested(scene, given, scene.stranger())
    got = (await booking(scene.honest, rival)).word
    probe.sees("exchange: another's request for it", ("failed: not-offerable", *OWN_RULES), got)


@HOST.check("strangers-records", "B9", "B19")
async def strangers_records(scene: Scene, probe: Probe) -> None:
    """Nobody but the two parties writes into a booking, and who guesses at ids learns nothing."""
    made = await booked(scene)
    before = await exchanged(scene, probe, "exchange: nothing new", tells(scene, made))
    mallory = scene.stranger()
    async with scene.peer() as peer:
        almost = bytearray(made.id)
        almost[-1] ^= 1
        got = (await booking(peer, wire.Exchange(booking=bytes(almost)))).word
        probe.sees("an id with one bit changed", "failed: unknown-booking", got)
        as_driver = cancels(made)
        stolen = sign(as_driver.body, mallory.device, scene.network)
        other = sign(replace(as_driver.body, booking=os.urandom(32)), made.driver.device, scene.network)
        body = made.quote
        chained = Acknowledge(
            author=body.author, issued=now(), booking=made.id, number=1, previous=made.id, includes=()
        )
        cases = {
            "a cancellation by somebody else": cancels(made, mallory),
            "the driver's, signed by somebody else": stolen,
            "the driver's, of another booking": other,
            "an acknowledgement in the host's name": sign(chained, made.driver.device, scene.network),
            "the request once more, as a later record": made.request,
        }
        for name, record in cases.items():
            answer = await booking(peer, tells(scene, made, record))
            probe.sees(f"exchange: {name}", "exchange", answer.word)
            probe.sees("its known", str(before.known), str(answer.message.known))
    after = await exchanged(scene, probe, "exchange: nothing new", tells(scene, made))
    probe.holds("the host's records", "as before", after.records == before.records, f"{len(after.records)}")


@HOST.check("cancel-twice", "B7", "B17", "B19")
async def cancel_twice(scene: Scene, probe: Probe) -> None:
    """A record that comes again counts once; the host takes it in by a record of its own."""
    made = await booked(scene)
    cancel = cancels(made)
    for which in ("cancellation", "same again"):
        answer = await exchanged(scene, probe, f"exchange: the {which}", tells(scene, made, cancel))
        probe.sees("its known", "1", str(answer.known))
    answer = await exchanged(scene, probe, "exchange: nothing new", tells(scene, made))
    whole = replace(answer, bundle=made.host_bundle)
    probe.sees("the host's records", "a good chain", judged(scene, made, whole))
    chain = chain_of(scene, answer)
    if any(type(one.body) is Accept for one in chain):
        including = [one for one in chain if cancel.id in one.body.includes]
        probe.sees("records that include it", "1", str(len(including)))
    rest = await exchanged(
        scene, probe, f"exchange: known {len(chain)}", tells(scene, made, known=len(chain))
    )
    probe.sees("records that we hold already", "0", str(len(rest.records)))


@HOST.check("malformed", "E7", "K8")
async def malformed(scene: Scene, probe: Probe) -> None:
    """What is no request of this stream is answered with the reason."""
    ask = to_tree(wire.AskQuote(charger=bytes(16), start=1, end=2, energy_wh=1))
    empty = to_tree(wire.Exchange(booking=os.urandom(32)))
    cases = {
        "operation 9": (encode({0: 9}), "unknown-operation"),
        "no operation": (encode({1: 1}), "unknown-operation"),
        "quote-given, as a request": (
            wire.write(wire.QuoteGiven(quote=b"-", bundle=b"-")),
            "unexpected",
        ),
        "ask-quote without a charger": (encode({k: v for k, v in ask.items() if k != 1}), "schema"),
        "1,000,001 Wh": (encode({**ask, 4: 1_000_001}), "schema"),
        "true in place of an integer": (encode({**ask, 4: True}), "schema"),
        "an unknown critical key": (encode({**ask, 9: 1}), "unknown-critical-key"),
        "an exchange of 129 records": (encode({**empty, 2: [b"-"] * 129}), "schema"),
        "a record of 16,385 bytes": (encode({**empty, 2: [bytes(16_385)]}), "schema"),
    }
    async with scene.peer() as peer:
        for name, (body, code) in cases.items():
            probe.sees(name, f"failed: {code}", (await say(peer, BOOKING, body)).word)
        optional = await say(peer, BOOKING, encode({**ask, 20: "later"}))
        probe.sees("ask-quote with an unknown optional key", "failed: not-offerable", optional.word)
