"""Photos as small as they come, each another one: a plain JPEG made by hand, 8 x 8 pixels of one grey."""

from __future__ import annotations

_QUANTISATION = bytes([0xFF, 0xDB, 0, 67, 0]) + bytes([1] * 64)
_FRAME = bytes([0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0])
# One code each: a brightness of ten bits follows; and nothing follows.
_CODES = bytes([0xFF, 0xC4, 0, 20, 0x00, 1, *[0] * 15, 10]) + bytes(
    [0xFF, 0xC4, 0, 20, 0x10, 1, *[0] * 15, 0]
)
_SCAN = bytes([0xFF, 0xDA, 0, 8, 1, 1, 0x00, 0, 63, 0])
PICTURES = 512


def picture(number: int = 0) -> bytes:
    """A photo that any decoder reads; `number` says which of PICTURES, by its brightness."""
    if not 0 <= number < PICTURES:
        raise ValueError("there are not so many")
    # The first code, the brightness, the second code, and ones to fill the byte.
    bits = (512 + number) << 5 | 0b1111
    data = bits.to_bytes(2, "big").replace(b"\xff", b"\xff\x00")
    return b"\xff\xd8" + _QUANTISATION + _FRAME + _CODES + _SCAN + data + b"\xff\xd9"
