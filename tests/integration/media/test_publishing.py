"""Finished videos against what services take: each quality and aspect, silent ones, sound alone."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from handlers.generation.aspects import ASPECTS
from handlers.generation.audio.aac import extract_sound
from handlers.generation.control import Control
from handlers.generation.encoding.assemble import assemble
from handlers.generation.encoding.profiles import profile_of
from handlers.generation.model import Brief, NarrateTask, Style
from handlers.generation.narration.timing import hold_scene
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.render_model import RenderTask
from handlers.generation.time_grid import MIN_VIDEO_CELLS
from handlers.media.errors import CorruptMedia
from handlers.metadata.container_facts import BT709, Facts, facts_of
from handlers.metadata.platforms import PLATFORMS, Limits, Range, met_by, missed
from tests.support.film import parts_of

QUALITIES = ("1080p", "720p")
SCRIPT = "## Publishing\n\n- One file for every service that takes videos\n- With pictures that come evenly\n\n"
#: What a video of some seconds isn't let in for. LinkedIn wants 192 kbit/s, which depends on what is shown.
REFUSED: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    ("1080p", "16:9"): {"facebook_reels": ("aspect",), "x": ("size",)},
    ("720p", "16:9"): {"facebook_reels": ("aspect",)},
    ("1080p", "9:16"): {"x": ("size",)},
    ("720p", "9:16"): {},
    ("1080p", "1:1"): {"tiktok": ("aspect",), "facebook_reels": ("aspect",), "x": ("size",)},
    ("720p", "1:1"): {"tiktok": ("aspect",), "facebook_reels": ("size", "aspect")},
}
#: In seconds: nobody takes shorter videos or wants key pictures to be further apart.
SHORTEST_S, FURTHEST_S = 3.0, 5.0


@frozen
class Published:
    files: dict[str, Path]
    facts: dict[str, Facts]


def published(folder: Path, script: str, style: Style) -> Published:
    """One scene, as a worker makes it, in both qualities."""
    pipeline, control = ExplainerPipeline(), Control()
    plan = pipeline.plan(Brief(script=script, qualities=QUALITIES, style=style), control)
    [draft] = plan.scenes
    scene = pipeline.narrate(NarrateTask(draft=draft, voice=plan.voice, style=plan.style), folder, control)
    task = RenderTask(
        scene=hold_scene(scene, MIN_VIDEO_CELLS), start_cells=0, qualities=QUALITIES, threads=1, style=plan.style
    )
    rendered = pipeline.render(task, folder, control)
    files = {quality: folder / f"{quality}.mp4" for quality in QUALITIES}
    for quality, path in files.items():
        assemble(parts_of((rendered,), quality), path)
    return Published(files, {quality: facts_of(path) for quality, path in files.items()})


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Published]:
    """By aspect."""
    return {aspect: published(tmp_path_factory.mktemp("published"), SCRIPT, Style(aspect=aspect)) for aspect in ASPECTS}


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The shortest that there is: one line that nobody speaks."""
    return published(tmp_path_factory.mktemp("silent"), "# Hi", Style(narrated=False))


def refused(facts: Facts) -> dict[str, tuple[str, ...]]:
    found = {limits.name: missed(facts, limits) for limits in PLATFORMS}
    return {name: what for name, what in found.items() if what and what != ("bit rate",)}


@pytest.mark.parametrize(("quality", "aspect"), REFUSED)
def test_services_take_a_video_but_for_its_shape_and_size(
    spoken: dict[str, Published], quality: str, aspect: str
) -> None:
    facts = spoken[aspect].facts[quality]
    assert refused(facts) == REFUSED[quality, aspect]
    assert set(met_by(facts)) >= {limits.name for limits in PLATFORMS} - set(REFUSED[quality, aspect]) - {"linkedin"}


@pytest.mark.parametrize(("quality", "aspect"), REFUSED)
def test_a_file_is_what_editors_and_services_expect(spoken: dict[str, Published], quality: str, aspect: str) -> None:
    facts = spoken[aspect].facts[quality]
    video, sound, pictures = facts.info.video, facts.info.audio, facts.pictures
    assert video is not None
    assert sound is not None
    assert pictures is not None
    assert (facts.index_in_front, facts.edit_lists) == (True, False)
    assert (pictures.rate, video.frame_rate) == (Fraction(30), 30.0)
    assert pictures.closed
    assert pictures.key_s <= FURTHEST_S
    assert (pictures.progressive, pictures.square, pictures.colours) == (True, True, BT709)
    assert pictures.level == float(profile_of(quality, aspect).level)
    assert (sound.codec, sound.profile, sound.sample_rate, sound.channels) == ("aac", "LC", 48_000, 2)
    assert sound.bit_rate is not None
    assert sound.bit_rate == pytest.approx(128_000, rel=1e-4)
    assert sound.bit_rate <= 128_000


def test_a_silent_video_is_long_enough_and_its_sound_has_the_rate_of_others(silent: Published) -> None:
    for quality, facts in silent.facts.items():
        assert facts.info.duration_s >= SHORTEST_S
        assert facts.info.audio is not None
        assert facts.info.audio.bit_rate == pytest.approx(128_000, rel=1e-4)
        assert {name: what for name, what in refused(facts).items() if name != "linkedin"} == REFUSED[quality, "16:9"]


def test_sound_alone_is_the_same_sound_and_no_video(spoken: dict[str, Published], tmp_path: Path) -> None:
    video = spoken["16:9"]
    info = video.facts["720p"].info
    extract_sound(video.files["720p"], tmp_path / "audio.m4a", info.duration_s)
    facts = facts_of(tmp_path / "audio.m4a")
    assert (facts.index_in_front, facts.edit_lists, facts.pictures) == (True, False, None)
    assert facts.info.audio is not None
    assert facts.info.audio.bit_rate == pytest.approx(128_000, rel=1e-4)
    assert met_by(facts) == ()


def limits_of(name: str) -> Limits:
    return next(limits for limits in PLATFORMS if limits.name == name)


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("tiktok", {"duration_s": 2.67}, "length"),
        ("tiktok", {"duration_s": 601.0}, "length"),
        ("facebook_reels", {"duration_s": 91.0}, "length"),
        ("instagram_reels", {"size_bytes": 301_000_000}, "file size"),
        ("linkedin", {"bit_rate": 150_000}, "bit rate"),
        ("youtube", {"container": "matroska"}, "container"),
    ],
)
def test_each_limit_is_looked_at(spoken: dict[str, Published], name: str, change: dict[str, Any], what: str) -> None:
    facts = spoken["9:16"].facts["720p"]
    facts = evolve(facts, info=evolve(facts.info, bit_rate=200_000, size_bytes=100_000))
    assert missed(facts, limits_of(name)) == ()
    assert missed(evolve(facts, info=evolve(facts.info, **change)), limits_of(name)) == (what,)


def test_what_a_service_says_of_pictures_and_sound_is_looked_at(spoken: dict[str, Published]) -> None:
    facts = spoken["9:16"].facts["1080p"]
    pictures, audio = facts.pictures, facts.info.audio
    assert pictures is not None
    assert audio is not None

    def of(**changes: Any) -> Facts:
        return evolve(facts, pictures=evolve(pictures, **changes))

    def with_sound(bit_rate: int) -> Facts:
        return evolve(facts, info=evolve(facts.info, audio=evolve(audio, bit_rate=bit_rate)))

    assert missed(of(rate=None), limits_of("instagram_reels")) == ("rate",)
    assert missed(of(rate=Fraction(3)), limits_of("tiktok")) == ("rate",)
    assert missed(of(key_s=5.87), limits_of("facebook_reels")) == ("key pictures",)
    assert missed(of(closed=False), limits_of("vimeo")) == ("key pictures",)
    assert missed(of(square=False), limits_of("x_premium")) == ("scan",)
    assert missed(with_sound(98_000), limits_of("facebook_reels")) == ("sound",)
    assert missed(with_sound(192_000), limits_of("instagram_reels")) == ("sound",)
    assert missed(evolve(facts, edit_lists=True), limits_of("instagram_reels")) == ("container",)
    assert missed(evolve(facts, index_in_front=False), limits_of("youtube")) == ("container",)


def test_a_range_has_both_ends() -> None:
    assert [Range(3, 5).holds(value) for value in (2.9, 3, 5, 5.1, None)] == [False, True, True, False, False]


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x08moov", b"no media at all, but some bytes"])
def test_what_is_no_media_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(CorruptMedia):
        facts_of(tmp_path / "x.mp4")
