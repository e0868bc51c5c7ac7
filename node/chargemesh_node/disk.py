"""What a disk's refusals mean: by the system's number, in a sentence that says what to do.

A quota, a file-size limit and a full disk are one thing to a node (give room, then it goes on); a disk that
fails, or that the system has made read-only over errors, is another.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chargemesh_protocol.errors import PersonError

# A full disk may take a few bytes more, but not so many; and no file system compresses these.
_PROBE = hashlib.shake_128(b"probe").digest(256 * 1024)


@dataclass(frozen=True, slots=True)
class DiskTrouble:
    """`full`: room would help. `why` goes into a sentence with the path after it; `hint` is one."""

    code: str
    full: bool
    why: str
    hint: str

    def told(self, path: Path | str) -> PersonError:
        said = f"{self.why} {path}."
        return PersonError(self.code, said[:1].upper() + said[1:], self.hint)


_TROUBLES = {
    errno.ENOSPC: DiskTrouble(
        "disk-full", True, "there is no room on the disk for", "Free some disk space and try again."
    ),
    errno.EDQUOT: DiskTrouble(
        "quota-used-up",
        True,
        "your disk quota leaves no room for",
        "Delete some of your files or ask for a larger quota, then try again.",
    ),
    errno.EFBIG: DiskTrouble(
        "file-size-limit",
        True,
        "this system's limit on the size of files leaves no room for",
        "Raise the limit (`ulimit -f`), then start the node again.",
    ),
    errno.EROFS: DiskTrouble(
        "disk-read-only",
        False,
        "the disk can only be read, so nothing can be written to",
        "Mount it for writing. If the system itself made it read-only, the disk may be failing: back up now.",
    ),
    errno.EIO: DiskTrouble(
        "disk-fails",
        False,
        "the disk failed to write",
        "Look at the system's log: the disk or its cable may be broken. Keep your backup at hand.",
    ),
}


def disk_trouble(error: OSError) -> DiskTrouble | None:
    """What the disk has; None for an error that is not the disk's (no rights, no such file)."""
    return _TROUBLES.get(error.errno or 0)


def probe(folder: Path) -> DiskTrouble | None:
    """Writes a little into `folder` and removes it, to learn why somebody else's write failed (SQLite tells
    no reason). None if the disk takes it, or refuses for another reason."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.pwrite(file.fileno(), _PROBE, 0)
            os.fsync(file.fileno())
    except OSError as error:
        return disk_trouble(error)
    return None


@contextmanager
def disk_told(path: Path) -> Iterator[None]:
    """A PersonError in place of an OSError by which the disk refuses to write `path`; others pass."""
    try:
        yield
    except OSError as error:
        trouble = disk_trouble(error)
        if trouble is None:
            raise
        raise trouble.told(path) from error
