"""Jobs that are watched by many players at once, each with a token of its own: what each has asked for is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import define

from ops.compose import web_app
from tests.support.studio import Studio
from tests.support.waiting import wait_until
from web.http.tokens import make_token

OWNER = "ada"


@define(eq=False)
class OnAir:
    """The web app of a studio that nobody may use without a key or a token. `asked` has paths by tokens."""

    studio: Studio
    server: TestServer
    asked: Mapping[str, set[str]]

    def url(self, job_id: str, player: int, what: str = "stream.m3u8") -> str:
        """All that a player is given; `player` is a number that no other one has."""
        token = make_token(self.studio.parts.signing, job_id, datetime.now(UTC) + timedelta(hours=1 + player))
        end = f"{'&' if '?' in what else '?'}token={token}"
        return str(self.server.make_url(f"/api/v1/videos/jobs/{job_id}/{what}{end}"))

    def has_begun(self, url: str) -> bool:
        """Whether the player of this URL has asked for a segment."""
        return any(path.endswith(".m4s") for path in self.asked[url.rpartition("token=")[2]])

    async def started(self, job_id: str) -> None:
        async def has_started() -> bool:
            return any(envelope.type == "StreamStarted" for envelope in await self.studio.space.history(job_id))

        await wait_until(has_started, 60, what="the first scene can be watched")

    async def ended(self, job_id: str) -> None:
        await wait_until(lambda: self.studio.space.ended(job_id), 90, what="the job has ended")


@asynccontextmanager
async def on_air(studio: Studio) -> AsyncIterator[OnAir]:
    app, asked = web_app(studio.parts), defaultdict[str, set[str]](set)

    async def note(request: web.Request, _: web.StreamResponse) -> None:
        asked[request.query.get("token", "")].add(request.path)

    app.on_response_prepare.append(note)
    await studio.parts.api_keys.add(OWNER)
    async with TestServer(app) as server:
        yield OnAir(studio, server, asked)  # type: ignore[arg-type]
