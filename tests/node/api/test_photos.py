"""Photos through the API: any picture in, plain photos out, and only for whoever may see them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from chargemesh_node.api.limits import MAX_BODY_BYTES, MAX_PICTURE_BYTES
from chargemesh_node.images import photo_from
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.booking.photos import check_photo

from .houses import CHARGER, Client, client_of
from .test_story import books

PRICED = {**CHARGER, "tariff": {**CHARGER["tariff"], "flat": 500_000}}


def picture(colour: str, size: tuple[int, int] = (1600, 1200)) -> bytes:
    """As a phone writes it: large, and with a place in it."""
    image, exif, into = Image.new("RGB", size, colour), Image.Exif(), io.BytesIO()
    exif[0x010F] = "52.5187 N 13.4080 E"
    image.save(into, "JPEG", exif=exif)
    return into.getvalue()


async def at_once(data: bytes) -> bytes:
    """The same in this thread: simulated time does not wait for another one."""
    return photo_from(data)


def with_photos(client: Client) -> Client:
    client.context.to_photo = at_once
    return client


def test_a_hosts_pictures_reach_the_driver_with_the_address(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(11)
        alice, bob = await world.add_all("alice", "bob")
        host, driver = with_photos(client_of(alice, tmp_path)), client_of(bob, tmp_path)
        made = await host.post("/v1/chargers", PRICED)
        photos = f"/v1/chargers/{made['id']}/photos"
        assert (await host.get(photos)) == {"charger": made["id"], "photos": []}
        for colour in ("red", "blue"):
            shown = await host.post(photos, picture(colour))
        red, blue = shown["photos"]
        assert (red["width"], red["height"], red["here"]) == (1280, 960, True)
        mine = await host.ask("GET", f"{photos}/{red['id'][:8]}")
        assert mine.headers["content-type"] == "image/jpeg" and check_photo(mine.content) == (1280, 960)
        assert mine.headers["cache-control"] == "no-store" and b"52.5187" not in mine.content
        # The settings of a charger have no photos, and changing them keeps those that there are.
        await host.ask("PATCH", f"/v1/chargers/{made['id']}", {"title": "Drive", "home": {"code": "4712"}})
        assert (await host.get(photos))["photos"] == [red, blue]
        await world.pass_time(seconds=20)

        booking = f"/v1/bookings/{await books(driver, bob.clock.now())}"
        seen = await driver.get(booking, wait_until="access", timeout_s=30)
        await world.pass_time(seconds=10)
        seen = await driver.get(booking)
        assert seen["access"]["photos"] == [red, blue]
        theirs = await driver.ask("GET", f"{booking}/photos/{red['id']}")
        assert theirs.content == mine.content and theirs.headers["cache-control"] == "no-store"
        left = await host.ask("DELETE", f"{photos}/{red['id']}")
        assert left.value["photos"] == [blue]
        await world.pass_time(seconds=10)
        assert (await driver.get(booking))["access"]["photos"] == [blue]
        gone = await driver.ask("GET", f"{booking}/photos/{red['id']}")
        assert (gone.status, gone.code) == (404, "no-such-photo")
        assert not undelivered(await driver.get(booking))
        await world.end()

    run(main())


def undelivered(view: Any) -> bool:
    return bool(view["undelivered"])


def test_what_is_no_picture_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(12)
        alice = await world.add("alice")
        host = with_photos(client_of(alice, tmp_path))
        made = await host.post("/v1/chargers", PRICED)
        photos = f"/v1/chargers/{made['id']}/photos"
        for body, status, code in (
            (b"no picture", 400, "bad-photo"),
            (b"", 400, "bad-photo"),
            (bytes(MAX_PICTURE_BYTES + 1), 413, "too-large"),
        ):
            told = await host.ask("POST", photos, body)
            assert (told.status, told.code) == (status, code)
        for number in range(4):
            await host.post(photos, picture("red", (100 + number, 100)))
        full = await host.ask("POST", photos, picture("blue"))
        assert full.code == "too-many-photos" and len((await host.get(photos))["photos"]) == 4
        # Everything else takes no more than before.
        assert (
            await host.ask("PATCH", f"/v1/chargers/{made['id']}", bytes(MAX_BODY_BYTES + 1))
        ).status == 413
        await world.end()

    run(main())


def test_a_phone_sees_a_bookings_photos_and_adds_none(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(13)
        alice, bob = await world.add_all("alice", "bob")
        host, driver = with_photos(client_of(alice, tmp_path)), client_of(bob, tmp_path)
        made = await host.post("/v1/chargers", PRICED)
        photos = f"/v1/chargers/{made['id']}/photos"
        (red,) = (await host.post(photos, picture("red", (40, 30))))["photos"]
        await world.pass_time(seconds=20)
        booking = f"/v1/bookings/{await books(driver, bob.clock.now())}"
        await world.pass_time(seconds=20)
        phone = Client(driver.context, driver.context.tokens.for_phone("bobs"))
        path = f"{booking}/photos/{red['id']}"
        assert check_photo((await phone.ask("GET", path)).content) == (40, 30)
        assert (await Client(driver.context, "00" * 32).ask("GET", path)).status == 401
        of_host = Client(host.context, host.context.tokens.for_phone("alices"))
        assert (await of_host.ask("GET", f"{photos}/{red['id']}")).status == 403
        # Nothing of a body is read that may not be sent.
        assert (await of_host.ask("POST", photos, bytes(MAX_PICTURE_BYTES + 1))).status == 403
        await world.end()

    run(main())
