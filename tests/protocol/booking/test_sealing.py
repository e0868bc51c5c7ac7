"""Sealing: only the two one-time keys open it, and not a bit of it can be changed."""

from __future__ import annotations

import nacl.public
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.booking.sealing import (
    NONCE_BYTES,
    Message,
    one_time_keypair,
    open_message,
    seal,
    seal_message,
    unseal,
)
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.limits import MAX_NOTE_CHARS, MAX_SEALED_BYTES

from ..trees import damaged

HOST, DRIVER, EVE = (one_time_keypair(bytes([number]) * 32) for number in (1, 2, 3))
NONCE = b"n" * NONCE_BYTES
TEXT = Message(booking=b"b" * 32, sender=b"h" * 32, recipient=b"d" * 32, sent=7, text="Mind the dog 🐕")
SEALED = seal(b"secret", NONCE, DRIVER[0], HOST[1])


def test_either_key_opens_it() -> None:
    assert unseal(SEALED, HOST[0], DRIVER[1]) == b"secret"
    assert unseal(SEALED, DRIVER[0], HOST[1]) == b"secret"
    assert open_message(seal_message(TEXT, NONCE, DRIVER[0], HOST[1]), HOST[0], DRIVER[1]) == TEXT


def test_it_is_the_box_of_nacl() -> None:
    box = nacl.public.Box(nacl.public.PrivateKey(DRIVER[1]), nacl.public.PublicKey(HOST[0]))
    assert box.decrypt(SEALED) == b"secret"


@pytest.mark.parametrize(
    ("public", "secret"),
    [(HOST[0], EVE[1]), (EVE[0], DRIVER[1]), (bytes(32), DRIVER[1]), (HOST[0][:31], DRIVER[1])],
)
def test_nobody_else_opens_it(public: bytes, secret: bytes) -> None:
    with pytest.raises(Refused) as refused:
        unseal(SEALED, public, secret)
    assert refused.value.code == "sealed"


@given(damaged(SEALED))
def test_not_a_bit_can_be_changed(sealed: bytes) -> None:
    if sealed != SEALED:
        with pytest.raises(Refused):
            unseal(sealed, HOST[0], DRIVER[1])


@given(st.binary(max_size=100))
def test_garbage_is_refused(sealed: bytes) -> None:
    with pytest.raises(Refused):
        unseal(sealed, HOST[0], DRIVER[1])


def test_sizes_are_bounded() -> None:
    with pytest.raises(ValueError, match="too long"):
        seal(bytes(MAX_SEALED_BYTES), NONCE, DRIVER[0], HOST[1])
    with pytest.raises(Refused):
        unseal(bytes(MAX_SEALED_BYTES + 1), HOST[0], DRIVER[1])
    longest = Message(
        booking=b"b" * 32, sender=b"h" * 32, recipient=b"d" * 32, sent=7, text="🐕" * MAX_NOTE_CHARS
    )
    assert open_message(seal_message(longest, NONCE, DRIVER[0], HOST[1]), HOST[0], DRIVER[1]) == longest


def test_what_is_inside_is_checked_too() -> None:
    for inside in (b"", b"\xa0", b"\xff", b"\xa1\x00\xf6"):
        with pytest.raises(Refused):
            open_message(seal(inside, NONCE, DRIVER[0], HOST[1]), HOST[0], DRIVER[1])
