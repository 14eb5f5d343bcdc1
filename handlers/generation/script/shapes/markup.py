"""Recognises other markup, and reads it: HTML, notebooks, SSML and LaTeX; the commonest marks of other markups."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from attrs import evolve

from handlers.generation.script.content import Section
from handlers.generation.script.inline import plain
from handlers.generation.script.markdown import parse_sections
from handlers.generation.script.shapes.build import title_of
from handlers.generation.script.shapes.characters import unescaped, written
from handlers.generation.script.shapes.delivery import break_s, mark, with_marks
from handlers.generation.script.shapes.prose import finished
from handlers.generation.script.shapes.reading import NAMES, LeftOut, Reading, Shape, looks_like

_HTML: Final = re.compile(r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!doctype html|<html[\s>])", re.IGNORECASE)
_SSML: Final = re.compile(r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?<speak[\s>]", re.IGNORECASE)
_LATEX: Final = re.compile(r"^[ \t]*\\(?:documentclass\b|begin\{(?:document|frame)\})", re.MULTILINE)
_RST: Final = re.compile(r"^\.\. [\w-]{1,40}::(?:\s|$)|^\.\. _[^\n:]{1,60}:|^:[A-Z][\w -]{1,30}: \S", re.MULTILINE)
_RST_ROLE: Final = re.compile(r":[a-z:]{2,20}:`[^`\n]{1,100}`|``[^`\n]{1,100}``|`[^`\n<>]{1,100} <[^`\n<>]{1,200}>`_")
_UNDERLINED: Final = re.compile(r"^([^\s].{1,80})\n([=~^\"'*+#-])\2{2,}[ \t]*$", re.MULTILINE)
_ASCIIDOC: Final = re.compile(
    r"^(?::[\w-]{1,40}:(?:\s|$)|\[(?:source|NOTE|TIP|WARNING|quote|cols|options|%)[^\]\n]{0,80}\]|\|===|"
    r"image::|include::|-{4}$|={2,5} \S)",
    re.MULTILINE,
)
_ORG: Final = re.compile(
    r"^#\+(?:title|options|author|begin_\w{1,20}|date|startup|filetags):?", re.IGNORECASE | re.MULTILINE
)
_WIKI_LINE: Final = re.compile(
    r"^h[1-6]\. \S|^\{(?:toc|panel|info|code|noformat|note|tip|warning)[:}]|^\|\|.{1,400}\|\|", re.MULTILINE
)
_MEDIAWIKI: Final = re.compile(
    r"^(={2,5})[^=\n]{1,100}\1[ \t]*$|^\{\|.{0,100}$|\[\[(?:File|Category|Datei|Kategorie|Fichier|Archivo):|"
    r"'''[^'\n]{1,80}'''|^\{\{[^{}\n|]{1,60}[|}]",
    re.MULTILINE,
)
_WAYS: Final = {"rst": "rst", "asciidoc": "asciidoc", "org": "org", "wiki": "mediawiki"}


def decide_markup(body: str, lines: Sequence[str]) -> Reading | None:
    """Read a text in other markup; None where it isn't any."""
    shape = _shape(body, lines)
    if shape is None:
        return None
    reading = read_markup(shape, lines)
    return None if reading is None else evolve(reading, because=reading.because or (f"marks of {NAMES[shape]}",))


def is_page(text: str) -> bool:
    """Tell whether a text is HTML or SSML as a whole."""
    return bool(_HTML.match(text) or _SSML.match(text))


def _shape(body: str, lines: Sequence[str]) -> Shape | None:
    if _HTML.match(body):
        return "html"
    if _SSML.match(body):
        return "ssml"
    if body.lstrip()[:1] == "{" and '"nbformat"' in body:
        return "notebook"
    if "\\" in body and _LATEX.search(_without_fences(body)):
        return "latex"
    if "```" in body:
        return None
    if len(_WIKI_LINE.findall(body)) >= 2 and re.search(r"^h[1-6]\. ", body, re.MULTILINE):
        return "wiki"
    if re.search(r"^#{1,6} ", body, re.MULTILINE):
        return None
    if "#+" in body and _ORG.search(body):
        return "org"
    first = next((line for line in lines if line.strip()), "")
    if re.match(r"= \S", first) and len(_ASCIIDOC.findall(body)) >= 1:
        return "asciidoc"
    if (
        "==" in body
        and len(_MEDIAWIKI.findall(body)) >= 3
        and re.search(r"^(={2,5})[^=\n]{1,100}\1[ \t]*$", body, re.MULTILINE)
    ):
        return "wiki"
    if (
        _RST.search(body)
        and (_UNDERLINED.search(body) or len(_RST.findall(body)) >= 2 or _RST_ROLE.search(body))
        and ".. " in body
    ):
        return "rst"
    return None


_FENCED: Final = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)


def _without_fences(body: str) -> str:
    return _FENCED.sub("", body) if "```" in body or "~~~" in body else body


def read_markup(shape: Shape, lines: Sequence[str]) -> Reading | None:
    """Read a text as a markup; None where nothing of it can be read."""
    body = "\n".join(lines)
    match shape:
        case "html":
            from handlers.generation.script.shapes.html import read_html

            return read_html(body)
        case "notebook":
            return _notebook(body)
        case "ssml":
            return _ssml(body)
        case "latex":
            from handlers.generation.script.shapes.latex import read_latex

            return read_latex(body)
        case "rst" | "asciidoc" | "org" | "wiki":
            from handlers.generation.script.shapes.lightweight import as_markdown

            text = as_markdown(shape, lines)
            sections = parse_sections(text)
            way_out = f"if it reads wrong, convert it, for example by pandoc -f {_WAYS[shape]} -t gfm"
            warned = evolve(
                looks_like(NAMES[shape], way_out),
                message=f"this looks like {NAMES[shape]} and is read by its commonest marks; {way_out}",
            )
            return Reading(shape=shape, sections=finished(sections), title=_title(sections), warnings=(warned,))
    return None


def _title(sections: Sequence[Section]) -> str:
    return title_of(next((plain(section.heading) for section in sections if section.heading), ""))


def _notebook(body: str) -> Reading | None:
    """Cells of Markdown are text, cells of code listings; raw cells and outputs are left out."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("cells"), list):
        return None
    metadata = value.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = (
        _source(kernel.get("language") or kernel.get("name")) or "python" if isinstance(kernel, dict) else "python"
    )
    language = re.sub(r"[^a-z+#]", "", language.lower())[:20]
    parts: list[str] = []
    left: list[LeftOut] = []
    for cell in value["cells"]:
        if not isinstance(cell, dict):
            continue
        source = _source(cell.get("source"))
        if cell.get("cell_type") == "markdown":
            parts.append(source)
        elif cell.get("cell_type") == "raw" and source.strip():
            left.append(LeftOut.of(1, source, "markup"))
        elif cell.get("cell_type") == "code" and source.strip():
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", source)), default=0))
            parts.append(f"{fence}{language}\n{source}\n{fence}")
        left += [LeftOut.of(1, text, "markup") for output in _dicts(cell.get("outputs")) if (text := _output(output))]
    sections = parse_sections("\n\n".join(parts))
    return Reading(shape="notebook", sections=sections, title=_title(sections), left_out=tuple(left))


def _source(value: Any) -> str:
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    return written(value) if isinstance(value, str) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _output(output: dict[str, Any]) -> str:
    data = output.get("data")
    return _source(output.get("text")) or (_source(data.get("text/plain")) if isinstance(data, dict) else "")


_SSML_TAG: Final = re.compile(r"<(/?)([a-zA-Z][\w:-]{0,30})([^<>]{0,300})>|<!--.{0,5000}?-->", re.DOTALL)


def _ssml(body: str) -> Reading:
    """Text with pauses; what is stressed is bold, other tags say nothing."""
    kept: list[str] = []
    at = 0
    for tag in _SSML_TAG.finditer(body):
        kept.append(_escaped(unescaped(body[at : tag.start()])))
        at = tag.end()
        name, closing = (tag[2] or "").lower(), bool(tag[1])
        if name == "break":
            kept.append(mark(break_s(tag[0])))
        elif name == "emphasis":
            kept.append("**")
        elif name in ("p", "speak", "voice"):
            kept.append("\n\n")
        elif name == "s" and closing:
            kept.append(" ")
    kept.append(_escaped(unescaped(body[at:])))
    text = "\n\n".join(" ".join(part.split()) for part in re.split(r"\n[ \t]*\n", with_marks("".join(kept))))
    text = re.sub(r"\*\*\s*([^*]{1,400}?)\s*\*\*", r"**\1**", text)
    sections = finished(parse_sections(text))
    return Reading(shape="ssml", sections=sections)


_SPECIAL: Final = re.compile(r"(?<!\w)[_]|[`#]|\*")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: "\\" + match[0], text.lstrip("\n") if text.strip() == "" else text)
