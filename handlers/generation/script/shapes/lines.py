"""One line of a script: its label and kind, its times, its signs of Markdown. Linear in the line's length."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, Literal

from attrs import evolve, frozen

from handlers.generation.script.shapes.delivery import pause_of
from handlers.generation.script.shapes.label_words import (
    CUTS,
    EMOJI,
    KINDS,
    SCENES,
    SHOTS,
    SLIDES,
    Kind,
    folded,
    listed,
)

#: Characters of a line that are looked at for labels.
_LOOKED_AT: Final = 2_000

LineKind = Literal[
    "blank", "rule", "plain", "speech", "visual", "text", "sound", "role", "title", "length", "tags", "caption", "fact",
    "scene", "shot", "time", "pause", "cut", "unknown",
]  # fmt: skip


@frozen(kw_only=True)
class ScriptLine:
    """A line: `text` is what it says without marks, `word` its label, `rest` the text behind the label.

    `span_s` has the times in it, (start, end) in seconds, end None for a start alone; `length_s` is a length alone.
    `after` is the text behind a bracket that has a label and text in it. `level` is the rank of a heading, or 0.
    `strong`: the label is in brackets, bold, in capitals, or has an emoji. `direction`: the whole line is in
    parentheses, brackets or italics. `loose`: only a blank separates the number of a scene from further words.
    """

    kind: LineKind
    text: str
    word: str = ""
    rest: str = ""
    after: str = ""
    span_s: tuple[float, float | None] | None = None
    length_s: float | None = None
    level: int = 0
    item: bool = False
    bracketed: bool = False
    strong: bool = False
    direction: bool = False
    loose: bool = False

    @property
    def timed(self) -> bool:
        return self.span_s is not None or self.length_s is not None


_RULE: Final = re.compile(r"(?:[-*_=~─━—–#]\s*+){3,}+")
_HEADING: Final = re.compile(r"(#{1,6})\s++")
_LEAD: Final = re.compile(r"(?:>\s?|[-*+•·–]\s++(?:\[[ xX]\]\s++)?)")
_MARKS: Final = re.compile(r"\*{1,3}(?=\S)|(?<=\S)\*{1,3}|(?<!\w)_{1,3}(?=[^\W_])|(?<=[^\s_])_{1,3}(?!\w)|`{1,3}")
_BRACKET: Final = re.compile(r"[\[【［〔]\s*([^\[\]【】［］〔〕]{1,300})[\]】］〕]\s*+[:：]?\s*+")
_PARENTHESES: Final = re.compile(r"[(（]([^()（）]{1,400})[)）]\.?")
_LABEL: Final = re.compile(
    r"([^\W\d_](?:[^:：\[\]【】()（）.!?。！？|\n]|\.(?=\S)){0,44}?)\s{0,3}"
    r"(?:[(（]([^()（）]{0,60})[)）])?\s{0,3}[:：]\s*+"
)
_DASHED: Final = re.compile(
    r"([^\W\d_][^:：\[\]【】()（）.!?。！？|\n–—]{0,30}?)\s{0,3}(?:[(（]([^()（）]{0,40})[)）])?\s{1,3}[-–—]\s++"
)
_NUMBERED: Final = re.compile(r"(?:#?\d{1,2}[.)]|#\d{1,2})\s++")

_CLOCK: Final = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_TO: Final = r"\s*(?:-->|->|→|[-–—−〜~～]|to|bis|à|até|a|до)\s*"
_UNIT: Final = (
    r"(?:(?:seconds?|secs?|sekunden?|sek|secondes?|segundos?|secondi?|seconden|sekunder|sekund[yaę]?|sn|"
    r"saniye|секунд[аы]?|сек|с|δευτερόλεπτα|δευτ|δ|ثانية|ثوان|ثوانٍ|ثوانى|ثواني|ث|सेकंड|सेकेंड|से|seg|s|"
    r"秒钟|秒|초|sekuntia|vteřin[ay]?|″|\")\.?)"
)
_NUMBER: Final = r"\d{1,3}(?:[.,]\d{1,2})?"
_TIMES: Final = re.compile(
    rf"(?P<from>{_CLOCK})(?:{_TO}(?P<to>{_CLOCK}))?"
    rf"|(?P<first>{_NUMBER})\s*{_UNIT}?{_TO}(?P<last>{_NUMBER})\s*{_UNIT}(?!\w)"
    rf"|(?:~|≈|ca\.?|circa|about|approx\.?|约|約|env\.?|około|ок\.?|около)?\s*(?P<seconds>{_NUMBER})\s*-?{_UNIT}(?!\w)",
    re.IGNORECASE,
)
_AT_START: Final = re.compile(rf"(?:{_TIMES.pattern})(?:\s?h)?+(?:\s*+(?:$|[-–—|:：•·])\s*+|\s++)", re.IGNORECASE)
_IN_BRACKETS: Final = re.compile(rf"[(（\[【]\s*(?:{_TIMES.pattern})\s*[)）\]】]", re.IGNORECASE)
_AT_END: Final = re.compile(rf"(?:^|\s{{1,3}}|[-–—|,，]\s{{0,3}})(?:{_TIMES.pattern})\s*$", re.IGNORECASE)
_DIGIT: Final = re.compile(r"\d")
_SENTENCE_ENDS: Final = ".,;!?…。！？、，"
#: Characters of the longest name of a part.
_LONGEST_PART: Final = 60


def _alternatives(text: str) -> str:
    return "|".join(re.escape(word) for word in sorted(listed(text), key=len, reverse=True))


_ORDINAL: Final = (
    r"\d{1,3}|[ivx]{1,5}|[一二三四五六七八九十]{1,3}|one|two|three|four|five|six|seven|eight|eins|zwei|"
    r"drei|vier|fünf|un|deux|trois|uno|dos|tres|"
    r"الأول|الثاني|الثالث|الرابع|الخامس|السادس|الأولى|الثانية|الثالثة|الرابعة|الخامسة"
)
_BEHIND_NUMBER: Final = r"[a-z]?(?![\w.,]\w)\s*(?P<mark>[:：.)\]】–—|/-]|$|(?=[(（\[【])|\s)\s*"
_SCENE: Final = re.compile(
    rf"(?:(?:{_alternatives(SCENES)})\s{{0,3}}(?:#|no\.?|nr\.?|n°|nº|№)?\s{{0,2}}(?:{_ORDINAL})(?:\s*/\s*\d{{1,3}})?"
    rf"|第\s?(?:\d{{1,3}}|[一二三四五六七八九十]{{1,3}})\s?(?:场|場|幕|段|部分|部|章|场景|シーン|パート)|"
    rf"(?:\d{{1,3}}|첫|두)\s?(?:번째)?\s?(?:장면|씬))" + _BEHIND_NUMBER,
    re.IGNORECASE,
)
_SHOT: Final = re.compile(
    rf"(?:(?:{_alternatives(SHOTS)})\s{{0,3}}(?:#|no\.?|nr\.?|n°|nº|№)?\s{{0,2}}(?:{_ORDINAL})|"
    rf"第\s?(?:\d{{1,3}}|[一二三四五六七八九十]{{1,3}})\s?(?:镜|镜头|鏡|カット))" + _BEHIND_NUMBER,
    re.IGNORECASE,
)
SLIDE: Final = re.compile(
    rf"(?:{_alternatives(SLIDES)})\s{{0,3}}(?:#|no\.?|nr\.?|n°|№)?\s{{0,2}}"
    rf"(?:\d{{1,3}})(?:\s*/\s*\d{{1,3}})?\s*(?P<mark>[:：.)–—-]|$|\s)\s*",
    re.IGNORECASE,
)
#: First words of a bracket that describes a picture.
_DIRECTING: Final = frozenset(
    listed(
        "show|shows|cut|cuts|zoom|zooms|pan|pans|fade|fades|camera|close-up|close|closeup|b-roll|broll|"
        "wide|shot|insert|animation|animated|graphic|screen|"
        "footage|montage|transition|visual|visuals|image|clip|drone|overlay|hold|tilt|tracking|aerial|"
        "medium|pov|slow-motion|slow|split|time-lapse|timelapse|"
        "card|slide|screenshot|demo|switch|back|host|intro|logo|"
        "zeige|schnitt|kamera|bild|nahaufnahme|großaufnahme|totale|einblendung|zoom|animation|plan|gros|"
        "caméra|image|montage|coupe|travelling|"
        "animação|animación|animazione|animatie|animering|animacja|animace|анимация|animasyon|动画|"
        "アニメーション|애니메이션|"
        "plano|corte|cámara|imagen|primer|câmera|imagem|inquadratura|stacco|immagine|primo|dissolvenza|"
        "beeld|shot|camera|bild|klipp|ujęcie|kamera|zbliżenie|przebitka|"
        "záběr|střih|detail|кадр|камера|крупный|наезд|переход|план|çekim|kesme|yakın|πλάνο|κοντινό|لقطة|"
        "مشهد|صورة|شاشة|画面|镜头|特写|转场|切|切换|映像|画|カット|アップ|화면|컷|클로즈업"
    )
)


def bare(line: str) -> str:
    """A line without its marks of Markdown and the emoji before it."""
    return _parts(line)[0]


#: Characters of lines that are kept once they are read: several readers ask for the lines of one text.
_KEPT_CHARS: Final = 200


def read_line(raw: str) -> ScriptLine:
    """Read a line."""
    return read_short_line(raw) if len(raw) <= _KEPT_CHARS else _read_whole(raw)


@lru_cache(4_096)
def read_short_line(raw: str) -> ScriptLine:
    """Read a line of few characters."""
    return _read_whole(raw)


def _read_whole(raw: str) -> ScriptLine:
    if not raw or raw.isspace():
        return ScriptLine(kind="blank", text="")
    stripped = raw.strip()
    if _RULE.fullmatch(stripped):
        return ScriptLine(kind="rule", text=stripped)
    text, level, item, bold, whole, emoji = _parts(raw)
    found = _read(text[:_LOOKED_AT], emoji)
    found = evolve(found, rest=found.rest + text[_LOOKED_AT:]) if len(text) > _LOOKED_AT else found
    strong = found.bracketed or bold or emoji is not None or (found.word.isupper() and len(found.word) > 1) or level > 0
    if found.loose and not strong:
        found = ScriptLine(kind="plain", text=text, rest=text)
    direction = found.kind == "plain" and (whole or bool(_PARENTHESES.fullmatch(text) or _BRACKET.fullmatch(text)))
    return evolve(found, level=level, item=item, strong=strong, direction=direction)


def _parts(raw: str) -> tuple[str, int, bool, bool, bool, str | None]:
    text = raw.strip()
    level, item = 0, False
    if heading := _HEADING.match(text):
        level, text = len(heading[1]), text[heading.end() :].rstrip("# ")
    for _ in range(4):
        lead = _LEAD.match(text)
        if lead is None or text.startswith("**"):
            break
        item = item or not lead[0].startswith(">")
        text = text[lead.end() :].strip()
    text, emoji = _without_emoji(text)
    bold = text.startswith(("**", "__"))
    whole = not bold and len(text) > 2 and text[0] in "*_" and text[-1] == text[0]
    text = _MARKS.sub("", text).strip()
    text, second = _without_emoji(text)
    return text, level, item, bold, whole, emoji or second


def _without_emoji(text: str) -> tuple[str, str | None]:
    """Drop the emoji and signs before a text, and return the kind of the first that has one, "" for others."""
    at = 0
    kind: str | None = None
    while at < len(text):
        character = text[at]
        if character in EMOJI:
            kind = kind or EMOJI[character]
        elif unicodedata.category(character) in ("So", "Sk") and character not in "°©®™℃№℗½″":
            kind = kind if kind is not None else ""
        elif not (character in "\ufe0e\ufe0f\u200d\u20e3" or (at and character.isspace())):
            break
        at += 1
    return text[at:], kind


def _read(text: str, emoji: str | None) -> ScriptLine:
    bracket = _BRACKET.match(text)
    if bracket:
        return _bracketed(text, bracket[1].strip(), text[bracket.end() :].strip())
    if inside := _PARENTHESES.fullmatch(text):
        return _in_parentheses(text, inside[1].strip())
    rest, span_s, length_s = without_times(text)
    found = _labelled(rest)
    if found.kind in ("plain", "unknown") and emoji:
        found = ScriptLine(kind=emoji, text=rest, rest=rest)  # type: ignore[arg-type]
    if found.kind == "plain" and span_s is not None and (_leads(text) or _names_part(text, rest, span_s)):
        found = ScriptLine(kind="time", text=rest, rest=rest)
    elif found.kind in (
        "plain",
        "unknown",
        "speech",
        "visual",
        "text",
        "sound",
        "fact",
        "length",
        "title",
        "caption",
    ) and not _leads(text):
        # Times within what is said belong to it.
        found = _labelled(text)
        if found.kind in ("plain", "unknown") and emoji:
            found = ScriptLine(kind=emoji, text=text, rest=text)  # type: ignore[arg-type]
        if found.kind == "length":
            return evolve(found, text=text, span_s=span_s, length_s=length_s)
        return evolve(found, text=text)
    return evolve(found, text=rest, span_s=span_s, length_s=length_s)


def _names_part(text: str, name: str, span_s: tuple[float, float | None]) -> bool:
    """Tell whether a line is the name of a part with its span behind it: "MISTAKE 1 (3-10 s)"."""
    short = len(name) <= _LONGEST_PART and name[-1:] not in _SENTENCE_ENDS
    return short and span_s[1] is not None and text[-1] in ")）]】" and not text.startswith(("(", "（"))


def _leads(text: str) -> bool:
    """Tell whether a line begins with a time."""
    return bool(_AT_START.match(text))


def _bracketed(text: str, inside: str, after: str, *, nested: bool = False) -> ScriptLine:
    if (pause := pause_of(inside)) is not None:
        return ScriptLine(kind="pause", text=text, length_s=pause, after=after, bracketed=True)
    rest, span_s, length_s = without_times(inside)
    if rest and span_s is None and length_s is None:
        timed = _IN_BRACKETS.fullmatch(after)
        span_s, length_s = _seconds(timed) if timed else (None, None)
        after = "" if timed else after
    if not rest:
        second = None if nested else _BRACKET.match(after)
        found = (
            _bracketed(after, second[1].strip(), after[second.end() :].strip(), nested=True)
            if second
            else _labelled(after)
        )
        if found.kind in ("plain", "unknown"):
            found = ScriptLine(kind="time", text=after, rest=after)
        return evolve(found, text=after, span_s=span_s, length_s=length_s, bracketed=True)
    found = _labelled(rest.rstrip(" :：|-–—"))
    if found.kind in ("plain", "unknown") and span_s is not None:
        return ScriptLine(kind="time", text=text, rest=rest, after=after, span_s=span_s, bracketed=True)
    if found.kind in ("plain", "unknown") and folded(rest).split(" ")[0].rstrip(":,") in _DIRECTING:
        return ScriptLine(kind="visual", text=text, rest=rest, after=after, bracketed=True)
    if found.kind == "plain" and not after and KINDS.get(folded(rest).split(" ")[0].rstrip(":,")) == "sound":
        return ScriptLine(kind="sound", text=text, rest=rest, bracketed=True)
    if found.kind in ("plain", "unknown"):
        return ScriptLine(kind="plain", text=text, rest=text)
    if found.rest:
        return evolve(found, text=text, after=after, span_s=span_s, length_s=length_s, bracketed=True)
    return evolve(found, text=text, rest=after, span_s=span_s, length_s=length_s, bracketed=True)


def _in_parentheses(text: str, inside: str) -> ScriptLine:
    if (pause := pause_of(inside)) is not None:
        return ScriptLine(kind="pause", text=text, length_s=pause)
    rest, span_s, length_s = without_times(inside)
    if not rest.strip(" .:-–—"):
        return ScriptLine(kind="time", text="", span_s=span_s, length_s=length_s)
    found = _labelled(inside)
    if found.kind in ("visual", "sound", "text", "cut") and found.rest:
        return evolve(found, text=text, bracketed=True)
    return ScriptLine(kind="plain", text=text, rest=text)


def without_times(text: str) -> tuple[str, tuple[float, float | None] | None, float | None]:
    """Cut times in brackets, or at the start or the end, off a text; returns it with its span and its length."""
    if not _DIGIT.search(text):
        return text, None, None
    span_s: tuple[float, float | None] | None = None
    length_s: float | None = None
    for pattern in (_AT_START, _IN_BRACKETS, _AT_END, _AT_START):
        match = pattern.search(text) if pattern is not _AT_START else pattern.match(text)
        if match is None:
            continue
        span, length = _seconds(match)
        span_s, length_s = span_s or span, length_s or length
        text = f"{text[: match.start()]} {text[match.end() :]}".strip(" \t\u3000|–—")
    return text.strip(), span_s, length_s


def _seconds(match: re.Match[str]) -> tuple[tuple[float, float | None] | None, float | None]:
    if match["from"]:
        return (clock_s(match["from"]), clock_s(match["to"]) if match["to"] else None), None
    if match["first"]:
        return (_number(match["first"]), _number(match["last"])), None
    return None, _number(match["seconds"])


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def clock_s(text: str) -> float:
    """The seconds of h:mm:ss, m:ss or m:ss.fff."""
    seconds = 0.0
    for part in text.replace(",", ".").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _labelled(text: str) -> ScriptLine:
    """A text without brackets around it and without times."""
    if folded(text.rstrip(" .:：")) in CUTS:
        return ScriptLine(kind="cut", text=text)
    numbered_kinds: tuple[tuple[re.Pattern[str], LineKind], ...] = ((_SCENE, "scene"), (_SHOT, "shot"))
    for pattern, kind in numbered_kinds:
        match = pattern.match(text)
        if match and (match["mark"] or match.end() == len(text)):
            loose = match["mark"].isspace() and match.end() < len(text)
            return ScriptLine(
                kind=kind, text=text, word=match[0].strip(" :：.–—-|"), rest=text[match.end() :], loose=loose
            )
    label = _LABEL.match(text)
    if label:
        known = kind_of(label[1])
        kind_found: LineKind = known or "unknown"
        if known is None and folded(label[1]) in CUTS:
            kind_found = "visual"
        return ScriptLine(kind=kind_found, text=text, word=label[1].strip(), rest=text[label.end() :].strip())
    dashed = _DASHED.match(text)
    if dashed and dashed[1].isupper() and (known := kind_of(dashed[1])):
        return ScriptLine(kind=known, text=text, word=dashed[1], rest=text[dashed.end() :].strip())
    alone = re.sub(r"\s*[(（][^()（）]{0,60}[)）]\s*$", "", text[:80]) if len(text) <= 80 else ""
    if alone and (known := kind_of(alone)):
        return ScriptLine(kind=known, text=text, word=alone)
    if numbered := _NUMBERED.match(text):
        inner = _labelled(text[numbered.end() :])
        if inner.kind not in ("plain", "unknown"):
            return evolve(inner, text=text)
    return ScriptLine(kind="plain", text=text, rest=text)


_JOINED: Final = re.compile(r"\s*(?:[/&+,、／·|]|\s(?:and|und|et|y|e|en|och|og|i|a|и|ve|και|و)\s)\s*")
_TRAILING_NUMBER: Final = re.compile(r"\s*#?\d{1,3}[a-z]?$")


@lru_cache(4_096)
def kind_of(word: str) -> Kind | None:
    """The kind of a label such as "Narrator 2", "Music / SFX" or "Voice-over – calm"; None for an unknown one."""
    name = folded(word.strip(" \t*_#-–—|.:："))
    if not name or len(name) > 60:
        return None
    if name in KINDS:
        return KINDS[name]
    shorter = _TRAILING_NUMBER.sub("", name)
    if shorter in KINDS:
        return KINDS[shorter]
    parts = [part for part in _JOINED.split(name) if part]
    if len(parts) > 1:
        kinds = [KINDS.get(_TRAILING_NUMBER.sub("", part)) for part in parts]
        if kinds[0] is not None and sum(kind is not None for kind in kinds) * 2 > len(kinds):
            return kinds[0]
    first, dash, _ = re.sub(r"\s[-–—]\s", "\0", name, count=1).partition("\0")
    return KINDS.get(first) if dash else None
