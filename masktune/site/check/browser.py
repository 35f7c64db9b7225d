"""A headless Chromium that is told where to go and what to run, by the DevTools protocol."""

import asyncio
import base64
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from masktune.errors import MaskTuneError

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
    "--allow-file-access-from-files",
)  # fmt: skip
_START = 60  # seconds
_ANSWER = 120


def find() -> str | None:
    """The browser's program: $CHROMIUM, or the first of its usual names that is there."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page of the browser. `said` collects errors of scripts, errors in the console, and what did not load."""

    def __init__(self, connection: Any):
        self._connection = connection
        self._answers: dict[int, asyncio.Future] = {}
        self._loaded = asyncio.Event()
        self._number = 0
        self.said: list[str] = []
        self._listening = asyncio.ensure_future(self._listen())

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol. Raises MaskTuneError where the browser refuses it or does not answer."""
        self._number += 1
        number, answer = self._number, asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        await self._connection.write_message(json.dumps({"id": number, "method": method, "params": parameters}))
        try:
            return await asyncio.wait_for(answer, _ANSWER)
        except TimeoutError:
            raise MaskTuneError(f"the browser did not answer {method} in {_ANSWER} seconds") from None

    async def open(self, address: str) -> None:
        """Go to a page and wait until it has loaded."""
        self.said.clear()
        self._loaded.clear()
        answer = await self.call("Page.navigate", url=address)
        if "loaderId" in answer:  # another place on the same page is not loaded
            await asyncio.wait_for(self._loaded.wait(), _ANSWER)

    async def run(self, script: str) -> Any:
        """The value of a script on the page, which may be a promise. Raises MaskTuneError where it fails."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise MaskTuneError(f"a script of the check failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def resize(self, width: int, height: int, dark: bool) -> None:
        """The size of the window in CSS pixels, and whether the reader prefers dark pages."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self, path: Path, whole: bool = False) -> None:
        """A PNG of the window, or of the whole page."""
        answer = await self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    async def _listen(self) -> None:
        while (message := await self._connection.read_message()) is not None:
            event = json.loads(message)
            if "id" in event:
                self._answer(event)
            else:
                self._note(event["method"], event["params"])

    def _answer(self, event: dict[str, Any]) -> None:
        answer = self._answers.pop(event["id"])
        if answer.done():  # nobody waits any longer
            return
        if "error" in event:
            answer.set_exception(MaskTuneError(f"the browser refuses: {event['error']['message']}"))
        else:
            answer.set_result(event["result"])

    def _note(self, event: str, about: dict[str, Any]) -> None:
        if event == "Page.loadEventFired":
            self._loaded.set()
        elif event == "Runtime.exceptionThrown":
            self.said.append(about["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            self.said.append(" ".join(str(argument.get("value")) for argument in about["args"]))
        elif event == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.said.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")


@asynccontextmanager
async def tab(program: str) -> AsyncIterator[Tab]:
    """A browser with one page, which ends with the block."""
    from tornado.websocket import websocket_connect

    home = Path(tempfile.mkdtemp(prefix="masktune-browser-"))
    process = await asyncio.create_subprocess_exec(
        program, *_QUIET, f"--user-data-dir={home}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        connection = await websocket_connect(await _address(home), max_message_size=2**28)
        page = Tab(connection)
        for domain in ("Page", "Runtime", "Log"):
            await page.call(f"{domain}.enable")
        yield page
        connection.close()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        shutil.rmtree(home, ignore_errors=True)


async def _address(home: Path) -> str:
    """Where the first page of the browser listens, once it has written its port."""
    from tornado.httpclient import AsyncHTTPClient

    port = home / "DevToolsActivePort"
    for _ in range(10 * _START):
        if port.is_file() and (lines := port.read_text().split()):
            answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{lines[0]}/json/list")
            pages = [target for target in json.loads(answer.body) if target["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        await asyncio.sleep(0.1)
    raise MaskTuneError(f"Chromium did not start in {_START} seconds; name another one in $CHROMIUM")
