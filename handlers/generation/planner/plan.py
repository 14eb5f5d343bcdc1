"""Plans a topic: a model writes a scene document, which is checked like a user's and may be corrected once.

Decision 110.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import aiohttp
from attrs import frozen

from eventflow.settings import PlannerSettings
from handlers.generation.control import Charged, Control
from handlers.generation.errors import ScriptError
from handlers.generation.http_services.blocking import run, stoppable
from handlers.generation.http_services.client import http_session
from handlers.generation.planner.client import Completion, Message, chat_service, complete, json_in
from handlers.generation.planner.prompt import MAX_SCENES, OUTLINE, first_messages, repair_messages
from handlers.media.errors import RequestError

T = TypeVar("T")
#: A scene document as JSON values.
Document = dict[str, Any]

#: The service's name in recorded costs.
SERVICE: Final = "planner"
_VERSION: Final = 1
_MAX_OPENING_CHARS: Final = 240
#: Characters of the faults in a job's failure.
_MAX_FAULT_CHARS: Final = 1_000


class PlannerUnavailable(RequestError):
    """No chat model is configured; the message names the missing settings."""

    code = "planner_unavailable"


class PlannerInvalid(RequestError):
    """The model's scenes are invalid, and so is its correction; the message lists the faults."""

    code = "planner_invalid"


@frozen
class Planner:
    """Plans topics with the service of `settings`."""

    settings: PlannerSettings

    def check(self) -> None:
        """Check that a model is configured. Raises PlannerUnavailable."""
        missing = [name for name in ("url", "model") if not getattr(self.settings, name)]
        if missing:
            names = " and ".join(f"EVENTFLOW_PLANNER_{name.upper()}" for name in missing)
            raise PlannerUnavailable(
                f"a topic needs a chat model, and none is configured: set {names}, or send a script or scenes"
            )

    def plan(self, topic: str, voice: str, read: Callable[[Document], T], control: Control) -> T:
        """Have the model write a document on `topic` for `voice`; return the result of `read` on it. Blocking.

        `read` raises ScriptError for an invalid document; its message is sent to the model once. Raises
        PlannerUnavailable, PlannerInvalid, ServiceFailed, ServiceRefused, Stopped.
        """
        self.check()
        return run(self._plan(topic, voice, read, control))

    async def _plan(self, topic: str, voice: str, read: Callable[[Document], T], control: Control) -> T:
        messages = first_messages(topic, voice)
        async with http_session() as session:
            first = await self._ask(session, messages, control)
            try:
                return read(document_of(first))
            except ScriptError as error:
                messages = repair_messages(messages, first.text, str(error))
            second = await self._ask(session, messages, control)
        try:
            return read(document_of(second))
        except ScriptError as error:
            faults = str(error)[:_MAX_FAULT_CHARS]
            message = f"the model {self.settings.model!r} wrote invalid scenes, and so was its correction: {faults}"
            raise PlannerInvalid(message) from error

    async def _ask(self, session: aiohttp.ClientSession, messages: list[Message], control: Control) -> Completion:
        service = chat_service(self.settings)
        said = await stoppable(complete(service, session, self.settings.model, messages, OUTLINE), control)
        if said.tokens is not None:
            control.note(Charged(service=SERVICE, amount=str(said.tokens), currency="tokens", reference=said.id))
        return said


def document_of(said: Completion) -> Document:
    """Convert the outline in an answer to a scene document: layouts are chosen, empty values dropped.

    The reader of documents checks everything else. Raises ScriptError where the answer has no outline.
    """
    if said.trouble is not None:
        raise ScriptError(said.trouble)
    try:
        outline = json_in(said.text)
    except ValueError as error:
        raise ScriptError(f"the answer is not JSON: {error}") from None
    scenes = outline.get("scenes") if isinstance(outline, dict) else None
    if not isinstance(scenes, list) or not 1 <= len(scenes) <= MAX_SCENES:
        raise ScriptError(f"the answer must be an object with 1 to {MAX_SCENES} scenes")
    made: Document = {"version": _VERSION, "scenes": [_scene(scene, n, len(scenes)) for n, scene in enumerate(scenes)]}
    if title := outline.get("title"):
        made["title"] = title
    return made


def _scene(scene: Any, number: int, count: int) -> Any:
    """Convert one scene; the first and the last with only a few words become title and outro."""
    if not isinstance(scene, dict):
        return scene
    made = {name: value for name, value in scene.items() if value not in (None, "", [])}
    if isinstance(blocks := made.get("blocks"), list):
        made["blocks"] = [_block(block) for block in blocks]
    if made.get("title") and number in (0, count - 1) and count > 1 and _few_words(made.get("blocks", [])):
        made["layout"] = "title" if number == 0 else "outro"
    return made


def _block(block: Any) -> Any:
    """Drop empty values: under a strict schema models must write every property."""
    if not isinstance(block, dict):
        return block
    return {name: value for name, value in block.items() if value not in (None, "") or name in ("text", "code")}


def _few_words(blocks: Any) -> bool:
    if not isinstance(blocks, list) or not all(isinstance(b, dict) and b.get("kind") == "paragraph" for b in blocks):
        return False
    return sum(len(str(block.get("text", ""))) for block in blocks) <= _MAX_OPENING_CHARS
