"""Decodes `data:` URLs (RFC 2397)."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

from eventflow.assets.errors import BrokenMedia


def decoded(url: str) -> bytes:
    """Return the bytes of a `data:` URL, whatever media type it declares. Raises BrokenMedia."""
    head, comma, data = url.partition(",")
    if not comma or not head.lower().startswith("data:"):
        raise BrokenMedia("the data: address has no data")
    content = unquote_to_bytes(data)
    if not head.lower().endswith(";base64"):
        return content
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        raise BrokenMedia("the data: address isn't base64") from None
