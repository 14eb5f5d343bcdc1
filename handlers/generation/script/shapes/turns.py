"""Reads dialogues and transcripts: turns of named speakers, and lines with times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from attrs import define, evolve, field, frozen

from handlers.generation.script.content import Block, Note, Paragraph, Section, Sentence, Span
from handlers.generation.script.inline import parse_inline, plain
from handlers.generation.script.shapes.build import cut_sentences, heading_of, title_of, with_cuts
from handlers.generation.script.shapes.delivery import is_delivery, pieces
from handlers.generation.script.shapes.label_words import folded, listed
from handlers.generation.script.shapes.lines import bare, clock_s, read_line
from handlers.generation.script.shapes.reading import LeftOut, Reading, Shape

#: Words before a colon that aren't names of speakers: those of notes, fields of forms, days.
NO_NAMES: Final = frozenset(
    listed(
        "note|notes|warning|warnings|caution|danger|important|tip|tips|hint|example|examples|usage|author|"
        "authors|date|time|place|version|license|licence|source|sources|see|todo|fix|fixes|"
        "feature|features|change|changes|type|default|returns|return|parameters|args|raises|subject|to|"
        "from|cc|bcc|re|fw|fwd|sent|reply-to|in|on|at|with|without|pros|cons|pro|con|"
        "input|output|before|after|price|size|name|email|e-mail|phone|tel|fax|address|url|link|links|"
        "website|location|status|owner|created|updated|summary|result|results|step|steps|"
        "title|topic|agenda|attendees|present|absent|minutes|decision|action|actions|duration|length|"
        "ingredients|method|serves|yield|http|https|ps|p.s.|nb|n.b.|fig|figure|table|"
        "short answer|long answer|short|long|true|false|yes|no|advantages|disadvantages|problem|solution|"
        "cause|effect|symptom|remedy|goal|goals|reason|added|removed|changed|fixed|deprecated|security|"
        "chapter|section|part|page|level|score|points|total|monday|tuesday|wednesday|thursday|friday|"
        "saturday|sunday|morning|afternoon|evening|breakfast|lunch|dinner|"
        "hinweis|achtung|warnung|wichtig|tipp|beispiel|datum|zeit|ort|betreff|von|an|quelle|quellen|siehe|"
        "vorteil|vorteile|nachteil|nachteile|preis|größe|name|telefon|adresse|beschluss|ergebnis|"
        "kurz|lang|vorher|nachher|problem|lösung|ursache|zutaten|zubereitung|zweck|ziel|leitung|anwesend|"
        "protokoll|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|morgens|mittags|abends|"
        "kurzantwort|"
        "remarque|attention|important|astuce|conseil|exemple|date|heure|lieu|objet|de|à|source|avantages|"
        "avantage|inconvénients|inconvénient|prix|taille|nom|adresse|décision|résultat|problème|avant|"
        "après|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|"
        "nota|notas|aviso|atención|importante|consejo|ejemplo|fecha|hora|lugar|asunto|para|fuente|ventajas|"
        "desventajas|precio|tamaño|nombre|dirección|decisión|resultado|problema|solución|antes|después|"
        "lunes|martes|miércoles|jueves|viernes|sábado|domingo|respuesta corta|"
        "atenção|dica|exemplo|data|local|assunto|fonte|vantagens|desvantagens|preço|tamanho|nome|endereço|"
        "decisão|ação|solução|depois|presentes|ausentes|segunda|terça|quarta|quinta|sexta|"
        "attenzione|consiglio|esempio|luogo|oggetto|vantaggi|svantaggi|prezzo|misura|indirizzo|decisione|"
        "risultato|soluzione|prima|dopo|lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|"
        "ingredienti|preparazione|"
        "opmerking|let op|voorbeeld|datum|tijd|plaats|onderwerp|bron|voordelen|voordeel|nadelen|nadeel|"
        "prijs|naam|adres|kort antwoord|lang antwoord|kort|lang|besluit|maandag|dinsdag|woensdag|donderdag|"
        "vrijdag|zaterdag|zondag|"
        "obs|varning|viktigt|exempel|tid|plats|ämne|källa|fördelar|nackdelar|pris|namn|adress|beslut|uwaga|"
        "ważne|wskazówka|przykład|data|czas|miejsce|temat|źródło|zalety|wady|cena|imię|adres|decyzja|"
        "poznámka|pozor|důležité|příklad|čas|místo|předmět|zdroj|výhody|nevýhody|cena|jméno|adresa|"
        "rozhodnutí|примечание|внимание|важно|совет|пример|дата|время|место|тема|источник|плюсы|минусы|"
        "цена|имя|адрес|решение|"
        "not|dikkat|uyarı|önemli|ipucu|örnek|tarih|saat|yer|konu|kaynak|fiyat|ad|adres|karar|σημείωση|"
        "προσοχή|παράδειγμα|ημερομηνία|ώρα|τόπος|θέμα|πηγή|τιμή|όνομα|διεύθυνση|απόφαση|"
        "ملاحظة|تنبيه|مهم|مثال|التاريخ|الوقت|المكان|الموضوع|المصدر|السعر|الاسم|العنوان|नोट|चेतावनी|उदाहरण|"
        "दिनांक|तारीख|समय|स्थान|विषय|स्रोत|मूल्य|नाम|पता|注意|备注|提示|例如|例|时间|地点|主题|来源|价格|"
        "姓名|地址|日期|"
        "注|備考|日時|場所|件名|出典|価格|名前|住所|日付|참고|주의|예|시간|장소|주제|출처|가격|이름|주소|날짜"
    )
)
QUESTION: Final = frozenset(
    listed(
        "q|question|f|frage|fråga|pregunta|p|pergunta|domanda|d|vraag|v|pytanie|otázka|вопрос|soru|s|"
        "ερώτηση|س|سؤال|प्रश्न|问|問|质问|質問|질문|문"
    )
)
ANSWER: Final = frozenset(
    listed(
        "a|answer|antwort|svar|respuesta|r|resposta|risposta|réponse|antwoord|odpowiedź|o|odpověď|ответ|"
        "cevap|c|απάντηση|ج|جواب|إجابة|उत्तर|答|回答|答え|답변|답"
    )
)

_CLOCK: Final = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_SECONDS: Final = r"\d{1,5}(?:\.\d{1,3})?s?"
_STAMP: Final = re.compile(
    rf"[\[(<]?\s*(?:(?P<clock>{_CLOCK})(?:\s*(?:-->|->|→|[-–—])\s*{_CLOCK})?|"
    rf"(?P<seconds>{_SECONDS})\s*(?:-->|->|→|[-–—])\s*{_SECONDS})\s*[\])>]?\s*(?:[-–—|:]\s+)?"
)
#: A name and a time on a line of their own.
_NAME_TIME: Final = re.compile(
    rf"(?P<name>[^\W\d_][^:\[\](){{}}<>|]{{0,50}}?)\s*[,:]?[ \t|–—-]{{1,8}}[\[(]?(?P<clock>{_CLOCK})[\])]?\s*:?"
)
_TIME_NAME: Final = re.compile(
    rf"[\[(]?(?P<clock>{_CLOCK})[\])]?[ \t|–—-]{{1,8}}(?P<name>[^\W\d_][^:：.!?\[\](){{}}<>|]{{0,40}}?)\s*:?"
)
_TURN: Final = re.compile(
    r"(?:\[(?P<bracket>[^\[\]\n:]{1,40})\]\s*:?|(?P<name>[^\W_](?:[^:：\[\]【】()（）.!?。！？|<>\n/\\=]|\.(?=[\w ]))"
    r"{0,40}?)\s{0,3}(?:[(（\[](?P<stamp>[^()（）\[\]]{0,40})[)）\]])?\s{0,2}[:：]|"
    r"(?P<bar>[A-Z][\w]{0,15})\|)\s*(?P<text>.*)"
)
_TIMED_HEAD: Final = re.compile(
    r"(?P<time>\d{1,2}:\d{2}(?::\d{2})?)\s+(?:From|Von|De|Da)\s+"
    r"(?P<name>[^:]{1,40}?)(?:\s+to\s+[^:]{1,40})?\s*:\s*(?P<text>.*)"
)
_ENDS_SENTENCE: Final = re.compile(r"[.!?…。！？؟।\"”»)]\s*$")
MOST_SPEAKERS: Final = 8
#: The speaker of what has a voice of its own and no name on the page.
UNNAMED: Final = " "


@frozen
class _Turn:
    """What a named speaker says on a line."""

    name: str
    text: str


_MAY_BE_TURN: Final = re.compile(r"^\W{0,8}(?:[^\W_][^:：\n]{0,60}[:：]|\d|\w{1,16}\|)|^\W{0,6}\[|\d[\])]?\s?:?\s*$")


def _turn_of(line: str) -> _Turn | None:
    """The turn that a line begins, with times removed."""
    if not _MAY_BE_TURN.search(line[:200]):
        return None
    text = bare(line)
    if stamp := _STAMP.match(text):
        if stamp.end() == len(text):
            return None
        text = text[stamp.end() :].lstrip()
    if sent := _TIMED_HEAD.fullmatch(text):
        return _Turn(sent["name"].strip(), sent["text"].strip())
    match = _TURN.fullmatch(text[:4_000])
    if match is None:
        return None
    name = (match["bracket"] or match["name"] or match["bar"] or "").strip()
    if match["bracket"] and (is_delivery(name) or not match["text"]):
        return None
    if not name or len(name.split()) > 4 or (name[0].isalpha() and name[0].islower() and not match["bracket"]):
        return None
    return _Turn(name, match["text"].strip() + text[4_000:])


@frozen(kw_only=True)
class TurnSigns:
    """The signs of turns in a text, counted in lines that aren't blank.

    `names` has the number of turns of each name; `ended`: turns that end a sentence; `continued`: further lines of
    turns. `stamped`: lines that begin with a time; `alone`: times on lines of their own; `headed`: names with a time on
    lines of their own; `rising`: no time is before the one above it; `first_s`: the first time. `again` is the largest
    number of turns of a name under one heading.
    """

    names: Counter[str]
    turns: int = 0
    ended: int = 0
    continued: int = 0
    stamped: int = 0
    alone: int = 0
    headed: int = 0
    lines: int = 0
    rising: bool = True
    again: int = 0
    first_s: float = 0.0


def turn_signs(lines: Sequence[str]) -> TurnSigns:
    """Count the turns and times of a text."""
    names: Counter[str] = Counter()
    turns = ended = stamped = alone = headed = count = continued = 0
    times: list[float] = []
    in_turn = False
    under: Counter[str] = Counter()
    again = 0
    for line in lines:
        text = line.strip()
        if text.startswith("#"):
            under.clear()
        if not text:
            in_turn = False
            continue
        count += 1
        if not _MAY_BE_TURN.search(text[:200]):
            continued += in_turn and text[0] not in "#|>" and text[:2] not in ("- ", "* ")
            continue
        if match := _STAMP.match(text):
            times.append(clock_s(match["clock"]) if match["clock"] else float(match["seconds"].rstrip("s")))
            bracketed = text[0] in "[(" or "->" in match[0] or "→" in match[0]
            if match.end() == len(text):
                alone += 1
            elif bracketed or match["clock"]:
                stamped += 1
        elif (head := _NAME_TIME.fullmatch(text)) and len(text) < 80:
            headed += 1
            times.append(clock_s(head["clock"]))
        if (turn := _turn_of(line)) is not None:
            name = folded(turn.name)
            if name not in NO_NAMES:
                names[name] += 1
                under[name] += 1
                again = max(again, under[name])
                turns += 1
                ended += (bool(_ENDS_SENTENCE.search(turn.text[-8:])) and " " in turn.text) or _wide(turn.text) >= 4
                in_turn = True
                continue
        continued += in_turn and not text.startswith(("#", "|", "- ", "* ", ">"))
    rising = all(a <= b for a, b in pairwise(times)) if times else False
    return TurnSigns(
        names=names, turns=turns, ended=ended, stamped=stamped, alone=alone, headed=headed, lines=count,
        continued=continued, rising=rising, again=again, first_s=times[0] if times else 0.0,
    )  # fmt: skip


def _wide(text: str) -> int:
    return sum(ord(character) > 0x2E80 for character in text[:40])


def is_transcript(signs: TurnSigns) -> bool:
    """Tell whether a text is a transcript: most of its lines have times that rise from the beginning on."""
    timed = signs.stamped + 2 * (signs.alone + signs.headed)
    marks = signs.stamped + signs.alone + signs.headed
    return marks >= 3 and timed >= 0.5 * signs.lines and signs.rising and signs.first_s < 120


def is_dialogue(signs: TurnSigns) -> bool:
    """Tell whether a text is a dialogue: 2 to 8 names with two turns or more each, in most of its lines.

    Where nobody has two turns under the same heading, the text is notes of what each did.
    """
    repeated = {name: count for name, count in signs.names.items() if count >= 2}
    turns = sum(repeated.values())
    if not 2 <= len(repeated) <= MOST_SPEAKERS or turns < 4 or len(signs.names) > len(repeated) + 2:
        return False
    if signs.again < 2 or signs.turns - turns > max(1, turns // 5):
        return False
    return turns + signs.continued >= 0.5 * signs.lines and signs.ended >= 0.5 * signs.turns


def half_dialogue(signs: TurnSigns) -> bool:
    """Tell whether a text has half of what makes a dialogue."""
    repeated = [count for count in signs.names.values() if count >= 2]
    return len(repeated) >= 2 and sum(repeated) >= 0.25 * max(signs.lines, 8) and signs.ended >= 0.5 * signs.turns


@define(kw_only=True)
class Talk:
    """Collects turns."""

    blocks: list[Block | Note] = field(factory=list)
    left: list[LeftOut] = field(factory=list)
    title: str = ""
    _name: str = ""
    _texts: list[str] = field(factory=list)

    def turn(self, name: str, text: str) -> None:
        self.end()
        self._name = name
        self.more(text)

    def more(self, text: str) -> None:
        if text.strip():
            self._texts.append(text.strip())

    def end(self, *, rows: bool = False) -> None:
        """Add the turn that has been collected."""
        parts = self._texts if rows else [" ".join(self._texts)] if self._texts else []
        found = [sentence for part in parts for sentence in _sentences(part, whole=rows)]
        if found:
            self.blocks.append(Paragraph(tuple(found), speaker=self._name, rows=rows))
        self._texts = []


def _sentences(text: str, *, whole: bool = False) -> Iterator[Sentence]:
    """The sentences of a turn with their pauses, without delivery tags."""
    found: list[Sentence] = []
    for piece, pause_s in pieces(text):
        spans = parse_inline(piece)
        parts = (spans,) if whole and spans else cut_sentences(spans)
        found += [Sentence(part) for part in parts if any(map(str.isalnum, plain(part)))]
        if found and pause_s:
            found[-1] = evolve(found[-1], pause_s=pause_s)
    return iter(with_cuts(found))


_HEAD_WORDS: Final = listed(
    "transcript|transcription|transkript|transkription|transcripción|transcrição|trascrizione|transkrypcja|"
    "přepis|транскрипт|расшифровка|стенограмма|döküm|transkripsiyon|απομαγνητοφώνηση|النص|नोट|文字记录|"
    "文字稿|字幕|文字起こし|스크립트|녹취록|transcriptie|afskrift|"
    "summary keywords|speakers|show transcript|hide transcript|search in video|"
    "follow along using the transcript|transcribed by otter|webvtt|utskrift"
)
_MACHINE: Final = re.compile(
    r"(?:detected|detecting) language|language probability|transcribed (?:by|with|automatically)|"
    r".{0,40}\baccuracy may vary|(?:this )?(?:transcript|transcription)? ?(?:was |is )?"
    r"(?:auto-?|automatically |machine[ -])(?:generated|transcribed|created)|"
    r"automatisch (?:transkribiert|erstellt)|automatische transkription|transcription automatique|"
    r"transcrit automatiquement|transcripción automática|transcrito automáticamente|transcrição automática|"
    r"trascrizione automatica|automatisch getranscribeerd|"
    r"автоматическая расшифровка|自动(?:转写|生成)|自動(?:文字起こし|生成)|자동 생성|https?://|"
    r"(?:started|stopped) (?:transcription|recording)|.*\b(?:started|stopped) transcription\b|"
    r"hat die transkription (?:gestartet|beendet)|"
    r".*-\d{8}_\d{6}|recording(?:$| (?:started|stopped|in progress))|"
    r"whisper(?:$|[ -](?:v\d|large|medium|small|base|tiny|model))|loading model|duration:|"
    r"\d{1,3}\s?[hm]\s?\d{1,2}\s?[ms]?$|"
    r".*meeting recording|.*hat die Transkription.*|.*a (?:démarré|arrêté) la transcription.*|"
    r".*(?:inició|detuvo) la transcripción.*",
    re.IGNORECASE,
)
_DATE: Final = re.compile(
    r"(?:\w{3,10},?\s)?(?:\w{3,12}\.?\s\d{1,2}(?:st|nd|rd|th)?,?\s\d{4}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|"
    r"\d{4}-\d{2}-\d{2}|\d{1,2}\.?\s\w{3,12}\s\d{4}).{0,40}"
)


def read_turns(lines: Sequence[str], signs: TurnSigns, shape: Shape) -> Reading:
    """Read a dialogue or a transcript."""
    names = (
        {name for name, count in signs.names.items() if count >= 2 or shape == "transcript"}
        if is_dialogue(signs) or shape == "dialogue"
        else set()
    )
    if shape == "transcript" and not names:
        names = {
            name
            for name, count in signs.names.items()
            if count >= 2 and 2 <= len(signs.names) <= MOST_SPEAKERS + 4 and name not in NO_NAMES
        }
    talk = Talk()
    begun = keywords = False
    for at, line in enumerate(lines):
        text = line.strip()
        if not text or re.fullmatch(r"[-*_=]{3,}", text):
            keywords = False
            continue
        head = _NAME_TIME.fullmatch(bare(text)) if signs.headed >= 3 and len(text) < 80 else None
        first = (
            _TIME_NAME.fullmatch(text)
            if signs.headed == 0
            and signs.alone == 0
            and len(text) < 60
            and shape == "transcript"
            and signs.stamped >= 3
            and _names_speaker(text, names)
            else None
        )
        turn = _turn_of(text)
        stamp = _STAMP.match(bare(text))
        if named := head or first:
            begun = True
            talk.turn(named["name"].strip(), "")
        elif turn is not None and folded(turn.name) in names and not (begun is False and _is_head(text)):
            begun = True
            talk.turn(turn.name, _without_dash(turn.text))
        elif stamp and shape == "transcript":
            begun = True
            rest = _without_dash(bare(text)[stamp.end() :])
            _stamped(talk, rest, names)
        elif not begun:
            keywords = _take_head(talk, at, text, keywords)
        elif not _left_out(talk, at, text):
            talk.more(bare(text))
    talk.end()
    return result_of(talk, shape)


def _left_out(talk: Talk, at: int, text: str) -> bool:
    """Leave out a line between turns that is a tool's, a heading or a cue; tell whether it is left out."""
    if _MACHINE.match(text):
        talk.left.append(LeftOut.of(at + 1, text, "furniture"))
    elif text.startswith("#"):
        talk.end()
        talk.left.append(LeftOut.of(at + 1, text, "label"))
    elif text[0] in "[(（【*_" and is_delivery(text.strip("[]()（）【】*_ ")):
        pass
    elif text[0] in "[(（【*" and text[-1] in "])）】*" and (cue := read_line(text)).kind in ("sound", "visual", "cut"):
        talk.left.append(LeftOut.of(at + 1, text, "sound" if cue.kind == "sound" else "direction"))
    else:
        return False
    return True


def _names_speaker(text: str, names: set[str]) -> bool:
    """Tell whether a line is a time and one of the names."""
    match = _TIME_NAME.fullmatch(text)
    return match is not None and folded(match["name"].strip()) in names


def _without_dash(text: str) -> str:
    return text.removeprefix("- ")


def _stamped(talk: Talk, rest: str, names: set[str]) -> None:
    inner = _turn_of(rest) if rest else None
    if inner is not None and folded(inner.name) in names:
        talk.turn(inner.name, inner.text)
    else:
        talk.more(rest)


def _is_head(text: str) -> bool:
    return bool(_MACHINE.match(text)) or folded(text.rstrip(":")) in _HEAD_WORDS


def _take_head(talk: Talk, at: int, text: str, keywords: bool) -> bool:
    """A line above the first turn: the title, or left out. Returns whether the next line belongs to this one."""
    words = bare(text)
    if folded(words.rstrip(" :：")) in _HEAD_WORDS:
        talk.left.append(LeftOut.of(at + 1, text, "label"))
        return True
    if keywords or _MACHINE.match(words) or _DATE.fullmatch(words) or talk.title or len(words) > 200:
        talk.left.append(LeftOut.of(at + 1, text, "furniture"))
    else:
        talk.title = words
    return False


def result_of(talk: Talk, shape: Shape) -> Reading:
    """Return the reading of collected turns, under their title."""
    title = title_of(talk.title)
    blocks = _answered(talk.blocks) if shape == "dialogue" else talk.blocks
    speakers = tuple(dict.fromkeys(b.speaker for b in talk.blocks if isinstance(b, Paragraph) and b.speaker))
    sections: list[Section] = []
    if title:
        sections.append(Section(1, heading_of(title), ()))
    if isinstance(blocks, list):
        sections.append(Section(0, (), tuple(blocks)))
    else:
        sections += blocks
    return Reading(
        shape=shape,
        sections=tuple(s for s in sections if s.heading or s.body),
        title=title,
        left_out=tuple(talk.left),
        speakers=speakers,
    )


def _answered(blocks: list[Block | Note]) -> list[Block | Note] | tuple[Section, ...]:
    """Make a section of each question of an interview: its heading is the question, its answer has no name.

    Other dialogues are returned unchanged.
    """
    names = {folded(b.speaker) for b in blocks if isinstance(b, Paragraph)}
    if not (len(names) == 2 and names & QUESTION and names & ANSWER):
        return blocks
    sections: list[Section] = []
    heading: tuple[Span, ...] = ()
    said: list[Block | Note] = []
    for block in blocks:
        if not isinstance(block, Paragraph):
            continue
        if folded(block.speaker) in QUESTION:
            if heading or said:
                sections.append(Section(2, heading, tuple(said)))
            heading = (Span(" ".join(plain(s.spans) for s in block.sentences)),)
            said = []
        else:
            said.append(evolve(block, speaker=UNNAMED))
    sections.append(Section(2, heading, tuple(said)))
    return tuple(sections)
