"""What each voice of espeak reads, measured by its phonemes: letters that are spelled have a stress each."""

from __future__ import annotations

import ctypes
import re

from handlers.generation.narration.narrators import espeak
from handlers.generation.narration.readable import Reader

#: A word of each script, without vowel signs.
WORDS = {
    "Latn": "banana", "Cyrl": "вода", "Grek": "νερο", "Arab": "سلام", "Hebr": "שלום", "Deva": "कमल", "Beng": "কমল",
    "Guru": "ਕਮਲ", "Gujr": "કમલ", "Orya": "କମଳ", "Taml": "கமல", "Telu": "కమల", "Knda": "ಕಮಲ", "Mlym": "കമല",
    "Sinh": "කමල", "Thai": "กมล", "Laoo": "ກມລ", "Mymr": "ကမလ", "Khmr": "កមល", "Tibt": "ཀམལ", "Geor": "წყალი",
    "Armn": "ջուր", "Ethi": "ውሃነው", "Hang": "물이다", "Hira": "みずは", "Kana": "ミズハ",
    "Hani": "水河山", "Bopo": "ㄅㄆㄇ", "Shaw": "𐑞𐑨𐑑", "Mong": "ᠤᠰᠤ", "Thaa": "ފެން", "Syrc": "ܡܝܐ", "Tfng": "ⴰⵎⴰⵏ",
}  # fmt: skip
#: Of these a letter is a syllable, and has a stress where it is read, too.
SYLLABLES = ("Hira", "Kana", "Hani", "Bopo")
#: Letters that make few sounds, but not those of a word.
MISREAD = {("ta", "Hebr")}
_MARKS = re.compile(r"[',_|: ]|\(\w[\w-]*\)")


class Phonemes:
    """espeak's phonemes of a text."""

    def __init__(self) -> None:
        espeak.voice_names()
        self._library = espeak._engine()._library
        self._translate = self._library.espeak_TextToPhonemes
        self._translate.restype = ctypes.c_char_p
        self._translate.argtypes = (ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int)

    def use(self, voice: str) -> None:
        assert self._library.espeak_SetVoiceByName(espeak._voices()[voice].encode()) == 0

    def of(self, text: str) -> str:
        found, rest = [], ctypes.c_char_p(text.encode())
        while rest.value:
            found.append((self._translate(ctypes.byref(rest), 1, 0) or b"").decode())
        return "".join(found)


def test_the_table_says_what_espeak_does() -> None:
    phonemes = Phonemes()
    wrong = []
    with espeak._lock:
        for voice in sorted(espeak._voices()):
            phonemes.use(voice)
            reader = Reader(voice)
            for script, word in WORDS.items():
                if script in SYLLABLES:
                    read = len({_MARKS.sub("", phonemes.of(letter)) for letter in word}) == len(word)
                else:
                    said = phonemes.of(word)
                    read = bool(_MARKS.sub("", said)) and said.count("'") + said.count(",") < len(word)
                if read != reader.reads(script) and (voice, script) not in MISREAD:
                    wrong.append((voice, script, read))
    assert wrong == []
