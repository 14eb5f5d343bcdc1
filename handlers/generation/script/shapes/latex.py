"""Reads LaTeX: frames of Beamer are scenes, notes what is said; articles by their sections. A subset, as Markdown."""

from __future__ import annotations

import re
from typing import Final

from attrs import define, evolve, field

from handlers.generation.script.content import Said, Section
from handlers.generation.script.inline import plain
from handlers.generation.script.markdown import parse_sections
from handlers.generation.script.shapes.build import said_pieces, title_of
from handlers.generation.script.shapes.reading import LeftOut, Reading

_COMMENT: Final = re.compile(r"(?<!\\)%[^\n]*")
_TOKEN: Final = re.compile(r"\\(?:[a-zA-Z]+\*?|.)|[{}]|\$\$?|\n[ \t]*\n|&|~|---|--|``|''", re.DOTALL)
_OPTIONS: Final = re.compile(r"\s*(?:\[[^\[\]]{0,300}\]|<[^<>]{0,60}>)")
#: Braces within each other.
_DEEPEST: Final = 40
#: Characters of an argument; the braces of a longer one are passed over.
_LONGEST_ARGUMENT: Final = 20_000
_BRACE: Final = re.compile(r"\\.|[{}]", re.DOTALL)
_ACCENTS: Final = {
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    '"': "\u0308",
    "~": "\u0303",
    "c": "\u0327",
    "v": "\u030c",
    "=": "\u0304",
    "u": "\u0306",
    "r": "\u030a",
    "H": "\u030b",
    "k": "\u0328",
    ".": "\u0307",
}
_LETTERS: Final = {
    "ss": "ß",
    "ae": "æ",
    "AE": "Æ",
    "o": "ø",
    "O": "Ø",
    "aa": "å",
    "AA": "Å",
    "oe": "œ",
    "OE": "Œ",
    "l": "ł",
    "L": "Ł",
    "i": "i",
    "j": "j",
    "ldots": "…",
    "dots": "…",
    "textbackslash": "\\\\",
    "LaTeX": "LaTeX",
    "TeX": "TeX",
    "S": "§",
    "copyright": "©",
    "euro": "€",
    "pounds": "£",
    "textendash": "–",
    "textemdash": "—",
    "quad": " ",
    "qquad": " ",
    "textquestiondown": "¿",
    "textexclamdown": "¡",
    "guillemotleft": "«",
    "guillemotright": "»",
    "og": "«",
    "fg": "»",
    "glqq": "„",
    "grqq": "“",
    "textasciitilde": "~",
    "today": "",
}
#: Commands whose arguments say nothing, by the number of them.
_SILENT: Final = {
    "label": 1,
    "ref": 1,
    "cite": 1,
    "citep": 1,
    "citet": 1,
    "includegraphics": 1,
    "vspace": 1,
    "hspace": 1,
    "vspace*": 1,
    "usetheme": 1,
    "usecolortheme": 1,
    "setbeamertemplate": 2,
    "usepackage": 1,
    "bibliography": 1,
    "bibliographystyle": 1,
    "pagestyle": 1,
    "input": 1,
    "include": 1,
    "setlength": 2,
    "date": 1,
    "author": 1,
    "institute": 1,
    "logo": 1,
    "index": 1,
    "color": 1,
    "textcolor": 1,
    "fontsize": 2,
    "hypersetup": 1,
    "definecolor": 3,
    "graphicspath": 1,
    "animategraphics": 4,
    "movie": 2,
    "AtBeginSection": 1,
    "newcommand": 2,
    "renewcommand": 2,
    "setbeamercolor": 2,
    "setbeamerfont": 2,
    "titlegraphic": 1,
    "transdissolve": 0,
    "insertframenumber": 0,
    "rule": 2,
    "documentclass": 1,
}
_BOLD: Final = ("textbf", "alert", "structure", "textsc")
_ITALIC: Final = ("emph", "textit", "textsl")
_SECTIONS: Final = {
    "chapter": "##",
    "section": "##",
    "subsection": "###",
    "subsubsection": "###",
    "paragraph": "####",
    "part": "##",
}
_MATHS: Final = ("equation", "equation*", "align", "align*", "displaymath", "gather", "gather*", "multline")
_VERBATIM: Final = ("verbatim", "lstlisting", "minted", "semiverbatim")
_SPECIAL: Final = re.compile(r"[`*_\[\]<>#|]")
_QUOTES: Final = {"---": "—", "--": "–", "``": "“", "''": "”", "~": "\u00a0"}


def read_latex(text: str) -> Reading:
    """Read a document."""
    left = tuple(
        LeftOut.of(text.count("\n", 0, m.start()) + 1, m[0], "note")
        for m in list(_COMMENT.finditer(text))[:200]
        if m[0].strip("% ")
    )
    source = _COMMENT.sub("", text)
    beamer = bool(re.search(r"\\documentclass[^{]{0,200}\{beamer\}|\\begin\{frame\}|\\frame\b", source))
    writer = _Writer(source=source, beamer=beamer)
    writer.read()
    sections = tuple(section for scene in writer.scenes for section in _section(scene))
    return Reading(shape="latex", sections=sections, title=title_of(_words(writer.title)), left_out=left)


def _words(markdown: str) -> str:
    return " ".join(plain(s.heading) for s in parse_sections(f"# {markdown}") if s.heading) if markdown.strip() else ""


@define(kw_only=True)
class _Frame:
    heading: str = ""
    level: int = 2
    parts: list[str] = field(factory=list)
    notes: list[str] = field(factory=list)


def _section(frame: _Frame) -> list[Section]:
    body = re.sub(r"\n[ \t]*\n\s*", "\n\n", "".join(frame.parts)).strip()
    text = f"{'#' * frame.level} {' '.join(frame.heading.split())}\n\n{body}" if frame.heading.strip() else body
    found = list(parse_sections(text))
    if frame.notes and not found:
        found = [Section(0, (), ())]
    if not frame.notes or not found:
        return found
    said = [Said(words, pause_s=pause_s) for note in frame.notes for words, pause_s in said_pieces(note)]
    last = found[0]
    return [evolve(last, narration=tuple(said) or None), *found[1:]]


@define(kw_only=True)
class _Writer:
    """Goes through the tokens of a document once, from left to right."""

    source: str
    beamer: bool
    title: str = ""
    subtitle: str = ""
    scenes: list[_Frame] = field(factory=list)
    _at: int = 0
    _lists: list[tuple[str, int]] = field(factory=list)
    _begun: bool = False
    _ends: dict[int, int] | None = None

    def read(self) -> None:
        self._begun = "\\begin{document}" not in self.source
        self.scenes.append(_Frame(level=1))
        while self._at < len(self.source):
            self._out(self._next(0))

    def _out(self, text: str) -> None:
        if text and self._begun:
            self.scenes[-1].parts.append(text)

    def _next(self, depth: int) -> str:
        """The Markdown of what comes next: text up to a token, or the token."""
        match = _TOKEN.search(self.source, self._at)
        if match is None:
            text, self._at = self.source[self._at :], len(self.source)
            return _escaped(text)
        if match.start() > self._at:
            text, self._at = self.source[self._at : match.start()], match.start()
            return _escaped(text)
        self._at = match.end()
        token = match[0]
        if token in ("{", "}"):
            return ""
        if token in ("$", "$$"):
            return self._math(token)
        if token[0] == "\\":
            return self._command(token[1:], depth)
        if token.startswith("&"):
            return " "
        return _QUOTES.get(token, "\n\n")

    def _math(self, sign: str) -> str:
        end = self.source.find(sign, self._at, self._at + 2_000)
        if end < 0:
            return "\\$"
        inside, self._at = self.source[self._at : end], end + len(sign)
        return f"${inside.strip()}$" if sign == "$" else f"\n\n$$\n{inside.strip()}\n$$\n\n"

    def _options(self) -> None:
        while found := _OPTIONS.match(self.source, self._at):
            self._at = found.end()

    def _raw(self) -> str:
        """The source in the braces that follow; empty without any."""
        self._options()
        at = self._at
        while at < len(self.source) and self.source[at] in " \t\n" and at - self._at < 40:
            at += 1
        if self.source[at : at + 1] != "{":
            return ""
        if self._ends is None:
            self._ends = _ends_of_braces(self.source)
        start, end = at + 1, self._ends.get(at, len(self.source))
        if end == len(self.source) or end - start > _LONGEST_ARGUMENT:
            self._at = start
            return ""
        self._at = end + 1
        return self.source[start:end]

    def _argument(self, depth: int) -> str:
        raw = self._raw()
        if depth >= _DEEPEST or not raw:
            return _escaped(raw)
        inner = _Writer(source=raw, beamer=self.beamer, scenes=[_Frame()], begun=True)
        kept: list[str] = []
        while inner._at < len(raw):
            kept.append(inner._next(depth + 1))
        return "".join(kept).strip()

    def _command(self, name: str, depth: int) -> str:
        if name in "%&#$_{}":
            return "\\" + name if name in "#$_" else name
        if name in (",", ";", ":", " ", "/", "!"):
            return " " if name != "!" else ""
        if name == "\\":
            self._options()
            return " \n"
        if name in ("(", "["):
            return self._delimited(name)
        if name in _ACCENTS and not (name.isalpha() and self.source[self._at : self._at + 1] not in "{ "):
            return self._accent(name)
        if name in _LETTERS:
            self._skip_blank()
            return _LETTERS[name]
        if name == "begin":
            return self._environment(self._raw().strip(), depth)
        if name == "end":
            return self._end(self._raw().strip())
        if name in _SILENT:
            for _ in range(_SILENT[name]):
                self._raw()
            return ""
        return self._known(name, depth)

    def _known(self, name: str, depth: int) -> str:
        match name:
            case "title":
                self.title = self._argument(depth)
            case "subtitle":
                self.subtitle = self._argument(depth)
            case "frametitle":
                self.scenes[-1].heading = self._argument(depth)
            case "framesubtitle":
                return f"\n\n{self._argument(depth)}\n\n"
            case "note":
                self.scenes[-1].notes.append(self._argument(depth))
            case "titlepage" | "maketitle":
                self.scenes[-1].heading, self.scenes[-1].level = self.title, 1
                return f"\n\n{self.subtitle}\n\n"
            case "frame":
                return self._short_frame()
            case "item":
                return self._item(depth)
            case "footnote" | "caption" | "href" | "url":
                if name == "href":
                    self._raw()
                return f" ({self._argument(depth)})" if name == "footnote" else self._argument(depth)
            case _ if name.rstrip("*") in _SECTIONS:
                heading = self._argument(depth)
                if not self.beamer:
                    return f"\n\n{_SECTIONS[name.rstrip('*')]} {heading}\n\n"
            case _ if name in _BOLD or name in _ITALIC:
                words, sign = self._argument(depth), "**" if name in _BOLD else "*"
                return f"{sign}{words}{sign}" if words and "\n" not in words else words
            case "texttt" | "verb":
                return f"`{self._raw().replace('`', chr(39))}`"
            case _:
                self._options()
                self._skip_blank()
        return ""

    def _skip_blank(self) -> None:
        if self.source.startswith("{}", self._at):
            self._at += 2
        elif self.source[self._at : self._at + 1] == " ":
            self._at += 1

    def _short_frame(self) -> str:
        raw = self._raw()
        self.scenes.append(_Frame())
        inner = _Writer(
            source=raw, beamer=True, title=self.title, subtitle=self.subtitle, scenes=[self.scenes[-1]], begun=True
        )
        while inner._at < len(raw):
            inner._out(inner._next(1))
        return ""

    def _item(self, depth: int) -> str:
        label = re.compile(r"\s*(?:<[^<>]{0,60}>\s*)?(?:\[([^\[\]]{0,100})\])?").match(self.source, self._at)
        self._at = label.end() if label else self._at
        kind, number = self._lists[-1] if self._lists else ("itemize", 0)
        if self._lists:
            self._lists[-1] = (kind, number + 1)
        sign = f"{number + 1}." if kind == "enumerate" else "-"
        named = f"**{_escaped(label[1])}** " if label and label[1] else ""
        return f"\n{'    ' * max(0, len(self._lists) - 1)}{sign} {named}"

    def _environment(self, name: str, depth: int) -> str:
        if name == "document":
            self._begun = True
            return ""
        if name == "frame":
            self._options()
            self.scenes.append(_Frame(heading=self._argument(depth)))
            if self.source[self._at : self._at + 1] == "{":
                self.scenes[-1].parts.append(self._argument(depth) + "\n\n")
            return ""
        if name in ("itemize", "enumerate", "description"):
            self._options()
            self._lists.append((name, 0))
            return "\n\n" if len(self._lists) == 1 else ""
        if name in ("block", "alertblock", "exampleblock", "theorem", "definition", "example", "proof", "lemma"):
            self._options()
            heading = self._argument(depth) if name.endswith("block") else ""
            return f"\n\n**{heading}**\n\n" if heading else "\n\n"
        if name in _MATHS or name in _VERBATIM:
            return self._verbatim(name)
        if name in ("columns", "column", "minipage", "tabular", "figure", "table", "multicols"):
            self._options()
            if name in ("column", "minipage", "tabular", "multicols"):
                self._raw()
            return "\n\n"
        return "\n\n"

    def _verbatim(self, name: str) -> str:
        self._options()
        if name == "minted":
            self._raw()
        closing = f"\\end{{{name}}}"
        end = self.source.find(closing, self._at)
        end = len(self.source) if end < 0 else end
        inside, self._at = self.source[self._at : end].strip("\n"), end + len(closing)
        return f"\n\n$$\n{inside.strip()}\n$$\n\n" if name in _MATHS else f"\n\n````\n{inside}\n````\n\n"

    def _end(self, name: str) -> str:
        if name in ("itemize", "enumerate", "description") and self._lists:
            self._lists.pop()
            return "\n\n" if not self._lists else "\n"
        if name == "frame":
            self.scenes.append(_Frame())
        return "\n\n"

    def _delimited(self, sign: str) -> str:
        closing = "\\)" if sign == "(" else "\\]"
        end = self.source.find(closing, self._at, self._at + 2_000)
        if end < 0:
            return ""
        inside, self._at = self.source[self._at : end].strip(), end + 2
        return f"${inside}$" if sign == "(" else f"\n\n$$\n{inside}\n$$\n\n"

    def _accent(self, name: str) -> str:
        match = re.compile(r"\s*\{?\\?([^\W\d_])\}?").match(self.source, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[1] + _ACCENTS[name]


def _ends_of_braces(source: str) -> dict[int, int]:
    """Return where braces are closed, by where they are opened; those that aren't closed are absent."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for found in _BRACE.finditer(source):
        if found[0] == "{":
            opened.append(found.start())
        elif found[0] == "}" and opened:
            ends[opened.pop()] = found.start()
    return ends


def _escaped(text: str) -> str:
    if "\n" in text:
        first, *rest = text.split("\n")
        inner = [line.strip(" \t") for line in rest[:-1]]
        text = "\n".join([first.rstrip(" \t"), *inner, rest[-1].lstrip(" \t")])
    return _SPECIAL.sub(lambda match: "\\" + match[0], text)
