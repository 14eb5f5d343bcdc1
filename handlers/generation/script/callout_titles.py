"""The titles of callouts that have none of their own, by language. Other languages' boxes stand without a title."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from attrs import evolve

from handlers.generation.script.content import Callout, Columns, Section, Span, Tone

#: In the order of the titles below; "plain" has no title.
_TONES: Final[tuple[Tone, ...]] = (
    "note", "info", "tip", "important", "warning", "caution", "danger", "success", "question", "example",
)  # fmt: skip
_TITLES: Final[Mapping[str, str]] = {
    "en": "Note|Info|Tip|Important|Warning|Caution|Danger|Success|Question|Example",
    "de": "Hinweis|Info|Tipp|Wichtig|Warnung|Vorsicht|Gefahr|Erfolg|Frage|Beispiel",
    "fr": "Remarque|Info|Astuce|Important|Avertissement|Attention|Danger|Réussite|Question|Exemple",
    "es": "Nota|Información|Consejo|Importante|Advertencia|Precaución|Peligro|Éxito|Pregunta|Ejemplo",
    "it": "Nota|Informazione|Suggerimento|Importante|Avviso|Attenzione|Pericolo|Riuscito|Domanda|Esempio",
    "pt": "Nota|Informação|Dica|Importante|Aviso|Cuidado|Perigo|Sucesso|Pergunta|Exemplo",
    "nl": "Opmerking|Info|Tip|Belangrijk|Waarschuwing|Let op|Gevaar|Gelukt|Vraag|Voorbeeld",
    "sv": "Obs|Info|Tips|Viktigt|Varning|Försiktigt|Fara|Klart|Fråga|Exempel",
    "pl": "Uwaga|Informacja|Wskazówka|Ważne|Ostrzeżenie|Ostrożnie|Niebezpieczeństwo|Sukces|Pytanie|Przykład",
    "cs": "Poznámka|Informace|Tip|Důležité|Varování|Pozor|Nebezpečí|Úspěch|Otázka|Příklad",
    "ru": "Примечание|Информация|Совет|Важно|Предупреждение|Осторожно|Опасно|Успех|Вопрос|Пример",
    "tr": "Not|Bilgi|İpucu|Önemli|Uyarı|Dikkat|Tehlike|Başarılı|Soru|Örnek",
    "el": "Σημείωση|Πληροφορία|Συμβουλή|Σημαντικό|Προειδοποίηση|Προσοχή|Κίνδυνος|Επιτυχία|Ερώτηση|Παράδειγμα",
    "cmn": "注意|信息|提示|重要|警告|当心|危险|成功|问题|示例",
    "ja": "注|情報|ヒント|重要|警告|注意|危険|成功|質問|例",
    "ko": "참고|정보|팁|중요|경고|주의|위험|성공|질문|예",
}


def callout_titles(language: str) -> Mapping[Tone, str]:
    """Return the titles by tone in a language such as "en" or "cmn"; empty where there are none."""
    titles = _TITLES.get(language)
    return MappingProxyType(dict(zip(_TONES, titles.split("|"), strict=True)) if titles else {})


def with_titles(section: Section, titles: Mapping[Tone, str]) -> Section:
    """Give the callouts of a section that have no title of their own that of their tone."""
    if not any(isinstance(block, Callout | Columns) for block in section.body):
        return section
    return evolve(section, body=tuple(_with_titles(block, titles) for block in section.body))


def _with_titles(block: Any, titles: Mapping[Tone, str]) -> Any:
    match block:
        case Callout():
            usual = titles.get(block.tone, "")
            title = block.title if block.title is not None else (Span(usual),) if usual else ()
            return evolve(block, title=title, blocks=tuple(_with_titles(cell, titles) for cell in block.blocks))
        case Columns():
            left, right = (tuple(_with_titles(cell, titles) for cell in side) for side in (block.left, block.right))
            return Columns(left, right)
        case _:
            return block
