"""`record show` explains every kind in a sentence, and `record diff` says what differs between two files."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chargemesh_cli.record_text import _SENTENCES, explained, sentence
from chargemesh_protocol.booking.records import Receipt
from chargemesh_protocol.record import KINDS, Record, parts, sign

from ..vectors.cast import ALICE, NETWORK
from ..vectors.samples import samples, signer_of
from . import samples as answers
from .person import Person
from .stub_node import StubNode

BODIES = samples()
SAID = {
    "genesis": "begins here, 2027-03-07 10:00 UTC: a root key, and 1 recovery key",
    "delegation": "sign for it (list, book, log), from 2027-03-07 10:00 UTC",
    "listing": "“Driveway” (11 kW Type 2 (socket)) in a hexagon",
    "withdrawal": "offers the charger 00010203… no longer",
    "quote": "about 8.40 EUR for 20 kWh, at most 13.86 EUR; good until",
    "request": "without an answer by 2027-03-08 10:16 UTC it is none",
    "cancel": "the driver 9849ee71… cancels (SAFETY)",
    "ticket-read-by-hand": "read by hand: 0 Wh charged so far",
    "receipt": "bills 8.40 EUR for 20 kWh",
    "paid": "is paid (manual)",
    "access-record": "tells 9849ee71… where the plug is",
    "vouch-taken-back": "no longer stands up for 9849ee71…",
}


def record(name: str, **changes: Any) -> Record[Any]:
    body = replace(BODIES[name], **changes)
    return sign(body, signer_of(body), NETWORK)


def write(folder: Path, name: str, *records: Record[Any]) -> str:
    (folder / name).write_bytes(b"".join(one.raw for one in records))
    return str(folder / name)


def test_every_kind_has_a_sentence_of_its_own() -> None:
    ours = {cls for name, cls in KINDS.items() if "." not in name}
    assert ours - set(_SENTENCES) == set()
    assert {type(body) for body in BODIES.values()} == ours, "and is tried below"


@pytest.mark.parametrize("name", BODIES)
def test_it_names_who_and_when_in_one_sentence(name: str) -> None:
    said = sentence(record(name))
    assert said.endswith(".") and "\n" not in said
    assert SAID.get(name, "") in said
    body = BODIES[name]
    if hasattr(body, "author"):
        assert body.author.hex()[:8] in said
    assert ("UTC" in said) == hasattr(body, "issued") and ("2027-03" in said or "1970" in said)


def test_show_explains_what_is_valid_and_why_the_rest_is_not(person: Person, tmp_path: Path) -> None:
    good, bad = record("cancel"), record("receipt")
    forged = replace(bad, raw=bad.raw[:-1] + bytes([bad.raw[-1] ^ 1]))
    said = person.types("record", "show", write(tmp_path, "f", good, forged), "--network", NETWORK)
    assert said.code == 0 and "the driver 9849ee71… cancels (SAFETY)" in said.out
    assert "Not valid: the signature of this receipt is wrong (bad-signature)." in said.out
    assert "It claims: " in said.out and "bills 8.40 EUR" in said.out
    assert "dimension: ENERGY" in said.out, "its fields by name, also the inner ones"
    told = person.types("--json", "record", "show", write(tmp_path, "f", good), "--network", NETWORK).value
    assert told[0]["says"] == sentence(good) and told[0]["signature"] == parts(good.raw)[2].hex()


# --- diff -----------------------------------------------------------------------------------------


def diff(person: Person, first: str, second: str) -> Any:
    return person.types("--json", "record", "diff", first, second, "--network", NETWORK)


def changes(said: Any) -> dict[str, tuple[str, str]]:
    (changed,) = said.value["changed"]
    return {one["field"]: (one["old"], one["new"]) for one in changed["changes"]}


def test_equal_sets_in_another_order_do_not_differ(person: Person, tmp_path: Path) -> None:
    one, two = record("accept"), record("ticket")
    said = diff(person, write(tmp_path, "a", one, two), write(tmp_path, "b", two, one, one))
    assert said.code == 0 and said.value["equal"] and said.value["same"] == 2
    told = person.types("record", "diff", str(tmp_path / "a"), str(tmp_path / "b"), "--network", NETWORK)
    assert told.code == 0 and told.out == "2 records are the same; nothing differs.\n"


def test_a_changed_field_is_told_with_old_and_new(person: Person, tmp_path: Path) -> None:
    body: Receipt = BODIES["receipt"]
    lines = (replace(body.lines[0], amount=1), *body.lines[1:])
    old, new = (
        record("receipt"),
        record("receipt", energy_wh=21_500, issued=body.issued + 60_000, lines=lines),
    )
    shared = record("accept")
    said = diff(person, write(tmp_path, "a", shared, old), write(tmp_path, "b", new, shared))
    assert said.code == 1 and said.value["same"] == 1
    found = changes(said)
    assert found["energy_wh"] == ("20 kWh", "21.5 kWh")
    assert found["issued"] == ("2027-03-08 12:00 UTC", "2027-03-08 12:01 UTC")
    assert found["lines[0].amount"] == (str(body.lines[0].amount), "1")
    assert found["id"] == (f"{old.id.hex()[:16]}…", f"{new.id.hex()[:16]}…")
    assert "signature" in found and "author" not in found and "total" not in found
    told = person.types("record", "diff", str(tmp_path / "a"), str(tmp_path / "b"), "--network", NETWORK).out
    assert "energy_wh: 20 kWh -> 21.5 kWh" in told and "1 record is the same, 1 changed" in told


def test_a_signature_that_was_changed_leaves_the_id(person: Person, tmp_path: Path) -> None:
    good = record("cancel")
    forged = replace(good, raw=good.raw[:-1] + bytes([good.raw[-1] ^ 1]))
    said = diff(person, write(tmp_path, "a", good), write(tmp_path, "b", forged))
    found = changes(said)
    assert set(found) == {"signature", "verdict"}
    assert found["verdict"] == ("valid", "the signature of this cancel is wrong (bad-signature)")


def test_an_optional_key_that_nobody_here_knows_is_told_too(person: Person, tmp_path: Path) -> None:
    found = changes(
        diff(
            person,
            write(tmp_path, "a", record("request")),
            write(tmp_path, "b", record("request-with-vehicle-and-proof")),
        )
    )
    assert found["vehicle"][0] == "absent" and "contact.peer_id" not in found


def test_what_only_one_file_holds_is_named_and_explained(person: Person, tmp_path: Path) -> None:
    shared, gone, new = record("accept"), record("paid"), record("problem")
    first, second = write(tmp_path, "a", shared, gone), write(tmp_path, "b", shared, new)
    said = diff(person, first, second)
    assert [one["id"] for one in said.value["missing"]] == [gone.id.hex()]
    assert [one["id"] for one in said.value["added"]] == [new.id.hex()]
    told = person.types("record", "diff", first, second, "--network", NETWORK)
    assert told.code == 1 and f"only in {first}: paid {gone.id.hex()[:16]}. " in told.out
    assert f"only in {second}: problem" in told.out and "A van stands in front of it" in told.out


def test_tickets_are_told_apart_by_what_they_name(person: Person, tmp_path: Path) -> None:
    """Of records of one kind the one that names the same things is the counterpart."""
    one, two = record("ticket", number=3), record("ticket", number=4, previous=record("ticket").id)
    later = record("ticket", number=4, previous=record("ticket").id, energy_wh=500)
    said = diff(person, write(tmp_path, "a", one, two), write(tmp_path, "b", one, later))
    assert changes(said)["energy_wh"] == ("0 Wh", "500 Wh")


# --- the log of somebody --------------------------------------------------------------------------


def log_of(*records: Record[Any]) -> dict[str, Any]:
    rows = [
        {
            "id": one.id.hex(),
            "kind": one.kind,
            "sequence": one.body.sequence,
            "month": one.body.month,
            "region": f"{one.body.region:x}",
            "raw": base64.b64encode(one.raw).decode(),
        }
        for one in records
    ]
    bundle = base64.b64encode(ALICE.bundle()).decode()
    return {
        "author": ALICE.author.hex(), "network": NETWORK, "records": rows, "bundles": [bundle], "more": False,
    }  # fmt: skip


def test_a_log_is_told_in_sentences_and_written_for_record_show(
    person: Person, node: StubNode, tmp_path: Path
) -> None:
    vouch = record("vouch")
    node.answers |= {
        "GET trust/bob": answers.TRUST,
        f"GET trust/{answers.AUTHOR}/log": log_of(vouch),
        "GET id": {"author": answers.AUTHOR},
    }
    file = tmp_path / "log.json"
    said = person.types("trust", "log", "bob", "--records", str(file))
    assert said.code == 0 and f"1. {sentence(vouch)}" in said.out and str(file) in said.out
    shown = person.types("record", "verify", str(file))
    assert shown.code == 0 and f"3 of 3 valid on {NETWORK}" in shown.out
    assert "vouch" in shown.out and "signature and delegation good" in shown.out
    node.answers[f"GET trust/{answers.AUTHOR}/log"] = log_of()
    assert "This node holds no entry" in person.types("trust", "log").out
    assert json.loads(file.read_text())["records"][0]["id"] == vouch.id.hex()
    assert explained(log_of()) == []
