"""Pages that nobody reads aloud are shown as long as reading takes, and none ends before its clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.generation.control import Control
from handlers.generation.errors import UnknownAsset
from handlers.generation.model import AssetFile, Brief, NarrateTask
from handlers.generation.narration.timing import reading_narration
from handlers.generation.pipelines.explainer import ExplainerPipeline
from handlers.generation.script.content import Scene
from handlers.generation.script.document import read_scenes

ASSET = "as_" + "0123456789abcdef" * 2
BLOCK = f'{{"kind": "clip", "asset": "{ASSET}", "sound": false}}'
SCENES = f'{{"version": 1, "scenes": [{{"title": "Look", "blocks": [{BLOCK}]}}]}}'


def scene_of(*blocks: object, title: str = "T") -> Scene:
    return read_scenes({"version": 1, "scenes": [{"title": title, "blocks": list(blocks)}]}).scenes[0]


def test_more_words_take_more_time() -> None:
    few = reading_narration(scene_of("Two words."), 1.0)
    many = reading_narration(scene_of("Twenty words and more. " * 3), 1.0)
    assert few.duration_s < many.duration_s
    assert [cue.step for cue in many.cues] == [0, 1, 2, 3]
    assert many.lines == ()
    gaps = [b.start_s - a.start_s for a, b in zip(many.cues[1:], many.cues[2:], strict=False)]
    assert gaps == pytest.approx([4 * 60 / 170] * 2)


def test_it_goes_by_the_rate_and_by_characters_where_there_are_no_spaces() -> None:
    scene = scene_of("一二三四五六七八九十" * 4)
    assert reading_narration(scene, 2.0).duration_s < reading_narration(scene, 1.0).duration_s
    assert reading_narration(scene, 1.0).duration_s > 20 * 60 / 170


@pytest.mark.parametrize(
    "block",
    [
        {"kind": "math", "latex": "x"},
        {"kind": "image", "asset": ASSET},
        {"kind": "chart", "style": "bar", "labels": ["a"], "series": [{"values": [1]}]},
        {"kind": "code", "code": "a\nb\nc"},
        {
            "kind": "columns",
            "left": ["Some words that take a while to read."],
            "right": [{"kind": "math", "latex": "y"}],
        },
    ],
)
def test_what_isnt_words_is_looked_at(block: object) -> None:
    assert reading_narration(scene_of(block), 1.0).duration_s >= 5


def test_an_asset_of_another_kind_is_named(tmp_path: Path) -> None:
    pipeline = ExplainerPipeline()
    plan = pipeline.plan(Brief(scenes=SCENES), Control())
    picture = AssetFile(path=Path("x.png"), kind="image", media_type="image/png", width=1, height=1)
    with pytest.raises(UnknownAsset, match="must be of kind clip; it is image/png"):
        pipeline.narrate(NarrateTask(draft=plan.scenes[0], assets={ASSET: picture}), tmp_path, Control())


#: Texts of one kind; characters a second of most languages are 10 to 12.5, of Chinese and Japanese 4, of Korean 5.
PACE = {
    "en": ("The river is wide and the water is cold. Everyone crosses the old bridge on foot. " * 4, 10.0, 14.0),
    "th": ("แม่น้ำกว้างและน้ำเย็นมาก ทุกคนเดินข้ามสะพานเก่า " * 6, 8.0, 13.0),
    "km": ("ទន្លេធំទូលាយហើយទឹកត្រជាក់ មនុស្សគ្រប់គ្នាដើរឆ្លងស្ពានចាស់ " * 6, 8.0, 18.0),
    "my": ("မြစ်ကကျယ်ပြီးရေကအေးတယ် လူတိုင်းတံတားဟောင်းကိုဖြတ်လျှောက်ကြတယ် " * 6, 8.0, 17.0),
    "zh": ("河很宽水很冷每个人都走过那座旧桥" * 6, 3.0, 6.5),
}


@pytest.mark.parametrize(("text", "least", "most"), PACE.values(), ids=PACE)
def test_all_scripts_are_read_at_the_pace_of_their_readers(text: str, least: float, most: float) -> None:
    scene = scene_of({"kind": "paragraph", "sentences": [text]})
    begun = reading_narration(scene, 1.0).cues[1].start_s
    assert least < len(text) / (reading_narration(scene, 1.0).duration_s - begun) < most
