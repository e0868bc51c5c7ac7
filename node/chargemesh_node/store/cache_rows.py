"""The tables of cache.db, and how listings, contacts and queries become rows and back.

`place` holds one row for each cell that a listing lies in (its public cell and that cell's parents down
to resolution 4) and each connector type it has, so that "within one of these cells, with this plug, from
this power, up to this price" is one range of an index. Triggers keep it equal to `listing`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.places import Hand, Source
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import ROOT_RESOLUTION, parent, resolution_of

from ..ports import CachedListing, CachedWithdrawal
from .database import Statement

# A file of another version is thrown away and made anew: everything in it can be asked for again.
CACHE_VERSION = 4
MAX_PEERS = 1024  # contacts that worked; a start needs a handful that still do

_PLACES_OF = """
    SELECT cell.value, connector.value, {row}.max_power_w, {row}.price, {row}.id
    FROM json_each({row}.cells) AS cell, json_each({row}.connectors) AS connector"""
_IN_CELLS = "cell IN (SELECT value FROM json_each(?))"
_ADD_PLACES = f"INSERT OR IGNORE INTO place {_PLACES_OF.format(row='NEW')};"
_DROP_PLACES = f"""
    DELETE FROM place WHERE (cell, connector, power, price, listing) IN ({_PLACES_OF.format(row="OLD")});"""
_DROP_OTHER = "DELETE FROM {} WHERE author = NEW.author AND charger = NEW.charger;"
_PLACE_COLUMNS = ("cells", "connectors", "max_power_w", "price")
_MOVED = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in _PLACE_COLUMNS)

# Large blobs come last: a row is judged by its first page.
SCHEMA = (
    """
    CREATE TABLE listing (
        id INTEGER PRIMARY KEY,
        author BLOB NOT NULL,
        charger BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        cell INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        max_power_w INTEGER NOT NULL,
        price INTEGER NOT NULL,
        proven INTEGER NOT NULL,
        hand INTEGER NOT NULL,
        block TEXT NOT NULL,
        cells TEXT NOT NULL,
        connectors TEXT NOT NULL,
        listing BLOB NOT NULL,
        renewal BLOB NOT NULL,
        bundle BLOB NOT NULL,
        UNIQUE (author, charger)
    ) STRICT
    """,
    "CREATE INDEX listing_by_end ON listing (expires)",
    "CREATE INDEX listing_by_cell ON listing (cell)",
    """
    CREATE TABLE place (
        cell INTEGER NOT NULL,
        connector TEXT NOT NULL,
        power INTEGER NOT NULL,
        price INTEGER NOT NULL,
        listing INTEGER NOT NULL,
        PRIMARY KEY (cell, connector, power, price, listing)
    ) STRICT, WITHOUT ROWID
    """,
    f"CREATE TRIGGER listing_comes AFTER INSERT ON listing BEGIN {_ADD_PLACES} END",
    f"CREATE TRIGGER listing_goes AFTER DELETE ON listing BEGIN {_DROP_PLACES} END",
    f"""CREATE TRIGGER listing_moves AFTER UPDATE ON listing WHEN {_MOVED}
    BEGIN {_DROP_PLACES} {_ADD_PLACES} END""",
    """
    CREATE TABLE withdrawal (
        author BLOB NOT NULL,
        charger BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        id BLOB NOT NULL,
        root INTEGER NOT NULL,
        ends INTEGER NOT NULL,
        hand INTEGER NOT NULL,
        block TEXT NOT NULL,
        raw BLOB NOT NULL,
        PRIMARY KEY (author, charger)
    ) STRICT, WITHOUT ROWID
    """,
    # Of a charger there is a listing or a withdrawal, whichever came last.
    f"CREATE TRIGGER withdrawal_ends AFTER INSERT ON withdrawal BEGIN {_DROP_OTHER.format('listing')} END",
    f"CREATE TRIGGER listing_returns AFTER INSERT ON listing BEGIN {_DROP_OTHER.format('withdrawal')} END",
    """
    CREATE TABLE entry (
        arrival INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        block TEXT NOT NULL,
        raw BLOB NOT NULL
    ) STRICT
    """,
    "CREATE TABLE bundle (age INTEGER PRIMARY KEY, author BLOB NOT NULL UNIQUE, raw BLOB NOT NULL) STRICT",
    "CREATE TABLE peer (peer_id TEXT PRIMARY KEY, addresses TEXT NOT NULL, seen INTEGER NOT NULL) STRICT",
    "CREATE INDEX peer_by_time ON peer (seen)",
)

_PUT_LISTING = """
    INSERT INTO listing (author, charger, sequence, cell, expires, max_power_w, price, proven, hand,
        block, cells, connectors, listing, renewal, bundle)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (author, charger) DO UPDATE SET
        sequence = excluded.sequence, cell = excluded.cell, expires = excluded.expires,
        max_power_w = excluded.max_power_w, price = excluded.price, proven = excluded.proven,
        hand = excluded.hand, block = excluded.block,
        cells = excluded.cells, connectors = excluded.connectors, listing = excluded.listing,
        renewal = excluded.renewal, bundle = excluded.bundle
    WHERE excluded.sequence >= sequence"""
_LISTING_COLUMNS = """
    author, charger, sequence, cell, listing, renewal, bundle, expires, connectors, max_power_w, price,
    proven, hand, block"""

_SAME_CHARGER = "author = ? AND charger = ?"
_PUT_WITHDRAWAL = """
    INSERT OR REPLACE INTO withdrawal (author, charger, sequence, id, root, ends, hand, block, raw)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
READ_WITHDRAWALS = "SELECT author, charger, sequence, id, root, ends, hand, block, raw FROM withdrawal"
READ_WITHDRAWAL = f"{READ_WITHDRAWALS} WHERE {_SAME_CHARGER}"

# Each drops an eighth of a table: what ends soonest, or came first.
EVICT_EIGHTH = (
    """DELETE FROM listing WHERE id IN (
        SELECT id FROM listing ORDER BY expires LIMIT (SELECT 1 + count(*) / 8 FROM listing))""",
    """DELETE FROM withdrawal WHERE (author, charger) IN (
        SELECT author, charger FROM withdrawal ORDER BY ends
        LIMIT (SELECT 1 + count(*) / 8 FROM withdrawal))""",
    """DELETE FROM entry WHERE arrival IN (
        SELECT arrival FROM entry ORDER BY arrival LIMIT (SELECT 1 + count(*) / 8 FROM entry))""",
    """DELETE FROM bundle WHERE age IN (
        SELECT age FROM bundle ORDER BY age LIMIT (SELECT 1 + count(*) / 8 FROM bundle))""",
)
DROP_EXPIRED = ("DELETE FROM listing WHERE expires <= ?", "DELETE FROM withdrawal WHERE ends <= ?")
PUT_ENTRY = "INSERT INTO entry (id, block, raw) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING"
DROP_ENTRY = "DELETE FROM entry WHERE id = ?"
READ_ENTRIES = "SELECT raw, block FROM entry ORDER BY arrival"
PUT_BUNDLE = """
    INSERT INTO bundle (author, raw) VALUES (?, ?) ON CONFLICT (author) DO UPDATE SET raw = excluded.raw"""
_PUT_PEER = """
    INSERT INTO peer (peer_id, addresses, seen) VALUES (?, ?, ?)
    ON CONFLICT (peer_id) DO UPDATE SET addresses = excluded.addresses, seen = excluded.seen
    WHERE excluded.seen >= seen"""
_KEEP_PEERS = (
    "DELETE FROM peer WHERE peer_id IN (SELECT peer_id FROM peer ORDER BY seen DESC LIMIT -1 OFFSET ?)"
)


def index_cells(cell: int) -> tuple[int, ...]:
    """The cells of resolution 4 and finer that a listing of public cell `cell` lies in, coarsest first."""
    return tuple(parent(cell, resolution) for resolution in range(ROOT_RESOLUTION, resolution_of(cell) + 1))


def coarser_cells(cells: Sequence[int]) -> tuple[int, ...]:
    """The public cells that hold one of `cells` without being it: each parent down to resolution 4."""
    return tuple(sorted({one for cell in cells for one in index_cells(cell)[:-1]} - set(cells)))


def put_withdrawal(row: CachedWithdrawal) -> Statement:
    source = (row.source.hand.value, row.source.block)
    known = (row.author, row.charger, row.sequence, row.id, row.root, row.ends)
    return _PUT_WITHDRAWAL, (*known, *source, row.raw)


def drop_listing(author: bytes, charger: bytes) -> tuple[Statement, Statement]:
    key = (author, charger)
    return (f"DELETE FROM listing WHERE {_SAME_CHARGER}", key), (
        f"DELETE FROM withdrawal WHERE {_SAME_CHARGER}",
        key,
    )


def put_listing(row: CachedListing) -> Statement:
    return _PUT_LISTING, (
        row.author,
        row.charger,
        row.sequence,
        row.cell,
        row.expires,
        row.max_power_w,
        row.price,
        int(row.proven),
        row.source.hand.value,
        row.source.block,
        json.dumps(index_cells(row.cell)),
        json.dumps(row.connectors),
        row.listing,
        row.renewal,
        row.bundle,
    )


def find_listings(cells: Sequence[int], need: Need, limit: int, now: int) -> Statement:
    """A SELECT whose rows `listing_from` reads: proven ones first, then the cheapest."""
    within, held = _IN_CELLS, _IN_CELLS
    wanted: list[Any] = []
    for in_place, in_listing, value in (
        ("connector = ?", "? IN (SELECT value FROM json_each(connectors))", need.connector),
        ("power >= ?", "max_power_w >= ?", need.min_power_w),
        ("price <= ?", "price <= ?", need.max_price),
    ):
        if value is not None:
            within += f" AND {in_place}"
            held += f" AND {in_listing}"
            wanted.append(value)
    # Those that say no more of their place than a cell around the wanted ones are few: no `place` for them.
    sql = f"""
        SELECT {_LISTING_COLUMNS} FROM listing
        WHERE id IN (
            SELECT listing FROM place WHERE {within} UNION SELECT id FROM listing WHERE {held}
        ) AND expires > ?
        ORDER BY proven DESC, price, id LIMIT ?"""
    fine, coarse = json.dumps(list(cells)), json.dumps(coarser_cells(cells))
    return sql, (fine, *wanted, coarse, *wanted, now, limit)


def read_listings(author: bytes | None = None, charger: bytes | None = None) -> Statement:
    """A SELECT of one charger's listing, or of all, whose rows `listing_from` reads."""
    sql = f"SELECT {_LISTING_COLUMNS} FROM listing"
    if author is None or charger is None:
        return f"{sql} ORDER BY id", ()
    return f"{sql} WHERE author = ? AND charger = ?", (author, charger)


def listing_from(row: Sequence[Any]) -> CachedListing:
    author, charger, sequence, cell, listing, renewal, bundle, expires, connectors, *numbers = row
    power_w, price, proven, hand, block = numbers
    return CachedListing(
        author=author,
        charger=charger,
        sequence=sequence,
        cell=cell,
        listing=listing,
        renewal=renewal,
        bundle=bundle,
        expires=expires,
        connectors=tuple(json.loads(connectors)),
        max_power_w=power_w,
        price=price,
        proven=bool(proven),
        source=Source(Hand(hand), block),
    )


def withdrawal_from(row: Sequence[Any]) -> CachedWithdrawal:
    author, charger, sequence, id_, root, ends, hand, block, raw = row
    return CachedWithdrawal(author, charger, sequence, id_, root, ends, Source(Hand(hand), block), raw)


def put_peer(contact: Contact, seen: int) -> tuple[Statement, Statement]:
    """The latest MAX_PEERS stay."""
    return (
        (_PUT_PEER, (contact.peer_id, json.dumps(contact.addresses), seen)),
        (_KEEP_PEERS, (MAX_PEERS,)),
    )


def contact_from(row: Sequence[Any]) -> Contact:
    peer_id, addresses = row
    return Contact(peer_id, tuple(json.loads(addresses)))
