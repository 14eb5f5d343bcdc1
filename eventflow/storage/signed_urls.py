"""HMAC-signed media URLs for stores that can't sign their own, with key rotation.

    {base_url}/media/{store}/{key}?e=<unix>&k=<key id>&d=<download name>&t=<media type>&s=<signature>

The signature covers method, store, key, expiry, download name and media type. A URL for GET also works for HEAD, but
not the other way round. Other parameters of the query are ignored.
"""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from attrs import Attribute, field, frozen

from eventflow.storage.errors import BadSignature, ExpiredSignature
from eventflow.storage.port import Method

MIN_SECRET_BYTES = 16
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_EXPIRY = re.compile(r"[1-9][0-9]{0,10}")


@frozen
class SigningKey:
    """A secret of at least 16 bytes and the name it goes by in URLs (letters, digits, `_`, `-`)."""

    id: str = field()
    secret: bytes = field(repr=False)

    @id.validator
    def _check_id(self, _: "Attribute[str]", value: str) -> None:
        if not _KEY_ID.fullmatch(value):
            raise ValueError("A signing key's id is 1 to 32 letters, digits, '_' or '-'.")

    @secret.validator
    def _check_secret(self, _: "Attribute[bytes]", value: bytes) -> None:
        if len(value) < MIN_SECRET_BYTES:
            raise ValueError(f"A signing key's secret needs at least {MIN_SECRET_BYTES} bytes.")


@frozen
class SigningKeys:
    """The first key signs, all verify: put a new one in front, drop the old one when its URLs have expired."""

    keys: tuple[SigningKey, ...] = field()

    @keys.validator
    def _check_keys(self, _: "Attribute[tuple[SigningKey, ...]]", value: tuple[SigningKey, ...]) -> None:
        if not value or len({key.id for key in value}) != len(value):
            raise ValueError("There must be a signing key, and ids must differ.")

    @classmethod
    def parse(cls, text: str) -> "SigningKeys":
        """Parse `id:secret` or `id:secret,id:secret`. Raises ValueError, which never contains the secret."""
        keys = []
        for entry in text.split(","):
            key_id, colon, secret = entry.strip().partition(":")
            if not colon:
                raise ValueError("Signing keys are written 'id:secret', separated by commas.")
            keys.append(SigningKey(key_id, secret.encode()))
        return cls(tuple(keys))

    def mac(self, purpose: str, fields: list[str | int | None], *, key_id: str | None = None) -> tuple[str, str]:
        """Return (key id, HMAC-SHA256 in URL-safe base64) of `fields`, by key `key_id` (default: the first).

        `purpose` separates the uses of one key. Raises BadSignature if no key has this id.
        """
        key = self.keys[0] if key_id is None else self._key(key_id)
        # JSON is unambiguous (no two lists of fields are written the same), and the standard library's
        # escapes what is no valid Unicode, which a hostile query may contain.
        message = json.dumps([purpose, *fields]).encode()
        digest = hmac.digest(key.secret, message, "sha256")
        return key.id, urlsafe_b64encode(digest).rstrip(b"=").decode()

    def check(self, purpose: str, fields: list[str | int | None], *, key_id: str, signature: str) -> None:
        """Compare a signature in constant time. Raises BadSignature."""
        _, expected = self.mac(purpose, fields, key_id=key_id)
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            raise BadSignature("The signature does not fit.")

    def _key(self, key_id: str) -> SigningKey:
        for key in self.keys:
            if key.id == key_id:
                return key
        raise BadSignature("The signature was made with a key that is not in use.")


@frozen(kw_only=True)
class MediaGrant:
    """The right of a signed URL: to read one object until `expires_at` (whole seconds, UTC)."""

    store: str
    key: str
    expires_at: datetime
    download_name: str | None = None
    media_type: str | None = None


def sign_url(keys: SigningKeys, grant: MediaGrant, *, base_url: str = "", method: Method = "GET") -> str:
    """Return the URL of a grant; relative to the host if `base_url` is empty."""
    expiry = int(grant.expires_at.timestamp())
    key_id, signature = keys.mac(_PURPOSE, _fields(method, grant, expiry))
    query = {"e": str(expiry), "k": key_id, "d": grant.download_name, "t": grant.media_type, "s": signature}
    path = f"/media/{quote(grant.store, safe='')}/{quote(grant.key)}"
    given = {name: value for name, value in query.items() if value is not None}
    return f"{base_url.rstrip('/')}{path}?{urlencode(given, quote_via=quote)}"


def verify(
    keys: SigningKeys, *, method: str, store: str, key: str, query: Mapping[str, str], now: datetime
) -> MediaGrant:
    """Return the grant of a request; `store`, `key` and `query` are decoded.

    Raises BadSignature, or ExpiredSignature for a URL with a valid signature.
    """
    expiry = query.get("e", "")
    if not _EXPIRY.fullmatch(expiry):
        raise BadSignature("The URL is not signed.")
    grant = MediaGrant(
        store=store,
        key=key,
        expires_at=datetime.fromtimestamp(int(expiry), UTC),
        download_name=query.get("d"),
        media_type=query.get("t"),
    )
    given = {"key_id": query.get("k", ""), "signature": query.get("s", "")}
    try:
        keys.check(_PURPOSE, _fields(method, grant, int(expiry)), **given)
    except BadSignature:
        if method != "HEAD":
            raise
        keys.check(_PURPOSE, _fields("GET", grant, int(expiry)), **given)
    if now >= grant.expires_at:
        raise ExpiredSignature("The URL has expired.")
    return grant


_PURPOSE = "eventflow-media-v1"


def _fields(method: str, grant: MediaGrant, expiry: int) -> list[str | int | None]:
    return [method, grant.store, grant.key, expiry, grant.download_name, grant.media_type]
