"""`record show` explains every kind in a sentence, and `record diff` says what differs between two files."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chargemesh_cli.evidence import judge
from chargemesh_cli.record_diff import difference
from chargemesh_cli.record_fields import field_lines
from chargemesh_cli.record_text import _SENTENCES, explained, sentence
from chargemesh_cli.render import clean
from chargemesh_protocol.booking.records import Receipt
from chargemesh_protocol.identity import public_key
from chargemesh_protocol.record import KINDS, Record, parts, sign

from ..protocol import forge
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


# Every field that holds an instant without an end, by the record that has it.
UNBOUNDED = {
    "genesis": ("issued",),
    "delegation": ("issued", "expires"),
    "listing": ("issued", "expires"),
    "renewal": ("issued",),
    "withdrawal": ("issued",),
    "review-commitment": ("issued",),
    "ticket": ("at",),
}


@pytest.mark.parametrize("name", UNBOUNDED)
def test_an_instant_that_no_calendar_holds_is_after_2199(person: Person, tmp_path: Path, name: str) -> None:
    """Valid by the specs, and so it is told: it must not hide the records beside it."""
    last = 2**63 - 1
    far = {field: last - (field == "issued" and len(UNBOUNDED[name]) > 1) for field in UNBOUNDED[name]}
    strange = record(name, **far)
    file = write(tmp_path, "f", record("accept"), strange, record("paid"))
    for words in (("show",), ("verify",), ("diff", file)):
        said = person.types("record", *words, file, "--network", NETWORK)
        assert said.code == 0 and "inside chargemesh" not in said.err, words
    shown = person.types("record", "show", file, "--network", NETWORK).out
    assert "after 2199" in sentence(strange) and f"{UNBOUNDED[name][0]}: after 2199" in shown
    assert "3. paid" in shown


def test_a_field_is_told_in_words_and_left_out_where_it_is_absent(person: Person, tmp_path: Path) -> None:
    file = write(tmp_path, "f", record("ticket-read-by-hand"), record("receipt"))
    lines = person.types("record", "show", file, "--network", NETWORK).out.splitlines()
    shown = [line.strip() for line in lines]
    assert "by_hand: yes" in shown and "energy_wh: 20 kWh" in shown
    assert "issued: 2027-03-08 12:00 UTC" in shown and "lines[0]:" in shown
    assert not [one for one in shown if one.endswith((": None", ": True", ": False", ": "))]


def test_lists_of_different_things_are_shown_too() -> None:
    """As an unknown key of a stranger may hold them."""
    odd = {"key 16": [{"0": 1}, 5, [True, {"1": "x"}]], "key 17": [], "key 18": [1, 2]}
    assert list(field_lines(odd)) == [
        "key 16[0]:", "  0: 1", "key 16[1]: 5", "key 16[2][0]: yes", "key 16[2][1]:", "  1: x",
        "key 17: none", "key 18: 1, 2",
    ]  # fmt: skip


ESCAPES = "a\x1b[2J\n12. receipt deadbeef: signature good\r\u202e\x9b31m"


def test_a_strangers_text_moves_no_cursor_and_ends_no_line(person: Person, tmp_path: Path) -> None:
    plain, strange = record("problem", text="a"), record("problem", text=ESCAPES)
    account = record("receipt", payee_name=ESCAPES)
    header = forge.header("\x1b[2J\u202e", public_key(ALICE.device))
    unknown = forge.record(b"\xa0", protected=header, seed=ALICE.device, network=NETWORK)
    file = write(tmp_path, "f", strange, account, replace(strange, raw=unknown))
    other = write(tmp_path, "g", plain, account)
    for words in (("show",), ("verify",), ("diff", other), ("diff", file)):
        out = person.types("record", *words, file, "--network", NETWORK).out
        assert not [line for line in out.split("\n") if clean(line) != line], words
        assert not [line for line in out.split("\n") if line.startswith("12. receipt")]


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
    assert told.code == 0 and told.out.endswith("\n2 records are the same; nothing differs.\n")
    assert said.value["repeated"] == [0, 1]
    assert told.out.startswith(f"{tmp_path / 'b'} holds 1 of its records more than once")


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


def test_what_differs_is_shown_where_the_beginnings_are_alike(person: Person, tmp_path: Path) -> None:
    listing = BODIES["renewal"].listing
    other = listing[:20] + bytes([listing[20] ^ 1]) + listing[21:]
    old, new = record("renewal"), record("renewal", listing=other, issued=BODIES["renewal"].issued + 1)
    found = changes(diff(person, write(tmp_path, "a", old), write(tmp_path, "b", new)))
    assert all(one != other for one, other in found.values())
    was, is_ = found["listing"]
    assert f"from byte 21 on {listing[20:28].hex()}" in was and f"from byte 21 on {other[20:28].hex()}" in is_
    assert found["issued"][0].endswith(f"({old.body.issued})") and found["issued"][1].endswith(
        f"({new.body.issued})"
    )
    hidden = record("problem", text="a\u202eb"), record("problem", text="a b")
    found = changes(diff(person, write(tmp_path, "a", hidden[0]), write(tmp_path, "b", hidden[1])))
    assert found["text"] == (r"a b ('a\u202eb')", "a b ('a b')")
    assert list(_between(b"\xff", b"\xfe")) == ["bytes, by their SHA-256"]


def _between(first: bytes, second: bytes) -> Iterator[str]:
    """The fields that differ between two records cut short, of which nothing can be read."""
    for old in judge(b"\xd2\x84" + first, NETWORK)[0]:
        for new in judge(b"\xd2\x84" + second, NETWORK)[0]:
            (changed,) = difference([old], [new]).changed
            yield from (one.field for one in changed.changes)


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
