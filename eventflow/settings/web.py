"""Settings of the web process: access without a key, pages that may call the API, and patience with slow clients."""

from __future__ import annotations

import ipaddress
import re

from attrs import frozen

from eventflow.settings.declare import Group
from eventflow.settings.kinds import form, number, switch

WEB = Group("Web process: address, access, connections")

#: The entry of `cors_origins` that stands for every page.
ANY_ORIGIN = "*"
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://[^\s,/?#@*]+")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


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


@frozen(kw_only=True)
class WebSettings:
    """Durations in seconds. `connections_per_address` 0: the process chooses the number."""

    open_access: bool = WEB.setting(
        "off",
        switch(),
        "on: clients on this machine need no API key until the first one is made; for loopback addresses only "
        "(`eventflow up` turns it on)",
    )
    cors_origins: frozenset[str] = WEB.setting(
        "",
        form(_origins, "https://app.example.org,http://localhost:3000 (no path), or *"),
        "origins whose pages may call the API; *: any origin",
    )
    request_head_seconds: float = WEB.setting(
        "10",
        number(float, 0.1, 3_600),
        "seconds in which a request's head has to arrive, counted from the connection's start or the head's first byte",
    )
    request_body_seconds: float = WEB.setting(
        "30",
        number(float, 0.1, 3_600),
        "seconds in which a JSON body has to arrive; for uploads the longest pause between two reads",
    )
    keepalive_seconds: float = WEB.setting(
        "75",
        number(float, 0.1, 86_400),
        "seconds that an idle connection stays open; longer than a proxy in front keeps its own",
    )
    stall_seconds: float = WEB.setting(
        "60",
        number(float, 0.1, 86_400),
        "seconds after which a client that reads nothing of its answer is disconnected",
    )
    connections_per_address: int = WEB.setting(
        "0",
        number(int, 0, 1_000_000),
        "connections at a time from one address (IPv6: from one /64); 0: half of the files that the process may open, "
        "at most 10000",
    )


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`. A name other than localhost counts as reachable."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
