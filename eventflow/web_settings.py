"""Settings of the web process: who may use it without a key, which pages may call it, how long it waits for clients."""

from __future__ import annotations

import ipaddress
import re

from attrs import frozen

from eventflow.light import environ
from eventflow.setting_checks import PREFIX, Checks

#: The entry of `cors_origins` that stands for every page.
ANY_ORIGIN = "*"
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://[^\s,/?#@*]+")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@environ.config(prefix=PREFIX)
class RawWeb:
    """The variables as text, with their defaults and what they mean."""

    open_access = environ.var(
        "off", help="on: while no API key was ever made, this machine needs none; loopback only (`eventflow up`: on)"
    )
    cors_origins = environ.var(
        "", help="origins whose pages may call the API: https://app.example.org,http://localhost:3000; * for any"
    )
    request_head_seconds = environ.var("10", help="a request's head has to have come within")
    request_body_seconds = environ.var("30", help="the same for a JSON body; the longest pause in an upload")
    keepalive_seconds = environ.var("75", help="how long an idle connection is kept; longer than a proxy in front does")
    stall_seconds = environ.var("60", help="a client that takes nothing of its answer for so long is cut off")
    connections_per_address = environ.var(
        "0", help="connections at a time of one address (IPv6: /64); 0: half of the process's files, 10000 at most"
    )


@frozen
class WebSettings:
    """Durations in seconds. `connections_per_address` 0 leaves the number to the process."""

    open_access: bool = False
    cors_origins: frozenset[str] = frozenset()
    request_head_seconds: float = 10.0
    request_body_seconds: float = 30.0
    keepalive_seconds: float = 75.0
    stall_seconds: float = 60.0
    connections_per_address: int = 0


def web_settings(check: Checks) -> WebSettings:
    return WebSettings(
        open_access=check.choice("open_access", ("off", "on")) == "on",
        cors_origins=check.value(
            "cors_origins", _origins, "of the form https://app.example.org,http://localhost:3000 (no path), or *"
        ),
        request_head_seconds=check.number("request_head_seconds", float, 0.1, 3_600),
        request_body_seconds=check.number("request_body_seconds", float, 0.1, 3_600),
        keepalive_seconds=check.number("keepalive_seconds", float, 0.1, 86_400),
        stall_seconds=check.number("stall_seconds", float, 0.1, 86_400),
        connections_per_address=check.number("connections_per_address", int, 0, 1_000_000),
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. A name other than localhost counts as reachable from outside."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origins(text: str) -> frozenset[str]:
    """As browsers write them in `Origin`: in lower case, and without the port that the scheme implies."""
    return frozenset(_origin(entry.strip()) for entry in text.split(",") if entry.strip())


def _origin(text: str) -> str:
    if text == ANY_ORIGIN:
        return text
    origin = text.lower()
    if (match := _ORIGIN.fullmatch(origin)) is None:
        raise ValueError(text)
    return origin.removesuffix(_DEFAULT_PORTS.get(match[1], "\0"))
