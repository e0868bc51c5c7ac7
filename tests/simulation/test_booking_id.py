"""A booking's id is what its records are asked for with (specs/05, B18): only its two parties get it."""

from __future__ import annotations

import logging

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking import wire
from tests.simulation.stories import Deal


def test_the_id_goes_over_the_wire_between_the_two_parties_only(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[tuple[str, str, str, bytes]] = []

    async def story() -> bytes:
        world = World(7)
        neighbour, host, driver = await world.add_all("neighbour", "host", "driver")
        world.internet.tap = lambda *message: sent.append(message)
        await host.offers()
        await world.pass_time(seconds=20)
        await neighbour.connects(host)
        deal = Deal(world, host, driver)
        await deal.happens()
        await world.pass_time(seconds=60)
        assert len(list(neighbour.node.replica.logs.accepted())) == 4, "both halves and both reviews"
        await world.end()
        return deal.id

    with caplog.at_level(logging.DEBUG):
        booking = run(story())
    told = {(one, other, protocol) for one, other, protocol, body in sent if booking in body}
    assert told == {("host", "driver", wire.PROTOCOL), ("driver", "host", wire.PROTOCOL)}
    assert any(protocol != wire.PROTOCOL for *_, protocol, _ in sent)
    assert booking.hex() not in caplog.text.lower()
