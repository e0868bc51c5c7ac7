"""What somebody is told who could open no stream."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from libp2p.host.exceptions import StreamFailure
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID

from chargemesh_node.p2p.asking import Asker, CannotReach, Refusal
from chargemesh_node.p2p.counters import Counters
from chargemesh_node.p2p.limits import DEFAULT_LIMITS


class Connection:
    is_closed = False


class ConnectedHost:
    """Has a connection to every peer by the time that a stream has failed, and then for so long."""

    def __init__(self, error: Exception, seconds: float) -> None:
        self._error = error
        self._until = seconds

    async def new_stream(self, peer: ID, protocols: Any) -> Any:
        self._until += trio.current_time()
        raise self._error

    def get_network(self) -> ConnectedHost:
        return self

    def get_connections(self, peer: ID) -> list[Connection]:
        return [Connection()] if trio.current_time() < self._until else []


@pytest.mark.parametrize(
    ("error", "stays", "told"),
    [
        (StreamFailure("it speaks no such protocol"), 60, Refusal),
        (StreamFailure("the stream was reset"), 0.05, CannotReach),  # the peer died in mid-sentence
        (SwarmException("no way to the peer"), 60, CannotReach),  # it came back by itself after our dial
    ],
)
def test_only_a_peer_that_stays_has_refused(error: Exception, stays: float, told: type[Exception]) -> None:
    async def program() -> None:
        async with trio.open_nursery() as nursery:
            asker = Asker(ConnectedHost(error, stays), nursery, DEFAULT_LIMITS, Counters())
            with pytest.raises(told):
                await asker.ask(ID(b"peer"), "/chargemesh/booking/1", b"", 1.0)

    trio.run(program)
