"""The block: a host, a driver and a third house whose nodes are started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .houses import House, Street, street
from .notices import Mailbox, mailbox


@dataclass(frozen=True)
class Block:
    """Hanna shares chargers, Dario drives; what their nodes have to say comes into `post`.

    Every test lists a charger of its own, so that one test's bookings are in nobody's way.
    """

    street: Street
    hanna: House
    dario: House
    post: Mailbox


@pytest.fixture
def block(nodes_of_the_block: Block) -> Iterator[Block]:
    """The block with nothing owed: with an unpaid receipt nobody books there again."""
    yield nodes_of_the_block
    api = nodes_of_the_block.hanna.api
    for one in api.get("bookings")["bookings"]:
        for what in ("confirm", "cancel"):
            if what in one["actions"]:
                api.post(f"bookings/{one['id']}/{what}")


@pytest.fixture(scope="session")
def nodes_of_the_block(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Block]:
    folder = tmp_path_factory.mktemp("block")
    with mailbox(folder) as post, street(folder) as people:
        hanna = people.house("hanna", **post.settings)
        dario = people.house("dario", **post.settings)
        people.open_all(hanna, dario)
        yield Block(people, hanna, dario, post)
