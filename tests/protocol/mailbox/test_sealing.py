"""Parcels: what is sealed, for whom, of which size, and what a reader refuses."""

from __future__ import annotations

import nacl.bindings as sodium
import pytest

from chargemesh_protocol.contact import Contact, Mailbox
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused
from chargemesh_protocol.mailbox.keys import (
    mailbox_key,
    mailbox_seed,
    opening_key,
    require_collect,
    sealing_key,
    sign_collect,
)
from chargemesh_protocol.mailbox.sealing import (
    ROOM,
    SIZES,
    Letter,
    letter_room,
    open_parcel,
    parcel_hash,
    seal_letter,
)
from chargemesh_protocol.shape import to_tree

SEED, OTHER, FRESH = b"m" * 32, b"o" * 32, b"e" * 32
KEY = mailbox_key(SEED)
HOME = Contact("12D3KooW", ("/ip4/192.0.2.7/tcp/4001",), (Mailbox("12D3KooV", (), b"k" * 32, b"s" * 32),))
NETWORK = "chargemesh-test-mail"


def letter(body: bytes) -> Letter:
    return Letter(protocol="/chargemesh/booking/1", body=body, sender=HOME, sent=1, booking=b"b" * 32)


@pytest.mark.parametrize("length", [1, 3_000, 4_000, 16_000, 60_000])
def test_a_letter_comes_out_as_it_went_in_and_shows_one_of_three_sizes(length: int) -> None:
    sealed = seal_letter(letter(b"\x80" * length), KEY, FRESH)
    assert len(sealed) in SIZES
    assert open_parcel(sealed, SEED) == letter(b"\x80" * length)


def test_the_fullest_letter_fits_and_one_byte_more_does_not() -> None:
    most = letter_room(HOME, "/chargemesh/booking/1")
    full = letter(b"x" * most)
    assert ROOM - 16 <= len(encode(to_tree(full))) <= ROOM
    assert len(seal_letter(full, KEY, FRESH)) == SIZES[-1]
    with pytest.raises(ValueError):
        seal_letter(letter(b"x" * (ROOM - 10)), KEY, FRESH)


def test_libsodium_opens_what_we_seal() -> None:
    sealed = seal_letter(letter(b"hello"), KEY, FRESH)
    plain = sodium.crypto_box_seal_open(sealed, sealing_key(KEY), opening_key(SEED))
    assert plain.startswith(encode(to_tree(letter(b"hello"))) + b"\x80\x00")


def test_we_open_what_libsodium_seals() -> None:
    plain = (encode(to_tree(letter(b"hello"))) + b"\x80").ljust(SIZES[1] - 48, b"\0")
    assert open_parcel(sodium.crypto_box_seal(plain, sealing_key(KEY)), SEED) == letter(b"hello")


def test_whoever_keeps_seed_and_letter_can_show_what_was_sealed() -> None:
    first, again = (seal_letter(letter(b"cancel"), KEY, FRESH) for _ in range(2))
    assert parcel_hash(first) == parcel_hash(again)
    assert parcel_hash(seal_letter(letter(b"cancel"), KEY, OTHER)) != parcel_hash(first)


def damaged() -> dict[str, tuple[bytes, bytes, str]]:
    good = seal_letter(letter(b"hello"), KEY, FRESH)
    public = sealing_key(KEY)

    def sealed(plain: bytes) -> bytes:
        return bytes(sodium.crypto_box_seal(plain, public))

    data = encode(to_tree(letter(b"hello")))
    return {
        "for another key": (good, OTHER, "sealed"),
        "one bit changed": (good[:-1] + bytes([good[-1] ^ 1]), SEED, "sealed"),
        "of another length": (good[:-1], SEED, "parcel"),
        "nothing": (b"", SEED, "parcel"),
        "without a mark": (sealed(bytes(SIZES[0] - 48)), SEED, "parcel"),
        "more behind the mark": (sealed((data + b"\x80\x01").ljust(SIZES[0] - 48, b"\0")), SEED, "parcel"),
        "no letter": (sealed(b"\x80".ljust(SIZES[0] - 48, b"\0")), SEED, "encoding"),
        "another version": (
            sealed((b"\xa1\x00\x02" + b"\x80").ljust(SIZES[0] - 48, b"\0")),
            SEED,
            "schema",
        ),
    }


@pytest.mark.parametrize("name", damaged())
def test_what_is_no_parcel_of_ours_is_refused(name: str) -> None:
    sealed, seed, code = damaged()[name]
    with pytest.raises(Refused) as refused:
        open_parcel(sealed, seed)
    assert refused.value.code == code


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_a_key_that_is_none_is_refused(key: bytes) -> None:
    with pytest.raises(Refused) as refused:
        seal_letter(letter(b"hello"), key, FRESH)
    assert refused.value.code == "bad-key"


def test_two_volunteers_hold_two_keys_of_one_node() -> None:
    here, there = (mailbox_key(mailbox_seed(b"d" * 32, signer)) for signer in (b"1" * 32, b"2" * 32))
    assert here != there
    assert here == mailbox_key(mailbox_seed(b"d" * 32, b"1" * 32)), "and the same after a restart"


def test_a_signature_is_good_for_one_mailbox_one_challenge_and_one_list() -> None:
    good = sign_collect(SEED, NETWORK, "volunteer", b"c" * 40, [b"h" * 32])
    require_collect(KEY, good, NETWORK, "volunteer", b"c" * 40, [b"h" * 32])
    for key, network, peer, challenge, drop in (
        (mailbox_key(OTHER), NETWORK, "volunteer", b"c" * 40, [b"h" * 32]),
        (KEY, "chargemesh-test-other", "volunteer", b"c" * 40, [b"h" * 32]),
        (KEY, NETWORK, "somebody", b"c" * 40, [b"h" * 32]),
        (KEY, NETWORK, "volunteer", b"d" * 40, [b"h" * 32]),
        (KEY, NETWORK, "volunteer", b"c" * 40, []),
        (bytes(32), NETWORK, "volunteer", b"c" * 40, [b"h" * 32]),
    ):
        with pytest.raises(Refused):
            require_collect(key, good, network, peer, challenge, drop)
