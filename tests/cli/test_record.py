"""`record show` and `record verify`: records in whatever way they were written, judged without a node."""

from __future__ import annotations

import base64
import json
import sys
import textwrap
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.keystore import Keys, load_keys
from chargemesh_protocol.booking.records import Cancel, CancelReason
from chargemesh_protocol.identity import create_identity, public_key
from chargemesh_protocol.record import Record, sign

from ..protocol.booking.story import NETWORK as STORY_NETWORK
from ..protocol.booking.story import Story
from .conftest import NETWORK
from .person import Person

NOW = 1_800_000_000_000


@pytest.fixture
def keys(person: Person) -> Keys:
    return load_keys(person.home, NETWORK)


@pytest.fixture
def cancel(keys: Keys) -> Record[Cancel]:
    body = Cancel(
        author=keys.author,
        issued=_delegated(keys),
        booking=b"b" * 32,
        seen=b"s" * 32,
        reason=CancelReason.TRAFFIC,
    )
    return sign(body, keys.device, NETWORK)


def _delegated(keys: Keys) -> int:
    return keys.bundle.delegations[0].body.issued + 1


def verify(person: Person, path: Path, *more: str) -> Any:
    return person.types("--json", "record", "verify", str(path), *more)


def test_a_bundle_is_verified_and_told(person: Person) -> None:
    said = person.types("record", "verify", str(person.home.keys / "identity"))
    assert said.code == 0 and "2 of 2 valid on chargemesh-test-cli" in said.out
    shown = person.types("record", "show", str(person.home.keys / "identity"))
    assert "1. genesis" in shown.out and "scopes: list, book, log" in shown.out


WAYS = ["raw", "twice", "base64", "base64url", "hex", "list", "json", "xxd", "base64 of two", "blank lines"]


@pytest.mark.parametrize("written", WAYS)
def test_every_way_of_writing_records_down(
    person: Person, cancel: Record[Cancel], tmp_path: Path, written: str
) -> None:
    raw = cancel.raw
    contents: dict[str, bytes] = {
        "raw": raw,
        "twice": raw + raw,
        "base64": base64.b64encode(raw) + b"\n",
        "base64url": base64.urlsafe_b64encode(raw).rstrip(b"="),
        "hex": raw.hex().encode(),
        "list": b",\n".join((raw.hex().encode(), base64.b64encode(raw))),
        "json": json.dumps(
            {"records": [{"id": cancel.id.hex(), "raw": base64.b64encode(raw).decode()}]}
        ).encode(),
        "xxd": "\n".join(textwrap.wrap(raw.hex(), 60)).encode(),
        "base64 of two": base64.encodebytes(raw) * 2,
        "blank lines": base64.encodebytes(raw) + b"\r\n \r\n" + base64.encodebytes(raw),
    }
    (tmp_path / "f").write_bytes(contents[written])
    said = verify(person, tmp_path / "f")
    assert said.code == 0
    found = said.value["records"]
    assert len(found) == (2 if written in ("twice", "list", "base64 of two", "blank lines") else 1)
    assert said.value["repeated"] == (len(found) == 2)
    assert found[0]["kind"] == "cancel" and found[0]["id"] == cancel.id.hex()
    assert found[0]["fields"]["reason"] == "TRAFFIC" and found[0]["speaks"] is None


def test_with_its_bundle_a_record_is_its_authors(
    person: Person, keys: Keys, cancel: Record[Cancel], tmp_path: Path
) -> None:
    file = tmp_path / "f"
    bundle = base64.b64encode(keys.bundle.to_bytes()).decode()
    file.write_text(f"{bundle} {cancel.raw.hex()}")
    said = verify(person, file)
    assert said.code == 0 and [one["speaks"] for one in said.value["records"]] == [None, True, True]
    stranger = sign(cancel.body, b"x" * 32, NETWORK)
    file.write_text(f"{bundle} {stranger.raw.hex()}")
    said = verify(person, file)
    assert said.code == 1 and "not-delegated" in said.value["records"][-1]["fault"]
    assert "NOT VALID: its key has no delegation" in person.types("record", "verify", str(file)).out


def test_a_delegation_by_somebody_else_counts_nothing(
    person: Person, keys: Keys, cancel: Record[Cancel], tmp_path: Path
) -> None:
    other = create_identity(
        root_seed=b"r" * 32,
        recovery_key=public_key(b"v" * 32),
        device_key=public_key(b"x" * 32),
        network=NETWORK,
        now=NOW,
        life_ms=1000,
    )
    (tmp_path / "f").write_bytes(keys.bundle.genesis.raw + other.delegations[0].raw + cancel.raw)
    speaks = [one["speaks"] for one in verify(person, tmp_path / "f").value["records"]]
    assert speaks == [None, None, False]


def test_an_altered_record_is_named_and_still_shown(
    person: Person, cancel: Record[Cancel], tmp_path: Path
) -> None:
    altered = cancel.raw.replace(b"TRAFFIC", b"SAFETYY")
    (tmp_path / "f").write_bytes(altered)
    said = verify(person, tmp_path / "f")
    assert said.code == 1 and said.value["valid"] is False
    (one,) = said.value["records"]
    assert (
        one["kind"] == "cancel" and one["fields"]["reason"] == "SAFETYY" and "bad-signature" in one["fault"]
    )


def test_a_record_of_another_network_is_worthless(
    person: Person, cancel: Record[Cancel], tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(cancel.raw)
    assert verify(person, tmp_path / "f", "--network", "chargemesh-dev-1").code == 1
    assert verify(person, tmp_path / "f", "--network", NETWORK).code == 0


@pytest.mark.parametrize(
    "content", [b"", b"hello world", b"{}", b'["abc"]', b"\xff\xfe\x00", b"\x80", b"d2" * 10, b"\x9f" * 200]
)
def test_what_holds_no_record_is_told(person: Person, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    said = person.types("record", "verify", str(tmp_path / "f"))
    assert said.code == 2 and "no chargemesh record" in said.err


@pytest.mark.parametrize("cut", [2, 3, 60, 150, -1])
def test_a_cut_record_is_not_valid(person: Person, cancel: Record[Cancel], tmp_path: Path, cut: int) -> None:
    cut_short = cancel.raw[:cut]
    for written in (cut_short, "\n".join(textwrap.wrap(cut_short.hex() + " ", 3)).encode()):
        (tmp_path / "f").write_bytes(written)
        said = verify(person, tmp_path / "f")
        assert said.code == 1
        assert said.value["records"][0]["fault"] == "the record is cut short (encoding)"


def test_it_needs_no_home_and_reads_standard_input(
    person: Person, cancel: Record[Cancel], monkeypatch: pytest.MonkeyPatch
) -> None:
    from chargemesh_cli.commands import record

    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(cancel.raw)))
    assert record._read("-") == cancel.raw
    assert person.types("record", "show", "/nowhere").code == 3


@pytest.mark.parametrize("network", ["", "x" * 49, "ü"])
def test_a_network_that_can_not_be_is_a_mistake_of_the_caller(
    person: Person, cancel: Record[Cancel], tmp_path: Path, network: str
) -> None:
    (tmp_path / "f").write_bytes(cancel.raw)
    for words in (("show",), ("verify",), ("diff", str(tmp_path / "f"))):
        said = person.types("record", *words, str(tmp_path / "f"), "--network", network)
        assert said.code == 2 and "--network: a network id is 1 to 48 ASCII characters" in said.err
    (tmp_path / "f").write_bytes(evidence(Story(), network or "x" * 100))
    said = person.types("record", "verify", str(tmp_path / "f"))
    assert said.code == 2 and "network" in said.err and "--network" in said.err
    assert person.types("record", "verify", str(tmp_path / "f"), "--network", STORY_NETWORK).code == 0


def evidence(story: Story, network: str = STORY_NETWORK, **changed: str) -> bytes:
    """A file as `receipt --records` writes it; `changed`: another id for the record of that kind."""
    rows = [
        {"id": changed.get(one.kind, one.id.hex()), "raw": base64.b64encode(one.raw).decode()}
        for one in story.booking
    ]
    return json.dumps({"network": network, "records": rows}).encode()


def test_a_file_of_evidence_says_its_network_and_what_it_proves(person: Person, tmp_path: Path) -> None:
    story = Story().until("billed")
    story.of_driver("agreement")
    (tmp_path / "f").write_bytes(evidence(story))
    said = person.types("record", "verify", str(tmp_path / "f"))
    assert said.code == 0 and f"valid on {STORY_NETWORK}" in said.out
    assert "a receipt over" in said.out and "signed by the host" in said.out
    assert " and by the driver" in said.out
    assert "Nothing in here says that it is paid." in said.out and "not proven here" in said.out


def test_a_receipt_whose_ground_is_missing_is_said_to_lack_it(person: Person, tmp_path: Path) -> None:
    story = Story().until("billed")
    story.of_driver("agreement")
    rows = json.loads(evidence(story))
    rows["records"] = [one for one in rows["records"] if one["id"] != story.booking.chain[0].id.hex()]
    (tmp_path / "f").write_text(json.dumps(rows))
    said = verify(person, tmp_path / "f")
    assert story.booking.chain[0].id.hex() in said.value["missing"]
    assert "its receipt does not count" in " ".join(said.value["proves"])


def test_a_record_under_another_id_is_not_valid(person: Person, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(evidence(Story(), request="00" * 32))
    said = verify(person, tmp_path / "f")
    assert said.code == 1 and "other-id" in said.value["records"][1]["fault"]
    assert said.value["proves"] == ["There is no receipt in here."]


def test_signatures_that_are_all_bad_point_to_another_network(person: Person, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(evidence(Story()))
    said = person.types("record", "verify", str(tmp_path / "f"), "--network", NETWORK)
    assert said.code == 1 and "name it with --network" in said.out
