"""Whatever a host adds as a photo becomes a plain small JPEG, or a sentence says why not. Nothing hangs."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from chargemesh_node.api.limits import MAX_PICTURE_BYTES
from chargemesh_node.images import photo_from, photo_of
from chargemesh_protocol.booking.photos import check_photo
from chargemesh_protocol.errors import PersonError
from chargemesh_protocol.limits import MAX_PHOTO_BYTES, MAX_PHOTO_SIDE_PIXELS
from tests.protocol.trees import damaged

FORMATS = ("JPEG", "PNG", "WEBP")
SECRET = b"camera of somebody, 52.5187 N 13.4080 E"


def file_of(image: Image.Image, kind: str = "JPEG", **more: Any) -> bytes:
    into = io.BytesIO()
    image.save(into, kind, **more)
    return into.getvalue()


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    """What compresses worst."""
    wheel = bytes((17 * number * number + 101 * number * seed) % 251 for number in range(65_521))
    pixels = (wheel * (3 * width * height // len(wheel) + 1))[: 3 * width * height]
    return Image.frombytes("RGB", (width, height), pixels)


def told(data: bytes) -> str:
    """The code of what the host is told."""
    with pytest.raises(PersonError) as error:
        photo_from(data)
    assert str(error.value)
    return error.value.code


@pytest.mark.parametrize("kind", FORMATS)
def test_every_common_format_becomes_a_photo(kind: str) -> None:
    photo = photo_from(file_of(noise(1600, 1200), kind))
    width, height = check_photo(photo)
    assert len(photo) <= MAX_PHOTO_BYTES and width * 3 == height * 4


def test_a_small_picture_keeps_its_size_and_a_large_one_is_scaled() -> None:
    assert check_photo(photo_from(file_of(Image.new("RGB", (300, 200), "blue")))) == (300, 200)
    assert check_photo(photo_from(file_of(Image.new("RGB", (5120, 2560), "blue")))) == (1280, 640)
    assert check_photo(photo_from(file_of(Image.new("L", (9000, 90))))) == (MAX_PHOTO_SIDE_PIXELS, 13)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixels_becomes_colour(mode: str) -> None:
    check_photo(photo_from(file_of(Image.new(mode, (40, 30)), "JPEG" if mode == "CMYK" else "PNG")))


def test_what_is_transparent_becomes_white() -> None:
    photo = photo_from(file_of(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"))
    assert Image.open(io.BytesIO(photo)).getpixel((5, 5)) == (255, 255, 255)


CORNERS = {
    1: (10, 10),
    2: (390, 10),
    3: (390, 190),
    4: (10, 190),
    5: (10, 10),
    6: (190, 10),
    7: (190, 390),
    8: (10, 390),
}


@pytest.mark.parametrize(("orientation", "red_at"), CORNERS.items())
def test_it_is_turned_as_the_camera_was_held(orientation: int, red_at: tuple[int, int]) -> None:
    image = Image.new("RGB", (400, 200), "white")
    image.paste("red", (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = Image.open(io.BytesIO(photo_from(file_of(image, exif=exif))))
    assert turned.size == ((400, 200) if orientation < 5 else (200, 400))
    red, green, blue = turned.getpixel(red_at)  # type: ignore[misc]
    assert red > 200 and green < 90 and blue < 90


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_but_the_picture_is_kept(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x9286], exif[0x8825] = SECRET.decode(), SECRET, {2: (52.0, 31.0, 7.0)}
    more: dict[str, Any] = {"exif": exif, "icc_profile": SECRET * 4}
    if kind == "JPEG":
        more["comment"] = SECRET
    if kind == "PNG":
        more["pnginfo"] = PngImagePlugin.PngInfo()
        more["pnginfo"].add_text("Comment", SECRET.decode())
    source = file_of(noise(200, 100), kind, **more)
    assert SECRET in source
    photo = photo_from(source)
    kept = Image.open(io.BytesIO(photo))
    assert SECRET not in photo and not kept.getexif() and not {"comment", "icc_profile"} & kept.info.keys()


def test_bombs_are_refused_before_they_are_decoded() -> None:
    assert told(file_of(Image.new("1", (5_100, 5_000)), "PNG")) == "too-many-pixels"
    assert told(_png(60_000, 60_000)) == "too-many-pixels"
    assert told(file_of(Image.new("L", (5_100, 5_000)), progressive=True)) == "too-many-pixels"
    assert told(bytes(MAX_PICTURE_BYTES + 1)) == "too-large"
    scans = file_of(Image.new("L", (64, 64)), progressive=True).replace(b"\xff\xda", b"\xff\xda" * 70, 1)
    assert told(scans) == "bad-photo"


def test_a_large_baseline_picture_is_decoded_at_a_fraction() -> None:
    assert check_photo(photo_from(file_of(Image.new("L", (8_000, 6_000), 90)))) == (1280, 960)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"<svg/>", b"BM" + bytes(60), b"GIF89a" + bytes(20)])
def test_what_is_no_picture_is_told(data: bytes) -> None:
    assert told(data) == "bad-photo"


_SOURCES = [file_of(noise(48, 32), kind) for kind in FORMATS] + [file_of(noise(48, 32), progressive=True)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=400), *map(damaged, _SOURCES)))
def test_no_junk_crashes_it(data: bytes) -> None:
    try:
        photo = photo_from(data)
    except PersonError as error:
        assert error.code in ("bad-photo", "too-many-pixels") and error.hint
    else:
        check_photo(photo)


def test_the_node_goes_on_meanwhile() -> None:
    async def both() -> bytes:
        turns = 0

        async def ticking() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        ticker = asyncio.create_task(ticking())
        photo = await photo_of(file_of(noise(1200, 900)))
        ticker.cancel()
        assert turns > 1
        return photo

    check_photo(asyncio.run(both()))


def _png(width: int, height: int) -> bytes:
    """Only the beginning: whoever decodes it before looking at its size fails otherwise."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
