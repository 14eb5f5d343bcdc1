"""Content-Disposition for downloads (RFC 6266, RFC 8187), safe for any name a user may have given.

aiohttp's `content_disposition_header` writes the form of RFC 7578 for form fields: it percent-encodes `filename`, which
browsers save as it stands, and has no `filename*`.
"""

import unicodedata
from urllib.parse import quote

MAX_NAME_CHARACTERS = 150
# Quotes and backslashes would end the quoted string, "%" makes some browsers decode it, and the rest
# is not allowed in file names on one system or another.
_UNSAFE = frozenset('\\/:*?"<>|%')


def attachment(name: str) -> str:
    """Return the header's value by which a browser saves the answer as `name`; printable ASCII only."""
    safe = safe_name(name)
    ascii_name = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode().strip(" .")
    # A name that lost all its letters (such as Chinese ones) would be a bare extension.
    if not ascii_name or (safe != ascii_name and safe.rpartition(".")[2] == ascii_name):
        ascii_name = f"download.{ascii_name}" if ascii_name else "download"
    plain = f'attachment; filename="{ascii_name}"'
    return plain if ascii_name == safe else f"{plain}; filename*=UTF-8''{quote(safe, safe='')}"


def safe_name(name: str) -> str:
    """Return `name` without control and direction-changing characters, and with `_` for separators and quotes.

    A name of more than 150 characters is cut before its extension; an empty result becomes `download`.
    """
    kept = "".join(
        "_" if character in _UNSAFE else character
        for character in unicodedata.normalize("NFC", name)
        # C*: control, format (which could show "exe.mp4" for "4pm.exe"), surrogate, private, unassigned.
        if not unicodedata.category(character).startswith("C")
    ).strip(" .")
    if len(kept) > MAX_NAME_CHARACTERS:
        stem, dot, extension = kept.rpartition(".")
        ending = dot + extension if stem and len(extension) <= 10 else ""
        kept = kept[: MAX_NAME_CHARACTERS - len(ending)] + ending
    return kept or "download"
