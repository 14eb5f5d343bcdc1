"""Reads threads: posts that are numbered `1/` or `1/7`, a scene each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from handlers.generation.script.content import Paragraph, Section, Sentence
from handlers.generation.script.inline import parse_inline, plain
from handlers.generation.script.shapes.build import cut_sentences, heading_of, title_of
from handlers.generation.script.shapes.label_words import listed
from handlers.generation.script.shapes.lines import bare
from handlers.generation.script.shapes.reading import LeftOut, Reading, Why

_POST: Final = re.compile(r"[(\[]?(\d{1,2})\s?(?:/\s?(\d{0,2})|⁄(\d{0,2}))[)\].:]?(?:\s+|$)(.*)")
_TAGS: Final = re.compile(r"(?:[#@＃][^\s#＃@]{1,60}[\s,]*+)++")
_CREDITS: Final = "|".join(
    map(
        re.escape,
        listed(
            "by|a thread by|thread by|written by|posted by|via|author|photo|photos|credit|credits|von|"
            "ein thread von|geschrieben von|foto|fotos|text|par|un fil de|écrit par|crédit|por|un hilo de|"
            "escrito por|autor|"
            "autora|uma thread de|di|scritto da|da|door|een draad van|av|en tråd av|skrivet av|af|"
            "skrevet af|skrevet av|kirjoittanut|przez|autorka|od|napsal|napsala|автор|от|від|yazan|από|"
            "بقلم|作者|著者|글"
        ),
    )
)
#: Who wrote it, by a handle: "by @ida", "(@ida)", "Ida Holm | @ida".
_BY: Final = re.compile(
    rf"[\W_]{{0,3}}(?:(?:{_CREDITS})\s?[:：]?\s?|[^\W\d_][\w .'-]{{0,40}}(?: [|·–—-] |\())?"
    rf"\(?@[\w.]{{2,30}}\)?(?:(?: ?[·|,&] ?| )@[\w.]{{2,30}}){{0,5}}\W{{0,3}}",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+|[\w.-]{1,60}\.(?:com|org|net|example)/\S*")
_THREAD: Final = re.compile(
    r"[.,!?:]?\s*(?:a|ein|un|eine|une|uma|um|en|een)?\s*(?:short |quick )?"
    r"(?:thread|faden|fil|hilo|fio|draad|tråd|wątek|vlákno|тред|ветка|zincir|νήμα)\s*[:.]?\s*\W*$",
    re.IGNORECASE,
)
_SIGNS: Final = re.compile(r"\s*[🧵👇⬇↓🔽⤵️\ufe0f]+\s*$")


def _number(line: str) -> tuple[int, str] | None:
    text = bare(line)
    if match := _POST.fullmatch(text):
        return int(match[1]), match[4].strip()
    return None


def is_thread(lines: Sequence[str]) -> bool:
    """Tell whether a text is a thread: three or more posts whose numbers count up by one."""
    numbers = [
        found[0] for line in lines if "/" in line[:12] or "⁄" in line[:12] if (found := _number(line)) is not None
    ]
    if len(numbers) < 3 or numbers[0] > 2:
        return False
    return all(following == number + 1 for number, following in pairwise(numbers))


def read_thread(lines: Sequence[str]) -> Reading:
    """Read a thread: numbers, tags, handles and addresses on lines of their own are left out."""
    left: list[LeftOut] = []
    head: list[str] = []
    posts: list[list[str]] = []
    tags: list[str] = []
    for at, line in enumerate(lines):
        text = line.strip()
        if not text or re.fullmatch(r"[-*_=]{3,}", text):
            if posts and posts[-1] and posts[-1][-1]:
                posts[-1].append("")
            continue
        if found := _number(text):
            posts.append([])
            text = found[1]
            if not text:
                continue
        why = _left_out(text)
        if why is not None:
            left.append(LeftOut.of(at + 1, text, why))
            tags += [word.strip("#＃,") for word in text.split() if word[0] in "#＃"] if why == "tags" else []
        else:
            (posts[-1] if posts else head).append(_without_end(_SIGNS, bare(text)))
    title, opening = _opening(head)
    sections = []
    for number, post in enumerate(posts):
        body = tuple(_paragraphs(post))
        heading = heading_of(opening) if number == 0 and opening else ()
        if body or heading:
            sections.append(Section(2 if heading else 0, heading, body))
    facts = {"tags": ", ".join(tags)} if tags else {}
    return Reading(
        shape="thread",
        sections=tuple(sections),
        title=title_of(title or _first(posts)),
        left_out=tuple(left),
        facts=facts,
    )


def _left_out(text: str) -> Why | None:
    if _TAGS.fullmatch(text) or _BY.fullmatch(text):
        return "tags"
    return "address" if _ADDRESS.fullmatch(text) else None


def _opening(head: Sequence[str]) -> tuple[str, str]:
    """The title and what is shown above the first post, without "A thread"."""
    text = _without_end(_THREAD, " ".join(head)).strip()
    if text and text[-1].isalnum():
        text += "." if " ".join(head).startswith(text + ".") else ""
    return text, text


#: Characters at the end of a text that are looked at for signs of a thread.
_END_CHARS: Final = 80


def _without_end(pattern: re.Pattern[str], text: str) -> str:
    """A text without a match of `pattern` in its last characters."""
    text = text.rstrip()
    return text[:-_END_CHARS] + pattern.sub("", text[-_END_CHARS:])


def _first(posts: Sequence[Sequence[str]]) -> str:
    for post in posts:
        for text in post:
            for part in cut_sentences(parse_inline(text)):
                return plain(part)[:100]
    return ""


def _paragraphs(post: Sequence[str]) -> list[Paragraph]:
    found: list[Paragraph] = []
    texts: list[str] = []
    for text in (*post, ""):
        if text:
            texts.append(text)
        elif texts:
            parts = cut_sentences(parse_inline(" ".join(texts)))
            found.append(Paragraph(tuple(map(Sentence, parts))))
            texts = []
    return [paragraph for paragraph in found if paragraph.sentences]
