"""Decides what shape a text has, and has it read as that; the one place that does.

In order: containers by their content (JSON, YAML, subtitles, HTML and other markup), the chat around the text, then the
shapes of scripts and talks. What is none of them for sure is a document: Markdown or plain text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from attrs import evolve, frozen

from handlers.generation.control import Warned
from handlers.generation.script.shapes.chat import Peeled, peel
from handlers.generation.script.shapes.label_words import COMMON, folded, listed
from handlers.generation.script.shapes.lines import ScriptLine, read_line
from handlers.generation.script.shapes.prose import read_plain_document, read_plain_text, untagged
from handlers.generation.script.shapes.reading import NAMES, LeftOut, Reading, Shape, looks_like
from handlers.generation.script.shapes.scene_list import load, only_fence, read_scene_list, scene_list
from handlers.generation.script.shapes.screenplay import is_screenplay, names_of, read_screenplay, scene_headings
from handlers.generation.script.shapes.subtitles import is_subtitles, read_subtitles
from handlers.generation.script.shapes.tables import read_tables, script_tables
from handlers.generation.script.shapes.turns import (
    TurnSigns,
    half_dialogue,
    is_dialogue,
    is_transcript,
    read_turns,
    turn_signs,
)
from handlers.generation.script.shapes.video import Manner, read_video

_FENCE: Final = re.compile(r"\s{0,3}(`{3,}|~{3,})")


@frozen(kw_only=True)
class VideoSigns:
    """The signs of a video script: how many lines have labels of each kind, and what structures them.

    `cued`: brackets with a label of a picture, text or sound and words behind it in them, and nothing else.
    """

    lines: int
    kinds: Counter[str]
    spoken: Counter[str]
    surely_spoken: int
    unknown: int
    structure: int
    brackets: int
    roles_said: int
    from_zero: bool
    cued: int

    @property
    def produced(self) -> int:
        """Lines of production: pictures, texts, sounds, parts."""
        return self.kinds["visual"] + self.kinds["text"] + self.kinds["sound"] + self.structure

    @property
    def is_filmed(self) -> bool:
        """Whether there is more to see or hear than in a transcript: two lines of it, one if a narrator speaks."""
        return self.produced - self.structure >= (1 if self.surely_spoken >= 2 else 2)

    @property
    def share(self) -> float:
        """The share of lines that are of a script."""
        return (sum(self.spoken.values()) + self.produced + self.kinds["meta"]) / max(1, self.lines)


#: The beginnings of lines with labels, times, numbers of scenes, brackets, capitals, emoji or ideographs.
_MAY_BE_LABEL: Final = re.compile(
    r"^\W{0,12}(?:[^\W\d_][^:：\n]{0,46}[:：]|\d{1,2}:\d\d|\d{1,3}\s?[-–—〜~]\s?\d|"
    r"[^\W\d_]{2,14}\s?#?\d{1,3}\b|[^\W\d_][\w -]{0,30}[(（]|[A-ZÀ-ÞА-ЯΑ-Ω]{3})"
    r"|^[\s#>*_-]{0,8}[\[【(（*_]|^.{0,10}[^\x00-\u2bff]"
)

#: Labels in brackets that, in copied texts, stand in place of a picture.
_DESCRIBING: Final = frozenset(
    listed(
        "image|images|picture|pictures|photo|photos|video|videos|screenshot|clip|graphic|graphics|"
        "illustration|figure|caption|bild|bilder|foto|fotos|grafik|abbildung|photographie|légende|imagen|"
        "imágenes|"
        "gráfico|vídeo|vidéo|imagem|imagens|legenda|immagine|immagini|didascalia|afbeelding|obraz|zdjęcie|"
        "obrázek|изображение|фото|видео|рисунок|resim|εικόνα|صورة|فيديو|图片|图|視頻|视频|画像|写真|動画|"
        "사진|이미지|영상"
    )
)
_WORD_ALONE: Final = re.compile(r"^\W*[^\W\d_][^\W\d_ -]{1,24}(?: [^\W\d_]{1,20}){0,3}\W*$")


def video_signs(lines: Sequence[str]) -> VideoSigns:
    """Count the signs of a video script."""
    kinds: Counter[str] = Counter()
    spoken: Counter[str] = Counter()
    surely = unknown = structure = times = brackets = roles_said = cued = count = 0
    starts: list[float] = []
    for line in _outside_fences(lines):
        count += 1
        if len(line) > 2_000 or not (_MAY_BE_LABEL.search(line) or (2 < len(line) < 40 and _WORD_ALONE.search(line))):
            continue
        found = read_line(line)
        kind = found.kind
        if found.span_s is not None and kind in ("time", "role", "scene", "shot", "speech", "visual"):
            starts.append(found.span_s[0])
        if kind == "speech":
            spoken[folded(found.word)] += 1
            surely += folded(found.word) not in COMMON or found.bracketed
            brackets += found.bracketed
        elif kind in ("visual", "text", "sound"):
            kinds[kind] += 1
            brackets += found.bracketed
            cued += found.bracketed and bool(found.rest) and not found.after and folded(found.word) not in _DESCRIBING
        elif kind in ("title", "length", "tags", "caption", "fact"):
            kinds["meta"] += 1
        elif kind == "pause":
            brackets += found.bracketed
            kinds["pause"] += 1
        elif kind == "unknown":
            unknown += 1
        elif kind == "plain" and found.direction:
            brackets += found.text[0] in "[【"
        elif _structures(found):
            structure += 1
            times += kind == "time"
            brackets += found.bracketed
            roles_said += kind == "role" and bool(found.rest)
    from_zero = bool(starts) and min(starts) <= 5 and starts == sorted(starts)
    if not from_zero:
        structure -= min(structure, times)
    return VideoSigns(
        lines=count, kinds=kinds, spoken=spoken, surely_spoken=surely, unknown=unknown, structure=structure,
        brackets=brackets, roles_said=roles_said, from_zero=from_zero, cued=cued,
    )  # fmt: skip


def _structures(line: ScriptLine) -> bool:
    if line.kind in ("scene", "shot", "time"):
        return not line.item
    if line.kind != "role":
        return False
    common = folded(line.word) in COMMON
    return line.timed or line.bracketed or (not common and (not line.rest or line.strong) and not line.item)


def _outside_fences(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1][:3]
        elif line.strip():
            kept.append(line)
    return kept


def manner_of(signs: VideoSigns) -> tuple[Manner, tuple[str, ...]] | None:
    """Return how a video script marks what is said, and the reasons; None where a text isn't surely a script."""
    said = sum(signs.spoken.values())
    seen = signs.kinds["visual"] + signs.kinds["text"]
    other = seen + signs.kinds["sound"]
    reasons = _reasons(signs)
    kinds = sum(bool(n) for n in (signs.kinds["visual"], signs.kinds["text"], signs.kinds["sound"], signs.structure))
    common = signs.surely_spoken == 0
    if common and not (said >= 2 and seen >= 2) and not (said >= 2 and signs.structure >= 2 and seen):
        said = 0
    enough = signs.share >= 0.3 or (said >= 2 and signs.produced >= 4 and kinds >= 2)
    repeated = max(signs.spoken.values(), default=0) >= 2 or signs.structure >= 2 or signs.brackets >= 2
    few_others = signs.unknown <= max(2, said + signs.produced)
    if said >= 2 and signs.produced >= 2 and (seen or signs.structure >= 2) and enough and repeated and few_others:
        return "labels", reasons
    if said == 1 and signs.structure and other and signs.share >= 0.4 and few_others:
        return "labels", reasons
    timed_roles = signs.roles_said >= 2 and signs.from_zero
    if not said and timed_roles and seen >= 1 and signs.share >= 0.3:
        return "roles", reasons
    if (
        not said
        and signs.brackets >= 3
        and signs.brackets >= 0.1 * signs.lines
        and other >= 2
        and (signs.structure or signs.kinds["pause"] or (signs.cued >= 3 and signs.cued >= 0.2 * signs.lines))
    ):
        return "cues", reasons
    return None


def _reasons(signs: VideoSigns) -> tuple[str, ...]:
    found = [f"{count} lines begin with {word}" for word, count in signs.spoken.most_common(2)]
    names = {"visual": "directions", "text": "on-screen texts", "sound": "sounds"}
    found += [f"{signs.kinds[kind]} {name}" for kind, name in names.items() if signs.kinds[kind]]
    if signs.structure:
        found.append(f"{signs.structure} marks of scenes, parts or times")
    return tuple(found)


def half_video(signs: VideoSigns) -> bool:
    """Tell whether a text has half of what makes a video script."""
    said = sum(signs.spoken.values())
    return signs.surely_spoken >= 2 and said >= 2 and signs.produced >= 2 and signs.share >= 0.25


def is_whole(text: str) -> bool:
    """Tell whether a text is JSON or HTML as a whole, which has no front matter."""
    from handlers.generation.script.shapes import markup

    begins = text.lstrip()[:1]
    if begins == "<":
        return markup.is_page(text)
    if begins not in ("{", "["):
        return False
    value = load(text)
    return value is not None and (scene_list(value) is not None or (isinstance(value, dict) and "nbformat" in value))


def read_as(shape: Shape, lines: Sequence[str]) -> Reading | None:
    """Read a text as the shape that its author names; None where nothing of that shape is in it."""
    text = "\n".join(lines)
    match shape:
        case "video_script":
            tables = script_tables(lines)
            if tables:
                return read_tables(lines, tables)
            signs = video_signs(lines)
            manner = manner_of(signs)
            return read_video(lines, manner[0] if manner else "labels" if signs.spoken else "cues")
        case "scene_list":
            found = scene_list(load(text))
            if found is None and (fence := only_fence(text)) is not None:
                found = scene_list(load(fence[0]))
            return None if found is None else read_scene_list(found)
        case "subtitles":
            return read_subtitles(lines)
        case "screenplay":
            return read_screenplay(lines, names_of(lines))
        case "dialogue" | "transcript":
            from handlers.generation.script.shapes import messages

            if shape == "dialogue" and messages.is_messages(lines):
                return messages.read_messages(lines)
            return read_turns(lines, turn_signs(lines), shape)
        case "document" | "plain":
            return read_plain_text(text) if shape == "plain" else Reading(shape="document", body=text)
        case _:
            return _other(shape, lines)


def _other(shape: Shape, lines: Sequence[str]) -> Reading | None:
    from handlers.generation.script.shapes import markup, posts, slides, verse

    match shape:
        case "slides":
            return slides.read_slides(lines)
        case "thread":
            return posts.read_thread(lines)
        case "verse":
            return verse.read_verse(lines)
        case _:
            return markup.read_markup(shape, lines)


def decide(body: str, *, keep: Collection[str] = ()) -> Reading:
    """Decide the shape of a text, and read it. `keep` names what would be left out: "hashtags", "signature", "cues"."""
    lines = body.split("\n")
    if (found := _container(body, lines)) is not None:
        return found
    peeled = peel(lines)
    inside = list(peeled.lines)
    if peeled.left_out and (found := _container("\n".join(inside), inside)) is not None:
        return found.plus(peeled.left_out)
    signs, video = turn_signs(inside), video_signs(inside)
    found = _shaped(inside, peeled, signs, video)
    if found is not None:
        found = untagged(found)
    else:
        found = read_plain_document(inside, keep=keep, handed=peeled.handed)
        found = evolve(found, because=found.because or ("no other shape is sure",))
        doubts = _doubts(inside, peeled, signs, video)
        found = found.plus(warnings=tuple(doubts)) if doubts else found
        found = evolve(found, sure=not doubts)
    return found.plus(peeled.left_out)


def _container(body: str, lines: Sequence[str]) -> Reading | None:
    """Read what is another format: JSON, YAML, subtitles, HTML, notebooks and other markup."""
    from handlers.generation.script.shapes import markup

    if "-->" in body and is_subtitles(lines):
        return _because(read_subtitles(lines), "cues with times between arrows")
    if (found := markup.decide_markup(body, lines)) is not None:
        return found
    value = load(body)
    if value is not None and (listed := scene_list(value)) is not None:
        return _because(read_scene_list(listed), "a list of mappings, each with a key of speech")
    if "```" in body or "~~~" in body:
        fence = only_fence(body)
        if fence is not None and (listed := scene_list(load(fence[0]))) is not None:
            reading = read_scene_list(listed, first_line=fence[1])
            left = _around(lines, fence)
            return _because(reading.plus(left), "the only block is a list of mappings, each with a key of speech")
    return None


def _around(lines: Sequence[str], fence: tuple[str, int]) -> tuple[LeftOut, ...]:
    first, last = fence[1] - 1, fence[1] + fence[0].count("\n")
    outside = ((at, line) for at, line in enumerate(lines) if not first <= at <= last)
    return tuple(LeftOut.of(at + 1, line, "chat") for at, line in outside if line.strip())


def _because(reading: Reading, *reasons: str) -> Reading:
    return evolve(reading, because=reasons)


#: A line in bold from its label to its end: the heading of an answer, where a turn has its name in bold alone.
_BOLD_QUESTION: Final = re.compile(r"\s*+(?:\*\*|__)[^\W\d_]{1,12}+:\s?[^*_\n]{2,300}(?:\*\*|__)\s*+")


def _has_bold_questions(lines: Sequence[str]) -> bool:
    return sum(1 for line in lines if _BOLD_QUESTION.fullmatch(line)) >= 2


def _shaped(lines: Sequence[str], peeled: Peeled, signs: TurnSigns, video: VideoSigns) -> Reading | None:
    """Read a text of a shape other than a document; None where it is none of them for sure."""
    from handlers.generation.script.shapes import messages, posts, slides, verse

    headings = scene_headings(lines)
    if headings:
        names = names_of(lines)
        if is_screenplay(lines, names):
            return _because(read_screenplay(lines, names), f"{headings} scene headings (INT., EXT.), names in capitals")
    tables = script_tables(lines)
    filled = sum(1 for line in lines if line.strip())
    rows = sum(table.end - table.first for table in tables)
    if tables and rows >= (0.4 if peeled.handed else 0.5) * filled:
        return _because(read_tables(lines, tables), "a table with columns of speech and of pictures, times or texts")
    if slides.is_slides(lines):
        return _because(slides.read_slides(lines), "lines that number slides")
    if messages.is_messages(lines):
        return _because(messages.read_messages(lines), "messages with dates or times of day and names")
    manner = manner_of(video)
    if is_transcript(signs) and not (manner and manner[0] == "labels" and video.is_filmed):
        return _because(
            read_turns(lines, signs, "transcript"), f"{signs.stamped + signs.alone + signs.headed} lines with times"
        )
    if manner is not None and not _talks(signs, video):
        return _because(read_video(lines, manner[0]), *manner[1])
    if posts.is_thread(lines):
        return _because(posts.read_thread(lines), "posts that are numbered n/ or n/m")
    if is_dialogue(signs) and not _has_bold_questions(lines):
        known = ", ".join(name for name, count in signs.names.most_common(3) if count >= 2)
        return _because(read_turns(lines, signs, "dialogue"), f"{signs.turns} turns of speakers who come back: {known}")
    if verse.is_verse(lines):
        return _because(verse.read_verse(lines), "short rows in stanzas")
    return None


def _talks(signs: TurnSigns, video: VideoSigns) -> bool:
    """Whether a text with labels is a dialogue rather than a script: it has turns, and nothing is seen."""
    return is_dialogue(signs) and video.kinds["visual"] + video.kinds["text"] == 0 and video.structure <= 2


def _doubts(lines: Sequence[str], peeled: Peeled, signs: TurnSigns, video: VideoSigns) -> list[Warned]:
    found: list[Warned] = []
    if half_dialogue(signs) and not any(line.startswith("#") for line in lines):
        found.append(looks_like(NAMES["dialogue"], "write format: dialogue in the front matter if it is one"))
    elif half_video(video):
        found.append(looks_like(NAMES["video_script"], "write format: video_script in the front matter if it is one"))
    if peeled.offered is not None:
        way_out = "remove what isn't part of the script"
        found.append(looks_like(f"an offer of a chat assistant on line {peeled.offered}", way_out))
    return found
