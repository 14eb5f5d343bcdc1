"""What a title is made in, by real workers: a video of nothing but small pictures isn't enlarged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
from PIL import Image

from eventflow.assets.store import Asset, Assets
from eventflow.domain import commands as cmd
from eventflow.domain import events as ev
from eventflow.domain.values import ReprocessFrom, VideoRequest, asset_id
from eventflow.storage import StorageUnavailable
from tests.support.runtime import OWNER
from tests.support.studio import Studio, StudioOf, simulation
from tests.support.waiting import wait_until


async def _with_picture(studio: Studio, size: tuple[int, int]) -> str:
    path = studio.folder / "picture.png"
    Image.linear_gradient("L").resize(size).convert("RGB").save(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    asset = Asset(
        id=asset_id(sha256),
        kind="image",
        media_type="image/png",
        suffix=".png",
        size_bytes=path.stat().st_size,
        sha256=sha256,
        width=size[0],
        height=size[1],
    )
    await Assets(studio.parts.stores["workspace"]).put(OWNER, asset, path)
    return asset.id


async def _done(studio: Studio, job_id: str, times: int = 1) -> None:
    async def published() -> bool:
        return (await studio.space.types(job_id)).count("VideoPublished") == times

    await wait_until(published, 60, what=f"publication {times} of {job_id}")


async def test_a_video_of_one_small_picture_is_made_as_large_as_that(studio: StudioOf, tmp_path: Path) -> None:
    async with studio() as s:
        picture = await _with_picture(s, (1280, 720))
        scenes = [{"layout": "image", "blocks": [{"kind": "image", "asset": picture, "alt": "A gradient"}]}]
        request = VideoRequest(
            script="",
            scenes=orjson.dumps({"version": 1, "title": "A picture", "scenes": scenes}).decode(),
            quality_levels=("1080p", "360p"),
            narrated=False,
        )
        job_id = await s.space.submit(request)
        await _done(s, job_id)
        job = await s.space.job(job_id)
        assert job.quality_levels == ("360p",)
        assert job.published is not None
        assert [video.quality for video in job.published.videos] == ["360p"]
        assert [(warning.code, "720 lines" in warning.message) for warning in job.warnings] == [
            ("quality_capped", True)
        ]

        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.RENDERING, None))
        await _done(s, job_id, times=2)
        planned = [e.event for e in await s.space.history(job_id) if isinstance(e.event, ev.ScriptPlanned)]
        assert len(planned) == 1, "rendered again in the qualities that were planned"


async def test_companions_are_delivered_with_the_video(studio: StudioOf, tmp_path: Path) -> None:
    async with studio() as s:
        job_id = await s.space.submit(simulation(quality_levels=("360p",)))
        await _done(s, job_id)
        job = await s.space.job(job_id)
        assert job.published is not None
        made = job.published.companions
        assert made.audio is not None
        assert made.preview is not None
        assert made.storyboard is not None
        assert (made.storyboard.count, len(made.storyboard.sheets)) == (3, 2)
        assert [picture.file.media_type for picture in made.poster] == ["image/jpeg", "image/webp"]
        assert {file.store for file in made.files} == {"delivery"}
        for file in made.files:
            content = b"".join([chunk async for chunk in s.parts.stores["delivery"].read(file.key)])
            assert hashlib.sha256(content).hexdigest() == file.sha256 == Path(file.key).stem

        await s.space.do(job_id, cmd.RequestReprocess(ReprocessFrom.UPLOAD, None))
        await _done(s, job_id, times=2)
        again = (await s.space.job(job_id)).published
    assert again is not None
    assert again.companions == made
    assert job.degraded == ()


async def test_companions_that_no_store_takes_only_degrade_the_job(studio: StudioOf) -> None:
    class Picky:
        """A store that takes neither sound nor one of the storyboard's formats."""

        def __init__(self, inner: object) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

        async def put_file(self, key: str, *args: object, **options: Any) -> object:
            if "/audio/" in key or ("/storyboard/" in key and key.endswith(".webp")):
                raise StorageUnavailable("not today")
            return await self._inner.put_file(key, *args, **options)  # type: ignore[attr-defined]

        async def copy_from(self, *_: object) -> None:
            return None

    def picky(stores: dict) -> dict:  # type: ignore[type-arg]
        return {**stores, "delivery": Picky(stores["delivery"]), "fallback": Picky(stores["fallback"])}

    async with studio(stores=picky) as s:
        job_id = await s.space.submit(simulation(quality_levels=("360p",)))
        await _done(s, job_id)
        job = await s.space.job(job_id)
    assert job.published is not None
    made = job.published.companions
    assert (made.audio, made.storyboard) == (None, None)
    assert made.preview is not None
    assert len(made.poster) == 2
    notes = " ".join(job.degraded)
    assert "audio: " in notes
    assert "storyboard: " in notes
