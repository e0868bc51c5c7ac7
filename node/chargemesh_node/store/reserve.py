"""A file of no content that keeps room on the disk: deleted when node.db finds none, made again later.

So a booking that is under way can still be written when something else (a cache, a log, a person's
downloads) has filled the disk. File systems that compress may keep less than its size.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from .database import free_bytes

LOG = logging.getLogger(__name__)


class Reserve:
    """`size` bytes beside the database; a size of 0 keeps nothing."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self.stands = False
        self._impossible = False

    def make(self) -> bool:
        """Sets the room aside if it isn't and the disk has twice as much to give; whether it stands now."""
        if self.stands or self._impossible or not self._size:
            return self.stands
        try:
            if self._path.exists() and self._path.stat().st_size == self._size:
                self.stands = True
            elif free_bytes(self._path.parent) >= 2 * self._size:
                self._allocate()
                self.stands = True
        except OSError as error:
            LOG.warning("could not keep a reserve of %d bytes in %s: %s", self._size, self._path, error)
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            self._impossible = True  # until the node starts again
        return self.stands

    def release(self) -> bool:
        """Gives the room to whoever writes next; False if there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False  # there is none, or the disk takes no change at all
        self.stands = False
        LOG.warning("the disk is full: the reserve of %d bytes is in use now", self._size)
        return True

    def _allocate(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self._path, flags, 0o600), "wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, self._size)
            else:  # macOS
                file.write(bytes(self._size))
