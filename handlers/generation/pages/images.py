"""Prepares users' pictures for the pages: decoded, turned upright, scaled down to the canvas, re-encoded.

typst reads only files encoded here: no user's file reaches its decoders.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from attrs import frozen
from PIL import Image, ImageOps

from handlers.generation.errors import UnknownAsset
from handlers.generation.model import AssetFile, AssetFiles

FORMATS: Final = ("PNG", "JPEG", "WEBP")
#: Pictures with more pixels are refused before they are decoded; ingest keeps smaller ones only.
MAX_PIXELS: Final = 60_000_000
#: Pixels of the longer side at canvas size: a quarter more than the canvas.
_MAX_SIDE: Final = 2_400
#: Longer by shorter side.
_MAX_RATIO: Final = 200


@frozen(kw_only=True)
class Raster:
    """A picture or clip on a page; `file` is None for a clip. `width` and `height` in pixels."""

    asset: str
    file: Path | None
    width: int
    height: int

    @property
    def ratio(self) -> float:
        """Width divided by height."""
        return self.width / self.height


def prepare(ids: Iterable[str], assets: AssetFiles, folder: Path, detail: float = 1.0) -> dict[str, Raster]:
    """Write the pictures of `ids` into `folder`, for pages `detail` times the canvas. Raises UnknownAsset."""
    rasters: dict[str, Raster] = {}
    for number, wanted in enumerate(ids):
        asset = assets.get(wanted)
        if asset is None:
            raise UnknownAsset(f"unknown asset {wanted}: upload it first, by POST /api/v1/assets")
        if asset.kind == "clip":
            rasters[wanted] = Raster(asset=wanted, file=None, width=asset.width or 16, height=asset.height or 9)
        elif asset.kind == "image":
            rasters[wanted] = _normalised(wanted, asset, folder / f"picture-{number}", detail)
        else:
            raise UnknownAsset(f"asset {wanted} is of kind {asset.kind}, which has no picture: name an image or a clip")
    return rasters


def open_picture(path: Path, wanted: str, detail: float = 1.0) -> Image.Image:
    """Decode a picture: upright, RGB or RGBA, at most 2,400 x `detail` pixels on a side. Raises UnknownAsset."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS or max(width, height) > _MAX_RATIO * min(width, height):
                raise UnknownAsset(f"asset {wanted} has {width} x {height} pixels: make it smaller")
            most = round(_MAX_SIDE * max(1.0, detail))
            picture.draft("RGB", (most, most))
            upright = ImageOps.exif_transpose(picture)
            plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnknownAsset(f"asset {wanted} has too many pixels: make it smaller") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise UnknownAsset(f"asset {wanted} is not a readable PNG, JPEG or WebP picture: upload another") from error
    plain.thumbnail((most, most), Image.Resampling.LANCZOS)
    return plain


def _normalised(wanted: str, asset: AssetFile, stem: Path, detail: float) -> Raster:
    picture = open_picture(asset.path, wanted, detail)
    if picture.mode == "RGBA":
        path = stem.with_suffix(".png")
        picture.save(path, compress_level=1)
    else:
        path = stem.with_suffix(".jpg")
        picture.save(path, quality=93, subsampling=0)
    return Raster(asset=wanted, file=path, width=picture.width, height=picture.height)
