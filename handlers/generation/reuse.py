"""Reuses scenes: the digest of a scene's input, and copies of existing scenes with that digest.

Scenes with equal digests are equal. Narrated sound is not part of the digest, since speech of the same text differs
from one time to the next; the text is (decision 34). Existing scenes come from an earlier run of the job, from the job
that it was forked from, or from the scene cache; they are shifted to the place where the job needs them.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from eventflow.domain import events as ev
from eventflow.domain.decide import MAX_WARNINGS
from eventflow.domain.reprocess import reusable_scene
from eventflow.domain.state import Job
from eventflow.domain.values import LADDER, FileRef, ReusableScene, files_of
from eventflow.runtime.context import StepContext
from eventflow.runtime.retry_policy import ArtefactMissing
from eventflow.storage import IntegrityError, ObjectMissing
from handlers.generation import model, model_json
from handlers.generation.encoding.fragmented_mp4 import BoxError, retimed, timescales
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.pipelines.base import Pipeline
from handlers.scene_cache import SceneCache, relocated
from handlers.workspace import Workspace, prefix_of


def scene_digest(pipeline: Pipeline, plan: model.Plan, draft: model.SceneDraft, *, alone: bool = False) -> str:
    """Digest a scene's text, look and voice, and the versions of its pipeline and encoder: SHA-256 in hex.

    What the narrator hears is part of it where the pipeline tells (decision 241). `alone`: the plan's voice speaks all
    lines. Blocking.
    """
    profiles = sorted(profile_of(quality, plan.style.aspect).id for quality in LADDER)
    digest = hashlib.sha256(model_json.dump([pipeline.name, pipeline.version, *profiles]))
    digest.update(model_json.dump(plan.voice) + model_json.dump(plan.style) + model_json.dump(draft))
    if plan.style.music is not None:
        # Music fades in with the first scene and out with the last.
        digest.update(model_json.dump([draft.index == 0, draft.index == len(plan.scenes) - 1]))
    if plan.style.narrated and (heard := getattr(pipeline, "heard", None)) is not None:
        digest.update(model_json.dump(heard(draft, plan.voice)))
    if alone:
        digest.update(b"alone")
    return digest.hexdigest()


def held_scene_digest(source: str, cells: int) -> str:
    """Return the digest of a scene that is held to last `cells`, unlike in a longer video (decision 192)."""
    return hashlib.sha256(f"{source} for {cells} cells".encode()).hexdigest()


#: Codes of warnings that a scene was made otherwise than requested.
_MAKESHIFTS: Final = frozenset({"narrator_fell_back", "block_as_text"})


@frozen
class Reuse:
    """Finds existing scenes for a job."""

    workspace: Workspace
    cache: SceneCache

    async def scene(
        self, context: StepContext, plan: model.Plan, digest: str, *, start_cells: int, least_cells: int, folder: Path
    ) -> ReusableScene | None:
        """Find a scene with the digest `digest`, ready to be committed with the start `start_cells`; None: make it.

        Scenes shorter than `least_cells` don't count. Files of another job are copied, so that each job owns its files
        and can be deleted. A scene with music is reused only at its old start, since music continues across joins.
        Missing or damaged files give None. Raises StorageError where a store is unusable.
        """
        job, index = context.job, len(context.job.scenes)
        found = _long_enough(reusable_scene(job, digest, start_cells), least_cells)
        if found is not None and found.start_cells == start_cells and _is_own(context.job_id, found):
            return found
        ours = found is not None
        if found is None and not _is_requested_again(job, context.event, index):
            found = _long_enough(await self.cache.find(context.owner, digest, job.quality_levels), least_cells)
        if found is None or (plan.style.music and found.start_cells != start_cells):
            return None
        try:
            return await self._moved(context.job_id, found, start_cells, folder, ours=ours)
        except (ArtefactMissing, ObjectMissing, IntegrityError, BoxError) as error:
            context.log.info("reusable scene has lost files", digest=digest, error=str(error))
            return None

    async def _moved(
        self, job_id: str, scene: ReusableScene, start_cells: int, folder: Path, *, ours: bool
    ) -> ReusableScene:
        """Copy a scene's files to the job and shift its segments. `ours`: from an earlier run or the forked job."""
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

        # A finished job's inputs of rendering may be cleared: a scene that needs them is made again then.
        cleared = (scene.spec, scene.narration) if ours else ()
        scales, shift = dict[str, dict[int, int]](), start_cells - scene.start_cells
        for rendition in scene.rendered:
            init = await self.workspace.fetch(rendition.init, folder, delivered)
            tracks = timescales(init.read_bytes())
            scales |= {segment.file.sha256: tracks for segment in rendition.segments}
        return evolve(await relocated(scene, placed), start_cells=start_cells)


def _long_enough(scene: ReusableScene | None, least_cells: int) -> ReusableScene | None:
    return scene if scene is not None and scene.duration_cells >= least_cells else None


def made_as_requested(job: Job, index: int) -> bool:
    """Tell whether the scene was made exactly as requested, so that the cache may keep it (decision 161).

    False if another narrator speaks, or if the job's list of warnings is full: a warning may be missing from it.
    """
    if job.substitute or len(job.warnings) >= MAX_WARNINGS:
        return False
    return not any(warning.scene == index and warning.code in _MAKESHIFTS for warning in job.warnings)


def _is_own(job_id: str, scene: ReusableScene) -> bool:
    """Tell whether all files of the scene have keys of this job."""
    homes = tuple(prefix_of(role, job_id) for role in ("workspace", "delivery", "fallback"))
    return all(file.key.startswith(homes) for file in files_of(scene))


def _retime(path: Path, tracks: dict[int, int], shift_cells: int) -> None:
    path.write_bytes(retimed(path.read_bytes(), tracks, shift_cells))


def _is_requested_again(job: Job, event: object, index: int) -> bool:
    """Tell whether the event requests that the scene be made again: the cache is not asked then (decision 104).

    Also true for a scene that is planned again because its files were lost.
    """
    if index in job.lost:
        return True
    return isinstance(event, ev.ReprocessRequested) and (event.scenes is None or index in event.scenes)
