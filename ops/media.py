"""The parts that look at media of the users' own, for the web app."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

from eventflow.settings import Environment, Settings
from handlers.media.inspect import MediaInspector
from handlers.media.remote import RemoteFetcher


class MediaParts(TypedDict):
    """As `WebDeps` takes them."""

    inspector: MediaInspector
    remote: RemoteFetcher | None


def media_parts(settings: Settings, clock: Callable[[], datetime]) -> MediaParts:
    """In development http URLs go, too, where remote media are allowed at all."""
    schemes = {"https", "http"} if settings.env is Environment.DEVELOPMENT else {"https"}
    remote = RemoteFetcher(frozenset(schemes)) if settings.asset_limits.allow_remote else None
    return MediaParts(inspector=MediaInspector(clock), remote=remote)
