"""Who says that a newer listing of ours is known has to show it: the word alone unlists nobody."""

from __future__ import annotations

from collections import Counter

import pytest

from chargemesh_node.clock import ManualClock
from chargemesh_node.discovery.rivals import Rivals
from chargemesh_node.ports import Caller
from chargemesh_protocol.discovery import wire
from chargemesh_protocol.identity import Directory
from tests.protocol.discovery.hosts import CHARGER, HOUR, NETWORK, NOW, Host, seed

from .street import Street, a_while, run

ANNA, BORIS = Host("anna"), Host("boris")
OURS = ANNA.lists(sequence=5)
NEWER = ANNA.lists(sequence=6)


def refusal(newer: bytes | None = None, code: str = "superseded") -> wire.Failed:
    bundle = None if newer is None else ANNA.bundle.to_bytes()
    return wire.Failed(code=code, message="a newer one is known", newer=newer, bundle=bundle)


def rivals() -> Rivals:
    return Rivals(Directory(NETWORK), ManualClock(NOW), Counter())


@pytest.mark.parametrize("newer", [NEWER.raw, ANNA.withdraws(OURS).raw])
def test_a_newer_record_of_the_charger_by_our_identity_is_believed_and_so_is_whoever_knows_it(
    newer: bytes,
) -> None:
    known = rivals()
    assert not known.supersede(OURS, refusal())
    assert known.supersede(OURS, refusal(newer))
    assert known.supersede(OURS, refusal()), "it may have lost the bytes since"
    assert not known.supersede(OURS, refusal(code="author-full"))
    assert not known.supersede(ANNA.lists(sequence=7), refusal(newer)), "we are the newer one again"


@pytest.mark.parametrize(
    "newer",
    [
        ANNA.lists(sequence=4).raw,
        OURS.raw,
        BORIS.lists(sequence=6).raw,
        ANNA.lists(sequence=6, charger=seed("another")[:16]).raw,
        ANNA.lists(sequence=6, seed=BORIS.device).raw,
        ANNA.lists(sequence=6, issued=NOW - 24 * HOUR).raw,
        ANNA.lists(sequence=6, issued=NOW + HOUR).raw,
        ANNA.renews(OURS).raw,
        b"newer",
    ],
    ids=[
        "older",
        "the-same",
        "anothers",
        "other-charger",
        "forged",
        "old",
        "future",
        "no-listing",
        "garbage",
    ],
)
def test_what_proves_nothing_newer_is_not_believed(newer: bytes) -> None:
    assert not rivals().supersede(OURS, refusal(newer))


def test_caretakers_that_only_say_so_do_not_unlist_a_charger_and_one_that_shows_it_does() -> None:
    async def story() -> list[list[str]]:
        street = Street()
        host, liar = await street.all(2)
        shown: list[bytes | None] = [None]

        async def refuse(caller: Caller, body: bytes) -> bytes:
            bundle = host.host.bundle.to_bytes()
            return wire.write(wire.Failed(code="superseded", message="no", newer=shown[0], bundle=bundle))

        liar.network.serve(wire.PROTOCOL, refuse)
        host.lists()
        await a_while(10)
        announcement = host.announcer.announcements[CHARGER]
        seen = [announcement.superseded_at()]
        shown[0] = host.host.lists(issued=host.clock.now(), sequence=90).raw
        host.announcer.announce(CHARGER)
        await a_while(10)
        seen.append(announcement.superseded_at())
        assert seen[1] == [liar.network.contact.peer_id]
        await street.stop()
        return seen

    assert run(story())[0] == []
