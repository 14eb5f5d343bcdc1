"""Takes received files in as assets of their owner: each content is decoded and stored once."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from eventflow.assets.store import Asset, Assets
from web.deps import WebDeps
from web.requests.uploads import Upload

MAX_NAME_CHARS = 200


def assets_of(deps: WebDeps) -> Assets:
    """The assets of all owners."""
    return Assets(deps.stores["workspace"])


async def store(deps: WebDeps, upload: Upload, *, owner: str, name: str, folder: Path) -> tuple[Asset, bool]:
    """The asset of a file, and whether it is new. Raises MediaRefused, MediaBusy, StorageError."""
    assets = assets_of(deps)
    known = await assets.of_upload(owner, upload.sha256)
    if known is not None:
        return known, False
    prepared = await deps.inspector.prepare(upload.path, folder, deps.settings.asset_limits.max_bytes)
    known = await assets.find(owner, prepared.asset.id)  # another file of the same content
    several = prepared.asset.of_several
    asset = evolve(known, of_several=several) if known else evolve(prepared.asset, name=name)
    await assets.put(owner, asset, prepared.path, upload=upload.sha256)
    return asset, known is None


def label_of(filename: str) -> str:
    """A file name as a label: without folders and unprintable characters."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:MAX_NAME_CHARS]
