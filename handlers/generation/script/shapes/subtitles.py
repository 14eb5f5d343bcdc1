"""Reads subtitles in SRT and WebVTT: cues are sentences, their times are wishes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import evolve, frozen

from handlers.generation.script.content import Paragraph, Section, Sentence, Span
from handlers.generation.script.inline import merged, plain
from handlers.generation.script.shapes.build import cut_sentences, title_of, with_cuts
from handlers.generation.script.shapes.characters import unescaped
from handlers.generation.script.shapes.delivery import pieces
from handlers.generation.script.shapes.lines import clock_s
from handlers.generation.script.shapes.reading import LeftOut, Reading

_TIME: Final = r"(?:\d{1,2}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
ARROW: Final = re.compile(rf"\s*({_TIME})\s*-->\s*({_TIME})[^\n]*")
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>\n]{0,120}>|<\d[\d:.]{0,12}>|\{\\?[a-zA-Z0-9\\&(),.]{1,60}\}")
_VOICE: Final = re.compile(r"<v(?:\.[\w.]{1,30})?\s+([^<>\n]{1,60})>")
_SPEAKER: Final = re.compile(
    r"(?:\[(?P<bracket>[\w .-]{1,30})\]:|(?P<name>[A-ZÀ-ÞА-ЯΑ-Ω][\w.-]*+(?: [\w.-]{1,20}){0,2}):)\s+(?=\S)"
)
_SHOUTED: Final = re.compile(r"[\[(（【][^\[\]()（）【】]{1,80}[\])）】]")
#: The shortest gap between cues that is silence, in seconds; the longest that is kept.
_GAP_S, _MOST_S = 0.7, 6.0


@frozen
class _Cue:
    line: int
    start_s: float
    end_s: float
    lines: tuple[str, ...]


def is_subtitles(lines: Sequence[str]) -> bool:
    """Tell whether a text is subtitles: two or more `a --> b`, in at least a sixth of its lines, numbered or WebVTT."""
    filled = [line for line in lines if line.strip()]
    arrows = sum(1 for line in filled if "-->" in line and ARROW.fullmatch(line))
    if filled and filled[0].startswith("WEBVTT"):
        return arrows >= 1
    return arrows >= 2 and arrows * 6 >= len(filled)


def _cues(lines: Sequence[str]) -> tuple[list[_Cue], list[int]]:
    cues: list[_Cue] = []
    rest: list[int] = []
    at = 0
    while at < len(lines):
        match = ARROW.fullmatch(lines[at]) if "-->" in lines[at] else None
        if match is None:
            if lines[at].strip():
                rest.append(at)
            at += 1
            continue
        begun, at = at, at + 1
        texts: list[str] = []
        while at < len(lines) and lines[at].strip() and "-->" not in lines[at]:
            texts.append(lines[at].strip())
            at += 1
        if at < len(lines) and "-->" in lines[at] and texts and texts[-1].isdigit():
            texts.pop()
        cues.append(_Cue(begun, clock_s(match[1]), clock_s(match[2]), tuple(texts)))
    return cues, rest


def read_subtitles(lines: Sequence[str]) -> Reading:
    """Read the cues of subtitles; the gaps between them are silence."""
    cues, rest = _cues(lines)
    left = [LeftOut.of(at + 1, lines[at], "note") for at in rest if not lines[at].strip().isdigit()]
    title = ""
    if rest and (head := re.match(r"WEBVTT[ \t]*-?[ \t]*(.*)", lines[rest[0]].lstrip("\ufeff"))):
        title = head[1].strip()
    turns: list[tuple[str, str, float]] = []  # speaker, text, silence behind it
    speaker, end_s = "", 0.0
    for cue in cues:
        found, speaker = _texts(cue, speaker)
        if not found:
            left += [LeftOut.of(cue.line + 2, text, "sound") for text in cue.lines[:1]]
            continue
        gap = cue.start_s - end_s if turns else 0.0
        if turns and gap >= _GAP_S:
            turns[-1] = (turns[-1][0], turns[-1][1], min(gap, _MOST_S))
        turns += [(who, text, 0.0) for who, text in found]
        end_s = cue.end_s
    body = _paragraphs(turns)
    speakers = tuple(dict.fromkeys(block.speaker for block in body if block.speaker))
    return Reading(
        shape="subtitles",
        sections=(Section(0, (), tuple(body)),) if body else (),
        title=title_of(title),
        left_out=tuple(left),
        speakers=speakers,
    )


def _texts(cue: _Cue, speaker: str) -> tuple[list[tuple[str, str]], str]:
    """The texts of a cue with their speakers, without tags, sounds and music."""
    rows: list[tuple[str, str]] = []
    for line in cue.lines:
        voiced = _VOICE.search(line)
        who = voiced[1].strip() if voiced else speaker if rows or not line else ""
        text = unescaped(_TAG.sub("", line)).strip()
        turn = text.startswith(("- ", "-", "– ", "— ")) and len(text) > 1 and not text[1].isdigit()
        text = text.lstrip("-–— ") if turn else text
        if named := _SPEAKER.match(text):
            who, text = (named["bracket"] or named["name"]).strip(), text[named.end() :]
        if not text or text[0] in "♪♫" or _SHOUTED.fullmatch(text) or not any(map(str.isalnum, text)):
            continue
        speaker = who or speaker
        if rows and not turn and not voiced and not named:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {text}")
        else:
            rows.append((who, text))
    return rows, speaker if rows else ""


def _paragraphs(turns: Sequence[tuple[str, str, float]]) -> list[Paragraph]:
    """Join the sentences that cues divide; a paragraph is what one speaker says up to a silence."""
    found: list[Paragraph] = []
    text, who = "", ""

    def end(gap_s: float) -> None:
        nonlocal text
        sentences: list[Sentence] = []
        for piece, pause_s in pieces(text):
            parts = [merged(part) for part in cut_sentences((Span(piece),))] if piece else []
            sentences += [Sentence(part) for part in parts if plain(part).strip()]
            if sentences and pause_s:
                sentences[-1] = evolve(sentences[-1], pause_s=pause_s)
        if sentences:
            sentences = with_cuts(sentences)
            if gap_s:
                sentences[-1] = evolve(sentences[-1], pause_s=gap_s)
            found.append(Paragraph(tuple(sentences), speaker=who))
        text = ""

    for speaker, words, gap_s in turns:
        if text and speaker != who:
            end(0.0)
        who = speaker
        text = f"{text} {words}" if text else words
        if gap_s or (len(text) > 220 and words[-1:] in ".!?…。！？"):
            end(gap_s)
    end(0.0)
    return found
