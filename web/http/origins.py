"""Which pages may call the API: those of listed origins, and of this machine while the service is open."""

from __future__ import annotations

import re
from functools import lru_cache

from attrs import frozen

from eventflow.settings import ANY_ORIGIN

#: Hosts that lead to this machine, whatever a name server says; as in `Host` and, behind the scheme, in `Origin`.
_LOCAL_HOST = r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
_local_host = re.compile(_LOCAL_HOST, re.IGNORECASE)
_local_origin = re.compile(rf"https?://{_LOCAL_HOST}", re.IGNORECASE)


@lru_cache(256)
def is_local_host(host: str) -> bool:
    """Whether `host`, as a `Host` header has it, is this machine under a name that nobody else can give away."""
    return _local_host.fullmatch(host) is not None


@frozen
class Origins:
    """`listed` are origins as browsers write them."""

    listed: frozenset[str]

    def allowed(self, origin: str, *, is_open: bool) -> str | None:
        """What to answer to a page of `origin` as `Access-Control-Allow-Origin`; None: it may not read this.

        While the service is open, any page could act in its owner's name, so that "*" doesn't count; pages of this
        machine, such as a development server's, are let in.
        """
        if origin in self.listed or (is_open and _local_origin.fullmatch(origin)):
            return origin
        return ANY_ORIGIN if ANY_ORIGIN in self.listed and not is_open else None
