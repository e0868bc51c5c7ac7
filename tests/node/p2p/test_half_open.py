"""Sockets that say nothing take no more places than they may, and nobody else's."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import trio
from trio_websocket import open_websocket

from chargemesh_node.p2p.half_open import HalfOpenPlaces
from chargemesh_node.p2p.limits import DEFAULT_LIMITS
from chargemesh_node.p2p.websocket import serve_within

FEW = replace(DEFAULT_LIMITS, max_half_open=4, max_half_open_per_address=2, upgrade_seconds=60)


def test_the_oldest_gives_way_of_its_address_and_then_of_all() -> None:
    async def story() -> None:
        places = HalfOpenPlaces(FEW)
        with ExitStack() as stack:
            taken = [stack.enter_context(places.take(host, trio.CancelScope())) for host in "abacad"]
            # The third of a closes the first of a; then d closes the oldest of all.
            assert [place.scope.cancel_called for place in taken] == [True, True, *[False] * 4]
            places.leave(taken[2])
            with places.take("e", trio.CancelScope()):
                assert not taken[3].scope.cancel_called, "there was a place"

    trio.run(story)


def test_a_websocket_has_its_place_only_until_it_is_open() -> None:
    async def story() -> tuple[list[bytes], bytes]:
        async with trio.open_nursery() as nursery:

            async def answers(request: Any) -> None:
                async with await request.accept() as socket:
                    await socket.send_message(await socket.get_message())

            async def serves(task_status: Any) -> None:
                await serve_within(FEW)(answers, "127.0.0.1", 0, None, task_status=task_status)

            server = await nursery.start(serves)
            async with open_websocket("127.0.0.1", server.port, "/", use_ssl=False) as honest:
                silent = [await trio.open_tcp_stream("127.0.0.1", server.port) for _ in range(5)]
                ends = [await stream.receive_some(1) for stream in silent[:3]]
                await honest.send_message(b"still here")
                answer = await honest.get_message()
                with trio.move_on_after(0.05) as waits:
                    await silent[-1].receive_some(1)
                assert waits.cancelled_caught, "the newest keep their places"
            nursery.cancel_scope.cancel()
        return ends, answer

    ends, answer = trio.run(story)
    assert ends == [b""] * 3 and answer == b"still here"
