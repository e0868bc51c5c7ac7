"""listings.json: whether a listing may be shown, what replaces it, its slots, and what it fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chargemesh_protocol.encoding import encode
from chargemesh_protocol.identity import Scope, public_key
from chargemesh_protocol.limits import CLOCK_TOLERANCE_MS, LISTING_SLOTS, RENEWAL_LIFE_MS, SLOT_MS
from chargemesh_protocol.listing import Renewal, Withdrawal
from chargemesh_protocol.record import Record, sign
from chargemesh_protocol.tariff import PriceComponent, Restrictions, Tariff, TariffDimension, TariffElement

from ..conformance.fields import to_json
from .cast import ALICE, BOB, DAY, HOUR, MINUTE, NETWORK, NOW
from .frame import Case, Json, VectorFile, bad, good
from .identity import OF_THE_PHONE, PHONE
from .samples import CELL, CHARGER, listing

LISTED = ALICE.sign(listing())
_BITS = LISTING_SLOTS // 8


def renewal(at: int = NOW, of: Record[Any] = LISTED, by: bytes = ALICE.device) -> Record[Any]:
    return sign(Renewal(issued=at, listing=of.id), by, NETWORK)


def _offer(
    now: int, listed: Record[Any] = LISTED, renewed: Record[Any] | None = None, bundle: bytes = b""
) -> Json:
    return {
        "network": NETWORK,
        "listing": listed.raw.hex(),
        "renewal": (renewed or renewal(of=listed)).raw.hex(),
        "bundle": (bundle or ALICE.bundle()).hex(),
        "now": now,
    }


def _shown(name: str, given: Json, until: int, sequence: int = 1) -> Case:
    out = {
        "author": ALICE.author.hex(),
        "charger": CHARGER.hex(),
        "sequence": sequence,
        "shown_until": until,
    }
    return good(name, "listing.open", given, out)


def offers() -> list[Case]:
    """A listing with its renewal and bundle, at an instant of the reader's clock."""
    last, usual = NOW + DAY, NOW + RENEWAL_LIFE_MS
    first = ALICE.delegation(expires=NOW + HOUR)
    second = ALICE.delegation(issued=NOW + HOUR, sequence=2, previous=first.id)
    late = renewal(last - MINUTE)
    cases = [
        _shown("fresh", _offer(NOW), usual),
        _shown("issued-2-minutes-ahead", _offer(NOW - CLOCK_TOLERANCE_MS), usual),
        _shown(
            "renewed-2-minutes-ahead",
            _offer(NOW, renewed=renewal(NOW + CLOCK_TOLERANCE_MS)),
            usual + 2 * MINUTE,
        ),
        _shown("at-the-last-instant-of-a-renewal", _offer(usual - 1), usual),
        _shown("renewed-again", _offer(usual, renewed=renewal(NOW + HOUR)), usual + HOUR),
        _shown("shown-no-longer-than-it-lives", _offer(last - 1, renewed=late), last),
        _shown(
            "delegation-renewed-between-listing-and-renewal",
            _offer(NOW + HOUR, renewed=renewal(NOW + HOUR), bundle=ALICE.bundle(first, second)),
            usual + HOUR,
        ),
    ]
    fresh = _offer(NOW)
    for name, (given, code, why) in refused_offers().items():
        cases.append(bad(name, "listing.open", given, code, why, fresh))
    return cases


def refused_offers() -> dict[str, tuple[Json, str, str]]:
    """Offers with one fault: what is asked, the code, and why."""
    last, usual = NOW + DAY, NOW + RENEWAL_LIFE_MS
    first = ALICE.delegation(expires=NOW + HOUR)
    fresh = _offer(NOW)
    by_phone = ALICE.bundle(ALICE.delegation(), ALICE.delegation(device=public_key(PHONE), sequence=2))
    book_only = ALICE.bundle(ALICE.delegation(scopes=(Scope.BOOK, Scope.LOG)))
    ended = ALICE.bundle(ALICE.delegation(expires=NOW))
    by_its_phone = sign(listing(), PHONE, NETWORK)
    with_phone = ALICE.bundle(ALICE.delegation(), OF_THE_PHONE)
    other = ALICE.sign(listing(sequence=2))
    flipped = LISTED.raw[:-1] + bytes([LISTED.raw[-1] ^ 1])
    withdrawn = ALICE.sign(
        Withdrawal(author=ALICE.author, issued=NOW, charger=CHARGER, sequence=2, cell=CELL)
    )
    return {
        "issued-too-far-ahead": (
            _offer(NOW - CLOCK_TOLERANCE_MS - 1), "future", "more than 2 minutes ahead of the reader",
        ),
        "renewed-too-far-ahead": (
            _offer(NOW, renewed=renewal(NOW + CLOCK_TOLERANCE_MS + 1)), "future", "also the renewal counts",
        ),
        "at-its-expiry": (_offer(last, renewed=renewal(last - MINUTE)), "expired", "expires is reached"),
        "renewed-2-hours-ago": (_offer(usual), "not-renewed", "a renewal holds for less than 2 hours"),
        "renewal-of-another-listing": (_offer(NOW, renewed=renewal(of=other)), "renewal", "of another id"),
        "renewal-by-another-device": (
            _offer(NOW, renewed=renewal(by=PHONE), bundle=by_phone), "renewal", "by another key",
        ),
        "renewal-by-somebody-else": (
            _offer(NOW, renewed=renewal(by=BOB.device)), "renewal", "by another key",
        ),
        "renewal-is-a-listing": (_offer(NOW, renewed=LISTED), "wrong-kind", "a renewal stands there"),
        "listing-is-a-withdrawal": (_offer(NOW, withdrawn), "wrong-kind", "a listing stands there"),
        "listing-with-a-bad-signature": (
            {**fresh, "listing": flipped.hex()}, "bad-signature", "the listing is verified",
        ),
        "bundle-of-somebody-else": (_offer(NOW, bundle=BOB.bundle()), "bundle", "of another author"),
        "bundle-without-a-delegation": (
            _offer(NOW, bundle=encode([ALICE.genesis.raw])), "not-delegated", "nothing is delegated",
        ),
        "key-without-the-scope": (_offer(NOW, bundle=book_only), "not-delegated", "a listing needs list"),
        "delegation-ended-before": (_offer(NOW, bundle=ended), "not-delegated", "it ended just then"),
        "delegation-ended-before-the-renewal": (
            _offer(NOW + HOUR, renewed=renewal(NOW + HOUR), bundle=ALICE.bundle(first)),
            "not-delegated",
            "the renewal too needs a delegation",
        ),
        "device-without-the-scope": (
            _offer(NOW, by_its_phone, renewal(of=by_its_phone, by=PHONE), with_phone),
            "not-delegated",
            "the phone's delegation has the scope book only",
        ),
    }  # fmt: skip


def withdrawals() -> list[Case]:
    body = Withdrawal(author=ALICE.author, issued=NOW, charger=CHARGER, sequence=2, cell=CELL)

    def given(now: int, by: bytes = ALICE.device, bundle: bytes | None = None) -> Json:
        raw, known = sign(body, by, NETWORK).raw, ALICE.bundle() if bundle is None else bundle
        return {"network": NETWORK, "withdrawal": raw.hex(), "bundle": known.hex(), "now": now}

    out = {"author": ALICE.author.hex(), "charger": CHARGER.hex(), "sequence": 2}
    fresh = given(NOW)
    not_one = {**fresh, "withdrawal": LISTED.raw.hex()}
    faults: dict[str, tuple[Json, str, str]] = {
        "withdrawal-too-far-ahead": (
            given(NOW - CLOCK_TOLERANCE_MS - 1),
            "future",
            "more than 2 minutes ahead",
        ),
        "withdrawal-a-day-old": (given(NOW + DAY), "expired", "whatever it withdraws has expired"),
        "withdrawal-by-somebody-else": (given(NOW, BOB.device), "not-delegated", "nobody delegated this key"),
        "withdrawal-with-a-foreign-bundle": (given(NOW, bundle=BOB.bundle()), "bundle", "of another author"),
        "withdrawal-is-a-listing": (not_one, "wrong-kind", "a withdrawal stands there"),
    }
    return [
        good("withdrawal", "withdrawal.open", fresh, out),
        good("withdrawal-at-its-last-instant", "withdrawal.open", given(NOW + DAY - 1), out),
        *(bad(name, "withdrawal.open", one, code, why, fresh) for name, (one, code, why) in faults.items()),
    ]


def replacements() -> list[Case]:
    """Two records of one charger: which of them counts."""
    second = ALICE.sign(listing(sequence=2))
    withdrawn = ALICE.sign(
        Withdrawal(author=ALICE.author, issued=NOW, charger=CHARGER, sequence=2, cell=CELL)
    )
    twins = [ALICE.sign(listing(sequence=3, issued=NOW + number)) for number in range(4)]
    low, high = (choose(twins, key=lambda one: one.id) for choose in (min, max))
    later = ALICE.sign(listing(issued=NOW + HOUR))
    third = ALICE.sign(listing(sequence=3, issued=NOW - HOUR, expires=NOW + HOUR))
    cases = []
    for name, known, came in (
        ("higher-sequence", LISTED, second),
        ("higher-sequence-issued-earlier", second, third),
        ("withdrawal-of-a-listing", LISTED, withdrawn),
        ("listing-after-a-withdrawal", withdrawn, third),
        ("sequence-beyond-2-to-the-53", LISTED, ALICE.sign(listing(sequence=2**53 + 1))),
        ("one-sequence-and-the-lower-id", high, low),
    ):
        given = {"network": NETWORK, "known": known.raw.hex(), "came": came.raw.hex()}
        cases.append(good(f"replaces-{name}", "listing.replace", given, {"newest": came.id.hex()}))
    for name, known, came, why in (
        ("sequence-going-back", second, LISTED, "the sequence never goes back"),
        ("listing-from-before-its-withdrawal", withdrawn, LISTED, "what was withdrawn does not come back"),
        ("sequence-going-back-issued-later", second, later, "the sequence counts, not the time"),
        ("one-sequence-and-the-higher-id", low, high, "of one sequence the lower id counts"),
    ):
        given = {"network": NETWORK, "known": known.raw.hex(), "came": came.raw.hex()}
        mended = {"known": came.raw.hex(), "came": known.raw.hex()}
        cases.append(bad(name, "listing.replace", given, "superseded", why, mended))
    return cases


def _bits(*slots: range) -> str:
    offered = {number for one in slots for number in one}
    whole = "".join("1" if number in offered else "0" for number in range(LISTING_SLOTS))
    return int(whole, 2).to_bytes(_BITS, "big").hex()


def slots() -> list[Case]:
    """Which windows a bitmap allows; slot n begins n quarter hours after the start, highest bit first."""
    two = {"start": NOW, "bits": _bits(range(4, 8))}  # from one hour after the start, for one hour
    ends = {"start": NOW, "bits": _bits(range(1), range(LISTING_SLOTS - 1, LISTING_SLOTS))}
    every = {"start": NOW, "bits": "ff" * _BITS}
    none = {"start": NOW, "bits": "00" * _BITS}
    end = NOW + LISTING_SLOTS * SLOT_MS
    rows: dict[str, tuple[Json, int, int, bool]] = {
        "exactly-the-slots": (two, NOW + HOUR, NOW + 2 * HOUR, True),
        "inside-a-slot": (two, NOW + HOUR + MINUTE, NOW + HOUR + 2 * MINUTE, True),
        "a-millisecond-before": (two, NOW + HOUR - 1, NOW + 2 * HOUR, False),
        "a-millisecond-behind": (two, NOW + HOUR, NOW + 2 * HOUR + 1, False),
        "a-millisecond-within": (two, NOW + 2 * HOUR - 1, NOW + 2 * HOUR, True),
        "the-slot-before": (two, NOW + HOUR - SLOT_MS, NOW + HOUR, False),
        "first-slot": (ends, NOW, NOW + SLOT_MS, True),
        "second-slot": (ends, NOW + SLOT_MS, NOW + 2 * SLOT_MS, False),
        "last-slot": (ends, end - SLOT_MS, end, True),
        "whole-map": (every, NOW, end, True),
        "before-the-map": (every, NOW - 1, NOW + HOUR, False),
        "beyond-the-map": (every, end - HOUR, end + 1, False),
        "nothing-offered": (none, NOW, NOW + 1, False),
    }
    cases = []
    for name, (bitmap, start, until, offered) in rows.items():
        given = {"slots": bitmap, "start": start, "end": until}
        cases.append(good(f"slots-{name}", "listing.offerable", given, {"offerable": offered}))
    return cases


def _element(price: int, **restrictions: Any) -> TariffElement:
    """Sells energy alone, at these times."""
    limited = Restrictions(**restrictions) if restrictions else None
    return TariffElement((PriceComponent(TariffDimension.ENERGY, price),), limited)


def _priced(*elements: tuple[int, range | None]) -> Any:
    """The plain listing with these prices of a kWh, each for some weekdays or always."""
    made = tuple(
        _element(price, weekdays=tuple(days)) if days else _element(price) for price, days in elements
    )
    return listing(tariff=Tariff(currency="EUR", elements=made))


def fitting() -> list[Case]:
    """What the plain listing (one 11 kW type 2 socket, 0.42 EUR a kWh, 30 to 720 minutes) fits."""
    rules = listing().rules
    plain, on_request = listing(), listing(rules=replace(rules, instant=False))
    two = listing(
        connectors=(
            *plain.connectors, replace(plain.connectors[0], type="CHADEMO", max_power_w=50_000),
        )
    )  # fmt: skip
    hour = {"start": NOW, "end": NOW + HOUR}
    whole_week = _priced((500_000, range(1, 6)), (500_000, range(6, 8)))
    sold_once = _priced((500_000, None), (100_000, None))
    # In Berlin NOW is 11:00: the dear hour begins with the end of the window.
    dear_later = replace(
        listing(
            tariff=Tariff(
                currency="EUR", elements=(_element(900_000, start_time=720, end_time=780), _element(420_000))
            )
        ),
        terms=replace(plain.terms, overstay_per_hour=6_000_000, overstay_grace=15),
    )
    # 0.30 EUR at night where little may be drawn, which only a quote says; else 0.42.
    by_power = listing(
        tariff=Tariff(
            currency="EUR",
            elements=(_element(300_000, start_time=0, end_time=60, max_power_w=4_000), _element(420_000)),
        )
    )
    priced = {"min_power_w": 7_400, "max_price": 500_000, "currency": "EUR"}
    rows: dict[str, tuple[Any, Json, bool]] = {
        "anything": (plain, {}, True),
        "its-connector": (plain, {"connector": "IEC_62196_T2"}, True),
        "another-connector": (plain, {"connector": "CHADEMO"}, False),
        "its-power": (plain, {"min_power_w": 11_000}, True),
        "more-power": (plain, {"min_power_w": 11_001}, False),
        "connector-and-power-of-one-plug": (two, {"connector": "CHADEMO", "min_power_w": 22_000}, True),
        "connector-of-one-and-power-of-another": (
            two, {"connector": "IEC_62196_T2", "min_power_w": 22_000}, False,
        ),
        "its-price": (plain, {"max_price": 420_000, "currency": "EUR"}, True),
        "a-lower-price": (plain, {"max_price": 419_999, "currency": "EUR"}, False),
        "another-currency": (plain, {"max_price": 420_000, "currency": "SEK"}, False),
        "a-currency-without-a-price": (plain, {"currency": "SEK"}, True),
        "days-that-make-a-week-may-be-without-a-price": (whole_week, {"max_price": 0}, True),
        "an-element-behind-one-without-restrictions": (sold_once, {"max_price": 499_999}, False),
        "overstay-is-no-part-of-a-window": (dear_later, {"max_price": 420_000, **hour}, True),
        "a-window-with-a-dearer-hour": (
            dear_later, {"max_price": 420_000, "start": NOW, "end": NOW + HOUR + 1}, False,
        ),
        "a-price-by-power-without-a-window": (by_power, {"max_price": 300_000}, True),
        "a-price-by-power-that-is-too-high": (by_power, {"max_price": 299_999}, False),
        "a-price-by-power-in-a-window": (by_power, {"max_price": 500_000, **hour}, False),
        "a-price-by-power-that-nobody-asks-for": (by_power, hour, True),
        "instant": (plain, {"instant": True}, True),
        "instant-where-asked": (on_request, {"instant": True}, False),
        "instant-not-needed": (on_request, {"instant": False}, True),
        "a-window": (plain, hour, True),
        "a-window-of-the-shortest": (plain, {"start": NOW, "end": NOW + 30 * MINUTE}, True),
        "a-window-too-short": (plain, {"start": NOW, "end": NOW + 30 * MINUTE - 1}, False),
        "a-window-of-the-longest": (plain, {"start": NOW, "end": NOW + 12 * HOUR}, True),
        "a-window-counted-in-minutes": (plain, {"start": NOW, "end": NOW + 12 * HOUR + 59_999}, True),
        "a-window-too-long": (plain, {"start": NOW, "end": NOW + 12 * HOUR + MINUTE}, False),
        "a-window-before-the-map": (plain, {"start": NOW - HOUR, "end": NOW}, False),
        "all-at-once": (plain, {"connector": "IEC_62196_T2", **priced, "instant": True, **hour}, True),
    }  # fmt: skip
    return [
        good(f"fits-{name}", "listing.fits", {"listing": to_json(one), "need": need}, {"fits": fits})
        for name, (one, need, fits) in rows.items()
    ]


def made() -> VectorFile:
    cases = [*offers(), *withdrawals(), *replacements(), *slots(), *fitting()]
    about = (
        "Whether a listing may be shown, what replaces it, its slots, what it fits (04-places-listings.md)."
    )
    return VectorFile("listings", about, tuple(cases))
