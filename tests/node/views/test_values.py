"""Times and places as people read them."""

from __future__ import annotations

from chargemesh_node.views.values import instant, money, place, spoken

NOW = 1_790_000_005_113  # 2026-09-21 16:13:25 in Berlin
HOUR_MS = 3_600_000


def test_an_instant_is_told_by_the_clocks_of_its_place() -> None:
    assert instant(NOW - NOW % 1000, "Europe/Berlin")["text"] == "2026-09-21 16:13:25"
    assert instant(NOW, "UTC")["text"] == "2026-09-21 14:13:25 UTC"
    assert (
        instant(NOW, "Mars/Olympus")["text"] == "2026-09-21 14:13:25 UTC"
    )  # a stranger's listing may say so


def test_in_a_sentence_today_needs_no_date() -> None:
    assert spoken(NOW, "Europe/Berlin", NOW) == "16:13"
    assert spoken(NOW + 7 * HOUR_MS, "Europe/Berlin", NOW) == "23:13"
    assert spoken(NOW + 8 * HOUR_MS, "Europe/Berlin", NOW) == "2026-09-22 00:13"
    assert spoken(NOW, "Mars/Olympus", NOW) == "14:13 UTC"


def test_money_and_places() -> None:
    assert money(2_570_000, "EUR") == {"micro": 2_570_000, "currency": "EUR", "text": "2.57 EUR"}
    assert place(-33_900_001, 18_400_000)["map"] == "geo:-33.900001,18.400000"
