"""Media of the users' own: pictures, clips and sound that scenes show and videos play.

An asset belongs to its owner, and its id follows from its content: what is uploaded twice is kept once, and a scene
that names an asset always means the same bytes. Kept in the workspace's store, under a key that nobody can guess from
the owner's name.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

from attrs import frozen
from cattrs.preconf.orjson import make_converter

from eventflow.storage import ObjectMissing, ObjectStore

Kind = Literal["image", "clip", "audio"]

_ID = re.compile(r"as_[0-9a-f]{32}")
_converter = make_converter()


@frozen
class Asset:
    """What is known of an asset. Sizes in bytes and pixels, durations in seconds; None where it has none.

    `suffix` is that of its file, such as ".png"; `name` is what the owner calls it (may be empty).
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


def asset_id(sha256: str) -> str:
    """The id of the asset whose content has this digest."""
    return f"as_{sha256[:32]}"


def is_asset_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


@frozen
class Assets:
    """The assets of all owners in one store."""

    store: ObjectStore

    async def put(self, owner: str, asset: Asset, path: Path) -> None:
        """Keep the file, then what is known of it. Raises StorageError."""
        await self.store.put_file(_file(owner, asset), path, media_type=asset.media_type, sha256=asset.sha256)
        await self.store.put_bytes(_note(owner, asset.id), _converter.dumps(asset), media_type="application/json")

    async def find(self, owner: str, asset: str) -> Asset | None:
        """The asset of that id, or None where the owner has none. Raises StorageError."""
        if not is_asset_id(asset):
            return None
        try:
            chunks = [chunk async for chunk in self.store.read(_note(owner, asset))]
        except ObjectMissing:
            return None
        return _converter.loads(b"".join(chunks), Asset)

    async def fetch(self, owner: str, asset: Asset, folder: Path) -> Path:
        """A copy of the asset's file in `folder`, checked. Raises ObjectMissing, IntegrityError, StorageError."""
        path = folder / f"{asset.id}{asset.suffix}"
        await self.store.fetch(_file(owner, asset), path, sha256=asset.sha256)
        return path


def _folder(owner: str) -> str:
    return f"assets/{hashlib.sha256(owner.encode()).hexdigest()[:32]}"


def _file(owner: str, asset: Asset) -> str:
    return f"{_folder(owner)}/{asset.id}{asset.suffix}"


def _note(owner: str, asset: str) -> str:
    return f"{_folder(owner)}/{asset}.json"
