"""Trace ids: the `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context/). Pure."""

from __future__ import annotations

import re

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def is_traceparent(text: str) -> bool:
    return _TRACEPARENT.fullmatch(text) is not None


def new_traceparent(random_hex: str) -> str:
    """Build the traceparent of a new, sampled trace from 48 random hex digits: 32 for the trace, 16 for the span."""
    return f"00-{random_hex[:32]}-{random_hex[32:48]}-01"
