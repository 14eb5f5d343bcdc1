"""A client for text-to-video services with submit, poll and download, in the dialect of the service.

::

    POST   {url}/videos                an order (`Dialect.body`) -> id
    GET    {url}/videos/{id}           -> status, progress, error, cost, addresses of the clip
    GET    {url}/videos/{id}/content   -> the clip, where the dialect has it
    DELETE {url}/videos/{id}           cancels it, where the dialect has it

An order costs. So its failures are of three kinds: the service took no order and may take it later (ServiceFailed), or
won't take it (ServiceRefused), or may have taken it (OrderUnknown).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
from attrs import evolve, frozen
from yarl import URL

from eventflow.settings import RemoteSettings
from handlers.generation.http_services.bodies import merged
from handlers.generation.http_services.client import Answer, Service
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.text_to_video.clip_request import ClipRequest
from handlers.generation.text_to_video.dialects import DIALECTS, Dialect
from handlers.generation.text_to_video.download import ContentFetcher
from handlers.generation.text_to_video.errors import ClipNotThere, OrderUnknown, RemoteUnknown
from handlers.generation.text_to_video.json_pointers import values_at
from handlers.generation.text_to_video.status import RemoteWork, read_order, read_work, reason_in

_GONE: Final = (404, 410)
#: Statuses of an order that the service put off before it took it: too early, too many, busy, overloaded.
_PUT_OFF: Final = frozenset({425, 429, 503, 529})
#: Other statuses that refuse an order for good, although they are of the server's faults.
_CANT: Final = (501, 505)
#: Statuses after which an order may have been taken: timeouts, conflicts, and (below) all faults of servers.
_UNCLEAR: Final = (408, 409)
#: Failures before any byte of a request was sent.
_NEVER_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
#: Characters of a raw answer that go into the job's history.
MAX_RECORDED_CHARS: Final = 4_000
#: Where an error in an answer with a good status has its own status.
_CODES: Final = ("/error/code", "/error/status", "/0/error/code", "/code")


@frozen(kw_only=True)
class VideosClient:
    """Sends one request per call. All methods raise ServiceFailed and ServiceRefused.

    `order_s`: seconds that the answer to an order may take.
    """

    service: Service
    model: str
    content: ContentFetcher
    dialect: Dialect
    order_s: float = 120.0

    async def submit(self, session: aiohttp.ClientSession, wanted: ClipRequest) -> str:
        """Order a clip, and return its id. Costs money. Raises OrderUnknown, too."""
        body = self.dialect.body(wanted)
        if self.model:
            body["model"] = self.model
        headers = {"Idempotency-Key": wanted.idempotency_key} if wanted.idempotency_key else {}
        data: Any = body
        if self.dialect.form:
            data, headers["Content-Type"] = await _form(merged(body, dict(self.service.params)))
        service = evolve(self.service, timeout_s=max(self.service.timeout_s, self.order_s))
        try:
            answer = await service.ask(session, "POST", self.dialect.orders, data, headers)
        except ServiceFailed as error:
            if isinstance(error.__cause__, _NEVER_SENT):
                raise
            raise OrderUnknown(str(error)) from error
        return self._taken(answer)

    async def status(self, session: aiohttp.ClientSession, remote_id: str) -> RemoteWork:
        """Ask for the state of a clip. Also raises RemoteUnknown."""
        answer = await self.service.ask(session, "GET", self.dialect.path_of(self.dialect.clip, remote_id))
        if answer.status in _GONE:
            raise RemoteUnknown(f"{self.service.title} does not know the clip {remote_id}")
        value = self.service.json(answer)
        try:
            work = read_work(value, self.dialect, remote_id)
        except ValueError as error:
            raise ServiceFailed(f"{self.service.title}'s answer {error}: {self.service.safe(answer.body)}") from None
        return evolve(work, error=self.service.safe(work.error)) if work.error else work

    async def cancel(self, session: aiohttp.ClientSession, remote_id: str) -> None:
        """Cancel a clip, where services of the dialect can; one that has ended or is unknown counts as cancelled."""
        if not self.dialect.cancels:
            return
        answer = await self.service.ask(session, "DELETE", self.dialect.path_of(self.dialect.clip, remote_id))
        if not answer.good and answer.status not in (*_GONE, 405, 409):
            raise self.service.refusal(answer)

    async def fetch(self, session: aiohttp.ClientSession, work: RemoteWork, target: Path) -> None:
        """Download the finished clip into `target`: by its path, else from the addresses in its state.

        Raises ClipNotThere, too, if it is at none of them.
        """
        sources: list[URL | str] = [*work.addresses]
        if self.dialect.content:
            sources.insert(0, self.service.address(self.dialect.path_of(self.dialect.content, work.id)))
        failures: list[ServiceFailed | ServiceRefused] = []
        for source in sources:
            try:
                return await self.content.fetch(session, source, target)
            except (ServiceFailed, ServiceRefused) as error:
                failures.append(error)
        if not failures:
            raise ClipNotThere(f"{self.service.title} does not say where the clip {work.id} is")
        passing = (each for each in failures if isinstance(each, ServiceFailed) and not isinstance(each, ClipNotThere))
        raise next(passing, failures[-1])

    def _taken(self, answer: Answer) -> str:
        """Return the id in the answer to an order. Raises as `submit` does."""
        status, unclear = answer.status, answer.status in _UNCLEAR or answer.status >= 500
        if answer.good:
            return self._id_in(answer)
        if status in _CANT:
            raise ServiceRefused(f"{self.service.title} can't take orders ({status}){self._way_out(status)}", status)
        if unclear and status not in _PUT_OFF:
            raise OrderUnknown(f"it answers {status}: {self.service.safe(answer.body)}", self._recorded(answer.body))
        refusal = self.service.refusal(answer)
        if isinstance(refusal, ServiceRefused):
            refusal = ServiceRefused(f"{refusal}{self._way_out(status)}", status)
        raise refusal

    def _id_in(self, answer: Answer) -> str:
        raw = self._recorded(answer.body)
        try:
            value = orjson.loads(answer.body)
        except ValueError:
            raise OrderUnknown(f"its answer is not JSON: {self.service.safe(answer.body)}", raw) from None
        remote_id = read_order(value, self.dialect)
        if remote_id is not None:
            return remote_id
        reason = reason_in(value, self.dialect)
        if reason:
            raise self._refused(answer, value, reason)
        raise OrderUnknown(f"its answer has no id: {self.service.safe(answer.body)}", raw)

    def _refused(self, answer: Answer, value: Any, reason: str) -> ServiceFailed | ServiceRefused:
        """Make the error for an answer with a good status that tells an error and no id; its code may be a status."""
        codes = [str(code) for code in values_at(value, _CODES)]
        put_off = next((status for status in _PUT_OFF if str(status) in codes), None)
        if put_off is not None:
            return self.service.refusal(evolve(answer, status=put_off))
        return ServiceRefused(f"{self.service.title} refuses the order: {self.service.safe(reason)}", answer.status)

    def _way_out(self, status: int) -> str:
        if status in (*_GONE, 405, *_CANT):
            return (
                f"; nothing takes orders at {self.service.url}{self.dialect.orders}: services that do, and their "
                f"settings, are in ops/docs/models.md"
            )
        if status in (400, 415, 422):
            return f"; the order was in the dialect {self.dialect.name} (EVENTFLOW_REMOTE_DIALECT)"
        return ""

    def _recorded(self, body: bytes) -> str:
        """Return an answer as it goes into the history, without the key."""
        text = body.decode("utf-8", "replace").replace("\0", "�")
        return (text.replace(self.service.key, "[key]") if self.service.key else text)[:MAX_RECORDED_CHARS]


async def _form(fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """Encode fields as multipart form data; return the body and its type."""
    with aiohttp.MultipartWriter("form-data") as writer:
        for name, value in fields.items():
            text = value if isinstance(value, str) else json.dumps(value)
            writer.append(text).set_content_disposition("form-data", name=name)
    return await writer.as_bytes(), writer.content_type


def videos_client(settings: RemoteSettings, content: ContentFetcher | None = None) -> VideosClient:
    """Make a client from settings; openai's dialect where they name none, for looking alone."""
    service = Service.of(settings, title="the video service", setting="EVENTFLOW_REMOTE", timeout_s=30.0)
    dialect = DIALECTS.get(settings.dialect, DIALECTS["openai"])
    fetcher = content or ContentFetcher(service=service, hosts=settings.content_hosts)
    return VideosClient(
        service=service,
        model=settings.model,
        content=evolve(fetcher, addresses=dialect.addresses),
        dialect=evolve(dialect, keeps_keys=dialect.keeps_keys or settings.keeps_keys),
    )
