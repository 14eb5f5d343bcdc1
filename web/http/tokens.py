"""Playback tokens, which replace an API key for players that can't send headers.

    {expiry, unix seconds}.{key id}.{HMAC-SHA256, URL-safe base64}

A token admits its holder to one job's media until it expires. The keys are those that sign links to local files
(`eventflow.storage.signed_urls`): removing a key from the settings ends its tokens.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from eventflow.storage import BadSignature, SigningKeys
from web.http.errors import Problem

_PURPOSE = "eventflow-playback-v1"
#: Verified tokens that are cached: a player sends its token with every request.
_CACHED = 10_000
_TOKEN = re.compile(r"([1-9][0-9]{0,10})\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{43})")


def make_token(keys: SigningKeys, job_id: str, expires_at: datetime) -> str:
    """A token for `job_id` until `expires_at` (whole seconds)."""
    expiry = int(expires_at.timestamp())
    key_id, signature = keys.mac(_PURPOSE, [job_id, expiry])
    return f"{expiry}.{key_id}.{signature}"


def check_token(keys: SigningKeys | None, token: str, job_id: str, now: datetime) -> None:
    """Raises Problem: 401 for a token that isn't signed for this job, 403 for an expired one."""
    if now >= _expiry(keys, token, job_id):
        raise Problem(403, "expired_token", "The playback token has expired. Ask the job's owner for a new one.")


@lru_cache(_CACHED)
def _expiry(keys: SigningKeys | None, token: str, job_id: str) -> datetime:
    """The expiry of a token that is signed for `job_id`. Raises Problem 401 for any other; these aren't cached."""
    parts = _TOKEN.fullmatch(token)
    if parts is None or keys is None:
        raise _invalid_token()
    expiry, key_id, signature = parts.groups()
    try:
        keys.check(_PURPOSE, [job_id, int(expiry)], key_id=key_id, signature=signature)
    except BadSignature:
        raise _invalid_token() from None
    return datetime.fromtimestamp(int(expiry), UTC)


def _invalid_token() -> Problem:
    challenge = {"WWW-Authenticate": 'Bearer realm="eventflow", error="invalid_token"'}
    return Problem(401, "unauthorized", "The playback token isn't valid for this job.", headers=challenge)
