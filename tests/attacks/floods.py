"""More than anybody needs: texts, records, rubbish, and photos that are too large or something else."""

from __future__ import annotations

import random

from chargemesh_protocol.booking import wire
from chargemesh_protocol.booking.records import Problem, ProblemKind
from chargemesh_protocol.booking.sealing import Message, seal_message
from chargemesh_protocol.errors import ChargemeshError, Refused
from chargemesh_protocol.events import AddPhoto
from chargemesh_protocol.limits import MAX_MESSAGES_A_SIDE, MAX_PHOTO_BYTES, MAX_PHOTOS, MAX_RECORDS_A_SIDE
from tests.protocol.pictures import picture
from tests.simulation.scene import Scene

from .attack import Attack, Finding
from .forge import exchange, forged, send


async def texts(seed: int, size: int) -> Finding:
    """The driver's software seals as many messages as it likes."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 3)
    booking, now = driver.booking(deal.id), driver.clock.now()
    driver.crash()
    for first in range(0, size, wire.MAX_MESSAGES_A_PARCEL):
        sealed = tuple(
            seal_message(
                Message(
                    booking=deal.id, sender=driver.author, recipient=host.author, sent=now + one, text="!"
                ),
                one.to_bytes(24, "big"),
                booking.their_key,
                booking.file.secret,
            )
            for one in range(first, first + wire.MAX_MESSAGES_A_PARCEL)
        )
        await send(host, driver.name, wire.write(wire.Exchange(booking=deal.id, sealed=sealed)))
    kept = len(host.booking(deal.id).messages)
    assert kept == min(size, MAX_MESSAGES_A_SIDE), kept
    await scene.world.end()
    return Finding(f"{size:,} messages in one booking", f"{kept} are kept and shown")


async def records(seed: int, size: int) -> Finding:
    """The driver signs problem after problem; the host acknowledges what it takes."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    deal = await scene.reserved(host, driver, 3)
    booking, now = driver.booking(deal.id), driver.clock.now()
    driver.crash()
    for first in range(0, size, 100):
        batch = [
            forged(driver, booking, Problem, now + one, problem=ProblemKind.OTHER, text="")
            for one in range(first, min(first + 100, size))
        ]
        await send(host, driver.name, exchange(deal.id, *batch))
    held = host.booking(deal.id)
    assert len(held.theirs) == min(size, MAX_RECORDS_A_SIDE), len(held.theirs)
    assert len(held.mine) < MAX_RECORDS_A_SIDE - 32, "room for how the booking ends"
    await scene.world.end()
    return Finding(
        f"{size:,} signed problems", f"{len(held.theirs):,} kept, {len(held.mine)} records of the host's own"
    )


async def rubbish(seed: int, size: int) -> Finding:
    """Bytes drawn at random, and real messages with a byte changed, from a stranger."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    said: list[bytes] = []
    scene.world.taps.append(lambda sender, to, protocol, body: said.append(body) if to == "host" else None)
    deal = await scene.reserved(host, driver, 3)
    await scene.world.settles()
    before, drawn = host.store.durable(), random.Random(seed)
    for number in range(size):
        body = bytearray(
            said[number % len(said)] if number % 2 else drawn.randbytes(drawn.randrange(1, 2000))
        )
        body[drawn.randrange(len(body))] ^= 1 << drawn.randrange(8)
        try:
            await send(host, f"stranger {number}", bytes(body))
        except Refused:
            continue
    after = host.store.durable()
    assert (after.records, after.slots) == (before.records, before.slots)
    assert host.knows_booking(deal.id)
    await scene.closes()
    return Finding(f"{size:,} messages of rubbish", "0 records, 0 slots; the node answers on")


async def photos(seed: int, size: int) -> Finding:
    """A host adds what is no small plain JPEG, and more of them than it may."""
    scene = Scene(seed)
    host, driver = await scene.opens()
    (settings,) = host.node.runner.engine.listings.all_settings()
    plain = picture(0)
    wide = plain.replace(bytes([8, 0, 8, 0, 8]), bytes([8, 0x7F, 0xFF, 0x7F, 0xFF]), 1)
    large = plain[:-2] + b"\0" * MAX_PHOTO_BYTES + plain[-2:]
    refused = 0
    for bad in (wide, large, plain + b"more", plain[:-2], b"\x89PNG" + plain):
        try:
            await host.does(AddPhoto(settings.charger, bad))
        except ChargemeshError:
            refused += 1
    for number in range(MAX_PHOTOS + 2):
        try:
            await host.does(AddPhoto(settings.charger, picture(number)))
        except ChargemeshError:
            refused += 1
    deal = await scene.reserved(host, driver, 1)
    held = driver.node.runner.engine.driver.addresses
    await scene.world.until(
        lambda: (
            [jpeg for _, jpeg in held.photos(driver.booking(deal.id))]
            == [picture(number) for number in range(MAX_PHOTOS)]
        ),
        300,
        "the good photos",
    )
    assert refused == 7, refused
    await scene.world.end()
    return Finding("5 photos too large, too wide or something else, and 2 too many", "0 of the 7 are kept")


ATTACKS = (
    Attack(
        "floods",
        "Messages without end in one booking",
        "200 of a side in a booking, 12 KB each, 8 in one exchange",
        texts,
        size=240,
        long=5_000,
    ),
    Attack(
        "floods",
        "Signed records without end in one booking",
        "2,048 of a side in a booking; the host keeps room for how it ends",
        records,
        size=200,
        long=4_000,
    ),
    Attack(
        "floods",
        "Rubbish, and real messages with a bit turned",
        "a message is read strictly, and what is refused leaves nothing",
        rubbish,
        size=200,
        long=50_000,
    ),
    Attack(
        "photos",
        "Photos too large, too wide, too many, or something else",
        "4 of 48 KB and 1,280 pixels; their structure is checked before anything decodes them",
        photos,
    ),
)
