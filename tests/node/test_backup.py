"""Backup and restore: whole, private, and honest about what is wrong with a file."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chargemesh_node.backup import (
    RISK_OF_FORCE,
    BackupInfo,
    end_restore,
    force,
    is_forced,
    is_read_only,
    restore_backup,
    was_restored,
    write_backup,
)
from chargemesh_node.clock import ManualClock, SeededEntropy
from chargemesh_node.config import load_config, set_setting
from chargemesh_node.home import Home, HomeLock
from chargemesh_node.keystore import Keys, create_keys, ensure_api_token, load_keys, new_recovery_phrase
from chargemesh_node.sealed_file import Cost, SealedWriter
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import PersonError

NETWORK = "chargemesh-test-backup"
NOW = 1_790_000_000_000
PASSPHRASE = "korrekt Pferd Batterie Klammer"
CHEAP = Cost(passes=1, memory_kib=8)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    entropy = SeededEntropy(b"home")
    phrase = new_recovery_phrase(entropy)
    create_keys(made, recovery_phrase=phrase, network=NETWORK, entropy=entropy, now=NOW)
    ensure_api_token(made, entropy)
    set_setting(made.config_file, "payee.name", "Ada")
    return made


@pytest.fixture
def keys(home: Home) -> Keys:
    return load_keys(home, NETWORK)


@pytest.fixture
def bookings(home: Home) -> Iterator[sqlite3.Connection]:
    """node.db as a running node has it: open, in WAL mode, with rows that are in no checkpoint yet."""
    with closing(sqlite3.connect(home.node_db)) as connection:
        home.node_db.chmod(0o600)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE bookings(id INTEGER PRIMARY KEY, body BLOB)")
        connection.executemany(
            "INSERT INTO bookings(body) VALUES (?)", [(bytes([n]) * 5000,) for n in range(60)]
        )
        connection.commit()
        yield connection


@pytest.fixture
def backup(home: Home, bookings: sqlite3.Connection, tmp_path: Path) -> Path:
    out = tmp_path / "node.backup"
    save(home, out)
    return out


def save(home: Home, out: Path) -> BackupInfo:
    return write_backup(
        home, out, PASSPHRASE, clock=ManualClock(NOW), entropy=SeededEntropy(b"salt"), cost=CHEAP
    )


def refused(backup: Path, tmp_path: Path, passphrase: str = PASSPHRASE) -> PersonError:
    """Restore must fail and leave no trace."""
    target = Home(tmp_path / "elsewhere" / "home")
    with pytest.raises(PersonError) as caught:
        restore_backup(backup, target, passphrase)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    return caught.value


def test_everything_comes_back_private(home: Home, keys: Keys, backup: Path, tmp_path: Path) -> None:
    restored = Home(tmp_path / "new" / "home")
    info = restore_backup(backup, restored, PASSPHRASE)
    assert info.made == NOW
    assert load_keys(restored, NETWORK) == keys
    assert load_config(restored.config_file, {}).payee.name == "Ada"
    with closing(sqlite3.connect(restored.node_db)) as connection:
        rows = connection.execute("SELECT body FROM bookings ORDER BY id").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert rows == [(bytes([n]) * 5000,) for n in range(60)]
    for path in (restored.root, *restored.root.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_the_token_and_the_cache_stay_behind(
    home: Home, bookings: sqlite3.Connection, tmp_path: Path
) -> None:
    home.cache_db.write_bytes(b"others' listings")
    info = save(home, tmp_path / "out")
    assert {name for name, _ in info.files} == {
        "keys/root", "keys/device", "keys/transport", "keys/identity", "config.toml", "node.db",
    }  # fmt: skip


def test_a_backup_is_private_and_shows_nothing(home: Home, keys: Keys, backup: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    content = backup.read_bytes()
    for secret in (keys.root, keys.device, keys.transport, b"Ada", b"SQLite format", b"keys/root"):
        assert secret not in content
    assert {path.name for path in tmp_path.iterdir()} == {"home", "node.backup"}  # no copy left in clear
    assert not list(home.root.glob(".*"))


def test_a_node_may_go_on_writing(home: Home, bookings: sqlite3.Connection, tmp_path: Path) -> None:
    bookings.execute("INSERT INTO bookings(body) VALUES ('uncommitted')")
    save(home, tmp_path / "out")
    bookings.commit()
    restored = Home(tmp_path / "new")
    restore_backup(tmp_path / "out", restored, PASSPHRASE)
    with closing(sqlite3.connect(restored.node_db)) as connection:
        assert connection.execute("SELECT count(*) FROM bookings").fetchone() == (60,)


def test_a_node_that_never_ran_has_a_backup_too(home: Home, tmp_path: Path) -> None:
    save(home, tmp_path / "out")
    restored = Home(tmp_path / "new")
    restored.root.mkdir(mode=0o700)  # an empty folder is no obstacle
    restore_backup(tmp_path / "out", restored, PASSPHRASE)
    assert load_keys(restored, NETWORK) == load_keys(home, NETWORK)


def test_a_wrong_passphrase_is_named(backup: Path, tmp_path: Path) -> None:
    assert refused(backup, tmp_path, "korrekt Pferd Batterie").code == "wrong-passphrase"
    assert refused(backup, tmp_path, "").code == "wrong-passphrase"


def test_a_passphrase_typed_on_another_keyboard_opens_it(home: Home, tmp_path: Path) -> None:
    write_backup(home, tmp_path / "out", "Grüße aus Köln", cost=CHEAP)
    restore_backup(tmp_path / "out", Home(tmp_path / "new"), "Gru\u0308ße aus Ko\u0308ln")


@pytest.mark.parametrize("keep", [0, 10, 40, 66, 70, 500, 70_000, -1, -21, -22])
def test_a_cut_file_is_named(backup: Path, tmp_path: Path, keep: int) -> None:
    backup.write_bytes(backup.read_bytes()[:keep])
    assert refused(backup, tmp_path).code == ("not-a-backup" if 0 <= keep < 18 else "truncated-backup")


@pytest.mark.parametrize("at", [3, 18, 19, 24, 30, 60, 68, 75, 400, 100_000, -1, -20])
def test_an_altered_byte_is_noticed(backup: Path, tmp_path: Path, at: int) -> None:
    content = bytearray(backup.read_bytes())
    content[at] ^= 1
    backup.write_bytes(content)
    assert refused(backup, tmp_path).code in {
        "not-a-backup", "backup-version", "wrong-passphrase", "altered-backup", "truncated-backup",
    }  # fmt: skip


def test_frames_cannot_be_dropped_or_added(backup: Path, tmp_path: Path) -> None:
    content = backup.read_bytes()
    backup.write_bytes(content + b"\0")
    assert refused(backup, tmp_path).code == "altered-backup"
    first = 67 + 4 + int.from_bytes(content[67:71], "big")
    second = first + 4 + int.from_bytes(content[first : first + 4], "big")
    backup.write_bytes(content[:first] + content[second:])
    assert refused(backup, tmp_path).code == "altered-backup"


def test_a_backup_cannot_demand_all_memory(backup: Path, tmp_path: Path) -> None:
    content = bytearray(backup.read_bytes())
    content[23:27] = b"\xff\xff\xff\xff"
    backup.write_bytes(content)
    assert refused(backup, tmp_path).code == "altered-backup"


@pytest.mark.parametrize("name", ["../../evil", "/etc/passwd", "keys/../x", "run/api.token", "restored.json"])
def test_a_backup_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    with (tmp_path / "made").open("wb") as file:
        sealed = SealedWriter(file, PASSPHRASE, salt=bytes(16), cost=CHEAP)
        sealed.write(
            encode(
                {
                    0: NOW,
                    1: [[f"keys/{one}", 0] for one in ("root", "device", "transport", "identity")]
                    + [[name, 0]],
                }
            )
        )
        sealed.finish()
    assert refused(tmp_path / "made", tmp_path).code == "unreadable-backup"


def test_a_home_in_use_is_never_overwritten(home: Home, keys: Keys, backup: Path) -> None:
    with pytest.raises(PersonError, match="not empty"):
        restore_backup(backup, home, PASSPHRASE)
    with HomeLock(home), pytest.raises(PersonError, match="not empty"):
        restore_backup(backup, home, PASSPHRASE, force=True)
    assert load_keys(home, NETWORK) == keys


def test_people_s_mistakes_are_sentences(home: Home, tmp_path: Path) -> None:
    with pytest.raises(PersonError, match="10 to 1024 characters"):
        write_backup(home, tmp_path / "out", "short", cost=CHEAP)
    (tmp_path / "out").write_text("mine")
    with pytest.raises(PersonError, match="exists already"):
        save(home, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"
    with pytest.raises(PersonError, match="No such file"):
        save(home, tmp_path / "nowhere" / "out")
    with pytest.raises(PersonError, match="No such file"):
        restore_backup(tmp_path / "nowhere", Home(tmp_path / "new"), PASSPHRASE)
    with pytest.raises(PersonError, match="no chargemesh node"):
        save(Home(tmp_path / "other"), tmp_path / "out2")


def test_a_backup_that_fails_leaves_nothing(home: Home, tmp_path: Path) -> None:
    home.node_db.write_bytes(b"this is no database" * 100)
    with pytest.raises(PersonError, match="Cannot copy"):
        save(home, tmp_path / "out")
    (home.keys / "device").unlink()
    with pytest.raises(PersonError, match="device is missing"):
        save(home, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"home"}
    assert not list(home.root.glob(".*"))


def test_a_restored_node_signs_nothing_until_told(backup: Path, tmp_path: Path) -> None:
    restored = Home(tmp_path / "new")
    restore_backup(backup, restored, PASSPHRASE)
    assert is_read_only(restored)
    assert force(restored)
    assert not force(restored) and not is_read_only(restored)
    assert was_restored(restored) and is_forced(restored), "its node still has to pass what was published"
    end_restore(restored)
    assert not was_restored(restored) and not is_forced(restored)


def test_force_takes_the_risk(backup: Path, tmp_path: Path) -> None:
    restored = Home(tmp_path / "new")
    restore_backup(backup, restored, PASSPHRASE, force=True)
    assert not is_read_only(restored)
    assert was_restored(restored) and is_forced(restored)
    assert "can't be undone" in RISK_OF_FORCE
