"""Playback tokens: what players that can't send headers show instead of an API key.

    {expiry, unix seconds}.{key id}.{HMAC-SHA256, URL-safe base64}

A token is good for reading one job's media until it expires, whoever holds it. The keys are those that sign links to
local files (`eventflow.storage.signed_urls`), so that a key which is taken out of use ends its tokens.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from eventflow.storage import BadSignature, SigningKeys
from web.http.errors import Problem

_PURPOSE = "eventflow-playback-v1"
#: Tokens that were found genuine, and aren't looked at again: a player shows its own with every request.
_KNOWN = 10_000
_TOKEN = re.compile(r"([1-9][0-9]{0,10})\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{43})")


def make_token(keys: SigningKeys, job_id: str, expires_at: datetime) -> str:
    """A token for `job_id` until `expires_at` (whole seconds)."""
    expiry = int(expires_at.timestamp())
    key_id, signature = keys.mac(_PURPOSE, [job_id, expiry])
    return f"{expiry}.{key_id}.{signature}"


def check_token(keys: SigningKeys | None, token: str, job_id: str, now: datetime) -> None:
    """Raises Problem: 401 for what we haven't signed for this job, 403 for what has expired."""
    if now >= _expiry(keys, token, job_id):
        raise Problem(403, "expired_token", "The playback token has expired; the job's owner can make another one.")


@lru_cache(_KNOWN)
def _expiry(keys: SigningKeys | None, token: str, job_id: str) -> datetime:
    """When a token that we have signed for `job_id` expires. Raises Problem 401 for any other, which isn't kept."""
    parts = _TOKEN.fullmatch(token)
    if parts is None or keys is None:
        raise _unknown()
    expiry, key_id, signature = parts.groups()
    try:
        keys.check(_PURPOSE, [job_id, int(expiry)], key_id=key_id, signature=signature)
    except BadSignature:
        raise _unknown() from None
    return datetime.fromtimestamp(int(expiry), UTC)


def _unknown() -> Problem:
    challenge = {"WWW-Authenticate": 'Bearer realm="eventflow", error="invalid_token"'}
    return Problem(401, "unauthorized", "This is no playback token for this job.", headers=challenge)
