"""Checks and plans of requests, and lists of pipelines, themes and voices, for the HTTP API and the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import structlog
from attrs import evolve, field, frozen

from eventflow.domain.values import VideoRequest
from eventflow.requests.errors import Fault, PlanningUnavailable, RequestInvalid
from eventflow.requests.limits import PipelineFacts
from eventflow.settings import Settings
from handlers.generation import catalogue, control, model, model_json
from handlers.generation.errors import DocumentError, SpeechError
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.http_services.kept import Kept
from handlers.generation.narration.narrators.choice import narrators
from handlers.generation.narration.narrators.service_voices import listed_voices
from handlers.generation.narration.speech import check_voice
from handlers.generation.pages.themes import theme_names, themes
from handlers.generation.pipelines.registry import get_pipeline, pipeline_facts
from handlers.generation.script.content import Scene, Script
from handlers.generation.script.document import read_document, scenes_schema, write_document
from handlers.generation.script.merge import FilledTooLong, has_fields
from handlers.generation.script.picture_addresses import kind_of, url_of
from handlers.generation.script.script import brief_of, open_brief
from handlers.media.errors import RequestError

#: Settings that planning from a topic needs.
PLANNER_SETTINGS = ("EVENTFLOW_PLANNER_URL", "EVENTFLOW_PLANNER_MODEL")


@frozen
class ScenePlanner:
    """`eventflow.requests.planner.Planner` on the pipelines and the script parser. Every method blocks."""

    settings: Settings
    facts: Mapping[str, PipelineFacts] = field(factory=pipeline_facts)
    _listed: Kept[list[str]] = field(init=False, eq=False, repr=False)

    @_listed.default
    def _asks(self) -> Kept[list[str]]:
        return Kept(partial(listed_voices, self.settings.speech), [])

    @property
    def theme_names(self) -> frozenset[str]:
        return frozenset(theme_names())

    @property
    def scenes_schema(self) -> Mapping[str, Any]:
        return scenes_schema()

    def embedded_pictures(
        self, request: VideoRequest, should_stop: Callable[[], bool] = lambda: False
    ) -> Mapping[str, str]:
        if not self.facts.get(request.pipeline, PipelineFacts()).needs_script:
            return {}
        try:
            opened = open_brief(brief_of(request))
            addresses = [picture.address for picture in opened.pictures()]
        except RequestError:  # `check` says what is wrong
            return {}
        embedded = opened.manuscript.embedded if opened.manuscript else {}
        whole = {each: embedded.get(each, url_of(each)) for each in addresses}
        return {each: address for each, address in whole.items() if kind_of(address) in ("url", "data")}

    def check(
        self,
        request: VideoRequest,
        should_stop: Callable[[], bool] = lambda: False,
        refused: Mapping[str, str] = MappingProxyType({}),
    ) -> Sequence[Fault]:
        """Read scenes as a whole, but only the front matter and merge fields of a script, which takes less time."""
        if not self.facts.get(request.pipeline, PipelineFacts()).needs_script:
            return ()
        if request.topic is not None:
            return _missing_settings(self.settings)
        source = "/script" if request.scenes is None else "/scenes"
        brief = brief_of(request)
        try:
            if brief.scenes is not None:
                read_document(brief.scenes, "", brief.merge, brief.style.aspect, should_stop)
            elif brief.script is not None:
                opened = open_brief(brief)
                opened.check_theme(theme_names())
                if opened.style.narrated:
                    check_voice(opened.voice, narrators(self.settings.speech))
                opened.check_pictures(refused)
                if has_fields(brief.script):
                    opened.plan(theme_names(), should_stop=should_stop)
        except DocumentError as error:
            return error.faults
        except FilledTooLong as error:
            at = next(index for index, field in enumerate(request.merge) if field.find == error.name)
            return [Fault(f"/merge/{at}/replace", error.code, str(error))]
        except RequestError as error:
            return [Fault(source, error.code, str(error))]
        except (SpeechError, OSError) as error:  # a worker may have voices that this process lacks
            structlog.get_logger().warning("voices unknown in this process", error=str(error))
        return ()

    def plan(
        self,
        request: VideoRequest,
        should_stop: Callable[[], bool] = lambda: False,
        refused: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, Any]:
        """Raises RequestInvalid, Stopped, and PlanningUnavailable when the model that plans from topics fails."""
        if faults := self.check(request, should_stop, refused):
            raise RequestInvalid(faults)
        warnings: list[control.Note] = []
        try:
            # Somebody waits for the answer: a model that loads is told at once.
            settings = evolve(self.settings, planner=evolve(self.settings.planner, patience_s=0.0))
            pipeline = get_pipeline(request.pipeline, settings)
            plan = pipeline.plan(brief_of(request), control.Control(should_stop=should_stop, note=warnings.append))
            script = Script(plan.title, tuple(_scene(draft) for draft in plan.scenes))
        except RequestError as error:
            source = next((name for name in ("scenes", "topic") if getattr(request, name) is not None), "script")
            raise RequestInvalid([Fault(f"/{source}", error.code, str(error))]) from error
        except _NotScenes:
            reason = f"{request.pipeline} plans no scenes that can be edited; explainer does"
            raise RequestInvalid([Fault("/pipeline", "not_available", reason)]) from None
        except (ServiceFailed, ServiceRefused) as error:
            raise PlanningUnavailable(error.code, str(error), retry_after_s=error.retry_after_s) from error
        return plan_json(plan, script, warnings, narrators(self.settings.speech).language(plan.voice.name))

    def pipelines(self) -> Sequence[Mapping[str, Any]]:
        return [_offer(offer) for offer in catalogue.pipelines(self.settings)]

    def voices(self) -> Sequence[Mapping[str, Any]]:
        try:
            return [_offer(offer) for offer in catalogue.voices(self.settings, self._listed.get())]
        except (SpeechError, OSError) as error:
            structlog.get_logger().warning("voices unknown in this process", error=str(error))
            return []

    def themes(self) -> Sequence[Mapping[str, Any]]:
        return themes()


def plan_json(
    plan: model.Plan, script: Script, warnings: Sequence[control.Note], language: str = "en"
) -> dict[str, Any]:
    """The plan as JSON values. `language` is that of its voice.

    Its members but `version` and `warnings` are fields of a generate request.
    """
    style = plan.style
    return {
        **write_document(script, language),
        "voice": {"name": plan.voice.name, "rate": plan.voice.rate} if style.narrated else None,
        "style": {
            "theme": style.theme,
            "aspect": style.aspect,
            "captions": "burned" if style.burned else style.captions,
            "music": style.music,
        },
        **_language_json(plan.language),
        **_reading_json(plan.read_as),
        "warnings": [
            {"code": note.code, "message": note.message} for note in warnings if isinstance(note, control.Warned)
        ],
    }


def _language_json(language: model.TextLanguage | None) -> dict[str, Any]:
    if language is None:
        return {}
    return {"language": {"tag": language.tag, "sure": language.sure, "because": language.because}}


def _reading_json(read_as: model.ReadAs | None) -> dict[str, Any]:
    """How the script was read, and what of it is neither shown nor said; nothing for scenes and topics."""
    if read_as is None:
        return {}
    shown: dict[str, Any] = {"shape": read_as.shape, "sure": read_as.sure, "because": list(read_as.because)}
    if read_as.facts:
        shown["facts"] = dict(read_as.facts)
    left_out = [{"line": each.line, "text": each.text, "why": each.why} for each in read_as.left_out]
    return {"read_as": shown, "left_out": left_out}


class _NotScenes(Exception):
    """The pipeline's drafts aren't scenes."""


def _scene(draft: model.SceneDraft) -> Scene:
    if not {"layout", "blocks", "lines"} <= draft.spec.keys():
        raise _NotScenes
    return model_json.from_spec(draft.spec, Scene)


def _offer(offer: catalogue.Offer) -> dict[str, Any]:
    return {"name": offer.name, "description": offer.description, **offer.facts}


def _missing_settings(settings: Settings) -> list[Fault]:
    values = (settings.planner.url, settings.planner.model)
    missing = [name for name, value in zip(PLANNER_SETTINGS, values, strict=True) if not value]
    if not missing:
        return []
    reason = (
        f"no model is configured to plan a video from a topic: set {' and '.join(missing)} "
        "(and EVENTFLOW_PLANNER_KEY if it needs a key), or send a script or scenes"
    )
    return [Fault("/topic", "not_configured", reason)]
