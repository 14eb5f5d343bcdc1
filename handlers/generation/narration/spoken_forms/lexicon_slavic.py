"""Words of Slavic and Baltic languages for the rules; see `words`. Data."""

from typing import Final

from handlers.generation.narration.spoken_forms.words import Lexicon, month_days

_CZECH_DAYS: Final = (
    "prvního druhého třetího čtvrtého pátého šestého sedmého osmého devátého desátého jedenáctého dvanáctého "
    "třináctého čtrnáctého patnáctého šestnáctého sedmnáctého osmnáctého devatenáctého dvacátého"
)
_POLISH_DAYS: Final = (
    "pierwszego drugiego trzeciego czwartego piątego szóstego siódmego ósmego dziewiątego dziesiątego jedenastego "
    "dwunastego trzynastego czternastego piętnastego szesnastego siedemnastego osiemnastego dziewiętnastego "
    "dwudziestego"
)
#: Endings of Russian ordinals -> rule sets.
_RUSSIAN_ENDINGS: Final = {
    "й": "masculine",
    "ый": "masculine",
    "ий": "masculine",
    "ой": "masculine",
    "я": "feminine",
    "ая": "feminine",
    "е": "neuter",
    "ое": "neuter",
    "го": "masculine-genitive",
    "ого": "masculine-genitive",
    "му": "masculine-dative",
    "ому": "masculine-dative",
    "м": "masculine-locative",
    "ом": "masculine-locative",
    "ую": "feminine-accusative",
    "ю": "feminine-accusative",
}

LEXICONS: Final = {
    "lt": Lexicon(minus="minus", not_units="%"),
    "pl": Lexicon(
        to="do",
        about="około",
        dot="kropka",
        number="numer",
        squared="do kwadratu",
        days=month_days(_POLISH_DAYS, "trzydziestego"),
        roman_before={r"\s+wiek": "=pl"},
        not_units="s",
        before_number={
            "nr": "numer",
            "s.": "strona",
            "str.": "strona",
            "art.": "artykuł",
            "ok.": "około",
            "rozdz.": "rozdział",
        },
        before_word={
            "np.": "na przykład",
            "tj.": "to jest",
            "tzn.": "to znaczy",
            "tzw.": "tak zwany",
            "m.in.": "między innymi",
            "m. in.": "między innymi",
            "ok.": "około",
        },
        anywhere={"itd.": "i tak dalej", "itp.": "i tym podobne"},
        letters="API URL AWS",
    ),
    "cs": Lexicon(
        to="až",
        about="asi",
        number="číslo",
        dot="tečka",
        squared="na druhou",
        cubed="na třetí",
        not_units="sV",
        days=month_days(_CZECH_DAYS, "třicátého"),
        before_number={"č.": "číslo", "str.": "strana", "cca": "cirka"},
        before_word={"např.": "například", "tzv.": "takzvaný", "tj.": "to jest", "tzn.": "to znamená", "cca": "cirka"},
        anywhere={"atd.": "a tak dále", "apod.": "a podobně"},
        letters="API URL AWS",
    ),
    "sk": Lexicon(
        to="až", number="číslo", dot="bodka", not_units="sV", before_word={"napr.": "napríklad", "tzv.": "takzvaný"}
    ),
    "hr": Lexicon(
        to="do",
        not_units="s",
        before_word={"npr.": "na primjer", "tzv.": "takozvani"},
        anywhere={"itd.": "i tako dalje"},
    ),
    "bs": Lexicon(to="do", not_units="s", before_word={"npr.": "na primjer"}, anywhere={"itd.": "i tako dalje"}),
    "sl": Lexicon(to="do", not_units="sV", before_word={"npr.": "na primer"}, anywhere={"itd.": "in tako dalje"}),
    "ru": Lexicon(
        about="около",
        number="номер",
        dot="точка",
        squared="в квадрате",
        cubed="в кубе",
        power="в степени",
        day_rules="spellout-ordinal-neuter-genitive",
        year_in_date="spellout-ordinal-masculine-genitive",
        ordinal=r"(?P<said>(?P<number>\d{1,4})-?(?P<end>"
        + "|".join(sorted(_RUSSIAN_ENDINGS, key=len, reverse=True))
        + r"))(?!\w)",
        ordinal_rules={end: f"spellout-ordinal-{name}" for end, name in _RUSSIAN_ENDINGS.items()},
        roman_before={
            r"\s+век(?!\w)": "spellout-ordinal-masculine",
            r"\s+века(?!\w)": "spellout-ordinal-masculine-genitive",
            r"\s+веке(?!\w)": "spellout-ordinal-masculine-locative",
        },
        before_number={"№": "номер", "стр.": "страница", "рис.": "рисунок", "гл.": "глава", "п.": "пункт"},
        before_word={"т. е.": "то есть", "т.е.": "то есть", "т. к.": "так как", "т.к.": "так как", "напр.": "например"},
        anywhere={
            "и т. д.": "и так далее",
            "и т.д.": "и так далее",
            "и т. п.": "и тому подобное",
            "и т.п.": "и тому подобное",
            "и др.": "и другие",
        },
    ),
    "uk": Lexicon(
        dot="крапка",
        number="номер",
        point="кома",
        before_number={"№": "номер", "стор.": "сторінка"},
        before_word={"т. зв.": "так званий", "напр.": "наприклад"},
        anywhere={"і т. д.": "і так далі", "тощо": "тощо"},
        clock="{} {}",
    ),
}
