"""Pages of a quiz: the question, its options as rows, and the answer, which comes last and after a silence to think."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import evolve

from handlers.generation.script.content import Block, Bullet, Bullets, Paragraph, Sentence
from handlers.generation.script.inline import parse_inline
from handlers.generation.script.shapes.delivery import mark

#: Silence before an answer, in seconds.
THINK_S: Final = 2.0
_OPTION: Final = re.compile(r"\s*\(?([A-Ha-h])[.)]\s+(\S.*)")
_NUMBERED: Final = (
    r"(?:Q?(?P<number>\d{1,3})[.):]|(?:question|frage|pregunta|domanda|pergunta|vraag|fråga|pytanie|otázka|"
    r"вопрос|soru|ερώτηση)\s"
    r"(?P<named>\d{1,3})[.:)]?)"
)
_QUESTION: Final = re.compile(rf"{_NUMBERED}\s+(?P<text>\S.*)", re.IGNORECASE)
_ANSWERS: Final = (
    r"(?:(?:the )?(?:correct |right )?answer|(?:richtige )?antwort|lösung|(?:bonne )?réponse|"
    r"respuesta(?: correcta)?|resposta(?: certa| correta)?|risposta(?: corretta| esatta)?|"
    r"(?:juiste )?antwoord|(?:rätt )?svar|odpowiedź|(?:správná )?odpověď|(?:правильный )?ответ|"
    r"(?:doğru )?cevap|(?:σωστή )?απάντηση|الجواب|الإجابة|उत्तर|答案|正解|答え|정답)"
)
_ANSWER: Final = re.compile(rf"(?P<label>{_ANSWERS}\s?[:：]\s*)(?P<text>.*)", re.IGNORECASE)
_LETTER: Final = re.compile(r"\(?([A-Ha-h])[.)]?\s*[.!]?")
_MARKED_ANSWER: Final = re.compile(
    rf"\s{{0,8}}(?:[-*+>]\s)?\s{{0,3}}[*_|]{{0,3}}{_ANSWERS}[*_|]{{0,3}}\s?[:：]", re.IGNORECASE
)
_MARKED_QUESTION: Final = re.compile(rf"\s{{0,3}}(?:#{{1,6}}\s)?[*_]{{0,3}}(?:{_NUMBERED}|Q\d?[:.])\s", re.IGNORECASE)


def is_question(line: str) -> bool:
    """Tell whether a line is a numbered question, or text that could be one."""
    return bool(_QUESTION.match(line.strip()))


def is_answer(line: str) -> bool:
    """Tell whether a line gives the answer to a question."""
    return bool(_ANSWER.match(line.strip()))


def is_quiz(groups: Sequence[Sequence[str]]) -> bool:
    """Tell whether paragraphs are a quiz: two or more questions, with options or answers."""
    groups = with_answers(groups)
    asked = [g for g in groups if is_question(g[0]) and ("?" in g[0] or any(map(is_answer, g[1:])))]
    optioned = any(sum(bool(_OPTION.match(line)) for line in group) >= 2 for group in groups)
    return len(asked) >= 2 and (optioned or any(is_answer(line) for group in groups for line in group))


def with_answers(groups: Sequence[Sequence[str]]) -> list[list[str]]:
    """The paragraphs of a quiz: options and an answer below a question belong to it."""
    found: list[list[str]] = []
    asked = False
    for group in groups:
        if is_question(group[0]):
            found.append(list(group))
            asked = True
        elif asked and (is_answer(group[0]) or all(map(_OPTION.match, group))):
            found[-1] += group
        else:
            found.append(list(group))
            asked = False
    return found


def page_of(group: Sequence[str]) -> list[Block]:
    """The blocks of a question's page."""
    asked = _QUESTION.match(group[0].strip())
    text = asked["text"] if asked else group[0].strip()
    number = int(asked["number"] or asked["named"]) if asked else None
    options: dict[str, str] = {}
    others: list[str] = []
    answer: list[str] = []
    for line in (each.strip() for each in group[1:]):
        if option := _OPTION.match(line):
            options[option[1].upper()] = option[2]
        elif answer or is_answer(line):
            answer.append(line)
        elif options:
            others.append(line)
        else:
            text = f"{text} {line}"
    question = Bullet(parse_inline(text), number=number)
    rows = [*(f"{letter}) {words}" for letter, words in options.items()), *others]
    shown = [Sentence(spans) for row in rows if (spans := parse_inline(row))]
    if answer and shown:
        shown[-1] = evolve(shown[-1], pause_s=THINK_S)
    elif answer:
        question = evolve(question, pause_s=THINK_S)
    answered = [Sentence(spans) for line in _answer_lines(answer, options) if (spans := parse_inline(line))]
    paragraphs = (Paragraph(tuple(part), rows=True) for part in (shown, answered) if part)
    return [*([Bullets((question,))] if question.spans else []), *paragraphs]


def _answer_lines(answer: Sequence[str], options: dict[str, str]) -> list[str]:
    """The lines of an answer; one that is the letter of an option has its words, too."""
    if not answer:
        return []
    match = _ANSWER.match(answer[0])
    letter = _LETTER.fullmatch(match["text"]) if match else None
    words = options.get(letter[1].upper()) if letter else None
    first = f"{match['label'].rstrip()} {letter[1].upper()}, {words}" if match and letter and words else answer[0]
    return [first, *answer[1:]]


def with_time_to_think(body: str) -> str:
    """Markdown with marks of silence before the answers of a quiz: two or more, each below a numbered question."""
    lines = body.split("\n")
    answers = [at for at, line in enumerate(lines) if len(line) < 400 and _MARKED_ANSWER.match(line)]
    if len(answers) < 2 or sum(bool(_MARKED_QUESTION.match(line[:40])) for line in lines) < 2:
        return body
    filled = -1
    wanted = set(answers)
    in_fence = False
    for at, line in enumerate(lines):
        in_fence ^= line.lstrip().startswith(("```", "~~~"))
        if at in wanted and filled >= 0 and not in_fence:
            lines[filled] = lines[filled].rstrip() + mark(THINK_S)
        if line.strip() and not in_fence and line.lstrip()[:1] not in "|`~" and not line.lstrip().startswith("<"):
            filled = at
    return "\n".join(lines)
