"""Drives a headless chromium over its DevTools protocol: just enough to open a page, look and click."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

SECONDS = 20.0
PROGRAM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--proxy-server=direct://",
)


class ScriptError(Exception):
    """An expression failed in the page."""


class Page:
    """One tab, the size of a small phone."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.complaints: list[str] = []  # what the console and the content policy said

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            told = json.loads(await asyncio.wait_for(self._socket.recv(), SECONDS))
            if told.get("id") == self._number:
                assert "error" not in told, told["error"]
                result: dict[str, Any] = told["result"]
                return result
            self._hear(told)

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def evaluate(self, script: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        told = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in told:
            raise ScriptError(str(told["exceptionDetails"]))
        return told["result"].get("value")

    async def until(self, script: str) -> Any:
        """The expression's value once it is true."""
        for _ in range(round(SECONDS / 0.1)):
            try:
                if value := await self.evaluate(script):
                    return value
            except ScriptError:
                pass  # the page is still being loaded
            await asyncio.sleep(0.1)
        shown = await self.evaluate("document.body.innerText")
        raise AssertionError(f"not within {SECONDS} s: {script}\n{shown}\n{self.complaints}")

    async def click(self, text: str) -> None:
        """Clicks the button, link or summary with this text."""
        begins = f"one.textContent.trim().startsWith({json.dumps(text)})"
        find = f"[...document.querySelectorAll('button,a,summary')].find((one) => {begins})"
        await self.until(f"!!{find}")
        await self.evaluate(f"{find}.click()")

    async def picture(self, path: Path) -> None:
        """The whole page as a PNG."""
        told = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(told["data"]))

    async def scheme(self, name: str) -> None:
        """light or dark"""
        features = [{"name": "prefers-color-scheme", "value": name}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    def _hear(self, told: dict[str, Any]) -> None:
        if told.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(told["params"]["exceptionDetails"]))
        if told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
            self.complaints.append(told["params"]["entry"]["text"])


@asynccontextmanager
async def phone(folder: Path, width: int = 360, height: int = 740) -> AsyncIterator[Page]:
    """A page of `width` CSS pixels in a browser of its own, whose files lie in `folder`."""
    profile = folder / "profile"
    environment = {**os.environ, "HOME": str(folder)}
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *_FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port, browser = await _where(profile)
        async with connect(f"ws://127.0.0.1:{port}{browser}", max_size=64 * 2**20, proxy=None) as socket:
            root = Page(socket)
            target = await root.call("Target.createTarget", url="about:blank")
        page_url = f"ws://127.0.0.1:{port}/devtools/page/{target['targetId']}"
        async with connect(page_url, max_size=64 * 2**20, proxy=None) as socket:
            page = Page(socket)
            for domain in ("Page", "Runtime", "Log"):
                await page.call(f"{domain}.enable")
            await page.call(
                "Emulation.setDeviceMetricsOverride",
                width=width,
                height=height,
                deviceScaleFactor=2,
                mobile=True,
            )
            yield page
    finally:
        process.terminate()
        await process.wait()


async def _where(profile: Path) -> tuple[int, str]:
    """The port and path that the browser wrote down when it was ready."""
    file = profile / "DevToolsActivePort"
    for _ in range(round(SECONDS / 0.1)):
        if file.exists() and len(lines := file.read_text().splitlines()) == 2:
            return int(lines[0]), lines[1]
        await asyncio.sleep(0.1)
    raise AssertionError("chromium did not start")
