"""What a host's node sends before the address is due holds no finer place than the public cell.

Everything that leaves is heard in clear: requests, answers, gossip, look-ups and notices. The same scanner
finds every leak that these tests plant, else its silence would mean nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import cbor2
import pytest

from chargemesh_node.sim.home import charger_settings
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.host import HostDesk
from chargemesh_protocol.booking.records import CancelReason
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.chargers import Home
from chargemesh_protocol.events import AddPhoto
from chargemesh_protocol.listing import About, ParkingType
from chargemesh_protocol.place import Point
from tests.privacy_scanner import Scanner
from tests.protocol.pictures import picture
from tests.seeds import seeds
from tests.simulation.stories import neighbours

HOME = Point(52.518731, 13.407964)
PHOTO = picture()


class Heard:
    """Everything that one node sends, its notices included."""

    def __init__(self, world: World, name: str) -> None:
        self.messages: list[bytes] = []
        self._name = name
        world.taps.append(self._listen)

    def _listen(self, sender: str, receiver: str, protocol: str, body: bytes) -> None:
        if sender == self._name:
            self.messages.append(body)

    def leaks(self, host: Person) -> list[str]:
        settings = host.node.runner.engine.listings.all_settings()[0]
        notices = [body for _, body in host.notices]
        return Scanner(settings.home, settings.resolution, [PHOTO]).leaks([*self.messages, *notices])


def before_release(seed: int, prepare: Callable[[Person], None], title: str = "Driveway") -> list[str]:
    """Leaks of a host that is found, asked, booked for tomorrow, written to, cancelled, and booked again."""

    async def story() -> list[str]:
        world = World(seed)
        heard = Heard(world, "host")
        host, driver, other, _ = await world.add_all("host", "driver", "other", "neighbour")
        about = About(
            title=title,
            parking=ParkingType.ON_DRIVEWAY,
            access_method="OPEN",
            amenities=(),
            languages=("de",),
        )
        await host.does(AddPhoto(await host.offers(at=HOME, about=about), PHOTO))
        prepare(host)
        await world.pass_time(seconds=30)
        for one in (driver, other):
            await one.finds()
            booking = await one.books(host, starts_in_h=20, hours=1)
            await world.until(
                lambda one=one, booking=booking: one.sees(  # type: ignore[misc]
                    booking, lambda state: state.reservation is Reservation.RESERVED
                ),
                60,
                "the acceptance",
            )
            await host.writes(booking, "See you tomorrow.")
            await world.pass_time(seconds=20)
            await one.cancels(booking, CancelReason.DRIVER_CANCELED)
        booking = await driver.books(host, starts_in_h=20, hours=1)
        await world.pass_time(minutes=5)
        assert driver.sees(booking, lambda state: state.reservation is Reservation.RESERVED), seed
        kinds = b"".join(heard.messages)
        for kind in (b"listing", b"renewal", b"quote", b"accept", b"acknowledge"):
            assert kind in kinds, f"seed {seed}: the host never sent a {kind.decode()}"
        await world.end()
        return heard.leaks(host)

    return run(story())


@pytest.mark.parametrize("seed", seeds(2, 6))
def test_nothing_finer_than_the_cell_leaves_before_the_address_is_due(seed: int) -> None:
    assert before_release(seed, lambda host: None) == [], f"seed {seed}"


@pytest.mark.parametrize(
    "title",
    ["52.5187, 13.4080", "at 12 hidden lane", "code 4711", "geo:52.51873,13.40796"],
)
@pytest.mark.parametrize("seed", seeds(3))
def test_a_leak_in_the_title_is_found(seed: int, title: str) -> None:
    assert before_release(seed, lambda host: None, title), f"seed {seed}"


@pytest.mark.parametrize("seed", seeds(4))
def test_an_address_told_too_early_is_found(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk that writes the place beside the acceptance, in a message that is not sealed."""

    def hurry(host: Person) -> None:
        desk: HostDesk = host.node.runner.engine.host
        decide = desk._accept

        def accept_and_tell(booking, settings, at):  # type: ignore[no-untyped-def]
            home = settings.home
            at_home = cbor2.dumps({0: home.latitude, 1: home.longitude})
            host.world.internet.listen("host", "driver", "early", base64.b64encode(at_home))
            return decide(booking, settings, at)

        monkeypatch.setattr(desk, "_accept", accept_and_tell)

    assert before_release(seed, hurry), f"seed {seed}"


@pytest.mark.parametrize("seed", seeds(5))
def test_an_access_record_sent_before_its_time_is_found(seed: int) -> None:
    """Sealed, it shows no scanner anything: it is the checkers that see the host send it too early."""

    async def story() -> None:
        world = World(seed)
        host, driver = await neighbours(world)
        booking = await driver.books(host, starts_in_h=20, hours=1)
        await world.pass_time(seconds=20)
        engine = host.node.runner.engine
        early = engine.host._send_access(host.booking(booking), host.node.runner.moment())
        await host.node.runner._commit([one for one in early if hasattr(one, "raw")], engine.charging.boxes)
        with pytest.raises(AssertionError, match=f"seed {seed}: .* before its time"):
            await world.pass_time(seconds=60)

    run(story())


def _wrappings(home: Home) -> list[bytes]:
    degrees = {"lat": home.latitude / 1e6, "lon": home.longitude / 1e6}
    micro = cbor2.dumps({2: [home.latitude, home.longitude]})
    return [
        json.dumps(degrees).encode(),
        cbor2.dumps(cbor2.CBORTag(18, [b"", {}, micro, bytes(64)])),
        cbor2.dumps({0: cbor2.dumps([cbor2.dumps({1: micro})])}),
        json.dumps({"data": base64.b64encode(micro).decode()}).encode(),
        micro.hex().encode(),
    ]


def test_the_scanner_sees_through_wrappings() -> None:
    home = charger_settings(bytes(16), HOME).home
    for number, wrapped in enumerate(_wrappings(home)):
        assert Scanner(home).leaks([wrapped]), number
    away = charger_settings(bytes(16), Point(48.137154, 11.576124)).home
    for wrapped in _wrappings(home):
        assert Scanner(away).leaks([wrapped]) == []
