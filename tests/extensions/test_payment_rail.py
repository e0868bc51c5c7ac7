"""The documented payment rail: the host names an account for it, and `pay` shows what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.extensions import Extension, Extensions, installed
from chargemesh_node.payments import Payee, check_account, rail_for, rail_named
from chargemesh_node.payments import installed as plugged
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.errors import PersonError
from tests.cli.person import Person
from tests.cli.stub_node import StubNode
from tests.node.api.houses import CHARGER, client_of
from tests.node.api.test_mistakes import mistaken
from tests.node.api.test_reading import books

ACCOUNT = "https://pay.example.org/alice"
PAYEE = {"name": "Alice", "account": ACCOUNT}
EURO = 1_000_000


def billed(tmp_path: Path) -> dict[str, Any]:
    """What the driver's node says of paying a receipt of a host with that account: with the rail, without
    it, and when the charger is changed afterwards."""
    told: dict[str, Any] = {}

    async def main() -> None:
        world = World(37)
        alice, bob = await world.add("alice"), await world.add("bob")
        host, driver = client_of(alice, tmp_path), client_of(bob, tmp_path)
        try:
            charger = (await host.post("/v1/chargers", {**CHARGER, "payee": PAYEE}))["id"]
            await world.pass_time(seconds=5)
            booking = await books(driver, bob.clock.now())
            await driver.get(booking, wait_until="access", timeout_s=30)
            await driver.post(f"{booking}/start")
            await asyncio.sleep(1800)
            await driver.post(f"{booking}/stop")
            await asyncio.sleep(60)
            told["with"] = await driver.get(f"{booking}/payment")
            told["path"] = booking.removeprefix("/v1/")
            rails, installed_before = plugged.installed, installed()
            plugged.installed = lambda: Extensions((), {}, {}, {})  # type: ignore[assignment]
            told["without"] = await driver.get(f"{booking}/payment")
            changed = await host.ask("PATCH", f"/v1/chargers/{charger}", {"title": "Drive"})
            told["changed"] = changed.value["settings"]["payee"]
            new = {**CHARGER, "payee": PAYEE}
            told["refused"] = await mistaken(host, "POST", "/v1/chargers", new)
            plugged.installed = rails
            assert installed() is installed_before
        finally:
            await world.end()

    run(main())
    return told


def test_pay_shows_what_the_rail_says(
    extensions: Path, tmp_path: Path, person: Person, node: StubNode
) -> None:
    told = billed(tmp_path)
    paid = told["with"]
    link = f"{ACCOUNT}?amount="
    assert paid["rail"] == "paylink" and link in paid["text"] and paid["qr"].startswith(link)
    node.answers[f"GET {told['path']}/payment"] = paid
    said = person.types("pay", told["path"].removeprefix("bookings/"))
    assert said.code == 0 and link in said.out.replace("\n", "")
    by_hand = told["without"]
    assert by_hand["rail"] == "manual" and f"Alice ({ACCOUNT})" in by_hand["text"]
    assert told["changed"] == PAYEE, "an account that stands is kept while its rail is not there"
    assert told["refused"][0] == "bad-iban"


def test_an_account_is_an_iban_or_what_a_rail_can_pay(extensions: Path) -> None:
    assert check_account(f" {ACCOUNT}", "Alice", "EUR") == ACCOUNT
    assert check_account("DE89 3704 0044 0532 0130 00", "Alice", "EUR") == "DE89370400440532013000"
    with pytest.raises(ValueError):
        check_account(ACCOUNT, "Alice", "JPY")
    assert rail_for("EUR", Payee("Alice", "DE89370400440532013000")).name == "sepa-qr"
    with pytest.raises(PersonError, match="sepa-qr, paylink, manual") as error:
        rail_named("gold")
    assert error.value.code == "bad-rail"


class Broken:
    name = "broken"

    def can_pay(self, currency: str, payee: Payee) -> bool:
        if not payee.account:
            raise RuntimeError("it did not expect that")
        return True

    def request(self, *_: object) -> str:
        return "not a request"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    rails = {"broken": Extension("payment rail", "broken", "chargemesh-odd", "1.0", Broken())}
    monkeypatch.setattr(plugged, "installed", lambda: Extensions((), {}, {}, rails))
    yield


def test_a_rail_that_fails_is_named_and_by_hand_remains(broken: None) -> None:
    assert rail_for("EUR", Payee("Alice")).name == "manual"
    with pytest.raises(PersonError, match=r"'broken' of chargemesh-odd 1\.0") as error:
        rail_for("CHF", Payee("Alice", "x")).request(EURO, "CHF", Payee("Alice", "x"), "ref")
    assert error.value.code == "not-payable" and "--rail manual" in error.value.hint
