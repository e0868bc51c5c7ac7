"""Calendars through the API: the feed and its secret, and the busy times of a host's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargemesh_node.errors import CalendarError
from chargemesh_node.ics.feed_token import FeedToken
from chargemesh_node.ics.watch import BusyWatch
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.people import Person
from chargemesh_node.sim.world import World
from chargemesh_node.views.doctor import doctor
from chargemesh_protocol.booking.imported import BusyFound
from chargemesh_protocol.zones import HOUR_MS

from .houses import CHARGER, TOKEN, app_for, client_of
from .test_server import served, talk


class Reader:
    """A BusyReader whose calendar is what a test says."""

    def __init__(self) -> None:
        self.times: list[tuple[int, int]] = []
        self.fault = ""
        self.asked: list[str] = []

    async def __call__(self, source: str, zone: str, start: int, end: int) -> BusyFound:
        self.asked.append(source)
        if self.fault:
            raise CalendarError(self.fault)
        return BusyFound(tuple(self.times), 0)


def reading(person: Person) -> Reader:
    """Gives a simulated node a reader, as `chargemesh run` does."""
    reader = Reader()
    person.node.busy = BusyWatch(reader, person.node.runner, person.clock)
    person.node.busy.start()
    return reader


def test_busy_times_are_read_when_named_every_hour_and_on_command(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(5)
        alice = await world.add("alice")
        host, reader = client_of(alice, tmp_path), reading(alice)
        app = app_for(alice.node, tmp_path / "home")
        start = alice.clock.now() // HOUR_MS * HOUR_MS + 5 * HOUR_MS
        reader.times = [(start, start + HOUR_MS)]
        secret = "https://calendar.example.org/private-token/mine.ics"
        made = await host.post("/v1/chargers", {**CHARGER, "busy_from": secret})
        path = f"/v1/chargers/{made['id']}"
        assert made["busy"]["times"] == 1 and made["busy"]["source"] == "calendar.example.org"
        assert "private-token" not in str(made)
        settings = alice.node.runner.engine.listings.all_settings()[0]
        assert not alice.node.runner.engine.calendar.free(settings.charger, start, start + HOUR_MS)
        # What does not name it leaves it alone, and asks nobody.
        await host.ask("PATCH", path, {"title": "Other"})
        assert reader.asked == [secret]
        await world.pass_time(hours=2.1)
        assert len(reader.asked) == 3
        reader.fault = "calendar.example.org answered 503"
        told = await host.ask("POST", f"{path}/busy")
        assert told.status == 400 and "answered 503" in str(told.value)
        view, status = await host.get(path), await host.get("/v1/status")
        assert view["busy"]["fault"] == reader.fault and view["busy"]["times"] == 1
        assert status["counts"]["calendars_failing"] == 1
        assert [one["ok"] for one in doctor(app)["checks"] if one["name"] == "calendar"] == [False]
        assert not alice.node.runner.engine.calendar.free(settings.charger, start, start + HOUR_MS)
        reader.fault, reader.times = "", []
        assert (await host.post(f"{path}/busy"))["busy"]["fault"] == ""
        assert alice.node.runner.engine.calendar.free(settings.charger, start, start + HOUR_MS)
        # A name that can't be read is refused before anything is changed.
        reader.fault = "the file can't be read (No such file or directory)"
        refused = await host.ask("PATCH", path, {"busy_from": "/home/alice/other.ics"})
        assert refused.status == 400 and "No such file" in str(refused.value)
        assert alice.node.runner.engine.listings.all_settings()[0].busy_from == secret
        gone = await host.ask("PATCH", path, {"busy_from": ""})
        assert gone.value["busy"] is None
        none = await host.ask("POST", f"{path}/busy")
        assert none.code == "no-calendar"
        await world.end()

    run(main())


async def get(server: Any, path: str, *headers: str) -> tuple[int, bytes]:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers, "", ""]
    said = await talk(server, "\r\n".join(lines).encode())
    return int(said.split(b" ")[1]), said


@pytest.mark.asyncio
async def test_the_secret_opens_the_feed_alone_until_it_is_renewed_or_taken_back(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, app):
        feed = FeedToken(app.home, app.node.ports.entropy)
        assert feed.get() is None
        assert (await get(server, "/calendar/.ics"))[0] == 404
        token = feed.ensure()
        assert feed.ensure() == token
        assert (app.home.run / "calendar.token").stat().st_mode & 0o077 == 0
        status, said = await get(server, f"/calendar/{token}.ics")
        assert status == 200 and b"BEGIN:VCALENDAR" in said and b"text/calendar" in said
        for wrong in (f"{token}x", token[:-1], TOKEN, ""):
            assert (await get(server, f"/calendar/{wrong}.ics"))[0] == 404
        assert (await get(server, f"/calendar/{token}"))[0] == 404
        for path in ("/v1/bookings", "/v1/status"):
            assert (await get(server, path, f"Authorization: Bearer {token}"))[0] == 401
        other = feed.renew()
        answers = [(await get(server, f"/calendar/{one}.ics"))[0] for one in (token, other)]
        assert answers == [404, 200]
        feed.drop()
        feed.drop()
        assert (await get(server, f"/calendar/{other}.ics"))[0] == 404


def test_the_commands_of_the_feed(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(6)
        alice = await world.add("alice")
        owner = client_of(alice, tmp_path)
        first = await owner.post("/v1/calendar")
        assert first["url"].startswith("http://127.0.0.1:8080/calendar/") and first["url"].endswith(".ics")
        assert first["webcal"] == first["url"].replace("http", "webcal", 1) and not first["on_lan"]
        assert await owner.post("/v1/calendar") == first
        assert (await owner.post("/v1/calendar/renew"))["url"] != first["url"]
        assert (await owner.ask("DELETE", "/v1/calendar")).value == {"on": False}
        await world.end()

    run(main())
