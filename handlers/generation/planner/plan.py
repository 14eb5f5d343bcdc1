"""Plans a topic: a model writes a scene document, which is checked like a user's and may be corrected once.

Decision 110.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from attrs import evolve, field, frozen

from eventflow.settings import PlannerSettings
from handlers.generation.control import Charged, Control
from handlers.generation.errors import ScriptError
from handlers.generation.http_services.blocking import run
from handlers.generation.http_services.busy_waits import BusyWaits
from handlers.generation.http_services.client import http_session
from handlers.generation.planner.client import Chat, Message, chat_service
from handlers.generation.planner.completions import Completion
from handlers.generation.planner.escapes import with_escapes
from handlers.generation.planner.outlines import NoJson, outline_in
from handlers.generation.planner.prompt import MAX_SCENES, OUTLINE, first_messages, repair_messages
from handlers.media.errors import RequestError

T = TypeVar("T")
#: A scene document as JSON values.
Document = dict[str, Any]

#: The service's name in recorded costs.
SERVICE: Final = "planner"
_VERSION: Final = 1
_MAX_OPENING_CHARS: Final = 240
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
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
    """Plans topics with the service of `settings`. `busy_waits` has the pauses of its waits; settings limit them."""

    settings: PlannerSettings
    busy_waits: BusyWaits = field(factory=lambda: BusyWaits(0.0))

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
        busy_waits = evolve(self.busy_waits, limit_s=self.settings.patience_s)
        async with http_session() as session:
            chat = Chat(
                service=chat_service(self.settings),
                session=session,
                model=self.settings.model,
                form=self.settings.form,
                busy_waits=busy_waits,
                control=control,
            )
            first = await self._ask(chat, messages, control)
            try:
                return read(document_of(first))
            except ScriptError as error:
                messages = repair_messages(messages, first.text, str(error))
            second = await self._ask(chat, messages, control)
        try:
            return read(document_of(second))
        except ScriptError as error:
            faults = str(error)[:_MAX_FAULT_CHARS]
            message = f"the model {self.settings.model!r} wrote invalid scenes, and so was its correction: {faults}"
            raise PlannerInvalid(message) from error

    async def _ask(self, chat: Chat, messages: list[Message], control: Control) -> Completion:
        said = await chat.complete(messages, OUTLINE)
        if said.tokens is not None:
            control.note(Charged(service=SERVICE, amount=str(said.tokens), currency="tokens", reference=said.id))
        if said.cost is not None:
            reference = f"{said.id}/cost" if said.id else ""
            control.note(Charged(service=SERVICE, amount=said.cost, currency="USD", reference=reference))
        return said


def document_of(said: Completion) -> Document:
    """Convert the outline in an answer to a scene document: layouts are chosen, empty values dropped.

    The reader of documents checks everything else. Raises ScriptError where the answer has no outline, and
    PlannerInvalid where it is cut off: another answer would be, too.
    """
    if said.trouble is not None:
        raise ScriptError(said.trouble)
    try:
        outline = with_escapes(outline_in(said.text))
    except NoJson as error:
        if error.cut or said.cut:
            raise PlannerInvalid(_cut_off(said)) from None
        raise ScriptError(f"the answer is not JSON: {error}") from None
    scenes = outline.get("scenes") if isinstance(outline, dict) else None
    if not isinstance(scenes, list) and said.cut:
        raise PlannerInvalid(_cut_off(said))
    if not isinstance(scenes, list) or not 1 <= len(scenes) <= MAX_SCENES:
        raise ScriptError(f"the answer must be an object with 1 to {MAX_SCENES} scenes")
    made: Document = {"version": _VERSION, "scenes": [_scene(scene, n, len(scenes)) for n, scene in enumerate(scenes)]}
    if title := outline.get("title"):
        made["title"] = title
    return made


def _cut_off(said: Completion) -> str:
    used = "" if said.tokens is None else f" after {said.tokens} tokens"
    return (
        f"the model's answer is cut off{used} (reasoning counts, too): raise its limit in EVENTFLOW_PLANNER_PARAMS, "
        'such as {"max_completion_tokens": 16000} (for Ollama, the context that it was started with, num_ctx), '
        "or take a shorter topic"
    )


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
    """Drop empty values: under a strict schema models must write every property. `type` is read as `kind`."""
    if not isinstance(block, dict):
        return block
    if "kind" not in block and isinstance(block.get("type"), str):
        block = {"kind": block["type"], **{name: value for name, value in block.items() if name != "type"}}
    made = {name: value for name, value in block.items() if value not in (None, "") or name in ("text", "code")}
    if made.get("kind") == "chart" and isinstance(series := made.get("series"), list):
        made["series"] = [_series(each) for each in series]
    return made


def _series(series: Any) -> Any:
    """Read digits among the values of a chart as numbers."""
    if not isinstance(series, dict) or not isinstance(values := series.get("values"), list):
        return series
    return {**series, "values": [_number(value) for value in values]}


def _number(value: Any) -> Any:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value.strip()):
        return value
    return float(value) if "." in value else int(value)


def _few_words(blocks: Any) -> bool:
    if not isinstance(blocks, list) or not all(isinstance(b, dict) and b.get("kind") == "paragraph" for b in blocks):
        return False
    return sum(len(str(block.get("text", ""))) for block in blocks) <= _MAX_OPENING_CHARS
