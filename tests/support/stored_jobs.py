"""Published jobs whose files are in a store, made without workers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from eventflow.domain import commands as cmd
from eventflow.domain.values import FileRef, SceneRendition, Segment, StoreRole, VideoFile, VideoRequest
from eventflow.storage import ObjectStore
from tests.support.runtime import Space

REQUEST = VideoRequest(script="# Any", pipeline="simulation", quality_levels=("360p",))


async def stored_job(
    space: Space,
    stores: Mapping[StoreRole, ObjectStore],
    files: int,
    *,
    role: StoreRole = "delivery",
    kilobytes: int = 1,
    published: bool = True,
) -> str:
    """A job of one scene with so many files, each of another content; the first is the video, too."""
    job_id, made = await space.submit(REQUEST), list[FileRef]()
    for number in range(files):
        data = number.to_bytes(4, "big") * (256 * kilobytes)
        digest = hashlib.sha256(data).hexdigest()
        made.append(
            FileRef(
                store=role,
                key=f"videos/{job_id}/360p/{digest}.m4s",
                sha256=digest,
                size_bytes=len(data),
                media_type="video/iso.segment",
            )
        )
        await stores[role].put_bytes(made[-1].key, data, media_type=made[-1].media_type)
    rendition = SceneRendition(
        quality="360p",
        width=640,
        height=360,
        decoder_config="c",
        init=made[0],
        segments=tuple(Segment(file, 1) for file in made),
    )
    videos = (VideoFile(quality="360p", width=640, height=360, duration_s=1.0, file=made[0]),)
    await space.do(job_id, cmd.StartPlanning(1), cmd.AnnounceScript(run=1, title="t", scene_count=1, plan=made[0]))
    await space.do(
        job_id,
        cmd.PlanScene(run=1, scene=0, title="t", start_cells=0, duration_cells=1, spec=made[0], narration=None),
        cmd.FinishScene(scene=0, run=1, renditions=(rendition,)),
    )
    await space.do(job_id, cmd.FinishSceneUpload(scene=0, run=1, renditions=(rendition,)))
    if published:
        await space.do(
            job_id,
            cmd.FinishVideo(run=1, videos=videos, thumbnails=()),
            cmd.FinishUpload(run=1, videos=videos, thumbnails=()),
            cmd.PublishVideo(1, ()),
        )
    return job_id
