"""The open mode: who is let in without a key, on a machine where browsers show pages of strangers.

A page that is no stranger's has this machine's name in its address: a name that a stranger's server has turned to this
machine (DNS rebinding) is found out by `Host`. What browsers send across origins without asking first, such as forms
and uploads, is found out by `Origin` and `Sec-Fetch-Site`. What a proxy passes on comes from anywhere.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from multidict import CIMultiDict, istr

from eventflow.settings import Settings
from web.http.errors import Problem
from web.http.origins import Origins, is_local_host

#: One of these is set by every proxy that says so at all; as keys of headers, which have no case.
_FORWARDED = CIMultiDict(
    dict.fromkeys(("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"), "")
).keys()
_FETCH_SITE = istr("Sec-Fetch-Site")
_FOREIGN_SITES = ("cross-site", "same-site")
_READS = (hdrs.METH_GET, hdrs.METH_HEAD)
#: The way out, wherever nobody is let in without a key.
MAKE_A_KEY = "Make an API key: eventflow keys add OWNER --admin"


class OpenAccess:
    """What a request has to look like to be answered without a key."""

    def __init__(self, settings: Settings, origins: Origins) -> None:
        self._origins = origins
        public = re.sub(r":\d*$", "", urlsplit(settings.public_url).netloc.rpartition("@")[2])
        bound = f"[{settings.host}]" if ":" in settings.host else settings.host  # loopback, such as 127.0.0.2
        names = "|".join(re.escape(name) for name in (public, bound) if name)
        self._own_host = re.compile(rf"({names})(:\d{{1,5}})?", re.IGNORECASE)

    def check(self, request: web.Request) -> None:
        """Raises Problem: 401 behind a proxy, 421 under a foreign name, 403 for a foreign page that changes things."""
        headers = request.headers
        host = headers.get(hdrs.HOST, "")  # what has none is no browser
        if host and not is_local_host(host) and not self._own_host.fullmatch(host):
            raise Problem(
                421,
                "foreign_host",
                f"Without an API key the service answers to localhost, 127.0.0.1 and [::1] alone, not to {host!r}. "
                f"{MAKE_A_KEY}, or name this host in EVENTFLOW_PUBLIC_URL.",
            )
        if not _FORWARDED.isdisjoint(headers):
            name = next(name for name in headers if name in _FORWARDED)
            raise Problem(
                401,
                "unauthorized",
                f"The request came through a proxy ({name}), and without an API key only this machine is let in. "
                f"{MAKE_A_KEY}.",
                headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="eventflow"'},
            )
        if request.method not in _READS:
            self._check_page(request, host)

    def _check_page(self, request: web.Request, host: str) -> None:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            foreign = request.headers.get(_FETCH_SITE) in _FOREIGN_SITES
        else:
            own = origin.partition("://")[2].lower() == host.lower()
            foreign = not own and self._origins.allowed(origin, is_open=True) is None
        if foreign:
            raise Problem(
                403,
                "foreign_page",
                f"A page of {origin or 'another site'} may not do this. Without an API key only pages of this machine "
                "may, and those of EVENTFLOW_CORS_ORIGINS.",
            )
