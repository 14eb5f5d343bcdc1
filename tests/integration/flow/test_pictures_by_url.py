"""A picture that a script names by URL, from the web app's fetch to the pixels of the video, by way of S3."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from attrs import evolve

from eventflow.domain.state import Phase
from eventflow.storage import ObjectStore
from handlers.assets.url_fetch import RemoteFetcher
from ops.compose import web_app
from tests.support.picture_site import BLUE, HOST, Site, here
from tests.support.s3_servers import environment_for, moto_server
from tests.support.studio import StudioOf
from tests.support.waiting import wait_until
from web.deps import DEPS

#: Least share of a 16:9 page that a picture of that shape takes, and what coding may change of a colour.
SHARE, CODED = 0.3, 25


async def shares(
    store: ObjectStore, key: str, sha256: str, folder: Path, *colours: tuple[int, int, int]
) -> list[float]:
    """The shares of the pixels of the video's middle that have each colour."""
    await store.fetch(key, folder / "video.mp4", sha256=sha256)
    with av.open(str(folder / "video.mp4")) as container:
        frames = list(container.decode(video=0))
    shown = frames[len(frames) // 2]  # the page is there from its beginning to its end, but for their blends
    pixels = shown.reformat(format="rgb24", src_colorspace="itu709", dst_colorspace="itu709").to_ndarray().astype(int)
    return [float((np.abs(pixels - colour).max(axis=2) < CODED).mean()) for colour in colours]


async def test_a_picture_of_an_allowed_host_is_shown_as_it_was_at_the_request(
    studio: StudioOf, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = f"---\nvoice: null\n---\n\n## Red\n\n![A red board]({site.url('/red.png')})\n"
    with moto_server() as server:
        for name, value in environment_for(server).items():
            monkeypatch.setenv(name, value)
        places = {f"EVENTFLOW_{role}_URL": f"s3://{server.bucket}/{role}" for role in ("WORKSPACE", "DELIVERY")}
        async with studio(EVENTFLOW_ASSET_URLS=HOST, **places) as s:
            app = web_app(s.parts)
            fetcher = app[DEPS].picture_urls
            assert isinstance(fetcher, RemoteFetcher)
            app[DEPS] = evolve(app[DEPS], picture_urls=here(fetcher))
            async with TestClient(TestServer(app)) as client:
                body = {"script": script, "quality_levels": ["360p"]}
                async with client.post("/api/v1/videos/generate", json=body) as answer:
                    assert answer.status == 202, await answer.text()
                    job_id = (await answer.json())["job_id"]
            site.files["/red.png"] = BLUE
            await wait_until(lambda: s.space.ended(job_id), 90, what="the job has ended")
            job = await s.space.job(job_id)
            assert job.phase is Phase.COMPLETED, job.failure
            assert job.published is not None
            video = job.published.videos[0].file
            assert video.store == "delivery"
            store = s.parts.stores["delivery"]
            red, blue = await shares(store, video.key, video.sha256, tmp_path, (200, 30, 30), (0, 0, 250))
    assert site.asked == ["/red.png"]
    assert red > SHARE
    assert blue == 0
