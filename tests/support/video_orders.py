"""Orders of clips from a service of the test's own, whose requests may take half a second."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from eventflow.settings import RemoteSettings
from handlers.generation.text_to_video.client import videos_client
from handlers.generation.text_to_video.clip import inspect_clip
from handlers.generation.text_to_video.clip_request import ClipRequest
from handlers.generation.text_to_video.download import ContentFetcher
from handlers.generation.text_to_video.order import ClipOrders
from tests.support.video_server import KEY, Odd, VideoService, raw

WANTED = ClipRequest(prompt="The sea rises.", seconds=8, size=(1280, 720), idempotency_key="00-ab-0-1")
HANGING_S = 0.5


def orders(service: VideoService, **changes: Any) -> ClipOrders:
    """Of `service`, whose requests may take half a second; its own addresses count as a stranger's at "localhost"."""
    usual = RemoteSettings(
        url=service.url, dialect="openai", model="tide-1", key=KEY, poll_s=0.01, timeout_s=30, busy_s=2.0
    )
    settings = evolve(usual, **changes)
    http = evolve(videos_client(settings).service, timeout_s=HANGING_S)
    fetcher = ContentFetcher(
        service=http,
        hosts=settings.content_hosts,
        schemes=frozenset({"http", "https"}),
        allowed=lambda address: True,
        silence_s=HANGING_S,
    )
    client = evolve(videos_client(settings, fetcher), service=http, order_s=HANGING_S)
    return ClipOrders(
        client=evolve(client, content=evolve(fetcher, addresses=client.dialect.addresses)),
        settings=settings,
        check=inspect_clip,
    )


def elsewhere(service: VideoService) -> str:
    """An address of the clip at another host."""
    return service.url.removesuffix("/v1").replace("127.0.0.1", "localhost") + "/elsewhere"


def json(text: bytes, status: int = 200) -> Odd:
    return raw(text, status, "application/json")
