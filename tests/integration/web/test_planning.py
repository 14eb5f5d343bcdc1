"""Planning over HTTP: plans without a video, requests with scenes, and lists of pipelines, themes and voices."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from eventflow.settings import PlannerSettings, ServiceVoice, Settings, SpeechSettings
from handlers.generation.scene_planner import ScenePlanner
from tests.support.chat_server import KEY, chat_service, refuses, says
from tests.support.speech_server import speech_server
from tests.support.waiting import wait_until
from tests.support.web_app import Client, StartClient
from web.deps import WebDeps
from web.http import owner_threads
from web.readmodel.projection import PROJECTION
from web.routes import generate as plan_route

SCRIPT = "---\ntheme: midnight\nvoice: de\naspect: 1:1\n---\n# Dear {{name}}\n\nHello.\n\n## Why\n\n- **one**\n- two"
MERGE = [{"find": "name", "replace": "*Ada*"}]


async def post(client: Client, what: str, body: Any) -> tuple[int, Any]:
    async with client.post(f"/api/v1/videos/{what}", json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def wrong(client: Client, what: str, body: Any) -> dict[str, str]:
    status, problem = await post(client, what, body)
    assert status == 422
    return {error["pointer"]: error["code"] for error in problem["errors"]}


async def test_a_plan_is_edited_and_made(client: Client, deps: WebDeps) -> None:
    status, plan = await post(client, "plan", {"script": SCRIPT, "merge": MERGE})
    assert status == 200
    assert (plan["title"], plan["voice"]) == ("Dear *Ada*", {"name": "de", "rate": 1.0})
    assert plan["style"] == {"theme": "midnight", "aspect": "1:1", "captions": True, "music": None}
    assert [scene["layout"] for scene in plan["scenes"]] == ["title", "content"]
    assert plan["scenes"][1]["blocks"] == [{"kind": "bullets", "items": ["**one**", "two"]}]
    assert plan["warnings"] == []

    plan["scenes"][1]["blocks"][0]["items"].append("three")
    body = {"title": plan["title"], "voice": plan["voice"], "scenes": plan["scenes"], **plan["style"]}
    status, again = await post(client, "plan", body)
    assert status == 200
    assert plan.pop("left_out") == []
    assert plan.pop("read_as")["shape"] == "document"
    assert {**again, "scenes": None} == {**plan, "scenes": None}
    assert again["scenes"][0] == plan["scenes"][0]
    status, accepted = await post(client, "generate", body)
    assert status == 202
    found = await client.app[PROJECTION].get(accepted["job_id"]) if client.app else None
    assert found is not None
    record = await deps.log.load(accepted["job_id"])
    assert record is not None
    assert '"three"' in (record.job.request.scenes or "")


GERMAN = "Heute lernen wir, wie man einen Kuchen backt. Zuerst werden Mehl, Zucker und Eier in einer Schüssel gemischt."


@pytest.mark.parametrize(
    ("body", "voice", "language"),
    [
        ({"script": GERMAN}, "de", "de"),
        ({"script": "Today we learn how to bake a cake, with flour, sugar and eggs in a bowl."}, "en-us", "en"),
        ({"script": "Hallo"}, "en-us", "und"),
        ({"script": GERMAN, "voice": {"language": "fr"}}, "fr", "fr"),
        ({"script": GERMAN, "voice": {"rate": 2}}, "de", "de"),
        ({"script": GERMAN, "voice": {"name": "en-us"}}, "en-us", "de"),
        ({"script": f"---\nvoice: it\n---\n{GERMAN}"}, "it", "de"),
    ],
)
async def test_a_voice_that_nobody_names_speaks_the_language_of_the_script(
    client: Client, body: Any, voice: str, language: str
) -> None:
    status, plan = await post(client, "plan", body)
    assert (status, plan["voice"]["name"], plan["language"]["tag"]) == (200, voice, language)
    unlike = [note["message"] for note in plan["warnings"] if note["code"] == "voice_language"]
    assert bool(unlike) == (voice in ("en-us", "it") and language == "de")
    assert all("the text is German (its words are), and the voice" in message for message in unlike)


async def test_faults_in_scenes_are_told_with_their_place_before_there_is_a_job(client: Client) -> None:
    for what in ("plan", "generate"):
        body = {"scenes": [{"title": "x"}, {"titel": "y", "blocks": [{"kind": "code"}]}]}
        assert await wrong(client, what, body) == {
            "/scenes/1/titel": "unknown_field",
            "/scenes/1/blocks/0": "required",
        }


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"script": "---\nthem: x\n---\n# Hi"}, {"/script": "script"}),
        ({"script": "---\ntheme: nope\n---\n# Hi"}, {"/script": "unknown_theme"}),
        ({"script": "---\nvoice: nope\n---\n# Hi"}, {"/script": "unknown_voice"}),
        ({"script": "# Dear {{nobody}}"}, {"/script": "unknown_merge_field"}),
        ({"scenes": [{"title": "Dear {{nobody}}"}]}, {"/scenes": "unknown_merge_field"}),
        ({"topic": "Bees"}, {"/topic": "not_configured"}),
        ({"script": "x", "topic": "y"}, {"/topic": "conflict"}),
    ],
)
async def test_what_is_wrong_is_told_before_there_is_a_job(client: Client, body: Any, found: dict[str, str]) -> None:
    assert await wrong(client, "generate", body) == found
    assert await wrong(client, "plan", body) == found


async def test_a_topic_without_a_model_names_the_settings(start: StartClient, settings: Settings) -> None:
    client = await start(planner=ScenePlanner(evolve(settings, planner=PlannerSettings(model="m"))))
    _, problem = await post(client, "generate", {"topic": "Bees"})
    assert "set EVENTFLOW_PLANNER_URL (" in problem["detail"]
    assert "EVENTFLOW_PLANNER_KEY" in problem["detail"]


async def test_another_pipelines_plan_is_no_scenes(client: Client) -> None:
    assert await wrong(client, "plan", {"pipeline": "simulation"}) == {"/pipeline": "not_available"}


async def test_what_there_is_to_choose_from(client: Client) -> None:
    found = {}
    for what in ("pipelines", "themes", "voices"):
        async with client.get(f"/api/v1/{what}") as answer:
            assert answer.status == 200
            found[what] = {offer["name"]: offer for offer in (await answer.json())[what]}
    assert found["pipelines"]["explainer"]["available"] is True
    assert found["themes"]["midnight"]["colours"]["ground"].startswith("#")
    assert found["voices"]["en-us"]["available"] is True


async def test_voices_that_the_speech_service_lacks_are_told(start: StartClient, settings: Settings) -> None:
    """It is asked once an hour; of one that tells nothing, nothing is said."""
    voices = {"anna": ServiceVoice("", "af_bella(2)+af_sky(1)"), "alloy": ServiceVoice()}

    async def offered(client: Client) -> dict[str, Any]:
        async with client.get("/api/v1/voices") as answer:
            listed = (await answer.json())["voices"]
        return {each["name"]: each["problem"] for each in listed if each["narrator"] == "openai"}

    with speech_server() as server:
        speaking = evolve(settings, speech=SpeechSettings(url=server.url, voices=voices))
        untold = await start(planner=ScenePlanner(speaking))
        assert await offered(untold) == {"openai:anna": None, "openai:alloy": None}
        server.lists["/v1/audio/voices"] = {"voices": ["af_bella", "af_sky"]}
        client = await start(planner=ScenePlanner(speaking))
        for _ in range(2):
            found = await offered(client)
            assert found["openai:anna"] is None
            assert "EVENTFLOW_SPEECH_VOICES" in found["openai:alloy"]
            server.lists.clear()
        assert server.asked == []


@pytest.mark.parametrize(
    ("says", "status"), [("needs_script = False", 202), ("needs_script = True", 422), ("pass", 422)]
)
async def test_an_installed_pipeline_says_whether_it_needs_a_script(
    start: StartClient, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, status: int
) -> None:
    site = tmp_path / "site"
    installed = site / "scriptless-1.0.dist-info"
    installed.mkdir(parents=True)
    (site / "scriptless_pipeline.py").write_text(f"class Scriptless:\n    {says}\n")
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: scriptless\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[eventflow.pipelines]\nscriptless = scriptless_pipeline:Scriptless\n")
    monkeypatch.syspath_prepend(site)
    planner = ScenePlanner(settings)
    sys.modules.pop("scriptless_pipeline")
    client = await start(pipelines=planner.facts, planner=planner)
    answered, body = await post(client, "generate", {"pipeline": "scriptless"})
    assert answered == status
    if status == 422:
        assert [error["pointer"] for error in body["errors"]] == ["/script"]


async def test_a_plan_that_takes_too_long_is_not_waited_for(
    start: StartClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_route, "PLAN_SECONDS", 0.05)
    client = await start(planner=Slow(settings))
    status, problem = await post(client, "plan", {"script": "# Hi"})
    assert (status, problem["code"]) == (503, "planning_slow")


class Slow(ScenePlanner):
    def plan(self, request: Any, should_stop: Any = None, refused: Any = None) -> Any:
        time.sleep(0.5)
        return super().plan(request)


async def test_nothing_that_comes_as_scenes_is_our_fault(client: Client) -> None:
    """Fuzzed once more on the way that bytes take, with values that a body can hold and a document can't."""
    deep: Any = "x"
    for _ in range(200):
        deep = {"left": [deep], "kind": "columns", "right": [deep] if isinstance(deep, str) else ["y"]}
    odd: list[Any] = [
        None,
        True,
        10**30,
        1e308,
        "\u202e\u200b",
        "\ufffe",
        [],
        {},
        deep,
        [[]],
        {"kind": []},
        {"text": {}},
    ]
    scenes = [
        *({field: value} for value in odd for field in ("title", "blocks", "narration", "layout", "part")),
        *({"blocks": [value]} for value in odd),
        *({"title": value, "narration": [value]} for value in odd),
    ]
    answers = await asyncio.gather(*(post(client, "plan", {"scenes": [scene]}) for scene in scenes))
    assert {status for status, _ in answers} <= {200, 422}


OUTLINE = {"title": "Bees", "scenes": [{"title": "Bees", "narration": "They hum.", "blocks": []}]}


async def test_a_topic_is_planned_by_a_model_or_the_answer_says_why_not(start: StartClient, settings: Settings) -> None:
    with chat_service(says(OUTLINE), refuses(429, Retry_After="7"), refuses(401), says("no")) as service:
        planner = ScenePlanner(evolve(settings, planner=PlannerSettings(url=service.url, model="m", key=KEY)))
        client = await start(planner=planner)
        status, plan = await post(client, "plan", {"topic": "Bees"})
        assert (status, plan["title"], len(plan["scenes"])) == (200, "Bees", 1)
        async with client.post("/api/v1/videos/plan", json={"topic": "Bees"}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
        status, problem = await post(client, "plan", {"topic": "Bees"})
        assert (status, problem["code"]) == (503, "service_refused")
        assert "EVENTFLOW_PLANNER_KEY" in problem["detail"]
        assert await wrong(client, "plan", {"topic": "Bees"}) == {"/topic": "planner_invalid"}


async def test_whatever_is_posted_others_are_answered_at_once(start: StartClient, settings: Settings) -> None:
    """As long as the interpreter is held by one call, nobody is answered."""
    client = await start(settings=evolve(settings, max_script_chars=200_000))
    shapes = (
        ":::" + " " * 199_000 + "!",
        "> a" + " " * 199_000 + "b",
        "a" + "\u0327\u0301" * 60_000,
        "|" + "a|" * 90_000 + "\n|" + "-|" * 1_000,
        "### a\n" * 9_900,
        "```chart bar\n" + "a," * 60_000 + "\n" + "a\n" * 5_000 + "```\n",
    )
    slowest = 0.0
    for shape in shapes:
        scenes = [{"blocks": ["a"], "narration": shape[at : at + 16_000]} for at in range(0, len(shape), 16_000)]
        bodies = [("plan", {"script": shape}), ("generate", {"script": shape}), ("generate", {"scenes": scenes})]
        posts = [asyncio.create_task(post(client, what, body)) for what, body in bodies]
        while not all(task.done() for task in posts):
            begun = time.monotonic()
            async with client.get("/healthz") as answer:
                assert answer.status == 200
            slowest = max(slowest, time.monotonic() - begun)
            await asyncio.sleep(0.02)
        assert {status for status, _ in await asyncio.gather(*posts)} <= {200, 202, 422}
    assert slowest < 2.0


async def test_what_merge_fields_fill_in_is_limited_before_it_is_made(client: Client) -> None:
    many = {"script": "# Hi\n\n" + "{{b}} {{a}} " * 4_000, "merge": [{"find": n, "replace": n * 2_000} for n in "ab"]}
    for what in ("plan", "generate"):
        status, problem = await post(client, what, many)
        assert status == 422
        (error,) = problem["errors"]
        assert (error["pointer"], error["code"]) == ("/merge/1/replace", "merge_too_long")
        assert "{{b}} alone fills in" in error["reason"]
    scene = {"title": "{{a}}" * 10, "blocks": ["Hi."]}
    faults = await wrong(client, "plan", {"scenes": [scene], "title": "{{b}}", "merge": many["merge"]})
    assert faults == {"/scenes/0/title": "too_long", "/title": "too_long"}
    in_code = {"scenes": [{"blocks": [{"kind": "code", "code": "{{a}}" * 9_000}]}], "merge": many["merge"]}
    assert await wrong(client, "plan", in_code) == {"/merge/0/replace": "merge_too_long"}
    titled = {"script": "---\ntitle: {{a}}\n---\n# Hi", "merge": many["merge"]}
    assert await wrong(client, "plan", titled) == {"/script": "script"}


class Stubborn(ScenePlanner):
    """Plans of alice go on until nobody waits for them; others' are made at once."""

    def plan(self, request: Any, should_stop: Any = None, refused: Any = None) -> Any:
        if request.script != "# Slow":
            return super().plan(request, should_stop)
        RUNNING.append(request)
        while not should_stop():
            time.sleep(0.005)
        RUNNING.remove(request)
        raise RuntimeError("stopped")


RUNNING: list[Any] = []


async def test_one_owners_plans_are_in_nobody_elses_way_and_end_with_their_requests(
    start: StartClient, settings: Settings, deps: WebDeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, alice), (_, bob) = await deps.api_keys.add("alice"), await deps.api_keys.add("bob")
    monkeypatch.setattr(plan_route, "PLAN_SECONDS", 3.0)
    client = await start(planner=Stubborn(settings))

    async def ask(key: str, script: str, what: str = "plan") -> tuple[int, Any, str | None]:
        headers = {"Authorization": f"Bearer {key}"}
        async with client.post(f"/api/v1/videos/{what}", json={"script": script}, headers=headers) as answer:
            return answer.status, (await answer.json(content_type=None)).get("code"), answer.headers.get("Retry-After")

    slow = [asyncio.create_task(ask(alice, "# Slow")) for _ in range(8)]
    await wait_until(lambda: len(RUNNING) == owner_threads.THREADS_PER_OWNER)
    assert (await ask(bob, "# Hi"))[0] == 200
    assert (await ask(alice, "# Hi", "generate"))[0] == 202
    assert not any(task.done() for task in slow)

    monkeypatch.setattr(owner_threads, "WAITING_PER_OWNER", 0)
    assert await ask(alice, "# Hi") == (429, "planning_busy", "2")
    assert (await ask(bob, "# Hi"))[0] == 200

    assert set(await asyncio.gather(*slow)) == {(503, "planning_slow", "2")}
    await wait_until(lambda: not RUNNING)
    assert (await ask(alice, "# Hi"))[0] == 200


async def test_a_plan_tells_of_what_the_document_has_for_other_tools(client: Client, deps: WebDeps) -> None:
    script = "---\nmarp: true\ntitle: Rivers\n---\n# Hi\n\nThere. <!-- secret"
    status, plan = await post(client, "plan", {"script": script})
    assert (status, plan["title"]) == (200, "Rivers")
    told = {warning["code"]: warning["message"] for warning in plan["warnings"]}
    assert "'marp' (line 2)" in told["front_matter_keys"]
    assert "line 7" in told["comment_unclosed"]
    assert "secret" not in str(plan["scenes"])
    assert (await post(client, "generate", {"script": script}))[0] == 202
