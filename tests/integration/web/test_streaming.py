"""HLS over HTTP: playlists, redirects, and the tokens that admit to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import m3u8
import pytest
from attrs import evolve

from eventflow.access.api_keys import ApiKeys
from eventflow.domain import commands as cmd
from eventflow.domain.values import SceneRendition, Segment, StoreRole, VideoRequest
from eventflow.storage import SigningKeys
from tests.support.driving import Driver, file_ref
from tests.support.web_app import SIGNING, Client, Clock, StartClient, job_id
from web.deps import WebDeps

SIZES = {"720p": (1280, 720), "360p": (640, 360)}


def url(job: str, what: str) -> str:
    return f"/api/v1/videos/jobs/{job}/{what}"


async def upload(driver: Driver, job: str, *scenes: int, store: StoreRole = "delivery", run: int = 1) -> None:
    """Scenes of one segment in two qualities, in the store that viewers reach."""
    for scene in scenes:
        made = []
        for quality, (width, height) in SIZES.items():
            contents = (f"{quality} init".encode(), f"{quality} scene {scene}".encode())
            init, segment = [
                file_ref(data, f"{quality}.{end}", "video/mp4", store)
                for data, end in zip(contents, ("mp4", "m4s"), strict=True)
            ]
            for file, data in zip((init, segment), contents, strict=True):
                await driver.stores[store].put_bytes(file.key, data, media_type=file.media_type)
            rendition = SceneRendition(
                quality=quality,
                width=width,
                height=height,
                decoder_config="config",
                init=init,
                segments=(Segment(segment, 10),),
                codecs="avc1.64001f",
            )
            made.append(rendition)
        await driver.run(
            job,
            cmd.FinishScene(scene=scene, run=run, renditions=tuple(made)),
            cmd.FinishSceneUpload(scene=scene, run=run, renditions=tuple(made)),
        )


@pytest.fixture
async def job(driver: Driver) -> str:
    """Three scenes are planned, the first is up."""
    made = job_id()
    await driver.create(made)
    await driver.plan(made, scenes=3)
    await upload(driver, made, 0)
    return made


async def text_of(client: Client, path: str, **headers: str) -> str:
    async with client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "application/vnd.apple.mpegurl"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        return await answer.text()


async def code_of(client: Client, path: str, **headers: str) -> tuple[int, str]:
    async with client.get(path, headers=headers, allow_redirects=False) as answer:
        return answer.status, (await answer.json(content_type=None))["code"] if answer.status >= 400 else ""


async def played(client: Client, job: str, quality: str, query: str = "") -> tuple[list[bytes], bool]:
    """What a player gets: it knows the master playlist's URL alone. (all bytes, whether the playlist has ended)"""
    base = str(client.make_url(url(job, "stream")))
    master = m3u8.loads(await text_of(client, url(job, "stream") + query))
    (line,) = [p.uri for p in master.playlists if f"quality={quality}" in p.uri]
    place = urljoin(base, line)
    playlist = m3u8.loads(await text_of(client, urlsplit(place).path + "?" + urlsplit(place).query))
    found = []
    for uri in (playlist.segment_map[0].uri, *(segment.uri for segment in playlist.segments)):
        target = urlsplit(urljoin(place, uri))
        async with client.get(f"{target.path}?{target.query}", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (307, "no-store")
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            location = answer.headers["Location"]
        async with client.get(location) as answer:
            assert answer.status == 200
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            found.append(await answer.read())
    return found, playlist.is_endlist


def contents(quality: str, scenes: Sequence[int]) -> list[bytes]:
    return [f"{quality} init".encode(), *(f"{quality} scene {scene}".encode() for scene in scenes)]


async def test_a_player_finds_its_way_while_the_video_grows(client: Client, driver: Driver, job: str) -> None:
    for quality in SIZES:
        assert await played(client, job, quality) == (contents(quality, [0]), False)
    await upload(driver, job, 2)
    await upload(driver, job, 1, store="fallback")
    async with client.get(url(job, "status?min_version=14")) as answer:
        assert (await answer.json())["playable"] is True
    for quality in SIZES:
        assert await played(client, job, quality) == (contents(quality, [0, 1, 2]), True)
    assert m3u8.loads(await text_of(client, url(job, "stream?quality=360p&format=hls"))).playlist_type == "vod"


async def test_the_status_says_that_it_can_be_watched(client: Client, driver: Driver) -> None:
    made = job_id()
    await driver.create(made)
    await driver.plan(made, scenes=2)
    await upload(driver, made, 1)
    for path in ("stream", "stream?quality=720p"):
        assert await code_of(client, url(made, path)) == (409, "not_ready")
    async with client.get(url(made, "status")) as answer:
        assert (await answer.json())["playable"] is False
    await upload(driver, made, 0)
    async with client.get(url(made, "status?min_version=9")) as answer:
        body = await answer.json()
        assert (body["playable"], body["scenes"]["uploaded"]) == (True, 2)
    async with client.get(url(made, "events")) as answer:
        events = (await answer.json())["events"]
    assert [event["type"] for event in events].count("StreamStarted") == 1


async def test_a_playlist_that_has_not_changed_is_not_sent_again(
    client: Client, driver: Driver, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = url(job, "stream?quality=720p")
    async with client.get(path) as answer:
        etag = answer.headers["ETag"]
    assert etag.startswith('"')
    reads = 0
    history = driver.log.__class__.history

    async def counted(*args: Any, **options: Any) -> Any:
        nonlocal reads
        reads += 1
        return await history(*args, **options)

    monkeypatch.setattr(driver.log.__class__, "history", counted)
    for _ in range(3):
        async with client.get(path, headers={"If-None-Match": etag}) as answer:
            assert (answer.status, answer.headers["ETag"], await answer.read()) == (304, etag, b"")
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert reads == 0
    version = (await driver.render(job, 2)).version  # an event that changes nothing about it
    async with client.get(url(job, f"status?min_version={version}")):
        pass
    async with client.get(path, headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    await upload(driver, job, 1)
    async with client.get(url(job, f"status?min_version={version + 2}")):
        pass
    async with client.get(path, headers={"If-None-Match": etag}) as answer:
        assert (answer.status, answer.headers["ETag"] != etag) == (200, True)


async def test_captions_of_a_published_video_are_a_rendition(client: Client, driver: Driver, job: str) -> None:
    await upload(driver, job, 1, 2)
    await driver.publish(job, {"720p": b"whole"}, captions={("en-US", "vtt"): b"WEBVTT", ("en-US", "srt"): b"1"})
    version = (await driver.log.load(job)).version
    async with client.get(url(job, f"status?min_version={version}")):
        pass
    master = m3u8.loads(await text_of(client, url(job, "stream")))
    (track,) = master.media
    playlist = m3u8.loads(await text_of(client, url(job, track.uri)))
    async with client.get(url(job, playlist.files[0])) as answer:
        assert await answer.read() == b"WEBVTT"
    assert await code_of(client, url(job, "stream?captions=de")) == (404, "no_captions")
    assert await code_of(client, url(job, "stream?captions=en-US&quality=720p")) == (422, "invalid_request")
    async with client.get(url(job, "metadata")) as answer:
        assert (await answer.json())["streaming_info"]["formats"] == ["hls", "mp4"]
    async with client.get(url(job, "stream?format=mp4")) as answer:
        assert await answer.read() == b"whole"


async def test_what_there_is_not(client: Client, driver: Driver, job: str) -> None:
    assert await code_of(client, url(job, "stream?quality=1080p")) == (404, "unknown_quality")
    assert await code_of(client, url(job, "stream?edition=7")) == (404, "no_edition")
    assert await code_of(client, url(job, "stream?format=dash")) == (422, "invalid_request")
    assert await code_of(client, url(job, f"stream/720p/{'0' * 32}.m4s")) == (404, "no_segment")
    assert await code_of(client, url(job, "stream/720p/scene.json")) == (404, "no_segment")
    playlist = m3u8.loads(await text_of(client, url(job, "stream?quality=720p")))
    other = playlist.files[-1].replace("720p", "360p")
    assert await code_of(client, url(job, other)) == (404, "no_segment")
    assert await code_of(client, url(job_id(), "stream")) == (404, "job_not_found")
    made = job_id()
    await driver.create(made, request=VideoRequest(script="x", enable_streaming=False))
    await driver.plan(made, scenes=1)
    await driver.render(made, 0)
    await driver.run(made, cmd.FinishSceneUpload(scene=0, run=1, renditions=()))
    await driver.publish(made, {"720p": b"whole"})
    assert await code_of(client, url(made, "stream")) == (404, "no_stream")
    async with client.get(url(made, "metadata")) as answer:
        info = (await answer.json())["streaming_info"]
    assert (info["formats"], info["stream_url"]) == (["mp4"], url(made, "stream.mp4"))


@pytest.fixture
async def keys(deps: WebDeps) -> dict[str, str]:
    """Authorization headers of two owners; the service isn't open any more."""
    api_keys: ApiKeys = deps.api_keys
    return {owner: f"Bearer {(await api_keys.add(owner))[1]}" for owner in ("ada", "eve")}


async def token_for(client: Client, job: str, key: str, **body: Any) -> dict[str, Any]:
    async with client.post(url(job, "playback-token"), json=body, headers={"Authorization": key}) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        found: dict[str, Any] = await answer.json()
        return found


@pytest.fixture
async def adas(driver: Driver, keys: dict[str, str]) -> str:
    made = job_id()
    await driver.create(made, owner="ada")
    await driver.plan(made, scenes=1)
    await upload(driver, made, 0)
    await driver.publish(made, {"720p": b"whole"}, [b"picture"], captions={("en", "vtt"): b"WEBVTT"})
    return made


MEDIA = ("stream", "stream?quality=720p", "stream?format=mp4", "captions", "thumbnail", "download")


def with_token(path: str, token: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}token={token}"


async def test_a_token_admits_its_holder_to_one_job(client: Client, adas: str, keys: dict[str, str]) -> None:
    for what in MEDIA:
        assert await code_of(client, url(adas, what)) == (401, "unauthorized")
        assert await code_of(client, url(adas, what), Authorization=keys["eve"]) == (404, "job_not_found")
    made = await token_for(client, adas, keys["ada"])
    assert made["expires_in"] == 86_400
    for what in MEDIA:
        async with client.get(with_token(url(adas, what), made["token"])) as answer:
            assert answer.status == 200, what
    assert await played(client, adas, "720p", f"?token={made['token']}") == (contents("720p", [0]), True)
    async with client.get(made["stream_url"]) as answer:
        assert answer.status == 200


async def test_a_token_is_for_reading_media_and_nothing_else(
    client: Client, driver: Driver, adas: str, keys: dict[str, str]
) -> None:
    token = (await token_for(client, adas, keys["ada"]))["token"]
    for what in ("status", "events", "metadata"):
        assert (await code_of(client, with_token(url(adas, what), token)))[0] == 401
    for what in ("cancel", "playback-token", "stream"):
        async with client.post(with_token(url(adas, what), token)) as answer:
            assert answer.status in (401, 405)
    other = job_id()
    await driver.create(other, owner="ada")
    for job in (other, job_id()):
        assert await code_of(client, with_token(url(job, "stream"), token)) == (401, "unauthorized")
    assert await code_of(client, with_token(url("../x", "stream"), token)) != (200, "")


async def test_wrong_and_expired_tokens(client: Client, adas: str, keys: dict[str, str], clock: Clock) -> None:
    token: str = (await token_for(client, adas, keys["ada"], expires_in=60))["token"]
    expiry, key_id, signature = token.split(".")
    wrong = [
        "x",
        f"{expiry}.{key_id}.{signature[:-1]}",
        f"{int(expiry) + 1}.{key_id}.{signature}",
        f"{expiry}.other.{signature}",
        f"{expiry}.{key_id}.{'A' * 43}",
        "9" * 11 + f".{key_id}.{signature}",
        "\ud800".encode("utf-8", "surrogatepass").hex(),
    ]
    for each in wrong:
        assert await code_of(client, with_token(url(adas, "stream"), each)) == (401, "unauthorized")
    assert (await code_of(client, with_token(url(adas, "stream"), token)))[0] == 200
    clock.at += timedelta(seconds=61)
    for what in MEDIA:
        assert await code_of(client, with_token(url(adas, what), token)) == (403, "expired_token")


@pytest.mark.parametrize("seconds", [59, 86_401, "60", 60.5, None, True])
async def test_the_life_of_a_token_has_limits(client: Client, adas: str, keys: dict[str, str], seconds: object) -> None:
    target, headers = url(adas, "playback-token"), {"Authorization": keys["ada"]}
    async with client.post(target, json={"expires_in": seconds}, headers=headers) as answer:
        assert answer.status == 422
        assert (await answer.json(content_type=None))["errors"][0]["pointer"] == "/expires_in"
    async with client.post(target, json={}, headers={"Authorization": keys["eve"]}) as answer:
        assert answer.status == 404


async def test_keys_are_rotated(start: StartClient, adas: str, keys: dict[str, str]) -> None:
    old = await start()
    token = (await token_for(old, adas, keys["ada"]))["token"]
    both = await start(signing=SigningKeys((*SigningKeys.parse("k2:" + "6b" * 32).keys, *SIGNING.keys)))
    newer = (await token_for(both, adas, keys["ada"]))["token"]
    assert newer.split(".")[1] == "k2"
    assert (await code_of(both, with_token(url(adas, "stream"), token)))[0] == 200
    assert (await code_of(both, with_token(url(adas, "stream"), newer)))[0] == 200
    alone = await start(signing=SigningKeys.parse("k2:" + "6b" * 32))
    assert await code_of(alone, with_token(url(adas, "stream"), token)) == (401, "unauthorized")


async def test_a_token_reaches_no_log(
    start: StartClient, deps: WebDeps, adas: str, keys: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    client = await start(settings=evolve(deps.settings, log_level="DEBUG"))
    token = (await token_for(client, adas, keys["ada"]))["token"]
    for what in (*MEDIA, "status"):
        await code_of(client, with_token(url(adas, what), token))
        await code_of(client, with_token(url(adas, what), token[:-1]))
    signature = token.split(".")[2]
    out, err = capfd.readouterr()
    assert "/stream" in out + err  # requests are logged here, by their paths
    assert signature[:20] not in out + err
    assert json.dumps(token[:20])[1:-1] not in out + err


async def test_old_editions_stay_for_their_viewers(client: Client, driver: Driver, job: str) -> None:
    await upload(driver, job, 1, 2)
    await driver.publish(job, {"720p": b"whole"})
    first = url(job, "stream?quality=720p&edition=1")
    async with client.post(f"/api/v1/admin/jobs/{job}/reprocess", json={"from": "rendering", "scenes": [2]}) as answer:
        version = (await answer.json())["version"]
    async with client.get(url(job, f"status?min_version={version}")) as answer:
        assert (await answer.json())["playable"] is True
    assert m3u8.loads(await text_of(client, first)).is_endlist
    growing = m3u8.loads(await text_of(client, url(job, "stream?quality=720p&edition=2")))
    assert (len(growing.segments), growing.is_endlist) == (2, False)
    assert "edition=1" in await text_of(client, url(job, "stream"))
