"""Pictures that a script names: assets by address, from URLs of allowed hosts, from data; the rest in one answer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from attrs import evolve

from eventflow.domain.values import PictureAsset
from eventflow.settings import Settings
from tests.support.picture_site import BLUE, HOST, RED, Site
from tests.support.web_app import Client, StartClient
from web.deps import WebDeps

DATA = f"data:image/png;base64,{base64.b64encode(BLUE).decode()}"
TOUR = (
    "# Tour\n\n## Screens\n\n![The main window](img/main.png)\n\n"
    '![Settings](./img/settings.png "Settings") ![Help](https://example.org/help.png)\n'
)


Post = Callable[..., Awaitable[tuple[int, Any]]]


async def post(client: Client, what: str, script: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
    body = {"script": script, **more}
    async with client.post(f"/api/v1/videos/{what}", json=body, headers=headers or {}) as answer:
        return answer.status, await answer.json(content_type=None)


def shown(plan: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (block["kind"], block["asset"])
        for scene in plan["scenes"]
        for block in scene.get("blocks", [])
        if isinstance(block, dict) and "asset" in block
    ]


async def upload(client: Client, data: bytes) -> str:
    async with client.post("/api/v1/assets", data=data) as answer:
        return str((await answer.json())["id"])


@pytest.mark.parametrize("what", ["plan", "generate"])
async def test_all_missing_pictures_are_named_in_one_answer_with_their_lines(what: str, client: Client) -> None:
    status, problem = await post(client, what, f"---\ntheme: paper\n---\n{TOUR}")
    assert status == 422
    (error,) = problem["errors"]
    assert (error["pointer"], error["code"]) == ("/script", "pictures_missing")
    for named in ("line 8: 'img/main.png'", "line 10: './img/settings.png'", "line 10: 'https://example.org/help.png'"):
        assert named in error["reason"]
    assert "EVENTFLOW_ASSET_URLS" in error["reason"]
    assert "POST /api/v1/assets" in error["reason"]


async def test_a_request_names_the_assets_of_addresses(client: Client, deps: WebDeps) -> None:
    one, two = await upload(client, RED), await upload(client, BLUE)
    pictures = [
        {"address": "img/main.png", "asset": one},
        {"address": "./img/settings.png", "asset": two, "kind": "clip"},
        {"address": "https://example.org/help.png", "asset": two},
        {"address": "unused.png", "asset": one},
    ]
    status, plan = await post(client, "plan", TOUR, pictures=pictures)
    assert status == 200
    assert shown(plan) == [("image", one), ("clip", two), ("image", two)]
    status, accepted = await post(client, "generate", TOUR, pictures=pictures)
    assert status == 202
    record = await deps.log.load(accepted["job_id"])
    assert record is not None
    assert record.job.request.script == TOUR
    assert record.job.request.pictures[1] == PictureAsset("./img/settings.png", two, "clip")
    wrong = [{"address": "a.png", "asset": "as_1"}, {"address": "b", "asset": one, "kind": "audio"}, {"address": ""}]
    status, problem = await post(client, "plan", TOUR, pictures=[*wrong, pictures[0], pictures[0]])
    assert status == 422
    assert {error["pointer"] for error in problem["errors"]} >= {
        "/pictures/0/asset", "/pictures/1/kind", "/pictures/2", "/pictures/2/address", "/pictures",
    }  # fmt: skip


async def test_data_is_taken_in_with_an_uploads_limits(client: Client, start: StartClient, settings: Settings) -> None:
    script = f"## A\n\n![x]({DATA})\n\n<img src='{DATA}'>\n\n![y](data:image/svg+xml,%3Csvg%3E)"
    status, plan = await post(client, "plan", script)
    assert status == 200
    asset = await upload(client, BLUE)
    assert shown(plan) == [("image", asset), ("image", asset)]
    assert [warning["code"] for warning in plan["warnings"]] == ["picture_as_text"]
    small = await start(settings=evolve(settings, asset_limits=evolve(settings.asset_limits, max_image_mb=1)))
    large = base64.b64encode(RED + bytes(30_000)).decode()
    for data, why in (
        ("data:image/png;base64,iVBORw0KGgo=", "picture"),
        ("data:image/png;base64,####", "isn't base64"),
        ("data:image/png,hello", "format is unknown"),
    ):
        status, problem = await post(small, "plan", f"## A\n\n![x]({data})")
        assert (status, problem["errors"][0]["code"]) == (422, "pictures_missing")
        assert why in problem["detail"]
    assert (await post(small, "plan", f"## A\n\n![x](data:image/png;base64,{large})"))[0] == 200


async def test_urls_of_allowed_hosts_are_fetched_once_for_a_job(site: Site, start: StartClient, deps: WebDeps) -> None:
    client = await start(picture_urls=site.fetcher(HOST))
    script = f'## A\n\n![x]({site.url("/red.png")})\n\n![y]({site.url("/red.png")} "fit=cover")\n'
    asset = await upload(client, RED)
    for key in ({"Idempotency-Key": "one"}, {"Idempotency-Key": "one"}):
        status, accepted = await post(client, "generate", script, headers=key)
        assert status == 202
        record = await deps.log.load(accepted["job_id"])
        assert record is not None
        assert record.job.request.pictures == (PictureAsset(site.url("/red.png"), asset, "image"),)
        assert site.asked == ["/red.png"], "not for each picture, and not again for a repeat of the request"
        site.files.clear()  # what the URL gives later is nothing to the job
    site.files["/red.png"] = BLUE
    status, plan = await post(client, "plan", script)
    assert [found for _, found in shown(plan)] == [await upload(client, BLUE)] * 2, (
        "another job gets what is there then"
    )


async def test_what_cannot_be_fetched_is_named_with_the_others(site: Site, start: StartClient) -> None:
    client = await start(picture_urls=site.fetcher(HOST, "*.example.com", "inside.example.org"))
    urls = {
        site.url("/red.png"): "",
        site.url("/red.png", "cdn.example.com"): "",
        site.url("/none.png"): "answers 404",
        site.url("/page"): "web page",
        site.url("/sound"): "is a sound",
        site.url("/away"): "elsewhere.example.net isn't among the hosts",
        site.url("/red.png", "example.com"): "example.com isn't among the hosts",
        site.url("/red.png", "inside.example.org"): "isn't on the public internet",
        "http://127.0.0.1/x.png": "127.0.0.1 isn't among the hosts",
        "https://media.example.org/x.png": "must be absolute, with http",
        "http://user:secret@media.example.org/x.png": "user name",
    }
    script = "## A\n\n" + "\n\n".join(f"![x]({url})" for url in urls) + "\n\n![y](beside.png)"
    status, problem = await post(client, "generate", script)
    assert status == 422
    reason = problem["errors"][0]["reason"]
    for number, (url, why) in enumerate(urls.items()):
        named = f"line {3 + 2 * number}: '{url}' ("
        assert (named in reason) == bool(why), url
        assert not why or why in reason.partition(named)[2].partition("; line ")[0], url
    assert f"line {3 + 2 * len(urls)}: 'beside.png'." in reason


async def test_a_file_that_was_sent_is_found_by_its_digest(client: Client, deps: WebDeps) -> None:
    ada, bob = [{"Authorization": f"Bearer {(await deps.api_keys.add(name))[1]}"} for name in ("ada", "bob")]
    async with client.post("/api/v1/assets", data=RED, headers=ada) as answer:
        asset = await answer.json()
    digest = hashlib.sha256(RED).hexdigest()
    for given, headers, status in (
        (digest, ada, 200),
        (digest, bob, 404),
        (digest, {}, 401),
        (digest.upper(), ada, 404),
        ("0" * 64, ada, 404),
        ("..%2f..%2fx", ada, 404),
    ):
        async with client.get(f"/api/v1/assets/uploads/{given}", headers=headers) as answer:
            assert answer.status == status, given
            assert status != 200 or await answer.json() == asset
