"""The node as a whole, against the stub: status, doctor, id, peers, invite, join, phone, stop."""

from __future__ import annotations

from . import samples
from .person import Person
from .stub_node import TOKEN, Refusal, StubNode


def test_status_is_told_in_sentences_and_id_in_facts(person: Person, node: StubNode) -> None:
    node.answers |= {"GET status": samples.STATUS, "GET id": samples.IDENTITY}
    out = person.types("status").out
    assert "Connected to 2 peers." in out and "3 bookings, 1 open" in out and "runner.refused  1" in out
    assert "restored" not in out and "MAX RECORD BYTES" not in out and "{" not in out
    node.answers["GET status"] = {**samples.STATUS, "read_only": True, "network_pid": None}
    out = person.types("status").out
    assert "It was restored and signs nothing yet" in out and "started again by itself" in out
    node.answers["GET status"] = samples.STATUS
    assert "MAX RECORD BYTES: 65536" in person.types("status", "--limits").out
    assert person.types("--json", "status").value == samples.STATUS
    for address in samples.IDENTITY["addresses"]:
        assert f"  {address}/p2p/{samples.IDENTITY['peer_id']}\n" in person.types("id").out
    assert person.types("--json", "id").value == samples.IDENTITY


def test_doctor_marks_what_is_wrong(person: Person, node: StubNode) -> None:
    node.answers["GET doctor"] = samples.DOCTOR
    said = person.types("doctor")
    assert said.code == 1
    assert said.out.splitlines()[1:3] == ["  NO  Connected to no peer.", "      Ask for an invitation."]
    node.answers["GET doctor"] = {"healthy": True, "checks": samples.DOCTOR["checks"][:1]}
    assert person.types("--json", "doctor").code == 0


def test_peers_are_listed_and_added(person: Person, node: StubNode) -> None:
    node.answers |= {"GET peers": samples.PEERS, "POST peers": samples.PEERS}
    assert "12D3KooX  /ip4/10.0.0.2/tcp/4001" in person.types("peers").out
    assert person.types("peers", "--add", "/ip4/10.0.0.2/tcp/4001/p2p/12D3KooX").code == 0
    assert node.calls("POST peers")[0].body["address"].endswith("12D3KooX")
    node.answers["GET peers"] = {**samples.PEERS, "peers": []}
    assert "chargemesh join" in person.types("peers").out


def test_invite_and_join(person: Person, node: StubNode) -> None:
    node.answers |= {
        "GET invite": samples.INVITE,
        "POST join": {"network": "chargemesh-dev-1", "connected": 1, "peers": ["12D3KooX"]},
    }
    assert person.types("invite", "--no-qr").out.strip() == samples.INVITE["link"]
    assert "▀▄▀" in person.types("invite").out
    assert "connected to 1 node." in person.types("join", samples.INVITE["link"]).out
    assert node.calls("POST join")[0].body == {"link": samples.INVITE["link"]}


def test_a_damaged_invitation_reaches_no_node(person: Person, node: StubNode) -> None:
    said = person.types("join", samples.INVITE["link"][:-9])
    assert said.code == 2 and "damaged" in said.err and not node.calls("POST join")


def test_a_phone_gets_a_link_of_its_own(person: Person, node: StubNode) -> None:
    link = "http://192.168.1.5:8080/#token=x"
    node.answers["POST phones"] = {"name": "mine", "link": link, "qr_terminal": "▀▄▀", "on_lan": False}
    out = person.types("phone", "mine").out
    assert link in out and "phone.address" in out
    assert node.calls("POST phones")[0].body == {"name": "mine"}


def test_stop_waits_until_the_node_has(person: Person, node: StubNode) -> None:
    node.answers["POST stop"] = {"stopping": True}
    assert person.types("--json", "stop").value["stopped"] is True


def test_every_request_carries_the_token(person: Person, node: StubNode) -> None:
    node.answers["GET status"] = samples.STATUS
    person.types("status")
    assert node.refused == 0 and len(TOKEN) == 64
    (person.home.api_token_file).write_text("00" * 32)
    assert person.types("status").code != 0 and node.refused > 0


def test_a_token_others_could_read_is_refused(person: Person, node: StubNode) -> None:
    person.home.api_token_file.chmod(0o644)
    said = person.types("status")
    assert said.code == 5 and "chmod 600" in said.err


def test_an_internal_error_of_the_node_is_told_plainly(person: Person, node: StubNode) -> None:
    node.answers["GET status"] = Refusal(
        500, "internal", "Something went wrong.", "`chargemesh logs` says more."
    )
    said = person.types("status")
    assert said.code == 1 and "logs" in said.err


def test_doctor_checks_what_it_can_before_it_says_that_no_node_runs(person: Person) -> None:
    said = person.types("doctor")
    assert said.code == 4 and "The keys are there" in said.out
    assert "NO  No node is running" in said.out.splitlines()[-2]


def test_a_hint_names_the_home_of_the_call(person: Person) -> None:
    assert f"`chargemesh run --home {person.home.root}`" in person.types("status").err
