"""From a script to a film: spoken, drawn, encoded."""

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from handlers.generation import time_grid
from handlers.generation.aspects import ASPECTS
from handlers.generation.audio import pcm
from handlers.generation.control import Control
from handlers.generation.encoding.assemble import assemble
from handlers.generation.errors import PipelineUnavailable, ScriptError, UnknownPipeline, UnknownQuality, UnknownVoice
from handlers.generation.model import AssetFile, Brief, NarrateTask, Style, Voice
from handlers.generation.model_json import dump_narrated, load_narrated
from handlers.generation.narration import speech
from handlers.generation.narration.narrators import espeak
from handlers.generation.pages import fonts
from handlers.generation.pages.draw import ScenePages, draw_pages
from handlers.generation.pages.fonts import font_directories
from handlers.generation.pages.page_data import frame_of
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.pipelines.registry import get_pipeline, pipeline_names
from handlers.generation.pipelines.simulation import SimulationPipeline
from handlers.generation.render_model import RenderTask
from handlers.generation.script.content import Code, Line, Scene, Span
from handlers.generation.script.script import parse_script
from tests.integration.media.meter import measured
from tests.support.film import parts_of

SAMPLE = Path(__file__).parents[3] / "ops" / "cli" / "samples" / "event-streams.md"


def picture(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def same(one: bytes, other: bytes) -> bool:
    return bool(np.array_equal(picture(one), picture(other)))


def tone(folder: Path) -> Path:
    path = folder / "music.wav"
    pcm.write_wav((np.sin(np.arange(4 * time_grid.SAMPLE_RATE) / 30) * 9000).astype(np.int16), path)
    return path


def scene_of(text: str) -> Scene:
    return parse_script(text).scenes[0]


@pytest.mark.parametrize("music", [False, True], ids=["voice", "voice-and-music"])
def test_a_script_becomes_a_film(tmp_path: Path, music: bool) -> None:
    pipeline = ExplainerPipeline()
    pipeline.check()
    style, assets = Style(), dict[str, AssetFile]()
    if music:
        style, assets = (
            Style(music="as_x"),
            {"as_x": AssetFile(path=tone(tmp_path), kind="audio", media_type="audio/wav")},
        )
    script = "# Hi, this is a film\n\n## The first page\n\n- It has a line to say\n- And then another one"
    brief = Brief(script=script, qualities=("360p",), style=style)
    start, rendered = 0, []
    drafts = pipeline.plan(brief, Control()).scenes
    for draft in drafts:
        scratch = tmp_path / str(draft.index)
        scratch.mkdir()
        told = pipeline.narrate(NarrateTask(draft=draft, voice=brief.voice), scratch, Control())
        told = load_narrated(dump_narrated(told), told.audio)
        task = RenderTask(
            scene=told,
            start_cells=start,
            qualities=brief.qualities,
            threads=1,
            style=style,
            assets=assets,
            scene_count=len(drafts),
        )
        rendered.append(pipeline.render(task, scratch, Control()))
        start += rendered[-1].duration_cells
    info = assemble(parts_of(tuple(rendered), "360p"), tmp_path / "film.mp4")
    assert info.duration_s == pytest.approx(time_grid.seconds_of(start), abs=1 / 30)
    loudness, peak = measured(tmp_path / "film.mp4")
    assert loudness == pytest.approx(-16, abs=1)
    assert peak <= -1


def test_the_sample_is_a_good_minute() -> None:
    script = parse_script(SAMPLE.read_text())
    length = sum(speech.speak_lines(scene.lines, Voice()).narration.duration_s for scene in script.scenes)
    assert 60 <= length <= 90
    kinds = {block.kind for scene in script.scenes for block in scene.blocks}
    assert kinds >= {"bullets", "code", "math", "table", "quote"}


def test_each_step_reveals_more_and_moves_nothing() -> None:
    blank, *steps = map(picture, draw_pages(scene_of("## Head\n\n- one\n- two\n- three")))
    ground = blank[0, 0]
    assert (blank == ground).all()
    inked = [np.abs(step - ground).max(axis=2) > 60 for step in steps]
    assert [int(ink.sum()) for ink in inked] == sorted(int(ink.sum()) for ink in inked)
    for before, after in pairwise(inked):
        assert (before & ~after).sum() < 0.02 * before.sum()


@pytest.mark.parametrize("aspect", ASPECTS)
def test_nothing_touches_the_edge_of_a_page(aspect: str) -> None:
    """Stress: everything is scaled or split, nothing is cut off. The backdrop is in the top right corner."""
    frame, ppi = frame_of(aspect), 36.0
    text = f"- {'word ' * 120}\n- {'x' * 500}\n\n| a | b | c | d | e | f |\n|-|-|-|-|-|-|\n"
    text += f"| {'longword' * 9} | | | | | |\n\n```\n" + "y" * 400 + "\n```\n\n$$" + "a + b = " * 60 + "$$\n"
    script = parse_script(f"## {'Heading ' * 30}\n\n{text}\n\n", aspect=aspect)
    left, right, top, bottom = (
        int(length * ppi / 72)
        for length in (frame.left - 4, frame.width - frame.right + 4, frame.top, frame.bottom + 8)
    )
    below = int((frame.height if aspect == "9:16" else frame.height - 90) * ppi / 72)
    for scene in script.scenes:
        page = ScenePages(evolve(scene, aspect=aspect), detail=ppi / 72).draw(scene.steps - 1).astype(int)
        ink = np.abs(page - page[page.shape[0] // 2, 2]).max(axis=2) > 60
        assert not ink[:below, :left].any()
        assert not ink[page.shape[0] // 2 : below, right:].any()
        assert not ink[bottom:below].any()
        assert ink[top:bottom, left:right].any()


@pytest.mark.parametrize("text", ['#read("/etc/passwd")', "#panic()", "$#panic()$", "*a* _b_ `#c`", '\\"); #panic("'])
def test_typst_syntax_stays_text(text: str) -> None:
    draw_pages(scene_of(f"## {text}\n\n- {text}\n\n```typst\n{text}\n```\n\n$$\n{text}\n$$\n\n> {text}"))
    written, plain = draw_pages(scene_of("`#read(1)`"))[-1], draw_pages(scene_of("`xread(1)`"))[-1]
    assert not same(written, plain)


def test_a_language_that_is_not_one_is_ignored() -> None:
    scene = Scene(0, 1, "d", "content", (Span("h"),), (Code('../../etc"#x', "text"),), (Line(0, "h"),))
    assert len(draw_pages(scene)) == 2


@given(st.text(max_size=80))
@settings(max_examples=25, deadline=None)
def test_any_text_can_be_drawn(text: str) -> None:
    try:
        script = parse_script(text + "\n\n$" + text + "$\n\n```\n" + text)
    except ScriptError:
        return
    for scene in script.scenes:
        assert draw_pages(scene)


def test_lines_begin_at_their_cues() -> None:
    lines = (Line(0, "One."), Line(1, "Two things."), Line(2, ""), Line(3, "Three."))
    spoken = speech.speak_lines(lines, Voice())
    loud = np.abs(spoken.samples.astype(int)) > 300
    assert len(spoken.samples) == spoken.narration.duration_cells * time_grid.SAMPLES_PER_CELL
    assert not loud[: 2 * time_grid.AAC_FRAME_SAMPLES].any()
    assert not loud[-2 * time_grid.AAC_FRAME_SAMPLES :].any()
    assert [cue.step for cue in spoken.narration.cues] == [0, 1, 2, 3]
    for line in spoken.narration.lines:
        start, end = round(line.start_s * time_grid.SAMPLE_RATE), round(line.end_s * time_grid.SAMPLE_RATE)
        assert not loud[start - 4000 : start].any()
        assert loud[start : start + 4000].any()
        assert not loud[end : end + 4000].any()
    heard = [[line.text[w.position : w.position + w.length] for w in line.words] for line in spoken.narration.lines]
    assert heard == [["One"], ["Two", "things"], ["Three"]]


def test_rate_changes_the_length() -> None:
    lines = (Line(0, "This is a somewhat longer line that takes its time."),)
    slow, fast = (speech.speak_lines(lines, Voice(rate=rate)).narration.lines[0].end_s for rate in (0.5, 2.0))
    assert slow > 2 * fast


@pytest.mark.parametrize("name", ["xx", "", "en-us\0", "../en", "EN-US"])
def test_unknown_voices_are_named(name: str) -> None:
    with pytest.raises(UnknownVoice, match="en-us") as caught:
        speech.check_voice(Voice(name))
    assert caught.value.name == name


@pytest.mark.parametrize("name", ["en-us", "en-gb", "de", "fr-fr", "es"])
def test_voices_speak(name: str) -> None:
    assert len(espeak.speak("Hallo 123", name, 1.0).samples) > 5000


@pytest.mark.parametrize("rate", [0.49, 2.01, float("nan")])
def test_bad_rates(rate: float) -> None:
    with pytest.raises(speech.BadRate):
        speech.check_voice(Voice(rate=rate))


def test_pipelines_are_found_by_name() -> None:
    assert {"explainer", "simulation"} <= set(pipeline_names())
    assert isinstance(get_pipeline("explainer"), ExplainerPipeline)
    assert isinstance(get_pipeline("simulation"), SimulationPipeline)
    with pytest.raises(UnknownPipeline, match="explainer, remote, simulation"):
        get_pipeline("sora")
    for name in ("explainer", "simulation"):
        get_pipeline(name).check()


def test_plans_refuse_what_they_cannot_make() -> None:
    for pipeline in (ExplainerPipeline(), SimulationPipeline()):
        with pytest.raises(UnknownQuality, match="720p"):
            pipeline.plan(Brief(script="x", qualities=("8k",)), Control())
    with pytest.raises(ScriptError, match="needs a script"):
        ExplainerPipeline().plan(Brief(), Control())
    with pytest.raises(UnknownVoice):
        ExplainerPipeline().plan(Brief(script="x", voice=Voice("klingon")), Control())


def test_missing_fonts_say_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_NEEDED", ("fontpkg_nowhere",))
    with pytest.raises(PipelineUnavailable, match="pip install fontpkg-nowhere"):
        font_directories()
