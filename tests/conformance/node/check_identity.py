"""03, stream /chargemesh/identity/1: bundles by author."""

from __future__ import annotations

import os

from chargemesh_protocol import identity_wire
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.identity import open_bundle

from .dialogue import IDENTITY, Answer, identity, listing, say
from .place import offered
from .scene import Chapter, NotHere, Probe, Scene

PEOPLE = Chapter("identity")


@PEOPLE.check("own-bundle", "I8", "I11", "I12")
async def own_bundle(scene: Scene, probe: Probe) -> None:
    """The node gives the bundle of whoever it lists for."""
    listed = await offered(scene)
    if listed is None:
        raise NotHere("the node lists no charger that was found")
    author = listed.body.author
    answer = await identity(scene.honest, author)
    probe.sees("get [the host of its listing]", "given", answer.word)
    probe.sees("the bundle", author.hex(), _authors(scene, answer))


@PEOPLE.check("unknown-author", "I12")
async def unknown_author(scene: Scene, probe: Probe) -> None:
    """An author that nobody knows is left out."""
    answer = await identity(scene.honest, os.urandom(32))
    probe.sees("get [32 random bytes]", "given", answer.word)
    probe.sees("the bundles", "none", _authors(scene, answer) or "none")


@PEOPLE.check("each-once", "I12", "D5")
async def each_once(scene: Scene, probe: Probe) -> None:
    """A bundle that came with a listing is given, once, however often it is asked for."""
    host = scene.stranger()
    stored = await listing(scene.honest, host.stores(host.lists_now(scene.place)))
    probe.sees("a listing with its bundle", "kept", stored.word)
    answer = await identity(scene.honest, host.author, os.urandom(32), host.author)
    probe.sees("get [its author, somebody, its author]", "given", answer.word)
    probe.sees("the bundles", host.author.hex(), _authors(scene, answer))


@PEOPLE.check("refusals", "N9", "I13", "K8", "E7")
async def refusals(scene: Scene, probe: Probe) -> None:
    """What is no question is refused by an empty response."""
    author = os.urandom(32)
    given = identity_wire.write(identity_wire.Given(bundles=()))
    cases = {
        "operation 9": encode({0: 9, 1: [author]}),
        "given, as a question": given,
        "get []": encode({0: 1, 1: []}),
        "get with 33 authors": encode({0: 1, 1: [os.urandom(32) for _ in range(33)]}),
        "get with an author of 31 bytes": encode({0: 1, 1: [author[1:]]}),
        "get with an unknown critical key": encode({0: 1, 1: [author], 9: 1}),
        "131,393 bytes": bytes(131_393),
        "no bytes": b"",
    }
    async with scene.peer() as peer:
        for sent, body in cases.items():
            probe.sees(sent, "empty", (await say(peer, IDENTITY, body)).word)
        optional = await say(peer, IDENTITY, encode({0: 1, 1: [author], 20: "later"}))
        probe.sees("get with an unknown optional key", "given", optional.word)


def _authors(scene: Scene, answer: Answer) -> str:
    """Whose bundles these are, as hexadecimal; what is wrong with one that doesn't open."""
    try:
        return " ".join(open_bundle(one, scene.network).author.hex() for one in answer.message.bundles)
    except Refused as fault:
        return f"a bundle that is refused: {fault.code}"
