"""Pictures for the gallery, painted in code so that no files are shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from handlers.generation.model import AssetFile

#: Ids of the gallery's assets, in the form of real ones.
WIDE: Final = "as_" + "1" * 32
UPRIGHT: Final = "as_" + "2" * 32
BRIGHT: Final = "as_" + "3" * 32
CLIP: Final = "as_" + "4" * 32

_SUNSET: Final = ((28, 34, 84), (214, 96, 98), (255, 206, 138))
_MORNING: Final = ((120, 180, 226), (206, 228, 240), (255, 246, 226))


def paint(folder: Path) -> dict[str, AssetFile]:
    """Paint the gallery's assets into `folder`; returns them by id. The clip has no file: a page shows its box."""
    assets = {}
    for asset, (width, height), sky in ((WIDE, (1600, 900), _SUNSET), (UPRIGHT, (900, 1200), _MORNING)):
        path = folder / f"{asset}.jpg"
        _mountains((width, height), sky).save(path, quality=90)
        assets[asset] = AssetFile(path=path, kind="image", media_type="image/jpeg", width=width, height=height)
    path = folder / f"{BRIGHT}.png"
    Image.new("RGB", (1600, 900), "white").save(path)  # the worst ground for bright text
    assets[BRIGHT] = AssetFile(path=path, kind="image", media_type="image/png", width=1600, height=900)
    assets[CLIP] = AssetFile(
        path=folder / "no.mp4", kind="clip", media_type="video/mp4", width=1280, height=720, duration_s=5.0
    )
    return assets


def _mountains(size: tuple[int, int], sky: tuple[tuple[int, int, int], ...]) -> Image.Image:
    width, height = size
    rows = np.linspace(0, 1, height)
    stops = np.linspace(0, 0.75, len(sky))
    colours = np.stack([np.interp(rows, stops, [colour[channel] for colour in sky]) for channel in range(3)], axis=1)
    picture = Image.fromarray(np.repeat(colours[:, None, :], width, axis=1).astype(np.uint8))
    glow = Image.new("L", size, 0)
    radius = height // 11
    x, y = int(width * 0.66), int(height * 0.46)
    ImageDraw.Draw(glow).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    picture.paste(Image.new("RGB", size, (255, 244, 220)), mask=glow.filter(ImageFilter.GaussianBlur(4)))
    draw = ImageDraw.Draw(picture)
    for layer, base in enumerate((0.62, 0.72, 0.83)):
        shade = tuple(int(c * (0.62 - 0.2 * layer)) for c in (sky[0][0] + 40, sky[0][1] + 40, sky[0][2] + 30))
        draw.polygon([(0, height), *_ridge(width, height, base, layer), (width, height)], fill=shade)
    return picture


def _ridge(width: int, height: int, base: float, layer: int) -> list[tuple[int, int]]:
    xs = np.linspace(0, 1, 240)
    waves = np.zeros_like(xs)
    for f, p, a in ((2.3, 0.2 + layer * 0.37, 0.16), (5.1, layer * 0.6, 0.06), (13.0, 0.4, 0.015)):
        waves += np.abs(np.sin((xs * f + p) * np.pi)) * a
    return [(int(x * width), int((base - w + 0.08) * height)) for x, w in zip(xs, waves, strict=True)]
