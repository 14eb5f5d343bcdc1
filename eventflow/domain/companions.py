"""What goes with a whole video, and what it can do without: its sound alone, and pictures of it."""

from __future__ import annotations

from typing import Final

from eventflow.domain.carrier import carrier
from eventflow.domain.values import FileRef

#: The quality that stands for a video's sound alone.
AUDIO: Final = "audio"


@carrier
class Picture:
    """A still or animated picture, by its media type WebP or JPEG; sizes in pixels."""

    width: int
    height: int
    file: FileRef


@carrier
class AudioFile:
    """The sound of the whole video."""

    duration_s: float
    file: FileRef


@carrier
class Storyboard:
    """Small pictures of the whole video, for players that show what is where: `count` tiles of `tile_width` x
    `tile_height` pixels, tile n of the time from n * `interval_s` on.

    They lie row by row in sheets of `columns` x `rows`, the last of which may be lower. Each sheet is there once for
    each format, in order.
    """

    interval_s: float
    duration_s: float
    count: int
    tile_width: int
    tile_height: int
    columns: int
    rows: int
    sheets: tuple[Picture, ...]


@carrier
class Companions:
    """All of them; each may be missing, and of old videos all are."""

    audio: AudioFile | None = None
    poster: tuple[Picture, ...] = ()  #: one for each format
    storyboard: Storyboard | None = None
    preview: Picture | None = None  #: a few seconds of moving pictures

    @property
    def files(self) -> tuple[FileRef, ...]:
        sheets = self.storyboard.sheets if self.storyboard else ()
        alone = [each.file for each in (self.audio, self.preview) if each]
        return (*alone, *(picture.file for picture in (*self.poster, *sheets)))
