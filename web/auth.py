"""Who is asking: bearer tokens, looked up at most once a second each."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import hdrs, web

from eventflow.identity import OPEN_OWNER, ApiKeys, Principal
from web.errors import Problem

#: How long an answer of the key store is believed: so long after its revocation a key may still work.
BELIEVED_SECONDS = 1.0
_CACHED_TOKENS = 10_000
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,256}")
_OPEN = Principal(OPEN_OWNER, frozenset({"admin"}))


class Auth:
    """Finds the principal of a request. `monotonic` gives seconds.

    Without any key in the store everybody is the owner "local" with the admin scope, if `open_allowed`; otherwise
    nobody gets in. That also holds when the last key is revoked while the app is reachable from outside.
    """

    def __init__(self, keys: ApiKeys, *, monotonic: Callable[[], float], open_allowed: bool) -> None:
        self._keys, self._monotonic = keys, monotonic
        self.open_allowed = open_allowed
        self._closed: tuple[float, bool] = (0.0, True)
        self._found: OrderedDict[bytes, tuple[float, Principal | None]] = OrderedDict()

    async def has_keys(self) -> bool:
        """Whether any key is configured. Raises connection errors."""
        until, closed = self._closed
        now = self._monotonic()
        if now >= until:
            closed = await self._keys.any()
            self._closed = (now + BELIEVED_SECONDS, closed)
        return closed

    def known(self, request: web.Request) -> Principal | None:
        """The principal if that takes no look at the store; None where it does, or where nobody gets in."""
        until, closed = self._closed
        now = self._monotonic()
        if now >= until:
            return None
        if not closed:
            return _OPEN if self.open_allowed else None
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
            return None
        found = self._found.get(hashlib.sha256(token.encode()).digest())
        return found[1] if found is not None and now < found[0] else None

    async def principal(self, request: web.Request) -> Principal:
        """Raises Problem 401, connection errors."""
        if not await self.has_keys():
            if self.open_allowed:
                return _OPEN
            raise _unauthorized("No API key is configured. Make one: eventflow keys add OWNER.")
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorized("Send your API key: Authorization: Bearer ...")
        found = await self._lookup(token.strip()) if _TOKEN.fullmatch(token.strip()) else None
        if found is None:
            raise _unauthorized(
                "This API key is unknown or was revoked.", 'Bearer realm="eventflow", error="invalid_token"'
            )
        return found

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
