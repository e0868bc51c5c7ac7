"""`chargemesh wallbox` as a process of its own, against a central system in this one."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from chargemesh_node.wallbox.virtual_run import full_url
from chargemesh_protocol.charging.reports import Reading, SessionEnded, SessionStarted
from chargemesh_protocol.errors import PersonError

from .house import BOX, OWNER, House, house


async def chargemesh(*words: str, stdin: int = asyncio.subprocess.PIPE) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chargemesh_cli", "wallbox", *words,
        stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def typed(home: House, *options: str) -> asyncio.subprocess.Process:
    """The command's process, with the house's own box out of the way."""
    await home.box.close()
    return await chargemesh("--url", home.central.url(BOX), "--id", BOX, "--sample", "0.05", *options)


@pytest.mark.asyncio
async def test_it_charges_on_commands_and_tells_in_json(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret-password-1\n")
    async with house() as home:
        options = ("--password-file", str(tmp_path / "password"), "--speed", "600", "--tag", OWNER, "--json")
        process = await typed(home, *options)
        assert process.stdin is not None
        await home.until(lambda: len(home.of(Reading)) > 2)
        process.stdin.write(f"dance\ntag {OWNER}\n".encode())
        await home.until(lambda: home.of(SessionEnded))
        process.stdin.write(b"unplug\n")
        await home.until(lambda: home.driver.status.connector_state == "Available")
        out, _ = await process.communicate(b"quit\n")
        assert process.returncode == 0
    events = [json.loads(line) for line in out.splitlines()]
    names = [event["event"] for event in events]
    for name in (
        "online",
        "plugged in",
        "tag",
        "session began",
        "reading",
        "session ended",
        "not understood",
    ):
        assert name in names
    assert home.of(SessionStarted)[0].owner


@pytest.mark.asyncio
async def test_it_ends_by_itself_and_speaks_plainly() -> None:
    async with house() as home:
        process = await typed(home, "--password", "wrong", "--for", "0.5", "--no-plug-in")
        out, _ = await process.communicate()
        assert process.returncode == 0
    assert "offline: server rejected WebSocket connection: HTTP 401" in out.decode()
    assert out.decode().rstrip().endswith("time is over: 0.5 s")


@pytest.mark.asyncio
async def test_it_runs_without_a_stdin() -> None:
    nowhere = ("--url", "ws://127.0.0.1:9/ocpp", "--id", "b", "--for", "0.3")
    process = await chargemesh(*nowhere, stdin=asyncio.subprocess.DEVNULL)
    _, said = await process.communicate()
    assert (process.returncode, said) == (0, b"")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "wrong",
    [
        ("--power", "11"),
        ("--password-file", "/nonexistent/file"),
        ("--unit", "J"),
        ("--url", "http://x"),
        ("--soc", "101"),
    ],
)
async def test_mistakes_are_told_in_a_sentence(wrong: tuple[str, str]) -> None:
    process = await chargemesh("--url", "ws://127.0.0.1:9/ocpp", "--id", "b", *wrong)
    _, said = await process.communicate()
    assert process.returncode == 2 and b"Traceback" not in said and said


def test_addresses_are_completed_and_checked() -> None:
    assert full_url("ws://h:1/ocpp/", "b") == full_url("ws://h:1/ocpp/b", "b") == "ws://h:1/ocpp/b"
    for wrong in ("http://h/ocpp", "ws://", "garage"):
        with pytest.raises(PersonError, match="charger pair"):
            full_url(wrong, "b")
