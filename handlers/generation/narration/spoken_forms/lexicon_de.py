"""German words for the rules; see `lexicon`. Data."""

from typing import Any, Final

WORDS: Final[dict[str, Any]] = {
    "to": "bis",
    "about": "etwa",
    "by": "mal",
    "ratio": "zu",
    "number": "Nummer",
    "dot": "Punkt",
    "squared": "Quadrat",
    "cubed": "hoch drei",
    "power": "hoch",
    "clock": "{} Uhr {}",
    "full_hour": "{} Uhr",
    "clock_word": "Uhr|h",
    "dollars": ("Dollar", "Dollar"),
    "magnitudes": (
        "Millionen", "Million", "Milliarden", "Milliarde", "Billionen", "Billion", "Mio.", "Mrd.", "Tsd.", "Tausend",
        "tausend", "Hundert",
    ),
    "magnitude_signs": {"M": "Millionen", "k": "tausend", "K": "tausend"},
    "units": {
        "fps": "Bilder pro Sekunde", "FPS": "Bilder pro Sekunde", "dB": "Dezibel", "kbps": "Kilobit pro Sekunde",
        "PS": "PS", "Std.": "Stunden", "Min.": "Minuten", "Sek.": "Sekunden", "Mio.": "Millionen", "Mrd.": "Milliarden",
        "Tsd.": "Tausend", "U/min": "Umdrehungen pro Minute", "mAh": "Milliamperestunden", "qm": "Quadratmeter",
        "t": "Tonnen",
    },
    "before_number": {
        "Nr.": "Nummer", "Nrn.": "Nummern", "S.": "Seite", "Abb.": "Abbildung", "Tab.": "Tabelle", "Kap.": "Kapitel",
        "Abs.": "Absatz", "Art.": "Artikel", "Bd.": "Band", "ca.": "circa", "max.": "maximal", "min.": "mindestens",
        "Tel.": "Telefon", "Vers.": "Version", "Jg.": "Jahrgang", "§§": "Paragrafen", "Ziff.": "Ziffer", "Aufl.": "Auflage",
    },
    "before_word": {
        "z. B.": "zum Beispiel", "z.B.": "zum Beispiel", "d. h.": "das heißt", "d.h.": "das heißt",
        "bzw.": "beziehungsweise", "u. a.": "unter anderem", "u.a.": "unter anderem", "ca.": "circa",
        "vgl.": "vergleiche", "Vgl.": "Vergleiche", "ggf.": "gegebenenfalls", "evtl.": "eventuell", "inkl.": "inklusive",
        "exkl.": "exklusive", "bzgl.": "bezüglich", "insb.": "insbesondere", "sog.": "sogenannte", "max.": "maximal",
        "zzgl.": "zuzüglich", "abzgl.": "abzüglich", "i. d. R.": "in der Regel", "i.d.R.": "in der Regel",
        "z. T.": "zum Teil", "z.T.": "zum Teil", "v. a.": "vor allem", "v.a.": "vor allem", "u. U.": "unter Umständen",
        "u.U.": "unter Umständen", "m. E.": "meines Erachtens", "s. o.": "siehe oben", "s. u.": "siehe unten",
        "Dr.": "Doktor", "Prof.": "Professor", "Hr.": "Herr", "Fr.": "Frau", "St.": "Sankt", "gem.": "gemäß",
        "o. g.": "oben genannte", "o.g.": "oben genannte", "b. z. w.": "beziehungsweise", "Z. B.": "Zum Beispiel",
        "Z.B.": "Zum Beispiel", "D. h.": "Das heißt", "lt.": "laut", "zw.": "zwischen", "entspr.": "entsprechend",
    },
    "anywhere": {
        "usw.": "und so weiter", "etc.": "et cetera", "u. Ä.": "und Ähnliches", "u.Ä.": "und Ähnliches",
        "o. Ä.": "oder Ähnliches", "o.Ä.": "oder Ähnliches", "o. ä.": "oder ähnliches", "u. ä.": "und ähnliches",
        "v. Chr.": "vor Christus", "n. Chr.": "nach Christus", "Jh.": "Jahrhundert", "u. s. w.": "und so weiter",
        "u. v. m.": "und vieles mehr", "uvm.": "und vieles mehr",
    },
    "letters": (
        "API AWS URL URI UI UX EU IT USA KI EC AGB EZB UKW EDV ARD UNO EKG AKW ABS ADAC AOK IP IPV IAM CLI GUI IDE LED "
        "ORM EU ID AI OS ISP UDP USB IBAN EIN ABI AI AR ASW UV UG OHG AG EK UTC"
    ),
    "names": {"C#": "C sharp", "F#": "F sharp", "C++": "C plus plus", "GmbH": "G-M-B-H"},
    "fractions": {
        "1/2": "ein halb", "1/3": "ein Drittel", "2/3": "zwei Drittel", "1/4": "ein Viertel", "3/4": "drei Viertel",
        "1/5": "ein Fünftel", "2/5": "zwei Fünftel", "3/5": "drei Fünftel", "4/5": "vier Fünftel", "1/8": "ein Achtel",
        "3/8": "drei Achtel", "1/10": "ein Zehntel",
    },
    "roman_after": {
        r"Kapitel|Band|Akt|Teil|Phase|Typ|Weltkrieg|Abschnitt|Klasse|Stufe|Artikel|Anhang": "",
        r"Ludwig|Karl|Heinrich|Friedrich|Wilhelm|Otto|Elisabeth|Georg|Philipp|Napoleon|Pius|Leo|Benedikt|Johannes Paul"
        r"|Katharina|Nikolaus|Leopold|Franz|Ferdinand|Maximilian|Rudolf|Konrad|Eduard|Jakob|Richard|Alexander|Peter": (
            "der spellout-ordinal"
        ),
    },
    "year_words": (
        r"in|im|seit|um|von|vom|ab|bis|vor|nach|gegen|Jahre?s?|Jahren|Anno|anno|zwischen|und|Sommer|Herbst|Winter|Frühjahr"
        r"|Frühling|Anfang|Mitte|Ende|Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
    ),
    "year_rules": "spellout-numbering-year",
}  # fmt: skip
