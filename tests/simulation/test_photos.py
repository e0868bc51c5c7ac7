"""Photos and changed codes get to the driver through loss and crashes of either side, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.photos import photo_id
from chargemesh_protocol.booking.table import Reservation
from chargemesh_protocol.events import AddPhoto, PutCharger, RemovePhoto
from tests.protocol.pictures import picture
from tests.seeds import seeds
from tests.simulation.stories import Deal, neighbours

PHOTOS = tuple(picture(number) for number in range(4))


def shown(driver: Person, booking: bytes) -> list[bytes | None]:
    """The photos beside the address, None for one that is on its way."""
    if not driver.knows_booking(booking):
        return []
    found = driver.node.runner.engine.driver.addresses.photos(driver.booking(booking))
    return [jpeg for _, jpeg in found]


def code(driver: Person, booking: bytes) -> str:
    access = driver.node.runner.engine.driver.access(driver.booking(booking)) if driver.is_up else None
    return access.code if access else ""


async def adds(host: Person, *photos: bytes) -> bytes:
    (charger,) = (one.charger for one in host.node.runner.engine.listings.all_settings())
    for one in photos:
        await host.insists(
            lambda one=one: host.does(AddPhoto(charger, one)),  # type: ignore[misc]
            lambda one=one: photo_id(one) in (_home(host).photos or ()),  # type: ignore[misc]
        )
    return charger


def _home(host: Person):  # type: ignore[no-untyped-def]
    return host.node.runner.engine.listings.all_settings()[0].home


async def changes_code(host: Person, new: str) -> None:
    settings = host.node.runner.engine.listings.all_settings()[0]
    changed = replace(settings, home=replace(settings.home, code=new))
    await host.insists(lambda: host.does(PutCharger(changed)), lambda: _home(host).code == new)


@pytest.mark.parametrize("seed", seeds(1, 2, 3))
def test_photos_and_another_code_come_through_a_bad_network(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        host, driver = await neighbours(world)
        charger = await adds(host, *PHOTOS)
        world.internet.faults.loss = 0.3
        world.internet.faults.duplication = 0.2
        deal = Deal(world, host, driver, hours=3)
        await deal.is_booked()
        await world.until(lambda: shown(driver, deal.id) == list(PHOTOS), 1800, "all photos")
        await changes_code(host, "0815")
        await host.does(RemovePhoto(charger, photo_id(PHOTOS[0])))
        await world.until(
            lambda: code(driver, deal.id) == "0815" and shown(driver, deal.id) == list(PHOTOS[1:]),
            1800,
            "the other code, and the photo gone",
        )
        await world.end()

    run(story())


@pytest.mark.parametrize("side", ["host", "driver"])
@pytest.mark.parametrize("seed", seeds(4))
def test_a_crash_at_any_instant_loses_no_photo_and_no_change(seed: int, side: str) -> None:
    async def play(dies_at: int | None) -> list[str]:
        world = World(seed)
        host, driver = await neighbours(world)
        await adds(host, PHOTOS[0])
        deal = Deal(world, host, driver, hours=3)
        person = world.people[side]
        await deal.is_booked()
        begun = len(person.points)
        person.dies_at = None if dies_at is None else begun + dies_at
        await adds(host, PHOTOS[1])
        await changes_code(host, "0815")
        await world.until(
            lambda: code(driver, deal.id) == "0815" and shown(driver, deal.id) == list(PHOTOS[:2]),
            1200,
            f"all of it, though the {side} died at {dies_at}",
        )
        passed = person.points[begun:]
        await world.end()
        return passed

    instants = run(play(None))
    assert len(instants) >= 6
    for number in range(0, len(instants), 2):
        run(play(number))


@pytest.mark.parametrize("seed", seeds(5))
def test_photos_travel_to_the_driver_alone_and_sealed(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        heard: list[tuple[str, str, str, bytes]] = []
        world.taps.append(lambda *said: heard.append(said))
        host, driver, _ = await world.add_all("host", "driver", "neighbour")
        await host.offers()
        await adds(host, *PHOTOS)
        await world.pass_time(seconds=20)
        booking = await driver.books(host, hours=1)
        await world.until(lambda: shown(driver, booking) == list(PHOTOS), 120, "the photos")
        await world.end()
        assert not [one for one in heard if any(photo in one[3] for photo in PHOTOS)]
        named = [one for one in heard if any(photo_id(photo) in one[3] for photo in PHOTOS)]
        assert {one[:3] for one in named} == {("driver", "host", wire.PROTOCOL)}, "asked for by their ids"

    run(story())


@pytest.mark.parametrize("seed", seeds(6))
def test_a_booking_for_later_is_told_the_code_of_then_and_once(seed: int) -> None:
    async def story() -> None:
        world = World(seed)
        host, driver = await neighbours(world)
        booking = await driver.books(host, starts_in_h=3, hours=1)
        await world.until(
            lambda: driver.sees(booking, lambda one: one.reservation is Reservation.RESERVED),
            60,
            "acceptance",
        )
        for new in ("0815", "0816"):
            await changes_code(host, new)
            await world.pass_time(minutes=5)
        assert not host.state(booking).access_sent, seed
        await world.pass_time(hours=2.9)  # it is due at the start: until then leaving is free
        assert code(driver, booking) == "0816"
        sent = [one.kind for one in host.booking(booking).mine]
        assert sent.count("access") == 1, f"seed {seed}: {sent}"
        await world.end()

    run(story())


@pytest.mark.parametrize("seed", seeds(7))
def test_a_host_without_photos_is_not_asked_for_ever(seed: int) -> None:
    """As a node of an earlier version, which passes over what it does not know."""

    async def story() -> None:
        world = World(seed)
        host, driver = await neighbours(world)
        await adds(host, PHOTOS[0])
        host.node.runner.engine.host.addresses.with_photo = (  # type: ignore[method-assign]
            lambda booking, wanted, answer, at: answer
        )
        asked: list[int] = []
        world.taps.append(
            lambda sender, to, protocol, body: (
                asked.append(driver.clock.now())
                if (sender, to, protocol) == ("driver", "host", wire.PROTOCOL)
                and getattr(wire.read(body), "wants", None)
                else None
            )
        )
        booking = await driver.books(host, hours=2)
        await world.pass_time(hours=1)
        assert 0 < len(asked) <= 8, f"seed {seed}: {len(asked)}"
        assert all(later - earlier >= 900 for earlier, later in pairwise(asked)), "with growing pauses"
        assert driver.sees(booking, lambda one: one.access_sent) and shown(driver, booking) == [None]
        await world.end()

    run(story())
