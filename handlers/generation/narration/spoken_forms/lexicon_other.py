"""Words of Greek, Turkish, Finnish, Arabic, Hebrew and Persian for the rules; see `words`. Data."""

from typing import Final

from handlers.generation.narration.spoken_forms.words import Lexicon

LEXICONS: Final = {
    "el": Lexicon(
        to="έως",
        about="περίπου",
        dot="τελεία",
        number="αριθμός",
        dollars=("δολάριο", "δολάρια"),
        ordinal=r"(?P<said>(?P<number>\d{1,3})(?P<end>ος|η|ο))(?!\w)",
        ordinal_rules={
            "ος": "spellout-ordinal-masculine",
            "η": "spellout-ordinal-feminine",
            "ο": "spellout-ordinal-neuter",
        },
        before_word={"π.χ.": "παραδείγματος χάρη", "δηλ.": "δηλαδή"},
        anywhere={"κ.λπ.": "και λοιπά", "κτλ.": "και τα λοιπά"},
    ),
    "tr": Lexicon(
        to="ila",
        about="yaklaşık",
        dot="nokta",
        number="numara",
        dollars=("dolar", "dolar"),
        not_units="",
        ordinal=r"(?P<said>(?P<number>\d{1,4})['’]?(?P<end>[ıiuü]?nc[ıiuü]))(?!\w)",
        ordinal_rules={f"{v}nc{w}": "spellout-ordinal" for v in ("ı", "i", "u", "ü", "") for w in "ıiuü"},
        before_word={"vb.": "ve benzeri", "Dr.": "Doktor", "örn.": "örneğin"},
        anywhere={"vs.": "vesaire"},
    ),
    "fi": Lexicon(day_rules="spellout-ordinal", before_word={"esim.": "esimerkiksi", "ts.": "toisin sanoen"}),
    "ar": Lexicon(to="إلى", about="حوالي", dot="نقطة", percent="{} بالمئة", dollars=("دولار", "دولار")),
    "he": Lexicon(to="עד", dollars=("דולר", "דולר")),
    "fa": Lexicon(to="تا", dollars=("دلار", "دلار")),
}
