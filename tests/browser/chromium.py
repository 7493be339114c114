"""Drive a headless Chromium over the Chrome DevTools Protocol, as a person would use the pages."""

import asyncio
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

FOUND = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
PATIENCE_S = 60.0


class PageError(Exception):
    """The browser refused a command, or a script of the page failed."""


class Tab:
    """One tab: go somewhere, fill in, press, read."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session: str | None = None
        self.complaints: list[str] = []
        """What scripts threw and what the page's policy blocked."""

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its result."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        await self._connection.send(json.dumps(message))
        async with asyncio.timeout(PATIENCE_S):
            answer = await self._waiting[number]
        del self._waiting[number]
        if "error" in answer:
            raise PageError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def open(self) -> None:
        """Open the tab and hear what goes wrong in it."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")

    async def listen(self) -> None:
        """Read messages of the browser until cancelled."""
        async for frame in self._connection:
            message = json.loads(frame)
            if "id" in message:
                waiting = self._waiting.get(message["id"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            elif message["method"] == "Runtime.exceptionThrown":
                self.complaints.append(str(message["params"]["exceptionDetails"]))
            elif message["method"] == "Log.entryAdded":
                entry = message["params"]["entry"]
                if entry["level"] == "error" and entry["source"] != "network":
                    self.complaints.append(str(entry["text"]))

    async def go(self, url: str) -> None:
        """Load a page."""
        await self.call("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """The value of an expression, awaited."""
        answer = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise PageError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until an expression holds; also over the change to another page."""
        value = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not value:
                    with suppress(PageError):
                        value = await self.run(script)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            text = await self.run("location.href + '\\n' + document.body.innerText")
            raise AssertionError(f"{script} never held on {text}\n{self.complaints}") from None
        return value

    async def sees(self, text: str) -> None:
        """Wait until a text is on the page where a person sees it."""
        await self.until(f"document.body.innerText.includes({json.dumps(text)})")

    async def fill(self, selector: str, value: str) -> None:
        """Type into a field that is shown."""
        field = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"{field}?.checkVisibility()")
        await self.run(f"{field}.value = {json.dumps(value)}")

    async def press(self, text: str, within: str = "body") -> None:
        """Press the button or follow the link with this text, once it is shown."""
        found = (
            f"[...document.querySelectorAll({json.dumps(within + ' :is(button, a)')})].find((each) =>"
            f" each.checkVisibility() && each.innerText.includes({json.dumps(text)}))"
        )
        await self.until(f"Boolean({found})")
        await self.run(f"void {found}.click()")


@asynccontextmanager
async def tab(data: Path, *options: str) -> AsyncIterator[Tab]:
    """A tab of a browser of its own, which keeps its profile below `data`."""
    assert FOUND is not None
    profile = data / "chromium"
    process = await asyncio.create_subprocess_exec(
        FOUND, "--headless=new", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
        *(("--no-sandbox",) if os.geteuid() == 0 else ()),
        f"--user-data-dir={profile}", "--remote-debugging-port=0", *options, "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port, path = await _address(profile / "DevToolsActivePort")
        url = f"ws://127.0.0.1:{port}{path}"
        async with connect(url, max_size=None, compression=None) as connection:
            opened = Tab(connection)
            listening = asyncio.create_task(opened.listen())
            try:
                await opened.open()
                yield opened
            finally:
                listening.cancel()
                await asyncio.wait({listening})
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _address(file: Path) -> tuple[str, str]:
    """Where the browser listens, which it writes down when it does."""
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(lines) < 2:
            await asyncio.sleep(0.05)
            with suppress(FileNotFoundError):
                lines = (await asyncio.to_thread(file.read_text)).splitlines()
    return lines[0], lines[1]
