"""The words that the rules take, by language. Data.

What a language doesn't have here is not changed in its texts, or taken from the CLDR (`locales`).
"""

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from handlers.generation.narration.spoken_forms import lexicon_de, lexicon_en


@frozen(kw_only=True)
class Lexicon:
    """Words of one language. "{}" stands for a number as it is written; "" is: leave it as it is."""

    #: Between the ends of a range; before "about 3"; between "1920 by 1080"; between "16 to 9".
    to: str = ""
    about: str = ""
    by: str = ""
    ratio: str = ""
    #: Before the number of "#5"; between the names of `object.name`, with blanks.
    number: str = ""
    dot: str = ""
    #: Powers; "" for the others than 2 and 3: `power` is followed by the exponent.
    squared: str = ""
    cubed: str = ""
    power: str = ""
    #: Between whole and decimal digits where voices leave the sign out.
    point: str = ""
    #: Times of day, from hour and minute: "10:30", "10:00".
    clock: str = ""
    full_hour: str = ""
    #: What is written behind a time and said within it ("Uhr").
    clock_word: str = ""
    #: "one dollar", "two dollars", for the sign alone; names in the CLDR tell of which state.
    dollars: tuple[str, str] = ("", "")
    #: The sign "¥" and "kr": codes of currencies.
    yen: str = "JPY"
    crown: str = ""
    #: Words for large numbers in amounts, with what follows them before a currency ("millones de euros").
    magnitudes: tuple[str, ...] = ()
    magnitude_of: str = ""
    #: Signs for large numbers in amounts ("M" in "$5M") -> word.
    magnitude_signs: Mapping[str, str] = field(factory=dict)
    #: Single letters of `unit_names.LETTERS` that are words here.
    not_units: str = ""
    percent: str = ""
    per_second: str = ""
    #: Units that the CLDR doesn't have: symbol -> words.
    units: Mapping[str, str] = field(factory=dict)
    #: The rule set for days before months, or the days as words from 1 on.
    day_rules: str = ""
    days: tuple[str, ...] = ()
    #: The pattern of an ordinal with its ending in the group "end" -> rule set for each ending.
    ordinal: str = ""
    ordinal_rules: Mapping[str, str] = field(factory=dict)
    #: Before a Roman numeral, as a pattern -> rule set ("" for a plain number). `century`: the word behind or before.
    roman_after: Mapping[str, str] = field(factory=dict)
    roman_before: Mapping[str, str] = field(factory=dict)
    #: Words before a year that is said otherwise than other numbers, and the rule set.
    year_words: str = ""
    year_rules: str = ""
    #: Abbreviations: before a digit, before anything, at the end of a sentence as well.
    before_number: Mapping[str, str] = field(factory=dict)
    before_word: Mapping[str, str] = field(factory=dict)
    anywhere: Mapping[str, str] = field(factory=dict)
    #: Short words in capitals that are spelled, though voices would read them as words.
    letters: str = ""
    #: Names with signs -> how they are said.
    names: Mapping[str, str] = field(factory=dict)
    fractions: Mapping[str, str] = field(factory=dict)


_CZECH_DAYS: Final = (
    "prvního druhého třetího čtvrtého pátého šestého sedmého osmého devátého desátého jedenáctého dvanáctého třináctého "
    "čtrnáctého patnáctého šestnáctého sedmnáctého osmnáctého devatenáctého dvacátého"
).split()
_POLISH_DAYS: Final = (
    "pierwszego drugiego trzeciego czwartego piątego szóstego siódmego ósmego dziewiątego dziesiątego jedenastego "
    "dwunastego trzynastego czternastego piętnastego szesnastego siedemnastego osiemnastego dziewiętnastego dwudziestego"
).split()


def _days(first: list[str], thirtieth: str) -> tuple[str, ...]:
    """Complete the first twenty ordinals to thirty-one: the tens are ordinals, too."""
    return (*first, *(f"{first[19]} {one}" for one in first[:9]), thirtieth, f"{thirtieth} {first[0]}")


#: Endings of Russian ordinals -> rule sets.
_RUSSIAN_ENDINGS: Final = {
    "й": "masculine", "ый": "masculine", "ий": "masculine", "ой": "masculine", "я": "feminine", "ая": "feminine",
    "е": "neuter", "ое": "neuter", "го": "masculine-genitive", "ого": "masculine-genitive", "му": "masculine-dative",
    "ому": "masculine-dative", "м": "masculine-locative", "ом": "masculine-locative", "ую": "feminine-accusative",
    "ю": "feminine-accusative",
}  # fmt: skip
_ROMANCE: Final = r"\b(?P<said>\d{1,3}){}"

LEXICONS: Final[Mapping[str, Lexicon]] = {
    "en": Lexicon(**lexicon_en.WORDS),
    "de": Lexicon(**lexicon_de.WORDS),
    "fr": Lexicon(
        to="à", about="environ", by="par", ratio="à", number="numéro", dot="point", squared="au carré", cubed="au cube",
        power="puissance", clock="{} heures {}", full_hour="{} heures", clock_word="h|heures?",
        dollars=("dollar", "dollars"), magnitudes=("millions?", "milliards?"), magnitude_of="de ",
        magnitude_signs={"M": "millions", "Md": "milliards"}, not_units="l",
        units={"fps": "images par seconde"},
        ordinal=r"(?P<said>(?P<number>\d{1,3})\s?(?P<end>ère|ere|re|er|nde|nd|ième|ieme|ème|eme|e))(?![\w'’])",
        ordinal_rules={
            "er": "spellout-ordinal-masculine", "e": "spellout-ordinal-masculine", "ème": "spellout-ordinal-masculine",
            "eme": "spellout-ordinal-masculine", "ième": "spellout-ordinal-masculine",
            "ieme": "spellout-ordinal-masculine", "re": "spellout-ordinal-feminine", "ère": "spellout-ordinal-feminine",
            "ere": "spellout-ordinal-feminine", "nd": "=second", "nde": "=seconde",
        },
        roman_after={r"chapitre|tome|acte|partie|volume|guerre|Louis|Henri|François|Charles|Napoléon|Philippe": ""},
        roman_before={r"(?:e|ème)\s+siècles?": "spellout-ordinal-masculine"},
        before_number={"n°": "numéro", "nº": "numéro", "N°": "Numéro", "p.": "page", "art.": "article", "chap.": "chapitre"},
        before_word={"M.": "Monsieur", "Mme": "Madame", "Mlle": "Mademoiselle", "Dr": "Docteur"},
        anywhere={"p. ex.": "par exemple", "etc.": "et cetera", "c.-à-d.": "c'est-à-dire"},
        letters="API URL AWS CLI USB",
        names={"C#": "C dièse", "F#": "F dièse", "C++": "C plus plus"},
        fractions={"1/2": "un demi", "1/3": "un tiers", "2/3": "deux tiers", "1/4": "un quart", "3/4": "trois quarts"},
    ),
    "es": Lexicon(
        to="a", about="unos", by="por", ratio="a", number="número", dot="punto", squared="al cuadrado",
        cubed="al cubo", power="elevado a", dollars=("dólar", "dólares"), magnitudes=("millón", "millones"),
        full_hour="{} horas", clock_word="h|horas", magnitude_of="de ", magnitude_signs={"M": "millones"},
        units={"fps": "fotogramas por segundo"},
        ordinal=r"(?P<said>(?P<number>\d{1,2})\.?(?P<end>er|ª|º|o|a))(?!\w)",
        ordinal_rules={
            "er": "spellout-ordinal-masculine-adjective", "ª": "spellout-ordinal-feminine",
            "º": "spellout-ordinal-masculine",
        },
        roman_after={
            r"siglos?|capítulo|tomo|volumen|acto|parte": "", r"Alfonso|Felipe|Carlos|Fernando|Isabel|Enrique": "*10",
        },
        before_number={"n.º": "número", "nº": "número", "núm.": "número", "pág.": "página", "págs.": "páginas", "art.": "artículo"},
        before_word={
            "Sr.": "Señor", "Sra.": "Señora", "Dr.": "Doctor", "Dra.": "Doctora", "Ud.": "usted", "Uds.": "ustedes",
            "p. ej.": "por ejemplo", "EE. UU.": "Estados Unidos", "EE.UU.": "Estados Unidos",
        },
        anywhere={"etc.": "etcétera"},
        letters="API URL AWS CLI",
        names={"C#": "C sharp", "F#": "F sharp", "C++": "C más más"},
        fractions={"1/2": "un medio", "1/3": "un tercio", "2/3": "dos tercios", "1/4": "un cuarto", "3/4": "tres cuartos"},
    ),
    "it": Lexicon(
        to="a", about="circa", by="per", ratio="a", number="numero", dot="punto", squared="al quadrato", cubed="al cubo",
        power="alla", dollars=("dollaro", "dollari"), magnitudes=("milione", "milioni", "miliardo", "miliardi"),
        magnitude_of="di ",
        roman_after={r"capitolo|volume|atto|parte|guerra": ""}, roman_before={r"\s+secolo": "spellout-ordinal-masculine"},
        before_number={"n.": "numero", "n°": "numero", "pag.": "pagina", "p.": "pagina", "art.": "articolo"},
        before_word={"Sig.": "Signor", "Sig.ra": "Signora", "Dott.": "Dottor", "Dott.ssa": "Dottoressa", "p. es.": "per esempio"},
        anywhere={"ecc.": "eccetera", "p.es.": "per esempio"}, letters="API URL AWS", names={"C#": "C sharp", "C++": "C più più"},
        fractions={"1/2": "un mezzo", "1/3": "un terzo", "2/3": "due terzi", "1/4": "un quarto", "3/4": "tre quarti"},
    ),
    "pt": Lexicon(
        to="a", about="cerca de", by="por", ratio="por", number="número", dot="ponto", squared="ao quadrado",
        cubed="ao cubo", power="elevado a", dollars=("dólar", "dólares"), magnitude_of="de ",
        magnitudes=("milhão", "milhões", "bilhão", "bilhões", "mil milhões"), clock_word="h|horas", full_hour="{} horas",
        clock="{} horas e {}",
        roman_after={r"séculos?|capítulo|tomo|volume|ato|parte": ""},
        before_number={"n.º": "número", "nº": "número", "n°": "número", "pág.": "página", "art.": "artigo"},
        before_word={"Sr.": "Senhor", "Sra.": "Senhora", "Dr.": "Doutor", "Dra.": "Doutora", "p. ex.": "por exemplo"},
        anywhere={"etc.": "etcétera"}, letters="API URL AWS", names={"C#": "C sharp", "C++": "C mais mais"},
        fractions={"1/2": "um meio", "1/3": "um terço", "2/3": "dois terços", "1/4": "um quarto", "3/4": "três quartos"},
    ),
    "ca": Lexicon(to="a", dollars=("dòlar", "dòlars"), magnitudes=("milió", "milions"), magnitude_of="de "),
    "ro": Lexicon(to="până la", dollars=("dolar", "dolari")),
    "nl": Lexicon(
        to="tot", about="ongeveer", by="bij", ratio="op", number="nummer", dot="punt", squared="kwadraat",
        power="tot de macht", dollars=("dollar", "dollar"), magnitudes=("miljoen", "miljard"), clock="{} uur {}",
        full_hour="{} uur", clock_word="uur", day_rules="", ordinal=r"(?P<said>(?P<number>\d{1,3})(?P<end>ste|de|e))(?!\w)",
        ordinal_rules=dict.fromkeys(("ste", "de", "e"), "spellout-ordinal"),
        year_words=r"in|sinds|van|tot|anno|jaar|rond|vóór|voor|na", year_rules="spellout-numbering-year",
        before_number={"nr.": "nummer", "blz.": "bladzijde", "p.": "pagina", "art.": "artikel", "ca.": "circa"},
        before_word={
            "bijv.": "bijvoorbeeld", "bv.": "bijvoorbeeld", "d.w.z.": "dat wil zeggen", "m.b.t.": "met betrekking tot",
            "o.a.": "onder andere", "t.o.v.": "ten opzichte van", "i.p.v.": "in plaats van", "dhr.": "de heer",
            "mevr.": "mevrouw", "Dr.": "Doctor", "ca.": "circa",
        },
        anywhere={"enz.": "enzovoort", "etc.": "et cetera"}, letters="API URL AWS", names={"C#": "C sharp"},
    ),
    "sv": Lexicon(
        to="till", about="ungefär", by="gånger", number="nummer", dot="punkt", squared="i kvadrat", power="upphöjt till",
        dollars=("dollar", "dollar"), crown="SEK", magnitudes=("miljoner", "miljon", "miljarder", "miljard"),
        day_rules="spellout-ordinal-feminine", not_units="", year_words=r"år|sedan|sommaren|våren|hösten|vintern",
        year_rules="spellout-numbering-year", before_number={"nr.": "nummer", "nr": "nummer", "s.": "sidan", "ca": "cirka"},
        before_word={"t.ex.": "till exempel", "t. ex.": "till exempel", "bl.a.": "bland annat", "d.v.s.": "det vill säga",
                     "dvs.": "det vill säga", "fr.o.m.": "från och med", "t.o.m.": "till och med", "ca": "cirka"},
        anywhere={"osv.": "och så vidare", "m.m.": "med mera"}, letters="API URL AWS", names={"C#": "C sharp"},
    ),
    "da": Lexicon(
        to="til", about="cirka", number="nummer", dot="punktum", dollars=("dollar", "dollar"), crown="DKK",
        magnitudes=("millioner", "million", "milliarder", "milliard"), day_rules="spellout-ordinal-common",
        year_words=r"i|siden|år|sommeren|omkring", year_rules="spellout-numbering-year",
        before_word={"f.eks.": "for eksempel", "bl.a.": "blandt andet", "dvs.": "det vil sige", "ca.": "cirka"},
        anywhere={"osv.": "og så videre"}, before_number={"nr.": "nummer"}, letters="API URL AWS",
    ),
    "nb": Lexicon(
        to="til", about="omtrent", number="nummer", dot="punktum", dollars=("dollar", "dollar"), crown="NOK",
        magnitudes=("millioner", "million", "milliarder", "milliard"), day_rules="spellout-ordinal-masculine",
        year_words=r"siden|år|sommeren|omkring", year_rules="spellout-numbering-year",
        before_word={"f.eks.": "for eksempel", "bl.a.": "blant annet", "dvs.": "det vil si", "ca.": "cirka"},
        anywhere={"osv.": "og så videre"}, before_number={"nr.": "nummer"}, letters="API URL AWS",
    ),
    "fi": Lexicon(day_rules="spellout-ordinal", before_word={"esim.": "esimerkiksi", "ts.": "toisin sanoen"}),
    "pl": Lexicon(
        to="do", about="około", dot="kropka", number="numer", squared="do kwadratu", days=_days(_POLISH_DAYS, "trzydziestego"),
        roman_before={r"\s+wiek": "=pl"}, not_units="s",
        before_number={"nr": "numer", "s.": "strona", "str.": "strona", "art.": "artykuł", "ok.": "około", "rozdz.": "rozdział"},
        before_word={"np.": "na przykład", "tj.": "to jest", "tzn.": "to znaczy", "tzw.": "tak zwany", "m.in.": "między innymi",
                     "m. in.": "między innymi", "ok.": "około"},
        anywhere={"itd.": "i tak dalej", "itp.": "i tym podobne"}, letters="API URL AWS",
    ),
    "cs": Lexicon(
        to="až", about="asi", number="číslo", dot="tečka", squared="na druhou", cubed="na třetí", not_units="sV",
        days=_days(_CZECH_DAYS, "třicátého"),
        before_number={"č.": "číslo", "str.": "strana", "cca": "cirka"},
        before_word={"např.": "například", "tzv.": "takzvaný", "tj.": "to jest", "tzn.": "to znamená", "cca": "cirka"},
        anywhere={"atd.": "a tak dále", "apod.": "a podobně"}, letters="API URL AWS",
    ),
    "sk": Lexicon(to="až", number="číslo", dot="bodka", not_units="sV", before_word={"napr.": "napríklad", "tzv.": "takzvaný"}),
    "hr": Lexicon(to="do", not_units="s", before_word={"npr.": "na primjer", "tzv.": "takozvani"}, anywhere={"itd.": "i tako dalje"}),
    "bs": Lexicon(to="do", not_units="s", before_word={"npr.": "na primjer"}, anywhere={"itd.": "i tako dalje"}),
    "sl": Lexicon(to="do", not_units="sV", before_word={"npr.": "na primer"}, anywhere={"itd.": "in tako dalje"}),
    "ru": Lexicon(
        about="около", number="номер", dot="точка", squared="в квадрате", cubed="в кубе", power="в степени",
        day_rules="spellout-ordinal-neuter-genitive", dollars=("доллар", ""),
        ordinal=r"(?P<said>(?P<number>\d{1,4})-?(?P<end>" + "|".join(sorted(_RUSSIAN_ENDINGS, key=len, reverse=True)) + r"))(?!\w)",
        ordinal_rules={end: f"spellout-ordinal-{name}" for end, name in _RUSSIAN_ENDINGS.items()},
        roman_before={r"\s+век(?!\w)": "spellout-ordinal-masculine", r"\s+века(?!\w)": "spellout-ordinal-masculine-genitive",
                      r"\s+веке(?!\w)": "spellout-ordinal-masculine-locative"},
        before_number={"№": "номер", "стр.": "страница", "рис.": "рисунок", "гл.": "глава", "п.": "пункт"},
        before_word={"т. е.": "то есть", "т.е.": "то есть", "т. к.": "так как", "т.к.": "так как", "напр.": "например"},
        anywhere={"и т. д.": "и так далее", "и т.д.": "и так далее", "и т. п.": "и тому подобное", "и т.п.": "и тому подобное",
                  "и др.": "и другие"},
    ),
    "uk": Lexicon(
        dot="крапка", number="номер", point="кома", before_number={"№": "номер", "стор.": "сторінка"},
        before_word={"т. зв.": "так званий", "напр.": "наприклад"}, anywhere={"і т. д.": "і так далі", "тощо": "тощо"},
        clock="{} {}",
    ),
    "tr": Lexicon(
        to="ila", about="yaklaşık", dot="nokta", number="numara", dollars=("dolar", "dolar"), not_units="",
        ordinal=r"(?P<said>(?P<number>\d{1,4})['’]?(?P<end>[ıiuü]?nc[ıiuü]))(?!\w)",
        ordinal_rules={f"{v}nc{w}": "spellout-ordinal" for v in ("ı", "i", "u", "ü", "") for w in "ıiuü"},
        before_word={"vb.": "ve benzeri", "Dr.": "Doktor", "örn.": "örneğin"}, anywhere={"vs.": "vesaire"},
    ),
    "el": Lexicon(
        to="έως", about="περίπου", dot="τελεία", number="αριθμός", dollars=("δολάριο", "δολάρια"),
        ordinal=r"(?P<said>(?P<number>\d{1,3})(?P<end>ος|η|ο))(?!\w)",
        ordinal_rules={"ος": "spellout-ordinal-masculine", "η": "spellout-ordinal-feminine", "ο": "spellout-ordinal-neuter"},
        before_word={"π.χ.": "παραδείγματος χάρη", "δηλ.": "δηλαδή"}, anywhere={"κ.λπ.": "και λοιπά", "κτλ.": "και τα λοιπά"},
    ),
    "zh": Lexicon(
        to="到", about="大约", dot="点", squared="的平方", cubed="的立方", dollars=("美元", "美元"), yen="CNY",
        percent="百分之{}", per_second="每秒{}", magnitudes=("万亿", "万", "亿"),
    ),
    "ja": Lexicon(to="から", about="約", dollars=("ドル", "ドル"), yen="JPY", per_second="毎秒{}", magnitudes=("万", "億", "兆")),
    "ko": Lexicon(
        to="에서", about="약 ", dot="점", point="점", dollars=("달러", "달러"), percent="{}퍼센트", magnitudes=("만", "억", "조"),
    ),
    "yue": Lexicon(to="至", percent="百分之{}", yen="CNY"),
    "hi": Lexicon(to="से", about="लगभग", dot="डॉट", dollars=("डॉलर", "डॉलर"), before_word={"डॉ.": "डॉक्टर"}),
    "ar": Lexicon(to="إلى", about="حوالي", dot="نقطة", percent="{} بالمئة", dollars=("دولار", "دولار")),
    "fa": Lexicon(to="تا", dollars=("دلار", "دلار")),
    "he": Lexicon(to="עד", dollars=("דולר", "דולר")),
    "vi": Lexicon(to="đến", dollars=("đô la", "đô la"), percent="{} phần trăm"),
    "id": Lexicon(to="sampai", dollars=("dolar", "dolar")),
    "ms": Lexicon(to="hingga", dollars=("dolar", "dolar")),
    "ur": Lexicon(to="سے"),
    "bn": Lexicon(to="থেকে"),
}  # fmt: skip

#: Languages by the names of voices -> of the table.
_SAME: Final = {"cmn": "zh", "no": "nb", "hbs": "hr"}
_NONE: Final = Lexicon()


def lexicon_of(language: str) -> Lexicon:
    """Return the words for a voice of a language (a BCP 47 tag); an empty lexicon where there are none."""
    name, *rest = language.split("-")
    if any(len(part) == 4 for part in rest):
        return _NONE
    return LEXICONS.get(_SAME.get(name, name), _NONE)
