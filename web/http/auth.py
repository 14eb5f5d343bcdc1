"""Who is asking: bearer tokens, looked up at most once a second each."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable

import structlog
from aiohttp import hdrs, web

from eventflow.access.api_keys import OPEN_OWNER, ApiKeys, Principal
from web.http.errors import Problem
from web.http.open_access import MAKE_A_KEY, OpenAccess

_log = structlog.get_logger()

#: How long an answer of the key store is believed: so long after its revocation a key may still work.
BELIEVED_SECONDS = 1.0
_CACHED_TOKENS = 10_000
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,256}")
_OPEN = Principal(OPEN_OWNER, frozenset({"admin"}))


class Auth:
    """Finds the principal of a request. `monotonic` gives seconds.

    A service that never had a key is open with `access`: whoever that lets in is the owner "local" with the admin
    scope. Without `access`, and from the first key on, only keys count. What has been closed is never open again, not
    even on a server that has lost everything, for as long as this process lives.
    """

    def __init__(self, keys: ApiKeys, *, monotonic: Callable[[], float], access: OpenAccess | None) -> None:
        self._keys, self._monotonic = keys, monotonic
        self._access = access
        self._until = 0.0
        #: Whether there is a key, and whether one is needed, as of the last look; None before the first.
        self._has_keys: bool | None = None
        self._is_open: bool | None = None
        self._found: OrderedDict[bytes, tuple[float, Principal | None]] = OrderedDict()

    @property
    def is_open(self) -> bool:
        """Whether no key is needed, as of the last look."""
        return self._is_open is True

    async def has_keys(self) -> bool:
        """Whether there is a key. Raises connection errors."""
        now = self._monotonic()
        if self._has_keys is None or now >= self._until:
            has_keys = await self._keys.any()
            may_be_open = self._access is not None and self._is_open is not False and not has_keys
            self._note(has_keys, is_open=may_be_open and not await self._keys.ever())
            self._until = now + BELIEVED_SECONDS
        return self._has_keys is True

    def known(self, request: web.Request) -> Principal | None:
        """The principal if that takes no look at the store; None where it does, or where nobody gets in.

        Raises Problem 401, 403, 421 in the open mode.
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
        found = self._found.get(hashlib.sha256(token.encode()).digest())
        return found[1] if found is not None and now < found[0] else None

    async def principal(self, request: web.Request) -> Principal:
        """Raises Problem 401, in the open mode also 403 and 421; connection errors."""
        has_keys = await self.has_keys()
        if self._is_open and self._access is not None:
            self._access.check(request)
            return _OPEN
        if not has_keys:
            raise _unauthorized(f"There is no API key, and nobody gets in without one. {MAKE_A_KEY}.")
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorized("Send your API key: Authorization: Bearer ...")
        found = await self._lookup(token.strip()) if _TOKEN.fullmatch(token.strip()) else None
        if found is None:
            raise _unauthorized(
                "This API key is unknown or was revoked.", 'Bearer realm="eventflow", error="invalid_token"'
            )
        return found

    def _note(self, has_keys: bool, *, is_open: bool) -> None:
        """Take over what was found, and log what has changed since the last look."""
        is_open = is_open and self._is_open is not False  # another request may have looked meanwhile
        before, self._has_keys, self._is_open = (self._has_keys, self._is_open), has_keys, is_open
        if before == (None, None) or before == (has_keys, is_open):
            return
        if has_keys:
            _log.warning("there is an API key now: every request needs one", action="access", was_open=before[1])
        else:
            _log.warning(f"no API key is left: every request is answered 401. {MAKE_A_KEY}", action="access")

    async def _lookup(self, token: str) -> Principal | None:
        digest = hashlib.sha256(token.encode()).digest()
        now = self._monotonic()
        known = self._found.get(digest)
        if known is not None and now < known[0]:
            return known[1]
        found = await self._keys.authenticate(token)
        self._found[digest] = (now + BELIEVED_SECONDS, found)
        self._found.move_to_end(digest)
        if len(self._found) > _CACHED_TOKENS:
            self._found.popitem(last=False)
        return found


def _unauthorized(detail: str, challenge: str = 'Bearer realm="eventflow"') -> Problem:
    return Problem(401, "unauthorized", detail, headers={hdrs.WWW_AUTHENTICATE: challenge})


AUTH = web.AppKey("auth", Auth)
