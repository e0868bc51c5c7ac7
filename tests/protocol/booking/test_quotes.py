"""Quotes are made, forgotten, and found again; their secrets go."""

from __future__ import annotations

from dataclasses import replace

import pytest
from nacl.bindings import crypto_scalarmult_base as public_of

from chargemesh_protocol.booking.quotes import QuoteMaker
from chargemesh_protocol.booking.records import Quote
from chargemesh_protocol.booking.wire import AskQuote
from chargemesh_protocol.effects import DropDocument
from chargemesh_protocol.limits import QUOTE_LIFE_MS
from chargemesh_protocol.moment import Moment
from chargemesh_protocol.record import Record
from chargemesh_protocol.tariff import (
    PriceComponent,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
)
from chargemesh_protocol.terms import Terms

from ..neighbours import CHARGER, DAY, EURO, HOUR, MINUTE, Person, Street, charger

# Another price every half hour of the day.
RESTLESS = Tariff(
    currency="EUR",
    elements=tuple(
        TariffElement(
            (PriceComponent(TariffDimension.ENERGY, EURO + hour),),
            Restrictions(start_time=hour * 60, end_time=hour * 60 + 30),
        )
        for hour in range(16)
    ),
)


def made(alice: Person, maker: QuoteMaker, start: int, hours: int = 1, **changes: object) -> Record[Quote]:
    settings = charger(**changes)
    listing = alice.engine.listings.listing(CHARGER)
    assert listing is not None
    ask = AskQuote(charger=CHARGER, start=start, end=start + hours * HOUR, energy_wh=5000)
    at = Moment(alice.street.now, b"s" * 32)
    alice.disk.commit(maker.turn_day(at))
    return maker.make(ask, settings, listing, at)


def test_a_quote_says_everything_that_counts() -> None:
    street = Street()
    alice = street.host()
    quote = made(alice, QuoteMaker(alice.me, {}), street.now + HOUR).body
    listing = alice.engine.listings.listing(CHARGER)
    assert listing is not None and quote.listing == listing.id
    assert (quote.estimate, quote.cap) == (2 * EURO, 4_410_000)
    assert quote.expires == street.now + QUOTE_LIFE_MS
    assert quote.terms == charger().terms and quote.instant


def test_the_secret_is_found_again_also_after_a_restart_and_only_ours() -> None:
    street = Street()
    alice = street.host()
    maker = QuoteMaker(alice.me, {})
    quote = made(alice, maker, street.now + HOUR).body
    for one in (maker, QuoteMaker(alice.me, alice.disk.documents)):
        secret = one.secret_of(quote)
        assert secret is not None
        assert public_of(secret) == quote.one_time_key
        assert one.secret_of(replace(quote, one_time_key=b"k" * 32)) is None
        assert one.secret_of(replace(quote, start=quote.start - 1)) is None
    assert QuoteMaker(alice.me, {}).secret_of(quote) is None
    assert made(alice, maker, street.now + 2 * HOUR).body.one_time_key != quote.one_time_key


def test_a_days_secret_is_deleted_two_days_later_whether_or_not_anybody_asks() -> None:
    street = Street()
    alice = street.host()
    maker = QuoteMaker(alice.me, {})
    assert maker.deadline() is None
    quote = made(alice, maker, street.now + HOUR).body
    midnight = street.now - street.now % DAY
    assert maker.deadline() == midnight + 3 * DAY
    assert maker.due(midnight + 3 * DAY - 1) == []
    (dropped,) = maker.due(midnight + 3 * DAY)
    assert isinstance(dropped, DropDocument)
    assert maker.secret_of(quote) is None and maker.deadline() is None


def test_a_flood_of_questions_keeps_one_secret_a_day() -> None:
    street = Street()
    alice = street.host()
    maker = QuoteMaker(alice.me, {})
    for number in range(50):
        made(alice, maker, street.now + number * MINUTE)
    assert len(alice.disk.documents["quote-epoch"]) == 1
    street.now += DAY
    made(alice, maker, street.now + HOUR)
    assert len(alice.disk.documents["quote-epoch"]) == 2


def test_an_overstay_is_in_the_plan() -> None:
    street = Street()
    alice = street.host()
    terms = Terms(overstay_per_hour=6 * EURO, overstay_grace=15)
    quote = made(alice, QuoteMaker(alice.me, {}), street.now + HOUR, terms=terms).body
    late = quote.plan.periods[-1]
    assert late.start == quote.end + 15 * MINUTE
    parking = late.component(TariffDimension.PARKING_TIME)
    assert parking is not None and parking.price == 6 * EURO


def test_what_can_not_be_priced_is_said_in_a_sentence() -> None:
    street = Street()
    alice = street.host()
    with pytest.raises(ValueError, match="too often"):
        made(alice, QuoteMaker(alice.me, {}), street.now, hours=72, tariff=RESTLESS)


def test_the_secret_of_a_day_is_kept_also_when_its_first_quote_could_not_be_made() -> None:
    """Else every later quote of that day is worthless after a restart."""
    street = Street()
    patient = replace(charger().rules, max_minutes=20_160)
    alice, bob = street.host(tariff=RESTLESS, rules=patient), street.driver()
    refused = bob.asks(alice, street.now + HOUR, minutes=72 * 60)
    assert refused.code == "unpriceable"
    given = bob.asks(alice, street.now + HOUR)
    alice.restarts()
    booking = bob.takes(alice, given)
    assert alice.state(booking).accept is not None
