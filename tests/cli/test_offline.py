"""What works without a node: init, backup and restore, config, logs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chargemesh_node import offline
from chargemesh_node.home import Home
from chargemesh_protocol.errors import PersonError

from .conftest import NETWORK, PHRASE
from .person import Person

SECRET = "correct horse battery"


@pytest.fixture
def secret(tmp_path: Path) -> str:
    (tmp_path / "secret").write_text(SECRET + "\n")
    return str(tmp_path / "secret")


def test_init_for_a_script_prints_the_phrase_once_and_keeps_it_nowhere(empty: Home) -> None:
    said = Person(empty).types("--json", "init", "--yes", "--network", NETWORK)
    assert said.code == 0 and said.value["network"] == NETWORK and said.value["home"] == str(empty.root)
    words = said.value["phrase"]
    offline.check_phrase(words)
    kept = b"".join(path.read_bytes() for path in empty.root.rglob("*") if path.is_file())
    assert " ".join(words.split()[:3]).encode() not in kept.replace(b"\n", b" ")
    assert empty.root.stat().st_mode & 0o077 == 0
    assert offline.setting(empty, {}, "network.id") == NETWORK


def test_init_with_a_phrase_file_writes_it_or_takes_it(empty: Home, tmp_path: Path) -> None:
    file = tmp_path / "phrase"
    said = Person(empty).types("init", "--phrase-file", str(file))
    assert said.code == 0 and len(file.read_text().split()) == 24 and file.stat().st_mode & 0o777 == 0o600
    other = Person(Home(empty.root / "other"))
    words = file.read_text()
    assert other.types("init", "--phrase-file", str(file)).code == 0 and file.read_text() == words
    file.write_text("only three words")
    refused = Person(Home(empty.root / "third")).types("init", "--phrase-file", str(file))
    assert refused.code == 2 and not (empty.root / "third").exists()


def test_init_is_never_done_twice(person: Person, home: Home) -> None:
    before = (home.keys / "root").read_bytes()
    said = person.types("init", "--yes")
    assert said.code == 1 and "already holds a node" in said.err
    assert (home.keys / "root").read_bytes() == before


def test_init_says_that_words_used_again_make_a_new_identity(empty: Home, tmp_path: Path) -> None:
    file = tmp_path / "phrase"
    first = Person(empty).types("init", "--phrase-file", str(file))
    assert "Today only a backup brings an identity back" in first.out
    again = Person(Home(empty.root / "other")).types("init", "--phrase-file", str(file))
    assert "a NEW identity" in again.out


def test_init_refuses_a_bad_network_before_any_phrase_is_written(empty: Home, tmp_path: Path) -> None:
    file = tmp_path / "phrase"
    said = Person(empty).types("init", "--network", "Bad!!", "--phrase-file", str(file))
    assert said.code == 2 and "a network id looks like" in said.err
    assert not file.exists() and not empty.root.exists()


def test_init_needs_somebody_to_show_the_phrase_to(empty: Home) -> None:
    said = Person(empty).types("init")
    assert said.code == 2 and "--phrase-file" in said.err and not empty.root.exists()


def test_at_a_terminal_init_asks_two_words_back_and_offers_a_backup(
    empty: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline, "new_phrase", lambda: PHRASE)
    out = tmp_path / "node.backup"
    answers = ["wrong", "abandon", "abandon", "art", "y", str(out), "short", "short", SECRET, SECRET]
    monkeypatch.setattr("chargemesh_cli.commands.init._words_to_ask", lambda: [3, 24])
    said = Person(empty).types("init", answers="\n".join(answers) + "\n")
    assert said.code == 0, said
    assert "Step 1 of 2" in said.err and "24. art" in said.err and "That is not word 3" in said.err
    assert "A passphrase has" in said.err
    assert out.exists() and empty.is_initialised


def test_a_node_is_only_made_once_the_words_came_back(empty: Home) -> None:
    said = Person(empty).types("init", answers="nonsense\n")
    assert said.code == 1 and not empty.is_initialised and "Stopped" in said.err


def test_backup_and_restore(person: Person, home: Home, tmp_path: Path, secret: str) -> None:
    file = str(tmp_path / "node.backup")
    said = person.types("--json", "backup", file, "--passphrase-file", secret)
    assert said.code == 0 and said.value["bytes"] > 1000
    assert person.types("backup", file, "--passphrase-file", secret).code == 2  # never over a file
    other = Person(Home(home.root.parent / "other"))
    back = other.types("--json", "restore", file, "--passphrase-file", secret)
    assert back.code == 0 and back.value["read_only"] is True
    assert (other.home.keys / "root").read_bytes() == (home.keys / "root").read_bytes()
    again = other.types("restore", file, "--passphrase-file", secret)
    assert again.code == 2 and "not empty" in again.err


def test_a_restore_names_what_is_wrong(person: Person, home: Home, tmp_path: Path, secret: str) -> None:
    other = Person(Home(home.root.parent / "other"))
    assert other.types("restore", str(tmp_path / "none"), "--passphrase-file", secret).code != 0
    file = tmp_path / "node.backup"
    person.types("backup", str(file), "--passphrase-file", secret)
    (tmp_path / "wrong").write_text("another passphrase\n")
    said = other.types("restore", str(file), "--passphrase-file", str(tmp_path / "wrong"))
    assert said.code != 0 and "passphrase" in said.err and not other.home.root.exists()


def test_force_names_its_risk_and_asks(person: Person, home: Home, tmp_path: Path, secret: str) -> None:
    file = str(tmp_path / "node.backup")
    person.types("backup", file, "--passphrase-file", secret)
    other = Person(Home(home.root.parent / "other"))
    refused = other.types("restore", file, "--passphrase-file", secret, "--force")
    assert refused.code == 2 and "ignore this identity" in refused.err and not other.home.root.exists()
    other.types("restore", file, "--passphrase-file", secret)
    lifted = other.types("restore", "--force", answers="y\n")
    assert lifted.code == 0 and "signs again" in lifted.out and "ignore this identity" in lifted.err
    assert json.loads(other.types("--json", "restore", "--force", "--yes").out)["lifted"] is False


def test_a_passphrase_may_come_from_the_environment(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARGEMESH_PASSPHRASE", SECRET)
    assert person.types("backup", str(tmp_path / "b")).code == 0
    monkeypatch.setenv("CHARGEMESH_PASSPHRASE", "short")
    assert person.types("backup", str(tmp_path / "c")).code == 2


def test_config_is_read_changed_and_found(person: Person, home: Home) -> None:
    assert person.types("config", "path").out.strip() == str(home.config_file)
    assert person.types("config", "set", "wallbox.port", "9400").code == 0
    assert person.types("config", "get", "wallbox.port").out.strip() == "9400"
    assert person.types("--json", "config", "get", "wallbox.port").value == 9400
    everything = person.types("--json", "config", "get").value
    assert person.types("--json", "config").value == everything == person.types("config", "--json").value
    assert person.types("config").out == person.types("config", "get").out
    assert everything["network.id"] == NETWORK and everything["wallbox.port"] == 9400
    assert re.search(r"wallbox\.port +9400 +Port where", person.types("config", "get").out)


def test_saved_places_are_kept_and_checked(person: Person, home: Home) -> None:
    assert person.types("config", "set", "find.places", '["Work=52.52,13.40"]').code == 0
    assert offline.saved_places(home, {}) == {"Work": "52.52,13.40"}
    refused = person.types("config", "set", "find.places", "52.52")
    assert refused.code == 2 and "work=" in refused.err


def test_logs_are_read_without_a_node(person: Person, home: Home) -> None:
    assert "Nothing has been logged" in person.types("logs").out
    home.log_file.write_text("".join(f"line {number}\n" for number in range(100)))
    assert person.types("logs", "--lines", "2").out == "line 98\nline 99\n"
    assert person.types("--json", "logs", "--lines", "1").value["lines"] == ["line 99"]


def test_the_facade_refuses_to_lift_while_a_node_runs(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "running_pid", lambda _: 1)
    with pytest.raises(PersonError, match="must not run"):
        offline.force(home)


def test_config_set_tells_of_the_environment_that_goes_before_it(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARGEMESH_WALLBOX_PORT", "9400")
    said = person.types("config", "set", "wallbox.port", "9311")
    assert "is now 9311 in config.toml, but this environment sets CHARGEMESH_WALLBOX_PORT" in said.out
