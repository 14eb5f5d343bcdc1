"""Finds what surrounds a text where it was copied from: heads of mails, signatures, buttons, tags. A closed list.

Everything that is left out is listed; nothing else is guessed away.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from handlers.generation.control import Warned
from handlers.generation.script.shapes.label_words import folded, listed
from handlers.generation.script.shapes.reading import LeftOut, Why

_LINES: Final = frozenset(
    listed(
        "advertisement|advertisements|sponsored|share|tweet|email|print|share tweet email|share this|"
        "share this article|add to cart|buy now|read more|continue reading|subscribe|subscribe now|sign up|"
        "sign up for our newsletter|skip to content|skip to main content|back to top|follow us|"
        "all rights reserved|for immediate release|###|-30-|cookie settings|accept cookies|"
        "sent from my phone|sent from my iphone|"
        "anzeige|werbung|teilen|in den warenkorb|weiterlesen|mehr lesen|newsletter abonnieren|"
        "zum seitenanfang|publicité|partager|ajouter au panier|lire la suite|s'abonner|publicidad|"
        "compartir|añadir al carrito|leer más|suscribirse|"
        "publicidade|compartilhar|partilhar|adicionar ao carrinho|leia mais|pubblicità|condividi|"
        "aggiungi al carrello|leggi di più|advertentie|delen|in winkelwagen|lees verder|annons|dela|"
        "reklama|udostępnij|do koszyka|czytaj więcej|"
        "реклама|поделиться|в корзину|читать далее|reklam|paylaş|sepete ekle|devamını oku|διαφήμιση|"
        "κοινοποίηση|إعلان|مشاركة|विज्ञापन|साझा करें|广告|分享|加入购物车|阅读更多|広告|共有|"
        "カートに入れる|続きを読む|광고|공유|장바구니에 담기|더 보기"
    )
)
_PATTERNS: Final = re.compile(
    r"\d{1,3}[ -]?min(?:ut[eoai]?[ns]?|\.)?[ -](?:read|reading time|lesezeit|(?:de )?lecture|"
    r"de lectura|de leitura|di lettura|leestijd|läsning|læsning|lesing|czytania|čtení|чтения|okuma|ανάγνωση)|"
    r"(?:sku|article number|item no\.|art(?:ikel)?\.?-?(?:nr\.?|nummer)|réf(?:érence)?|referencia|"
    r"referência|codice articolo|артикул)\s?:\s?\S{2,40}|"
    r"sign up for our newsletter.{0,40}|©.{0,80}|sent from my \w{1,20}|"
    r"\[(?:photo|foto|valokuva|zdjęcie|фото|fotoğraf|φωτογραφία|写真|照片|사진)\s?[:：] .{1,200}\]|"
    r"(?:this e-?mail is confidential|diese e-mail ist vertraulich|ce (?:message|courriel|mail) est confidentiel|"
    r"este (?:correo|e-?mail|mensaje|mensagem) (?:es|é) confidencial|questa e-?mail è riservata|"
    r"deze e-?mail is vertrouwelijk|это письмо конфиденциально).{0,300}",
    re.IGNORECASE,
)
_MAIL: Final = re.compile(
    r"(?P<key>from|to|cc|bcc|date|sent|subject|reply-to|von|an|gesendet|betreff|datum|de|à|envoyé|objet|"
    r"para|enviado|asunto|assunto|da|a|inviato|oggetto|от|кому|тема|дата):\s*(?P<value>.*)",
    re.IGNORECASE,
)
_SUBJECTS: Final = ("subject", "betreff", "objet", "asunto", "assunto", "oggetto", "тема")
_FORWARDED: Final = re.compile(r"(?:(?:re|fw|fwd|aw|wg|tr|rv|enc|i|r)\s?:\s?){1,3}", re.IGNORECASE)
_TAGS: Final = re.compile(r"(?:[#＃][^\s#＃]{1,60}[\s,]*+){2,}+")
_TAIL_TAGS: Final = re.compile(r"(?:[#＃@](?![#＃@\d\s])[^\s#＃@]{1,60}[\s,]*+)++")
#: Addresses alone, with a sign or a word before them at most.
_LONE: Final = re.compile(
    r"[^\w\s#\[<(|>]{0,4}\s?(?:(?:link|links|web|website|url|source)\s?:\s?)?"
    r"(?:(?:https?://|www\.)[^\s|<>()]{4,300}(?:\s?[|·,]\s?|\s|$)){1,4}+",
    re.IGNORECASE,
)
#: Lines of the longest signature.
_LONGEST_SIGNATURE: Final = 12
#: Lines at the end of a text that are looked at; characters of the longest line with a contact.
_TAIL, _LONGEST_CONTACT = 12, 120
_WROTE: Final = re.compile(
    r">?\s?(?:On .{4,120} wrote:|Am .{4,120} schrieb .{0,80}:|Le .{4,120} a écrit\s?:|El .{4,120} escribió:)"
)
_ADDRESS: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
PHONE: Final = re.compile(
    r"(?<![\w.,/-])(?:\+\d{1,3}[\s./-]?(?:\(\d{1,4}\)[\s./-]?)?\d(?:[\s./-]?\d){6,11}|"
    r"\(\d{3}\)\s?\d{3}-\d{4})(?![\w/-])"
)


def without_furniture(lines: Sequence[str], keep: Collection[str] = ()) -> tuple[list[str], tuple[LeftOut, ...]]:
    """Blank the lines that surround a text; `keep` may have "signature" and "hashtags"."""
    kept = list(lines)
    left: list[LeftOut] = []

    def drop(at: int, why: Why) -> None:
        if kept[at].strip():
            left.append(LeftOut.of(at + 1, kept[at], why))
            kept[at] = ""

    mail = _mail_head(kept)
    for at in range(mail):
        subject = _MAIL.fullmatch(kept[at].strip())
        drop(at, "furniture")
        if subject and subject["key"].lower() in _SUBJECTS:
            kept[at] = _FORWARDED.sub("", subject["value"], count=1).strip()
    if "signature" not in keep:
        for at in _signature(kept, in_mail=mail > 0):
            drop(at, "furniture")
    for at, why in list(_around(kept, keep, in_mail=mail > 0)):
        drop(at, why)
    for at, why in _tail(kept, keep):
        drop(at, why)
    if mail:
        _without_repeated_title(kept, mail, left)
    return (kept, tuple(left)) if left else (list(lines), ())


def _signature(lines: Sequence[str], *, in_mail: bool) -> range:
    """Return the numbers of the lines of a signature: the last ones, from `--` on; none in a text without one."""
    count = len(lines)
    least = 0 if in_mail else max(0, count - _LONGEST_SIGNATURE + 1)
    for at in range(least, count):
        if lines[at] in ("-- ", "--") and count - at <= _LONGEST_SIGNATURE:
            return range(at, count)
    return range(0)


def _around(lines: Sequence[str], keep: Collection[str], *, in_mail: bool) -> Iterator[tuple[int, Why]]:
    """Yield the lines of buttons, notices and tags, and those of a mail that is quoted in the answer to it."""
    quoted = False
    for at, line in enumerate(lines):
        text = line.strip()
        if not text:
            quoted = False
        elif _WROTE.fullmatch(text) and (
            in_mail or text.startswith(">") or any(below.startswith(">") for below in lines[at + 1 : at + 3])
        ):
            yield at, "furniture"
            quoted = True
        elif (quoted and text.startswith(">")) or (
            len(text) < 340 and (folded(text.strip("*_ ")) in _LINES or _PATTERNS.fullmatch(text))
        ):
            yield at, "furniture"
        elif "hashtags" not in keep and text[0] in "#＃" and _TAGS.fullmatch(text):
            yield at, "tags"


def _tail(lines: Sequence[str], keep: Collection[str]) -> Iterator[tuple[int, Why]]:
    """The lines at the end of a text that have tags, accounts or addresses alone, from the last one on."""
    found = list(_ending(lines, keep))
    if len(found) < sum(1 for line in lines if line.strip()):
        yield from found


def _ending(lines: Sequence[str], keep: Collection[str]) -> Iterator[tuple[int, Why]]:
    filled = [at for at in range(max(0, len(lines) - _TAIL), len(lines)) if lines[at].strip()]
    for at in reversed(filled):
        text = lines[at].strip()
        above = lines[at - 1].strip() if at else ""
        if _LONE.fullmatch(text):
            # An address below the beginning of a sentence, or what announces it, belongs to that.
            alone = not above or _LONE.fullmatch(above) or _TAIL_TAGS.fullmatch(above)
            if not alone and above[-1] not in ".!?…。！？":
                return
            if alone and any(line.rstrip().endswith((":", "：")) for line in lines[max(0, at - 3) : at]):
                return
            yield at, "address"
        elif _TAIL_TAGS.fullmatch(text):
            if "hashtags" not in keep:
                yield at, "tags"
        elif len(text) > _LONGEST_CONTACT or not (PHONE.search(text) or next(addresses_in(text), None)):
            return


def _without_repeated_title(lines: list[str], mail: int, left: list[LeftOut]) -> None:
    """A subject that the text repeats as its title stands once."""
    subject = next((at for at in range(mail) if lines[at].strip()), None)
    if subject is None:
        return
    for at in range(mail, min(len(lines), mail + 12)):
        if folded(lines[at]) == folded(lines[subject]):
            lines[subject] = ""
            return


def _mail_head(lines: Sequence[str]) -> int:
    """The number of lines of a mail's head: three or more of From, To, Date, Subject; 0 without one."""
    at = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    end, keys = at, set()
    while end < len(lines) and (match := _MAIL.fullmatch(lines[end].strip())):
        keys.add(match["key"].lower())
        end += 1
    return end if len(keys) >= 3 else 0


def addresses_in(text: str) -> Iterator[re.Match[str]]:
    """The mail addresses in a text: what stands around each @."""
    at = text.find("@")
    while at >= 0:
        begin = at
        while begin and at - begin < 64 and (text[begin - 1].isalnum() or text[begin - 1] in "._+-"):
            begin -= 1
        if match := _ADDRESS.match(text, begin):
            yield match
        at = text.find("@", at + 1)


def private_data(texts: Sequence[str]) -> tuple[Warned, ...]:
    """Warn of mail addresses and telephone numbers in texts that a video would publish."""
    found = [match[0] for text in texts if "@" in text for match in addresses_in(text)]
    found += [match[0] for text in texts if "+" in text or "(" in text for match in PHONE.finditer(text)]
    if not found:
        return ()
    named = ", ".join(dict.fromkeys(found[:5]))
    return (Warned("private_data", f"the video would publish addresses or telephone numbers: {named}"),)
