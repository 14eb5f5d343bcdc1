"""The storyboard's WebVTT, and the choice of a thumbnail's size."""

import pytest

from eventflow.domain.values import FileRef, Picture, Storyboard, Thumbnail
from web.routes.pictures import as_vtt, fitting

FILE = FileRef(store="delivery", key="k", sha256="0" * 64, size_bytes=1, media_type="image/webp")
SHEET = Picture(1600, 900, FILE)


def board(count: int, duration_s: float, interval_s: float = 2.0) -> Storyboard:
    return Storyboard(
        interval_s=interval_s,
        duration_s=duration_s,
        count=count,
        tile_width=160,
        tile_height=90,
        columns=10,
        rows=10,
        sheets=(SHEET, SHEET),
    )


def test_each_tile_has_a_cue_with_its_part_of_its_sheet() -> None:
    blocks = as_vtt(board(112, 223.4), "webp").split("\n\n")
    assert blocks[0] == "WEBVTT"
    assert blocks[1] == "00:00:00.000 --> 00:00:02.000\nstoryboard/0?format=webp#xywh=0,0,160,90"
    assert blocks[12] == "00:00:22.000 --> 00:00:24.000\nstoryboard/0?format=webp#xywh=160,90,160,90"
    assert blocks[101] == "00:03:20.000 --> 00:03:22.000\nstoryboard/1?format=webp#xywh=0,0,160,90"
    assert blocks[112] == "00:03:42.000 --> 00:03:43.400\nstoryboard/1?format=webp#xywh=160,90,160,90\n"
    assert len(blocks) == 113


def test_cues_have_hours_and_a_short_video_has_one_cue() -> None:
    assert "\n01:00:00.000 --> 01:00:09.000\n" in as_vtt(board(420, 3780.0, 9.0), "jpeg")
    assert as_vtt(board(1, 0.533), "jpeg") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.533\nstoryboard/0?format=jpeg#xywh=0,0,160,90\n"
    )


@pytest.mark.parametrize(("asked", "sent"), [(1, 320), (320, 320), (321, 640), (640, 640), (1000, 1280), (5000, 1280)])
def test_the_smallest_that_is_large_enough_is_sent(asked: int, sent: int) -> None:
    assert (
        fitting([Thumbnail(index=0, width=width, height=1, file=FILE) for width in (640, 1280, 320)], asked).width
        == sent
    )
