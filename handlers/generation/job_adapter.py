"""Between a job and a pipeline: what it plans from, what it tells on the way, the assets it needs at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from eventflow.assets.store import Assets
from eventflow.domain import commands as cmd
from eventflow.domain.commands import Command
from eventflow.domain.values import CaptionMode, Step, VideoRequest
from eventflow.runtime.context import StepContext
from eventflow.storage import ObjectMissing
from handlers.generation import control, model
from handlers.generation.errors import UnknownAsset


def brief_of(request: VideoRequest) -> model.Brief:
    """What a pipeline plans from."""
    return model.Brief(
        script=request.script or None,
        voice=model.Voice(request.voice.name, request.voice.rate),
        qualities=request.quality_levels,
        scenes=request.scenes,
        topic=request.topic,
        merge={field.find: field.replace for field in request.merge},
        style=model.Style(
            theme=request.theme,
            aspect=request.aspect,
            burned=request.captions is CaptionMode.BURNED,
            narrated=request.narrated,
            music=request.music,
            captions=request.captions is not CaptionMode.NONE,
        ),
        insisted=frozenset(request.insisted),
    )


def control_of(reaction: StepContext, scene: int | None) -> control.Control:
    """For a pipeline's thread: its notes are committed under the step's lease before they return.

    To be made in the event loop. A note that can't be committed (the lease is lost) raises in the pipeline.
    """
    loop = asyncio.get_running_loop()

    def note(note: control.Note) -> None:
        asyncio.run_coroutine_threadsafe(_commit(reaction, _command(reaction, scene, note)), loop).result()

    return control.Control(
        should_stop=reaction.should_stop, unwanted=reaction.unwanted, on_progress=reaction.progress, note=note
    )


async def _commit(reaction: StepContext, command: Command) -> None:
    await reaction.commit(command)


def _command(reaction: StepContext, scene: int | None, note: control.Note) -> Command:
    work = reaction.work
    run = work.run if work else reaction.job.run
    match note:
        case control.Warned(code, message):
            return cmd.RecordWarning(
                run=run, step=work.step if work else Step.PLAN, scene=scene, code=code, message=message
            )
        case control.RemoteStarted(service, remote_id):
            return cmd.RecordRemoteWork(run=run, scene=scene or 0, service=service, remote_id=remote_id)
        case control.Charged(service, amount, currency, reference):
            return cmd.RecordCost(
                run=run, scene=scene, service=service, amount=amount, currency=currency, reference=reference
            )


async def fetch_assets(assets: Assets, owner: str, ids: Iterable[str], folder: Path) -> model.AssetFiles:
    """The owner's assets of these ids, in `folder`. Raises UnknownAsset, StorageError."""
    found: dict[str, model.AssetFile] = {}
    for wanted in dict.fromkeys(ids):
        asset = await assets.find(owner, wanted)
        if asset is None:
            raise UnknownAsset(f"there is no asset {wanted} any more: upload it again, by POST /api/v1/assets")
        try:
            path = await assets.fetch(owner, asset, folder)
        except ObjectMissing as error:
            raise UnknownAsset(f"the file of asset {wanted} is gone: upload it again") from error
        found[wanted] = model.AssetFile(path, asset.kind, asset.media_type, asset.width, asset.height, asset.duration_s)
    return found
