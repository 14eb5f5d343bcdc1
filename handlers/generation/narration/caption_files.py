"""Writes the caption files of a whole video when its scenes are joined."""

from __future__ import annotations

from cattrs import BaseValidationError

from eventflow.domain.state import Job
from eventflow.domain.values import CaptionFile, FileRef
from handlers.generation import model, model_json
from handlers.generation.errors import CorruptArtefact
from handlers.generation.narration.captions import as_srt, as_vtt, video_captions
from handlers.workspace import Workspace


async def caption_files(workspace: Workspace, job_id: str, job: Job) -> tuple[CaptionFile, ...]:
    """Write WebVTT and SRT of the scenes that the video shows; none for a video without narration.

    A skipped scene takes no time. Raises ArtefactMissing, StorageError, CorruptArtefact.
    """
    narrations = [await _narration(workspace, job.scenes[index].spec) for index in job.shown_scenes]
    captions = video_captions(narrations)
    if not captions:
        return ()
    language = next((narration.language for narration in narrations if narration.language != "und"), "und")
    vtt = await workspace.put_text(job_id, as_vtt(captions), ".vtt", "text/vtt")
    srt = await workspace.put_text(job_id, as_srt(captions), ".srt", "application/x-subrip")
    return CaptionFile(language, "vtt", vtt), CaptionFile(language, "srt", srt)


async def _narration(workspace: Workspace, spec: FileRef) -> model.Narration:
    try:
        return model_json.load_narrated(await workspace.get(spec), None).narration
    except (ValueError, BaseValidationError) as error:
        raise CorruptArtefact(f"a scene's narration can't be read: {error}") from error
