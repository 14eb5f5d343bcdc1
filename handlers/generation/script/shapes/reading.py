"""The result of reading a text: its shape and why, its sections, the lines that are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from attrs import Factory, evolve, field, frozen

from eventflow.requests.limits import FORMATS
from handlers.generation.control import Warned
from handlers.generation.script.content import Note, Section, items_of
from handlers.generation.script.inline import plain

#: One of `SHAPES`.
Shape = str
SHAPES: Final[tuple[Shape, ...]] = FORMATS[1:]

#: How messages name shapes.
NAMES: Final[Mapping[str, str]] = {
    "document": "a document",
    "plain": "plain text",
    "video_script": "a video script",
    "scene_list": "a list of scenes",
    "screenplay": "a screenplay",
    "dialogue": "a dialogue",
    "transcript": "a transcript",
    "subtitles": "subtitles",
    "slides": "an outline of slides",
    "thread": "a thread of posts",
    "verse": "verse",
    "html": "HTML",
    "latex": "LaTeX",
    "rst": "reStructuredText",
    "asciidoc": "AsciiDoc",
    "org": "Org",
    "wiki": "wiki markup",
    "ssml": "SSML",
    "notebook": "a notebook",
}

#: Why a line is neither shown nor said.
Why = Literal[
    "chat",
    "direction",
    "sound",
    "fact",
    "tags",
    "address",
    "label",
    "unlabelled",
    "furniture",
    "markup",
    "note",
    "contents",
]

#: Characters of a line that `left_out` repeats.
MAX_SHOWN_CHARS: Final = 200


@frozen
class LeftOut:
    """A line of the text, counted from 1, that is neither shown nor said, and why."""

    line: int
    text: str
    why: Why

    @classmethod
    def of(cls, line: int, text: str, why: Why) -> LeftOut:
        """Make one of a line of any length."""
        text = text.strip()
        return cls(line, text if len(text) <= MAX_SHOWN_CHARS else text[: MAX_SHOWN_CHARS - 1] + "…", why)


@frozen(kw_only=True)
class Reading:
    """How a text is read.

    `because` are the reasons for `shape`; `sure` is False where the text was read as a document in doubt. `sections`
    None: `body` is Markdown. `title` may be empty. `facts` are what the text says of the video: "description", "tags",
    "wished_s". `speakers` are in order of appearance.
    """

    shape: Shape
    sure: bool = True
    because: tuple[str, ...] = ()
    sections: tuple[Section, ...] | None = None
    body: str = ""
    title: str = ""
    left_out: tuple[LeftOut, ...] = ()
    facts: Mapping[str, str] = field(default=Factory(dict))
    speakers: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()

    @property
    def texts(self) -> Iterator[str]:
        """All texts on pages, which may have private addresses in them."""
        if self.sections is None:
            yield self.body
        for section in self.sections or ():
            yield plain(section.heading)
            for block in section.body:
                if isinstance(block, Note):
                    yield block.text
                    continue
                for item in items_of(block):
                    yield plain(item.spans)

    def plus(self, left_out: tuple[LeftOut, ...] = (), warnings: tuple[Warned, ...] = ()) -> Reading:
        """Add what is left out, in the order of lines, and warnings."""
        ordered = tuple(sorted((*self.left_out, *left_out), key=lambda each: each.line))
        return evolve(self, left_out=ordered, warnings=(*self.warnings, *warnings))


def looks_like(what: str, way_out: str) -> Warned:
    """Warn that a text may be of another shape than it is read as."""
    return Warned("looks_like", f"this looks like {what} and is read as a document; {way_out}")
