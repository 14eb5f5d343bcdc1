"""Contacts at the end of a document, which are shown and not said: nobody writes an address down from a voice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import evolve

from handlers.generation.script.content import Block, Note, Paragraph, Section
from handlers.generation.script.inline import plain
from handlers.generation.script.shapes.furniture import PHONE, addresses_in
from handlers.generation.script.shapes.label_words import listed

_WORDS: Final = "|".join(
    map(
        re.escape,
        listed(
            "contact|contacts|press contact|media contact|media enquiries|press enquiries|"
            "for more information|further information|enquiries|get in touch|e-mail|email|mail|phone|"
            "telephone|tel|tel.|mobile|fax|address|rsvp|bookings|"
            "kontakt|pressekontakt|ansprechpartner|ansprechpartnerin|rückfragen|weitere informationen|"
            "telefon|anschrift|adresse|anmeldung|contact presse|contacts presse|contact média|téléphone|"
            "courriel|renseignements|inscription|"
            "contacto|contacto de prensa|teléfono|correo|correo electrónico|más información|dirección|"
            "inscripciones|contato|contatos|imprensa|telefone|mais informações|endereço|contatti|contatto|"
            "ufficio stampa|telefono|indirizzo|per informazioni|"
            "perscontact|telefoon|adres|informatie|presskontakt|pressekontakt|yhteystiedot|puhelin|"
            "kontakt dla mediów|kontakt prasowy|telefon|kontakt pro média|контакты|контакт|телефон|почта|"
            "адрес|iletişim|basın iletişim|επικοινωνία|τηλέφωνο|"
            "للتواصل|اتصل بنا|هاتف|संपर्क|फ़ोन|联系|联系方式|电话|邮箱|お問い合わせ|連絡先|電話|문의|연락처|전화"
        ),
    )
)
_CONTACT: Final = re.compile(rf"\W{{0,4}}(?:{_WORDS})(?![^\W\d_])", re.IGNORECASE)
_LINK: Final = re.compile(r"(?:https?://|www\.)\S+")
#: Words besides the addresses in a paragraph that is a contact all the same; blocks at the end that are looked at.
_FEW_WORDS, _LAST_BLOCKS = 10, 4
_MOST_CHARS: Final = 600


def quiet(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Make the contacts in the last paragraphs of a document silent."""
    if not sections or sections[-1].narration is not None:
        return tuple(sections)
    last = sections[-1]
    body = list(last.body)
    for at in range(len(body) - 1, max(-1, len(body) - 1 - _LAST_BLOCKS), -1):
        block = body[at]
        if not isinstance(block, Paragraph) or not _is_contact(block):
            break
        body[at] = evolve(block, silent=True)
    changed: tuple[Block | Note, ...] = tuple(body)
    return (*sections[:-1], evolve(last, body=changed) if changed != last.body else last)


def _is_contact(block: Paragraph) -> bool:
    text = "\n".join(plain(sentence.spans) for sentence in block.sentences)
    if len(text) > _MOST_CHARS:
        return False
    found = [(match.start(), match.end()) for match in (*addresses_in(text), *PHONE.finditer(text))]
    if not found:
        return False
    rest = _LINK.sub("", text)
    for start, end in sorted(found, reverse=True):
        rest = rest.replace(text[start:end], "")
    named = bool(_CONTACT.match(text))
    return (named or rest.rstrip()[-1:] not in ".!?") and len(rest.split()) <= _FEW_WORDS * (2 if named else 1)
