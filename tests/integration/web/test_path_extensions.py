"""Paths that end in the extension of their format, for players that need it; paths without it stay."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import urljoin, urlsplit

import m3u8
import pytest
from attrs import evolve

from eventflow.domain.values import AudioFile, Companions
from tests.integration.web.test_streaming import (
    code_of,
    job,  # noqa: F401 - a fixture
    text_of,
    upload,
    url,
)
from tests.support.driving import Driver, file_ref
from tests.support.web_app import Client, job_id

#: Addresses of the same, without and with an extension.
SAME = {
    "stream": "stream.m3u8",
    "stream?quality=720p&edition=1": "stream.m3u8?quality=720p&edition=1",
    "stream?captions=en-US": "stream.m3u8?captions=en-US",
    "stream?format=mp4": "stream.mp4",
    "stream?format=mp4&quality=720p": "stream.mp4?quality=720p",
    "stream?format=mp4&quality=audio": "stream.m4a",
    "captions?format=vtt&language=en-us": "captions.vtt?language=en-us",
    "captions?format=srt&proxy=true": "captions.srt?proxy=true",
    "download?quality=720p": "download.mp4?quality=720p",
    "download?proxy=true": "download.mp4?proxy=true",
    "download?quality=audio": "download.m4a",
    "download?quality=audio&proxy=true": "download.m4a?quality=audio&proxy=true",
}
TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".m4a": "audio/mp4",
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
}


@pytest.fixture
async def published(driver: Driver, job: str) -> str:  # noqa: F811 - the fixture
    await upload(driver, job, 1, 2)
    sound = file_ref(b"sound", "audio.m4a", "audio/mp4")
    await driver.stores["delivery"].put_bytes(sound.key, b"sound", media_type=sound.media_type)
    await driver.publish(
        job,
        {"1080p": b"high", "720p": b"low"},
        captions={("en-US", "vtt"): b"WEBVTT", ("en-US", "srt"): b"1"},
        companions=evolve(Companions(), audio=AudioFile(12.8, sound)),
    )
    return job


async def found(client: Client, address: str) -> tuple[bytes, dict[str, str | None]]:
    """What is at the end of the redirects."""
    async with client.get(address) as answer:
        assert answer.status == 200, (address, await answer.text())
        names = ("Content-Type", "Content-Disposition", "Cache-Control", "Access-Control-Allow-Origin")
        return await answer.read(), {name: answer.headers.get(name) for name in names}


@pytest.mark.parametrize(("old", "new"), SAME.items())
async def test_a_path_with_extension_is_the_same_resource(client: Client, published: str, old: str, new: str) -> None:
    there = await found(client, url(published, new))
    assert await found(client, url(published, old)) == there
    assert (there[1]["Content-Type"] or "").partition(";")[0] == TYPES[PurePosixPath(new.partition("?")[0]).suffix]


async def test_the_stream_url_takes_a_format_in_its_query(client: Client, published: str) -> None:
    assert await found(client, url(published, "stream.m3u8?format=mp4")) == await found(
        client, url(published, "stream.mp4")
    )


@pytest.mark.parametrize(
    "what",
    [
        *("download.mp4?quality=audio", "download.m4a?quality=720p", "stream.m4a?quality=720p"),
        *("captions.vtt?format=srt", "stream.mp4?format=hls"),
    ],
)
async def test_a_query_that_contradicts_the_extension_is_refused(client: Client, published: str, what: str) -> None:
    assert await code_of(client, url(published, what)) == (422, "invalid_request")


@pytest.mark.parametrize("address", ["stream.m3u8", "stream"])
async def test_playlist_lines_have_the_extension_of_their_content(client: Client, published: str, address: str) -> None:
    """libavformat takes nothing else (`allowed_segment_extensions`), nor what contradicts the content."""
    place = str(client.make_url(url(published, address)))
    master = m3u8.loads(await text_of(client, url(published, address)))
    suffixes = set[str]()
    for line in [*master.playlists, *master.media]:
        target = urlsplit(urljoin(place, line.uri))
        suffixes.add(PurePosixPath(target.path).suffix)
        playlist = m3u8.loads(await text_of(client, f"{target.path}?{target.query}"))
        inits = [each.uri for each in playlist.segment_map]
        for uri in [*inits, *playlist.files]:
            file = urlsplit(urljoin(target.geturl(), uri))
            async with client.get(f"{file.path}?{file.query}") as answer:
                suffix = PurePosixPath(file.path).suffix
                assert suffix == PurePosixPath(answer.url.path).suffix  # where the redirect leads
                assert answer.content_type in (TYPES[suffix], TYPES[".mp4"])
                suffixes.add(suffix)
    assert suffixes == {".m3u8", ".mp4", ".m4s", ".vtt"}


async def test_answers_link_to_paths_with_an_extension(client: Client, published: str) -> None:
    stream = url(published, "stream.m3u8")
    async with client.post("/api/v1/videos/generate", json={"script": "# Hello"}) as answer:
        accepted = await answer.json()
    assert accepted["stream_url"] == url(accepted["job_id"], "stream.m3u8")
    async with client.get(url(published, "metadata")) as answer:
        assert (await answer.json())["streaming_info"]["stream_url"] == stream
    async with client.post(url(published, "playback-token"), json={}) as answer:
        made = await answer.json()
    assert made["stream_url"] == f"{stream}?token={made['token']}"


async def test_early_requests_are_told_when_to_retry(client: Client, driver: Driver) -> None:
    made = job_id()
    await driver.create(made)
    for what in ("stream.m3u8", "stream.m3u8?quality=720p", "stream.mp4", "captions.vtt", "download.mp4", "poster"):
        async with client.get(url(made, what)) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (409, "2"), what
