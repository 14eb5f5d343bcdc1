"""The asset store: pictures, clips and sound that scenes show and videos play.

An asset belongs to its owner, and its id follows from its content: a file that is uploaded twice is stored once, and a
scene that names an asset always means the same bytes. Assets lie in the workspace's store, under keys that can't be
guessed from the owner's name.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from attrs import frozen
from cattrs.preconf.orjson import make_converter

from eventflow.domain.values import Kind, is_asset_id
from eventflow.storage import ObjectMissing, ObjectStore

_converter = make_converter()


@frozen(kw_only=True)
class Asset:
    """The record of an asset. Sizes in bytes and pixels, durations in seconds; None if it has none.

    `suffix` is that of its file, such as ".png"; `name` is the owner's name for it (may be empty), and in no path.
    `of_several`: a picture that is the first frame or page of its upload. `created_at` in UTC.
    """

    id: str
    kind: Kind
    media_type: str
    suffix: str
    size_bytes: int
    sha256: str
    name: str = ""
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    of_several: bool = False
    created_at: datetime | None = None


@frozen
class Prepared:
    """An asset that isn't stored yet, and its file, which was re-encoded from the upload."""

    asset: Asset
    path: Path


@frozen
class Assets:
    """The assets of all owners in one store."""

    store: ObjectStore

    async def put(self, owner: str, asset: Asset, path: Path, *, upload: str | None = None) -> None:
        """Store the file, then its record. Raises StorageError.

        `upload` is the SHA-256 of the uploaded file: `of_upload` finds the asset by it.
        """
        await self.store.put_file(_file(owner, asset), path, media_type=asset.media_type, sha256=asset.sha256)
        await self.store.put_bytes(_note(owner, asset.id), _converter.dumps(asset), media_type="application/json")
        if upload is not None:
            await self.store.put_bytes(_pointer(owner, upload), asset.id.encode(), media_type="text/plain")

    async def find(self, owner: str, asset: str) -> Asset | None:
        """Return the owner's asset with this id, or None. Raises StorageError."""
        if not is_asset_id(asset):
            return None
        note = await self._small(_note(owner, asset))
        return None if note is None else _converter.loads(note, Asset)

    async def of_upload(self, owner: str, upload: str) -> Asset | None:
        """Return the asset that was made from an upload with this SHA-256, if its record and file still exist.

        Raises StorageError.
        """
        pointer = await self._small(_pointer(owner, upload))
        asset = None if pointer is None else await self.find(owner, pointer.decode(errors="replace"))
        if asset is None:
            return None
        try:
            await self.store.head(_file(owner, asset))
        except ObjectMissing:
            return None
        return asset

    async def remove(self, owner: str, asset: Asset) -> None:
        """Delete an asset; videos that are being made with it fail. Raises StorageError."""
        await self.store.delete(_note(owner, asset.id))
        await self.store.delete(_file(owner, asset))

    async def _small(self, key: str) -> bytes | None:
        try:
            return b"".join([chunk async for chunk in self.store.read(key)])
        except ObjectMissing:
            return None

    async def fetch(self, owner: str, asset: Asset, folder: Path) -> Path:
        """Copy the asset's file into `folder`, checked. Raises ObjectMissing, IntegrityError, StorageError."""
        path = folder / f"{asset.id}{asset.suffix}"
        await self.store.fetch(_file(owner, asset), path, sha256=asset.sha256)
        return path


def _folder(owner: str) -> str:
    return f"assets/{hashlib.sha256(owner.encode()).hexdigest()[:32]}"


def _file(owner: str, asset: Asset) -> str:
    return f"{_folder(owner)}/{asset.id}{asset.suffix}"


def _note(owner: str, asset: str) -> str:
    return f"{_folder(owner)}/{asset}.json"


def _pointer(owner: str, upload: str) -> str:
    return f"{_folder(owner)}/uploads/{upload}"
