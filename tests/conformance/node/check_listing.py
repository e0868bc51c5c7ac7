"""07 and 04, stream /chargemesh/listing/1: as a caretaker of made-up chargers in the Pacific."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from chargemesh_protocol.discovery import wire
from chargemesh_protocol.discovery.offers import open_offer
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import Directory
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point, parent
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.tariff import simple_tariff

from .dialogue import LISTING, Answer, listing, say
from .peer import Peer
from .scene import Chapter, Probe, Scene, Stranger, now, nowhere

CARETAKER = Chapter("listing")
HOUR_MS = 3_600_000
_ANY = Need()
_FULL = ("failed: author-full", "failed: block-full", "failed: cell-full", "failed: too-often")


async def _ids(scene: Scene, peer: Peer, cell: int, need: Need = _ANY) -> set[bytes] | str:
    """Charger ids of one page, each item verified; a word where there is no page or an item is refused."""
    answer = await listing(peer, wire.Query(cells=(cell,), need=need, limit=64))
    return answer.word if answer.word != "found" else _opened(scene, answer.message)


def _opened(scene: Scene, found: wire.Found) -> set[bytes] | str:
    directory = Directory(scene.network)
    try:
        offers = [open_offer(i.listing, i.renewal, i.bundle, directory, now()) for i in found.items]
    except Refused as fault:
        return f"an item that is refused: {fault.code}"
    return {one.listing.body.charger for one in offers}


async def _stored(scene: Scene, probe: Probe, host: Stranger, **changes: Any) -> Any:
    made = host.lists_now(scene.place, **changes)
    probe.sees("store: a good listing", "kept", (await listing(scene.honest, host.stores(made))).word)
    return made


@CARETAKER.check("store-and-find", "D5", "D8", "L6")
async def store_and_find(scene: Scene, probe: Probe) -> None:
    """What is stored is found by its cell, its parents and its children, twice stored is once kept."""
    host = scene.stranger()
    made = await _stored(scene, probe, host)
    cell, wanted = made.body.cell, {made.body.charger}
    probe.sees("the same again", "kept", (await listing(scene.honest, host.stores(made))).word)
    for resolution in (7, 5, 4):
        found = await _ids(scene, scene.honest, parent(cell, resolution))
        probe.holds(f"query: its cell of resolution {resolution}", "found", wanted <= set(found), str(found))
    elsewhere = await _ids(scene, scene.honest, host.lists_now(nowhere()).body.cell)
    probe.holds("query: a cell elsewhere", "not found", not wanted & set(elsewhere), "found")


@CARETAKER.check("filters", "D8", "L12")
async def filters(scene: Scene, probe: Probe) -> None:
    """A query's need is met by what comes back: connector, power, price, window, instant."""
    host = scene.stranger()
    made = await _stored(scene, probe, host, tariff=simple_tariff("EUR", per_kwh=300_000))
    start = now() + 24 * HOUR_MS
    needs = {
        "its connector": (Need(connector="IEC_62196_T2"), True),
        "another connector": (Need(connector="CHADEMO"), False),
        "11 kW": (Need(min_power_w=11_000), True),
        "22 kW": (Need(min_power_w=22_000), False),
        "at its price": (Need(max_price=300_000, currency="EUR"), True),
        "below its price": (Need(max_price=299_999, currency="EUR"), False),
        "another currency": (Need(max_price=10**9, currency="CHF"), False),
        "tomorrow for an hour": (Need(start=start, end=start + HOUR_MS), True),
        "in 30 days": (Need(start=start + 720 * HOUR_MS, end=start + 721 * HOUR_MS), False),
        "for five minutes": (Need(start=start, end=start + 300_000), False),
        "instant": (Need(instant=True), True),
    }
    for name, (need, fits) in needs.items():
        found = await _ids(scene, scene.honest, made.body.cell, need)
        got = found if isinstance(found, str) else "found" if made.body.charger in found else "not found"
        probe.sees(f"query: {name}", "found" if fits else "not found", got)


@CARETAKER.check("sequences", "D5", "L6")
async def sequences(scene: Scene, probe: Probe) -> None:
    """A higher sequence replaces, a lower one is superseded."""
    host, where, charger = scene.stranger(), scene.place, os.urandom(16)
    second = host.lists_now(where, charger=charger, sequence=2)
    first = host.lists_now(where, charger=charger, sequence=1)
    third = host.lists_now(where, charger=charger, sequence=3)
    for name, made, expected in (
        ("sequence 2", second, "kept"),
        ("sequence 1", first, "failed: superseded"),
        ("sequence 3", third, "kept"),
        ("sequence 2 again", second, "failed: superseded"),
    ):
        answer = await listing(scene.honest, host.stores(made))
        probe.sees(f"store: {name}", expected, answer.word)
    shown = getattr(answer.message, "newer", None) == third.raw
    probe.holds("the refusal", "shows sequence 3", shown, answer.word)
    answer = await listing(scene.honest, wire.Query(cells=(third.body.cell,), need=Need(), limit=64))
    raws = [one.listing for one in answer.message.items] if answer.word == "found" else []
    probe.holds("query", "sequence 3 alone", third.raw in raws and second.raw not in raws, answer.word)


@CARETAKER.check("renewal", "D5", "L7", "L10")
async def renewal(scene: Scene, probe: Probe) -> None:
    """A renewal keeps a listing up; one by another key, or of a listing that isn't kept, is refused."""
    host, other = scene.stranger(), scene.stranger()
    made = await _stored(scene, probe, host)
    body = made.body

    async def renews(raw: bytes, charger: bytes = body.charger) -> str:
        message = wire.StoreRenewal(author=host.author, charger=charger, renewal=raw)
        return (await listing(scene.honest, message)).word

    fresh = host.renews(made, now())
    probe.sees("store-renewal: a later one", "kept", await renews(fresh.raw))
    probe.sees("the same again", "kept", await renews(fresh.raw))
    answer = await listing(scene.honest, wire.Query(cells=(body.cell,), need=Need(), limit=64))
    shown = [one.renewal for one in answer.message.items] if answer.word == "found" else []
    probe.holds("query", "the newest renewal", fresh.raw in shown, f"{answer.word}, {len(shown)} items")
    forged = host.renews(made, now(), other.device)
    probe.sees("by another key", "failed: renewal", await renews(forged.raw))
    wrong = "failed: unknown-listing"
    probe.sees("of an unknown charger", wrong, await renews(fresh.raw, os.urandom(16)))
    old = host.renews(made, now() - 3 * HOUR_MS)
    probe.sees("of three hours ago", "failed: not-renewed", await renews(old.raw))


@CARETAKER.check("withdrawal", "D7", "L11")
async def withdrawal(scene: Scene, probe: Probe) -> None:
    """A withdrawn listing is no longer found, and does not come back."""
    host = scene.stranger()
    made = await _stored(scene, probe, host)
    other = scene.stranger()
    forged = replace(host.retracts(made, now()), withdrawal=_by(other, host, made))
    probe.sees(
        "withdraw: by somebody else", "failed: not-delegated", (await listing(scene.honest, forged)).word
    )
    retracts = host.retracts(made, now())
    for name in ("withdraw", "the same again"):
        probe.sees(name, "kept", (await listing(scene.honest, retracts)).word)
    found = await _ids(scene, scene.honest, made.body.cell)
    probe.holds("query", "not found", made.body.charger not in found, "found")
    again = (await listing(scene.honest, host.stores(made))).word
    probe.sees("store: the withdrawn listing", "failed: superseded", again)


def _by(signer: Stranger, host: Stranger, made: Any) -> bytes:
    """A withdrawal of `host`'s listing, signed by somebody else's device."""
    own, host.device = host.device, signer.device
    try:
        return host.withdraws(made, now()).raw
    finally:
        host.device = own


@CARETAKER.check("refusals", "D5", "L7", "R5", "R6", "I6", "I10")
async def refusals(scene: Scene, probe: Probe) -> None:
    """Expired, of the future, of another network, in the wrong cell, forged: each refused for its reason."""
    host, other, at = scene.stranger(), scene.stranger(), now()
    good = host.lists_now(nowhere())
    store = host.stores(good)
    elsewhere = host.stores(host.lists_now(nowhere(), resolution=7)).cell
    foreign = Stranger(scene.network + "x")
    past = host.lists_now(nowhere(), issued=at - 3 * HOUR_MS, expires=at - HOUR_MS)
    ahead = host.lists_now(nowhere(), issued=at + HOUR_MS)
    cut = bytearray(good.raw)
    cut[-1] ^= 1
    stranger = host.lists_now(nowhere(), seed=other.device)
    cases = {
        "expired": (host.stores(past, at), ("expired",)),
        "issued in an hour": (host.stores(ahead), ("future",)),
        "renewed three hours ago": (host.stores(good, at - 3 * HOUR_MS), ("not-renewed",)),
        "signed for another network": (
            foreign.stores(foreign.lists_now(nowhere())),
            ("bad-signature",),
        ),
        "a signature with one bit changed": (replace(store, listing=bytes(cut)), ("bad-signature",)),
        "signed by another's device": (
            replace(host.stores(stranger), renewal=host.renews(stranger, at, other.device).raw),
            ("not-delegated",),
        ),
        "the bundle of somebody else": (
            replace(_unknown(scene), bundle=other.bundle.to_bytes()),
            ("bundle",),
        ),
        "in a cell where it doesn't lie": (replace(store, cell=elsewhere), ("cell",)),
        "in a cell that is no leaf": (replace(store, cell=good.body.cell), ("not-a-leaf",)),
        "in shard 1": (replace(store, shard=1), ("not-a-leaf",)),
        "a withdrawal in place of a listing": (
            replace(store, listing=host.withdraws(good, at).raw),
            ("wrong-kind",),
        ),
    }
    for name, (message, codes) in cases.items():
        got = (await listing(scene.honest, message)).word
        probe.sees(f"store: {name}", tuple(f"failed: {code}" for code in codes), got)


def _unknown(scene: Scene) -> wire.Store:
    """The listing of somebody whom the node has never heard of."""
    unknown = scene.stranger()
    return unknown.stores(unknown.lists_now(nowhere()))


@CARETAKER.check("malformed", "E7", "K8", "L2")
async def malformed(scene: Scene, probe: Probe) -> None:
    """What is no request of this stream is answered with the reason."""
    host = scene.stranger()
    made = host.lists_now(nowhere())
    tree = to_tree(host.stores(made))
    query = to_tree(wire.Query(cells=(made.body.cell,), need=Need(), limit=8))
    cases = {
        "operation 9": (encode({0: 9}), ("unknown-operation",)),
        "found, as a request": (wire.write(wire.Found(items=())), ("unexpected",)),
        "store without its bundle": (encode({k: v for k, v in tree.items() if k != 3}), ("schema",)),
        "a listing of 8,193 bytes": (encode({**tree, 1: bytes(8193)}), ("schema",)),
        "an unknown critical key": (encode({**query, 9: 1}), ("unknown-critical-key",)),
        "a query of 65 cells": (encode({**query, 1: [made.body.cell] * 65}), ("schema",)),
        "a query for no cell": (encode({**query, 1: []}), ("schema",)),
        "a query for a number that is no cell": (encode({**query, 1: [12345]}), ("cell",)),
        "a query for a cell of resolution 9": (encode({**query, 1: [0x891F1D48177FFFF]}), ("cell",)),
        "a limit of 65": (encode({**query, 3: 65}), ("schema",)),
        "a window that ends before it starts": (encode({**query, 2: {4: 9, 5: 1}}), ("schema",)),
    }
    async with scene.peer() as peer:
        for name, (body, codes) in cases.items():
            got = (await say(peer, LISTING, body)).word
            probe.sees(name, tuple(f"failed: {code}" for code in codes), got)
        optional = await say(peer, LISTING, encode({**query, 20: "later"}))
        probe.sees("a query with an unknown optional key", "found", optional.word)


@CARETAKER.check("quota-and-pages", "D6", "D8")
async def quota_and_pages(scene: Scene, probe: Probe) -> None:
    """One author gets so many places and no more, and a query's pages hold each listing once."""
    host, where = scene.stranger(), Point(scene.place.latitude + 0.05, scene.place.longitude)  # another cell
    quota = int(scene.limits["MAX_PLACES_OF_AUTHOR"])
    async with scene.peer() as peer:
        answers = [Answer("")]
        kept: set[bytes] = set()
        while answers[-1].word in ("", "kept") and len(kept) <= quota:
            made = host.lists_now(where)
            answers.append(await listing(peer, host.stores(made)))
            if answers[-1].word == "kept":
                kept.add(made.body.charger)
        probe.sees(f"the {len(answers) - 1}th listing of one author", _FULL, answers[-1].word)
        seen: list[set[bytes]] = []
        query = wire.Query(cells=(made.body.cell,), need=Need(), limit=25)
        while True:
            answer = await listing(peer, query)
            probe.sees(f"query: page {len(seen) + 1}", "found", answer.word)
            page = _opened(scene, answer.message)
            probe.holds("its items", "at most 25, all good", not isinstance(page, str), str(page))
            seen.append(set(page))
            if answer.message.more is None or len(seen) > len(kept):
                break
            query = replace(query, after=answer.message.more)
        whole = set().union(*seen)
        probe.holds("the pages together", "every listing that was kept", kept <= whole, f"{len(whole)}")
        probe.holds("the pages", "none twice", sum(map(len, seen)) == len(whole), "some twice")
