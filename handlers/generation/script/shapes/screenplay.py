"""Reads screenplays: Fountain, and the layout that screenwriting programs export as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from handlers.generation.script.shapes.build import Draft, sections_of, speakers_of, title_of
from handlers.generation.script.shapes.label_words import CUTS, folded
from handlers.generation.script.shapes.reading import LeftOut, Reading

_SCENE: Final = re.compile(
    r"(?:\d{1,3}[A-Z]?\.?\s+)?(?:(?:INT|EXT|EST|INT\.?\s?/\s?EXT|EXT\.?\s?/\s?INT|I\s?/\s?E|I\.\s?/\s?E)[. ]\s*\S|"
    r"(?:INTERIOR|EXTERIOR|INTÉRIEUR|EXTÉRIEUR|INNEN|AUSSEN|AUẞEN|AUßEN|INTERNO|ESTERNO|"
    r"BINNEN|BUITEN|WNĘTRZE|PLENER|WN|PL|ИНТ|НАТ|ЭКСТ|INTERIÉR|EXTERIÉR|İÇ|DIŞ|ΕΣΩΤ|ΕΞΩΤ|ΕΣΩΤΕΡΙΚΟ|"
    r"ΕΞΩΤΕΡΙΚΟ|SCÈNE|СЦЕНА|INOM|UTOM)(?:\s?/\s?[A-ZÀ-Þ]{2,10})?[.\s:–—-]\s*\S|"
    r"(?:داخلي|خارجي)\s?[.\-–—]\s*\S).*"
)
_CUE: Final = re.compile(
    r"@?(?P<name>[^\W\d_a-z][^a-z()（）:.!?\n]{0,38}?(?:[.'’](?=\w|\s)[^a-z()（）:!?\n]{0,30}?)?)\s*"
    r"(?P<more>(?:\([^()]{1,30}\)\s*){0,2})\^?"
)
_FORCED_SCENE: Final = re.compile(r"\.[^.\s].*")
_TITLE_KEY: Final = re.compile(r"(?P<key>[A-Za-zÀ-ÿ][\w ]{1,30}):\s*(?P<value>.*)")
_TITLE_KEYS: Final = (
    "title",
    "credit",
    "author",
    "authors",
    "source",
    "draft date",
    "date",
    "contact",
    "copyright",
    "notes",
    "revision",
    "format",
    "titre",
    "titel",
    "titolo",
    "título",
)
_TRANSITION: Final = re.compile(r"(?:[^\W\d_a-z][^a-z]{0,30})(?:TO|À|A|AUF|SU|NA|FADE IN|OUT|IN|BLACK)[:.]")
_EMPHASIS: Final = re.compile(r"\*{1,3}(?=\S)|(?<=\S)\*{1,3}|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)")


def _upper(text: str) -> bool:
    return text.upper() == text and text.lower() != text


def scene_headings(lines: Sequence[str]) -> int:
    """Count the lines that begin scenes: INT., EXT. and their like."""
    return sum(1 for line in lines if _is_scene(line))


def _is_scene(line: str) -> bool:
    text = line.strip().strip("*_")
    return (
        len(text) < 120 and bool(_SCENE.fullmatch(text)) and _upper(re.sub(r"\(.*?\)", "", text)[:60].split(" - ")[0])
    )


def names_of(lines: Sequence[str]) -> Counter[str]:
    """The names in capitals alone over their text, with how often they come; surer ones count twice."""
    found: Counter[str] = Counter()
    for at, line in enumerate(lines):
        name = _name(lines, at)
        if name is not None:
            cue = _CUE.fullmatch(line.strip())
            surely = bool(cue and cue["more"]) or line.startswith((" ", "\t", "@"))
            found[name] += 2 if surely else 1
    return found


def _name(lines: Sequence[str], at: int) -> str | None:
    """The name on a line that may be a cue: in capitals, a blank line above, text below."""
    text = lines[at].strip()
    if (
        not text
        or len(text) > 60
        or (at and lines[at - 1].strip())
        or at + 1 >= len(lines)
        or not lines[at + 1].strip()
    ):
        return None
    if text.startswith("@"):
        return text[1:].split("(")[0].strip()
    match = _CUE.fullmatch(text)
    if (
        match is None
        or not _upper(match["name"])
        or _is_scene(text)
        or folded(text.rstrip(" :.")) in CUTS
        or _TRANSITION.fullmatch(text)
    ):
        return None
    return match["name"].strip()


def is_screenplay(lines: Sequence[str], names: Counter[str]) -> bool:
    """Tell whether a text is a screenplay: it begins scenes, and has names over what they say."""
    headings = [line for line in lines if _is_scene(line)]
    if not headings or not any(count >= 2 for count in names.values()):
        return False
    markdown = sum(line.startswith(("#", "```", "> ", "- ", "|")) for line in lines)
    return markdown <= len(headings)


def read_screenplay(lines: Sequence[str], names: Counter[str]) -> Reading:
    """Read a screenplay: dialogue is said, action and headings are hints."""
    kept, left = without_notes(lines)
    title, at = _title_page(kept, left)
    draft = Draft()
    drafts: list[Draft] = []
    speaker = ""
    for number in range(at, len(kept)):
        text = _EMPHASIS.sub("", kept[number]).strip()
        if not text:
            speaker = ""
        elif _is_scene(kept[number]) or _FORCED_SCENE.fullmatch(text):
            draft = Draft(hints=[text.lstrip(".")])
            drafts.append(draft)
            left.append(LeftOut.of(number + 1, text, "direction"))
        elif drafts and not speaker and (name := _name(kept, number)) is not None and _speaks(name, names):
            speaker = name
        elif speaker and text[0] in "(（" and text[-1] in ")）":
            left.append(LeftOut.of(number + 1, text, "direction"))
        elif speaker:
            _continue(draft, speaker, text, first=kept[number - 1].strip().split("(")[0].strip().lstrip("@") == speaker)
        elif not drafts and not title and not _cuts(text):
            title = text
        else:
            left.append(LeftOut.of(number + 1, text, "direction"))
            if not _cuts(text):
                draft.hint(text)
    found = [_cut(each) for each in drafts]
    title = title_of(title)
    sections = sections_of(found, title)
    return Reading(
        shape="screenplay",
        sections=sections,
        title=title,
        left_out=tuple(left),
        speakers=speakers_of(sections),
    )


def _speaks(name: str, names: Counter[str]) -> bool:
    return names[name] >= 2 or len(name.split()) <= 2


_PENDING: Final = "\0"


def _continue(draft: Draft, speaker: str, text: str, *, first: bool) -> None:
    """Collect the lines of a speech: it is cut into sentences at its end."""
    from handlers.generation.script.content import Said

    if draft.said and draft.said[-1].speaker == speaker and not first and draft.said[-1].text.startswith(_PENDING):
        draft.said[-1] = Said(f"{draft.said[-1].text} {text}", speaker=speaker)
    else:
        draft.said.append(Said(_PENDING + text, speaker=speaker))


def _cut(draft: Draft) -> Draft:
    whole = Draft(hints=draft.hints)
    for line in draft.said:
        whole.say(
            line.text.removeprefix(_PENDING), speaker=line.speaker.title() if line.speaker.isupper() else line.speaker
        )
    return whole


def _cuts(text: str) -> bool:
    words = folded(text.strip("> .:*<"))
    return words in CUTS or bool(_TRANSITION.fullmatch(text)) or text.startswith(">") or words.rstrip("s") in CUTS


def without_notes(lines: Sequence[str]) -> tuple[list[str], list[LeftOut]]:
    """Blank what Fountain leaves out: notes in [[ ]], cut text in /* */."""
    text = "\n".join(lines)
    left: list[LeftOut] = []
    for opening, closing in (("/*", "*/"), ("[[", "]]")):
        pieces, at = [], 0
        while (begin := text.find(opening, at)) >= 0 and (end := text.find(closing, begin + 2)) >= 0:
            note = text[begin : end + 2]
            left.append(LeftOut.of(text.count("\n", 0, begin) + 1, note, "note"))
            pieces += [text[at:begin], "\n" * note.count("\n")]
            at = end + 2
        text = "".join([*pieces, text[at:]])
    kept = text.split("\n")
    for at, line in enumerate(kept):
        if line.startswith(("# ", "## ", "### ", "= ")) or re.fullmatch(r"={3,}", line.strip()):
            left.append(LeftOut.of(at + 1, line, "note"))
            kept[at] = ""
    return kept, left


def _title_page(lines: Sequence[str], left: list[LeftOut]) -> tuple[str, int]:
    """The title on the keys at the top, and the first line behind them."""
    at = next((n for n, line in enumerate(lines) if line.strip()), 0)
    first = _TITLE_KEY.fullmatch(lines[at]) if lines else None
    if first is None or first["key"].casefold() not in _TITLE_KEYS:
        return "", 0
    title, key = "", ""
    while at < len(lines) and lines[at].strip():
        found = _TITLE_KEY.fullmatch(lines[at])
        key = found["key"].casefold() if found else key
        value = found["value"] if found else lines[at]
        if key in ("title", "titre", "titel", "titolo", "título"):
            title = f"{title} {_EMPHASIS.sub('', value).strip()}".strip()
        else:
            left.append(LeftOut.of(at + 1, lines[at], "fact"))
        at += 1
    return title, at
