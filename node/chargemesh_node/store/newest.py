"""What `doctor` reads of node.db while no node runs: the newest instant that was signed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from chargemesh_protocol.clock import CLOCK, NEWEST_SIGNED


def newest_signed(node_db: Path) -> int:
    """Unix ms, 0 if nothing was signed or the file can't be read (which the node itself tells better)."""
    try:
        with closing(sqlite3.connect(f"{node_db.as_uri()}?mode=ro", uri=True, timeout=1)) as db:
            row = db.execute(
                "SELECT value FROM document WHERE collection = ? AND key = ?", (CLOCK, NEWEST_SIGNED)
            ).fetchone()
    except sqlite3.Error:
        return 0
    return 0 if row is None else int.from_bytes(row[0], "big")
