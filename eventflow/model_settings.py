"""Settings of services with models: `EVENTFLOW_PLANNER_*` plans topics, `EVENTFLOW_REMOTE_*` makes clips."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from eventflow.light import environ
from eventflow.setting_checks import PREFIX, Checks

_URL: Final = r"(https?://[^\s?#@]+)?"
_KEY: Final = r"[!-~]{0,4096}"
_MODEL: Final = r"([^\s\0]{1,200})?"
_HOST: Final = r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(:\d{1,5})?"


@environ.config(prefix=PREFIX)
class RawPlanner:
    """The variables as text, with their defaults and what they mean."""

    planner_url = environ.var("", help="service with OpenAI's /chat/completions that plans topics: https://HOST/v1")
    planner_model = environ.var("", help="model that it is asked for")
    planner_key = environ.var("", help="its bearer token (secret, may come from a file)")
    planner_timeout_seconds = environ.var("120", help="how long it may take for an answer")


@environ.config(prefix=PREFIX)
class RawRemote:
    """The same."""

    remote_url = environ.var("", help="text-to-video service of the pipeline remote (POST /videos): https://HOST/v1")
    remote_model = environ.var("", help="model that it is asked for; empty: the service's own choice")
    remote_key = environ.var("", help="its bearer token (secret, may come from a file)")
    remote_seconds = environ.var("4,8,12", help="lengths of clips that it makes, in seconds")
    remote_sizes = environ.var("1280x720,720x1280", help="sizes of clips that it makes, in pixels")
    remote_fit = environ.var("crop", help="a clip of another shape than the video is cut (crop) or framed (letterbox)")
    remote_sound = environ.var("off", help="on: a clip's own sound is heard, under the narration")
    remote_poll_seconds = environ.var("5", help="pause between two looks at a clip in work")
    remote_timeout_seconds = environ.var("1800", help="how long one try of a scene waits for its clip")
    remote_orders = environ.var("1", help="clips that may be ordered for a scene, each after the one before has failed")
    remote_content_hosts = environ.var(
        "", help="other hosts that clips may be fetched from: cdn.example.org,*.example.net"
    )


@frozen
class PlannerSettings:
    """`url` and `model` are empty where there is no planner."""

    url: str = ""
    model: str = ""
    key: str = field(default="", repr=False)
    timeout_s: float = 120.0


@frozen
class RemoteSettings:
    """`url` is empty where there is no service; `model` where it chooses. `seconds` in order; `sizes` in pixels.

    `crop` False frames clips; `orders` is how many clips may be paid for to get one scene. `content_hosts` may begin
    with "*.", for all names below.
    """

    url: str = ""
    model: str = ""
    key: str = field(default="", repr=False)
    seconds: tuple[int, ...] = (4, 8, 12)
    sizes: tuple[tuple[int, int], ...] = ((1280, 720), (720, 1280))
    crop: bool = True
    sound: bool = False
    poll_s: float = 5.0
    timeout_s: float = 1_800.0
    orders: int = 1
    content_hosts: tuple[str, ...] = ()


def planner_settings(check: Checks) -> PlannerSettings:
    """Problems are noted in `check`."""
    return PlannerSettings(
        url=check.matches("planner_url", _URL, "https://api.openai.com/v1").rstrip("/"),
        model=check.matches("planner_model", _MODEL, "gpt-5-mini"),
        key=check.matches("planner_key", _KEY, "a token of printable characters", secret=True),
        timeout_s=check.number("planner_timeout_seconds", float, 0.1, 3_600),
    )


def remote_settings(check: Checks) -> RemoteSettings:
    """Problems are noted in `check`."""
    seconds = check.matches("remote_seconds", r"[1-9]\d?(,[1-9]\d?)*", "4,8,12")
    side = r"[1-9]\d{2,3}"
    sizes = check.matches("remote_sizes", rf"{side}x{side}(,{side}x{side})*", "1280x720,720x1280")
    hosts = check.matches("remote_content_hosts", rf"({_HOST}(,{_HOST})*)?", "cdn.example.org,*.example.net")
    return RemoteSettings(
        url=check.matches("remote_url", _URL, "https://api.openai.com/v1").rstrip("/"),
        model=check.matches("remote_model", _MODEL, "sora-2"),
        key=check.matches("remote_key", _KEY, "a token of printable characters", secret=True),
        seconds=tuple(sorted({int(each) for each in seconds.split(",")})),
        sizes=tuple(_size(each) for each in sizes.split(",")),
        crop=check.choice("remote_fit", ("crop", "letterbox")) == "crop",
        sound=check.choice("remote_sound", ("off", "on")) == "on",
        poll_s=check.number("remote_poll_seconds", float, 0.01, 600),
        timeout_s=check.number("remote_timeout_seconds", float, 1, 86_400),
        orders=check.number("remote_orders", int, 1, 10),
        content_hosts=tuple(each.lower() for each in hosts.split(",") if each),
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)
