"""Decodes one picture and re-encodes it; a program for the sandbox, where it can import only Pillow.

`python -I picture_worker.py FORMAT MAX_PIXELS MAX_WIDTH MAX_HEIGHT`, from standard input to standard output. Errors go
to standard error in one line; the exit code tells their kind.
"""

from __future__ import annotations

import io
import sys
import warnings
from contextlib import suppress

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

#: Exit codes, which `asset_pictures` reads.
BROKEN, TOO_LARGE, SEVERAL = 3, 4, 5
#: Formats that may have several frames or pages; an MPO's further pictures are views of the same.
_SERIES = ("GIF", "PNG", "WEBP", "TIFF")
_JPEG_QUALITY = 92
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")


def main(format_name: str, max_pixels: int, max_width: int, max_height: int) -> int:
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with Image.open(sys.stdin.buffer, formats=[format_name]) as opened:
            lossless = opened.format in ("PNG", "GIF", "BMP", "TIFF")
            if opened.format in ("JPEG", "MPO"):
                opened.draft(None, (max_width, max_width))  # decodes at half the size if that suffices
            several = opened.format in _SERIES and _has_several(opened)
            opened.load()  # the first frame, checked to its end
            picture = _plain(opened, max_width, max_height)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        return _say(TOO_LARGE, f"the picture has more than {max_pixels / 1e6:g} million pixels")
    except UnidentifiedImageError:
        return _say(BROKEN, f"it begins like a {format_name} picture, but isn't one")
    except Exception as error:  # decoders raise any exception; all mean the same
        return _say(BROKEN, f"the picture can't be decoded: {error}")
    encoded = io.BytesIO()
    if lossless or picture.mode in _ALPHA:
        picture.save(encoded, "PNG", compress_level=4)
    else:
        picture.save(encoded, "JPEG", quality=_JPEG_QUALITY)
    sys.stdout.buffer.write(encoded.getvalue())
    return SEVERAL if several else 0


def _has_several(opened: Image.Image) -> bool:
    """Tell whether other frames or pages follow; a damaged second one isn't counted."""
    with suppress(Exception):  # decoders raise any exception
        return bool(getattr(opened, "is_animated", False))
    return False


def _plain(opened: Image.Image, max_width: int, max_height: int) -> Image.Image:
    """Return the picture upright, in sRGB, scaled down if necessary, as L, RGB or RGBA, without metadata."""
    picture = _upright(opened)
    profile = opened.info.get("icc_profile")
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip instead of scale
        picture = picture.point(lambda value: value / 257).convert("L")
    if picture.mode in ("P", *_ALPHA) or "transparency" in picture.info:
        picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    elif picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    picture = _in_srgb(_fitted(picture, max_width, max_height), profile)
    if picture.mode == "CMYK" or (picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255)):
        picture = picture.convert("RGB")
    plain = Image.new(picture.mode, picture.size)
    plain.paste(picture)
    return plain


def _upright(opened: Image.Image) -> Image.Image:
    """Turn the picture by its EXIF orientation, in place; damaged EXIF data are ignored."""
    with suppress(Exception):  # EXIF parsers raise any exception
        ImageOps.exif_transpose(opened, in_place=True)
    return opened


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert from the colour profile to sRGB, if the profile is readable."""
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK"):
        return picture
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        meant, wanted = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, meant, wanted, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def _fitted(picture: Image.Image, max_width: int, max_height: int) -> Image.Image:
    scale = min(1.0, max_width / picture.width, max_height / picture.height)
    if scale == 1.0:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _say(code: int, text: str) -> int:
    sys.stderr.write(" ".join(text.split())[:300])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *(int(number) for number in sys.argv[2:5])))
