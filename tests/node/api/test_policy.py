"""A host's rules, members, blocked people and walk-ins through the API, between two simulated nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World

from .houses import CHARGER, HOUR_MS, client_of

WORDS = "members of family instantly; first-timers and trust below 20 % not at all; others on request"


def test_who_may_book_and_why(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(18)
        alice, bob = await world.add("alice"), await world.add("bob")
        host, driver = client_of(alice, tmp_path), client_of(bob, tmp_path)
        id = (await host.post("/v1/chargers", CHARGER))["id"]
        await world.pass_time(seconds=5)
        policy = {"words": WORDS, "answer_minutes": 90, "otherwise": "DECLINE", "members_only": "shown"}
        told = await host.ask("PATCH", f"/v1/chargers/{id}", {"policy": policy})
        assert told.status == 200 and told.value["settings"]["policy"] == {**policy, "walk_in": ""}
        assert told.value["who_may"]["words"] == WORDS
        wrong = await host.ask("PATCH", f"/v1/chargers/{id}", {"policy": {"words": "friends instantly"}})
        assert (wrong.status, wrong.code) == (400, "bad-rules")

        now = bob.clock.now()
        slot = {"start": now + HOUR_MS, "end": now + 3 * HOUR_MS}
        them = bob.node.me.author.hex()
        nobody = await host.post(f"/v1/chargers/{id}/rules", slot)
        assert (nobody["answer"], nobody["code"]) == ("no", "members-only")
        assert [one["counts"] for one in nobody["clauses"]] == [False, True, False]
        members = await host.post("/v1/members", {"peer": them, "name": "Bob", "group": "family"})
        assert members == {"members": [{"author": them, "name": "Bob", "group": "family"}]}
        member = await host.post(f"/v1/chargers/{id}/rules", {**slot, "peer": them[:10]})
        assert (member["answer"], member["group"]) == ("instantly", "family")

        found = (await driver.get("/v1/find", lat=52.52, lon=13.405, radius_m=3000))[0]
        assert found["rules"]["members_only"] is True
        quote = await driver.post("/v1/quotes", {"listing": found["id"], **slot})
        assert (quote["answer_within_s"], quote["otherwise"]) == (90 * 60, "DECLINE")
        booked = await driver.post("/v1/bookings", {"quote": quote["quote"]})
        await world.pass_time(seconds=5)
        assert (await driver.get(f"/v1/bookings/{booked['id']}"))["reservation"] == "RESERVED"

        blocked = await host.post("/v1/blocked", {"peer": booked["id"], "reason": "loud"})
        assert (blocked["author"], [one["id"] for one in blocked["bookings"]]) == (them, [booked["id"]])
        await host.post(f"/v1/bookings/{booked['id']}/cancel", {"reason": "SAFETY"})
        again = await driver.post("/v1/quotes", {"listing": found["id"], **slot})
        refused = await driver.post("/v1/bookings", {"quote": again["quote"]})
        await world.pass_time(seconds=5)
        assert (await driver.get(f"/v1/bookings/{refused['id']}"))["refused"] == "not-offerable"
        listed = await host.get("/v1/blocked")
        assert [(one["reason"], one["bookings"]) for one in listed["blocked"]] == [("loud", [])]
        assert (await host.ask("DELETE", f"/v1/blocked/{them}")).status == 200
        assert (await host.ask("DELETE", f"/v1/members/{them[:8]}")).status == 200
        assert (await host.get("/v1/members"))["members"] == []
        await world.end()

    run(main())


def test_who_stands_there_books_by_the_code(tmp_path: Path) -> None:
    async def main() -> tuple[Any, ...]:
        world = World(19)
        alice, bob = await world.add("alice"), await world.add("bob")
        host, driver = client_of(alice, tmp_path), client_of(bob, tmp_path)
        charger = {**CHARGER, "policy": {"words": "others on request"}}
        id = (await host.post("/v1/chargers", charger))["id"]
        await world.pass_time(seconds=5)
        assert (await host.ask("GET", f"/v1/chargers/{id}/code.svg")).code == "no-code"
        code = await host.post(f"/v1/chargers/{id}/code")
        sheet = await host.ask("GET", f"/v1/chargers/{id}/code.svg")
        picture = await host.ask("GET", f"/v1/chargers/{id}/code.png")
        now = bob.clock.now()
        stand = {"link": code["link"], "end": now + HOUR_MS}
        quote = await driver.post("/v1/walk-in", stand)
        booked = await driver.post("/v1/bookings", {"quote": quote["quote"], "plug": "CHADEMO"})
        await world.pass_time(seconds=5)
        seen = await driver.get(f"/v1/bookings/{booked['id']}")
        await driver.post(f"/v1/bookings/{booked['id']}/cancel")
        await world.pass_time(seconds=5)
        newer = await host.post(f"/v1/chargers/{id}/code", {"new": True})
        assert (await host.post(f"/v1/chargers/{id}/code"))["link"] == newer["link"] != code["link"]
        old = await driver.post("/v1/walk-in", {**stand, "end": bob.clock.now() + HOUR_MS})
        refused = await driver.post("/v1/bookings", {"quote": old["quote"]})
        await world.pass_time(seconds=5)
        ended = await driver.get(f"/v1/bookings/{refused['id']}")
        shown = await host.get(f"/v1/chargers/{id}")
        await world.end()
        return code, sheet, picture, seen, ended, shown

    code, sheet, picture, seen, ended, shown = run(main())
    assert code["answer"] == "instantly" and code["link"].startswith("chargemesh:walk-in/")
    assert sheet.content.startswith(b"<svg") and b"Garage" in sheet.content
    assert picture.content.startswith(b"\x89PNG")
    assert seen["reservation"] == "RESERVED"
    assert ended["refused"] == "walk-in"
    secret = shown["settings"]["policy"]
    assert secret["walk_in"] == "instantly" and code["link"][40:60] not in str(shown)
