"""Settings of services with models: `EVENTFLOW_PLANNER_*` plans topics, `EVENTFLOW_REMOTE_*` makes clips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from eventflow.settings.kinds import choice, mapped, matching, number, switch
from eventflow.settings.service_access import ServiceGroup

PLANNER = ServiceGroup("Topic planner: a chat model that plans scenes", "PLANNER")
REMOTE = ServiceGroup("Text-to-video service: clips of the pipeline remote", "REMOTE")

#: The dialects of `handlers.generation.text_to_video.dialects`.
REMOTE_DIALECTS: Final = ("openai", "openai-form", "openrouter", "together")
_HOST: Final = r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(:\d{1,5})?"
_SIDE: Final = r"[1-9]\d{2,3}"
_SIZE: Final = rf"{_SIDE}x{_SIDE}"


def _seconds(text: str) -> tuple[int, ...]:
    return tuple(sorted({int(each) for each in text.split(",")}))


def _sizes(text: str) -> tuple[tuple[int, int], ...]:
    split = (each.partition("x") for each in text.split(","))
    return tuple((int(width), int(height)) for width, _, height in split)


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(each.lower() for each in text.split(",") if each)


@frozen(kw_only=True)
class PlannerSettings:
    """The service that plans topics. `url` and `model` are empty where there is none."""

    url: str = PLANNER.url("base URL of a service with OpenAI's POST /chat/completions; empty: topics are refused")
    model: str = PLANNER.model("", "model that plans topics; needed with EVENTFLOW_PLANNER_URL", example="gpt-5-mini")
    key: str = PLANNER.key()
    timeout_s: float = PLANNER.timeout_s("120", "seconds that one answer of the service may take")
    patience_s: float = PLANNER.busy_wait_s("one attempt")
    form: str = PLANNER.setting(
        "auto",
        choice("auto", "json_schema", "json_object", "none"),
        "form of answers that the service is asked for; auto: json_schema, and the next one where it is refused",
        name="PLANNER_FORM",
    )
    headers: Mapping[str, str | None] = PLANNER.headers()
    params: Mapping[str, Any] = PLANNER.params()


@frozen(kw_only=True)
class RemoteSettings:
    """The text-to-video service; `url` is empty where there is none, `model` where the service chooses.

    `dialect` is "none" where none is chosen. `seconds` are in ascending order, `sizes` are (width, height) in pixels.
    `crop` False: clips are letterboxed. `keeps_keys`: the service makes one clip of orders with the same key.
    An entry of `content_hosts` may begin with "*.", for all subdomains.
    """

    url: str = REMOTE.url(
        "base URL of a text-to-video service, to which /videos is added; empty: the pipeline remote is refused",
        example="https://openrouter.ai/api/v1",
    )
    dialect: str = REMOTE.setting(
        "none",
        choice("none", *REMOTE_DIALECTS),
        "how the service is spoken to; openai: OpenAI's POST /videos in JSON (LiteLLM, SGLang); openai-form: in form "
        "data (vLLM-Omni); needed with EVENTFLOW_REMOTE_URL",
        name="REMOTE_DIALECT",
    )
    model: str = REMOTE.model("", "model that makes clips; empty: the service chooses", example="google/veo-3.1")
    key: str = REMOTE.key()
    seconds: tuple[int, ...] = REMOTE.setting(
        "4,8,12",
        matching(r"[1-9]\d?(,[1-9]\d?)*", "4,8,12").then(_seconds),
        "lengths of clips that the service makes, in seconds; where it tells what the model allows (openrouter), the "
        "nearest allowed ones",
        name="REMOTE_SECONDS",
    )
    sizes: tuple[tuple[int, int], ...] = REMOTE.setting(
        "1280x720,720x1280",
        matching(rf"{_SIZE}(,{_SIZE})*", "1280x720,720x1280").then(_sizes),
        "sizes of clips that the service makes, WIDTHxHEIGHT in pixels; where it tells what the model allows, the "
        "nearest allowed ones",
        name="REMOTE_SIZES",
    )
    crop: bool = REMOTE.setting(
        "crop",
        mapped({"crop": True, "letterbox": False}),
        "how a clip of another aspect ratio fills the video; crop: its edges are cut off; letterbox: it gets bars",
        name="REMOTE_FIT",
    )
    sound: bool = REMOTE.setting(
        "off", switch(), "on: the sound of clips is mixed under the narration", name="REMOTE_SOUND"
    )
    poll_s: float = REMOTE.setting(
        "5",
        number(float, 0.01, 600),
        "seconds between two requests for the state of a clip in progress",
        name="REMOTE_POLL_SECONDS",
    )
    timeout_s: float = REMOTE.setting(
        "1800",
        number(float, 1, 86_400),
        "seconds after its order within which a clip has to be ready",
        name="REMOTE_TIMEOUT_SECONDS",
    )
    busy_s: float = REMOTE.setting(
        "300",
        number(float, 0, 3_600),
        "seconds for which one attempt repeats an order that the service puts off (429, 503) or that can't reach it",
        name="REMOTE_BUSY_SECONDS",
    )
    keeps_keys: bool = REMOTE.setting(
        "off",
        switch(),
        "on: the service makes one clip of orders with the same Idempotency-Key, so that an order whose answer is lost "
        "is sent again; off: it fails the scene, since it may cost",
        name="REMOTE_KEEPS_KEYS",
    )
    orders: int = REMOTE.setting(
        "1",
        number(int, 1, 10),
        "clips that one scene may order and pay for, each after the one before has failed",
        name="REMOTE_ORDERS",
    )
    content_hosts: tuple[str, ...] = REMOTE.setting(
        "",
        matching(rf"({_HOST}(,{_HOST})*)?", "cdn.example.org,*.example.net").then(_hosts),
        "hosts besides the service's own that clips may be fetched from, such as cdn.example.org,*.example.net",
        name="REMOTE_CONTENT_HOSTS",
    )
    headers: Mapping[str, str | None] = REMOTE.headers()
    params: Mapping[str, Any] = REMOTE.params()
