"""Turns a brief into a script: scenes with reveal steps and narration lines, and the video's voice and style.

A script is Markdown or plain text with optional front matter. The first `#` is the title of the video, each `##` (and
`---`) begins a scene; text without headings becomes scenes of its paragraphs. Long sections take several pages; nothing
is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from attrs import evolve, frozen

from eventflow.domain.values import MAX_SCRIPT_CHARS, CaptionMode, PictureAsset, VideoRequest
from eventflow.requests.json_reader import forbidden
from eventflow.requests.limits import AUTO, MAX_HEADING_CHARS, MAX_TITLE_CHARS
from eventflow.requests.pictures import may_name_pictures
from handlers.generation import model
from handlers.generation.control import Warned, until_stopped
from handlers.generation.errors import ScriptError, UnknownTheme
from handlers.generation.model import Brief, Style, TextLanguage, Voice
from handlers.generation.script.comments import without_comments
from handlers.generation.script.completeness import lost_lines, warn_of
from handlers.generation.script.content import Note, Script, Section, items_of, with_look
from handlers.generation.script.contents import without_contents
from handlers.generation.script.decks import read_commands, read_slides
from handlers.generation.script.declared_languages import declared, tag_of
from handlers.generation.script.document import read_document
from handlers.generation.script.embedded_data import without_data
from handlers.generation.script.frontmatter import FrontMatter, Manuscript, split_front_matter
from handlers.generation.script.graphemes import place
from handlers.generation.script.html_decks import html_deck
from handlers.generation.script.inline import plain
from handlers.generation.script.languages import language_of, words_of
from handlers.generation.script.layout import MAX_NOTE_CHARS, lay_out_scenes
from handlers.generation.script.markdown import parse_sections, uncut_sections
from handlers.generation.script.merge import Filling
from handlers.generation.script.mermaid.read import unread_diagrams
from handlers.generation.script.nfc import nfc
from handlers.generation.script.pandoc_lines import read_pandoc_lines
from handlers.generation.script.phrases import phrases_for
from handlers.generation.script.picture_references import PictureReference, Pictures
from handlers.generation.script.sentences import cut_section
from handlers.generation.script.shapes.characters import visible
from handlers.generation.script.shapes.contacts import quiet
from handlers.generation.script.shapes.decide import decide, is_whole, read_as
from handlers.generation.script.shapes.delivery import MARKS, with_marks, without_marks
from handlers.generation.script.shapes.furniture import private_data
from handlers.generation.script.shapes.prose import finished
from handlers.generation.script.shapes.reading import NAMES, Reading
from handlers.generation.script.site_addresses import resolve_site_addresses
from handlers.generation.script.unread_lines import unread_lines
from handlers.generation.script.voice_languages import Voices, VoicesOfTags, chosen_voice, voice_warning


def brief_of(request: VideoRequest) -> model.Brief:
    """Make the brief of a request."""
    return model.Brief(
        script=request.script or None,
        voice=model.Voice(request.voice.name, request.voice.rate),
        qualities=request.quality_levels,
        scenes=request.scenes,
        topic=request.topic,
        merge={field.find: field.replace for field in request.merge},
        pictures={nfc(picture.address): picture for picture in request.pictures},
        style=model.Style(
            theme=request.theme,
            aspect=request.aspect,
            burned=request.captions is CaptionMode.BURNED,
            narrated=request.narrated,
            music=request.music,
            captions=request.captions is not CaptionMode.NONE,
        ),
        explicit_defaults=frozenset(request.explicit_defaults),
        format=request.format,
        voices={each.speaker: each.voice for each in request.voices},
        keep=frozenset(request.keep),
        language=request.voice.language,
    )


#: More lines than 300 scenes can show.
MAX_LINES = 10_000
#: Most lines that a warning names.
_MOST_NAMED = 20

_NO_FIELDS: Mapping[str, str] = MappingProxyType({})
_NO_ASSETS: Mapping[str, PictureAsset] = MappingProxyType({})
_VOICES: Voices = VoicesOfTags()


def cleaned(text: str) -> tuple[str, int]:
    """Normalise a text (NFC, line feeds as line ends); returns it, and how many invisible characters are removed.

    Raises ScriptError when it is too long, or has NUL, half a surrogate pair or noncharacters.
    """
    if len(text) > MAX_SCRIPT_CHARS:
        raise ScriptError(f"the script has {len(text):,} characters; at most {MAX_SCRIPT_CHARS:,} are possible")
    text, removed = visible(text.removeprefix("\ufeff"))
    if match := forbidden(text):
        line = text.count("\n", 0, match.start()) + 1
        raise ScriptError(f"the script has the control character U+{ord(match[0]):04X} on line {line}")
    if (lines := text.count("\n") + 1) > MAX_LINES:
        raise ScriptError(f"the script has {lines:,} lines; at most {MAX_LINES:,} are possible")
    return nfc(text), removed


def open_script(text: str) -> Manuscript:
    """Split a script into front matter and body without comments. Raises ScriptError.

    JSON and HTML have no front matter.
    """
    text, removed = cleaned(text)
    whole = is_whole(text)
    opened = Manuscript(FrontMatter(), text) if whole else split_front_matter(text)
    if slides := html_deck(text):
        opened, whole = slides, False
    deck, warnings = opened.deck, opened.warnings
    if removed:
        warnings = (*warnings, Warned("invisible_characters", f"{removed} invisible characters were removed"))
    body, unclosed = opened.body, None
    if not whole:
        body, unclosed = without_comments(body if deck is None else read_commands(body, deck))
        body = resolve_site_addresses(body)
    body, embedded = without_data(body)
    if deck is not None:
        body, left_out = read_slides(body, deck)
        warnings = (*warnings, *left_out)
    if unclosed is not None:
        message = f"the comment that begins on line {unclosed} has no end, so nothing below it is shown: write -->"
        warnings = (*warnings, Warned("comment_unclosed", message))
    body = read_pandoc_lines(body)
    return evolve(opened, body=body, warnings=(*warnings, *unread_diagrams(body)), embedded=embedded)


def pictures_of(manuscript: Manuscript, known: Mapping[str, PictureAsset] = _NO_ASSETS) -> tuple[PictureReference, ...]:
    """Return the pictures of a script that `known` has no asset for, in order. Raises ScriptError."""
    pictures = Pictures(known=known)
    parse_sections(manuscript.body, pictures)
    return tuple(pictures.missing)


def parse_script(
    text: str, voice: str = "en-us", merge: Mapping[str, str] = _NO_FIELDS, aspect: str = "16:9"
) -> Script:
    """The script in `text`. Raises as `open_script` and `stage_script` do."""
    manuscript = open_script(text)
    return lay_out_script(manuscript, read_script(manuscript), voice, merge, aspect)


def read_script(manuscript: Manuscript, shape: str = AUTO, keep: Collection[str] = ()) -> Reading:
    """Read the body of a script as `shape`, or decide what it is.

    "document" is Markdown as it stands. Raises ScriptError where nothing of the shape is in the text.
    """
    body = manuscript.body
    if shape == "document":
        return Reading(shape="document", body=body, because=("it was asked for",))
    if shape in (AUTO, "html") and manuscript.deck is not None:
        return Reading(shape="document", body=body, because=("it is a deck of slides",))
    if shape == AUTO:
        return _without_contents(decide(body, keep=keep))
    found = read_as(shape, body.split("\n"))
    if found is None or not (found.sections or found.body):
        raise ScriptError(f"nothing in the script can be read as {NAMES[shape]}: leave the format out, or set document")
    return evolve(found, because=("it was asked for",))


def _without_contents(reading: Reading) -> Reading:
    if reading.shape != "document" or reading.sections is not None:
        return reading
    body, left_out = without_contents(reading.body)
    return evolve(reading, body=body).plus(left_out) if left_out else reading


def lay_out_script(
    manuscript: Manuscript,
    reading: Reading,
    voice: str = "en-us",
    merge: Mapping[str, str] = _NO_FIELDS,
    aspect: str = "16:9",
    should_stop: Callable[[], bool] = lambda: False,
    pictures: Pictures | None = None,
    noticed: list[Warned] | None = None,
    *,
    narrated: bool = True,
    sections: Sequence[Section] | None = None,
) -> Script:
    """Lay out the scenes of a script. The voice's language chooses the phrases that introduce blocks.

    `merge` are the values of merge fields; `aspect` decides how much a page holds. The title of the video is that of
    the front matter, else that of the reading, else the first heading. `sections` are those of `read_sections`, where
    that has been called. `noticed` takes warnings. Raises ScriptError, Stopped.
    """
    filling = Filling(merge)
    found = tuple(read_sections(reading, pictures or Pictures(), noticed) if sections is None else sections)
    if reading.sections is None:
        found = tuple(cut_section(section, voice) for section in found)
        found = finished(found) if MARKS.search(reading.body) else found
        found = quiet(found)
    if noticed is not None and not narrated:
        noticed += unspoken(found)
    sections = tuple(map(filling.section, until_stopped(found, should_stop)))
    for section in sections:
        _check(section)
    title = filling.text(manuscript.front.title or reading.title)
    if len(title) > MAX_TITLE_CHARS:
        raise ScriptError(f"the title has {len(title):,} characters; at most {MAX_TITLE_CHARS} are possible")
    return lay_out_scenes(sections, title or _deck(sections), phrases_for(voice), aspect, should_stop, language=voice)


def read_sections(reading: Reading, pictures: Pictures, noticed: list[Warned] | None) -> tuple[Section, ...]:
    """Return the sections of a reading; the paragraphs of Markdown aren't cut into sentences. Raises ScriptError."""
    if reading.sections is not None:
        return reading.sections
    found = uncut_sections(reading.body, pictures, noticed)
    pictures.check()
    return found


def _lost(reading: Reading, body: str, script: Script, pictures: Pictures) -> tuple[Warned, ...]:
    """Return the warning of what is lost; readers list what they leave out on purpose."""
    if reading.shape != "document":
        return warn_of(unread_lines(without_marks(with_marks(body)), script, reading))
    source = without_marks(with_marks(body)) if MARKS.search(reading.body) else body
    accounted = (*pictures.dropped, *(each.text for each in reading.left_out))
    return warn_of(lost_lines(source, script, accounted))


def unspoken(sections: Iterable[Section]) -> tuple[Warned, ...]:
    """Return the warning of notes that nobody speaks, in a video without narration."""
    lines = [block.line for section in sections for block in section.body if isinstance(block, Note) and block.line]
    if not lines:
        return ()
    named = ", ".join(map(str, lines[:_MOST_NAMED])) + (", ..." if len(lines) > _MOST_NAMED else "")
    message = f"notes are neither shown nor said in a video without narration: line {named}"
    return (Warned("note_unspoken", message),)


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
    """Return the title of the video: the first heading, else the beginning of what is said or of the text."""
    for section in sections:
        if section.heading:
            heading = plain(section.heading)
            return heading[: place(heading, 200)]
    for section in sections:
        if isinstance(section.narration, tuple) and section.narration and section.narration[0].text:
            words = section.narration[0].text
            return words if len(words) <= 60 else words[:60].rsplit(" ", 1)[0] + "…"
    for section in sections:
        for block in section.body:
            for item in () if isinstance(block, Note) else items_of(block):
                words = plain(item.spans)
                return words if len(words) <= 60 else words[: place(words, 60)].rsplit(" ", 1)[0] + "…"
    return "Untitled"


DEFAULT_THEME = "midnight"


@frozen(kw_only=True)
class PlannedScript:
    """The scenes of a brief, in its look, with the voice and style that the brief and its front matter result in.

    `reading` is how a script was read, None for scenes. `voices` are the voices of speakers that were asked for.
    `language` is that of the text. `warnings` are for the requester.
    """

    script: Script
    voice: Voice
    style: Style
    language: TextLanguage
    reading: Reading | None = None
    voices: Mapping[str, str] = _NO_FIELDS
    warnings: tuple[Warned, ...] = ()


@frozen(kw_only=True)
class OpenedBrief:
    """A brief whose script is split into front matter and Markdown, with the resulting voice and style.

    `manuscript` is None where the brief has no script.
    """

    brief: Brief
    manuscript: Manuscript | None
    voice: Voice
    style: Style

    def check_theme(self, themes: Iterable[str]) -> None:
        """Check that the style's theme is one of `themes`. Raises UnknownTheme."""
        known = tuple(themes)
        if self.style.theme is not None and self.style.theme not in known and not self._has_foreign_theme:
            raise UnknownTheme(self.style.theme, known)

    @property
    def _has_foreign_theme(self) -> bool:
        """Tell whether the theme is that of front matter of another tool."""
        manuscript = self.manuscript
        return manuscript is not None and manuscript.foreign and self.style.theme == manuscript.front.theme

    def _settled(self, themes: Sequence[str]) -> tuple[Style, tuple[Warned, ...]]:
        """Return the style with a theme that there is, and a warning of another tool's. Raises UnknownTheme."""
        self.check_theme(themes)
        theme = self.style.theme
        if theme is None or theme in themes:
            return self.style, ()
        message = (
            f"the theme {theme!r} in the front matter is another tool's and ignored; available: {', '.join(themes)}"
        )
        return evolve(self.style, theme=None), (Warned("front_matter_keys", message),)

    def pictures(self) -> tuple[PictureReference, ...]:
        """Return the script's pictures without an asset. Raises ScriptError."""
        manuscript = self.manuscript
        if manuscript is None or not may_name_pictures(manuscript.body):
            return ()
        return pictures_of(manuscript, self.brief.pictures)

    def check_pictures(self, refused: Mapping[str, str]) -> None:
        """Check that there is an asset for each picture; `refused` says why there is none. Raises PicturesMissing."""
        pictures = Pictures(refused=refused)
        pictures.missing += self.pictures()
        pictures.check()

    def plan(
        self,
        themes: Iterable[str],
        voices: Voices = _VOICES,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> PlannedScript:
        """Lay out the brief's script or document. Raises ScriptError, DocumentError, UnknownTheme, Stopped.

        The language of the voice decides the phrases that introduce blocks; where nobody names a voice, it is one of
        the language of the text.
        """
        if self.brief.scenes is not None:
            planned = self._plan_scenes(self.brief.scenes, voices, should_stop)
        elif self.manuscript is not None:
            planned = self._plan_script(self.manuscript, voices, should_stop)
        else:
            raise ScriptError("the explainer pipeline needs a script or scenes")
        style, foreign = self._settled(tuple(themes))
        return evolve(
            planned,
            script=with_look(planned.script, style.theme or DEFAULT_THEME, self.style.aspect),
            style=style,
            warnings=(*foreign, *planned.warnings),
        )

    def _plan_scenes(self, scenes: str, voices: Voices, should_stop: Callable[[], bool]) -> PlannedScript:
        merge, aspect, spoken = self.brief.merge, self.style.aspect, voices.language(self.voice.name)
        script = read_document(scenes, spoken, merge, aspect, should_stop)
        words = language_of(line.text for scene in script.scenes for line in scene.lines)
        found = self._declared("", "") or words
        voice, warnings = self._voice_for(found, words, voices)
        if (language := voices.language(voice.name)) != spoken:
            script = read_document(scenes, language, merge, aspect, should_stop)
        return PlannedScript(
            script=script,
            voice=voice,
            style=self.style,
            language=found,
            voices=self.brief.voices,
            warnings=warnings,
        )

    def _plan_script(self, manuscript: Manuscript, voices: Voices, should_stop: Callable[[], bool]) -> PlannedScript:
        pictures, noticed, front = Pictures(known=self.brief.pictures), list[Warned](), manuscript.front
        shape = front.format or AUTO if self.brief.format == AUTO else self.brief.format
        reading = read_script(manuscript, shape, {*self.brief.keep, *front.keep})
        sections = read_sections(reading, pictures, noticed)
        words = language_of(words_of(sections))
        found = self._declared(reading.shape, manuscript.body) or words
        voice, of_voice = self._voice_for(found, words, voices)
        script = lay_out_script(
            manuscript,
            reading,
            voices.language(voice.name),
            self.brief.merge,
            self.style.aspect,
            should_stop,
            pictures,
            noticed,
            narrated=self.style.narrated,
            sections=sections,
        )
        noticed += (*reading.warnings, *private_data(tuple(reading.texts)), *pictures.warnings)
        lost = _lost(reading, manuscript.body, script, pictures)
        return PlannedScript(
            script=script,
            voice=voice,
            style=self.style,
            language=found,
            reading=reading,
            voices={**front.voices, **self.brief.voices},
            warnings=(*manuscript.warnings, *of_voice, *noticed, *lost),
        )

    def _declared(self, shape: str, body: str) -> TextLanguage | None:
        """Return the language that the request, the front matter or the text itself names."""
        if self.brief.language:
            return TextLanguage(tag=tag_of(self.brief.language), sure=True, because="the request says so")
        front = self.manuscript.front if self.manuscript else None
        if front is not None and front.language:
            because = f"`{front.language_key}` in its front matter says so"
            return TextLanguage(tag=front.language, sure=True, because=because)
        return declared(shape, body)

    def _voice_for(self, found: TextLanguage, words: TextLanguage, voices: Voices) -> tuple[Voice, tuple[Warned, ...]]:
        """Return the voice of a text in the language `found`; `words` is that of its words alone."""
        voice, warnings = self.voice, tuple[Warned, ...]()
        named = self.brief.names_voice or (self.manuscript is not None and self.manuscript.front.voice is not None)
        if not named:
            voice, warnings = chosen_voice(voice, found, voices)
        if not self.style.narrated:
            return voice, ()
        if not warnings and not self.brief.language:
            warnings = voice_warning(voice, found, voices) or voice_warning(voice, words, voices)
        return voice, warnings


def open_brief(brief: Brief) -> OpenedBrief:
    """Split the front matter off the brief's script, once for checks and planning alike. Raises ScriptError."""
    if brief.scenes is not None or brief.script is None:
        return OpenedBrief(brief=brief, manuscript=None, voice=brief.voice, style=brief.style)
    manuscript = open_script(brief.script)
    voice, style = with_front_matter(brief, manuscript.front)
    return OpenedBrief(brief=brief, manuscript=manuscript, voice=voice, style=style)


def plan_brief(
    brief: Brief,
    themes: Iterable[str],
    voices: Voices = _VOICES,
    should_stop: Callable[[], bool] = lambda: False,
) -> PlannedScript:
    """Open a brief and plan it; see `OpenedBrief.plan`."""
    return open_brief(brief).plan(themes, voices, should_stop)


def with_front_matter(brief: Brief, front: FrontMatter) -> tuple[Voice, Style]:
    """Merge a brief with front matter, which replaces defaults, except explicit ones (decision 86)."""
    explicit, usual, plain = brief.explicit_defaults, Voice(), Style()
    voice, style = brief.voice, brief.style
    if front.voice is not None and voice.name == usual.name and "voice.name" not in explicit:
        voice = evolve(voice, name=front.voice)
    if front.rate is not None and voice.rate == usual.rate and "voice.rate" not in explicit:
        voice = evolve(voice, rate=front.rate)
    if front.narrated is not None and style.narrated and "voice" not in explicit:
        style = evolve(style, narrated=front.narrated)
    if front.theme is not None and style.theme is None and "theme" not in explicit:
        style = evolve(style, theme=front.theme)
    if front.aspect is not None and style.aspect == plain.aspect and "aspect" not in explicit:
        style = evolve(style, aspect=front.aspect)
    if front.music is not None and style.music is None and "music" not in explicit:
        style = evolve(style, music=front.music or None)
    unsaid = style.captions and not style.burned and "captions" not in explicit
    if front.captions is not None and unsaid:
        style = evolve(style, captions=front.captions != "none", burned=front.captions == "burned")
    return voice, style
