"""Photos beside an access record: a plain baseline JPEG, small, with nothing in it but the picture.

A photo is named by the SHA-256 of its bytes. Whoever reads one knows from its structure alone that no
decoder will need more than a few megabytes for it, and that it carries no place, time or name of a camera.
"""

from __future__ import annotations

from hashlib import sha256

from ..errors import Refused
from ..limits import MAX_PHOTO_BYTES, MAX_PHOTO_SIDE_PIXELS

_START, _END = b"\xff\xd8", b"\xff\xd9"
_JFIF, _TABLES, _FRAME, _HUFFMAN, _RESTART, _SCAN = 0xE0, 0xDB, 0xC0, 0xC4, 0xDD, 0xDA
_IN_ENTROPY = frozenset((0x00, *range(0xD0, 0xD8)))  # a byte 0xFF of the picture, restart markers
_JFIF_BYTES = 14  # of its content: no thumbnail
_GREY, _COLOUR = 1, 3


def photo_id(photo: bytes) -> bytes:
    return sha256(photo).digest()


def check_photo(photo: bytes) -> tuple[int, int]:
    """Its width and height in pixels; Refused if it is anything else than specs/12, S12 allows (ITU-T T.81:
    baseline, one frame of 8 bits, one scan; no segment but JFIF's and those of the picture itself)."""
    if not 4 <= len(photo) <= MAX_PHOTO_BYTES:
        raise _refused(f"{len(photo)} bytes")
    if not photo.startswith(_START):
        raise _refused("not a JPEG")
    at, size = 2, None
    while True:
        marker, content, at = _segment(photo, at)
        if marker == _FRAME and size is None:
            size = _size(content)
        elif marker == _SCAN and size is not None:
            break
        elif marker == _JFIF:
            if len(content) != _JFIF_BYTES or not content.startswith(b"JFIF\0") or content[12:] != b"\0\0":
                raise _refused("an application segment other than JFIF's")
        elif marker not in (_TABLES, _HUFFMAN, _RESTART):
            raise _refused(f"segment {marker:02x}")
    if _end_of_scan(photo, at) != len(photo) - len(_END) or not photo.endswith(_END):
        raise _refused("more than one scan, or something after it")
    return size


def _segment(photo: bytes, at: int) -> tuple[int, bytes, int]:
    """(marker, content, where the next one begins)."""
    head = photo[at : at + 4]
    length = int.from_bytes(head[2:], "big")
    if len(head) < 4 or head[0] != 0xFF or length < 2 or at + 2 + length > len(photo):
        raise _refused("its segments are cut short")
    return head[1], photo[at + 4 : at + 2 + length], at + 2 + length


def _size(frame: bytes) -> tuple[int, int]:
    if len(frame) < 6 or frame[0] != 8 or frame[5] not in (_GREY, _COLOUR) or len(frame) != 6 + 3 * frame[5]:
        raise _refused("its frame is not of 8 bits, grey or in colours")
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    if not (1 <= width <= MAX_PHOTO_SIDE_PIXELS and 1 <= height <= MAX_PHOTO_SIDE_PIXELS):
        raise _refused(f"{width} x {height} pixels")
    return width, height


def _end_of_scan(photo: bytes, at: int) -> int:
    """Where the first marker after the scan's data stands; the length if there is none."""
    while True:
        at = photo.find(0xFF, at)
        if at < 0 or at + 1 >= len(photo):
            return len(photo)
        if photo[at + 1] not in _IN_ENTROPY:
            return at
        at += 2


def _refused(what: str) -> Refused:
    return Refused("photo", f"not a plain JPEG within the bounds of a photo: {what}")
