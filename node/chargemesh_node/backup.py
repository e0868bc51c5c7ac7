"""Backup and restore: keys, bookings (node.db) and config.toml in one sealed file (sealed_file.py).

The first frame lists the files with their sizes; their contents follow in that order, in pieces of 64 KiB.
cache.db is not in it (others have it), nor the API token (a restored node pairs its phones anew), nor
the recovery key (the node never has it).

A restored node signs nothing at first: the device's log may have gone on after the backup, and a second
entry with a number already used is a fork that costs the identity its standing (specs/06, G6). The
flag file `restored.json` says so until peers were asked for the newest own entry.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from chargemesh_protocol.encoding import decode, encode
from chargemesh_protocol.errors import ExitCode, PersonError, Refused

from .clock import SystemClock, SystemEntropy
from .disk import disk_told, disk_trouble
from .home import (
    Home,
    read_private_file,
    replace_private_file,
    running_pid,
    sync_folder,
    write_new_private_file,
)
from .keystore import KEY_FILES
from .sealed_file import DEFAULT_COST, MAX_FRAME_BYTES, Cost, SealedReader, SealedWriter, check_passphrase

RISK_OF_FORCE = (
    "If this node signed log entries after the backup was made, it will now sign others under the same "
    "numbers. Every node that sees both will ignore this identity's entries from there on, and that "
    "can't be undone. Nothing else is risked: listings go on above every number that was published, and a "
    "booking waits until its other side has said what it holds. A charger that was added after the backup "
    "is unknown now: its last listing is shown for up to 2 hours."
)
_MAX_KEY_BYTES = 64 * 1024
_MAX_CONFIG_BYTES = 256 * 1024
_NAMES = re.compile(r"config\.toml|node\.db|keys/[a-z][a-z0-9.-]{0,40}")
_SALT_BYTES = 16


class _Entropy(Protocol):
    def bytes(self, n: int) -> bytes: ...


class _Clock(Protocol):
    def now(self) -> int: ...


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """What a backup holds: when it was made (unix ms), and each file's name and size in bytes."""

    made: int
    files: tuple[tuple[str, int], ...]


def write_backup(
    home: Home,
    out: Path,
    passphrase: str,
    *,
    clock: _Clock | None = None,
    entropy: _Entropy | None = None,
    cost: Cost = DEFAULT_COST,
) -> BackupInfo:
    """Write a backup of `home` to `out` (0600, never over an existing file); the node may be running.

    node.db is copied as of one instant. Takes about a second of one core and 256 MiB for the passphrase.
    """
    check_passphrase(passphrase)
    home.require_initialised()
    home.check_private()
    out = Path(os.path.abspath(out.expanduser()))
    try:
        with _snapshot(home) as sources, _private_file(out) as file:
            made = (clock or SystemClock()).now()
            info = BackupInfo(made, tuple((name, path.stat().st_size) for name, path in sources))
            salt = (entropy or SystemEntropy()).bytes(_SALT_BYTES)
            sealed = SealedWriter(file, passphrase, salt=salt, cost=cost)
            sealed.write(encode({0: made, 1: [[name, size] for name, size in info.files]}))
            for (name, size), (_, path) in zip(info.files, sources, strict=True):
                _seal_file(sealed, path, name, size)
            sealed.finish()
        sync_folder(out.parent)
    except FileExistsError as error:
        raise PersonError(
            "file-exists", f"{out} exists already.", "Choose another name.", ExitCode.USAGE
        ) from error
    except OSError as error:
        trouble = disk_trouble(error)
        if trouble is not None:
            raise trouble.told(out) from error
        raise PersonError(
            "cannot-write", f"Cannot write {out}: {error.strerror or error}.", "Choose another place."
        ) from error
    return info


def restore_backup(backup: Path, home: Home, passphrase: str, *, force: bool = False) -> BackupInfo:
    """Unpack a backup into an empty or missing home; all of it appears at once, or nothing.

    The node then stays read-only (`is_read_only`) unless `force`, whose risk is RISK_OF_FORCE.
    """
    if running_pid(home) is not None or (home.root.exists() and any(home.root.iterdir())):
        raise PersonError(
            "home-not-empty",
            f"{home.root} is not empty: a restore never overwrites a node.",
            "Name a new folder: `chargemesh --home NEW restore FILE`.",
            ExitCode.USAGE,
        )
    home.root.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Home(home.root.with_name(f".{home.root.name}.restoring"))
    if unfinished.root.exists():
        shutil.rmtree(unfinished.root)  # left by a restore that was cut short
    try:
        with backup.open("rb") as file:
            info = _unpack(file, unfinished, passphrase)
        write_new_private_file(unfinished.restored_flag, _note(forced=force))
        os.rename(unfinished.root, home.root)
        sync_folder(home.root.parent)
    except OSError as error:
        trouble = disk_trouble(error)
        if trouble is not None:
            raise trouble.told(home.root) from error
        raise PersonError(
            "cannot-restore", f"Cannot restore {backup}: {error.strerror or error}.", ""
        ) from error
    finally:
        shutil.rmtree(unfinished.root, ignore_errors=True)
    return info


def was_restored(home: Home) -> bool:
    """Whether this home was restored and has not signed since: its node must begin read-only."""
    return home.restored_flag.exists()


def is_forced(home: Home) -> bool:
    """Whether its owner took RISK_OF_FORCE: then the node goes on without asking, above what it published."""
    try:
        return json.loads(home.restored_flag.read_bytes()).get("forced") is True
    except FileNotFoundError:
        return False


def is_read_only(home: Home) -> bool:
    """Whether this home was restored and may not sign until peers were asked."""
    return was_restored(home) and not is_forced(home)


def force(home: Home) -> bool:
    """Let a restored node sign from its next start on: its owner took RISK_OF_FORCE. False if it could."""
    if not is_read_only(home):
        return False
    replace_private_file(home.restored_flag, _note(forced=True))
    return True


def end_restore(home: Home) -> None:
    """The node signs again, and has made sure that it repeats nothing."""
    with disk_told(home.restored_flag):
        home.restored_flag.unlink()
        sync_folder(home.root)


def _note(*, forced: bool) -> bytes:
    why = "peers were not yet asked for the newest own entry"
    return json.dumps({"forced": forced, "why": why}).encode()


@contextmanager
def _snapshot(home: Home) -> Iterator[list[tuple[str, Path]]]:
    """(name in the backup, file to read) of everything that goes in; node.db as a copy of one instant."""
    sources = [(f"keys/{name}", home.keys / name) for name in KEY_FILES]
    for _, path in sources:
        try:
            read_private_file(path, _MAX_KEY_BYTES)  # refuses loose modes and links before anything is copied
        except FileNotFoundError as error:
            raise PersonError(
                "missing-key-file",
                f"{path} is missing: this node can't be backed up.",
                "Restore an older backup into another folder: `chargemesh --home NEW restore FILE`.",
            ) from error
    if home.config_file.exists():
        sources.append(("config.toml", home.config_file))
    copy = home.root / ".node.db.backup"
    copy.unlink(missing_ok=True)
    try:
        if home.node_db.exists():
            write_new_private_file(copy, b"")  # SQLite keeps the mode of a file that is already there
            _copy_database(home.node_db, copy)
            sources.append(("node.db", copy))
        yield sources
    finally:
        copy.unlink(missing_ok=True)


def _copy_database(database: Path, copy: Path) -> None:
    """VACUUM INTO reads in one transaction, WAL included, and leaves out pages of deleted secrets."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        raise PersonError(
            "cannot-copy-database",
            f"Cannot copy {database}: {error}.",
            "Try again; `chargemesh doctor` checks it.",
        ) from error


@contextmanager
def _private_file(path: Path) -> Iterator[BinaryIO]:
    """A new 0600 file to write: on disk when the block ends, gone if it fails."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _seal_file(sealed: SealedWriter, path: Path, name: str, size: int) -> None:
    """The first `size` bytes of `path`; PersonError if it has become shorter since it was listed."""
    left = size
    with path.open("rb") as source:
        while left:
            piece = source.read(min(left, MAX_FRAME_BYTES))
            if not piece:
                raise PersonError("file-changed", f"{name} changed while it was copied.", "Try again.")
            sealed.write(piece)
            left -= len(piece)


def _unpack(file: BinaryIO, into: Home, passphrase: str) -> BackupInfo:
    sealed = SealedReader(file, passphrase)
    info = _read_manifest(sealed.read())
    into.create()
    into.keys.mkdir(mode=0o700)
    for name, size in info.files:
        with _private_file(into.root / name) as target:
            left = size
            while left:
                piece = sealed.read()
                if not piece or len(piece) > left:
                    raise _unreadable()
                target.write(piece)
                left -= len(piece)
    if sealed.read() is not None:
        raise _unreadable()
    for folder in (into.keys, into.root):
        sync_folder(folder)
    return info


def _read_manifest(frame: bytes | None) -> BackupInfo:
    """The list of files; names outside the few that a backup holds are refused, whoever wrote them."""
    try:
        tree = decode(frame or b"")
    except Refused as error:
        raise _unreadable() from error
    match tree:
        case {0: int(made), 1: list(items)}:
            pass
        case _:
            raise _unreadable()
    files: list[tuple[str, int]] = []
    for item in items:
        match item:
            case [str(name), int(size)] if _NAMES.fullmatch(name) and size >= 0:
                files.append((name, size))
            case _:
                raise _unreadable()
    if (
        len({name for name, _ in files}) != len(files)
        or not {f"keys/{name}" for name in KEY_FILES} <= dict(files).keys()
    ):
        raise _unreadable()
    return BackupInfo(made, tuple(files))


def _unreadable() -> PersonError:
    return PersonError(
        "unreadable-backup",
        "The passphrase is right, but this backup isn't laid out as this program writes it.",
        "Restore it with the chargemesh version that made it.",
    )
