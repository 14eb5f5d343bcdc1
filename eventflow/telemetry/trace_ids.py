"""W3C trace context: the form of a `traceparent` (https://www.w3.org/TR/trace-context/)."""

from __future__ import annotations

import re

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def is_traceparent(text: str) -> bool:
    return _TRACEPARENT.fullmatch(text) is not None
