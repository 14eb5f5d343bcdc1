"""Generates narration of blocks: listings are introduced, not read; formulas and tables are put into words."""

from collections.abc import Mapping

from attrs import evolve, field, frozen

from handlers.generation.script.callout_titles import callout_titles
from handlers.generation.script.content import (
    Block,
    Chart,
    Code,
    Diagram,
    Heading,
    Image,
    Math,
    Quote,
    Span,
    Spans,
    Table,
    Tone,
)
from handlers.generation.script.formula import say_math
from handlers.generation.script.formula_text import write_math
from handlers.generation.script.inline import plain
from handlers.generation.script.mermaid.read import names_of


@frozen(kw_only=True)
class Phrases:
    """The generated phrases of one language. `{}` stands for the introduced text."""

    code: str
    code_in: str
    table: str
    rows: str
    conjunction: str
    quote: str
    formula: str
    chart: str
    diagram: str
    callouts: Mapping[Tone, str] = field(factory=dict)


_PHRASES = {
    "en": Phrases(
        code="Here is the code.",
        code_in="Here it is in {}.",
        table="This table shows {}.",
        rows="Its rows are {}.",
        conjunction="and",
        quote="{} said:",
        formula="Here is the formula.",
        chart="This chart shows {}.",
        diagram="This diagram shows {}.",
        callouts=callout_titles("en"),
    ),
    "de": Phrases(
        code="Hier ist der Code.",
        code_in="So sieht es in {} aus.",
        table="Diese Tabelle zeigt {}.",
        rows="Ihre Zeilen sind {}.",
        conjunction="und",
        quote="{} sagte:",
        formula="Hier ist die Formel.",
        chart="Dieses Diagramm zeigt {}.",
        diagram="Dieses Schaubild zeigt {}.",
        callouts=callout_titles("de"),
    ),
    "fr": Phrases(
        code="Voici le code.",
        code_in="Voici le code en {}.",
        table="Ce tableau montre {}.",
        rows="Ses lignes sont {}.",
        conjunction="et",
        quote="{} a dit :",
        formula="Voici la formule.",
        chart="Ce graphique montre {}.",
        diagram="Ce schéma montre {}.",
        callouts=callout_titles("fr"),
    ),
    "es": Phrases(
        code="Este es el código.",
        code_in="Así se ve en {}.",
        table="Esta tabla muestra {}.",
        rows="Sus filas son {}.",
        conjunction="y",
        quote="{} dijo:",
        formula="Esta es la fórmula.",
        chart="Este gráfico muestra {}.",
        diagram="Este esquema muestra {}.",
        callouts=callout_titles("es"),
    ),
}

#: For languages without phrases: the author's words alone.
_BARE = Phrases(
    code="",
    code_in="",
    table="{}.",
    rows="{}.",
    conjunction="",
    quote="{}:",
    formula="",
    chart="{}.",
    diagram="{}.",
)

_LANGUAGES = {
    "python": "Python", "py": "Python", "js": "JavaScript", "javascript": "JavaScript", "ts": "TypeScript",
    "typescript": "TypeScript", "rust": "Rust", "rs": "Rust", "go": "Go", "java": "Java", "c": "C", "cpp": "C++",
    "sql": "SQL", "lua": "Lua", "sh": "the shell", "bash": "the shell", "shell": "the shell", "json": "JSON",
    "yaml": "YAML", "html": "HTML", "css": "CSS", "ruby": "Ruby", "kotlin": "Kotlin", "swift": "Swift",
}  # fmt: skip

_SPOKEN_ROWS = 5
#: Names in a diagram that are spoken: of more of them the first five and the last.
_SPOKEN_NAMES = 6


def phrases_for(voice: str) -> Phrases:
    """Return the phrases in the language of a voice such as "en-us"."""
    language = voice.split("-")[0].lower()
    return _PHRASES.get(language) or evolve(_BARE, callouts=callout_titles(language))


def say_spans(spans: Spans, phrases: Phrases) -> str:
    """Return inline text as a line of narration: as it is written, but for formulas.

    Those are put into words in English, and written as a line of text in other languages.

    What is struck out and numbers of footnotes aren't said.
    """
    english = phrases is _PHRASES["en"]
    said = []
    for span in spans:
        if span.struck or span.kind == "note":
            continue
        if span.kind == "math":
            said.append((say_math(span.text) if english else "") or write_math(span.text))
        else:
            said.append(span.text)
    return " ".join("".join(said).split())


def say_block(block: Block, phrases: Phrases) -> str:
    """Return the narration of a block that is revealed as a whole; may be empty."""
    match block:
        case Heading():
            return say_spans(block.spans, phrases)
        case Code():
            name = _LANGUAGES.get(block.language)
            return phrases.code_in.format(name) if name and phrases.code_in else phrases.code
        case Table():
            return _say_table(block, phrases)
        case Math():
            words = say_math(block.source) if phrases is _PHRASES["en"] else ""
            return f"{words[0].upper()}{words[1:]}." if words else phrases.formula
        case Quote():
            quote = say_spans(block.spans, phrases)
            source = say_spans(block.source, phrases)
            return f"{phrases.quote.format(source)} {quote}" if source else quote
        case Image():
            return block.alt
        case Chart():
            title = say_spans(block.title, phrases).rstrip(".")
            return phrases.chart.format(title) if title else ""
        case Diagram():
            return _say_diagram(block, phrases)
        case _:
            return ""


def _say_diagram(diagram: Diagram, phrases: Phrases) -> str:
    """Say the title of a diagram, else its names, in one sentence."""
    title, names = names_of(diagram)
    if not title:
        said = list(dict.fromkeys(filter(None, (say_spans((Span(name),), phrases) for name in names))))
        title = _listed(said if len(said) <= _SPOKEN_NAMES else [*said[: _SPOKEN_NAMES - 1], said[-1]], phrases)
    return phrases.diagram.format(title.rstrip(".")) if title else ""


def _listed(names: list[str], phrases: Phrases) -> str:
    if len(names) < 2 or not phrases.conjunction:
        return ", ".join(names)
    return f"{', '.join(names[:-1])} {phrases.conjunction} {names[-1]}"


def _say_table(table: Table, phrases: Phrases) -> str:
    def listed(cells: list[Spans]) -> str:
        return _listed([name for cell in cells if (name := say_spans(cell, phrases))], phrases)

    said = []
    if any(map(plain, table.header)):
        said.append(phrases.table.format(listed(list(table.header))))
    if 0 < len(table.rows) <= _SPOKEN_ROWS and (rows := listed([row[0] for row in table.rows if row])):
        said.append(phrases.rows.format(rows))
    return " ".join(said)
