"""From a brief to a script and how it looks and sounds: front matter, merge fields, and what the request insists on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import evolve, frozen

from handlers.generation.control import Warned
from handlers.generation.errors import ScriptError, UnknownTheme
from handlers.generation.model import Brief, Style, Voice
from handlers.generation.script.content import Script
from handlers.generation.script.document import read_document, with_look
from handlers.generation.script.frontmatter import FrontMatter
from handlers.generation.script.script import open_script, stage_script

DEFAULT_THEME = "midnight"


@frozen
class Planned:
    """`script` has its look; `voice` and `style` are those of the brief, filled up from the script's front matter.

    `warnings` are what its author should know of."""

    script: Script
    voice: Voice
    style: Style
    warnings: tuple[Warned, ...] = ()


def plan_brief(
    brief: Brief,
    themes: Iterable[str],
    language: Callable[[str], str] = str,
    should_stop: Callable[[], bool] = lambda: False,
) -> Planned:
    """The script that a brief holds. Raises ScriptError, DocumentError, UnknownTheme, Stopped.

    `language` tells the language of a voice by its name, for the few words that we add.
    """
    warnings: tuple[Warned, ...] = ()
    if brief.scenes is not None:
        voice, style = brief.voice, brief.style
        script = read_document(brief.scenes, language(voice.name), brief.merge, style.aspect, should_stop)
    elif brief.script is not None:
        manuscript = open_script(brief.script)
        voice, style = with_front_matter(brief, manuscript.front)
        warnings = manuscript.warnings
        script = stage_script(manuscript, language(voice.name), brief.merge, style.aspect, should_stop)
    else:
        raise ScriptError("the explainer pipeline needs a script or scenes")
    check_theme(style, themes)
    return Planned(with_look(script, style.theme or DEFAULT_THEME, style.aspect), voice, style, warnings)


def front_matter(script: str) -> FrontMatter:
    """The front matter of a script. Raises ScriptError."""
    return open_script(script).front


def check_theme(style: Style, themes: Iterable[str]) -> None:
    """Raises UnknownTheme."""
    known = tuple(themes)
    if style.theme is not None and style.theme not in known:
        raise UnknownTheme(style.theme, known)


def with_front_matter(brief: Brief, front: FrontMatter) -> tuple[Voice, Style]:
    """What the brief says, and where it says the default, the front matter, unless the brief insists."""
    insisted, usual, plain = brief.insisted, Voice(), Style()
    voice, style = brief.voice, brief.style
    if front.voice is not None and voice.name == usual.name and "voice.name" not in insisted:
        voice = evolve(voice, name=front.voice)
    if front.rate is not None and voice.rate == usual.rate and "voice.rate" not in insisted:
        voice = evolve(voice, rate=front.rate)
    if front.narrated is not None and style.narrated and "voice" not in insisted:
        style = evolve(style, narrated=front.narrated)
    if front.theme is not None and style.theme is None and "theme" not in insisted:
        style = evolve(style, theme=front.theme)
    if front.aspect is not None and style.aspect == plain.aspect and "aspect" not in insisted:
        style = evolve(style, aspect=front.aspect)
    if front.music is not None and style.music is None and "music" not in insisted:
        style = evolve(style, music=front.music or None)
    unsaid = style.captions and not style.burned and "captions" not in insisted
    if front.captions is not None and unsaid:
        style = evolve(style, captions=front.captions != "none", burned=front.captions == "burned")
    return voice, style
