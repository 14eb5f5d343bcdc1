"""Connects jobs with pipelines: a request becomes a brief, notes become commands, assets become local files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from eventflow.assets.store import Assets
from eventflow.domain import commands as cmd
from eventflow.domain.commands import Command
from eventflow.domain.values import Step
from eventflow.runtime.context import StepContext
from eventflow.storage import ObjectMissing
from handlers.generation import control, model
from handlers.generation.errors import Stopped, UnknownAsset


def control_of(context: StepContext, scene: int | None) -> control.Control:
    """Make the control for a pipeline's thread; call it in the event loop. `scene` is the index for its notes.

    A note is committed under the step's lease before it returns; if the lease is lost, it raises in the pipeline.
    """
    loop = asyncio.get_running_loop()

    def note(note: control.Note) -> None:
        asyncio.run_coroutine_threadsafe(_commit(context, _command(context, scene, note)), loop).result()

    return control.Control(
        should_stop=context.should_stop, unwanted=context.unwanted, on_progress=context.progress, note=note
    )


async def _commit(context: StepContext, command: Command) -> None:
    """Commit a note. Raises Stopped for an order that the job doesn't want any more: it isn't in the history."""
    job = await context.commit(command)
    if isinstance(command, cmd.RecordRemoteOrder):
        order = job.remote_order(command.scene, command.run)
        if order is None or not order.open or order.order != command.order:
            raise Stopped("the job ended before the order to a service")


def _command(context: StepContext, scene: int | None, note: control.Note) -> Command:
    work = context.work
    run = work.run if work else context.job.run
    match note:
        case control.Warned(code, message):
            return cmd.RecordWarning(
                run=run, step=work.step if work else Step.PLAN, scene=scene, code=code, message=message
            )
        case control.RemoteOrdered(service=service, order=order, request=request, at=at):
            return cmd.RecordRemoteOrder(
                run=run, scene=scene or 0, service=service, order=order, request=request, ordered_at=at
            )
        case control.RemoteEnded(service, outcome, answer):
            return cmd.RecordRemoteEnd(run=run, scene=scene or 0, service=service, outcome=outcome, answer=answer)
        case control.RemoteStarted(service, remote_id):
            return cmd.RecordRemoteWork(run=run, scene=scene or 0, service=service, remote_id=remote_id)
        case control.Charged(service=service, amount=amount, currency=currency, reference=reference):
            return cmd.RecordCost(
                run=run, scene=scene, service=service, amount=amount, currency=currency, reference=reference
            )


async def fetch_assets(assets: Assets, owner: str, ids: Iterable[str], folder: Path) -> model.AssetFiles:
    """Download the owner's assets of these ids into `folder`. Raises UnknownAsset, StorageError."""
    found: dict[str, model.AssetFile] = {}
    for wanted in dict.fromkeys(ids):
        asset = await assets.find(owner, wanted)
        if asset is None:
            raise UnknownAsset(f"asset {wanted} no longer exists: upload it again, by POST /api/v1/assets")
        try:
            path = await assets.fetch(owner, asset, folder)
        except ObjectMissing as error:
            raise UnknownAsset(f"the file of asset {wanted} is missing: upload it again") from error
        found[wanted] = model.AssetFile(
            path=path,
            kind=asset.kind,
            media_type=asset.media_type,
            width=asset.width,
            height=asset.height,
            duration_s=asset.duration_s,
        )
    return found
