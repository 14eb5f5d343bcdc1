"""Reads video scripts: lines with labels for what is said, seen, shown and heard, under scenes, roles and times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Final, Literal

from attrs import define, field

from handlers.generation.script.content import Paragraph, Sentence
from handlers.generation.script.inline import parse_inline
from handlers.generation.script.shapes.build import (
    Draft,
    cut_sentences,
    rows,
    sections_of,
    speakers_of,
    title_of,
    unquoted,
)
from handlers.generation.script.shapes.label_words import COMMON, folded, listed
from handlers.generation.script.shapes.lines import ScriptLine, kind_of, read_line
from handlers.generation.script.shapes.reading import LeftOut, Reading, Why

#: How a script marks what is said. "labels": by labels; "roles": it follows the names of parts; "cues": all that has no
#: mark is said.
Manner = Literal["labels", "roles", "cues"]

_FENCE: Final = re.compile(r"\s{0,3}(`{3,}|~{3,})")
#: Where a link or picture of Markdown leads: "[image1]: <data:image/png;base64,...>".
_DEFINITION: Final = re.compile(
    r"\s{0,3}\[[^\]\n]{1,99}\]:\s{1,3}(?:<[^<>\n]*+>|(?:https?|data):\S++)(?:\s++[\"'(][^\n]*+)?\s*+"
)
_TAGS: Final = re.compile(r"(?:[#＃][^\s#＃]{1,60}[\s,]*+)++")
_TITLE_WORDS: Final = listed(
    "video script|script|video|demo video script|youtube script|tiktok script|reel script|explainer script|"
    "short video script|videoskript|skript|drehbuch|script vidéo|script video|"
    "guion|guion de video|guion de vídeo|guión|guion del video|roteiro|roteiro de vídeo|copione|"
    "copione video|sceneggiatura|videoscript|videomanus|manus|scenariusz|scenariusz filmu|scénář|"
    "scénář videa|сценарий|"
    "сценарий видео|сценарий ролика|video senaryosu|senaryo|σενάριο|σενάριο βίντεο|سيناريو|سيناريو الفيديو|"
    "स्क्रिप्ट|वीडियो स्क्रिप्ट|脚本|视频脚本|短视频脚本|台本|動画台本|대본|영상 대본|project|projekt|"
    "topic|thema|sujet|tema"
)
#: Words that stand with those of scripts in what surrounds a title.
_ABOUT_SCRIPTS: Final = listed(
    "reel|reels|tiktok|youtube|yt|short|shorts|instagram|vídeo|vidéo|videos|видео|ролик|clip|promo|"
    "storyboard|final|finale|draft|version|ver|entwurf|endfassung|fassung|versión|versão|versione|versie|"
    "borrador|"
    "rascunho|bozza|brouillon|szkic|черновик|for|für|zum|zu|pour|de|del|do|da|di|para|per|voor|för|til|na|"
    "a|the|einem|ein"
)
_SCRIPT_WORDS: Final = frozenset(word for phrase in _TITLE_WORDS for word in phrase.split()) | {"storyboard"}
_SURROUNDING: Final = _SCRIPT_WORDS | frozenset(_ABOUT_SCRIPTS)
_VERSION: Final = re.compile(r"v?\d{1,3}(?:\.\d{1,3})?")
_TITLE_MARK: Final = re.compile(r"([^:：\n]{1,40}?)\s*(?:[:：]|\s[-–—|]{1,3}\s)\s*(.+)")
_TITLE_END: Final = re.compile(r"(.+\S)\s*(?::|\s[-–—|]{1,3}\s)\s*([^:：\n]{1,40})")
_VIDEOS: Final = frozenset(
    listed("video|vídeo|vidéo|видео|відео|βίντεο|الفيديو|فيديو|वीडियो|视频|動画|영상|film|clip|reel|short")
)
_TITLE_TAIL: Final = re.compile(
    r"\s*[(（][^()（）]*\d\s*(?:s|sec|sek|seg|min|秒|сек|sn|초)[^()（）]*[)）]\s*$", re.IGNORECASE
)
_LONGEST_TITLE: Final = 100
#: Characters of a title that may have more than the title in it.
_MOST_TITLE_CHARS: Final = 300
_CLOSING: Final = ("]", "】", "］", "〕")
_WHY: Final[dict[str, Why]] = {
    "visual": "direction", "sound": "sound", "fact": "fact", "length": "fact", "title": "fact", "caption": "fact",
    "tags": "tags", "cut": "direction", "role": "label", "scene": "label", "shot": "direction", "time": "label",
}  # fmt: skip


def read_video(lines: Sequence[str], manner: Manner) -> Reading:
    """Read the lines of a video script."""
    script = _Script(manner=manner, found=tuple(map(read_line, lines)), lines=tuple(lines))
    script.read()
    title = title_of(clean_title(script.title))
    sections = sections_of(script.drafts, title)
    return Reading(
        shape="video_script",
        sections=sections,
        title=title,
        left_out=tuple(script.left),
        facts=script.facts,
        speakers=speakers_of(sections),
    )


def clean_title(text: str) -> str:
    """A title without "Video script:" before it, "Script v2" or a length in parentheses behind it."""
    if len(text) > _MOST_TITLE_CHARS:
        return unquoted(text)
    mark = _TITLE_MARK.fullmatch(text.strip())
    if mark and (folded(mark[1]) in _TITLE_WORDS or _surrounds(mark[1])):
        text = mark[2]
    text = _TITLE_TAIL.sub("", text).strip()
    end = _TITLE_END.fullmatch(text)
    if end and _surrounds(end[2], _SCRIPT_WORDS):
        text = end[1]
    return unquoted(text)


def _surrounds(text: str, needed: Collection[str] = _SURROUNDING) -> bool:
    """Tell whether a text says of a title only that it is one of a script: "Guion reel", "SCRIPT v4 final"."""
    words = [word for word in folded(text).split() if not _VERSION.fullmatch(word)]
    return any(word in needed and len(word) > 3 for word in words) and all(word in _SURROUNDING for word in words)


@define(kw_only=True)
class _Script:
    """Reads line by line. `_label` is the kind of the block that is read, `_pending` that of the next block."""

    manner: Manner
    found: tuple[ScriptLine, ...]
    lines: tuple[str, ...]
    title: str = ""
    drafts: list[Draft] = field(factory=list)
    left: list[LeftOut] = field(factory=list)
    facts: dict[str, str] = field(factory=dict)
    _titled: int = 0
    _label: str | None = None
    _speaker: str = ""
    _pending: str | None = None
    _rows: list[str] = field(factory=list)
    _names: frozenset[str] = frozenset()
    _captions_shown: bool = False
    _unmarked: bool = False
    _said_first: bool = False
    _at: int = 0

    def read(self) -> None:
        unknown = Counter(folded(line.word) for line in self.found if line.kind == "unknown" and line.rest)
        self._names = frozenset(name for name, count in unknown.items() if count >= 2 and len(name.split()) <= 3)
        self._captions_shown = sum(line.kind == "caption" for line in self.found) >= 2
        markers = sum(line.kind in ("scene", "shot", "role", "time") or (line.level > 1) for line in self.found)
        self._unmarked = markers == 0
        pairs = Counter((a.kind, b.kind) for a, b in pairwise(self.found))
        self._said_first = pairs["speech", "visual"] > pairs["visual", "speech"] and pairs["blank", "speech"] > 0
        fence: str | None = None
        for at, line in enumerate(self.found):
            self._at = at
            mark = _FENCE.match(self.lines[at])
            if fence is not None:
                fence = None if mark and mark[1].startswith(fence) else fence
                if fence is not None:
                    self._in_fence(self.lines[at])
            elif mark:
                fence = mark[1]
                self._label = self._label or self._pending
                self._pending = None
            elif _DEFINITION.fullmatch(self.lines[at]):
                self._out("markup")
            else:
                self._take(line)
        self._flush()

    def _take(self, line: ScriptLine) -> None:
        match line.kind:
            case "blank":
                self._end_block()
            case "rule":
                self._end_block()
                self._pending = None
                if self._unmarked and self.drafts and self.drafts[-1].said:
                    self.drafts.append(Draft())
            case "scene" | "shot" | "role" | "time":
                self._begin(line)
            case "pause":
                self._flush()
                if self.drafts:
                    self.drafts[-1].pause(line.length_s or 0.0)
                if line.after:
                    self._plain(read_line(line.after))
            case "plain":
                self._plain(line)
            case "unknown":
                self._unknown(line)
            case "cut":
                self._end_block()
                self._out("direction")
            case _:
                self._labelled(line)

    # -- scenes ---------------------------------------------------------------------------------------------------

    def _draft(self) -> Draft:
        if not self.drafts:
            self.drafts.append(Draft())
        return self.drafts[-1]

    def _next(self) -> Draft:
        """A new scene, or the current one while it is empty."""
        self._flush()
        if not self.drafts or not self.drafts[-1].empty:
            self.drafts.append(Draft())
        return self.drafts[-1]

    def _begin(self, line: ScriptLine) -> None:
        common = (
            line.kind == "role" and line.rest and not line.timed and not line.strong and folded(line.word) in COMMON
        )
        if common:
            self._unknown(line)
            return
        if line.kind == "time" and line.level == 1 and not self.drafts and not self.title:
            self.title = line.rest
            return
        draft = self._next()
        self._label = self._pending = None
        if line.span_s is not None and line.span_s[1] is not None:
            draft.wished_s = line.span_s[1] - line.span_s[0]
        elif line.length_s is not None:
            draft.wished_s = line.length_s
        rest = unquoted(line.rest)
        if line.kind == "shot":
            self._out("direction")
            draft.hint(rest)
        elif line.kind == "role" and rest and (self.manner != "labels" or rest[-1] in '.!?…。！？"”“»'):
            draft.say(line.rest)
            self._label = "speech"
        elif rest:
            inner = read_line(rest)
            if inner.kind in ("speech", "visual", "text", "sound") and inner.rest:
                self._labelled(inner)
            elif kind_of(rest) != "role" and len(rest) <= _LONGEST_TITLE:
                draft.title = draft.title or rest
            else:
                self._out("label")
        else:
            self._out("label")
        if line.kind == "role" and self.manner != "labels":
            self._label = self._label or "speech"
        if line.after:
            self._take(read_line(line.after))

    # -- labels ---------------------------------------------------------------------------------------------------

    def _labelled(self, line: ScriptLine) -> None:
        self._flush()
        kind, before = str(line.kind), self._label
        if self._is_title(line):
            self.title, self._titled = line.rest or line.text, 2
            return
        if kind == "caption" and self._captions_shown:
            kind = "text"
        if kind in ("visual", "speech") and self._unmarked and self._has_said(kind, line):
            self.drafts.append(Draft())
        self._speaker = ""
        if line.timed and self.drafts and kind == "speech" and line.span_s is not None and self.drafts[-1].said:
            self.drafts.append(Draft(wished_s=_length(line)))
        if line.level and kind in ("visual", "speech", "text", "sound") and not line.rest:
            self._pending, self._label = kind, None
        elif line.rest:
            self._pending, self._label = None, kind
            self._add(kind, line.rest)
            if line.bracketed and line.text[-1:] in _CLOSING:
                self._label = before if self.manner == "labels" else "speech"
            if line.after:
                self._take(read_line(line.after))
        else:
            self._pending, self._label = kind, None

    def _is_title(self, line: ScriptLine) -> bool:
        """Whether a line above the script that looks labelled is its title, as "VIDEO: How ice is made" is."""
        if self.drafts or self.title or line.bracketed or line.kind not in ("visual", "speech", "text"):
            return False
        if not line.rest:
            return line.level == 1 and len(line.text.split()) > 2
        word = folded(line.word)
        return word in _VIDEOS and sum(folded(each.word) == word for each in self.found) == 1

    def _has_said(self, kind: str, line: ScriptLine) -> bool:
        """Whether a script without scenes begins another here: at what is seen after something was said.

        Where what is seen stands below what is said over it, at what is said after something was seen.
        """
        if not self.drafts or not self.drafts[-1].said or line.after:
            return False
        if not self._said_first:
            return kind == "visual"
        return kind == "speech" and bool(self.drafts[-1].hints) and self.found[self._at - 1].kind in ("blank", "rule")

    def _add(self, kind: str, text: str, *, further: bool = False) -> None:
        match kind:
            case "speech" if further:
                self._draft().say_on(text)
            case "speech":
                if not self._draft().say(text, speaker=self._speaker) and text.strip():
                    self._out("direction")
            case "text":
                self._rows.append(unquoted(text))
            case "title":
                self.title, self._titled = unquoted(text), 2
                self._out("fact")
            case "length":
                self._length(text)
            case "tags" | "caption":
                self._metadata(kind, text)
            case _:
                self._out(_WHY.get(kind, "fact"))
                if kind == "visual":
                    self._draft().hint(text)

    def _length(self, text: str) -> None:
        self._out("fact")
        line = self.found[self._at]
        seconds = line.length_s if line.length_s is not None else _length(line)
        if seconds is None:
            return
        if self.drafts and (self.drafts[-1].wished_s is None) and not self.drafts[-1].said:
            self.drafts[-1].wished_s = seconds
        else:
            self.facts.setdefault("wished_s", f"{seconds:g}")

    def _metadata(self, kind: str, text: str) -> None:
        self._out("tags" if kind == "tags" else "fact")
        name = "tags" if kind == "tags" else "description"
        words = [part for part in text.split() if not part.startswith("#")] if kind == "caption" else text.split()
        tags = [part for part in text.split() if part.startswith("#")]
        if kind == "caption" and tags:
            self._tags(tags)
        value = " ".join(words)
        if kind == "tags":
            self._tags(words)
        elif value:
            self.facts[name] = f"{self.facts[name]} {value}" if name in self.facts else value

    def _tags(self, words: Sequence[str]) -> None:
        tags = [tag for word in words if (tag := word.strip("#＃,;、"))]
        self.facts["tags"] = ", ".join([*filter(None, [self.facts.get("tags")]), *tags])

    # -- other lines ------------------------------------------------------------------------------------------------

    def _plain(self, line: ScriptLine) -> None:
        text = line.text
        if _TAGS.fullmatch(text) and not line.level:
            self._flush()
            self._out("tags")
            self._tags(text.split())
        elif line.level:
            self._heading(line)
        elif line.direction and not (self._pending or self._label == "text"):
            self._out("direction")
            if self.drafts:
                self.drafts[-1].hint(text.strip("()（） "))
        elif self._pending or self._label:
            further = self._pending is None
            self._label, self._pending = self._pending or self._label, None
            self._add(str(self._label), text, further=further)
        elif not self.drafts and not self._titled:
            self._head(text)
        elif (self.manner != "labels" and self.drafts) or self.manner == "cues":
            self._draft().say(text)
        else:
            self._out("unlabelled")

    def _head(self, text: str) -> None:
        """The first line without a label is the title."""
        if not self.title and len(text) <= 200:
            self.title, self._titled = text, 1
        else:
            self._out("unlabelled")

    def _heading(self, line: ScriptLine) -> None:
        self._flush()
        self._label = self._pending = None
        first = not self.drafts and self._titled < 2 and (line.level == 1 or not self._titled)
        if first and (not self.title or self._titled < 2):
            self.title, self._titled = line.text, 2
            return
        draft = self._next()
        if draft.title:
            self._out("label")
        draft.title = draft.title or line.text

    def _unknown(self, line: ScriptLine) -> None:
        self._flush()
        name = folded(line.word)
        if line.level:
            self._heading(line)
        elif name in self._names and self.manner == "labels" and line.rest:
            self._speaker = line.word
            self._pending, self._label = None, "speech"
            self._draft().say(line.rest, speaker=line.word)
        elif not self.drafts:
            if not self._titled and folded(line.word) in _TITLE_WORDS:
                self.title, self._titled = line.text, 2
            elif not self._titled and not self.title:
                self._head(line.text)
            else:
                self._out("fact")
        elif self._label == "speech" and self.found[self._at - 1].kind not in ("blank", "rule"):
            self._add("speech", line.text)
        else:
            self._label = self._pending = None
            spans = parse_inline(line.text if line.kind == "unknown" else f"{line.word}: {line.rest}")
            draft = self._draft()
            draft.say(line.text if line.kind == "unknown" else line.rest, directed=False)
            draft.show(Paragraph(tuple(Sentence(part) for part in cut_sentences(spans))))

    def _in_fence(self, raw: str) -> None:
        if self._label and raw.strip():
            self._add(self._label, raw.strip())
        elif raw.strip():
            self._out("unlabelled")

    def _end_block(self) -> None:
        self._flush()
        if self.manner == "labels" or self._label not in ("speech",):
            self._label = None

    def _flush(self) -> None:
        if self._rows:
            shown = rows(self._rows)
            self._rows = []
            if shown.sentences:
                self._draft().show(shown)

    def _out(self, why: Why) -> None:
        line = LeftOut.of(self._at + 1, self.lines[self._at], why)
        if line.text and (not self.left or self.left[-1].line != line.line):
            self.left.append(line)


def _length(line: ScriptLine) -> float | None:
    if line.span_s is None or line.span_s[1] is None:
        return None
    return line.span_s[1] - line.span_s[0]
