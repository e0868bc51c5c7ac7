"""Runs a virtual wallbox for `chargemesh wallbox`: from options to the end, with commands typed meanwhile."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field

from chargemesh_protocol.errors import ExitCode, PersonError

from ..clock import SystemClock
from .car import Car
from .faults import NO_FAULTS, Faults
from .typed_lines import TypedLines
from .virtual import VirtualWallbox
from .virtual_connection import Tell

HELP = "plug, unplug, tag TAG, vanish SECONDS, quit"


@dataclass(frozen=True, slots=True)
class VirtualOptions:
    """`backlog_minutes`: a session of so many minutes, ended an hour ago, is told first (with `tag`).
    `tag` is held up at the start; `run_s` ends it after so many seconds."""

    url: str
    charger_id: str
    password: str | None
    power_w: int = 11_000
    battery_wh: int = 60_000
    soc_percent: float = 30.0
    speed: float = 1.0
    sample_s: float = 10.0
    obey_sample_interval: bool = True
    faults: Faults = field(default=NO_FAULTS)
    plug_in: bool = True
    tag: str | None = None
    backlog_minutes: int = 0
    run_s: float | None = None


def full_url(url: str, charger_id: str) -> str:
    """The address with the charge point's id at its end, whether it was written there or not.

    Raises PersonError for what is no WebSocket address.
    """
    if not url.startswith(("ws://", "wss://")) or not url.partition("://")[2].strip("/"):
        raise PersonError(
            "bad-url",
            f"{url!r} is no address of a charging system.",
            "Write what `chargemesh charger pair` shows, for example ws://127.0.0.1:9310/ocpp/garage.",
            ExitCode.USAGE,
        )
    trimmed = url.rstrip("/")
    return trimmed if trimmed.endswith(f"/{charger_id}") else f"{trimmed}/{charger_id}"


async def run_virtual(options: VirtualOptions, tell: Tell) -> None:
    """Until `quit` is typed, SIGINT or SIGTERM comes, or `run_s` is over. A stdin that ends is no reason."""
    box = VirtualWallbox(
        full_url(options.url, options.charger_id),
        options.charger_id,
        options.password,
        SystemClock(),
        car=Car(options.battery_wh, options.soc_percent, max_power_w=options.power_w),
        power_w=options.power_w,
        speed=options.speed,
        sample_s=options.sample_s,
        faults=options.faults,
        obey_sample_interval=options.obey_sample_interval,
        tell=tell,
    )
    if options.backlog_minutes:
        box.recall_session(options.tag or "OFFLINE", options.backlog_minutes, ended_ago_s=3600)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    typed = TypedLines()
    typed.start()
    typing = asyncio.create_task(_obey(box, typed, over, tell))
    await box.start()
    try:
        async with asyncio.timeout(options.run_s):
            if options.plug_in:
                box.plug_in()
            if options.tag is not None and not options.backlog_minutes:
                await box.online()
                await box.swipe(options.tag)
            await over.wait()
    except TimeoutError:
        tell("time is over", {"seconds": options.run_s})
    finally:
        typed.close()
        typing.cancel()
        await asyncio.gather(typing, return_exceptions=True)
        await box.close()


async def _obey(box: VirtualWallbox, typed: TypedLines, over: asyncio.Event, tell: Tell) -> None:
    """Commands, one a line."""
    async for line in typed:
        match line.split():
            case ["plug"]:
                box.plug_in()
            case ["unplug"]:
                box.unplug()
            case ["tag", tag]:
                await box.swipe(tag)
            case ["vanish", seconds] if seconds.isdigit():
                box.vanish(int(seconds))
            case ["quit"]:
                over.set()
                return
            case []:
                pass
            case words:
                tell("not understood", {"typed": " ".join(words), "commands": HELP})
