"""Request fields from files and options of the command line."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from ops.cli.common import UsageError

Format = Annotated[str | None, typer.Option(help="What the script is read as, such as document; auto decides.")]
Voices = Annotated[list[str] | None, typer.Option(help="NAME=VOICE for a speaker (may be repeated).")]
Keep = Annotated[list[str] | None, typer.Option(help="hashtags, signature or cues: keep them (may be repeated).")]

#: The API writes true and false.
_CAPTIONS = {"yes": True, "true": True, "no": False, "false": False, "burned": "burned"}
#: Members of a plan that are fields of a request.
_PLANNED = ("scenes", "title", "voice")
_KNOWN = ("version", "style", "warnings", "language", "read_as", "left_out", *_PLANNED)


Pictures = Annotated[
    list[Path] | None,
    typer.Option(
        "--pictures",
        metavar="FOLDER",
        help="Folder from which the script may show pictures, besides its own (may be repeated).",
    ),
]


def read_source(file: str) -> dict[str, Any]:
    """The request fields in a file, or in standard input for "-": a script, or scenes if it is JSON.

    Scenes are an array, a scene document, or the output of `eventflow plan` with its voice and style.
    Raises UsageError.
    """
    text = read_text(file)
    if not (file.lower().endswith(".json") or (file == "-" and text.lstrip()[:1] in ("{", "["))):
        return {"script": text}
    try:
        value = orjson.loads(text)
    except ValueError as error:
        if _has_scenes(text):
            return {"script": text}
        raise UsageError(f"{file} isn't valid JSON: {error}. A script has another ending, such as .md.") from error
    if _is_script(value):
        return {"script": text}
    if isinstance(value, list):
        return {"scenes": value}
    if not isinstance(value, dict) or "scenes" not in value:
        raise UsageError(f'{file} holds no scenes: it looks like {{"version": 1, "scenes": [...]}}.')
    unknown = sorted(value.keys() - set(_KNOWN))
    style = value.get("style", {})
    if unknown or not isinstance(style, dict):
        raise UsageError(
            f"{file} has unknown members: {', '.join(unknown) or 'style'}; available: {', '.join(_KNOWN)}."
        )
    if value.get("version", 1) != 1:
        raise UsageError(f"{file} has version {value['version']}; this program reads version 1.")
    return {name: value[name] for name in _PLANNED if name in value} | style


def _has_scenes(text: str) -> bool:
    """Whether a text that isn't JSON has scenes that the planner reads: in a fence, or with a comma too many."""
    from handlers.generation.script.shapes.scene_list import load, only_fence, scene_list

    fence = only_fence(text)
    return scene_list(load(text if fence is None else fence[0])) is not None


def _is_script(value: object) -> bool:
    """Whether JSON is a notebook, or scenes as other tools write them: the planner reads these as scripts."""
    from handlers.generation.script.shapes.scene_list import of_other_tools

    return (isinstance(value, dict) and "nbformat" in value) or of_other_tools(value)


def reading_options(format: str | None, voices: list[str], keep: list[str]) -> dict[str, Any]:
    """The request fields of the options that say how a script is read. Raises UsageError."""
    body: dict[str, Any] = {"format": format} if format else {}
    named = {}
    for pair in voices:
        speaker, equals, voice = pair.rpartition("=")
        if not equals or not speaker:
            raise UsageError(f"--voices is {pair!r}; it looks like NAME=VOICE.")
        named[speaker] = voice
    return body | ({"voices": named} if named else {}) | ({"keep": keep} if keep else {})


def style_options(
    voice: str | None = None,
    rate: float | None = None,
    theme: str | None = None,
    aspect: str | None = None,
    captions: str | None = None,
) -> dict[str, Any]:
    """The request fields of options. Raises UsageError."""
    body: dict[str, Any] = {}
    if voice == "none":
        body["voice"] = None
    elif voice or rate:
        body["voice"] = {k: v for k, v in {"name": voice, "rate": rate}.items() if v is not None}
    if captions is not None:
        if captions not in _CAPTIONS:
            raise UsageError(f"--captions {captions!r} must be yes, no or burned.")
        body["captions"] = _CAPTIONS[captions]
    return body | {name: value for name, value in (("theme", theme), ("aspect", aspect)) if value is not None}


def merge_fields(pairs: list[str]) -> dict[str, Any]:
    """The request fields of NAME=TEXT options. Raises UsageError."""
    fields = []
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise UsageError(f"--merge is {pair!r}; it looks like NAME=TEXT.")
        fields.append({"find": name, "replace": text})
    return {"merge": fields} if fields else {}


def read_text(file: str) -> str:
    """The text of a file, or of standard input for "-". Raises UsageError."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}.") from error
    # Editors of Windows begin UTF-16 with a mark.
    encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} {_not_text(data, error.start)}") from error


def _not_text(data: bytes, at: int) -> str:
    """What a file is that can't be decoded, and what to do: a document of an office program, or other bytes."""
    if data[:4] == b"PK\x03\x04":
        return "is a document of an office program or an archive; save it as plain text or Markdown."
    if data[:5] == b"%PDF-":
        return "is a PDF; copy its text into a file."
    line = data.count(b"\n", 0, at) + 1
    return f"isn't UTF-8 text (line {line}, byte {at}); save it with the encoding UTF-8."
