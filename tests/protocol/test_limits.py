"""The bounds fit each other: what may be written can be sent, and what may be sent can be read."""

from __future__ import annotations

from dataclasses import replace

from chargemesh_protocol import limits
from chargemesh_protocol.booking.records import Access, Problem, ProblemKind
from chargemesh_protocol.booking.sealing import AccessRecord, seal
from chargemesh_protocol.encoding import Tree, encode
from chargemesh_protocol.events import WriteMessage
from chargemesh_protocol.identity import ALL_SCOPES, Bundle, Delegation
from chargemesh_protocol.record import sign
from chargemesh_protocol.shape import to_tree
from chargemesh_protocol.tariff import PriceComponent, Restrictions, TariffDimension, TariffElement

from .neighbours import CHARGER, DAY, MORNING, NETWORK, Street, charger

DOG = "🐕"  # four bytes a character


def depth(tree: Tree) -> int:
    if isinstance(tree, dict):
        return 1 + max(map(depth, tree.values()), default=0)
    return 1 + max(map(depth, tree), default=0) if isinstance(tree, list) else 0


def test_our_deepest_record_is_well_within_the_bound() -> None:
    element = TariffElement(
        (PriceComponent(TariffDimension.ENERGY, 1),), Restrictions(weekdays=(1, 2), start_time=0, end_time=60)
    )
    alice = Street().host(tariff=replace(charger().tariff, elements=(element,)))
    listing = alice.engine.listings.listing(CHARGER)
    assert listing is not None
    assert depth(to_tree(listing.body)) == 6 < limits.MAX_DEPTH


def test_the_longest_access_record_can_be_sealed_and_sent() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice, street.now + 6 * 3_600_000)
    held = alice.booking(booking)
    longest = AccessRecord(
        author=alice.author,
        issued=street.now,
        booking=booking,
        recipient=bob.author,
        address=DOG * 200,
        latitude=-90_000_000,
        longitude=-180_000_000,
        way=DOG * limits.MAX_NOTE_CHARS,
        code=DOG * limits.MAX_TEXT_CHARS,
        phone=DOG * 32,
    )
    sealed = seal(alice.me.sign(longest).raw, b"n" * 24, held.their_key, held.file.secret)
    head = held.set.host_fields(street.now) | {"includes": (b"i" * 32,) * limits.MAX_INCLUDES}
    access = alice.me.sign(Access(**head, sealed=sealed))  # type: ignore[typeddict-item]
    assert len(access.raw) <= limits.MAX_RECORD_BYTES


def test_the_fullest_exchange_fits_a_message() -> None:
    street = Street()
    alice, bob = street.host(), street.driver()
    booking = bob.books(alice)
    held = bob.booking(booking)
    fields = held.set.driver_fields(street.now)
    for _ in range(40):
        fields["issued"] = street.now
        text = DOG * limits.MAX_NOTE_CHARS
        bob.engine.ledger.write(held, Problem(**fields, problem=ProblemKind.OTHER, text=text))
        street.now += 1
        bob.handles(WriteMessage(booking, text))
    parcel = bob.engine.parcel(booking, street.moment())
    assert parcel is not None
    assert 180_000 < len(parcel.body) <= limits.MAX_MESSAGE_BYTES
    street.settle()
    assert len(alice.booking(booking).theirs) == 40 and len(alice.booking(booking).messages) == 40


def test_the_largest_bundle_fits_its_bound() -> None:
    person = Street().person("alice")
    known = person.engine.directory.get(person.author)
    assert known is not None
    root = b"r" * 32
    delegations = tuple(
        sign(
            Delegation(
                author=person.author,
                issued=MORNING,
                device=bytes([number]) * 32,
                scopes=ALL_SCOPES,
                expires=MORNING + DAY,
                sequence=2**31,
                previous=b"p" * 32,
            ),
            root,
            NETWORK,
        )
        for number in range(limits.MAX_BUNDLE_DELEGATIONS)
    )
    genesis = replace(known.genesis.body, recovery=tuple(bytes([9, n]) * 16 for n in range(4)))
    bundle = Bundle(sign(genesis, root, NETWORK), delegations)
    assert len(bundle.to_bytes()) <= limits.MAX_BUNDLE_BYTES


def test_times_follow_from_each_other() -> None:
    assert limits.RENEWAL_EVERY_MS * 2 <= limits.RENEWAL_LIFE_MS < limits.MAX_LISTING_LIFE_MS
    assert limits.LISTING_SLOTS * limits.SLOT_MS == 14 * DAY
    assert limits.CLOCK_TOLERANCE_MS < limits.QUOTE_LIFE_MS
    assert len(encode([b"x" * limits.MAX_RECORD_BYTES] * 8)) < limits.MAX_MESSAGE_BYTES
