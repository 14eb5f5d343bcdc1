"""A client for services with OpenAI's `POST /chat/completions`.

Services differ in what they take. A request that is refused for its form is sent again in the next one, which costs
nothing, and the form that worked is kept for the process (decision 223). A good answer that can't be read has been paid
for, and isn't asked for again (decision 224).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import aiohttp
import orjson
from attrs import evolve, field, frozen

from eventflow.settings import PlannerSettings
from handlers.generation.control import Control
from handlers.generation.http_services.busy_waits import BusyWaits, waiting_while_busy
from handlers.generation.http_services.causes import Cause
from handlers.generation.http_services.client import Answer, Service
from handlers.generation.http_services.errors import AnswerLost, ServiceFailed, ServiceRefused
from handlers.generation.http_services.learned import recall, remember
from handlers.generation.http_services.reasons import Reason, reason_in
from handlers.generation.planner.completions import Completion, choice_of, completion_of, value_of
from handlers.generation.planner.outlines import has_outline

_PATH: Final = "/chat/completions"
_FORMS: Final = ("json_schema", "json_object", "none")
_SUBJECT: Final = "chat"
#: Requests of one call that may be refused for their form.
_MOST_STEPS: Final = 5
#: HTTP statuses of services that don't know a field of the request.
_NOT_UNDERSTOOD: Final = frozenset({200, 400, 404, 415, 422, 500, 501})
_NAMES_FORM: Final = re.compile(
    r"response_?format|json_?(schema|object|mode)|schema|structured|\bstrict\b|additionalproperties|anyof|\btype\b"
    r"|grammar|\bjson\b",
    re.IGNORECASE,
)
_NAMES_STREAM: Final = re.compile(r"\bstream(ing)?\b", re.IGNORECASE)
_NAMES_ROLE: Final = re.compile(
    r"system (role|message|prompt|instruction)|role.{0,20}system|developer instruction|roles must alternate",
    re.IGNORECASE,
)
_SLIPPED: Final = "json_validate_failed"


@frozen
class Message:
    """A message of a chat; `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@frozen
class Schema:
    """A JSON schema under a name."""

    name: str
    schema: Mapping[str, Any]


@frozen(kw_only=True)
class Way:
    """The way in which a service is asked; `form` is that of the answer. `system`: it takes system messages."""

    form: str = _FORMS[0]
    stream: bool = False
    system: bool = True


@frozen
class _Refused:
    """A refusal with its reason."""

    error: ServiceRefused
    reason: Reason


def chat_service(settings: PlannerSettings) -> Service:
    """Make the planner's service from settings."""
    return Service.of(settings, title="the planner", setting="EVENTFLOW_PLANNER", timeout_s=settings.timeout_s)


@frozen(kw_only=True)
class Chat:
    """A chat model at a service, asked over `session`. `form` is one of the forms, or "auto"."""

    service: Service
    session: aiohttp.ClientSession
    model: str
    form: str = "auto"
    busy_waits: BusyWaits = field(factory=lambda: BusyWaits(0.0))
    control: Control = field(factory=Control)

    @property
    def way(self) -> Way:
        """The way that was learned, or the first one; the form that is set."""
        known = recall(self.service.url, self.model, _SUBJECT, Way())
        return known if self.form == "auto" else evolve(known, form=self.form)

    async def complete(self, messages: Sequence[Message], schema: Schema) -> Completion:
        """Ask for an answer under `schema`. Raises ServiceFailed, ServiceRefused, Stopped."""
        way, slipped = self.way, False
        first: ServiceRefused | None = None
        for _ in range(_MOST_STEPS):
            body = _body(self.model, messages, schema, way)
            ask = partial(self._ask, body)
            found = await waiting_while_busy(ask, self.busy_waits, self.control, self.service.title)
            if isinstance(found, Completion):
                remember(self.service.url, self.model, _SUBJECT, way)
                return found
            if _SLIPPED in found.reason.codes:
                written = found.reason.details.get("failed_generation")
                if isinstance(written, str) and has_outline(written):
                    return Completion(text=written)
                if slipped:
                    raise found.error
                slipped = True
                continue
            first = first or found.error
            following = self._next(way, found)
            if following is None:
                raise found.error if found.error.cause is not Cause.INPUT else first
            way = following
        raise first or ServiceRefused(f"{self.service.title} takes no form of request", 0)

    def _next(self, way: Way, refused: _Refused) -> Way | None:
        """Return the way to ask after a refusal; None where the form isn't its cause."""
        error, reason = refused.error, refused.reason
        if error.cause is not Cause.INPUT or error.status not in _NOT_UNDERSTOOD:
            return None
        if _NAMES_STREAM.search(reason.text) and not way.stream:
            return evolve(way, stream=True)
        if _NAMES_ROLE.search(reason.text) and way.system:
            return evolve(way, system=False)
        if not (reason.vague or _NAMES_FORM.search(reason.text)) or self.form != "auto" or way.form == _FORMS[-1]:
            return None
        return evolve(way, form=_FORMS[_FORMS.index(way.form) + 1])

    async def _ask(self, body: Mapping[str, Any]) -> Completion | _Refused:
        """Send one request. Raises ServiceFailed where it may be sent again later, else ServiceRefused."""
        service = self.service
        try:
            answer = await service.ask(self.session, "POST", _PATH, body)
            if not answer.good:
                return await self._refused(service.refusal(answer), answer.reason)
            value = value_of(answer.body, answer.media_type)
        except AnswerLost as error:
            late = isinstance(error.__cause__, TimeoutError)
            way_out = f": raise {service.setting}_TIMEOUT_SECONDS if it needs longer" if late else ""
            raise ServiceRefused(
                f"{error}; it may have been paid for, and isn't asked for again{way_out}", 0
            ) from error
        except ValueError:
            return await self._unreadable(answer)
        if (told := service.error_in_answer(answer, value)) is not None:
            return await self._refused(told, reason_in({"error": value["error"]}))
        choice = choice_of(value)
        if choice is None:
            raise ServiceFailed(f"the answer of {service.title} has no choice: {service.safe(answer.body)}")
        if (told := service.error_in_answer(answer, choice)) is not None:
            return await self._refused(told, Reason())
        said = completion_of(value, choice)
        if said.refusal:
            raise ServiceRefused(f"the model refuses the topic: {service.safe(said.refusal)}", answer.status)
        if said.filtered:
            message = f"the filter of {service.title} refuses the topic: word it differently"
            raise ServiceRefused(message, answer.status, cause=Cause.MODERATION)
        return said

    async def _refused(self, error: ServiceFailed | ServiceRefused, reason: Reason) -> _Refused:
        error = await self.service.trouble(self.session, error)
        named = _NAMES_FORM.search(reason.text) or not reason.message
        if isinstance(error, ServiceFailed) and error.cause is Cause.BROKEN and reason.message and named:
            # A status of 500 that names the form of the request is a refusal of it.
            return _Refused(ServiceRefused(str(error), 500), reason)
        if isinstance(error, ServiceFailed):
            raise error
        return _Refused(error, reason)

    async def _unreadable(self, answer: Answer) -> _Refused:
        """Make the refusal of a good answer that isn't a completion: a web page, or something else."""
        if answer.reason.page:
            return await self._refused(self.service.refusal(answer), answer.reason)
        shown = self.service.safe(answer.body)
        message = f"the answer of {self.service.title} is not a JSON object: {shown}; it may have been paid for"
        raise ServiceRefused(f"{message}, and isn't asked for again", answer.status)


def _body(model: str, messages: Sequence[Message], schema: Schema, way: Way) -> dict[str, Any]:
    """Make a request; without a JSON schema it is in the first message: many models take only one for the system."""
    first, *others = messages
    if way.form != "json_schema":
        rule = f"Answer with one JSON object under this JSON schema, and nothing else:\n{_text(schema.schema)}"
        first = evolve(first, content=f"{first.content}\n\n{rule}")
    if not way.system and others:
        user, *others = others
        first = Message(user.role, f"{first.content}\n\n{user.content}")
    said = [{"role": message.role, "content": message.content} for message in (first, *others)]
    body: dict[str, Any] = {"model": model, "messages": said, "stream": way.stream}
    if way.stream:
        body["stream_options"] = {"include_usage": True}
    if way.form == "json_schema":
        form = {"name": schema.name, "strict": True, "schema": dict(schema.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    elif way.form == "json_object":
        body["response_format"] = {"type": "json_object"}
    return body


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
