"""A charger as JSON: what is read back can be sent again, and a change changes only what it names."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from chargemesh_node.api.charger_body import (
    ChargerBody,
    Defaults,
    PayeeBody,
    StrangersBody,
    merged,
    settings_from,
)
from chargemesh_node.api.reading import convert
from chargemesh_node.views.chargers import sentence, settings_as_json
from chargemesh_protocol.chargers import ChargerSettings
from chargemesh_protocol.tariff import Tariff, TariffElement
from tests.protocol.prices import tariffs

from .houses import CHARGER

ID = bytes(range(16))
DEFAULTS = Defaults(
    strangers=StrangersBody(on_request=True, open_bookings=2),
    access_lead_minutes=90,
    payee=PayeeBody("Alice", ""),
    password="a" * 16,
    secret=b"s" * 32,
)


def settings(body: dict[str, Any] = CHARGER) -> ChargerSettings:
    return settings_from(convert(body, ChargerBody), ID, DEFAULTS)


def changed(before: ChargerSettings, changes: dict[str, Any]) -> ChargerSettings:
    return settings(merged(settings_as_json(before, with_password=True), changes))


def test_what_is_left_out_comes_from_the_configuration() -> None:
    plain = {name: CHARGER[name] for name in ("home", "connectors", "tariff", "hours")}
    made = settings(plain)
    assert made.strangers.open_bookings == 2 and made.access_lead_minutes == 90
    assert made.payee_name == "Alice" and made.wallbox.password == "a" * 16
    assert made.home.latitude == 52_520_000 and made.resolution == 7


def test_a_manual_charger_needs_no_password() -> None:
    assert settings({**CHARGER, "wallbox": {"driver": "manual"}}).wallbox.password == ""


def test_read_and_sent_again_it_is_the_same() -> None:
    full = {
        **CHARGER,
        "hours": {"zone": "Europe/Berlin", "text": "mon-fri 18:00-08:00; sat 10:00-12:00"},
        "terms": {
            "tiers": [{"minutes_before": 60, "percent": 50}, {"minutes_before": 240, "fixed": 1_000_000}]
        },
        "about": {"parking": "ON_STREET", "amenities": ["shade"], "languages": ["de"]},
        "wallbox": {"driver": "ocpp", "password": "secret", "owner_tags": ["A1"], "plug_and_charge": False},
    }
    made = settings(full)
    assert [one.minutes_before for one in made.terms.tiers] == [240, 60]
    assert changed(made, {}) == made
    assert "secret" not in str(settings_as_json(made))


@given(tariff=tariffs())
def test_every_tariff_survives(tariff: Tariff) -> None:
    before = replace(settings(), tariff=tariff)
    assert changed(before, {}).tariff == replace(tariff, elements=_in_one_order(tariff))


def _in_one_order(tariff: Tariff) -> tuple[TariffElement, ...]:
    """A tariff of plain prices comes back in the usual order of its dimensions, which means the same."""
    if len(tariff.elements) != 1 or tariff.elements[0].restrictions is not None:
        return tariff.elements
    components = tariff.elements[0].components
    if any(one.step != 1 for one in components):
        return tariff.elements
    order = ["ENERGY", "TIME", "PARKING_TIME", "FLAT"]
    return (TariffElement(tuple(sorted(components, key=lambda one: order.index(one.dimension.value)))),)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"title": "Drive"}, {"home", "tariff", "wallbox"}),
        ({"home": {"code": "0815"}}, {"about", "tariff", "wallbox", "hours"}),
        ({"tariff": {"per_kwh": 400000}}, {"home", "about", "wallbox"}),
    ],
)
def test_a_change_changes_what_it_names(changes: dict[str, Any], kept: set[str]) -> None:
    before = settings()
    after = changed(before, copy.deepcopy(changes))
    assert after != before
    assert all(getattr(after, name) == getattr(before, name) for name in kept)


def test_prices_by_name_and_elements_take_each_others_place() -> None:
    night = {"start_time": 0, "end_time": 360, "min_power_w": 1000}
    elements = [
        {"components": [{"dimension": "ENERGY", "price": 200000}], "restrictions": night},
        {"components": [{"dimension": "ENERGY", "price": 400000}]},
    ]
    first = changed(settings(), {"tariff": {"elements": elements}})
    assert len(first.tariff.elements) == 2
    assert changed(first, {"tariff": {"tax_bp": 1900}}).tariff.elements == first.tariff.elements
    second = changed(first, {"tariff": {"per_kwh": 300000}})
    assert [one.components[0].price for one in second.tariff.elements] == [300000]


def test_a_new_price_keeps_those_by_period() -> None:
    by_period = [{"when": "fri 22:00-06:00", "per_kwh": 200_000}]
    first = changed(settings(), {"tariff": {"per_kwh": 400_000, "by_period": by_period}})
    second = changed(first, {"tariff": {"per_kwh": 300_000}})
    assert [one.components[0].price for one in second.tariff.elements] == [200_000, 200_000, 300_000]
    third = changed(second, {"tariff": {"by_period": []}})
    assert [one.components[0].price for one in third.tariff.elements] == [300_000]


def test_the_sentence_says_who_answers() -> None:
    assert "accepted at once" in sentence(settings())
    first_timers = {**CHARGER, "strangers": {"on_request": True}}
    assert "you answer first-timers yourself" in sentence(settings(first_timers))
    asked = {**CHARGER, "rules": {"instant": False}}
    assert sentence(settings(asked)).endswith("You answer each request yourself.")
