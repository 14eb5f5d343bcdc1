"""Firefox, told what to do by WebDriver BiDi: it serves the protocol by itself, with no driver in between."""

from __future__ import annotations

import asyncio
import json
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse
from attrs import define, field

START_S = 60.0
_PREFERENCES = {
    "media.autoplay.default": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


@define(eq=False)
class Firefox:
    """One tab. See https://w3c.github.io/webdriver-bidi/ for commands."""

    socket: ClientWebSocketResponse
    tab: str = ""
    _numbers: Any = field(factory=lambda: count(1))

    async def command(self, method: str, **params: Any) -> Any:
        """The command's result; one at a time."""
        number = next(self._numbers)
        await self.socket.send_json({"id": number, "method": method, "params": params})
        while (answer := await self.socket.receive_json(timeout=START_S)).get("id") != number:
            pass  # events
        assert answer["type"] == "success", answer
        return answer["result"]

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, or of its promise, by way of JSON."""
        result = await self.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self.tab},
            awaitPromise=True,
        )
        assert result["type"] == "success", result
        text = result["result"].get("value")
        return None if text is None else json.loads(text)

    async def go(self, url: str) -> None:
        await self.command("browsingContext.navigate", context=self.tab, url=url, wait="complete")


@asynccontextmanager
async def firefox(program: str, folder: Path) -> AsyncIterator[Firefox]:
    """`folder` is empty, and becomes its profile."""
    lines = [f'user_pref("{name}", {str(value).lower()});\n' for name, value in _PREFERENCES.items()]
    (folder / "user.js").write_text("".join(lines))
    process = await asyncio.create_subprocess_exec(
        *(program, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        env={**os.environ, "HOME": str(folder)},
    )
    try:
        url = await asyncio.wait_for(_address(process), START_S)
        async with ClientSession() as session, session.ws_connect(f"{url}/session", max_msg_size=0) as socket:
            made = Firefox(socket)
            await made.command("session.new", capabilities={})
            made.tab = (await made.command("browsingContext.getTree"))["contexts"][0]["context"]
            yield made
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _address(process: Process) -> str:
    assert process.stderr is not None
    said = ""
    while line := (await process.stderr.readline()).decode(errors="replace"):
        said += line
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
            return found[1]
    raise AssertionError(f"Firefox ended before it could be spoken to:\n{said}")
