"""Whether the server keeps what it is told over its own restart."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from eventflow.log.cluster import masters_of
from eventflow.log.connection import DISCONNECTED
from eventflow.log.errors import LogUnfit

FORGETS = (
    "The server has no append-only file: a crash or restart of it loses jobs that were acknowledged. Set appendonly "
    "yes there; where replicas or the service's own storage keep the log, say so by EVENTFLOW_LOG_PERSISTENCE=any."
)


async def has_append_only_file(redis: Redis) -> bool | None:
    """Of a cluster: whether each master that answers has one. None: this user isn't told.

    It is asked of INFO, since managed servers and careful rules keep CONFIG from their users. Raises connection errors
    where nobody answers.
    """
    found, lost = list[bool](), list[Exception]()
    for server in await masters_of(redis):
        try:
            info: dict[str, Any] = await server.info("persistence")
        except DISCONNECTED as error:
            lost.append(error)
            continue
        except (NoPermissionError, ResponseError):
            return None
        if "aof_enabled" not in info:
            return None
        found.append(bool(info["aof_enabled"]))
    if lost and not found:
        raise lost[0]
    return all(found)


async def require_append_only_file(redis: Redis) -> bool:
    """Whether the server says that it has one; False where it doesn't say. Raises LogUnfit where it says that it has
    none, connection errors."""
    has = await has_append_only_file(redis)
    if has is False:
        raise LogUnfit(FORGETS)
    return has is True
