"""Markdown or plain text -> `Script`: scenes with their reveal steps and narration lines.

The first `#` is the title of the video, each `##` (and `---`) begins a scene; text without headings
becomes scenes of its paragraphs. Long sections go over several pages; nothing is dropped.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from attrs import frozen

from eventflow.domain.values import MAX_SCRIPT_CHARS
from handlers.generation.control import Warned, until_stopped
from handlers.generation.errors import ScriptError
from handlers.generation.script.characters import forbidden
from handlers.generation.script.comments import without_comments
from handlers.generation.script.content import Script
from handlers.generation.script.frontmatter import MAX_TITLE_CHARS, FrontMatter, split_front_matter
from handlers.generation.script.inline import plain
from handlers.generation.script.layout import lay_out_scenes
from handlers.generation.script.markdown import parse_sections
from handlers.generation.script.merge import Filling
from handlers.generation.script.nfc import nfc
from handlers.generation.script.pagination import items_of
from handlers.generation.script.phrases import phrases_for
from handlers.generation.script.sections import Note, Section

#: Far more than 300 scenes can show.
MAX_LINES = 10_000
MAX_HEADING_CHARS = 300
MAX_NOTE_CHARS = 20_000

_NO_FIELDS: Mapping[str, str] = MappingProxyType({})


def clean(text: str) -> str:
    """`text` in NFC with plain line ends, without a byte order mark.

    Raises ScriptError when it is too long or has control characters (tab and line ends are fine).
    """
    if len(text) > MAX_SCRIPT_CHARS:
        raise ScriptError(f"the script has {len(text):,} characters; at most {MAX_SCRIPT_CHARS:,} are possible")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if match := forbidden(text):
        line = text.count("\n", 0, match.start()) + 1
        raise ScriptError(f"the script has the control character U+{ord(match[0]):04X} on line {line}")
    if (lines := text.count("\n") + 1) > MAX_LINES:
        raise ScriptError(f"the script has {lines:,} lines; at most {MAX_LINES:,} are possible")
    return nfc(text)


@frozen
class Manuscript:
    """A script that has been opened: its front matter, the Markdown below it, and what its author should know of."""

    front: FrontMatter
    body: str
    warnings: tuple[Warned, ...] = ()


def open_script(text: str) -> Manuscript:
    """The front matter of a script and its Markdown, without comments. Raises ScriptError."""
    opened = split_front_matter(clean(text))
    body, unclosed = without_comments(opened.body)
    warnings = opened.warnings
    if unclosed is not None:
        what = f"the comment that begins on line {unclosed} doesn't end, so that nothing below it is shown: write -->"
        warnings = (*warnings, Warned("comment_unclosed", what))
    return Manuscript(opened.front, body, warnings)


def parse_script(
    text: str, voice: str = "en-us", merge: Mapping[str, str] = _NO_FIELDS, aspect: str = "16:9"
) -> Script:
    """The script in `text`. Raises as `open_script` and `stage_script` do."""
    return stage_script(open_script(text), voice, merge, aspect)


def stage_script(
    manuscript: Manuscript,
    voice: str = "en-us",
    merge: Mapping[str, str] = _NO_FIELDS,
    aspect: str = "16:9",
    should_stop: Callable[[], bool] = lambda: False,
) -> Script:
    """The scenes of a script; the voice's language decides the few words we add. `merge` are the values of merge
    fields, `aspect` decides how much a page holds.

    The title of the video is that of the front matter, else the first heading. Raises ScriptError, Stopped.
    """
    filling = Filling(merge)
    sections = tuple(map(filling.section, until_stopped(parse_sections(manuscript.body), should_stop)))
    for section in sections:
        _check(section)
    title = filling.text(manuscript.front.title or "")
    if len(title) > MAX_TITLE_CHARS:
        raise ScriptError(f"the title has {len(title):,} characters; at most {MAX_TITLE_CHARS} are possible")
    return lay_out_scenes(sections, title or _deck(sections), phrases_for(voice), aspect, should_stop)


def _check(section: Section) -> None:
    heading = plain(section.heading)
    if len(heading) > MAX_HEADING_CHARS:
        raise ScriptError(
            f"the heading {heading[:40]!r}... has {len(heading):,} characters; at most {MAX_HEADING_CHARS} are possible"
        )
    if any(isinstance(block, Note) and len(block.text) > MAX_NOTE_CHARS for block in section.body):
        raise ScriptError(f"a note under {heading[:40]!r} has more than {MAX_NOTE_CHARS:,} characters: write several")
    if section.layout == "outro":
        if not heading:
            raise ScriptError("an outro begins with a heading, such as # Thank you")
        others = [block for block in section.body if not isinstance(block, Note) and block.kind != "paragraph"]
        if others:
            raise ScriptError(f"an outro has a heading and paragraphs, no {others[0].kind}: end it by ::: before that")


def _deck(sections: Sequence[Section]) -> str:
    """The title of the video: the first heading, else the beginning of the text."""
    for section in sections:
        if section.heading:
            return plain(section.heading)[:200]
    for section in sections:
        for block in section.body:
            for item in () if isinstance(block, Note) else items_of(block):
                words = plain(item.spans)
                return words if len(words) <= 60 else words[:60].rsplit(" ", 1)[0] + "…"
    return "Untitled"
