"""Scenes that exist already, put into a job: their files under its keys, at the place in time where it wants them.

From an earlier try, from the job that this one was forked from, or from the cache.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from eventflow.domain import events as ev
from eventflow.domain.decide import MAX_WARNINGS
from eventflow.domain.reprocess import reusable_scene
from eventflow.domain.state import Job
from eventflow.domain.values import FileRef, ReusableScene, files_of
from eventflow.runtime.context import StepContext
from eventflow.runtime.retry_policy import ArtefactMissing
from eventflow.storage import IntegrityError, ObjectMissing
from handlers.generation import model
from handlers.generation.encoding.mp4_boxes import BoxError
from handlers.generation.encoding.retime import retimed, timescales
from handlers.scene_cache import SceneCache, relocated
from handlers.workspace import Workspace, prefix_of

#: Codes of the warnings that a scene was made otherwise than was asked.
_MAKESHIFTS: Final = frozenset({"narrator_fell_back", "block_as_text"})


@frozen
class Reuse:
    """Looks for a scene that spares a job one."""

    workspace: Workspace
    cache: SceneCache

    async def scene(
        self, reaction: StepContext, plan: model.Plan, source: str, start_cells: int, folder: Path, least_cells: int
    ) -> ReusableScene | None:
        """A scene made from `source`, ready to be committed as one that starts at `start_cells`; None: make it.

        One of less than `least_cells` is as good as none.

        Files of another job are copied: what a job takes is its own, so that the other one can be deleted.

        Music goes on over the joins: a scene with music is reused only where it was. Files that are gone or damaged
        mean that the scene is made. Raises StorageError where a store can't be used.
        """
        job, index = reaction.job, len(reaction.job.scenes)
        found = _long(reusable_scene(job, source, start_cells), least_cells)
        if found is not None and found.start_cells == start_cells and _belongs(reaction.job_id, found):
            return found
        ours = found is not None
        if found is None and not _asked_anew(job, reaction.event, index):
            found = _long(await self.cache.find(reaction.owner, source, job.quality_levels), least_cells)
        if found is None or (plan.style.music and found.start_cells != start_cells):
            return None
        try:
            return await self._moved(reaction.job_id, found, start_cells, folder, ours)
        except (ArtefactMissing, ObjectMissing, IntegrityError, BoxError) as error:
            reaction.log.info("a scene that could be reused isn't there", source=source, error=str(error))
            return None

    async def _moved(
        self, job_id: str, scene: ReusableScene, start_cells: int, folder: Path, ours: bool
    ) -> ReusableScene:
        """`ours`: of an earlier try, or of the job that this one was forked from."""
        delivered = [file for rendition in scene.uploaded for file in rendition.files]

        async def placed(ref: FileRef) -> FileRef:
            try:
                path = await self.workspace.fetch(ref, folder, delivered)
            except ArtefactMissing:
                if ref in cleared:
                    return ref
                raise
            try:
                if shift and ref.sha256 in scales:
                    await asyncio.to_thread(_retime, path, scales[ref.sha256], shift)
                    return await self.workspace.put(job_id, path, ref.media_type)
                if ref.store == "workspace":
                    return await self.workspace.copy(job_id, ref)
                return await self.workspace.put(job_id, path, ref.media_type)
            finally:
                path.unlink(missing_ok=True)

        # What a job that has ended was rendered from is cleared; whoever misses it makes the scene then.
        cleared = (scene.spec, scene.narration) if ours else ()
        scales, shift = dict[str, dict[int, int]](), start_cells - scene.start_cells
        for rendition in scene.rendered:
            init = await self.workspace.fetch(rendition.init, folder, delivered)
            tracks = timescales(init.read_bytes())
            scales |= {segment.file.sha256: tracks for segment in rendition.segments}
        return evolve(await relocated(scene, placed), start_cells=start_cells)


def _long(scene: ReusableScene | None, least_cells: int) -> ReusableScene | None:
    return scene if scene is not None and scene.duration_cells >= least_cells else None


def as_wanted(job: Job, index: int) -> bool:
    """Whether the scene was made without a makeshift. Another job would have that without its warning, and later
    perhaps without need. Of a job with as many warnings as there may be, that can't be told."""
    if len(job.warnings) >= MAX_WARNINGS:
        return False
    return not any(warning.scene == index and warning.code in _MAKESHIFTS for warning in job.warnings)


def _belongs(job_id: str, scene: ReusableScene) -> bool:
    """Whether every file of the scene is under the job's own keys."""
    homes = tuple(prefix_of(role, job_id) for role in ("workspace", "delivery", "fallback"))
    return all(file.key.startswith(homes) for file in files_of(scene))


def _retime(path: Path, tracks: dict[int, int], shift_cells: int) -> None:
    path.write_bytes(retimed(path.read_bytes(), tracks, shift_cells))


def _asked_anew(job: Job, event: object, index: int) -> bool:
    """Whether somebody wants the scene to be made again, rather than to have it.

    One that is planned again because it could not be rendered from what was left of it may have been asked for before.
    """
    if index in job.lost:
        return True
    return isinstance(event, ev.ReprocessRequested) and (event.scenes is None or index in event.scenes)
