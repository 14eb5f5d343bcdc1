"""Asks a running web server for a job's status and compares it with the fold of the job's history."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from attrs import frozen

from eventflow.domain.view import JobView
from web.readmodel.job_status import status_of

_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
#: The progress of a running step isn't history.
_NOT_COMPARED = {"progress"}


class CannotAsk(Exception):
    """The web server can't be asked; the message says why, and the way out."""


@frozen
class ServedRepair:
    """Have the web processes read the job again. `fields` differ: name, served value, right value."""

    fields: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        return "; ".join(f"{name} is {served}, should be {right}" for name, served, right in self.fields)


@frozen
class Served:
    """The statuses that the server at `base` answers.

    `key` needs the admin scope, for jobs of several owners.
    """

    session: aiohttp.ClientSession
    base: str
    key: str | None = None

    async def differs(self, view: JobView) -> ServedRepair | None:
        """The repair of the job's status if it isn't the fold's; None if it is. Raises CannotAsk."""
        right = _plain(status_of(view, 0.0))
        served = await self._status(view.id)
        if served is None:
            return ServedRepair((("status", "404", str(right["status"])),))
        names = sorted((right.keys() | served.keys()) - _NOT_COMPARED)
        fields = [(name, _text(served.get(name)), _text(right.get(name))) for name in names]
        different = tuple(field for field in fields if field[1] != field[2])
        return ServedRepair(different) if different else None

    async def _status(self, job_id: str) -> dict[str, Any] | None:
        url = f"{self.base.rstrip('/')}/api/v1/admin/jobs/{quote(job_id)}/status"
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            async with self.session.get(url, headers=headers, timeout=_TIMEOUT) as answer:
                if answer.status == 404:
                    return None
                if answer.status in (401, 403):
                    raise CannotAsk(
                        "an API key with the admin scope is needed; make one: eventflow keys add ... --admin"
                    )
                if answer.status != 200:
                    raise CannotAsk(f"{url} answers {answer.status} {answer.reason}")
                body: dict[str, Any] = orjson.loads(await answer.read())
                return body
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            raise CannotAsk(f"{self.base} doesn't answer ({error}); is it running?") from error


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    """The body as a client decodes it."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(body, option=orjson.OPT_UTC_Z))
    return plain


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
