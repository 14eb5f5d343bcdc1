"""A client for text-to-video services with submit, poll and download.

::

    POST   {url}/videos                prompt, seconds, size -> id, status
    GET    {url}/videos/{id}           -> status, progress, error, cost
    GET    {url}/videos/{id}/content   -> the clip
    DELETE {url}/videos/{id}           cancels it
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


@frozen(kw_only=True)
class ClipRequest:
    """A clip to be ordered: `seconds` long, `size` in pixels. A service makes one clip per `idempotency_key`."""

    prompt: str
    seconds: int
    size: tuple[int, int]
    idempotency_key: str = ""


@frozen
class VideosClient:
    """Sends one request per call. All methods raise ServiceFailed and ServiceRefused."""

    service: Service
    model: str
    content: ContentFetcher

    async def submit(self, session: aiohttp.ClientSession, wanted: ClipRequest) -> RemoteWork:
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
        """Ask for the state of a clip. Also raises RemoteUnknown."""
        answer = await self.service.ask(session, "GET", f"/videos/{remote_id}")
        if answer.status in _GONE:
            raise RemoteUnknown(f"{self.service.title} does not know the clip {remote_id}")
        return self._work(answer, remote_id)

    async def cancel(self, session: aiohttp.ClientSession, remote_id: str) -> None:
        """Cancel a clip; one that has ended or is unknown counts as cancelled."""
        answer = await self.service.ask(session, "DELETE", f"/videos/{remote_id}")
        if not answer.good and answer.status not in (*_GONE, 409):
            raise self.service.refusal(answer)

    async def fetch(self, session: aiohttp.ClientSession, remote_id: str, target: Path) -> None:
        """Download the finished clip into `target`."""
        await self.content.fetch(session, f"/videos/{remote_id}/content", target)

    def _work(self, answer: Answer, remote_id: str | None = None) -> RemoteWork:
        value = self.service.json(answer)
        try:
            return read_work(value, remote_id)
        except ValueError as error:
            raise ServiceFailed(f"{self.service.title}'s answer {error}: {self.service.safe(answer.body)}") from None


def videos_client(settings: RemoteSettings, content: ContentFetcher | None = None) -> VideosClient:
    """Make a client from settings."""
    service = Service(
        title="the video service",
        setting="EVENTFLOW_REMOTE",
        url=settings.url,
        key=settings.key,
        timeout_s=30.0,
        extra_headers=settings.headers,
        params=settings.params,
    )
    return VideosClient(
        service, settings.model, content or ContentFetcher(service=service, hosts=settings.content_hosts)
    )
