"""A topic -> a scene document, by a model: what it says is checked as a user's scenes are, and it may mend it once."""

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
from handlers.generation.planner.prompt import MAX_SCENES, OUTLINE, first_messages, mending_messages
from handlers.media.errors import RequestError

T = TypeVar("T")
#: A scene document as JSON values.
Document = dict[str, Any]

#: What a charge for planning is under.
SERVICE: Final = "planner"
_VERSION: Final = 1
_MAX_OPENING_CHARS: Final = 240
#: So much of the faults is in the failure of a job.
_MAX_TOLD_CHARS: Final = 1_000


class PlannerUnavailable(RequestError):
    """There is nobody here to plan a topic; the message says which setting is missing."""

    code = "planner_unavailable"


class PlannerInvalid(RequestError):
    """The model's scenes can't be used, and the mended ones can't either; the message says what is wrong with them."""

    code = "planner_invalid"


@frozen
class Planner:
    """Plans topics with the service of `settings`."""

    settings: PlannerSettings

    def check(self) -> None:
        """Raises PlannerUnavailable."""
        missing = [name for name in ("url", "model") if not getattr(self.settings, name)]
        if missing:
            names = " and ".join(f"EVENTFLOW_PLANNER_{name.upper()}" for name in missing)
            raise PlannerUnavailable(
                f"a topic is planned by a chat model, and there is none here: set {names}, or send a script or scenes"
            )

    def plan(self, topic: str, voice: str, read: Callable[[Document], T], control: Control) -> T:
        """What `read` makes of the model's document for `topic`, to be spoken by `voice`. Blocking.

        `read` raises ScriptError for what is no good; that is sent back, once. Raises PlannerUnavailable,
        PlannerInvalid, ServiceFailed, ServiceRefused, Stopped.
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
                messages = mending_messages(messages, first.text, str(error))
            second = await self._ask(session, messages, control)
        try:
            return read(document_of(second))
        except ScriptError as error:
            told = str(error)[:_MAX_TOLD_CHARS]
            message = (
                f"the model {self.settings.model!r} gave no usable scenes, and its second try was no better: {told}"
            )
            raise PlannerInvalid(message) from error

    async def _ask(self, session: aiohttp.ClientSession, messages: list[Message], control: Control) -> Completion:
        service = chat_service(self.settings)
        said = await stoppable(complete(service, session, self.settings.model, messages, OUTLINE), control)
        if said.tokens is not None:
            control.note(Charged(SERVICE, str(said.tokens), "tokens", said.id))
        return said


def document_of(said: Completion) -> Document:
    """The scene document that the outline in an answer stands for. Raises ScriptError for what is no outline.

    Only what a document can't say is changed: layouts are chosen, and what is empty is left out. All else is for the
    document's own reader to refuse.
    """
    if said.trouble is not None:
        raise ScriptError(said.trouble)
    try:
        outline = json_in(said.text)
    except ValueError as error:
        raise ScriptError(f"the answer is no JSON: {error}") from None
    scenes = outline.get("scenes") if isinstance(outline, dict) else None
    if not isinstance(scenes, list) or not 1 <= len(scenes) <= MAX_SCENES:
        raise ScriptError(f"the answer has to be an object with 1 to {MAX_SCENES} scenes")
    made: Document = {"version": _VERSION, "scenes": [_scene(scene, n, len(scenes)) for n, scene in enumerate(scenes)]}
    if title := outline.get("title"):
        made["title"] = title
    return made


def _scene(scene: Any, number: int, count: int) -> Any:
    """One scene. The first and the last are set as title and outro where nothing but few words is on them."""
    if not isinstance(scene, dict):
        return scene
    made = {name: value for name, value in scene.items() if value not in (None, "", [])}
    if isinstance(blocks := made.get("blocks"), list):
        made["blocks"] = [_block(block) for block in blocks]
    if made.get("title") and number in (0, count - 1) and count > 1 and _few_words(made.get("blocks", [])):
        made["layout"] = "title" if number == 0 else "outro"
    return made


def _block(block: Any) -> Any:
    """Strict schemas make models write out what they would leave out."""
    if not isinstance(block, dict):
        return block
    return {name: value for name, value in block.items() if value not in (None, "") or name in ("text", "code")}


def _few_words(blocks: Any) -> bool:
    if not isinstance(blocks, list) or not all(isinstance(b, dict) and b.get("kind") == "paragraph" for b in blocks):
        return False
    return sum(len(str(block.get("text", ""))) for block in blocks) <= _MAX_OPENING_CHARS
