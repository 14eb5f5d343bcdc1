"""Caption files that players read."""

import re
from pathlib import Path

import webvtt

from handlers.generation.narration.captions import as_srt, as_vtt, scene_captions
from tests.support.narration import narration

HOSTILE = 'a < b && "c" --> d <i>not italic</i> &amp; <00:00:01.000> \x00 \u2028 {\\an8}'


def test_what_looks_like_markup_is_text(tmp_path: Path) -> None:
    cues = scene_captions(narration(HOSTILE, per_word_s=0.1))
    text = as_vtt(cues)
    assert text.startswith("WEBVTT\n\n1\n00:00:00.450 --> ")
    body = "\n".join(line for line in text.splitlines() if not re.match(r"\d\d:\d\d:\d\d\.\d{3} --> ", line))
    assert "-->" not in body
    assert "<" not in body
    assert "&lt;i&gt;not" in body
    path = tmp_path / "captions.vtt"
    path.write_text(text, encoding="utf-8")
    assert [(c.start_in_seconds, len(c.lines)) for c in webvtt.read(path)] == [  # type: ignore[arg-type,attr-defined]
        (int(c.start_s), len(c.lines)) for c in cues
    ]
    path = path.with_suffix(".srt")
    path.write_text(as_srt(cues), encoding="utf-8")
    assert len(webvtt.from_srt(path)) == len(cues)  # type: ignore[arg-type]
    assert "<i>" not in path.read_text(encoding="utf-8")
