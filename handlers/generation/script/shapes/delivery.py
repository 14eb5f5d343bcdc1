"""Pauses and delivery in the text of a voice: `[pause 2s]`, `(beat)`, `<break time="1s"/>`, `[laughs]`, `(whispering)`.

A tag is a bracket or parenthesis with nothing else in it. In Markdown, pauses are kept as marks through parsing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from eventflow.requests.limits import LONGEST_PAUSE_S
from handlers.generation.script.shapes.label_words import folded, listed

#: Silence of a pause without a length, in seconds.
PAUSE_S: Final = 0.7
SHORT_PAUSE_S: Final = 0.4
LONG_PAUSE_S: Final = 1.5

_PAUSES: Final = listed(
    "pause|short pause|long pause|pauses|beat|silence|wait|break|pausa|silencio|silêncio|silenzio|attesa|"
    "stille|kurze pause|pauze|stilte|paus|tystnad|taukoa|tauko|cisza|pauza|"
    "ticho|odmlka|пауза|тишина|молчание|duraklama|sessizlik|es|παύση|σιωπή|توقف|وقفة|صمت|सन्नाटा|विराम|"
    "रुकें|停顿|停頓|暂停|静音|静默|间|間|ま|沈黙|ポーズ|"
    "잠시 멈춤|멈춤|침묵|휴지|잠깐 멈춤|un temps|temps|silence radio|mezza pausa|kort paus|kort pause|"
    "lille pause|short beat|long beat|a beat|one beat|dramatic pause|krótka pauza|"
    "pauza dramatyczna|kısa es|kısa duraklama|короткая пауза|длинная пауза|small pause|brief pause|"
    "pause for effect|kunstpause|sprechpause|kurze stille|breve pausa|pausa breve|pausa corta|"
    "pausa curta|pausa larga|pausa longa|pausa lunga|petite pause|courte pause|longue pause|pause courte|"
    "korte pauze|短暂停顿|稍停|一拍|短い間|少し間|짧은 멈춤|짧은 정적|정적|وقفة قصيرة|صمت قصير|μικρή παύση|"
    "krátká pauza|विराम (छोटा)"
)
_SHORT: Final = (
    "short",
    "kurz",
    "courte",
    "petite",
    "breve",
    "corta",
    "curta",
    "kort",
    "lille",
    "krótk",
    "krátk",
    "kısa",
    "корот",
    "brief",
    "small",
    "短",
    "稍",
    "少し",
    "짧",
    "قصير",
    "μικρ",
)
_LONG: Final = ("long", "lang", "longue", "larga", "longa", "lunga", "длин", "长", "長", "dług", "dlouh", "uzun")

_DELIVERY: Final = frozenset(
    listed(
        "laughs|laugh|laughing|laughter|chuckles|chuckle|chuckling|giggles|giggle|giggling|sighs|sigh|"
        "sighing|whispers|whisper|whispering|whispered|excited|excitedly|"
        "enthusiastic|enthusiastically|warm|warmly|soft|softly|gently|calm|calmly|sad|sadly|happy|happily|"
        "angry|angrily|serious|seriously|playful|playfully|"
        "crosstalk|cross talk|inaudible|unintelligible|music|applause|clapping|cheering|cheers|gasps|gasp|"
        "breathes|breath|inhales|exhales|deep breath|coughs|cough|"
        "clears throat|clearing throat|sniffs|groans|grunts|snorts|shouts|shouting|yells|screams|singing|"
        "sings|hums|humming|smiling|smiles|smile|nods|nodding|"
        "uv_break|lbreak|oral|curious|curiously|sarcastic|sarcastically|dramatic|dramatically|nervous|"
        "nervously|cheerful|cheerfully|thoughtful|thoughtfully|slowly|quickly|"
        "slow|fast|louder|loud|quietly|quiet|beaming|crying|sobbing|confident|confidently|friendly|firm|"
        "firmly|surprised|amused|deadpan|under breath|"
        "upbeat|emphatic|with emphasis|emphasis|tender|tenderly|reflective|mysterious|mischievously|"
        "conspiratorial|lowers voice|voice breaking|laughing softly|laughs softly|smiling voice|"
        "smile in voice|"
        "background noise|noise|static|phone rings|door opens|door closes|door slams|no audio|blank_audio|"
        "blank audio|speaking foreign language|foreign language|"
        "lacht|lachen|lachend|gelächter|schmunzelt|kichert|seufzt|flüstert|flüsternd|leise|laut|beifall|"
        "applaus|musik|begeistert|ernst|ruhig|fröhlich|räuspert sich|hustet|atmet tief ein|lächelt|"
        "unverständlich|nachdenklich|warm|sanft|aufgeregt|traurig|"
        "rire|rires|rit|en riant|soupir|soupire|chuchote|en chuchotant|applaudissements|musique|"
        "enthousiaste|calme|sourire|inaudible|tousse|doucement|souriant|avec enthousiasme|tristement|"
        "risas|risa|ríe|se ríe|riendo|suspira|suspiro|susurra|susurrando|aplausos|música|entusiasmado|"
        "con entusiasmo|en voz baja|sonríe|inaudible|tose|emocionado|serio|triste|suave|suavemente|"
        "risos|risada|risadas|ri|rindo|suspiro|sussurra|sussurrando|aplausos|animado|em voz baixa|sorri|"
        "inaudível|sorrindo|com entusiasmo|"
        "ride|risate|risata|ridendo|sospira|sospiro|sussurra|sussurrando|applausi|musica|entusiasta|"
        "sottovoce|sorride|sorridendo|tossisce|incomprensibile|"
        "lacht|gelach|zucht|fluistert|fluisterend|applaus|muziek|enthousiast|zachtjes|glimlacht|onverstaanbaar|"
        "skratt|skrattar|suckar|viskar|viskande|applåder|musik|entusiastiskt|ler|ohörbart|mjukt|latter|ler|"
        "griner|sukker|hvisker|klapsalver|bifald|nauraa|naurua|huokaa|kuiskaa|"
        "śmiech|śmieje się|wzdycha|westchnienie|szeptem|szepcze|brawa|oklaski|muzyka|z entuzjazmem|cicho|"
        "uśmiecha się|kaszle|niezrozumiałe|ciepło|"
        "smích|směje se|povzdech|vzdychne|šeptem|šeptá|potlesk|hudba|nadšeně|tiše|usmívá se|kašle|nesrozumitelné|"
        "смех|смеётся|смеется|смеются|вздыхает|вздох|шёпотом|шепотом|шепчет|аплодисменты|музыка|"
        "с энтузиазмом|тихо|улыбается|кашляет|неразборчиво|радостно|грустно|сміх|сміється|зітхає|пошепки|"
        "оплески|музика|"
        "güler|gülüyor|gülerek|gülüşmeler|kahkaha|iç çeker|iç çeker|fısıldar|fısıldayarak|alkış|alkışlar|"
        "müzik|heyecanla|sessizce|gülümser|öksürür|anlaşılmıyor|"
        "γέλια|γελάει|γελώντας|αναστενάζει|ψιθυρίζει|ψιθυριστά|χειροκρότημα|χειροκροτήματα|μουσική|"
        "με ενθουσιασμό|χαμογελά|"
        "يضحك|تضحك|ضحك|ضحكات|يتنهد|تتنهد|همسا|يهمس|تهمس|تصفيق|موسيقى|بحماس|بهدوء|يبتسم|तालियाँ|हँसी|हंसी|"
        "हँसता है|हँसते हुए|फुसफुसाते हुए|संगीत|उत्साह से|"
        "笑|大笑|轻笑|笑声|叹气|叹息|低声|轻声|掌声|鼓掌|音乐|激动|兴奋|严肃|微笑|咳嗽|耳语|听不清|（笑）|"
        "笑い|苦笑|ため息|ささやき|小声で|小声|拍手|音楽|興奮して|微笑む|咳|聞き取れず|"
        "웃음|웃으며|웃는다|한숨|속삭이며|속삭임|박수|음악|흥분해서|미소|기침|차분하게|밝게|들리지 않음|"
        "cười|tertawa|râde|nevet|smiech|smeje sa"
    )
)

#: Words of which one in a bracket says that music is heard: "[upbeat music fades]".
_MUSIC: Final = frozenset(
    listed(
        "music|musik|musique|música|musica|muziek|musikk|musiikki|muzyka|hudba|музыка|музика|müzik|μουσική|موسيقى|संगीत"
        "|sfx|jingle|soundtrack"
    )
)
_MOST_MUSIC_WORDS: Final = 6

_SECONDS: Final = (
    r"(?P<{0}>\d{{1,5}}(?:[.,]\d{{1,3}})?)"
    r"\s*(?P<{0}unit>ms|milliseconds?|msec|seconds?|secs?|sek(?:unden?)?|secondes?|"
    r"segundos?|secondi?|seg|sn|saniye|сек(?:унд[аы]?)?|с|秒|초|s)?"
)
_IN_TAG: Final = re.compile(
    rf"(?P<word>[^\d\[\]()]{{1,24}}?)[\s:：=,–-]*{_SECONDS.format('a')}\.?|"
    rf"{_SECONDS.format('b')}\.?\s*(?P<behind>\D{{1,24}})",
    re.IGNORECASE,
)
_BREAK_TIME: Final = re.compile(r"\btime\s*=\s*[\"']?(\d{1,5}(?:\.\d{1,3})?)\s*(ms|s)", re.IGNORECASE)
_STRENGTHS: Final = {
    "none": 0.0,
    "x-weak": 0.2,
    "weak": 0.3,
    "medium": PAUSE_S,
    "strong": 1.0,
    "x-strong": LONG_PAUSE_S,
}
_BREAK_STRENGTH: Final = re.compile(r"\bstrength\s*=\s*[\"']?([a-z-]{1,10})", re.IGNORECASE)

_TAG: Final = re.compile(
    r"<break\b[^<>]{0,80}>|\[([^\[\]()\n]{1,40})\](?![(\[:])|[(（]([^()（）\[\]\n]{1,40})[)）]|"
    r"【([^【】\n]{1,24})】|\{\{\s*(pause[^{}\n]{0,20})\}\}|"
    r"\*(?<![\w*]\*)([^*\n]{1,30})\*(?![\w*])",
    re.IGNORECASE,
)

#: Marks of a pause within parsed text: its tenths of a second in digits between two noncharacters.
BEGIN, END = "\ufdd0", "\ufdd1"
#: The end of a row.
ROW: Final = "\ufdd2"
MARKS: Final = re.compile("[\ufdd0-\ufdd2]")
_MARKED: Final = re.compile(f"{BEGIN}(\\d{{1,3}}){END}")
_GONE: Final = re.compile(f"^{BEGIN}\\d{{1,3}}{END} ?| ?{BEGIN}\\d{{1,3}}{END}")


def pause_of(inside: str) -> float | None:
    """Return the seconds of a pause from the text inside a tag; None where it is none."""
    text = folded(inside.strip(" .…!*_"))
    if text in _PAUSES:
        return _without_number(text)
    match = _IN_TAG.fullmatch(text)
    if match is None:
        return None
    word = (match["word"] or match["behind"]).strip(" :：=,–-")
    if word not in _PAUSES:
        return None
    number, unit = (match["a"], match["aunit"]) if match["a"] else (match["b"], match["bunit"])
    seconds = float(number.replace(",", "."))
    if unit and unit.lower().startswith(("ms", "milli")):
        seconds /= 1000
    return min(seconds, LONGEST_PAUSE_S)


def _without_number(text: str) -> float:
    if any(word in text for word in _SHORT):
        return SHORT_PAUSE_S
    return LONG_PAUSE_S if any(word in text for word in _LONG) else PAUSE_S


def is_delivery(inside: str) -> bool:
    """Tell whether the text inside a tag says how something is spoken, or what is heard with it."""
    text = folded(inside.strip(" .…!*_-♪♫"))
    if not text:
        return True
    if text in _DELIVERY:
        return True
    parts = re.split(r"\s*[,;/&]\s*|\s+(?:and|und|et|y|e|en|och|i|a|и|ve)\s+", text)
    return 1 < len(parts) <= 3 and all(part in _DELIVERY for part in parts)


def _is_cue(tag: re.Match[str]) -> bool:
    """Tell whether a tag is one of delivery. In square brackets, any few words with one of music are."""
    inside = _inside(tag)
    if is_delivery(inside):
        return True
    words = folded(inside).split() if tag[0].startswith("[") else []
    return len(words) <= _MOST_MUSIC_WORDS and any(word.strip(".,;:!♪♫") in _MUSIC for word in words)


def break_s(tag: str) -> float:
    """Return the seconds of a `<break>` of SSML, by its time or its strength."""
    if time := _BREAK_TIME.search(tag):
        return min(float(time[1]) / (1000 if time[2].lower() == "ms" else 1), LONGEST_PAUSE_S)
    strength = _BREAK_STRENGTH.search(tag)
    return _STRENGTHS.get(strength[1].lower(), PAUSE_S) if strength else PAUSE_S


#: A tag, or code within a line, in which nothing is one.
_TAG_OR_CODE: Final = re.compile(rf"`[^`\n]{{1,200}}`|{_TAG.pattern}", re.IGNORECASE)
_FENCE: Final = re.compile(r"[ \t>]{0,12}(`{3,}|~{3,})")


def _outside_fences(text: str) -> Iterator[tuple[str, bool]]:
    """Cut Markdown into runs of lines: (text, whether tags in it count)."""
    if "```" not in text and "~~~" not in text:
        yield text, True
        return
    run: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and not fence:
            yield "".join(run), True
            run, fence = [line], mark[1]
        elif mark and fence and mark[1].startswith(fence):
            yield "".join([*run, line]), False
            run, fence = [], ""
        else:
            run.append(line)
    yield "".join(run), not fence


def _tags(text: str) -> Iterator[re.Match[str]]:
    return (found for found in _TAG_OR_CODE.finditer(text) if found[0][0] != "`")


def has_pauses(text: str) -> bool:
    """Tell whether a text has tags of pauses outside of code: it is written for a voice."""
    runs = (run for run, counts in _outside_fences(text) if counts)
    return any(_seconds(tag) is not None for run in runs for tag in _tags(run))


def _inside(tag: re.Match[str]) -> str:
    return next((group for group in tag.groups() if group is not None), "")


#: Marks that follow a word without a blank.
_MARKS_BEHIND: Final = tuple(".,;:!?…。，、！？")


def _seconds(tag: re.Match[str]) -> float | None:
    return break_s(tag[0]) if tag[0].startswith("<") else pause_of(_inside(tag))


def pieces(text: str, *, delivery: bool = True) -> Iterator[tuple[str, float]]:
    """Cut a text at its pauses: (text, seconds of the pause behind it). `delivery`: delivery tags are dropped, too."""
    kept: list[str] = []
    at = 0
    for tag in _TAG.finditer(text):
        seconds = _seconds(tag)
        starred = tag[0].startswith("*")
        if seconds is None and not (delivery and _is_cue(tag)):
            continue
        if starred and seconds is not None:
            continue
        kept.append(_before(tag, text[at : tag.start()], dropped=seconds is None))
        at = tag.end()
        if seconds is not None:
            yield tidy("".join(kept)), seconds
            kept = []
    kept.append(text[at:])
    rest = tidy("".join(kept))
    if rest:
        yield rest, 0.0


def _before(tag: re.Match[str], text: str, *, dropped: bool) -> str:
    """Return the text before a tag; without its last blank where the tag is dropped and a mark follows it."""
    return text.rstrip(" ") if dropped and tag.string[tag.end() : tag.end() + 1] in _MARKS_BEHIND else text


def tidy(text: str) -> str:
    """Make every run of blanks one blank."""
    return " ".join(text.split())


def with_marks(text: str) -> str:
    """Replace the pauses of a Markdown text by marks, and drop its delivery tags; code stays as it is."""
    return "".join(_with_marks(run) if counts else run for run, counts in _outside_fences(text))


def without_tags(text: str) -> str:
    """A text without its tags of pauses and delivery."""
    return without_marks(_with_marks(text)) if any(sign in text for sign in "[(（【<{*") else text


def _with_marks(text: str) -> str:
    kept: list[str] = []
    at = 0
    for tag in _tags(text):
        seconds = _seconds(tag)
        starred = tag[0].startswith("*")
        if (seconds is None and not _is_cue(tag)) or (starred and seconds is not None):
            continue
        kept.append(_before(tag, text[at : tag.start()], dropped=seconds is None))
        at = tag.end()
        if seconds is not None:
            kept.append(mark(seconds))
        elif text[at : at + 1] == " " and (not kept[-1] or kept[-1][-1:] in " \n"):
            at += 1
    return _EMOTICON.sub("", "".join([*kept, text[at:]]))


#: Faces made of marks, which nobody says.
_EMOTICON: Final = re.compile(r"(?<!\S)(?:\^_{1,3}\^|[:;]-?[)(DP]|<3|xD)(?!\S)")


def mark(seconds: float) -> str:
    """The mark of a pause."""
    return f"{BEGIN}{min(round(seconds * 10), 100)}{END}"


def cut_at_marks(text: str) -> Iterator[tuple[str, float]]:
    """Cut a text at its marks of pauses: (text, seconds of the pause behind it)."""
    at = 0
    for found in _MARKED.finditer(text):
        yield text[at : found.start()], int(found[1]) / 10
        at = found.end()
    yield text[at:], 0.0


def without_marks(text: str) -> str:
    """A text without the characters of marks."""
    return MARKS.sub("", _GONE.sub("", text))


#: Marks behind which no sentence goes on.
ENDS: Final = tuple('.!?…:。！？؟।”"»)')


def goes_on(text: str, following: str) -> bool:
    """Tell whether a sentence that is cut between two texts goes on in the second."""
    return bool(text) and text[-1] not in ENDS and following[:1].isalnum() and not following[:1].isupper()


def marked_s(text: str) -> float:
    """The seconds of all pauses that are marked in a text."""
    return min(sum(int(found[1]) for found in _MARKED.finditer(text)) / 10, LONGEST_PAUSE_S)
