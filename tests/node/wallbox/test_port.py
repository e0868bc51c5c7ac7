"""Strangers and garbage on the OCPP port: refused, bounded, and the house's own box never notices."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chargemesh_node.clock import SeededEntropy
from chargemesh_node.wallbox import central
from chargemesh_node.wallbox.central import CentralSystem, new_password
from chargemesh_node.wallbox.link import virtual_speed
from chargemesh_node.wallbox.virtual import VirtualWallbox
from chargemesh_protocol import limits

from .house import BOX, House, house


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def raw_box(home: House, **options: Any) -> connect:
    settings: dict[str, Any] = {
        "additional_headers": basic(BOX, "secret-password-1"),
        "subprotocols": ["ocpp1.6"],
        "proxy": None,
    }
    return connect(home.central.url(BOX), **(settings | options))


async def ask(socket: ClientConnection, text: str | bytes) -> Any:
    """The answer to `text`; the node's own calls are skipped. None if what we ask next is answered first."""
    await socket.send(text)
    await socket.send('[2,"next","Heartbeat",{}]')
    answers = []
    async with asyncio.timeout(60):
        while not answers or answers[-1][1] != "next":
            answers.append(json.loads(await socket.recv()))
            if answers[-1][0] == 2:
                answers.pop()
    return answers[0] if len(answers) > 1 else None


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (BOX, {}),
        (BOX, basic(BOX, "wrong")),
        (BOX, basic("other", "secret-password-1")),
        (BOX, {"Authorization": "Bearer x"}),
        (BOX, {"Authorization": "Basic ====="}),
        ("unknown", basic("unknown", "secret-password-1")),
        ("", basic("", "secret-password-1")),
        (f"{BOX}/x", basic(BOX, "secret-password-1")),
    ],
)
async def test_without_the_right_name_and_password_nobody_connects(
    path: str, headers: dict[str, str]
) -> None:
    async with house() as home:
        url = home.central.url(BOX).removesuffix(BOX) + path
        with pytest.raises(InvalidStatus) as refusal:
            async with connect(url, additional_headers=headers, subprotocols=["ocpp1.6"], proxy=None):  # type: ignore[list-item]
                pass
        assert refusal.value.response.status_code == 401
        assert refusal.value.response.headers["WWW-Authenticate"].startswith("Basic")
        assert home.box.connected, "and the box never notices"


@pytest.mark.asyncio
async def test_another_subprotocol_is_refused_and_the_spelling_of_ours_is_the_boxs() -> None:
    async with house() as home:
        with pytest.raises(InvalidStatus):
            async with raw_box(home, subprotocols=["ocpp2.0.1"]):
                pass
        async with raw_box(home, subprotocols=["ocpp2.0.1", "OCPP1.6"]) as socket:
            assert socket.subprotocol == "OCPP1.6"


@pytest.mark.asyncio
async def test_garbage_bytes_on_the_port_do_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with house() as home:
        get = b"GET /ocpp/garage HTTP/1.1\r\n\r\n"
        post = b"POST / HTTP/1.0\r\nContent-Length: 99999999\r\n\r\n"
        for garbage in (b"\x00\xff" * 5000, get, b"", b"\x16\x03\x01" + b"A" * 900, post):
            reader, writer = await asyncio.open_connection("127.0.0.1", home.central.port)
            writer.write(garbage)
            writer.write_eof()
            async with asyncio.timeout(60):
                await reader.read()
            writer.close()
        started = await home.driver_charges(readings=2)
        await home.driver_stops(started.session)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.asyncio
async def test_messages_that_are_no_ocpp_are_answered_by_the_book_or_dropped() -> None:
    async with house() as home:
        await home.box.close()
        async with raw_box(home) as socket:
            deep = '{"a":' * 500 + "{}" + "}" * 500
            cases: list[tuple[str | bytes, str | None]] = [
                ("}{not json", None), (b"\xff\xfe", None), ("[]", None), ("[" * 60_000, None), ("7", None),
                ('[99,"a","Foo",{}]', None), ('[3,"never-asked",{}]', None),
                ('[4,"never-asked","x","",{}]', None),
                ('[2,"a","Heartbeat"]', "ProtocolError"), ('[2,5,"Heartbeat",{}]', "ProtocolError"),
                ('[2,"a",["Heartbeat"],{}]', "ProtocolError"),
                ('[2,"a","Heartbeat","x"]', "TypeConstraintViolation"),
                (f'[2,"a","Heartbeat",{deep}]', "FormationViolation"),
                ('[2,"a","NoSuchAction",{}]', "NotImplemented"),
                ('[2,"a","Reset",{"type":"Hard"}]', "NotImplemented"),
                ('[2,"a","Authorize",{}]', "ProtocolError"),
                ('[2,"a","Authorize",{"self":1,"idTag":5}]', "ProtocolError"),
                ('[2,"a","StartTransaction",{"connectorId":1e9,"idTag":"X"}]', "ProtocolError"),
            ]  # fmt: skip
            for message, code in cases:
                answer = await ask(socket, message)
                assert (answer and answer[2]) == code, message
            assert (await ask(socket, '[2,"a","Heartbeat",{}]'))[0] == 3, "the connection lives on"


@pytest.mark.asyncio
async def test_sloppy_messages_of_real_boxes_are_understood() -> None:
    async with house() as home:
        await home.box.close()
        async with raw_box(home) as socket:

            async def say(action: str, payload: dict[str, Any]) -> Any:
                return await ask(socket, json.dumps([2, "m", action, payload]))

            assert (await say("BootNotification", {"chargePointVendor": "V" * 99}))[2]["status"] == "Accepted"
            assert (await say("StatusNotification", {"connectorId": 1, "status": "Charging"}))[0] == 3
            start = {"connectorId": 1, "idTag": "owner-1", "meterStart": 100.0, "timestamp": "never"}
            number = (await say("StartTransaction", start))[2]["transactionId"]
            reading = {"value": 0.2, "unit": "kWh", "extra": None}
            values = [
                {"timestamp": None, "sampledValue": [reading, {"value": "x", "measurand": "Frequency"}]}
            ]
            facts = {"connectorId": 1, "transactionId": number, "meterValue": values}
            assert (await say("MeterValues", facts))[0] == 3
            assert (await say("MeterValues", {"connectorId": 1}))[0] == 3
            assert (await say("StopTransaction", {"transactionId": number, "meterStop": 250}))[0] == 3
            assert (await say("DataTransfer", {"vendorId": "V"}))[2]["status"] == "UnknownVendorId"
            assert (await say("FirmwareStatusNotification", {"status": "Idle"}))[0] == 3
            assert (await say("DiagnosticsStatusNotification", {"status": "Idle"}))[0] == 3
        registers = [getattr(report, "register_wh", None) for report in home.reports]
        assert [register for register in registers if register is not None] == [100, 200, 250]


@pytest.mark.asyncio
async def test_too_large_and_too_many_bad_messages_end_the_connection() -> None:
    async with house() as home:
        async with raw_box(home) as socket:
            with pytest.raises(ConnectionClosed):
                await socket.send("x" * (limits.MAX_OCPP_MESSAGE_BYTES + 1))
                await socket.recv()
        async with raw_box(home) as socket:
            with pytest.raises(ConnectionClosed):
                for _ in range(limits.MAX_OCPP_BAD_FRAMES + 5):
                    await socket.send("garbage")
                while True:
                    await socket.recv()
        await home.until(lambda: home.box.connected and home.driver.status.connected)


@pytest.mark.asyncio
async def test_open_sockets_are_bounded() -> None:
    async with house() as home:
        writers = []
        for _ in range(limits.MAX_OCPP_CONNECTIONS_PER_ADDRESS + 10):
            _, writer = await asyncio.open_connection("127.0.0.1", home.central.port)
            writers.append(writer)
        await asyncio.sleep(0.1)
        assert home.box.connected
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.1)
        async with raw_box(home) as socket:
            assert (await ask(socket, '[2,"a","Heartbeat",{}]'))[0] == 3


@pytest.mark.asyncio
async def test_a_box_with_a_wrong_password_says_so_and_tries_on() -> None:
    async with house() as home:
        told: list[str] = []
        other = VirtualWallbox(
            home.central.url(BOX),
            BOX,
            "wrong",
            home.clock,
            tell=lambda event, facts: told.append(f"{event} {facts}"),
        )
        await other.start()
        await home.until(lambda: told)
        await other.close()
        assert "401" in told[0]


@pytest.mark.asyncio
async def test_a_box_whose_charger_is_set_up_anew_is_told_to_try_again_and_not_that_nobody_knows_it() -> None:
    async with house() as home:
        await home.box.close()

        async def refusal(password: str) -> tuple[int, str | None]:
            with pytest.raises(InvalidStatus) as refused:
                async with raw_box(home, additional_headers=basic(BOX, password)):
                    pass
            return refused.value.response.status_code, refused.value.response.headers.get("Retry-After")

        await home.driver.close()
        assert await refusal("secret-password-1") == (503, "2")
        assert await refusal("a guess") == (401, None), "who has no password learns nothing"
        home.driver = home.new_driver()
        await home.driver.start(home.reports.append)
        async with raw_box(home) as socket:
            assert (await ask(socket, '[2,"a","Heartbeat",{}]'))[0] == 3


@pytest.mark.asyncio
async def test_a_charger_that_is_gone_for_good_is_unknown_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(central, "BACK_WITHIN_S", 0.0)
    async with house() as home:
        home.central.detach(BOX)
        with pytest.raises(InvalidStatus) as refused:
            async with raw_box(home):
                pass
        assert refused.value.response.status_code == 401


def test_passwords_are_long_enough_and_easy_to_type() -> None:
    password = new_password(SeededEntropy(b"seed"))
    assert len(password) == 16 and password.isalnum() and password == password.lower()


def test_urls_name_the_charge_point() -> None:
    assert CentralSystem(port=9220).url("my box") == "ws://127.0.0.1:9220/ocpp/my%20box"
    assert CentralSystem(port=9220).url("b", "fe80::1") == "ws://[fe80::1]:9220/ocpp/b"


def test_only_our_own_virtual_box_is_believed_to_count_too_fast() -> None:
    assert virtual_speed({"charge_point_vendor": "chargemesh", "meter_type": "virtual x600"}) == 600
    assert virtual_speed({"charge_point_vendor": "Real", "meter_type": "virtual x600"}) == 1
    for meter in (None, "", "virtual x0", "virtual x999999", "virtual x6 ", 7):
        assert virtual_speed({"charge_point_vendor": "chargemesh", "meter_type": meter}) == 1
