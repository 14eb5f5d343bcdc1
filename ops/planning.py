"""What the web app knows of planning: checks of requests, plans without a video, and what there is to choose from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from attrs import frozen

from eventflow.domain.values import VideoRequest
from eventflow.settings import Settings
from handlers.generation import catalogue, control, model, model_json
from handlers.generation.errors import DocumentError, SpeechError
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.job_adapter import brief_of
from handlers.generation.narration.narrators.choice import narrators
from handlers.generation.narration.speech import check_voice
from handlers.generation.pages.themes import theme_names, themes
from handlers.generation.pipelines.registry import get_pipeline
from handlers.generation.script.content import Scene, Script
from handlers.generation.script.document import read_document, write_document
from handlers.generation.script.merge import FilledTooLong, has_fields
from handlers.generation.script.schema import scenes_schema
from handlers.generation.script.script import open_brief
from handlers.media.errors import RequestError
from web.http.errors import RETRY, FieldError, Problem, invalid
from web.requests.json_reader import pointer_to
from web.requests.video_request import SCRIPTLESS

#: The settings without which there is no planning from a topic.
PLANNER_SETTINGS = ("EVENTFLOW_PLANNER_URL", "EVENTFLOW_PLANNER_MODEL")


@frozen
class ScenePlanner:
    """`web.deps.Planner` on the handlers' own code. All of it blocks."""

    settings: Settings

    @property
    def theme_names(self) -> frozenset[str]:
        return frozenset(theme_names())

    @property
    def scenes_schema(self) -> Mapping[str, Any]:
        return scenes_schema()

    def check(self, request: VideoRequest, should_stop: Callable[[], bool] = lambda: False) -> Sequence[FieldError]:
        """What can be found out quickly: scenes are read as a whole, of a script its front matter and merge fields."""
        if request.pipeline in SCRIPTLESS:
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
                if has_fields(brief.script):
                    opened.plan(theme_names(), should_stop=should_stop)
        except DocumentError as error:
            return [FieldError(fault.pointer, fault.code, fault.reason) for fault in error.faults]
        except FilledTooLong as error:
            at = next(index for index, field in enumerate(request.merge) if field.find == error.name)
            return [FieldError(pointer_to("merge", at, "replace"), error.code, str(error))]
        except RequestError as error:
            return [FieldError(source, error.code, str(error))]
        except (SpeechError, OSError) as error:  # the generation workers say so, if it is true of them as well
            structlog.get_logger().warning("voices are not known here", error=str(error))
        return ()

    def plan(self, request: VideoRequest, should_stop: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        """Raises Problem 422, 503 where the model that plans from topics fails, Stopped."""
        if errors := self.check(request, should_stop):
            raise invalid(errors)
        warnings: list[control.Note] = []
        try:
            pipeline = get_pipeline(request.pipeline, self.settings)
            plan = pipeline.plan(brief_of(request), control.Control(should_stop=should_stop, note=warnings.append))
            script = Script(plan.title, tuple(_scene(draft) for draft in plan.scenes))
        except RequestError as error:
            source = next((name for name in ("scenes", "topic") if getattr(request, name) is not None), "script")
            raise invalid([FieldError(f"/{source}", error.code, str(error))]) from error
        except _NotScenes:
            reason = f"what {request.pipeline} plans are no scenes that could be edited; explainer's are"
            raise invalid([FieldError("/pipeline", "not_available", reason)]) from None
        except (ServiceFailed, ServiceRefused) as error:
            raise Problem(503, error.code, str(error), headers=_retry_after(error)) from error
        return plan_json(plan, script, warnings)

    def pipelines(self) -> Sequence[Mapping[str, Any]]:
        return [_offer(offer) for offer in catalogue.pipelines(self.settings)]

    def voices(self) -> Sequence[Mapping[str, Any]]:
        try:
            return [_offer(offer) for offer in catalogue.voices(self.settings)]
        except (SpeechError, OSError) as error:
            structlog.get_logger().warning("voices are not known here", error=str(error))
            return []

    def themes(self) -> Sequence[Mapping[str, Any]]:
        return themes()


def plan_json(plan: model.Plan, script: Script, warnings: Sequence[control.Note]) -> dict[str, Any]:
    """The answer of planning; its members besides `version` and `warnings` can go into a generate request."""
    style = plan.style
    return {
        **write_document(script),
        "voice": {"name": plan.voice.name, "rate": plan.voice.rate} if style.narrated else None,
        "style": {
            "theme": style.theme,
            "aspect": style.aspect,
            "captions": "burned" if style.burned else style.captions,
            "music": style.music,
        },
        "warnings": [
            {"code": note.code, "message": note.message} for note in warnings if isinstance(note, control.Warned)
        ],
    }


class _NotScenes(Exception):
    """The pipeline's drafts aren't scenes."""


def _scene(draft: model.SceneDraft) -> Scene:
    if not {"layout", "blocks", "lines"} <= draft.spec.keys():
        raise _NotScenes
    return model_json.from_spec(draft.spec, Scene)


def _offer(offer: catalogue.Offer) -> dict[str, Any]:
    return {"name": offer.name, "description": offer.description, **offer.facts}


def _retry_after(error: ServiceFailed | ServiceRefused) -> dict[str, str]:
    return RETRY if error.retry_after_s is None else {"Retry-After": str(math.ceil(error.retry_after_s))}


def _missing_settings(settings: Settings) -> list[FieldError]:
    values = (settings.planner.url, settings.planner.model)
    missing = [name for name, value in zip(PLANNER_SETTINGS, values, strict=True) if not value]
    if not missing:
        return []
    reason = (
        f"no model is configured that could plan a video from a topic: set {' and '.join(missing)} "
        "(and EVENTFLOW_PLANNER_KEY if it needs a key), or send a script or scenes"
    )
    return [FieldError("/topic", "not_configured", reason)]
