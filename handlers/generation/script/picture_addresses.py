"""Tells the kind of a picture's address (asset, data, URL, path or other), and whether it is a badge."""

from __future__ import annotations

import re
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

AddressKind = Literal["asset", "data", "url", "path", "other"]

#: Endings of moving pictures: a picture with such an address is a clip.
CLIP_ENDINGS: Final = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ogv", ".mts")
#: Endings of pictures, among them some that no upload takes: they are told apart from notes and documents.
PICTURE_ENDINGS: Final = (
    ".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".apng",
)  # fmt: skip

#: At least two letters: `C:\pictures` is a path.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,30}):")
#: Beginning of the short form of an SVG that is data.
SHORT_OF_SVG: Final = "data:svg-sha256,"

#: Hosts that serve badges alone, or next to nothing else.
_BADGE_HOSTS: Final = (
    "shields.io", "badgen.net", "badge.fury.io", "forthebadge.com", "badges.gitter.im", "travis-ci.org",
    "travis-ci.com", "ci.appveyor.com",
    "codecov.io", "coveralls.io", "circleci.com", "david-dm.org", "isitmaintained.com", "pepy.tech",
    "hits.dwyl.com", "komarev.com", "visitor-badge.laobi.icu", "goreportcard.com", "godoc.org", "snyk.io", "deps.rs",
    "contrib.rocks",
)  # fmt: skip
_BADGE_WORD: Final = re.compile(r"(?:^|[^a-z])badges?(?:$|[^a-z])")


def kind_of(address: str) -> AddressKind:
    """Tell what an address is. `//host/x.png` is a URL, `file:` a path."""
    if address.startswith("//"):
        return "url"
    match = _SCHEME.match(address)
    scheme = match[1].lower() if match else ""
    kinds: dict[str, AddressKind] = {
        "": "path", "file": "path", "asset": "asset", "data": "data", "http": "url", "https": "url",
    }  # fmt: skip
    return kinds.get(scheme, "other")


def url_of(address: str) -> str:
    """Return a URL with its scheme, which `//host/x.png` lacks."""
    return f"https:{address}" if address.startswith("//") else address


def host_of(address: str) -> str:
    """Return the host of a URL in small letters; empty where it has none."""
    parts = _split(url_of(address))
    try:
        return (parts.hostname or "").lower().rstrip(".") if parts else ""
    except ValueError:
        return ""


def ends_with(address: str, endings: tuple[str, ...]) -> bool:
    """Tell whether the path of an address has one of these endings."""
    parts = _split(address)
    return parts is not None and parts.path.lower().endswith(endings)


def is_drawing(address: str) -> bool:
    """Tell whether the address is that of an SVG, which no upload takes."""
    return ends_with(address, (".svg",)) or address.startswith(SHORT_OF_SVG)


def is_badge(address: str, link: str = "") -> bool:
    """Tell whether a picture is a badge: by its host or path, or as an SVG from the web that links elsewhere.

    `link` is the address that the picture links to, empty where it is no link. Files are badges only as SVGs.
    """
    if kind_of(address) == "path":
        return is_drawing(address) and _BADGE_WORD.search(address.lower()) is not None
    if kind_of(address) != "url":
        return False
    host, parts = host_of(address), _split(url_of(address))
    if any(host == each or host.endswith(f".{each}") for each in _BADGE_HOSTS) or _BADGE_WORD.search(host):
        return True
    if parts and _BADGE_WORD.search(parts.path.lower()):
        return True
    return is_drawing(address) and kind_of(link) == "url" and url_of(link) != url_of(address)


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:  # such as http://[
        return None
