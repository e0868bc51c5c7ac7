"""Whatever a camera wrote, as a photo of an access record: small, upright, and nothing but the picture.

Place, time, camera and previews stay behind, because the pixels alone are written anew. What is read is
bounded before anything is decoded: bytes, pixels, and how often the same pixels may be refined.
"""

from __future__ import annotations

import asyncio
import io
import struct
import threading
import zlib
from collections.abc import Iterator

from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from chargemesh_protocol.booking.photos import check_photo
from chargemesh_protocol.errors import ExitCode, PersonError
from chargemesh_protocol.limits import MAX_PHOTO_BYTES, MAX_PHOTO_SIDE_PIXELS

from .api.limits import MAX_PICTURE_BYTES

MAX_SOURCE_PIXELS = 89_000_000  # of a JPEG that can be decoded at a fraction of its size; Pillow's own bound
MAX_DECODED_PIXELS = 25_000_000  # in memory at once, 100 MB; also of what can only be decoded whole
MAX_SCANS = 64  # a progressive JPEG has about ten; each goes over all its pixels again
MAX_SECONDS = 60.0
_READERS = (JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile)
FORMATS = tuple(str(one.format) for one in _READERS)
_JPEG = ("JPEG", "MPO")  # MPO: several in one, as some phones write them; the first counts
_WHOLE_SIDES = (MAX_PHOTO_SIDE_PIXELS, 1024, 800, 640, 480, 320, 160, 80)
_QUALITIES = (85, 75, 65, 55, 45, 35)
_ORIENTATION = 0x0112  # EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# All that Pillow's readers raise over files that are damaged, or made to be.
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
_one_at_a_time = threading.Lock()  # so that the memory above is needed once


async def photo_of(data: bytes) -> bytes:
    """`photo_from` in a thread of its own, so that the node goes on meanwhile."""
    try:
        async with asyncio.timeout(MAX_SECONDS):
            return await asyncio.to_thread(photo_from, data)
    except TimeoutError:
        raise _bad("too-slow-photo", f"This picture takes longer than {MAX_SECONDS:g} seconds.") from None


def photo_from(data: bytes) -> bytes:
    """A photo (specs/12, S12) of a JPEG, PNG or WebP file; PersonError where it is none, or too large."""
    if len(data) > MAX_PICTURE_BYTES:
        raise _bad("too-large", f"This picture has more than {MAX_PICTURE_BYTES // 2**20} MB.")
    with _one_at_a_time:
        try:
            photo = _smallest(_picture(data))
        except Image.DecompressionBombError:
            raise _too_many_pixels() from None
        except _UNREADABLE as error:
            raise PersonError(
                "bad-photo",
                f"This is no picture that can be read ({type(error).__name__}).",
                "Save it as JPEG, PNG or WebP first: HEIC and RAW files are not read.",
                ExitCode.USAGE,
            ) from error
    check_photo(photo)
    return photo


def _picture(data: bytes) -> Image.Image:
    """Upright, in RGB, with neither side above MAX_PHOTO_SIDE_PIXELS."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _require_bounds(image, data)
        if image.format in _JPEG:
            _draft(image)
        if image.width * image.height > MAX_DECODED_PIXELS:
            raise _too_many_pixels()
        turned = _UPRIGHT.get(_orientation(image))
        image.load()
        whole = image.convert("RGBA" if image.has_transparency_data else "RGB")
    whole.thumbnail((MAX_PHOTO_SIDE_PIXELS, MAX_PHOTO_SIDE_PIXELS), Image.Resampling.LANCZOS)
    picture = Image.new("RGB", whole.size, "white")
    picture.paste(whole, mask=whole if whole.mode == "RGBA" else None)
    return picture if turned is None else picture.transpose(turned)


def _require_bounds(image: Image.Image, data: bytes) -> None:
    progressive = bool(image.info.get("progressive"))
    is_whole = progressive or image.format not in _JPEG
    if image.width * image.height > (MAX_DECODED_PIXELS if is_whole else MAX_SOURCE_PIXELS):
        raise _too_many_pixels()
    if progressive and data.count(b"\xff\xda") > MAX_SCANS:
        raise _bad("bad-photo", "This JPEG is built up in more steps than any camera writes.")


def _draft(image: Image.Image) -> None:
    """Has the decoder itself leave out what is scaled away afterwards."""
    longest = max(image.size)
    if longest > MAX_PHOTO_SIDE_PIXELS:
        width, height = (-(-side * MAX_PHOTO_SIDE_PIXELS // longest) for side in image.size)
        image.draft("RGB", (width, height))


def _orientation(image: Image.Image) -> int:
    """1 where it says nothing that can be read: then it is shown as it lies."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except _UNREADABLE:
        return 1
    return found if isinstance(found, int) else 1


def _smallest(picture: Image.Image) -> bytes:
    """The first of ever smaller JPEGs that is within bounds; every picture of 80 pixels is."""
    for photo in _jpegs(picture):
        if len(photo) <= MAX_PHOTO_BYTES:
            return photo
    raise ValueError("no JPEG of it is small enough")


def _jpegs(picture: Image.Image) -> Iterator[bytes]:
    for side in _WHOLE_SIDES:
        smaller = picture.copy()
        smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
        for quality in _QUALITIES:
            into = io.BytesIO()
            smaller.save(into, "JPEG", quality=quality, optimize=True)
            yield into.getvalue()


def _too_many_pixels() -> PersonError:
    return _bad("too-many-pixels", "This picture has more pixels than this node decodes.")


def _bad(code: str, message: str) -> PersonError:
    return PersonError(
        code, message, "Make it smaller with any photo program, and try again.", ExitCode.USAGE
    )
