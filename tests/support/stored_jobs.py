"""Published jobs whose files are in a store, made without workers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from eventflow.domain import commands as cmd
from eventflow.domain.values import FileRef, SceneRendition, Segment, StoreRole, VideoFile, VideoRequest
from eventflow.storage import ObjectStore
from tests.support.runtime import Space

REQUEST = VideoRequest("# Any", pipeline="simulation", quality_levels=("360p",))


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
        made.append(FileRef(role, f"videos/{job_id}/360p/{digest}.m4s", digest, len(data), "video/iso.segment"))
        await stores[role].put_bytes(made[-1].key, data, media_type=made[-1].media_type)
    rendition = SceneRendition("360p", 640, 360, "c", made[0], tuple(Segment(file, 1) for file in made))
    videos = (VideoFile("360p", 640, 360, 1.0, made[0]),)
    await space.do(job_id, cmd.StartPlanning(1), cmd.AnnounceScript(1, "t", 1, made[0]))
    await space.do(job_id, cmd.PlanScene(1, 0, "t", 0, 1, made[0], None), cmd.FinishScene(0, 1, (rendition,)))
    await space.do(job_id, cmd.FinishSceneUpload(0, 1, (rendition,)))
    if published:
        await space.do(job_id, cmd.FinishVideo(1, videos, ()), cmd.FinishUpload(1, videos, ()), cmd.PublishVideo(1, ()))
    return job_id
