"""The ladder of qualities: sizes, H.264 levels, and what a title's own pictures allow."""

from datetime import UTC, datetime

import pytest

from eventflow.assets.store import Asset
from eventflow.domain.values import LADDER, VideoRequest
from handlers.generation.aspects import ASPECTS
from handlers.generation.encoding.profiles import detail_of, level_of, profile_of
from handlers.generation.encoding.quality_cap import cap_of, cap_warning, capped_qualities, lines_filled_by
from handlers.generation.errors import UnknownQuality
from handlers.generation.model import Plan, SceneDraft, Style

WIDE, UPRIGHT, SQUARE = (ASPECTS[name] for name in ("16:9", "9:16", "1:1"))

#: Worked out by hand from table A-1, with 30 frames a second: macroblocks of a frame in the comment.
LEVELS = {
    ("360p", "16:9"): ((640, 360), "3.0"),  # 920
    ("480p", "16:9"): ((854, 480), "3.1"),  # 1620: 48,600 a second are more than level 3 has
    ("720p", "16:9"): ((1280, 720), "3.1"),  # 3600
    ("1080p", "16:9"): ((1920, 1080), "4.0"),  # 8160
    ("1440p", "16:9"): ((2560, 1440), "5.0"),  # 14,400
    ("2160p", "16:9"): ((3840, 2160), "5.1"),  # 32,400
    ("480p", "9:16"): ((480, 854), "3.1"),
    ("1080p", "9:16"): ((1080, 1920), "4.0"),
    ("2160p", "9:16"): ((2160, 3840), "5.1"),
    ("360p", "1:1"): ((360, 360), "2.1"),  # 529
    ("480p", "1:1"): ((480, 480), "3.0"),  # 900
    ("720p", "1:1"): ((720, 720), "3.1"),  # 2025
    ("1080p", "1:1"): ((1080, 1080), "3.2"),  # 4624
    ("1440p", "1:1"): ((1440, 1440), "4.0"),  # 8100
    ("2160p", "1:1"): ((2160, 2160), "5.0"),  # 18,225
}


@pytest.mark.parametrize(("quality", "aspect"), LEVELS)
def test_each_size_has_the_lowest_level_that_allows_it(quality: str, aspect: str) -> None:
    profile = profile_of(quality, aspect)
    assert ((profile.width, profile.height), profile.level) == LEVELS[quality, aspect]


def test_profiles_have_ids_of_their_own_and_share_their_sound() -> None:
    profiles = [profile_of(quality, aspect) for quality in LADDER for aspect in ASPECTS]
    assert len({profile.id for profile in profiles}) == len(LADDER) * len(ASPECTS)
    assert len({profile.audio_bit_rate for profile in profiles}) == 1
    assert all(profile.width % 2 == profile.height % 2 == 0 for profile in profiles)
    with pytest.raises(UnknownQuality, match="2160p"):
        profile_of("4k")
    with pytest.raises(ValueError, match="no level"):
        level_of(7680, 4320)


def test_the_default_is_two_steps_of_the_ladder() -> None:
    assert VideoRequest(script="").quality_levels == ("1080p", "720p")


def test_pages_are_drawn_as_large_as_the_largest_quality_and_never_smaller_than_the_canvas() -> None:
    def detail(*qualities: str, aspect: str = "16:9") -> float:
        return detail_of([profile_of(quality, aspect) for quality in qualities], ASPECTS[aspect])

    assert detail("360p") == detail("720p", "1080p") == 1.0
    assert detail("1440p", "720p") == pytest.approx(4 / 3)
    assert detail("2160p") == detail("2160p", aspect="9:16") == detail("2160p", aspect="1:1") == 2.0


def test_how_many_lines_a_picture_is_good_for() -> None:
    assert lines_filled_by(1280, 720, WIDE) == lines_filled_by(1280, 720, WIDE, cover=False) == 720
    assert lines_filled_by(720, 1280, UPRIGHT) == 720
    assert lines_filled_by(1280, 720, UPRIGHT) == 405, "cut to its middle: 405 x 720"
    assert lines_filled_by(1280, 720, UPRIGHT, cover=False) == 1280, "whole, it is smaller than the frame from there on"
    assert lines_filled_by(4000, 1000, SQUARE) == 1000


def asset(name: str, width: int | None, height: int | None) -> Asset:
    kept = datetime(2026, 1, 1, tzinfo=UTC)
    return Asset(
        id=name,
        kind="image",
        media_type="image/png",
        suffix=".png",
        size_bytes=1,
        sha256="0" * 64,
        name="",
        width=width,
        height=height,
        created_at=kept,
    )


SMALL, LARGE, UNKNOWN = asset("small", 1280, 720), asset("large", 2560, 1440), asset("odd", None, None)
ASSETS = {each.id: each for each in (SMALL, LARGE, UNKNOWN)}


def plan(*filled_by: str | None, lines: int | None = None) -> Plan:
    drafts = tuple(
        SceneDraft(index=n, title="", spec={}, assets=(name,) if name else (), filled_by=name)
        for n, name in enumerate(filled_by)
    )
    return Plan(title="A title", scenes=drafts, style=Style(aspect="16:9"), lines=lines)


def test_a_title_is_capped_where_every_scene_is_nothing_but_a_picture() -> None:
    assert cap_of(plan("small", "small"), ASSETS) == 720
    assert cap_of(plan("small", "large"), ASSETS) == 1440, "the large one is seen better there"
    assert cap_of(plan("small", None), ASSETS) is None, "a drawn page is sharp at any size"
    assert cap_of(plan("small", "odd"), ASSETS) is None
    assert cap_of(plan(None, None, lines=720), ASSETS) == 720, "a service's clips"
    assert cap_of(plan("large", lines=720), ASSETS) == 720


def test_qualities_above_the_cap_are_left_out_and_one_is_always_made() -> None:
    assert capped_qualities(("2160p", "1080p", "360p"), None) == ("2160p", "1080p", "360p")
    assert capped_qualities(("2160p", "1080p", "360p"), 1080) == ("1080p", "360p")
    assert capped_qualities(("1080p",), 719) == ("480p",), "the best that there is"
    assert capped_qualities(("1080p", "720p"), 100) == ("360p",)
    assert "720 lines" in cap_warning(("1080p",), ("720p",), 720)
