"""Fifth act: what a third node makes of it, and of fifty fake accounts that praise a bad host."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from chargemesh_node import offline
from chargemesh_node.home import read_private_file
from chargemesh_protocol.place import public_cell, region_of
from chargemesh_protocol.trust.sync import Item

from .cast import CENTRE
from .fake_accounts import BadHost, Praise, praise
from .neighbour import wait_for
from .play import Play

ACCOUNTS = 50
_SECONDS = 30.0
_ACCOUNTS_A_REQUEST = 15
_SEED_BYTES = 32


def vouch(play: Play) -> None:
    """Olga knows Dario: it is through him that she hears of others."""
    region = f"{region_of(public_cell(CENTRE)):x}"
    play.olga.api.post(f"trust/{play.dario.author}/vouch", {"region": region})
    play.stage.step(
        "vouch", "Olga, who takes no part in all this, knows Dario in person: her node vouches for him."
    )


def see_reputation(play: Play) -> None:
    """The entries that both sides signed reach Olga's node by gossip; it makes up its own mind."""
    olga, hanna = play.olga, play.hanna
    with play.timed("reputation_at_observer_s"):
        wait_for("Dario's review at Olga's node", _SECONDS, lambda: olga.score(hanna.author)["reviewers"])
    score = olga.score(hanna.author)
    play.figures["hanna_score"] = score["number"]
    play.stage.step(
        "reputation",
        f"{play.figures['reputation_at_observer_s']:.1f} s later Olga's node has their log entries by "
        f"gossip, and says of Hanna: {_named(play, score['sentence'])}",
        score=score["number"],
        seconds=play.figures["reputation_at_observer_s"],
    )


def resist_praise(play: Play) -> None:
    """Boris signs along for fifty accounts of his own; his node tells the network about them all."""
    olga, boris = play.olga, play.boris
    wait_for("Dario's review of Boris", _SECONDS, lambda: olga.score(boris.author)["reviewers"])
    before = olga.score(boris.author)
    region = region_of(public_cell(CENTRE))
    key = read_private_file(boris.home.keys / "device", _SEED_BYTES)
    host = BadHost(bytes.fromhex(boris.author), key)
    fake = praise(host, ACCOUNTS, network=play.network, region=region, now=offline.now())
    with play.timed("fake_accounts_told_s"):
        for body in _requests(fake):
            boris.api.post("log/entries", body)
        wait_for(
            "all fake accounts at Olga's node",
            _SECONDS,
            lambda: olga.score(boris.author)["completions"] >= before["completions"] + ACCOUNTS,
        )
    after = olga.score(boris.author)
    honest = before["reviews"]
    plain = (honest * (before["mean_stars"] or 10) / 10 + 5 * ACCOUNTS) / (honest + ACCOUNTS)
    play.figures |= {"boris_score_without": before["number"], "boris_score_with": after["number"]}
    play.stage.step(
        "fake-accounts",
        f"{ACCOUNTS} fake accounts give Boris five stars, each after a booking that both sides signed as "
        f"completed: valid records, and Olga's node has them all. A plain average would now say {plain:.1f} "
        f"stars. Her node said {before['number']} of 1000 without them and says {after['number']} with them.",
        accounts=ACCOUNTS,
        plain_average=round(plain, 2),
        score_without=before["number"],
        score_with=after["number"],
    )
    play.stage.step(
        "explained", f"It explains itself: {_named(play, after['sentence'])}", sentence=after["sentence"]
    )


def _requests(fake: Praise) -> Iterator[dict[str, Any]]:
    """In pieces that one request may hold; an account has one bundle and two entries."""
    for at in range(0, len(fake.bundles), _ACCOUNTS_A_REQUEST):
        yield {
            "bundles": [_base64(one) for one in fake.bundles[at : at + _ACCOUNTS_A_REQUEST]],
            "entries": [_entry(one) for one in fake.items[2 * at : 2 * (at + _ACCOUNTS_A_REQUEST)]],
        }


def _entry(item: Item) -> dict[str, str | None]:
    return {"raw": _base64(item.raw), "content": None if item.content is None else _base64(item.content)}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _named(play: Play, sentence: str) -> str:
    """The sentence with people's names where the node, which knows none, writes the beginning of a key."""
    for one in play.people:
        sentence = sentence.replace(one.author[:8], one.name)
    return sentence
