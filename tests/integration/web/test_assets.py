"""Assets over HTTP: uploaded as body, form or URL, visible to their owner only, limited while the bytes arrive."""

from __future__ import annotations

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from attrs import evolve, frozen
from PIL import Image
from yarl import URL

from eventflow.assets.errors import RemoteFailed, RemoteRefused
from eventflow.assets.store import Assets
from eventflow.settings import AssetLimits, Settings
from ops.cli.app import main
from tests.support.mediafiles import picture, tone
from tests.support.waiting import wait_until
from tests.support.web_app import Client, StartClient
from web.deps import WebDeps

ASSETS = "/api/v1/assets"
PNG = picture("PNG")
Answer = tuple[int, dict[str, Any]]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    small = AssetLimits(max_image_mb=1, max_clip_mb=1, max_audio_mb=1)
    return evolve(settings, asset_limits=small, scratch_dir=tmp_path / "scratch")


async def post(client: Client, data: Any, query: str = "", **options: Any) -> Answer:
    options.setdefault("headers", {"Content-Type": "application/octet-stream"})
    async with client.post(URL(ASSETS + query, encoded=True), data=data, **options) as answer:
        return answer.status, await answer.json(content_type=None)


def left(settings: Settings) -> list[Path]:
    """What lies in scratch."""
    return list(settings.scratch_dir.iterdir()) if settings.scratch_dir and settings.scratch_dir.exists() else []


async def test_a_picture_is_kept_and_shown(client: Client, deps: WebDeps, settings: Settings, tmp_path: Path) -> None:
    async with client.post(f"{ASSETS}?name=My%20logo", data=PNG, headers={"Content-Type": "text/html"}) as answer:
        assert answer.status == 201
        asset = await answer.json()
        assert answer.headers["Location"] == f"{ASSETS}/{asset['id']}"
    assert (asset["kind"], asset["media_type"], asset["name"]) == ("image", "image/png", "My logo")
    assert (asset["width"], asset["height"], asset["duration"]) == (32, 18, None)
    async with client.get(f"{ASSETS}/{asset['id']}") as answer:
        assert (answer.status, await answer.json()) == (200, asset)
    assets = Assets(deps.stores["workspace"])
    found = await assets.find("local", asset["id"])
    assert found is not None
    assert (await assets.fetch("local", found, tmp_path)).stat().st_size == asset["size"]
    assert left(settings) == []


async def test_an_animation_is_taken_with_a_warning(client: Client) -> None:
    moving = picture("GIF", save_all=True, append_images=[Image.new("RGB", (32, 18), (0, 90, 0))])
    status, asset = await post(client, moving)
    assert (status, asset["kind"], [warning["code"] for warning in asset["warnings"]]) == (
        201,
        "image",
        ["first_of_several"],
    )
    assert "MP4" in asset["warnings"][0]["message"]
    assert (await post(client, moving))[1] == asset
    assert (await post(client, PNG))[1]["warnings"] == []


async def test_the_same_content_is_the_same_asset(client: Client) -> None:
    first = await post(client, PNG, "?name=one")
    again = await post(client, PNG, "?name=two")
    otherwise = await post(client, PNG + b"and some bytes that don't matter")
    assert (first[0], again[0], otherwise[0]) == (201, 200, 200)
    assert first[1] == again[1] == otherwise[1]


async def test_a_form_with_a_file(client: Client) -> None:
    head = (
        'Content-Disposition: form-data; name="file"; filename="../../etc/pass\u202ewd.wav"\r\nContent-Type: image/png'
    )
    body = b"--x\r\n" + head.encode() + b"\r\n\r\n" + tone(0.2) + b"\r\n--x--\r\n"
    status, asset = await post(client, body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (status, asset["kind"], asset["name"]) == (201, "audio", "passwd.wav")
    assert asset["duration"] == pytest.approx(0.2, abs=0.01)
    status, asset = await post(client, aiohttp.FormData({"file": io.BytesIO(PNG)}), headers={})
    assert (status, asset["kind"]) == (201, "image")


async def test_forms_that_are_none(client: Client) -> None:
    two = aiohttp.FormData()
    for name in ("file", "other"):
        two.add_field(name, PNG, filename="a.png")
    text = aiohttp.FormData({"text": "x"}, default_to_multipart=True)
    multipart = "multipart/form-data"
    for data, kind, wanted in (
        (two, None, 422),
        (text, None, 422),
        (PNG, multipart, 400),
        (PNG, f"{multipart}; boundary=x", 400),
        (b"--x\r\n\r\n", f"{multipart}; boundary=x", 422),
        (b"", f"{multipart}; boundary=x", 400),
        (b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\n" + PNG, f"{multipart}; boundary=x", 400),
    ):
        status, problem = await post(client, data, headers={"Content-Type": kind} if kind else {})
        assert status == wanted, (status, problem)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 415, "unsupported_media"),
        (b"<svg><image href='file:///etc/passwd'/></svg>", 415, "unsupported_media"),
        (b"#EXTM3U\nfile:///etc/passwd", 415, "unsupported_media"),
        (PNG[:50], 422, "broken_media"),
        (b"\0\0\0\x18ftypisom" + bytes(500), 422, "broken_media"),
        (PNG + bytes(1_000_000), 413, "media_too_large"),
        (PNG + bytes(2_000_000), 413, "media_too_large"),
    ],
)
async def test_refusals(data: bytes, status: int, code: str, client: Client, settings: Settings) -> None:
    answer = await post(client, io.BytesIO(data))
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert answer[1]["detail"]
    assert left(settings) == []


@pytest.mark.parametrize(
    "query", ["?nmae=x", "?name=a&name=b", "?name=" + "x" * 201, "?name=a%00b", "?name=%E2%80%AEb"]
)
async def test_bad_names(query: str, client: Client) -> None:
    status, problem = await post(client, PNG, query)
    assert (status, problem["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "concat:/etc/passwd|x", "file:///etc/passwd", "-i", "CON", "ключ"]
)
async def test_a_name_is_a_label_whatever_it_looks_like(name: str, client: Client, tmp_path: Path) -> None:
    async with client.post(ASSETS, params={"name": name}, data=PNG) as answer:
        assert (answer.status, (await answer.json())["name"]) == (201, name)
    kept = [path.name for path in (tmp_path / "workspace").rglob("*") if path.is_file()]
    assert not any("passwd" in path for path in kept)


async def test_too_much_is_refused_while_it_comes(client: Client, settings: Settings) -> None:
    sent = 0

    async def without_end() -> AsyncIterator[bytes]:
        nonlocal sent
        yield PNG
        while sent < 200_000_000:
            sent += 65_536
            yield bytes(65_536)

    try:
        status, problem = await post(client, without_end())
        assert (status, problem["code"]) == (413, "media_too_large")
    except aiohttp.ClientError:
        pass  # the answer came while the client was still sending
    assert sent < 100_000_000
    await wait_until(lambda: left(settings) == [])


async def test_an_upload_with_wrong_first_bytes_is_refused_at_once(client: Client) -> None:
    more = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"<svg xmlns='http://www.w3.org/2000/svg'>" * 3
        await more.wait()

    try:
        assert (await post(client, slowly()))[0] == 415
    finally:
        more.set()


async def test_a_lost_connection_leaves_nothing(client: Client, settings: Settings) -> None:
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"POST {ASSETS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n".encode() + PNG)
    await writer.drain()
    await wait_until(lambda: left(settings), what="the upload's folder")
    writer.close()
    await wait_until(lambda: left(settings) == [], what="an empty scratch folder")
    assert (await post(client, PNG))[0] == 201


async def test_silence_is_not_waited_for(start: StartClient, settings: Settings) -> None:
    client = await start(settings=evolve(settings, web=evolve(settings.web, request_body_seconds=0.1)))
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"POST {ASSETS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n".encode() + PNG)
    await writer.drain()
    assert b" 408 " in await reader.readline()
    writer.close()
    assert left(settings) == []


async def test_a_packed_body_counts_unpacked(client: Client) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/octet-stream"}
    status, problem = await post(client, gzip.compress(PNG + bytes(50_000_000)), headers=headers)
    assert (status, problem["code"]) == (413, "media_too_large")


async def test_an_owner_may_not_take_all_the_room(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.requests.uploads.MAX_PER_OWNER", 0)
    async with client.post(ASSETS, data=PNG) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (503, "media_busy")
        assert "Retry-After" in answer.headers


async def test_uploads_are_refused_while_the_disk_is_full(start: StartClient, settings: Settings) -> None:
    client = await start(settings=evolve(settings, min_free_scratch_mb=10_000_000))
    status, problem = await post(client, PNG)
    assert (status, problem["code"]) == (503, "media_busy")


async def test_another_ones_asset_does_not_exist(client: Client, deps: WebDeps) -> None:
    ada, bob = [{"Authorization": f"Bearer {(await deps.api_keys.add(name))[1]}"} for name in ("ada", "bob")]
    _, asset = await post(client, PNG, headers=ada)
    place = f"{ASSETS}/{asset['id']}"
    for method, where, headers, status in (
        ("GET", place, bob, 404),
        ("DELETE", place, bob, 404),
        ("GET", f"{ASSETS}/as_{'0' * 32}", ada, 404),
        ("GET", f"{ASSETS}/..%2f..%2fjobs", ada, 404),
        ("GET", place, {}, 401),
        ("GET", place, ada, 200),
    ):
        async with client.request(method, URL(where, encoded=True), headers=headers) as answer:
            assert answer.status == status, (method, where)
    status, theirs = await post(client, PNG, "?name=mine", headers=bob)
    assert (status, theirs["id"], theirs["name"]) == (201, asset["id"], "mine")  # an asset of bob's own
    async with client.delete(place, headers=ada) as answer:
        assert answer.status == 204
    async with client.get(place, headers=bob) as answer:
        assert answer.status == 200


async def test_a_removed_asset_can_be_uploaded_again(client: Client) -> None:
    _, asset = await post(client, PNG)
    async with client.delete(f"{ASSETS}/{asset['id']}") as answer:
        assert answer.status == 204
    async with client.get(f"{ASSETS}/{asset['id']}") as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, "asset_not_found")
    status, again = await post(client, PNG)
    assert (status, again["id"]) == (201, asset["id"])


@frozen
class Remote:
    """A fetcher as the web app sees it."""

    data: bytes = b""
    error: Exception | None = None

    def fetch(self, url: str) -> Any:
        return self._fetched(url)

    @asynccontextmanager
    async def _fetched(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        if self.error is not None:
            raise self.error

        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, len(self.data), 100_000):
                yield self.data[at : at + 100_000]

        yield chunks()


async def test_urls_are_fetched_where_that_is_allowed(start: StartClient, client: Client) -> None:
    body = {"url": "https://media.example.org/a.png", "name": "from afar"}
    async with client.post(ASSETS, json=body) as answer:
        problem = await answer.json(content_type=None)
        assert (answer.status, problem["code"], problem["errors"][0]["pointer"]) == (422, "not_available", "/url")
        assert "EVENTFLOW_ALLOW_REMOTE_MEDIA" in problem["detail"]
    allowed = await start(remote=Remote(PNG))
    async with allowed.post(ASSETS, json=body) as answer:
        assert (answer.status, (await answer.json())["name"]) == (201, "from afar")
    for remote, status, code in (
        (Remote(error=RemoteRefused("the URL is no good")), 422, "remote_refused"),
        (Remote(error=RemoteFailed("the URL's server is slow")), 422, "remote_failed"),
        (Remote(PNG + bytes(5_000_000)), 413, "media_too_large"),
        (Remote(b"<html>"), 415, "unsupported_media"),
        (Remote(b""), 415, "unsupported_media"),
    ):
        async with (await start(remote=remote)).post(ASSETS, json=body) as answer:
            assert (answer.status, (await answer.json(content_type=None))["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/url"), ({"url": 7}, "/url"), ({"url": ""}, "/url"), ({"uri": "x", "url": "y"}, "/uri"), ([], "")],
)
async def test_bodies_that_name_no_url(body: Any, pointer: str, client: Client) -> None:
    async with client.post(ASSETS, json=body) as answer:
        problem = await answer.json(content_type=None)
        assert (answer.status, problem["errors"][0]["pointer"]) == (422, pointer)


async def test_the_command_line(client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my tone.wav"
    file.write_bytes(tone(0.2))
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"<svg>")
    url = ["--url", str(client.make_url("/"))]

    async def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["assets", *map(str, arguments), *url])
        return code, *capsys.readouterr()

    code, out, _ = await run("add", file)
    assert code == 0
    asset = next(line.split()[1] for line in out.splitlines() if line.startswith("id "))
    assert "audio (audio/flac, 0.2 s," in out
    assert "my tone.wav" in out
    code, out, _ = await run("show", asset, "--json")
    assert (code, orjson.loads(out.splitlines()[-1])["id"]) == (0, asset)
    code, _, error = await run("add", bad, "--name", "x y")
    assert code == 1
    assert "SVG" in error
    code, _, error = await run("show", "../jobs?x")
    assert (code, "another owner's" in error) == (1, True)
    assert (await run("add", tmp_path / "none"))[0] == 2
