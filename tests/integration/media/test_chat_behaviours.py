"""A chat service that answers in every documented way: the outline comes through, or the message says what to do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from eventflow.settings import PlannerSettings
from handlers.generation.control import Charged, Control, Note, Warned
from handlers.generation.http_services.busy_waits import BusyWaits
from handlers.generation.http_services.errors import ServiceFailed, ServiceRefused
from handlers.generation.model import Brief
from handlers.generation.model_json import from_spec
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.planner.plan import Planner, PlannerInvalid
from handlers.generation.script.content import Scene
from tests.support.chat_answers import (
    BAD,
    GOOD,
    OUTLINE,
    SSE,
    TEXT,
    completion,
    content,
    pieces,
    raw,
    refused,
    stream,
    told,
)
from tests.support.chat_server import ChatService, Says, chat_service

KINDS = {"refused": ServiceRefused, "failed": ServiceFailed, "invalid": PlannerInvalid}
KEY = "sk-planner-key-1"


def settings_of(service: ChatService, **changes: Any) -> PlannerSettings:
    known = PlannerSettings(url=service.url, model="m", key=KEY, timeout_s=5, patience_s=0)
    return evolve(known, **changes)


def planned(service: ChatService, notes: list[Note] | None = None, **changes: Any) -> Any:
    planner = Planner(settings_of(service, **changes), BusyWaits(0.0, first_s=0.01, longest_s=0.02))
    control = Control(note=(notes if notes is not None else []).append)
    return ExplainerPipeline(planner=planner).plan(Brief(topic="Tides"), control)


def forms(service: ChatService) -> list[str]:
    """The form that each request has asked for."""
    return [body.get("response_format", {}).get("type", "none") for _, body in service.asked]


@pytest.mark.parametrize("name", GOOD)
def test_an_outline_comes_through(name: str) -> None:
    with chat_service(GOOD[name]) as service:
        assert len(planned(service).scenes) == 3
        assert len(service.asked) == 1


@pytest.mark.parametrize("name", BAD)
def test_a_refusal_says_what_to_do(name: str) -> None:
    answer, kind, message = BAD[name]
    with chat_service(answer) as service:
        with pytest.raises(KINDS[kind], match=f"(?s){message}"):
            planned(service)
        assert len(service.asked) == 1


def test_a_base_url_without_v1_is_noticed_and_the_right_one_named() -> None:
    with chat_service(content(TEXT)) as service:
        with pytest.raises(ServiceRefused, match=rf"set EVENTFLOW_PLANNER_URL to {service.url}"):
            planned(service, url=service.url.removesuffix("/v1"))
        assert service.asked == []


def strict_schema(body: Any) -> bool:
    return bool(body.get("response_format", {}).get("type") == "json_schema")


def by(decide: Callable[[Any], Says]) -> Says:
    async def answer(body: Any) -> Any:
        return await decide(body)(body)

    return answer


def deepseek(body: Any) -> Says:
    form = body.get("response_format", {}).get("type")
    if form == "json_schema":
        return refused(400, told("This response_format type is unavailable now", type="invalid_request_error"))
    return content(TEXT) if form == "json_object" else content("Certainly! Tides are a fine topic.")


def test_the_form_that_a_service_takes_is_kept() -> None:
    with chat_service(by(deepseek)) as service:
        planned(service)
        planned(service)
        assert forms(service) == ["json_schema", "json_object", "json_object"]


def test_a_form_may_be_set() -> None:
    with chat_service(by(deepseek)) as service:
        planned(service, form="json_object")
        assert forms(service) == ["json_object"]


def lm_studio(body: Any) -> Says:
    form = body.get("response_format", {}).get("type", "text")
    if form in ("json_schema", "json_object"):
        return refused(400, {"error": "'response_format.type' must be 'json_schema' or 'text'"})
    return content(f"```json\n{TEXT}\n```")


def gemma(body: Any) -> Says:
    roles = [message["role"] for message in body["messages"]]
    return refused(400, told("System role not supported")) if "system" in roles else content(TEXT)


def qwen(body: Any) -> Says:
    if not body["stream"]:
        return refused(400, told("This model only support stream mode, please enable the stream parameter"))
    assert body["stream_options"] == {"include_usage": True}
    return raw(stream(*pieces(), usage={"total_tokens": "77"}), kind=SSE)


def groq_slips(body: Any) -> Says:
    error = told("Failed to generate JSON", code="json_validate_failed", failed_generation=f"{TEXT} and {{more}}")
    return refused(400, error)


def strict_500(body: Any) -> Says:
    if "response_format" in body:
        return refused(500, told("grammar: json_schema can't be compiled"))
    return content(TEXT)


#: Name -> (how a service answers, the forms it is asked for).
LADDERS: dict[str, tuple[Callable[[Any], Says], list[str]]] = {
    "LM Studio": (lm_studio, ["json_schema", "json_object", "none"]),
    "no system role": (gemma, ["json_schema", "json_schema"]),
    "streams only": (qwen, ["json_schema", "json_schema"]),
    "json_validate_failed with the outline": (groq_slips, ["json_schema"]),
    "500 for a schema": (strict_500, ["json_schema", "json_object", "none"]),
}


@pytest.mark.parametrize("name", LADDERS)
def test_a_refused_form_is_left(name: str) -> None:
    decide, asked = LADDERS[name]
    with chat_service(by(decide)) as service:
        assert len(planned(service).scenes) == 3
        assert forms(service) == asked


def test_a_model_that_slipped_is_asked_again_as_it_was() -> None:
    slip = refused(400, told("Failed to generate JSON", code="json_validate_failed", failed_generation="no"))
    with chat_service(slip, content(TEXT)) as service:
        planned(service)
        assert forms(service) == ["json_schema", "json_schema"]


def test_the_words_for_a_service_without_a_system_role_are_the_users() -> None:
    with chat_service(by(gemma)) as service:
        planned(service)
        (message,) = service.asked[-1][1]["messages"]
    assert message["role"] == "user"
    assert "explainer videos" in message["content"]
    assert '"topic":"Tides"' in message["content"]


#: Services -> (requests that they refuse, an answer in their form): as documented, down to the odd fields.
SERVICES: dict[str, Callable[[Any], Says]] = {
    "Ollama": lambda body: content(TEXT, reasoning="Thinking about tides"),
    "llama.cpp": lambda body: raw(completion(f"<think>\n\n</think>\n\n{TEXT}", usage={"total_tokens": 9})),
    "LM Studio": lm_studio,
    "vLLM": lambda body: content(None, reasoning=TEXT, tool_calls=[]),
    "OpenAI": lambda body: content(TEXT, refusal=None, annotations=[]),
    "OpenRouter": lambda body: raw(
        b": OPENROUTER PROCESSING\n\n" + completion(usage={"total_tokens": 12, "cost": 0.00014, "is_byok": False})
    ),
    "DeepSeek": deepseek,
    "Groq": lambda body: raw(
        json.dumps(
            {
                "id": "chatcmpl-g",
                "choices": [{"message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
                "usage": {"queue_time": 0.02, "prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9},
                "x_groq": {"id": "req_1"},
            }
        )
    ),
    "Gemini": lambda body: (
        refused(400, [told("Invalid value at 'response_schema' (type)", status="INVALID_ARGUMENT", code=400)])
        if strict_schema(body) and '"type": ["number"' in json.dumps(body)
        else content(f"```json\n{TEXT}\n```", extra_content={"google": {}})
    ),
    "Azure": lambda body: raw(
        json.dumps({**json.loads(completion()), "prompt_filter_results": [{"prompt_index": 0}]}),
        headers={"x-ratelimit-remaining-requests": "99"},
    ),
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_page_is_planned_by_each_service(name: str) -> None:
    with chat_service(by(SERVICES[name])) as service:
        plan = planned(service)
    scenes = [from_spec(draft.spec, Scene) for draft in plan.scenes]
    assert [scene.layout for scene in scenes] == ["title", "content", "outro"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a \times b", r"a \times b"),
        (r"\theta + \tan x", r"\theta + \tan x"),
        (r"\nu \neq \nabla f", r"\nu \neq \nabla f"),
        (r"\rho \right)", r"\rho \right)"),
        (r"\frac{1}{2} \beta", r"\frac{1}{2} \beta"),
        (r"\alpha + \sum x", r"\alpha + \sum x"),
        (r"\\frac{1}{2} \times 3", r"\frac{1}{2} \times 3"),
        (r"\begin{matrix} a \\\\ b \end{matrix}", r"\begin{matrix} a \\ b \end{matrix}"),
    ],
)
def test_formulas_are_what_the_model_meant(written: str, meant: str) -> None:
    block = f'{{"kind": "math", "latex": "{written}"}}'
    text = TEXT.replace('{"kind": "bullets", "items": ["One", "Two"]}', block)
    with chat_service(content(text)) as service:
        scene = from_spec(planned(service).scenes[1].spec, Scene)
    assert scene.blocks[0].source == meant


def test_a_formula_within_a_text_is_mended_too() -> None:
    text = TEXT.replace('"One"', r'"The angle $\theta$ and $\frac{1}{2}$"')
    with chat_service(content(text)) as service:
        scene = from_spec(planned(service).scenes[1].spec, Scene)
    assert [span.text for span in scene.blocks[0].items[0].spans if span.kind == "math"] == [r"\theta", r"\frac{1}{2}"]


def test_digits_of_a_chart_are_numbers() -> None:
    chart = {"kind": "chart", "style": "bar", "labels": ["a", "b"], "series": [{"name": "", "values": ["2", "3.5"]}]}
    scenes = [*OUTLINE["scenes"][:2], {"title": "C", "narration": "So.", "blocks": [chart]}]
    with chat_service(content(json.dumps({**OUTLINE, "scenes": scenes}))) as service:
        planned(service)
        assert len(service.asked) == 1


def test_a_model_that_loads_is_waited_for_within_the_attempt() -> None:
    loading = refused(503, told("Loading model", type="unavailable_error"))
    notes: list[Note] = []
    with chat_service(loading, loading, loading, content(TEXT)) as service:
        planned(service, notes, patience_s=5)
        assert len(service.asked) == 4
    (note, *_) = [note for note in notes if isinstance(note, Warned)]
    assert note == Warned("service_waited_for", "waiting for the planner: the planner answers 503: Loading model")


def test_patience_ends() -> None:
    with chat_service(refused(503, told("Loading model"))) as service:
        with pytest.raises(ServiceFailed, match="503: Loading model"):
            planned(service, patience_s=0.1)
        assert len(service.asked) > 2


def test_a_connection_that_was_never_made_is_tried_again() -> None:
    begun = time.monotonic()
    with chat_service(content(TEXT)) as service, pytest.raises(ServiceFailed, match="can't be reached"):
        planned(service, url="http://127.0.0.1:9/v1", patience_s=0.1)
    assert time.monotonic() - begun >= 0.05


@pytest.mark.parametrize(
    ("usage", "charges"),
    [
        ({"total_tokens": 321, "cost": 0.00014}, [("321", "tokens"), ("0.00014", "USD")]),
        ({"total_tokens": "321"}, [("321", "tokens")]),
        ({"prompt_tokens": 300, "completion_tokens": 21}, [("321", "tokens")]),
        ({"total_tokens": None, "cost": "much"}, []),
    ],
)
def test_charges(usage: Any, charges: list[tuple[str, str]]) -> None:
    notes: list[Note] = []
    with chat_service(raw(completion(usage=usage))) as service:
        planned(service, notes)
    assert [(note.amount, note.currency) for note in notes if isinstance(note, Charged)] == charges


def test_a_streams_tokens_are_charged() -> None:
    notes: list[Note] = []
    with chat_service(by(qwen)) as service:
        planned(service, notes)
    assert [note.amount for note in notes if isinstance(note, Charged)] == ["77"]


def test_headers_params_and_a_query_are_sent() -> None:
    with chat_service(content(TEXT)) as service:
        planned(
            service,
            url=f"{service.url}?api-version=2026-01-01",
            headers={"api-key": "azure-key-123", "Authorization": None},
            params={"max_completion_tokens": 8000, "stream": None, "response_format": {"type": "json_object"}},
        )
    ((headers, body),) = service.asked
    assert (headers["api-key"], "Authorization" in headers) == ("azure-key-123", False)
    assert (body["max_completion_tokens"], "stream" in body) == (8000, False)
    assert body["response_format"]["type"] == "json_object"


def test_secrets_in_headers_are_not_shown_and_short_keys_not_replaced() -> None:
    answer, shown = refused(400, told("Unrecognized keys, azure-key-123")), r"Unrecognized keys, \[key\]"
    with chat_service(answer) as service, pytest.raises(ServiceRefused, match=shown):
        planned(service, key="k", headers={"api-key": "azure-key-123"})
