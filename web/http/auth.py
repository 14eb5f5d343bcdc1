"""Who may use the API: holders of an API key, and while no key was ever made, everybody on this machine (open access).

Open access distinguishes the owner's pages from strangers' pages, which browsers on this machine show as well:

- A stranger's page has a name in its address that isn't this machine's, even where its DNS record points here (DNS
  rebinding): `Host` shows the name.
- Forms and uploads are sent across origins without a preflight: `Origin` and `Sec-Fetch-Site` show the page's origin.
- A request that a proxy passes on may come from any machine.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web
from cachetools import LRUCache
from multidict import CIMultiDict, istr

from eventflow.access.api_keys import OPEN_OWNER, ApiKeys, Principal
from eventflow.settings import Settings
from web.deps import PRINCIPAL
from web.http.errors import Problem
from web.http.origins import Origins, is_local_host

_log = structlog.get_logger()

#: Seconds that an answer of the key store is reused: a revoked key works for as long at most.
CACHE_SECONDS = 1.0
#: The way out, wherever nobody is admitted without a key.
MAKE_A_KEY = "Make an API key: eventflow keys add OWNER --admin"

_CACHED_TOKENS = 10_000
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,256}")
_CHALLENGE = 'Bearer realm="eventflow"'
_OPEN = Principal(OPEN_OWNER, frozenset({"admin"}))
#: Proxies set at least one of these, if they identify themselves at all. Keys of a CIMultiDict ignore case.
_FORWARDED = CIMultiDict(
    dict.fromkeys(("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"), "")
).keys()
_FETCH_SITE = istr("Sec-Fetch-Site")
_FOREIGN_SITES = ("cross-site", "same-site")
_READS = (hdrs.METH_GET, hdrs.METH_HEAD)


def require_admin(request: web.Request) -> None:
    """Raises Problem 403 unless the request's key has the admin scope."""
    if not request[PRINCIPAL].is_admin:
        raise Problem(403, "forbidden", "This needs an API key with the admin scope.")


class OpenAccess:
    """The conditions under which a request is answered without a key."""

    def __init__(self, settings: Settings, origins: Origins) -> None:
        self._origins = origins
        public = re.sub(r":\d*$", "", urlsplit(settings.public_url).netloc.rpartition("@")[2])
        bound = f"[{settings.host}]" if ":" in settings.host else settings.host  # loopback, such as 127.0.0.2
        names = "|".join(re.escape(name) for name in (public, bound) if name)
        self._own_host = re.compile(rf"({names})(:\d{{1,5}})?", re.IGNORECASE)

    def check(self, request: web.Request) -> None:
        """Raises Problem 401 behind a proxy, 421 for a foreign host name, 403 for a foreign page that would write."""
        headers = request.headers
        host = headers.get(hdrs.HOST, "")  # browsers always send one
        if host and not is_local_host(host) and not self._own_host.fullmatch(host):
            raise Problem(
                421,
                "foreign_host",
                f"Without an API key the service answers to localhost, 127.0.0.1 and [::1] alone, not to {host!r}. "
                f"{MAKE_A_KEY}, or name this host in EVENTFLOW_PUBLIC_URL.",
            )
        if not _FORWARDED.isdisjoint(headers):
            name = next(name for name in headers if name in _FORWARDED)
            raise _unauthorized(
                f"The request came through a proxy ({name}); without an API key only direct requests from this machine "
                f"are admitted. {MAKE_A_KEY}."
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


class Auth:
    """Finds the principal of a request. `monotonic` gives seconds.

    With `access`, and until the first key is made, a request that `access` admits belongs to the owner "local" with the
    admin scope. Without `access`, and from the first key on, a key is required. A service that once required a key
    never opens again while this process lives, even if the server of the keys loses all its data.
    """

    def __init__(self, keys: ApiKeys, *, monotonic: Callable[[], float], access: OpenAccess | None) -> None:
        self._keys, self._monotonic = keys, monotonic
        self._access = access
        #: Until when `_has_keys` and `_is_open` are reused; both are None before the first look-up.
        self._until = 0.0
        self._has_keys: bool | None = None
        self._is_open: bool | None = None
        #: SHA-256 of the token -> (until when it is reused, its principal). Entries hold their own end, because a
        #: look-up in cachetools' TTLCache takes 4 us (LRUCache: 0.7 us), and `cached_principal` is on the path of
        #: every status request.
        self._principals = LRUCache[bytes, tuple[float, Principal | None]](_CACHED_TOKENS)

    @property
    def is_open(self) -> bool:
        """Whether the last look-up found that no key is needed."""
        return self._is_open is True

    async def has_keys(self) -> bool:
        """Whether any key exists. Raises connection errors."""
        now = self._monotonic()
        if self._has_keys is None or now >= self._until:
            has_keys = await self._keys.any()
            may_be_open = self._access is not None and self._is_open is not False and not has_keys
            self._update(has_keys, is_open=may_be_open and not await self._keys.ever())
            self._until = now + CACHE_SECONDS
        return self._has_keys is True

    def cached_principal(self, request: web.Request) -> Principal | None:
        """The principal, if no look-up in the key store is needed; else None. No I/O.

        Raises Problem 401, 403, 421 under open access.
        """
        now = self._monotonic()
        if now >= self._until:
            return None
        if self._is_open and self._access is not None:
            self._access.check(request)
            return _OPEN
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
            return None
        cached = self._principals.get(hashlib.sha256(token.encode()).digest())
        return cached[1] if cached is not None and now < cached[0] else None

    async def principal(self, request: web.Request) -> Principal:
        """The principal of the request. Raises Problem 401, under open access also 403 and 421; connection errors."""
        has_keys = await self.has_keys()
        if self._is_open and self._access is not None:
            self._access.check(request)
            return _OPEN
        if not has_keys:
            raise _unauthorized(f"The service has no API key, and admits nobody without one. {MAKE_A_KEY}.")
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorized("Send your API key: Authorization: Bearer ...")
        found = await self._look_up(token.strip()) if _TOKEN.fullmatch(token.strip()) else None
        if found is None:
            raise _unauthorized("This API key is unknown or was revoked.", f'{_CHALLENGE}, error="invalid_token"')
        return found

    def _update(self, has_keys: bool, *, is_open: bool) -> None:
        """Store the result of a look-up, and log a change since the last one."""
        is_open = is_open and self._is_open is not False  # another request may have closed it during the look-up
        before, self._has_keys, self._is_open = (self._has_keys, self._is_open), has_keys, is_open
        if before == (None, None) or before == (has_keys, is_open):
            return
        if has_keys:
            _log.warning("an API key exists now: every request needs one", action="access", was_open=before[1])
        else:
            _log.warning(f"no API key is left: every request is answered 401. {MAKE_A_KEY}", action="access")

    async def _look_up(self, token: str) -> Principal | None:
        digest = hashlib.sha256(token.encode()).digest()
        now = self._monotonic()
        cached = self._principals.get(digest)
        if cached is not None and now < cached[0]:
            return cached[1]
        found = await self._keys.authenticate(token)
        self._principals[digest] = (now + CACHE_SECONDS, found)
        return found


def _unauthorized(detail: str, challenge: str = _CHALLENGE) -> Problem:
    return Problem(401, "unauthorized", detail, headers={hdrs.WWW_AUTHENTICATE: challenge})


AUTH = web.AppKey("auth", Auth)
