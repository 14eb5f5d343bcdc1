"""Clips and pictures for other screens become sRGB, and say so: HDR, BT.2020, Display P3, full range."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eventflow.assets.store import Prepared
from eventflow.domain.values import Kind
from handlers.assets.ingest import MediaInspector
from handlers.media.decode import FrameReader, open_clip
from tests.support.colour_patches import HEIGHT, PATCHES, WIDTH, clip_of_patches, p3_pixels, p3_profile

LIMITS: dict[Kind, int] = {"image": 20_000_000, "clip": 20_000_000, "audio": 20_000_000}
#: Of 255: what the compression of highlights and the coding change.
NEAR = 12


async def prepared(upload: Path, folder: Path) -> Prepared:
    return await MediaInspector(clock=lambda: datetime(2026, 1, 2, tzinfo=UTC)).prepare(upload, folder, LIMITS)


def middles(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[list[int]]:
    step = WIDTH // len(PATCHES)
    return [pixels[HEIGHT // 2, step * at + step // 2].tolist() for at in range(len(PATCHES))]


@pytest.mark.parametrize(
    ("primaries", "transfer", "matrix", "full"),
    [
        pytest.param(9, 18, 9, False, id="HLG"),
        pytest.param(9, 16, 9, False, id="PQ"),
        pytest.param(9, 16, 9, True, id="PQ, full range"),
        pytest.param(9, 14, 9, False, id="BT.2020"),
        pytest.param(12, 13, 1, False, id="Display P3"),
        pytest.param(12, 18, 9, False, id="HLG in P3"),
        pytest.param(1, 1, 1, True, id="BT.709, full range"),
        pytest.param(1, 1, 1, False, id="BT.709"),
    ],
)
async def test_clips_look_as_they_are_meant(
    primaries: int, transfer: int, matrix: int, full: bool, tmp_path: Path
) -> None:
    upload = clip_of_patches(
        tmp_path / "it's; a: [clip],.mp4", primaries=primaries, transfer=transfer, matrix=matrix, full=full
    )
    made = await prepared(upload, tmp_path)
    with open_clip(made.path) as container:
        frame, stored = FrameReader(container).frame_at(0.0), container.streams.video[0].codec_context
        assert (stored.color_primaries, stored.color_trc, stored.colorspace, stored.color_range) == (1, 1, 1, 1)
        shown = middles(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    assert np.abs(np.array(shown) - PATCHES).max() <= NEAR, shown


async def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a: b; [c], 'd'\\e"
    folder.mkdir()
    upload = clip_of_patches(tmp_path / "a.mp4", primaries=9, transfer=18, matrix=9)
    assert (await prepared(upload, folder)).asset.kind == "clip"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_pictures_with_a_wide_profile(kind: str, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    Image.fromarray(p3_pixels()).save(upload, kind, icc_profile=p3_profile(), quality=100)
    made = await prepared(upload, tmp_path)
    with Image.open(io.BytesIO(made.path.read_bytes())) as picture:
        assert "icc_profile" not in picture.info
        shown = middles(np.asarray(picture.convert("RGB")))
    assert np.abs(np.array(shown) - PATCHES).max() <= 4, shown
