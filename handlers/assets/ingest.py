"""Turns an uploaded file into an asset: identified by content, decoded in the sandbox, re-encoded."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from attrs import define, field

from eventflow.assets.errors import BrokenMedia, MediaBusy, MediaTooLarge
from eventflow.assets.store import Asset, Prepared
from eventflow.domain.values import Kind, asset_id
from handlers.assets import asset_pictures, audio_video
from handlers.assets.asset_pictures import Picture
from handlers.assets.audio_video import Recording
from handlers.assets.sniff import HEAD_BYTES, Format, format_of, kind_of

#: Files that a process decodes at a time, and that may wait.
AT_A_TIME, WAITING = 2, 32


@define(eq=False, kw_only=True)
class MediaInspector:
    """Prepares uploads, a few at a time; `clock` returns the time in UTC."""

    clock: Callable[[], datetime]
    at_a_time: int = AT_A_TIME
    waiting: int = WAITING
    _here: int = 0
    _turn: asyncio.Semaphore = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._turn = asyncio.Semaphore(self.at_a_time)

    def kind_of(self, head: bytes) -> Kind:
        """Return the kind of a file that begins with `head`. Raises UnsupportedMedia."""
        return kind_of(head)

    async def prepare(self, upload: Path, folder: Path, limits: Mapping[Kind, int]) -> Prepared:
        """Re-encode `upload` into `folder`. `limits` are the most bytes for each kind of upload.

        Raises MediaRefused (one of its subclasses), MediaBusy, OSError.
        """
        if self._here >= self.at_a_time + self.waiting:
            raise MediaBusy("Too many uploads are being processed; send it again in a minute.")
        self._here += 1
        try:
            async with self._turn:
                made = await _normalised(upload, folder, limits)
            return await asyncio.to_thread(_as_asset, made, self.clock())
        finally:
            self._here -= 1


async def _normalised(upload: Path, folder: Path, limits: Mapping[Kind, int]) -> Picture | Recording:
    size, form = await asyncio.to_thread(_look, upload)
    if form.kind == "image":
        check_size("image", size, limits)
        return await asset_pictures.normalise(upload, form, folder)
    facts = await audio_video.examine(upload, form)
    check_size(audio_video.kind_of(facts, form), size, limits)
    return await audio_video.normalise(upload, form, facts, folder)


def _look(upload: Path) -> tuple[int, Format]:
    size = upload.stat().st_size
    if not size:
        raise BrokenMedia("the file is empty")
    with upload.open("rb") as file:
        return size, format_of(file.read(HEAD_BYTES))


def check_size(kind: Kind, size: int, limits: Mapping[Kind, int]) -> None:
    """Check the size of an upload in bytes. Raises MediaTooLarge."""
    if size > limits[kind]:
        what = {"image": "a picture", "clip": "a clip", "audio": "a sound file"}[kind]
        raise MediaTooLarge(f"{what} may have at most {limits[kind] / 1e6:g} MB")


def _as_asset(made: Picture | Recording, at: datetime) -> Prepared:
    with made.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    asset = Asset(
        id=asset_id(digest),
        kind="image" if isinstance(made, Picture) else made.kind,
        media_type=made.media_type,
        suffix=made.suffix,
        size_bytes=made.path.stat().st_size,
        sha256=digest,
        width=made.width,
        height=made.height,
        duration_s=None if isinstance(made, Picture) else made.duration_s,
        of_several=isinstance(made, Picture) and made.of_several,
        created_at=at,
    )
    return Prepared(asset, made.path)
