"""Makes the extras of joined videos: thumbnails, poster, storyboard, preview and sound file.

Extras are optional: one that can't be made is left out and reported (decision 127).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from eventflow.domain import values
from eventflow.domain.values import AudioFile, Companions, Picture, Storyboard
from eventflow.runtime.context import StepContext
from handlers.generation.audio.aac import extract_sound
from handlers.generation.extras import storyboard
from handlers.generation.extras.stills import Still
from handlers.generation.extras.storyboard import make_preview, make_storyboard
from handlers.generation.extras.thumbnails import make_thumbnails
from handlers.media.errors import MediaError
from handlers.workspace import Workspace

T = TypeVar("T")

M4A = "audio/mp4"


@frozen
class JoinedVideo:
    """A whole video in the local file `path`."""

    video: values.VideoFile
    path: Path


@frozen
class Extras:
    """The extras of a job; `problems` are the missing ones, each with its reason."""

    thumbnails: tuple[values.Thumbnail, ...]
    companions: Companions
    problems: tuple[str, ...]


@frozen(kw_only=True)
class ExtrasMaker:
    """Makes the extras of one job in `folder` and puts them into the workspace. `scene_cells`: lengths of scenes."""

    workspace: Workspace
    context: StepContext
    folder: Path
    scene_cells: Sequence[int]

    async def make(self, joined: Sequence[JoinedVideo]) -> Extras:
        """Make all extras: thumbnails and poster from the best video, the others from the smallest one.

        Raises StorageError, Stopped.
        """
        best = max(joined, key=lambda each: each.video.height)
        least = min(joined, key=lambda each: each.video.height)
        problems = list[str]()

        async def attempt(what: str, make: Callable[[JoinedVideo], Awaitable[T]], source: JoinedVideo) -> T | None:
            try:
                return await make(source)
            except MediaError as error:
                problems.append(f"no {what}: {error}")
                return None

        audio = await attempt("audio file", self._audio, least)
        if not self.context.job.request.thumbnail_generation:
            return Extras((), Companions(audio=audio), tuple(problems))
        thumbnails, poster = await attempt("thumbnails", self._thumbnails, best) or ((), ())
        board = await attempt("storyboard", self._storyboard, least)
        preview = await attempt("preview", self._preview, least)
        return Extras(
            thumbnails, Companions(audio=audio, poster=poster, storyboard=board, preview=preview), tuple(problems)
        )

    async def _audio(self, source: JoinedVideo) -> AudioFile:
        target, duration_s = self.folder / "audio.m4a", source.video.duration_s
        info = await self.context.in_thread(extract_sound, source.path, target, duration_s)
        return AudioFile(info.duration_s, await self.workspace.put(self.context.job_id, target, M4A))

    async def _thumbnails(self, source: JoinedVideo) -> tuple[tuple[values.Thumbnail, ...], tuple[Picture, ...]]:
        made = await self.context.in_thread(make_thumbnails, source.path, self.folder, self.scene_cells)
        kept = await self._keep(each.still for each in made.thumbnails)
        indices = [each.index for each in made.thumbnails]
        thumbnails = [
            values.Thumbnail(index=n, width=p.width, height=p.height, file=p.file)
            for n, p in zip(indices, kept, strict=True)
        ]
        return tuple(thumbnails), await self._keep(made.poster)

    async def _storyboard(self, source: JoinedVideo) -> Storyboard:
        duration_s = source.video.duration_s
        made = await self.context.in_thread(make_storyboard, source.path, self.folder, duration_s)
        return Storyboard(
            interval_s=made.interval_s,
            duration_s=duration_s,
            count=made.count,
            tile_width=made.tile_width,
            tile_height=made.tile_height,
            columns=storyboard.COLUMNS,
            rows=storyboard.ROWS,
            sheets=await self._keep(made.sheets),
        )

    async def _preview(self, source: JoinedVideo) -> Picture:
        made = await self.context.in_thread(make_preview, source.path, self.folder, source.video.duration_s)
        (picture,) = await self._keep([made])
        return picture

    async def _keep(self, stills: Iterable[Still]) -> tuple[Picture, ...]:
        kept = []
        for still in stills:
            file = await self.workspace.put(self.context.job_id, still.path, still.media_type)
            kept.append(Picture(still.width, still.height, file))
        return tuple(kept)
