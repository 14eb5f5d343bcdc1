"""Dialects of text-to-video services: what they are sent, and where their answers say what.

All of them order by a POST, tell the state of a clip by a GET, and hand it out by a path or by addresses in the state.
Sources: docs.vllm.ai/projects/vllm-omni (videos API), docs.litellm.ai/docs/videos, openrouter.ai/docs (video
generation), docs.together.ai/reference (videos).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from attrs import frozen

from handlers.generation.text_to_video.clip_request import ClipRequest

#: Where services put the id of an order. The ids of a task come before those of a request, which some renew each time.
_IDS: Final = ("/id", "/video_id", "/task_id", "/data/id", "/data/task_id", "/task/id", "/request_id", "/name")
_STATUSES: Final = ("/status", "/state", "/data/status", "/data/task_status", "/task/status", "/task_status")
_PROGRESS: Final = ("/progress", "/data/progress")
_ERRORS: Final = (
    *("/error/metadata/raw", "/error/message", "/error/detail", "/error/code", "/error"),
    *("/error_message", "/failure", "/failureCode", "/failure_reason", "/detail/0/msg", "/detail"),
    *("/data/task_status_msg", "/info/errors/0", "/info/errors", "/0/error/message"),
)
_ADDRESSES: Final = (
    *("/unsigned_urls/0", "/outputs/video_url", "/output/videos/0/url", "/output/video_url", "/output/0", "/output"),
    *("/video/url", "/video_url", "/result/video_url", "/result/url", "/data/0/url", "/data/url", "/url"),
)
#: Shapes that services name, as width to height.
_SHAPES: Final = ((21, 9), (16, 9), (3, 2), (4, 3), (1, 1), (3, 4), (2, 3), (9, 16), (9, 21))
#: Names of resolutions that aren't their number of lines.
_NAMED_LINES: Final = {1440: "2K", 2160: "4K"}


@frozen
class Price:
    """Where a price stands, and its currency: a pointer to it (else `/currency` is looked at), or its name."""

    amount: str
    currency: str


_PRICES: Final = (
    Price("/cost/amount", "/cost/currency"),
    Price("/cost", "/currency"),
    Price("/usage/cost", "USD"),
    Price("/outputs/cost", "USD"),
    Price("/credits", "credits"),
)


@frozen(kw_only=True)
class Dialect:
    """How a service is spoken to. Pointers are in order: the first one that names something counts.

    `body` makes the fields of an order without the model; `form`: as multipart form data. `{id}` stands for the id in
    paths; `content` is empty where a clip is only at addresses. `models` lists models; `limits`: with what they allow.
    """

    name: str
    body: Callable[[ClipRequest], dict[str, Any]]
    form: bool = False
    orders: str = "/videos"
    clip: str = "/videos/{id}"
    content: str = "/videos/{id}/content"
    models: str = "/models"
    limits: bool = False
    cancels: bool = True
    keeps_keys: bool = False
    ids: tuple[str, ...] = _IDS
    statuses: tuple[str, ...] = _STATUSES
    progress: tuple[str, ...] = _PROGRESS
    errors: tuple[str, ...] = _ERRORS
    prices: tuple[Price, ...] = _PRICES
    addresses: tuple[str, ...] = _ADDRESSES

    def path_of(self, path: str, remote_id: str) -> str:
        """Return `path` with the id, percent-encoded."""
        return path.replace("{id}", quote(remote_id, safe=""))


def shape_of(size: tuple[int, int]) -> str:
    """Return the nearest shape that services name, such as "16:9"."""
    wanted = math.log(size[0] / size[1])
    width, height = min(_SHAPES, key=lambda shape: abs(math.log(shape[0] / shape[1]) - wanted))
    return f"{width}:{height}"


def resolution_of(size: tuple[int, int]) -> str:
    """Return the name of a resolution: "720p" by the shorter side, "2K" and "4K"."""
    lines = min(size)
    return _NAMED_LINES.get(lines, f"{lines}p")


def _openai(wanted: ClipRequest) -> dict[str, Any]:
    return {
        "prompt": wanted.prompt,
        "seconds": str(wanted.seconds),
        "size": f"{wanted.size[0]}x{wanted.size[1]}",
    }


def _openrouter(wanted: ClipRequest) -> dict[str, Any]:
    return {
        "prompt": wanted.prompt,
        "duration": wanted.seconds,
        "aspect_ratio": shape_of(wanted.size),
        "resolution": resolution_of(wanted.size),
    }


def _together(wanted: ClipRequest) -> dict[str, Any]:
    width, height = wanted.size
    return {"prompt": wanted.prompt, "seconds": str(wanted.seconds), "width": width, "height": height}


#: By their names in EVENTFLOW_REMOTE_DIALECT.
DIALECTS: Final[dict[str, Dialect]] = {
    dialect.name: dialect
    for dialect in (
        Dialect(name="openai", body=_openai),
        Dialect(name="openai-form", body=_openai, form=True),
        Dialect(name="openrouter", body=_openrouter, models="/videos/models", limits=True, cancels=False),
        Dialect(name="together", body=_together, content="", cancels=False),
    )
}
