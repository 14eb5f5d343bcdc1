"""Re-encodes uploaded pictures as PNG or JPEG in the sandbox: upright, in sRGB, without metadata."""

from __future__ import annotations

import sys
from pathlib import Path

from attrs import frozen
from PIL import Image

from eventflow.assets.errors import BrokenMedia, MediaTooLarge
from handlers.assets import picture_worker, sandbox
from handlers.assets.sniff import Format

#: Most pixels of an upload, checked before it is decoded.
MAX_PIXELS = 50_000_000
#: Larger pictures are scaled down to twice the width of 1080p, which leaves room for zooms.
MAX_WIDTH, MAX_HEIGHT = 3840, 8192
_LIMITS = sandbox.Limits(memory_bytes=2 << 30, cpu_s=60, wall_s=90, file_bytes=200_000_000)
_WORKER = Path(picture_worker.__file__)
_MEDIA_TYPES = {"PNG": ("image/png", ".png"), "JPEG": ("image/jpeg", ".jpg")}


@frozen(kw_only=True)
class Picture:
    """A re-encoded picture. Sizes in pixels. `of_several`: it is the first frame or page of the upload."""

    path: Path
    media_type: str
    suffix: str
    width: int
    height: int
    of_several: bool = False


async def normalise(upload: Path, form: Format, folder: Path) -> Picture:
    """Re-encode the picture in `upload` into `folder`. Raises BrokenMedia, MediaTooLarge."""
    path = folder / "picture"
    bounds = (str(number) for number in (MAX_PIXELS, MAX_WIDTH, MAX_HEIGHT))
    command = (sys.executable, "-I", str(_WORKER), form.decoder, *bounds)
    with upload.open("rb") as source, path.open("wb") as target:
        try:
            ended = await sandbox.run(command, _LIMITS, source=source, target=target)
        except sandbox.SandboxTimeout as error:
            raise MediaTooLarge("the picture takes too long to decode: make it smaller") from error
    if ended.code == picture_worker.TOO_LARGE:
        raise MediaTooLarge(f"{ended.err}: scale it down to a width of {MAX_WIDTH} pixels, more are not shown")
    if ended.code == picture_worker.BROKEN:
        raise BrokenMedia(ended.err)
    of_several = ended.code == picture_worker.SEVERAL
    if ended.code != 0 and not of_several:
        raise BrokenMedia("the picture can't be decoded within the limits of memory and time")
    with Image.open(path, formats=tuple(_MEDIA_TYPES)) as made:
        media_type, suffix = _MEDIA_TYPES[str(made.format)]
        return Picture(
            path=path,
            media_type=media_type,
            suffix=suffix,
            width=made.width,
            height=made.height,
            of_several=of_several,
        )
