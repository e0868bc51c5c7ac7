"""Records verify with two COSE libraries that are not ours, and what those sign we take."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chargemesh_protocol.booking.records import Accept, Ticket
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.listing import Renewal
from chargemesh_protocol.record import KINDS, aad, is_foreign, open_as, parts, sign
from chargemesh_protocol.shape import to_tree

from ..conformance.vector_files import load
from ..protocol.booking.story import NETWORK, Story
from ..protocol.neighbours import CHARGER, Street

PYTHON = Path(__file__).parents[2] / ".venv-cose" / "bin" / "python"
CHECKER = Path(__file__).with_name("cose_checker.py")
LIBRARIES = ("pycose", "cwt")
SEED = b"o" * 32

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="the COSE libraries are not installed: run `make tools`"
)


def ask(library: str, network: str, records: list[bytes]) -> dict[str, Any]:
    """What another library makes of our records, and a renewal signed by it."""
    ours = sign(Renewal(issued=5, listing=b"l" * 32), SEED, network)
    question = {
        "aad": aad(network).hex(),
        "records": [one.hex() for one in records],
        "sign": {
            "seed": SEED.hex(),
            "kid": ours.kid.hex(),
            "typ": "renewal",
            "payload": parts(ours.raw)[1].hex(),
        },
    }
    done = subprocess.run(
        [str(PYTHON), str(CHECKER), library],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_record_of_a_booking_verifies_elsewhere(library: str) -> None:
    story = Story().until("billed")
    records = list(story.booking)
    assert {Accept, Ticket} <= {type(one.body) for one in records}
    answer = ask(library, NETWORK, [one.raw for one in records])
    assert answer["verified"] == [encode(to_tree(one.body)).hex() for one in records]


@pytest.mark.parametrize("library", LIBRARIES)
def test_genesis_delegation_listing_and_withdrawal_verify_elsewhere(library: str) -> None:
    alice = Street().host()
    bundle = alice.engine.directory.get(alice.author)
    listing = alice.engine.listings.listing(CHARGER)
    assert bundle is not None and listing is not None
    records = [bundle.genesis.raw, bundle.delegations[0].raw, listing.raw]
    answer = ask(library, alice.me.network, records)
    assert answer["verified"] == [parts(one)[1].hex() for one in records]


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_record_of_the_vectors_verifies_elsewhere(library: str) -> None:
    """All kinds there are, and as many as the file has, since it holds one of each at least."""
    cases = [case for case in load() if case.file == "records" and case.op == "record.open" and case.out]
    ours = {kind for kind in KINDS if not is_foreign(kind)}
    assert {case.out["kind"] for case in cases if case.out} == ours
    (network,) = {case.given["network"] for case in cases}
    answer = ask(library, network, [bytes.fromhex(case.given["record"]) for case in cases])
    assert answer["verified"] == [case.out["payload"] for case in cases if case.out]


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_was_altered_or_is_of_another_network_fails_elsewhere_too(library: str) -> None:
    good = sign(Renewal(issued=5, listing=b"l" * 32), SEED, NETWORK).raw
    altered = good.replace(b"l" * 32, b"l" * 31 + b"m")
    other = sign(Renewal(issued=5, listing=b"l" * 32), SEED, "chargemesh-test-other").raw
    answer = ask(library, NETWORK, [good, altered, other])
    assert [one is not None for one in answer["verified"]] == [True, False, False]


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_another_library_signs_is_byte_for_byte_ours(library: str) -> None:
    signed = bytes.fromhex(ask(library, NETWORK, [])["signed"])
    assert signed == sign(Renewal(issued=5, listing=b"l" * 32), SEED, NETWORK).raw
    assert open_as(Renewal, signed, NETWORK).body.issued == 5
