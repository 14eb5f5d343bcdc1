"""The connection to an S3 service: its options, and requests of one attempt with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from time import monotonic
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from attrs import Attribute, field, frozen, validators
from botocore.credentials import ReadOnlyCredentials

from eventflow.storage.errors import StorageError
from eventflow.storage.port import Method
from eventflow.storage.s3 import presign as presigning
from eventflow.storage.s3.errors import Redactor, reported
from eventflow.storage.s3.presign import Presigner
from eventflow.storage.s3.region import SignedRegion
from eventflow.storage.s3.sockets import Sockets

_T = TypeVar("_T")

MIB = 1024 * 1024
#: S3's own limits.
MIN_PART_BYTES = 5 * MIB
MAX_PARTS = 10_000
#: How long URLs are signed for the configured region after a request for the bucket's region failed.
_UNSURE_S = 30.0
#: Longest wait for the bucket's region: URLs may work although the store doesn't answer this service.
_REGION_S = 3.0


def _check_endpoint(_: object, attribute: "Attribute[str | None]", value: str | None) -> None:
    parts = urlsplit(value or "http://none")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise ValueError(f"{attribute.name} is http://host or https://host, without user and query.")


@frozen(kw_only=True)
class S3Options:
    """Options of S3. None takes the value of the standard AWS_* variables and files.

    `addressing_style` None is path style if an endpoint is set (here or by AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL), as
    other S3 servers need it, and botocore's choice on AWS. `public_endpoint_url` is the endpoint for viewers, for which
    URLs are signed; `public_base_url` replaces the address of signed URLs (`rebased`). `region` None is AWS_REGION,
    AWS_DEFAULT_REGION or the profile's; URLs are signed for the region of the bucket.

    `checksum` is the one by which the store verifies each body. AWS, MinIO, Ceph and rclone all verify MD5; AWS also
    keeps SHA-256, which some servers ignore. The content's SHA-256 is kept as metadata in any case.

    A request with a body may take longer by its size at `slowest_bytes_per_s`; after that it counts as stuck. Files up
    to `part_bytes` are sent in one request, larger ones in `parallel_parts` parts at a time. Parts grow so that S3's
    10,000 are enough; memory doesn't: only parts up to 16 MiB are held in it. The store copies objects up to
    `copy_bytes` in one request, larger ones in parts.
    """

    endpoint_url: str | None = field(default=None, validator=_check_endpoint)
    public_endpoint_url: str | None = field(default=None, validator=_check_endpoint)
    public_base_url: str | None = field(default=None, validator=_check_endpoint)
    region: str | None = None
    addressing_style: Literal["path", "virtual", "auto"] | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    connect_timeout: timedelta = timedelta(seconds=5)
    read_timeout: timedelta = timedelta(seconds=30)
    slowest_bytes_per_s: int = field(default=64 * 1024, validator=validators.ge(1))
    part_bytes: int = field(default=8 * MIB, validator=validators.ge(MIN_PART_BYTES))
    parallel_parts: int = field(default=4, validator=validators.ge(1))
    max_connections: int = field(default=32, validator=validators.ge(1))
    checksum: Literal["md5", "sha256", "none"] = "md5"
    copy_bytes: int = field(default=5 * 1024 * MIB, validator=validators.ge(MIN_PART_BYTES))


class S3Connection:
    """Clients that are made on first use, and clean-ups that outlive a cancelled call."""

    def __init__(self, options: S3Options, environ: Mapping[str, str]) -> None:
        self.options = options
        self._redact = Redactor(tuple(s for s in (options.secret_access_key, options.session_token) if s))
        self._environ = environ
        self._session = get_session()
        self._clients: dict[tuple[str | None, str | None], Any] = {}
        self._presigner: Presigner | None = None
        self._presigns_until = float("inf")
        self._region = SignedRegion()
        self._opening, self._asking = asyncio.Lock(), asyncio.Lock()
        self._exits = AsyncExitStack()
        self._sockets = Sockets(options.read_timeout)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def service(self) -> tuple[object, ...]:
        """The endpoint and credentials: connections with equal ones can read each other's objects."""
        given = self.options
        credentials = (given.access_key_id, given.secret_access_key, given.session_token)
        return (given.endpoint_url, given.region, *credentials, id(self._environ))

    async def client(self) -> Any:
        """Return the client of this service's requests. Raises StorageRefused for invalid options."""
        return await self._client(self.options.endpoint_url, self._configured_region)

    async def request(
        self, what: str, call: Callable[..., Awaitable[Any]], *, body_bytes: int = 0, **parameters: Any
    ) -> Any:
        """Make one attempt at `call`, with a deadline. Raises StorageError about `what`."""
        # aiohttp's own read timeout does not run while a body is being sent (seen with a server that
        # accepts and then hangs), so that an upload would never end.
        with reported(what, self._redact):
            async with asyncio.timeout(self._deadline_seconds(body_bytes)):
                return await call(**parameters)

    async def presign(
        self, what: str, parameters: Mapping[str, Any], expires_seconds: int, method: Method = "GET"
    ) -> str:
        """Sign a URL for one method, with the address for viewers."""
        presigner = await self._current_presigner(what, str(parameters["Bucket"]))
        with reported(what, self._redact):
            url = await presigner.url(method, parameters, expires_seconds)
        return rebased(url, self.options.public_base_url)

    async def _current_presigner(self, what: str, bucket: str) -> Presigner:
        """Return the presigner. One caller asks for the region; others use the last presigner, or wait for one."""
        presigner = self._presigner
        if presigner is not None and (self._asking.locked() or monotonic() <= self._presigns_until):
            return presigner
        async with self._asking:
            presigner = self._presigner
            if presigner is None or monotonic() > self._presigns_until:
                presigner = self._presigner = await self._new_presigner(what, bucket)
            return presigner

    async def _new_presigner(self, what: str, bucket: str) -> Presigner:
        """Make a presigner for the region of the bucket.

        URLs that are signed for another region are refused, which nothing else would show: botocore redirects this
        service's own requests."""
        client = await self.client()
        until, region = float("inf"), None
        try:
            async with asyncio.timeout(_REGION_S):
                region = self._region.of(await self.request(what, client.head_bucket, Bucket=bucket))
        except (StorageError, TimeoutError) as error:
            if isinstance(error, TimeoutError) or error.transient:
                until = monotonic() + _UNSURE_S
            else:  # a refusal names the bucket's region, too
                region = self._region.last
        self._presigns_until = until
        endpoint_url = self.options.public_endpoint_url or self.options.endpoint_url
        signing = await self._client(endpoint_url, region or self._configured_region)
        return Presigner(signing, self._credentials)

    @property
    def _configured_region(self) -> str | None:
        """Return the configured region; None: botocore's, of AWS_DEFAULT_REGION or the profile.

        AWS_REGION comes first, as in AWS's other SDKs; botocore doesn't know it."""
        return self.options.region or self._environ.get("AWS_REGION") or None

    def start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Start work that outlives a cancellation of its caller; `close` waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)
        async with self._opening:
            self._clients.clear()
            self._presigner = None
            await self._exits.aclose()
            await self._sockets.close()

    async def _credentials(self) -> ReadOnlyCredentials | None:
        given = self.options
        if given.access_key_id and given.secret_access_key:
            return ReadOnlyCredentials(given.access_key_id, given.secret_access_key, given.session_token)
        found = await self._session.get_credentials()
        return await found.get_frozen_credentials() if found is not None else None

    def _deadline_seconds(self, body_bytes: int) -> float:
        waiting = self.options.connect_timeout + self.options.read_timeout
        return waiting.total_seconds() + body_bytes / self.options.slowest_bytes_per_s

    async def _client(self, endpoint_url: str | None, region: str | None) -> Any:
        place = endpoint_url, region
        if place in self._clients:
            return self._clients[place]
        async with self._opening:
            if place not in self._clients:
                with reported("The S3 client", self._redact):
                    self._clients[place] = await self._open(endpoint_url, region)
            return self._clients[place]

    async def _open(self, endpoint_url: str | None, region: str | None) -> Any:
        options = self.options
        elsewhere = endpoint_url or any(self._environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
        config = AioConfig(
            # Callers retry; botocore's attempts would multiply with theirs.
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=options.connect_timeout.total_seconds(),
            read_timeout=options.read_timeout.total_seconds(),
            max_pool_connections=options.max_connections,
            connector_args={"socket_factory": self._sockets.make},
            signature_version="s3v4",
            s3={"addressing_style": options.addressing_style or ("path" if elsewhere else "auto")},
            # botocore's default checksums (CRC32 in trailers) are not understood by every server.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        context = self._session.create_client(
            "s3",
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=options.access_key_id,
            aws_secret_access_key=options.secret_access_key,
            aws_session_token=options.session_token,
            config=config,
        )
        client = await self._exits.enter_async_context(context)
        # aiohttp waits for "100 Continue" without any timeout, and parts are small enough to just send.
        client.meta.events.register_last("before-call.s3", _send_without_asking)
        client.meta.events.register_last("before-send.s3.HeadBucket", self._region.note)
        presigning.choose(client)
        return client


def rebased(url: str, base_url: str | None) -> str:
    """Return `url` with the scheme, host and path of `base_url` in front of its own path and query, which are signed.

    The proxy at `base_url` has to ask the store by the store's own name.
    """
    if not base_url:
        return url
    parts = urlsplit(url)
    return f"{base_url.rstrip('/')}{parts.path}?{parts.query}"


def _send_without_asking(params: dict[str, Any], **_: Any) -> None:
    params["headers"].pop("Expect", None)
