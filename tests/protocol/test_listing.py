"""Listings: what a stranger may know, how long it stands, and what fits a need."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol import listing as listings
from chargemesh_protocol.chargers import make_listing
from chargemesh_protocol.contact import Contact
from chargemesh_protocol.encoding import encode
from chargemesh_protocol.errors import Refused, Severity
from chargemesh_protocol.limits import (
    CLOCK_TOLERANCE_MS,
    MAX_LISTING_BYTES,
    MAX_RENEWAL_BYTES,
    RENEWAL_LIFE_MS,
)
from chargemesh_protocol.listing import Listing, Need, Renewal, Withdrawal, matches, require_fresh
from chargemesh_protocol.place import public_cell
from chargemesh_protocol.record import Record, sign
from chargemesh_protocol.schedule import parse_hours
from chargemesh_protocol.shape import from_tree, to_tree
from chargemesh_protocol.tariff import (
    PriceComponent,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
)
from chargemesh_protocol.zones import to_local, zone_of

from .neighbours import DAY, EURO, HOUR, MINUTE, MORNING, NETWORK, SECRETS, charger

SEED = b"d" * 32


def listing(**changes: Any) -> Listing:
    return make_listing(
        charger(**changes), author=b"a" * 32, sequence=1, contact=Contact("12D3Koo", ()), busy=(), now=MORNING
    )


ONE: Record[Listing] = sign(listing(), SEED, NETWORK)


def renewal(issued: int = MORNING, seed: bytes = SEED, of: bytes = ONE.id) -> Record[Renewal]:
    return sign(Renewal(issued=issued, listing=of), seed, NETWORK)


# --- freshness ------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", [MORNING, MORNING - CLOCK_TOLERANCE_MS, MORNING + RENEWAL_LIFE_MS - 1])
def test_a_renewed_listing_is_shown(now: int) -> None:
    require_fresh(ONE, renewal(), now)


@pytest.mark.parametrize(
    ("renewed", "now", "code"),
    [
        (MORNING, MORNING - CLOCK_TOLERANCE_MS - 1, "future"),
        (MORNING + HOUR, MORNING + HOUR - CLOCK_TOLERANCE_MS - 1, "future"),
        (MORNING, MORNING + RENEWAL_LIFE_MS, "not-renewed"),
        (MORNING + 23 * HOUR, MORNING + 24 * HOUR, "expired"),
    ],
)
def test_an_old_listing_is_not_shown_and_nobody_is_to_blame(renewed: int, now: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        require_fresh(ONE, renewal(renewed), now)
    assert (refused.value.code, refused.value.severity) == (code, Severity.STALE)


@pytest.mark.parametrize("wrong", [renewal(seed=b"x" * 32), renewal(of=b"?" * 32)])
def test_a_renewal_names_its_listing_and_is_by_its_key(wrong: Record[Renewal]) -> None:
    with pytest.raises(Refused) as refused:
        require_fresh(ONE, wrong, MORNING)
    assert refused.value.code == "renewal"


@pytest.mark.parametrize("life", [0, -1, DAY + 1])
def test_a_listing_lives_up_to_a_day(life: int) -> None:
    with pytest.raises(ValueError, match="24 hours"):
        replace(ONE.body, expires=MORNING + life)


def test_a_listing_has_a_public_cell() -> None:
    for cell in (0, 5):
        with pytest.raises(Refused):
            replace(ONE.body, cell=cell)
        with pytest.raises(Refused):
            Withdrawal(author=b"a" * 32, issued=5, charger=b"c" * 16, sequence=1, cell=cell)


def test_a_full_listing_and_a_renewal_fit_their_bounds() -> None:
    about = replace(charger().about, title="ü" * 80, amenities=("CAFE" * 10,) * 32, languages=("de-CH",) * 32)
    connectors = charger().connectors * 8
    contact = Contact("1" * 64, ("/ip6/" + "f" * 60,) * 8)
    full = make_listing(
        charger(about=about, connectors=connectors),
        author=b"a" * 32,
        sequence=9,
        contact=contact,
        busy=(),
        now=MORNING,
    )
    assert len(sign(full, SEED, NETWORK).raw) <= MAX_LISTING_BYTES
    assert len(renewal().raw) <= MAX_RENEWAL_BYTES


def test_names_of_later_versions_are_read() -> None:
    tree = to_tree(ONE.body)
    connectors = tree[6]
    assert isinstance(connectors, list) and isinstance(connectors[0], dict)
    connectors[0][0] = "IEC_2031_HOVER"
    assert from_tree(Listing, tree).connectors[0].type == "IEC_2031_HOVER"
    connectors[0][1] = "HOVERING"  # a closed list
    with pytest.raises(Refused):
        from_tree(Listing, tree)


# --- what is public -------------------------------------------------------------------------------


@given(st.integers(4, 8))
def test_nothing_finer_than_the_public_cell_is_in_a_listing(resolution: int) -> None:
    body = listing(resolution=resolution)
    raw = encode(to_tree(body))
    assert body.cell == public_cell(charger().home.point, resolution)
    for secret in SECRETS:
        assert secret.encode() not in raw
    for degree in (52_519_999, 13_404_999):
        assert degree.to_bytes(4, "big") not in raw


def test_booked_and_closed_are_the_same_bit() -> None:
    def slots(hours: str, *busy: tuple[int, int]) -> bytes:
        settings = charger(hours=parse_hours(hours, "Europe/Berlin"))
        contact = Contact("12D3Koo", ())
        return make_listing(
            settings, author=b"a" * 32, sequence=1, contact=contact, busy=busy, now=MORNING
        ).slots.bits

    noon = next(
        at for at in range(MORNING, MORNING + DAY, HOUR) if to_local(at, zone_of("Europe/Berlin")).hour == 12
    )
    one_day_closed = tuple((noon + day * DAY, noon + day * DAY + HOUR) for day in range(15))
    assert slots("daily 08:00-20:00", *one_day_closed) == slots("daily 08:00-12:00; daily 13:00-20:00")
    assert slots("daily 08:00-20:00") != slots("daily 08:00-20:00", one_day_closed[0])


# --- needs ----------------------------------------------------------------------------------------

DAYTIME = Tariff(
    currency="EUR",
    elements=(
        TariffElement(
            (PriceComponent(TariffDimension.ENERGY, EURO // 2),),
            Restrictions(start_time=8 * 60, end_time=20 * 60),
        ),
        TariffElement((PriceComponent(TariffDimension.ENERGY, EURO // 4),)),
    ),
)


@pytest.mark.parametrize(
    ("need", "fits"),
    [
        ({}, True),
        ({"connector": "IEC_62196_T2"}, True),
        ({"connector": "CHADEMO"}, False),
        ({"min_power_w": 11_000}, True),
        ({"min_power_w": 11_001}, False),
        ({"max_price": 400_000}, True),
        ({"max_price": 399_999}, False),
        ({"max_price": 400_000, "currency": "EUR"}, True),
        ({"max_price": 400_000, "currency": "CHF"}, False),
        ({"instant": True}, True),
        ({"start": MORNING + HOUR, "end": MORNING + 2 * HOUR}, True),
        ({"start": MORNING + HOUR, "end": MORNING + HOUR + 10 * MINUTE}, False),  # shorter than allowed
        ({"start": MORNING + HOUR, "end": MORNING + 14 * HOUR}, False),
        ({"start": MORNING + 15 * DAY, "end": MORNING + 15 * DAY + HOUR}, False),
    ],
)
def test_needs(need: dict[str, Any], fits: bool) -> None:
    assert matches(ONE.body, Need(**need)) is fits


def test_a_host_that_answers_in_person_is_not_instant() -> None:
    rules = replace(charger().rules, instant=False)
    assert not matches(listing(rules=rules), Need(instant=True))
    assert matches(listing(rules=rules), Need(instant=False))


def test_the_price_is_that_of_the_wanted_time() -> None:
    one = listing(tariff=DAYTIME)
    night = MORNING - MORNING % DAY + 23 * HOUR
    assert listings.energy_price(one, Need()) == EURO // 4
    assert listings.energy_price(one, Need(start=night, end=night + HOUR)) == EURO // 4
    assert listings.energy_price(one, Need(start=night + 9 * HOUR, end=night + 12 * HOUR)) == EURO // 2
    assert not matches(one, Need(max_price=EURO // 3, start=night + 12 * HOUR, end=night + 13 * HOUR))


@pytest.mark.parametrize("window", [{"start": 5}, {"end": 5}, {"start": 5, "end": 5}, {"start": 6, "end": 5}])
def test_a_window_is_a_window(window: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        Need(**window)  # type: ignore[arg-type]
