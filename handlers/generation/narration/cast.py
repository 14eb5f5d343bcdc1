"""Gives the speakers of a script voices of one language, the same ones for the same script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, frozen

from handlers.generation.control import Warned
from handlers.generation.narration.narrators.base import VoiceInfo
from handlers.generation.script.content import Line, Script


@frozen
class Cast:
    """A script whose lines name the voices of their speakers; `warning` where several share one."""

    script: Script
    warning: Warned | None = None


def cast_voices(script: Script, voice: str, wanted: Mapping[str, str], known: Sequence[VoiceInfo]) -> Cast:
    """Give each speaker a voice in order of appearance: the first the video's, the others further ones of its language.

    A blank name is that of one who answers the narrator, in another voice. `wanted` are voices by the names of
    speakers, whatever their case; `known` are the voices there are.
    """
    speakers = list(dict.fromkeys(line.speaker for scene in script.scenes for line in scene.lines if line.speaker))
    asked = {name.casefold(): each for name, each in wanted.items()}
    given = {name: asked[name.casefold()] for name in speakers if name.casefold() in asked}
    others = _others(voice, known, set(given.values()))
    alone: list[str] = []
    for name in speakers:
        if name in given:
            continue
        if voice not in given.values() and name.strip():
            given[name] = voice
        elif (following := next(others, None)) is not None:
            given[name] = following
        else:
            given[name] = voice
            alone.append(name)

    def spoken(line: Line) -> Line:
        return evolve(line, voice=line.voice or given.get(line.speaker, ""))

    scenes = tuple(evolve(scene, lines=tuple(map(spoken, scene.lines))) for scene in script.scenes)
    return Cast(evolve(script, scenes=scenes), _one_voice(voice, speakers) if alone else None)


def _others(voice: str, known: Sequence[VoiceInfo], taken: set[str]) -> Iterator[str]:
    """Further voices of the same narrator and language: those of the same region first, then by name."""
    own = next((info for info in known if info.name == voice), None)
    if own is None:
        return
    language = own.language.split("-")[0]
    alike = [
        info
        for info in known
        if info.narrator == own.narrator and info.language.split("-")[0] == language and info.name != voice
    ]
    for info in sorted(alike, key=lambda info: (info.language != own.language, info.name)):
        if language != "und" and info.name not in taken:
            yield info.name


def _one_voice(voice: str, speakers: Sequence[str]) -> Warned:
    named = ", ".join(name for name in speakers[:10] if name.strip())
    message = f"there are too few voices of the language of {voice}: some of {named} share one; give them voices"
    return Warned("one_voice", message)
