"""Composition of what looks after the files that jobs have left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from ops.compose import Parts, utc_now

if TYPE_CHECKING:
    from handlers.upload.homecoming import Homecoming


def homecoming(parts: Parts) -> Homecoming:
    """Brings what had to be kept in the fallback store to the delivery store."""
    from handlers.upload.homecoming import Homecoming
    from handlers.workspace import Workspace

    workspace = Workspace(parts.stores["workspace"], parts.settings.scratch_dir)
    settings = parts.settings  # as long as any link that was handed out may live
    grace = timedelta(seconds=max(settings.signed_url_seconds, settings.delivery.max_seconds))
    return Homecoming(parts.log, workspace, parts.stores["delivery"], parts.stores["fallback"], utc_now, grace)


@asynccontextmanager
async def looked_after(parts: Parts, group: str) -> AsyncIterator[None]:
    """What a worker of `group` does about them, beside its work."""
    if group != "upload":
        yield
        return
    from handlers.upload.homecoming import coming_home

    async with coming_home(homecoming(parts), parts.settings.finished_jobs.reconcile_fallback_seconds, parts.random):
        yield
