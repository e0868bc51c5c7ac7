"""A second implementation, in JavaScript on js-libp2p, and our node: the whole job, DHT and gossip.

It knows no line of the Python: what it does it has from `specs/`. See `js/driver.js`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.houses import House, eventually, street

from .js_peer import js_program
from .node_tools import NOT_INSTALLED, is_installed

pytestmark = pytest.mark.skipif(not is_installed("libp2p"), reason=NOT_INSTALLED)

LISTEN = "/ip4/127.0.0.1/tcp/0,/ip4/127.0.0.1/tcp/0/ws"


@dataclass(frozen=True)
class Neighbours:
    """Hanna shares a charger; Dario's node knows only hers, and the driver's knows only his."""

    hanna: House
    dario: House


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with street(tmp_path_factory.mktemp("js"), NETWORK_LISTEN=LISTEN) as people:
        hanna, dario = people.house("hanna"), people.house("dario")
        people.open_all(hanna, dario)
        yield Neighbours(hanna, dario)


@pytest.mark.parametrize("transport", ["tcp", "ws"])
def test_the_whole_job_with_a_driver_in_javascript(
    neighbours: Neighbours, tmp_path: Path, transport: str
) -> None:
    hanna, title = neighbours.hanna, f"Garage on {transport}"
    charger = hanna.lists(title, "--iban", "DE89370400440532013000", "--payee-name", "Hanna")
    hanna.plugs_in(charger)
    link = neighbours.dario.says("invite")["link"]
    options = ("--title", title, "--near", "52.5200,13.4050", "--transport", transport)
    with js_program(tmp_path, "driver.js", link, *options) as driver:
        me = driver.tells("joined")
        # Dario's node is the only one that it was told of: hers it has from the DHT.
        found = driver.tells("found")
        assert me["peer"] in found["asked"] and len(found["asked"]) >= 2 and not found["refused"]
        assert 0 < driver.tells("quoted")["estimate"] <= driver.tells("quoted")["cap"]
        driver.tells("following")
        hanna.api.patch(f"chargers/{charger}", {"title": f"{title}, in the yard"})
        assert "listing" in driver.tells("heard")["changes"]
        booking = driver.tells("requested")["booking"]
        assert driver.tells("booked")["address"] == "12 Hidden Lane, Berlin"
        hanna.until(booking, lambda one: one["messages"])
        hanna.says("booking", "message", booking, "The left one.")
        assert driver.tells("answered")["text"] == "The left one."
        assert driver.tells("receipt")["objections"] == []
        driver.tells("claimed")
        assert hanna.sees(booking, "CLAIMED")["reservation"] == "FULFILLED"
        assert hanna.says("pay", "confirm", booking)["settlement"] == "PAID"
        driver.tells("committed")
        hanna.says("review", booking, "--stars", "4", "--text", "Speaks another language.")
        shown = eventually(lambda: reviews_of(hanna, me["author"]), "the review is shown")
        assert shown == ["Found by a node in another language."]
        # What she said it has from gossip or catch-up; the DHT led her node to it as a caretaker.
        reviewed = driver.tells("reviewed")
        assert ["review", "Speaks another language."] in reviewed["by"] and reviewed["stored"]
        driver.ends()
    done = driver.tells("done")
    view = hanna.api.get(f"bookings/{booking}")
    states = [view["reservation"], view["session"], view["settlement"]]
    assert states == done["states"] == ["FULFILLED", "COMPLETED", "PAID"] and done["faults"] == []
    assert view["meter"]["countersigned"]


def reviews_of(house: House, author: str) -> list[str]:
    """What the house shows of reviews about itself by that author."""
    shown = house.api.get(f"trust/{house.says('id')['author']}")["shown"]
    return [one["text"] for one in shown if one["author"] == author]
