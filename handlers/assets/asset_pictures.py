"""Pictures of the users' own: decoded apart, upright, without metadata, encoded anew as PNG or JPEG."""

from __future__ import annotations

import sys
from pathlib import Path

from attrs import frozen
from PIL import Image

from eventflow.assets.errors import BrokenMedia, MediaTooLarge
from handlers.assets import picture_worker, sandbox
from handlers.assets.sniff import Format

#: Checked before a picture is decoded.
MAX_PIXELS = 50_000_000
#: What is larger is scaled down: twice the width of 1080p, for zooming in.
MAX_WIDTH, MAX_HEIGHT = 3840, 8192
_LIMITS = sandbox.Limits(memory_bytes=2 << 30, cpu_s=60, wall_s=90, file_bytes=200_000_000)
_WORKER = Path(picture_worker.__file__)
_MEDIA_TYPES = {"PNG": ("image/png", ".png"), "JPEG": ("image/jpeg", ".jpg")}


@frozen
class Picture:
    """One that was encoded here. Sizes in pixels."""

    path: Path
    media_type: str
    suffix: str
    width: int
    height: int


async def normalise(upload: Path, form: Format, folder: Path) -> Picture:
    """The picture in `upload`, encoded anew in `folder`. Raises BrokenMedia, MediaTooLarge."""
    path = folder / "picture"
    bounds = (str(number) for number in (MAX_PIXELS, MAX_WIDTH, MAX_HEIGHT))
    command = (sys.executable, "-I", str(_WORKER), form.decoder, *bounds)
    with upload.open("rb") as source, path.open("wb") as target:
        try:
            ended = await sandbox.run(command, _LIMITS, source=source, target=target)
        except sandbox.TookTooLong as error:
            raise MediaTooLarge("the picture takes too long to decode: make it smaller") from error
    if ended.code == picture_worker.TOO_LARGE:
        raise MediaTooLarge(f"{ended.err}: scale it down to {MAX_WIDTH} pixels in width, it isn't shown larger")
    if ended.code == picture_worker.BROKEN:
        raise BrokenMedia(ended.err)
    if ended.code != 0:
        raise BrokenMedia("the picture can't be decoded within the limits of memory and time")
    with Image.open(path, formats=tuple(_MEDIA_TYPES)) as made:
        media_type, suffix = _MEDIA_TYPES[str(made.format)]
        return Picture(path, media_type, suffix, made.width, made.height)
