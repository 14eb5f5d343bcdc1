"""Reads exports of messengers: messages with a date or a time of day and a name before them, as a dialogue.

The forms of WhatsApp, Telegram, Signal, KakaoTalk, LINE, Slack and Discord. What the messenger itself says is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from handlers.generation.script.shapes.label_words import folded, listed
from handlers.generation.script.shapes.reading import LeftOut, Reading
from handlers.generation.script.shapes.turns import NO_NAMES, Talk, result_of

#: Characters of a line that are looked at for a head.
_LOOKED_AT: Final = 4_000
_DATE: Final = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\.?"
_HALF: Final = r"(?:[ \u202f\u00a0]?[ap]\.?[ \u00a0]?m\.?(?![^\W\d_]))"
_CLOCK: Final = rf"\d{{1,2}}[:.]\d{{2}}(?:[:.]\d{{2}})?{_HALF}?"
_DAY: Final = (
    r"(?:today|yesterday|heute|gestern|aujourd['’]hui|hier|hoy|ayer|hoje|ontem|oggi|ieri|vandaag|gisteren|idag|igår|"
    r"dziś|dzisiaj|wczoraj|сегодня|вчера|bugün|dün|今天|昨天|今日|昨日|오늘|어제)"
)
_AT: Final = r"(?:(?:at|um|à|a las|às|alle|om|kl\.?|o|в|saat) )?"
_HIDDEN: Final = r"[\u200e\u200f\u202a-\u202c]*+"
_DATED: Final = rf"{_HIDDEN}\[?{_DATE},?\s{{1,2}}{_AT}{_CLOCK}\]?(?:\s{{0,2}}[-–—]\s|:?\s){_HIDDEN}"
_MESSAGE: Final = re.compile(rf"{_DATED}(?P<name>[^:\n]{{1,60}}):(?:\s(?P<text>.*)|$)", re.IGNORECASE)
_SYSTEM: Final = re.compile(rf"{_DATED}(?P<text>.*)", re.IGNORECASE)
_BRACKETED: Final = re.compile(
    rf"\[(?P<name>[^\[\]\n]{{1,40}})\]\s\[(?:오전|오후|上午|下午|午前|午後)?\s?{_CLOCK}\]\s(?P<text>.*)", re.IGNORECASE
)
_TABBED: Final = re.compile(
    rf"(?:上午|下午|午前|午後)?{_CLOCK}\t(?P<name>[^\t\n]{{1,40}})\t(?P<text>.*)", re.IGNORECASE
)
#: A name and its time on a line of their own; without a day or a half of it, that is the time of a recording.
_HEAD: Final = re.compile(
    rf"(?P<name>[^\W\d_][^:\[\]()<>|\t\n]{{0,40}}?)(?:\s{{1,4}}[—–-]\s|,\s|\s{{1,4}})[\[(]?"
    rf"(?:{_DATE},?\s{_AT}{_CLOCK}|{_DAY},?\s{_AT}{_CLOCK}|\d{{1,2}}:\d{{2}}{_HALF})[\])]?:?",
    re.IGNORECASE,
)
_OMITTED: Final = "|".join(
    re.escape(word)
    for word in listed(
        "omitted|weggelassen|ausgeschlossen|nicht eingeschlossen|omis|omise|omises|absente|omitido|omitida|"
        "omitidos|oculto|ocultado|oculta|omesso|omessi|omessa|weggelaten|"
        "utelämnad|uteladt|utelatt|pominięto|vynecháno|пропущено|без медиафайлов|dahil edilmedi|eklenmedi|"
        "παραλείφθηκε|已省略|省略|생략됨|محذوف|not included|deleted|removed|gelöscht|supprimé|eliminado|"
        "apagada|eliminato"
    )
)
_PLACEHOLDER: Final = re.compile(
    rf"<[^<>\n]{{3,80}}>|(?:[^\W\d_]{{2,20}}[ -]){{1,5}}(?:{_OMITTED})\W*|"
    rf".{{0,40}}(?:message|nachricht|message a été|mensaje|mensagem|messaggio|bericht).{{0,20}}"
    rf"(?:deleted|gelöscht|supprimé|eliminó|eliminado|apagada|eliminato|verwijderd).{{0,20}}|"
    r"(?:missed|verpasster|appel|llamada|chamada|chiamata) .{0,30}(?:call|anruf|manqué|perdida|persa)\W*|"
    r"(?:사진|동영상|이모티콘|파일)\W*|\[[^\[\]\n]{1,24}\]|null",
    re.IGNORECASE,
)
_ENCRYPTED: Final = re.compile(
    r"end-to-end|ende-zu-ende|de bout en bout|de extremo a extremo|de ponta a ponta|end-to-end crittograf|"
    r"сквозн|端到端|uçtan uca",
    re.IGNORECASE,
)
_EDITED: Final = re.compile(
    r"\s?(?:<[^<>\n]{0,40}(?:edited|bearbeitet|modifié|editado|modificato)[^<>\n]{0,20}>|"
    r"\((?:edited|bearbeitet|modifié|editado)\))$"
)
_ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+")
MOST_NAMES: Final = 24
#: A time of day.
_MAY_BE: Final = re.compile(r"\d[:.]\d\d")
#: Names in records of programs, and signs of them.
_RECORDS: Final = frozenset(
    listed("info|warn|warning|error|err|debug|trace|fatal|critical|crit|notice|severe|verbose|log|audit")
)
_OF_PROGRAMS: Final = re.compile(r"[\[\]{}()/\\=<>_|$]|\w\.\w")


@frozen
class _Message:
    name: str
    text: str


def _message(line: str) -> _Message | None:
    """The message that a line begins; one without a name is the messenger's own."""
    if not _MAY_BE.search(line, 0, 80):
        return None
    text = line.strip()[:_LOOKED_AT]
    rest = line.strip()[_LOOKED_AT:]
    for pattern in (_MESSAGE, _BRACKETED, _TABBED):
        if match := pattern.fullmatch(text):
            return _Message(match["name"].strip(" ~\u200e"), (match["text"] or "").strip() + rest)
    if match := _SYSTEM.fullmatch(text):
        return _Message("", match["text"])
    if len(line) < 90 and (match := _HEAD.fullmatch(text)):
        return _Message(match["name"].strip(), "")
    return None


def is_messages(lines: Sequence[str]) -> bool:
    """Tell whether a text is an export of a messenger: 4 or more messages of people who come back, in 2 of 5 lines."""
    filled = [line for line in lines if line.strip()]
    found = [message for line in filled if (message := _message(line)) is not None and message.name]
    names = Counter(folded(message.name) for message in found)
    heads = sum(not message.text for message in found)
    if any(name in _RECORDS or name in NO_NAMES or _OF_PROGRAMS.search(name) for name in names):
        return False
    again = sum(count >= 2 for count in names.values())
    return (
        len(found) >= 4
        and 2 <= len(names) <= MOST_NAMES
        and again >= 1
        and (len(found) + heads) * 5 >= len(filled) * 2
        and len(names) * 3 <= len(found) * 2
    )


def read_messages(lines: Sequence[str]) -> Reading:
    """Read an export of a messenger."""
    talk = Talk()
    speaking = False
    for at, line in enumerate(lines):
        text = line.strip()
        if not text:
            continue
        message = _message(line)
        if message is None:
            if speaking and not _says_nothing(text):
                talk.more(text)
            elif speaking:
                talk.left.append(LeftOut.of(at + 1, text, "furniture"))
            else:
                _take_head(talk, at, text)
            continue
        said = _EDITED.sub("", message.text[-200:])
        said = message.text[:-200] + said
        if not message.name or (said and _says_nothing(said)):
            talk.left.append(LeftOut.of(at + 1, text, "address" if _ADDRESS.fullmatch(said) else "furniture"))
            continue
        talk.turn(_public(message.name), said)
        speaking = True
    talk.end()
    return result_of(talk, "dialogue")


def _says_nothing(text: str) -> bool:
    if _ADDRESS.fullmatch(text):
        return True
    return len(text) < 200 and bool(_PLACEHOLDER.fullmatch(text.strip(" \u200e")) or _ENCRYPTED.search(text))


def _take_head(talk: Talk, at: int, text: str) -> None:
    if talk.title or len(text) > 100:
        talk.left.append(LeftOut.of(at + 1, text, "furniture"))
    else:
        talk.title = text


def _public(name: str) -> str:
    """A name; of a telephone number its last digits."""
    digits = "".join(filter(str.isdigit, name))
    return f"…{digits[-3:]}" if len(digits) >= 7 and not any(map(str.isalpha, name)) else name
