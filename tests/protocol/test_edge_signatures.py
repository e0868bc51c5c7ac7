"""Exactly the valid ones of many keys and signatures at the edges of Ed25519 make a record (specs/02)."""

from __future__ import annotations

import cbor2
import nacl.bindings as sodium
import pytest

from chargemesh_protocol.errors import Refused
from chargemesh_protocol.listing import Renewal
from chargemesh_protocol.record import open_record

from . import forge
from .edge_signatures import NONCE, SECRET, Edge, edges, small_encodings
from .edwards import (
    BASE,
    NEUTRAL,
    TORSION,
    L,
    P,
    add,
    at_height,
    decoded,
    encoded,
    fits,
    fits_times_eight,
    is_key,
    times,
)

RENEWAL = Renewal(issued=1_804_500_000_000, listing=b"l" * 32)
PAYLOAD = cbor2.dumps({1: RENEWAL.issued, 2: RENEWAL.listing})


def signed_bytes(key: bytes) -> bytes:
    return forge.sig_structure(forge.header(kid=key), PAYLOAD)


EDGES = edges(signed_bytes)


def verdict(edge: Edge) -> str:
    """The code of our refusal, or an empty text."""
    try:
        open_record(
            forge.record(PAYLOAD, protected=forge.header(kid=edge.key), signature=edge.signature),
            forge.NETWORK,
        )
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_exactly_the_valid_ones_pass(edge: Edge) -> None:
    expected = "" if edge.good else "bad-signature" if edge.key_is_good else "bad-key"
    assert verdict(edge) == expected
    # And so says the rule as the text has it, computed with the curve itself.
    assert is_key(edge.key) is edge.key_is_good
    assert (is_key(edge.key) and fits(edge.key, signed_bytes(edge.key), edge.signature)) is edge.good


def test_there_are_many_and_no_two_alike() -> None:
    assert len({(edge.key, edge.signature) for edge in EDGES}) == len(EDGES) >= 150
    assert len({edge.name for edge in EDGES}) == len(EDGES)
    assert sum(edge.good for edge in EDGES) == 9
    assert len(small_encodings()) == 14


def test_they_tell_verifiers_apart() -> None:
    """Each passes somewhere: with the cofactor, or by libsodium's equation without its check of keys."""
    by_name = {edge.name: edge for edge in EDGES}
    for index, part in enumerate(TORSION[1:], 1):
        for name in ("holds-with-the-cofactor-only", "holds-without-the-cofactor"):
            edge = by_name[f"key-mixed-{index}-{name}"]
            r = decoded(edge.signature[:32])
            assert r is not None
            key = add(times(SECRET, BASE), part)
            assert fits_times_eight(key, r, signed_bytes(edge.key), edge.signature)
        mixed = by_name[f"r-mixed-{index}"]
        r = add(times(NONCE, BASE), part)
        assert fits_times_eight(times(SECRET, BASE), r, signed_bytes(mixed.key), mixed.signature)
        for name in ("holds-without-the-cofactor", "cancelled-by-r"):
            edge = by_name[f"key-mixed-{index}-{name}"]
            assert sodium.crypto_sign_open(edge.signature + signed_bytes(edge.key), edge.key)


def test_the_curve_is_the_one_of_libsodium() -> None:
    for number in (1, 2, 3, SECRET, L - 1):
        ours = encoded(times(number, BASE))
        assert ours == sodium.crypto_scalarmult_ed25519_base_noclamp(forge.scalar(number))
        assert is_key(ours) and sodium.crypto_core_ed25519_is_valid_point(ours)
    assert times(L, BASE) == NEUTRAL and times(8, TORSION[1]) == NEUTRAL != times(4, TORSION[1])
    assert [y for y in range(19) if at_height(y)] and at_height(2) is None
    assert decoded((P + 1).to_bytes(32, "little")) is None
