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


class ConnectedHost:
    """Has a connection to every peer by the time that a stream has failed."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def new_stream(self, peer: ID, protocols: Any) -> Any:
        raise self._error

    def get_network(self) -> ConnectedHost:
        return self

    def get_connections(self, peer: ID) -> list[object]:
        return [object()]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SwarmException("no way to the peer"), CannotReach),  # it came back by itself after our dial
        (StreamFailure("it speaks no such protocol"), Refusal),
    ],
)
def test_a_failed_dial_is_no_refusal(error: Exception, told: type[Exception]) -> None:
    async def program() -> None:
        async with trio.open_nursery() as nursery:
            asker = Asker(ConnectedHost(error), nursery, DEFAULT_LIMITS, Counters())
            with pytest.raises(told):
                await asker.ask(ID(b"peer"), "/chargemesh/booking/1", b"", 1.0)

    trio.run(program)
