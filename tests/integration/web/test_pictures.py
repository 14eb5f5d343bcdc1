"""Pictures and sound of a published job, and their metadata."""

from __future__ import annotations

import hashlib

import jsonschema
import pytest
from attrs import frozen

from eventflow.domain import commands as cmd
from eventflow.domain.values import AudioFile, Companions, FileRef, Picture, StoreRole, Storyboard, Thumbnail, VideoFile
from eventflow.settings import Settings
from eventflow.storage import ObjectStore
from tests.support.driving import Driver, file_ref
from tests.support.web_app import Client, job_id
from web.openapi.spec import build

KINDS = {"jpeg": "image/jpeg", "webp": "image/webp"}
SOUND = b"some sound" * 50


@frozen
class Published:
    url: str
    #: By "index-width-format", or by what a companion is.
    content: dict[str, bytes]


@pytest.fixture
async def job(driver: Driver, stores: dict[StoreRole, ObjectStore]) -> Published:
    content: dict[str, bytes] = {}

    async def put(name: str, media_type: str, data: bytes = b"") -> FileRef:
        content[name] = data or f"{name} as {media_type}".encode()
        file = file_ref(content[name], name, media_type)
        await stores["delivery"].put_bytes(file.key, content[name], media_type=media_type)
        return file

    thumbnails = [
        Thumbnail(index=index, width=width, height=width * 9 // 16, file=await put(f"{index}-{width}-{form}", kind))
        for index in range(2)
        for width in (1280, 320)
        for form, kind in KINDS.items()
    ]
    poster = [Picture(1920, 1080, await put(f"poster-{form}", kind)) for form, kind in KINDS.items()]
    sheets = [Picture(1600, 900, await put(f"sheet{n}-{form}", kind)) for n in range(2) for form, kind in KINDS.items()]
    companions = Companions(
        audio=AudioFile(224.0, await put("sound.m4a", "audio/mp4", SOUND)),
        poster=tuple(poster),
        storyboard=Storyboard(
            interval_s=2.0,
            duration_s=224.0,
            count=112,
            tile_width=160,
            tile_height=90,
            columns=10,
            rows=10,
            sheets=tuple(sheets),
        ),
        preview=Picture(320, 180, await put("preview", "image/webp")),
    )
    video = VideoFile(quality="720p", width=1280, height=720, duration_s=224.0, file=await put("720p.mp4", "video/mp4"))
    made = job_id()
    await driver.create(made)
    await driver.run(
        made,
        cmd.FinishVideo(run=1, videos=(video,), thumbnails=tuple(thumbnails), captions=(), companions=companions),
        cmd.FinishUpload(run=1, videos=(video,), thumbnails=tuple(thumbnails), captions=(), companions=companions),
        cmd.PublishVideo(1, ()),
    )
    return Published(f"/api/v1/videos/jobs/{made}/", content)


@pytest.mark.parametrize(
    ("asked", "sent", "kind"),
    [
        ("thumbnail", "0-1280-jpeg", "image/jpeg"),
        ("thumbnail?width=200", "0-320-jpeg", "image/jpeg"),
        ("thumbnail?width=321&format=webp&index=1", "1-1280-webp", "image/webp"),
        ("thumbnail?width=8192", "0-1280-jpeg", "image/jpeg"),
        ("poster", "poster-jpeg", "image/jpeg"),
        ("poster?format=webp", "poster-webp", "image/webp"),
        ("preview", "preview", "image/webp"),
        ("storyboard/0", "sheet0-jpeg", "image/jpeg"),
        ("storyboard/1?format=webp", "sheet1-webp", "image/webp"),
    ],
)
async def test_pictures_are_sent_with_strong_etags(
    client: Client, job: Published, asked: str, sent: str, kind: str
) -> None:
    data = job.content[sent]
    async with client.get(job.url + asked) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, kind, data)
        assert answer.headers["Cache-Control"] == "private, max-age=300"
        etag = answer.headers["ETag"]
        assert etag == f'"{hashlib.sha256(data).hexdigest()}"'
    for tag in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        async with client.get(job.url + asked, headers={"If-None-Match": tag}) as answer:
            assert (answer.status, answer.headers["ETag"], await answer.read()) == (304, etag, b"")
    async with client.get(job.url + asked, headers={"Range": "bytes=2-4"}) as answer:
        assert (answer.status, await answer.read()) == (206, data[2:5])
    async with client.head(job.url + asked) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(data)))


async def test_the_storyboard_leads_a_player_to_the_sheets(client: Client, job: Published) -> None:
    async with client.get(job.url + "storyboard?format=webp") as answer:
        assert (answer.status, answer.content_type) == (200, "text/vtt")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        etag, base, text = answer.headers["ETag"], answer.url, await answer.text()
    assert etag == f'"{hashlib.sha256(text.encode()).hexdigest()}"'
    cues = text.strip().split("\n\n")[1:]
    assert len(cues) == 112
    link = cues[105].split("\n")[1]
    address, _, part = link.partition("#")
    assert part == "xywh=800,0,160,90"
    async with client.get(base.join(type(base)(address)).relative()) as answer:
        assert await answer.read() == job.content["sheet1-webp"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    async with client.get(job.url + "storyboard?format=webp", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    async with client.get(job.url + "storyboard", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 200, "with JPEGs it is another text"


async def test_the_sound_is_a_quality_of_its_own(client: Client, job: Published) -> None:
    async with client.get(job.url + "download?quality=audio") as answer:
        assert (answer.content_type, await answer.read()) == ("audio/mp4", SOUND)
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "-audio.m4a" in answer.headers["Content-Disposition"]
    async with client.get(job.url + "stream?format=mp4&quality=audio", headers={"Range": "bytes=-4"}) as answer:
        assert (answer.status, await answer.read()) == (206, SOUND[-4:])
        assert "Content-Disposition" not in answer.headers
    async with client.get(job.url + "download?proxy=true") as answer:
        assert answer.content_type == "video/mp4", "never the one that is sent by default"


async def test_metadata_names_everything(client: Client, job: Published, settings: Settings) -> None:
    async with client.get(job.url + "metadata") as answer:
        body = await answer.json()
    document = build(settings, {})
    schema = {**document["components"]["schemas"]["Metadata"], "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)
    assert body["audio"]["duration"] == 224.0
    assert body["audio"]["file_size"] == len(SOUND)
    assert len(body["thumbnail_urls"]) == 2
    assert {(t["index"], t["width"], t["media_type"]) for t in body["thumbnails"]} == {
        (index, width, kind) for index in range(2) for width in (1280, 320) for kind in KINDS.values()
    }
    assert [p["media_type"] for p in body["posters"]] == list(KINDS.values())
    assert body["storyboard"]["tile"] == {"width": 160, "height": 90}
    assert body["storyboard"]["vtt_url"] == job.url + "storyboard"
    async with client.get(body["storyboard"]["sheets"][3]["url"]) as answer:
        assert await answer.read() == job.content["sheet1-webp"]
    async with client.get(body["preview"]["url"]) as answer:
        assert (answer.content_type, await answer.read()) == ("image/webp", job.content["preview"])
    assert len(body["s3_keys"]["companions"]) == len(body["storage"]["companions"]) == 8


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("thumbnail?index=2", "no_thumbnail"),
        ("storyboard/2", "no_sheet"),
        ("storyboard/x", "no_sheet"),
        ("storyboard/-1", "no_sheet"),
        ("storyboard/%C2%B2", "no_sheet"),
        ("download?quality=sound", "unknown_quality"),
    ],
)
async def test_what_there_is_not_is_said(client: Client, job: Published, asked: str, code: str) -> None:
    async with client.get(job.url + asked) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, code)


@pytest.mark.parametrize(
    "asked", ["thumbnail?width=0", "thumbnail?width=9000", "thumbnail?width=x", "poster?format=gif"]
)
async def test_invalid_requests_are_refused(client: Client, job: Published, asked: str) -> None:
    async with client.get(job.url + asked) as answer:
        assert answer.status == 422


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("poster", "no_poster"),
        ("preview", "no_preview"),
        ("storyboard", "no_storyboard"),
        ("storyboard/0", "no_storyboard"),
        ("thumbnail?format=webp", "no_thumbnail"),
        ("download?quality=audio", "unknown_quality"),
    ],
)
async def test_a_video_from_before_there_were_companions_has_none(
    client: Client, driver: Driver, asked: str, code: str
) -> None:
    made = job_id()
    await driver.create(made)
    await driver.publish(made, {"720p": b"video"}, [b"\xff\xd8 a picture"])
    async with client.get(f"/api/v1/videos/jobs/{made}/{asked}") as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, code)
    async with client.get(f"/api/v1/videos/jobs/{made}/thumbnail?width=100") as answer:
        assert await answer.read() == b"\xff\xd8 a picture"
    async with client.get(f"/api/v1/videos/jobs/{made}/metadata") as answer:
        body = await answer.json()
    assert (body["audio"], body["posters"], body["storyboard"], body["preview"]) == (None, [], None, None)
