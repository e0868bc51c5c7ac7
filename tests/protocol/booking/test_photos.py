"""What may be a photo: a plain JPEG with nothing in it but one picture, whoever made it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking.photos import check_photo, photo_id
from chargemesh_protocol.booking.sealing import (
    NONCE_BYTES,
    one_time_keypair,
    open_message,
    open_photo,
    seal,
    seal_photo,
)
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_PHOTO_BYTES, MAX_PHOTO_SIDE_PIXELS, MAX_SEALED_PHOTO_BYTES

from ..pictures import picture
from ..trees import damaged

HOST, DRIVER = (one_time_keypair(bytes([number]) * 32) for number in (1, 2))
NONCE = b"n" * NONCE_BYTES
PHOTO = picture()
AT = {
    name: PHOTO.index(bytes([0xFF, byte])) for name, byte in (("frame", 0xC0), ("scan", 0xDA), ("end", 0xD9))
}
EXIF = b"\xff\xe1\x00\x08Exif\x00\x00"
JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


def with_size(width: int, height: int) -> bytes:
    at = AT["frame"] + 5
    return PHOTO[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + PHOTO[at + 4 :]


def put(at: int, more: bytes) -> bytes:
    return PHOTO[:at] + more + PHOTO[at:]


@pytest.mark.parametrize(
    "photo",
    [
        PHOTO,
        put(2, JFIF),
        put(AT["frame"], b"\xff\xdd\x00\x04\x00\x01"),
        put(AT["end"], b"\xff\x00\xff\xd0"),
        put(AT["end"], bytes(MAX_PHOTO_BYTES - len(PHOTO))),
        with_size(MAX_PHOTO_SIDE_PIXELS, MAX_PHOTO_SIDE_PIXELS),
    ],
)
def test_plain_ones_are_taken(photo: bytes) -> None:
    width, height = check_photo(photo)
    assert 1 <= width <= MAX_PHOTO_SIDE_PIXELS and 1 <= height <= MAX_PHOTO_SIDE_PIXELS


@pytest.mark.parametrize(
    "photo",
    {
        "nothing": b"",
        "another format": b"\x89PNG\r\n\x1a\n" + bytes(200),
        "a place and a time": put(2, EXIF),
        "a colour profile": put(2, b"\xff\xe2\x00\x10ICC_PROFILE\x00\x01\x01"),
        "a comment": put(2, b"\xff\xfe\x00\x06dear"),
        "a comment where its length is odd": put(2, b"\xff\xfe\x00\x01"),
        "a preview": put(2, JFIF[:-2] + b"\x01\x01"),
        "words in JFIF's place": put(2, JFIF[:4] + b"HELLO" + JFIF[9:]),
        "a progressive one": PHOTO.replace(b"\xff\xc0", b"\xff\xc2"),
        "twelve bits": PHOTO[: AT["frame"] + 4] + b"\x0c" + PHOTO[AT["frame"] + 5 :],
        "two frames": put(AT["frame"], PHOTO[AT["frame"] : AT["frame"] + 13]),
        "no frame": PHOTO[: AT["frame"]] + PHOTO[AT["frame"] + 13 :],
        "no width": with_size(0, 8),
        "too wide": with_size(MAX_PHOTO_SIDE_PIXELS + 1, 8),
        "a bomb": with_size(65_535, 65_535),
        "too many bytes": put(AT["end"], bytes(MAX_PHOTO_BYTES + 1 - len(PHOTO))),
        "something after it": PHOTO + b"\x00",
        "another picture after it": PHOTO + PHOTO,
        "another scan": put(AT["end"], PHOTO[AT["scan"] : AT["end"]]),
        "a comment in the scan": put(AT["end"], b"\xff\xfe\x00\x06dear"),
        "no end": PHOTO[:-2],
        "cut in a segment": PHOTO[: AT["frame"] + 6],
    }.items(),
    ids=lambda one: one[0],
)
def test_anything_else_is_refused(photo: tuple[str, bytes]) -> None:
    with pytest.raises(Refused) as refused:
        check_photo(photo[1])
    assert refused.value.code == "photo"


@given(
    st.one_of(st.binary(max_size=300), damaged(PHOTO), st.binary(max_size=60).map(lambda one: put(2, one)))
)
def test_no_bytes_break_the_check(photo: bytes) -> None:
    try:
        width, height = check_photo(photo)
    except Refused as fault:
        assert fault.code == "photo"
    else:
        assert max(width, height) <= MAX_PHOTO_SIDE_PIXELS and b"Exif" not in photo


def test_a_sealed_photo_opens_for_the_other_side_alone() -> None:
    sealed = seal_photo(PHOTO, NONCE, DRIVER[0], HOST[1])
    assert open_photo(sealed, photo_id(PHOTO), HOST[0], DRIVER[1]) == PHOTO
    with pytest.raises(Refused):
        open_photo(sealed, photo_id(PHOTO), HOST[0], HOST[1])
    with pytest.raises(Refused):
        open_message(sealed, HOST[0], DRIVER[1])


def test_it_must_be_the_photo_that_was_asked_for_and_a_photo() -> None:
    for inside in (picture(1), b"", PHOTO + b"\x00"):
        sealed = seal_photo(inside, NONCE, DRIVER[0], HOST[1])
        with pytest.raises(Refused) as refused:
            open_photo(sealed, photo_id(PHOTO), HOST[0], DRIVER[1])
        assert refused.value.code == "photo"
    junk = b"no picture at all"
    with pytest.raises(Refused):
        open_photo(seal_photo(junk, NONCE, DRIVER[0], HOST[1]), photo_id(junk), HOST[0], DRIVER[1])


def test_the_largest_photo_can_be_sealed_and_no_larger_one() -> None:
    largest = put(AT["end"], bytes(MAX_PHOTO_BYTES - len(PHOTO)))
    sealed = seal_photo(largest, NONCE, DRIVER[0], HOST[1])
    assert len(sealed) == MAX_SEALED_PHOTO_BYTES
    assert open_photo(sealed, photo_id(largest), HOST[0], DRIVER[1]) == largest
    with pytest.raises(ValueError, match="too long"):
        seal_photo(largest + b"\x00", NONCE, DRIVER[0], HOST[1])
    with pytest.raises(ValueError, match="too long"):
        seal(largest, NONCE, DRIVER[0], HOST[1])
