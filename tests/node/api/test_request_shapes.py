"""Requests of a shape that nobody sends: each is refused with what to do, and the server lives on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargemesh_node.api.bodies import SayEntry
from chargemesh_node.api.limits import MAX_BODY_BYTES
from chargemesh_node.api.reading import parse_body
from chargemesh_node.sim.loop import run
from chargemesh_node.sim.world import World
from chargemesh_protocol.errors import PersonError

from .houses import CHARGER, Client, client_of


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """A body with a field of any shape."""

    name: str
    count: int = 0
    fields: dict[str, Any] = {}


DEEP = ("[" * 100_000, "[" * 900 + "]" * 900, '{"fields":' * 50_000, '{"a":' * 900 + "1" + "}" * 900)


@pytest.mark.parametrize("deep", DEEP)
@pytest.mark.parametrize("wanted", [Any, Wish, SayEntry])
def test_deep_json_is_refused_or_read_and_never_a_crash(deep: str, wanted: Any) -> None:
    for body in (deep, '{"name": "x", "kind": "x", "fields": {"a": ' + deep + "}}"):
        try:
            parse_body(body.encode(), wanted)
        except PersonError as error:
            assert error.hint


def test_the_server_lives_on_after_deep_json(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(5)
        client: Client = client_of(await world.add("alice"), tmp_path)
        try:
            for deep in DEEP:
                nested = '{"kind": "x", "fields": {"a": ' + deep + "}}"
                for raw in (deep, nested[:MAX_BODY_BYTES]):
                    told = await client.ask("POST", "/v1/log/say", raw.encode())
                    assert 400 <= told.status < 500, (told.status, told.value)
            assert (await client.get("/v1/chargers"))["chargers"] == []
        finally:
            await world.end()

    run(main())


@pytest.mark.parametrize(
    ("body", "code", "hint"),
    [
        (b"{", "bad-json", "Send one JSON object"),
        (b"\xff", "bad-json", "Send one JSON object"),
        (b"[" * 100_000, "bad-value", "--help"),
        (b'{"name": "x", "fields": {"a": ' + b"[" * 100_000, "bad-json", "--help"),
        (b"{}", "missing-field", "Give name too."),
        (b'{"name": "x", "zzz": 1}', "unknown-field", "Fields are name, count, fields."),
        (b'{"name": "x", "cuont": 1}', "unknown-field", "Did you mean count?"),
        (b'{"name": "x", "count": "y"}', "bad-value", "--help"),
    ],
)
def test_every_refusal_says_what_to_do(body: bytes, code: str, hint: str) -> None:
    with pytest.raises(PersonError) as refused:
        parse_body(body, Wish)
    assert refused.value.code == code and hint in refused.value.hint


def test_the_only_charger_is_the_last_and_several_are_named(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(5)
        client: Client = client_of(await world.add("alice"), tmp_path)
        try:
            told = await client.ask("GET", "/v1/chargers/last")
            assert told.status == 404 and "charger list" in told.value["error"]["hint"]
            first = (await client.post("/v1/chargers", CHARGER))["id"]
            assert (await client.get("/v1/chargers/last"))["id"] == first
            assert first[:8] in (await client.ask("GET", "/v1/chargers/1")).value["error"]["hint"]
            second = (await client.post("/v1/chargers", {**CHARGER, "title": "Another"}))["id"]
            told = await client.ask("GET", "/v1/chargers/last")
            assert told.status == 404
            assert first[:8] in told.value["error"]["hint"] and second[:8] in told.value["error"]["hint"]
        finally:
            await world.end()

    run(main())
