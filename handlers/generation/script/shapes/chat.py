"""What a chat assistant says around a text: the sentence that hands it over, and the offer to change it.

Only the first block and the last two can be that. An opener counts only with a name of what is handed over; an offer
counts only below an opener.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from attrs import frozen

from handlers.generation.script.shapes.label_words import folded, listed
from handlers.generation.script.shapes.lines import read_line
from handlers.generation.script.shapes.reading import LeftOut

#: Characters of the longest block that may be chat.
_MOST_CHARS: Final = 600


def _pattern(text: str) -> re.Pattern[str]:
    words = sorted(listed(text), key=len, reverse=True)
    latin = [re.escape(word) for word in words if word[0].isascii() or ord(word[0]) < 0x0590]
    others = [re.escape(word) for word in words if not (word[0].isascii() or ord(word[0]) < 0x0590)]
    return re.compile("|".join([rf"(?<!\w)(?:{'|'.join(latin)})", *others]))


_OPENERS: Final = _pattern(
    "sure|certainly|of course|absolutely|here is|here are|here's|here’s|great idea|great question|got it|"
    "no problem|happy to help|below is|below you'll find|i've written|i’ve written|okay|alright|"
    "klar|gerne|gern|natürlich|selbstverständlich|hier ist|hier sind|hier kommt|hier hast du|anbei|na klar|"
    "alles klar|sehr gerne|super idee|"
    "bien sûr|voici|voilà|avec plaisir|certainement|d'accord|d’accord|absolument|parfait|"
    "claro|aquí tienes|aquí está|aquí te dejo|aquí va|por supuesto|desde luego|con gusto|a continuación|"
    "genial|perfecto|"
    "aqui está|aqui vai|aqui tem|segue|com certeza|certo|perfeito|ótimo|com prazer|"
    "ecco|ecco a te|certamente|volentieri|di seguito|perfetto|con piacere|ottima idea|"
    "natuurlijk|zeker|hier is|hierbij|prima|graag|jazeker|goed idee|"
    "självklart|absolut|här är|här kommer|visst|javisst|gärna|selvfølgelig|her er|naturligvis|her kommer|"
    "tietysti|tässä|toki|"
    "oczywiście|jasne|oto|proszę|pewnie|poniżej|z przyjemnością|samozřejmě|jistě|tady je|zde je|jasně|rád|"
    "ráda|níže|určitě|"
    "конечно|вот|разумеется|с удовольствием|безусловно|отлично|хорошо|ниже|звісно|ось|авжеж|"
    "tabii|tabii ki|elbette|işte|memnuniyetle|harika|aşağıda|buyurun|"
    "βεβαίως|φυσικά|ορίστε|σίγουρα|εννοείται|ακολουθεί|παρακάτω|"
    "بالتأكيد|بالطبع|إليك|تفضل|حسنا|حسنًا|هذا هو|ها هو|فيما يلي|طبعا|"
    "ज़रूर|जरूर|बिल्कुल|बिलकुल|यह रहा|यह रही|ये रहा|ये रही|यहाँ|यहां|लीजिए|नीचे|"
    "好的|当然|當然|没问题|以下是|下面是|这是|這是|可以的|好呀|"
    "もちろん|承知しました|かしこまりました|以下は|以下が|こちら|はい|了解|喜んで|"
    "물론|물론이죠|네|다음은|아래는|여기|알겠습니다|좋아요|좋습니다|그럼요"
)
_HANDED: Final = _pattern(
    "script|scripts|version|draft|storyboard|outline|json|yaml|you asked for|you requested|voiceover|"
    "voice-over|narration|transcript|shot list|scene list|screenplay|scenes|dialogue|poem|markdown|table|"
    "captions|subtitles|slides|deck|rewrite|thread|"
    "skript|drehbuch|videoskript|fassung|entwurf|gliederung|sprechertext|szenenliste|dialog|gedicht|"
    "foliensatz|untertitel|"
    "scénario|proposition|ébauche|découpage|plan|texte demandé|version|dialogue|poème|sous-titres|"
    "guion|guión|borrador|escaleta|versión|propuesta|storyboard|poema|diálogo|subtítulos|esquema|"
    "roteiro|versão|rascunho|proposta|diálogo|legendas|guião|esboço|"
    "copione|sceneggiatura|bozza|scaletta|versione|script|dialogo|poesia|sottotitoli|proposta|"
    "scenario|draaiboek|opzet|versie|dialoog|gedicht|ondertitels|"
    "manus|manuskript|utkast|upplägg|version|kladde|manuskript|utkast|käsikirjoitus|luonnos|"
    "scenariusz|skrypt|szkic|wersja|konspekt|dialog|wiersz|napisy|scénář|skript|návrh|verze|osnova|báseň|titulky|"
    "сценарий|сценария|скрипт|вариант|черновик|набросок|раскадровка|раскадровку|текст для|диалог|"
    "стихотворение|субтитры|сценарій|варіант|чернетка|"
    "senaryo|senaryosu|senaryon|metin|metni|taslak|taslağı|diyalog|şiir|altyazı|akış|"
    "σενάριο|προσχέδιο|εκδοχή|κείμενο|διάλογος|πρόταση|ποίημα|υπότιτλοι|"
    "سيناريو|السيناريو|نص|نسخة|مسودة|مخطط|سكريبت|حوار|قصيدة|"
    "स्क्रिप्ट|पटकथा|मसौदा|प्रारूप|संस्करण|संवाद|कविता|"
    "脚本|剧本|文案|大纲|版本|分镜|稿|台词|口播|字幕|"
    "台本|原稿|スクリプト|構成案|シナリオ|案|ナレーション|絵コンテ|"
    "대본|스크립트|초안|원고|구성안|시나리오|버전|목록|콘티"
)
_OFFERS: Final = _pattern(
    "let me know|would you like|do you want|want me to|feel free|i can also|i can|if you'd like|"
    "if you’d like|if you want|should i|shall i|happy to|just say|just ask|tell me if|need me to|"
    "sag einfach|sag bescheid|bescheid|möchtest du|möchten sie|soll ich|wenn du möchtest|wenn du willst|"
    "wenn sie möchten|falls du|gerne kann ich|ich kann|lass mich wissen|kann ich|"
    "n'hésitez|n’hésitez|n'hésite|n’hésite|souhaitez-vous|souhaites-tu|voulez-vous|veux-tu|je peux|"
    "dites-moi|dis-moi|si vous voulez|si vous le souhaitez|si tu veux|faites-moi savoir|"
    "quieres que|quiere que|si quieres|si lo deseas|puedo|avísame|dime si|házmelo saber|¿quieres|te gustaría|"
    "se quiser|se você quiser|posso|quer que|gostaria|me avise|é só pedir|é só dizer|deseja|"
    "vuoi che|se vuoi|fammi sapere|dimmi se|vuole che|preferisci|desideri|posso anche|"
    "wil je|wilt u|laat me weten|laat het me|zal ik|ik kan|als je wilt|"
    "vill du|säg till|kan jag|ska jag|jag kan|om du vill|hör av dig|vil du|si til|sig til|skal jeg|jeg kan|"
    "haluatko|voin|kerro|"
    "chcesz|daj znać|mogę|czy mam|jeśli chcesz|chceš|chcete|dej vědět|dejte vědět|mohu|můžu|mám|pokud chcete|"
    "хотите|хочешь|могу|дайте знать|дай знать|если нужно|если хотите|нужно ли|скажите|напишите, если|хочете|можу|якщо|"
    "ister misin|ister misiniz|isterseniz|istersen|dilersen|dilerseniz|haber ver|yapabilirim|hazırlayabilirim|"
    "θέλεις|θέλετε|πες μου|πείτε μου|μπορώ|αν θέλεις|αν θέλετε|ενημέρωσέ|"
    "هل تريد|هل ترغب|إذا أردت|إن أردت|يمكنني|أخبرني|إذا كنت|هل تود|"
    "क्या आप|क्या मैं|बताएं|बताइए|अगर आप|यदि आप|चाहें|चाहते हैं|मैं इसे|"
    "如果你|如果您|需要我|要不要|可以再|我可以|我还可以|告诉我|如需|需要的话|想要|"
    "ご希望|必要であれば|必要なら|よろしければ|ご要望|お知らせください|お申し付け|いかがですか|しましょうか|もし|"
    "원하시면|필요하시면|원하신다면|말씀해|알려 주|알려주|원하면|필요하면|드릴까요"
)
_CHANGES: Final = _pattern(
    "version|versions|tone|longer|shorter|adapt|adjust|add|change|changes|tweak|edit|expand|trim|rewrite|"
    "make it|different|style|punchier|translate|turn this|b-roll|music cues|tailor|modify|format|shorten|"
    "lengthen|suggest|swap|refine|rework|polish|include|create|make|turn|write|generate|draft|provide|"
    "prepare|tailored|tighten|condense|"
    "kürzer|länger|fassung|ton|anpassen|version|variante|ändern|kürzen|ergänzen|stil|umschreiben|"
    "hinzufügen|vorschlagen|erstellen|schreiben|überarbeiten|verlängern|übersetzen|"
    "court|courte|long|longue|ton|ajuster|adapte|adapter|modifier|version|raccourcir|ajouter|style|"
    "variante|proposer|rallonger|traduire|créer|ajoute|raccourcisse|écrire|"
    "versión|tono|adapt|ajust|corta|corto|larga|largo|añad|cambi|modific|estilo|acort|alarg|propon|sugier|"
    "sugerir|traduz|cree|crear|"
    "versão|tom|curta|curto|longa|longo|ajust|adapt|acrescent|mud|estilo|encurt|sugir|suger|traduz|crie|criar|"
    "versione|tono|corta|corto|breve|lunga|adatt|modific|aggiung|cambi|stile|accorci|"
    "versie|toon|korter|kortere|langer|langere|aanpas|toevoeg|stijl|wijzig|"
    "versionen|kortare|längre|ton|anpassa|lägg|ändra|stil|kortere|lengre|længere|tone|tilpas|endre|ændre|"
    "lyhyemm|pidemm|sävy|muok|"
    "wersj|ton|krótsz|dłuższ|dostos|zmieni|doda|styl|verz|tón|kratší|delší|uprav|přid|změn|styl|"
    "верси|вариант|тон|короче|короткую|длиннее|адаптир|измен|добав|стил|версі|коротш|довш|"
    "sürüm|versiyon|ton|kısa|uzun|uyarla|ekle|değiştir|düzenle|üslup|"
    "έκδοση|εκδοχή|τόνο|σύντομ|μικρότερ|μεγαλύτερ|προσαρμ|προσθέσ|αλλάξ|ύφος|"
    "نسخة|نبرة|أطول|أقصر|تعديل|إضافة|أسلوب|أضيف|أعدل|تغيير|"
    "संस्करण|छोटा|छोटी|लंबा|लंबी|लहज|टोन|बदल|जोड़|अनुकूल|शैली|"
    "版本|语气|风格|时长|长|短|改|加|调整|活泼|語氣|"
    "バージョン|版|口調|トーン|長|短|調整|追加|変更|雰囲気|"
    "버전|톤|추가|수정|짧|길|바꿔|바꾸|말투|조정"
)
_COMMENTS: Final = _pattern(
    "comment|comments|kommentar|kommentare|commentaire|commentaires|comentarios|comentários|commenti|"
    "reacties|komentarz|komentář|комментари|коментар|yorum|σχόλι|التعليقات|कमेंट|टिप्पणी|评论|留言|"
    "コメント|댓글"
)
_SAID: Final = re.compile(
    r"(?:you|chatgpt|assistant|claude|gemini|copilot|du|chatgpt hat|vous avez|tú|tu|você|ai|user|"
    r"human)\s?(?:said|wrote|sagtest|hast gesagt|gesagt|dit|dijiste|dijo|disse|asked)?\s?:",
    re.IGNORECASE,
)
#: Words with which an assistant speaks of itself, or of what it can do.
_ME: Final = _pattern(
    "me|i|i'd|ich|mir|je|moi|yo|me|eu|io|mi|ik|jag|mig|jeg|meg|ja|mogę|mi|mám|mohu|я|мне|могу|ben|εγώ|"
    "μπορώ|أنا|يمكنني|मैं|我|私|저|제가|puedo|posso|haga|faça"
)
_LISTED: Final = re.compile(r"\s{0,8}(?:[-*+•·–✅➡👉🔹▪]|\d{1,2}[.)])\s")
_MOST_OFFERS, _MOST_CHANGES = 2, 8
_FENCE: Final = re.compile(r"\s{0,3}(`{3,}|~{3,})\s*([\w+-]{0,20})\s*")
_TEXTUAL: Final = (
    "",
    "text",
    "txt",
    "markdown",
    "md",
    "json",
    "yaml",
    "yml",
    "plaintext",
    "plain",
    "script",
    "fountain",
    "srt",
    "vtt",
    "csv",
    "tsv",
    "html",
    "none",
)


@frozen(kw_only=True)
class Peeled:
    """The lines of a text, of which those of the chat are blank.

    `handed`: a sentence hands the text over. `offered` is the line, from 1, of an offer that is kept for want of one.
    """

    lines: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    handed: bool = False
    offered: int | None = None


def peel(lines: Sequence[str]) -> Peeled:
    """Blank the lines of the chat, and those of a fence around all of the rest."""
    kept = list(lines)
    left: list[LeftOut] = []

    def drop(first: int, last: int) -> None:
        for at in range(first, last):
            if kept[at].strip():
                left.append(LeftOut.of(at + 1, kept[at], "chat"))
            kept[at] = ""

    exported = _exported(kept)
    drop(0, exported)
    first, last = _block(kept, exported)
    handed = _hands_over(kept, first, last)
    if handed:
        drop(first, last)
    handed = handed or exported > 0
    offered = None
    for start, end in _offers_of(kept, handed):
        if not handed:
            offered = start + 1
            break
        drop(start, end)
    if handed:
        _unwrap(kept)
    return Peeled(lines=tuple(kept), left_out=tuple(left), handed=handed, offered=offered)


def _exported(lines: Sequence[str]) -> int:
    """The first line after the last mark of an assistant's turn in an exported chat; 0 without two marks."""
    marks = [at for at, line in enumerate(lines[:400]) if len(line) < 60 and _SAID.fullmatch(line.strip("*# \t"))]
    return marks[-1] + 1 if len(marks) >= 2 else 0


def _block(lines: Sequence[str], at: int) -> tuple[int, int]:
    while at < len(lines) and not lines[at].strip():
        at += 1
    end = at
    while (
        end < len(lines)
        and lines[end].strip()
        and not _FENCE.match(lines[end])
        and read_line(lines[end]).kind != "rule"
    ):
        end += 1
    return at, end


def _last_block(lines: Sequence[str]) -> tuple[int, int]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or read_line(lines[end - 1]).kind == "rule"):
        end -= 1
    start = end
    while (
        start
        and lines[start - 1].strip()
        and not _FENCE.match(lines[start - 1])
        and read_line(lines[start - 1]).kind != "rule"
    ):
        start -= 1
    return start, end


def _offers_of(lines: Sequence[str], handed: bool) -> list[tuple[int, int]]:
    """The blocks of a text that offer a change: of the last two, with the list of changes below one.

    After an opener, metadata such as tags may follow them, and one that stands alone between rules counts anywhere.
    """
    found: list[tuple[int, int]] = []
    end = len(lines)
    passed = 0
    while len(found) < _MOST_OFFERS:
        start, last = _last_block(lines[:end])
        if start == last:
            break
        listed_from = _list_before(lines, start, last)
        if listed_from is not None and _offers(lines, *_last_block(lines[:listed_from]), asking=True):
            found.append((_last_block(lines[:listed_from])[0], last))
        elif _offers(lines, start, last):
            found.append((start, last))
        elif handed and not found and passed < 2 and all(_is_metadata(line) for line in lines[start:last]):
            passed += 1
            end = start
            continue
        else:
            break
        end = found[-1][0]
    return [*found, *(_between_rules(lines, end) if handed else ())]


def _list_before(lines: Sequence[str], start: int, end: int) -> int | None:
    """Where the list begins with which a block ends: a block of its own, or below its first line; None without one."""
    first = next((at for at in range(start, end) if _LISTED.match(lines[at])), None)
    if first is None or end - first > _MOST_CHANGES or first - start > 2:
        return None
    return first if all(_LISTED.match(line) and len(line) < 160 for line in lines[first:end]) else None


def _is_metadata(line: str) -> bool:
    return read_line(line).kind in ("tags", "caption", "length", "fact") or line.lstrip()[:1] in "#＃"


def _between_rules(lines: Sequence[str], end: int) -> Iterator[tuple[int, int]]:
    """Offers of an assistant in the first person that stand alone between two rules or ends."""
    rules = [at for at in range(end) if len(lines[at]) < 80 and read_line(lines[at]).kind == "rule"]
    for before, after in pairwise([*rules, end]):
        filled = [at for at in range(before + 1, after) if lines[at].strip()]
        if not filled or filled[-1] - filled[0] >= 3:
            continue
        start, last = filled[0], filled[-1] + 1
        if _ME.search(folded(" ".join(lines[start:last]))) and _offers(lines, start, last):
            yield start, last


def _hands_over(lines: Sequence[str], first: int, last: int) -> bool:
    text = " ".join(lines[first:last])
    if (
        not text
        or len(text) > _MOST_CHARS
        or last - first > 3
        or lines[first].lstrip().startswith(("#", "|", "-", "*"))
    ):
        return False
    if not any(line.strip() for line in lines[last:]):
        return False
    said = folded(text.replace("’", "'").strip(" ¡!*_🎬👋"))
    opener = _OPENERS.match(said)
    return opener is not None and _HANDED.search(said, opener.end()) is not None


def _offers(lines: Sequence[str], start: int, end: int, *, asking: bool = False) -> bool:
    """Tell whether a block offers a change. `asking`: the changes stand in a list below it."""
    text = " ".join(lines[start:end])
    if not text or len(text) > _MOST_CHARS or end - start > 3:
        return False
    found = read_line(lines[start])
    if end - start <= 2 and all(_counts(line) for line in lines[start:end]):
        return True
    if _counts(lines[start]) and end - start > 1:
        return _offers(lines, start + 1, end)
    if found.kind not in ("plain", "unknown") or found.level or lines[start].lstrip().startswith(("|", "- ", "* ")):
        return False
    said = folded(text.replace("’", "'"))
    offer = _OFFERS.search(said)
    if offer is None or _COMMENTS.search(said) is not None:
        return False
    return _CHANGES.search(said) is not None or (asking and said.rstrip(" *_")[-1:] in ":：?？…")


def _counts(line: str) -> bool:
    found = read_line(line)
    return (
        found.kind == "fact"
        and any(word in folded(found.word) for word in _COUNTED)
        and any(map(str.isdigit, found.rest))
    )


_COUNTED: Final = (
    "word",
    "wort",
    "wörter",
    "mots",
    "palabras",
    "palavras",
    "parole",
    "woorden",
    "ord",
    "słów",
    "slov",
    "слов",
    "kelime",
    "λέξεις",
    "الكلمات",
    "शब्द",
    "字数",
    "文字数",
    "글자",
)


def _unwrap(lines: list[str]) -> None:
    """Blank the two lines of a fence around all the other lines."""
    filled = [at for at, line in enumerate(lines) if line.strip() and read_line(line).kind != "rule"]
    if len(filled) < 3:
        return
    opening = _FENCE.fullmatch(lines[filled[0]])
    closing = lines[filled[-1]].strip()
    if (
        opening is None
        or opening[2].lower() not in _TEXTUAL
        or closing != opening[1][0] * len(closing)
        or len(closing) < 3
    ):
        return
    if any(lines[at].strip().startswith(opening[1]) for at in filled[1:-1]):
        return
    lines[filled[0]] = lines[filled[-1]] = ""
