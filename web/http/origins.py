"""Which pages may call the API: those of listed origins, and under open access those of this machine."""

from __future__ import annotations

import re
from functools import lru_cache

from attrs import frozen

from eventflow.settings import ANY_ORIGIN

#: Host names that mean this machine whatever a DNS server says; as `Host` and, behind the scheme, `Origin` have them.
_LOCAL_HOST = r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
_local_host = re.compile(_LOCAL_HOST, re.IGNORECASE)
_local_origin = re.compile(rf"https?://{_LOCAL_HOST}", re.IGNORECASE)


@lru_cache(256)
def is_local_host(host: str) -> bool:
    """Whether `host`, the value of a `Host` header, means this machine whatever a DNS server says."""
    return _local_host.fullmatch(host) is not None


@frozen
class Origins:
    """The origins whose pages may call the API. `listed` has them as browsers write them, or "*" for any."""

    listed: frozenset[str]

    def allowed(self, origin: str, *, is_open: bool) -> str | None:
        """The `Access-Control-Allow-Origin` for a page of `origin`; None: it may not read the answer.

        Under open access (`is_open`) any page could act in the owner's name. So "*" doesn't count then, and pages of
        this machine, such as a development server's, are allowed.
        """
        if origin in self.listed or (is_open and _local_origin.fullmatch(origin)):
            return origin
        return ANY_ORIGIN if ANY_ORIGIN in self.listed and not is_open else None
