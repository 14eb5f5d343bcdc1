"""Signed URLs of objects by botocore's signer, and signatures of bodies whose SHA-256 is known.

`generate_presigned_url` resolves the endpoint, validates and serialises for every URL, which takes several times as
long as the signing, and players ask for a URL per segment. `Presigner` calls it once per bucket, and takes the address,
region and service for the URLs of the bucket's objects from the answer.

Over plain HTTP the body of a request is signed (SigV4, `x-amz-content-sha256`). For that botocore reads the whole body
in the event loop, which blocks it for milliseconds per part. A digest that was computed in a thread is taken from the
body instead.
"""

from collections.abc import Awaitable, Callable, Mapping
from time import time
from typing import Any, Self
from urllib.parse import parse_qs, quote

from attrs import frozen
from botocore import auth
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError

from eventflow.storage.port import Method

#: The name by which botocore finds the class; see `choose`.
NAME = "s3v4-known-body"


class _KnownBodyAuth(auth.S3SigV4Auth):  # type: ignore[misc]  # botocore has no types
    def payload(self, request: Any) -> str:
        """Return the digest to sign; UNSIGNED-PAYLOAD over HTTPS, as is usual."""
        digest = getattr(request.body, "sha256", None)
        if digest is None or not self._should_sha256_sign_payload(request):
            return str(super().payload(request))
        return str(digest)


auth.AUTH_TYPE_MAPS[NAME] = _KnownBodyAuth


def choose(client: Any) -> None:
    """Sign requests of `client` with a body in this way; signed URLs are not affected."""
    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register_first(f"choose-signer.s3.{operation}", _choice)


def signs_bodies(client: Any) -> bool:
    return str(client.meta.endpoint_url).startswith("http://")


def _choice(**_: Any) -> str:
    return NAME


#: Returns the present credentials: those of a role change hourly.
Credentials = Callable[[], Awaitable[Any]]

_OPERATIONS: Mapping[Method, str] = {"GET": "get_object", "HEAD": "head_object"}
_QUERY = {"ResponseContentType": "response-content-type", "ResponseContentDisposition": "response-content-disposition"}
_PROBE = "k"


@frozen
class _Place:
    """The beginning of a bucket's URLs, and the scope of their signatures."""

    base: str
    region: str
    service: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Read the place from the signed `url` of `_PROBE`."""
        address, query = url.split("?", 1)
        _, _, region, service, _ = parse_qs(query)["X-Amz-Credential"][0].rsplit("/", 4)
        return cls(address.removesuffix(_PROBE), region, service)


class Presigner:
    """Signs URLs of the objects of `client` with the credentials that `credentials` returns.

    A signature contains the second of its making, so equal requests of one second share a URL: many viewers watch the
    same video at a time.
    """

    def __init__(self, client: Any, credentials: Credentials, now: Callable[[], float] = time) -> None:
        self._client, self._credentials = client, credentials
        self._places: dict[str, _Place] = {}
        self._now, self._second = now, 0
        self._signed: dict[tuple[Any, ...], str] = {}

    async def url(self, method: Method, parameters: Mapping[str, Any], expires_seconds: int) -> str:
        """Sign a URL. `parameters` are of GetObject: Bucket, Key, ResponseContentType, ResponseContentDisposition."""
        second, known = int(self._now()), (method, *parameters.items(), expires_seconds)
        if self._second != second:
            self._second, self._signed = second, {}
        if (url := self._signed.get(known)) is None:
            url = self._signed[known] = await self._sign(method, parameters, expires_seconds)
        return url

    async def _sign(self, method: Method, parameters: Mapping[str, Any], expires_seconds: int) -> str:
        asked = dict(parameters)
        bucket = asked.pop("Bucket")
        place = self._places.get(bucket) or await self._find(bucket)
        if place.service != "s3":  # directory buckets have sessions of their own
            return await self._by_client(method, parameters, expires_seconds)
        credentials = await self._credentials()
        if credentials is None:
            raise NoCredentialsError
        address = place.base + quote(asked.pop("Key"), safe="/~")
        query = {_QUERY[name]: value for name, value in asked.items()}
        request = AWSRequest(method, address, params=query)
        S3SigV4QueryAuth(credentials, place.service, place.region, expires_seconds).add_auth(request)
        return str(request.url)

    async def _find(self, bucket: str) -> _Place:
        place = _Place.of(await self._by_client("GET", {"Bucket": bucket, "Key": _PROBE}, 60))
        self._places[bucket] = place
        return place

    async def _by_client(self, method: Method, parameters: Mapping[str, Any], expires_seconds: int) -> str:
        sign = self._client.generate_presigned_url
        return str(await sign(_OPERATIONS[method], Params=dict(parameters), ExpiresIn=expires_seconds))
