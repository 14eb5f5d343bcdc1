"""A text-to-video service in the submit, poll, download shape, with a journal, that misbehaves as a test tells it."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import av
import numpy as np
from aiohttp import web
from attrs import define, field, frozen

from tests.support.http_server import hang, serving

KEY = "sk-remote-1f2e3d4c5b6a"
#: An answer in place of the right one; None: the right one.
Odd = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@frozen
class Asked:
    """`what` is submit, status, content, cancel or elsewhere."""

    what: str
    path: str
    headers: dict[str, str]
    body: Any = None


@define(eq=False)
class VideoService:
    """`odd` answers come first, one after the other, by what is asked. A video is done after `polls` looks, as soon as
    `released` is set. `made` are the ids of all that was ever ordered: those of `ids`, then video_1 and so on.
    `listing` is what it tells of its models."""

    clip: bytes
    url: str = ""
    polls: int = 1
    done: str = "completed"
    extra: dict[str, Any] = field(factory=dict)
    ids: list[str | int] = field(factory=list)
    accepted: dict[str, Any] = field(factory=lambda: {"status": "queued"})
    listing: Any = None
    has_content: bool = True
    keeps_keys: bool = True
    released: threading.Event = field(factory=threading.Event)
    odd: dict[str, list[Odd]] = field(factory=dict)
    journal: list[Asked] = field(factory=list)
    made: list[str] = field(factory=list)
    _by_key: dict[str, str] = field(factory=dict)
    _looks: dict[str, int] = field(factory=dict)

    def asked(self, what: str) -> list[Asked]:
        return [each for each in self.journal if each.what == what]

    async def _odd(self, what: str, request: web.Request) -> web.StreamResponse | None:
        self.journal.append(Asked(what, request.raw_path, dict(request.headers), await _body(request)))
        waiting = self.odd.get(what, [])
        return await waiting.pop(0)(request) if waiting else None

    def order(self, key: str | None) -> str:
        """The id of the video that is made for `key`."""
        if self.keeps_keys and key in self._by_key:
            return self._by_key[key or ""]
        named = self.ids.pop(0) if self.ids else f"video_{len(self.made) + 1}"
        self.made.append(str(named))
        self._by_key[key or ""] = self.made[-1]
        return self.made[-1]

    async def submit(self, request: web.Request) -> web.StreamResponse:
        if odd := await self._odd("submit", request):
            return odd
        return web.json_response({"id": self.order(request.headers.get("Idempotency-Key")), **self.accepted})

    async def status(self, request: web.Request) -> web.StreamResponse:
        if odd := await self._odd("status", request):
            return odd
        name = request.match_info["id"]
        if name not in self.made:
            return web.json_response({"error": {"message": "no such video"}}, status=404)
        looks = self._looks[name] = self._looks.get(name, 0) + 1
        if looks <= self.polls or not self.released.is_set():
            return web.json_response({"id": name, "status": "in_progress", "progress": min(99, looks * 10)})
        return web.json_response({"id": name, "status": self.done, "progress": 100, **self.extra})

    async def content(self, request: web.Request) -> web.StreamResponse:
        if odd := await self._odd("content", request):
            return odd
        if not self.has_content:
            return web.json_response({"error": "Not Found"}, status=404)
        return web.Response(body=self.clip, content_type="video/mp4")

    async def models(self, request: web.Request) -> web.StreamResponse:
        if odd := await self._odd("models", request):
            return odd
        if self.listing is None:
            return web.json_response({"error": "Not Found"}, status=404)
        return web.json_response(self.listing)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        if odd := await self._odd("cancel", request):
            return odd
        return web.json_response({"id": request.match_info["id"], "deleted": True})

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Where a redirect leads to."""
        if odd := await self._odd("elsewhere", request):
            return odd
        return web.Response(body=self.clip, content_type="video/mp4")


async def _body(request: web.Request) -> Any:
    """What was sent: JSON, or the fields of form data."""
    if not request.can_read_body:
        return None
    if request.content_type == "multipart/form-data":
        return dict(await request.post())
    return await request.json()


@contextmanager
def video_service(clip: bytes) -> Iterator[VideoService]:
    service = VideoService(clip)
    service.released.set()
    app = web.Application()
    app.router.add_post("/v1/videos", service.submit)
    app.router.add_get("/v1/models", service.models)
    app.router.add_get("/v1/videos/models", service.models)
    app.router.add_get("/v1/videos/{id}", service.status)
    app.router.add_get("/v1/videos/{id}/content", service.content)
    app.router.add_delete("/v1/videos/{id}", service.cancel)
    app.router.add_get("/elsewhere", service.elsewhere)
    with serving(app) as url:
        service.url = f"{url}/v1"
        yield service


def answer(status: int, body: Any = None, **headers: str) -> Odd:
    """`headers` with underscores: Retry_After="2"."""

    async def odd(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body or {"error": {"message": "because"}}, status=status, headers=named)

    return odd


def raw(data: bytes, status: int = 200, media_type: str = "video/mp4") -> Odd:
    async def odd(_: web.Request) -> web.StreamResponse:
        return web.Response(body=data, status=status, content_type=media_type)

    return odd


async def hangs(_: web.Request) -> web.StreamResponse | None:
    await hang()
    return None


def cut_after(data: bytes, length: int) -> Odd:
    """Tells the whole length, and closes the connection in the middle."""

    async def odd(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(data))})
        await response.prepare(request)
        await response.write(data[:length])
        await asyncio.sleep(0.05)
        assert request.transport is not None
        request.transport.close()
        return response

    return odd


def make_clip(
    seconds: float, size: tuple[int, int], *, rate: int = 24, sound: bool = True, fragmented: bool = False
) -> bytes:
    """An MP4: red on the left, blue on the right, and at the left edge a white bar that grows from top to bottom."""
    target = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov"} if fragmented else {}
    with av.open(target, "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "18"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio = container.add_stream("aac", rate=48_000, layout="mono") if sound else None
        count = round(seconds * rate)
        for number in range(count):
            picture = np.zeros((size[1], size[0], 3), np.uint8)
            picture[:, : size[0] // 2, 0] = picture[:, size[0] // 2 :, 2] = 255
            picture[: size[1] * number // count, : size[0] // 20] = 255
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        if audio is not None:
            _tone(container, audio, seconds)
    return target.getvalue()


def _tone(container: Any, stream: Any, seconds: float) -> None:
    samples = (np.sin(np.arange(round(seconds * 48_000)) * 2 * np.pi * 500 / 48_000) * 12_000).astype(np.int16)
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis, start : start + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
