"""A text-to-video service in the submit, poll, download shape.

::

    POST   {url}/videos                prompt, seconds, size -> id, status
    GET    {url}/videos/{id}           -> status, progress, error, cost
    GET    {url}/videos/{id}/content   -> the clip
    DELETE {url}/videos/{id}           ends it
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
from attrs import frozen

from eventflow.settings import RemoteSettings
from handlers.generation.http_services.client import Answer, Service
from handlers.generation.http_services.errors import ServiceFailed
from handlers.generation.text_to_video.download import ContentFetcher
from handlers.generation.text_to_video.errors import RemoteUnknown
from handlers.generation.text_to_video.status import RemoteWork, read_work

_GONE = (404, 410)


@frozen
class Wanted:
    """A clip to be made: `seconds` long, `size` in pixels. The service makes it once for each `idempotency_key`."""

    prompt: str
    seconds: int
    size: tuple[int, int]
    idempotency_key: str = ""


@frozen
class VideosClient:
    """One request a call. All raise ServiceFailed and ServiceRefused."""

    service: Service
    model: str
    content: ContentFetcher

    async def submit(self, session: aiohttp.ClientSession, wanted: Wanted) -> RemoteWork:
        """Order a clip. Costs money."""
        body: dict[str, Any] = {
            "prompt": wanted.prompt,
            "seconds": str(wanted.seconds),
            "size": f"{wanted.size[0]}x{wanted.size[1]}",
        }
        if self.model:
            body["model"] = self.model
        headers = {"Idempotency-Key": wanted.idempotency_key} if wanted.idempotency_key else {}
        return self._work(await self.service.ask(session, "POST", "/videos", body, headers))

    async def status(self, session: aiohttp.ClientSession, remote_id: str) -> RemoteWork:
        """How far it is. Raises RemoteUnknown, too."""
        answer = await self.service.ask(session, "GET", f"/videos/{remote_id}")
        if answer.status in _GONE:
            raise RemoteUnknown(f"{self.service.title} doesn't know {remote_id}")
        return self._work(answer, remote_id)

    async def cancel(self, session: aiohttp.ClientSession, remote_id: str) -> None:
        """End it; one that has ended, or isn't known, is as good."""
        answer = await self.service.ask(session, "DELETE", f"/videos/{remote_id}")
        if not answer.good and answer.status not in (*_GONE, 409):
            raise self.service.refusal(answer)

    async def fetch(self, session: aiohttp.ClientSession, remote_id: str, target: Path) -> None:
        """The finished clip, into `target`."""
        await self.content.fetch(session, f"/videos/{remote_id}/content", target)

    def _work(self, answer: Answer, remote_id: str | None = None) -> RemoteWork:
        value = self.service.json(answer)
        try:
            return read_work(value, remote_id)
        except ValueError as error:
            raise ServiceFailed(f"{self.service.title}'s answer {error}: {self.service.told(answer.body)}") from None


def videos_client(settings: RemoteSettings, content: ContentFetcher | None = None) -> VideosClient:
    """The client of these settings."""
    service = Service("the video service", "EVENTFLOW_REMOTE", settings.url, settings.key, timeout_s=30.0)
    return VideosClient(service, settings.model, content or ContentFetcher(service, settings.content_hosts))
