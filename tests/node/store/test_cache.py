"""What every Cache keeps to: the same tests for cache.db and for the cache of the simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from chargemesh_node.ports import CachedListing, CachedWithdrawal
from chargemesh_node.store.cache_rows import MAX_PEERS
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.discovery.places import Hand, Source
from chargemesh_protocol.listing import Need
from chargemesh_protocol.place import Point, centre, parent, public_cell

from .disks import NOW, CacheDisk, MemoryCacheDisk, SqliteCacheDisk, id_of

pytestmark = pytest.mark.asyncio
HOUR = 3_600_000
HERE, AWAY = Point(52.52, 13.405), Point(48.137, 11.575)
ANY = Need()


@pytest.fixture(params=["sqlite", "memory"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> CacheDisk:
    return SqliteCacheDisk(tmp_path) if request.param == "sqlite" else MemoryCacheDisk()


def listing(number: int, cell: int | None = None, **changes: object) -> CachedListing:
    """A 11 kW type 2 charger at 0.30 at HERE; `changes` name what differs."""
    usual = CachedListing(
        author=id_of(number, "author"),
        charger=b"0" * 16,
        sequence=1,
        cell=cell or public_cell(HERE, 7),
        listing=b"listing %d" % number,
        renewal=b"renewal",
        bundle=b"bundle",
        expires=NOW + HOUR,
        connectors=("IEC_62196_T2",),
        max_power_w=11_000,
        price=300_000,
        proven=False,
        source=Source(Hand.DIRECT, "10.0.0.0/24"),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def numbers(rows: Sequence[CachedListing]) -> list[int]:
    return [int(row.listing.split()[1]) for row in rows]


async def test_a_listing_comes_back_as_it_was(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    row = listing(1, connectors=("IEC_62196_T2", "CHADEMO"), proven=True)
    await cache.put_listing(row)
    assert await cache.listings([row.cell], ANY, 10) == [row]
    await cache.close()
    cache = disk.cache()
    await cache.open()
    assert await cache.listings([row.cell], ANY, 10) == [row]
    await cache.close()


async def test_cells_around_it_and_within_it_find_it_and_no_other_does(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    own = public_cell(HERE, 7)
    await cache.put_listing(listing(1, own))
    await cache.put_listing(listing(2, public_cell(AWAY, 7)))
    await cache.put_listing(listing(3, public_cell(HERE, 5)))
    for resolution in (4, 5, 6, 7):
        assert numbers(await cache.listings([parent(own, resolution)], ANY, 10)) == [1, 3]
    finer = public_cell(HERE, 8)
    assert parent(finer, 7) == own  # it may be there, as far as the listing says
    assert numbers(await cache.listings([finer], ANY, 10)) == [1, 3]
    fitting = Need(connector="IEC_62196_T2", min_power_w=1000, max_price=1_000_000, currency="EUR")
    assert numbers(await cache.listings([finer], fitting, 10)) == [1, 3]
    assert await cache.listings([finer], Need(connector="CHADEMO"), 10) == []
    neighbour = public_cell(centre(parent(own, 5)), 7)
    assert neighbour != own and parent(neighbour, 5) == parent(own, 5)
    assert numbers(await cache.listings([neighbour], ANY, 10)) == [3]
    assert await cache.listings([], ANY, 10) == []
    everywhere = [parent(own, 4), own, public_cell(AWAY, 4)]
    assert sorted(numbers(await cache.listings(everywhere, ANY, 10))) == [1, 2, 3]
    await cache.close()


async def test_one_chargers_listing_and_all_of_them_are_read_back(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    rows = [listing(1), listing(2)]
    for row in rows:
        await cache.put_listing(row)
    assert await cache.listing(rows[1].author, rows[1].charger) == rows[1]
    assert await cache.listing(rows[1].author, bytes(16)) is None
    assert await cache.all_listings() == rows
    await cache.close()


async def test_only_what_fits_is_found(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    await cache.put_listing(listing(1))
    await cache.put_listing(listing(2, max_power_w=22_000, price=450_000))
    await cache.put_listing(listing(3, connectors=("CHADEMO", "IEC_62196_T2_COMBO"), max_power_w=50_000))
    cell = public_cell(HERE, 4)

    async def found(need: Need) -> list[int]:
        return sorted(numbers(await cache.listings([cell], need, 10)))

    assert await found(ANY) == [1, 2, 3]
    assert await found(Need(connector="IEC_62196_T2")) == [1, 2]
    assert await found(Need(connector="CHADEMO", min_power_w=50_000)) == [3]
    assert await found(Need(min_power_w=22_000)) == [2, 3]
    assert await found(Need(max_price=300_000, currency="EUR")) == [1, 3]
    assert await found(Need(connector="IEC_62196_T2", min_power_w=12_000, max_price=400_000)) == []
    await cache.close()


async def test_proven_ones_come_first_then_the_cheapest_up_to_the_limit(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    for number, (price, proven) in enumerate(
        [(400_000, False), (500_000, True), (200_000, False), (100_000, True)]
    ):
        await cache.put_listing(listing(number, price=price, proven=proven))
    cell = public_cell(HERE, 7)
    assert numbers(await cache.listings([cell], ANY, 10)) == [3, 1, 2, 0]
    assert numbers(await cache.listings([cell], ANY, 2)) == [3, 1]
    await cache.close()


async def test_a_newer_sequence_or_renewal_replaces_and_an_older_one_does_not(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    moved = public_cell(AWAY, 7)
    await cache.put_listing(listing(1, sequence=5))
    await cache.put_listing(listing(1, sequence=4, price=1))
    renewed = listing(1, sequence=5, expires=NOW + 2 * HOUR, renewal=b"newer")
    await cache.put_listing(renewed)
    assert await cache.listings([renewed.cell], ANY, 10) == [renewed]
    changed = listing(1, moved, sequence=6, connectors=("CHADEMO",), max_power_w=50_000)
    await cache.put_listing(changed)
    assert await cache.listings([public_cell(HERE, 4)], ANY, 10) == []
    assert await cache.listings([moved], Need(connector="IEC_62196_T2"), 10) == []
    assert await cache.listings([moved], Need(connector="CHADEMO"), 10) == [changed]
    await cache.close()


async def test_dropped_and_expired_listings_are_not_found(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    for number in (1, 2, 3):
        await cache.put_listing(listing(number, expires=NOW + number * HOUR))
    await cache.drop_listing(id_of(2, "author"), b"0" * 16)
    await cache.drop_listing(id_of(9, "author"), b"0" * 16)
    cell = public_cell(HERE, 4)
    assert numbers(await cache.listings([cell], ANY, 10)) == [1, 3]
    disk.clock.advance(HOUR)
    assert numbers(await cache.listings([cell], ANY, 10)) == [3]
    await cache.close()


async def test_entries_are_kept_once_in_order_of_arrival(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    await cache.put_entries([(b"z", b"first"), (b"a", b"second")])
    await cache.put_entries([(b"z", b"again"), (b"m", b"third")])
    await cache.put_entries([])
    assert [raw for raw, _ in await cache.entries()] == [b"first", b"second", b"third"]
    await cache.close()
    cache = disk.cache()
    await cache.open()
    assert [raw for raw, _ in await cache.entries()] == [b"first", b"second", b"third"]
    await cache.close()


async def test_an_author_has_one_bundle(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    await cache.put_bundle(b"a", b"old")
    await cache.put_bundle(b"b", b"other")
    await cache.put_bundle(b"a", b"new")
    assert await cache.bundles() == [b"new", b"other"]
    await cache.close()


async def test_the_peers_that_worked_last_come_first(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    for name, seen in (("one", 10), ("two", 30), ("three", 20)):
        await cache.put_peer(Contact(name, (f"/ip4/127.0.0.1/tcp/{seen}",)), seen)
    await cache.put_peer(Contact("one", ("/ip4/127.0.0.1/tcp/40", "/ip6/::1/tcp/40")), 40)
    await cache.put_peer(Contact("two", ()), 5)
    assert await cache.peers(2) == [
        Contact("one", ("/ip4/127.0.0.1/tcp/40", "/ip6/::1/tcp/40")),
        Contact("two", ("/ip4/127.0.0.1/tcp/30",)),
    ]
    await cache.close()


async def test_a_withdrawal_takes_the_place_of_its_listing_and_gives_it_back_to_a_newer_one(
    disk: CacheDisk,
) -> None:
    cache = disk.cache()
    await cache.open()
    row = listing(1, sequence=4)
    gone = CachedWithdrawal(row.author, row.charger, 5, b"i" * 32, row.cell, NOW + HOUR, row.source, b"raw")
    await cache.put_listing(row)
    await cache.put_withdrawal(gone)
    assert await cache.all_listings() == [] and await cache.withdrawals() == [gone]
    await cache.close()
    cache = disk.cache()
    await cache.open()
    assert await cache.withdrawals() == [gone]
    assert await cache.withdrawal(row.author, row.charger) == gone
    assert await cache.withdrawal(row.author, b"another charger!") is None
    await cache.put_listing(replace(row, sequence=6))
    assert await cache.withdrawals() == [] and len(await cache.all_listings()) == 1
    await cache.put_withdrawal(replace(gone, sequence=7))
    await cache.drop_listing(row.author, row.charger)
    assert await cache.withdrawals() == [] and await cache.all_listings() == []
    await cache.close()


async def test_only_so_many_peers_are_remembered(disk: CacheDisk) -> None:
    cache = disk.cache()
    await cache.open()
    for seen in range(MAX_PEERS + 5):
        await cache.put_peer(Contact(f"peer {seen}", ()), seen)
    peers = await cache.peers(2 * MAX_PEERS)
    assert len(peers) == MAX_PEERS
    assert peers[0].peer_id == f"peer {MAX_PEERS + 4}"
    assert peers[-1].peer_id == "peer 5"
    await cache.close()
