"""What espeak says, as its phonemes in the International Phonetic Alphabet: nothing has to be heard."""

from __future__ import annotations

import ctypes
from typing import Final

from handlers.generation.narration.narrators import espeak

_UTF8: Final = 1
_IPA: Final = 2
_STRESS: Final = str.maketrans("", "", "ˈˌ ")


def phonemes(text: str, voice: str) -> str:
    """The sounds that a voice makes of `text`, without stress and blanks; "|" where it ends a clause."""
    engine = espeak._engine()
    library = engine._library
    with espeak._lock:
        assert library.espeak_SetVoiceByName(espeak._voices()[voice].encode()) == 0
        translate = library.espeak_TextToPhonemes
        translate.restype = ctypes.c_char_p
        translate.argtypes = (ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int)
        rest = ctypes.c_char_p(text.encode())
        clauses = []
        while rest.value is not None:
            clauses.append((translate(ctypes.byref(rest), _UTF8, _IPA) or b"").decode())
    return "|".join(clause.translate(_STRESS) for clause in clauses if clause)
