"""A check that signed URLs work for viewers: fetches one as a player does, at the address that it names.

A store may serve every request of this service while it refuses signed URLs: they are for another region, host or time,
or a proxy in front of the store changes them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp
from attrs import frozen

from eventflow.storage.port import ObjectStore

_PATIENCE = aiohttp.ClientTimeout(total=10.0)
#: The origin of a foreign page.
_ORIGIN = "https://player.invalid"
_CODE = re.compile(rb"<Code>([A-Za-z.]+)</Code>")
#: Most difference of clocks for a URL that lives a minute (SigV4 itself allows 15 minutes).
_SKEW = timedelta(seconds=50)

_REGION = "Set AWS_REGION to the region that the bucket is in."
_WAYS_OUT = {
    "AuthorizationQueryParametersError": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
    "SignatureDoesNotMatch": (
        "The proxy at the address of the signed URLs has to ask the store by the store's own name and pass path and "
        "query on unchanged, or the URLs have to be signed for the proxy (EVENTFLOW_DELIVERY_SIGNED_FOR=public); "
        "otherwise check AWS_SECRET_ACCESS_KEY."
    ),
    "RequestTimeTooSkewed": "Set this machine's clock (NTP).",
    "InvalidAccessKeyId": "Check AWS_ACCESS_KEY_ID: the address may lead to another service than the store's.",
    "AccessDenied": "Allow these credentials s3:GetObject; and set this machine's clock (NTP).",
    "NoSuchBucket": "The address leads to another place than the store: check EVENTFLOW_DELIVERY_PUBLIC_URL.",
}
_ELSEWHERE = "Check EVENTFLOW_DELIVERY_PUBLIC_URL and AWS_ENDPOINT_URL_S3: viewers are sent to that address."


@frozen(kw_only=True)
class ViewerFinding:
    """Result of the check. `problem` is empty if a viewer gets the bytes; otherwise `way_out` says what to do.

    `pages`: pages of other origins may read them. `missing`: the URL was accepted, but the object doesn't exist.
    """

    problem: str = ""
    way_out: str = ""
    pages: bool = True
    missing: bool = False


async def check_as_viewer(store: ObjectStore, key: str) -> ViewerFinding | None:
    """Fetch an existing object by a signed URL as a viewer; None if the URL has no host, as those of local stores.

    Raises StorageError if no URL can be signed.
    """
    urls = [await store.signed_url(key, expires_in=timedelta(minutes=1), method=method) for method in ("GET", "HEAD")]
    if not urlsplit(urls[0]).netloc:
        return None
    place = f"{urlsplit(urls[0]).scheme}://{urlsplit(urls[0]).netloc}"
    try:
        async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
            headers = {"Range": "bytes=0-0", "Origin": _ORIGIN}
            async with session.get(urls[0], headers=headers, allow_redirects=False) as answer:
                found = _judged(place, answer, await answer.content.read(4_096))
            if found.problem:
                return found
            async with session.head(urls[1], allow_redirects=False) as answer:
                if answer.status != 200:
                    problem = f"{place} answers HEAD of a signed URL with {answer.status}"
                    return ViewerFinding(
                        problem=problem,
                        way_out="What is in front of the store has to pass the method on.",
                        pages=found.pages,
                    )
            return found
    except (TimeoutError, aiohttp.ClientError) as error:
        return ViewerFinding(problem=f"{place} can't be reached: {str(error) or 'no answer'}", way_out=_ELSEWHERE)


def _judged(place: str, answer: aiohttp.ClientResponse, body: bytes) -> ViewerFinding:
    pages = answer.headers.get("Access-Control-Allow-Origin") in ("*", _ORIGIN)
    if answer.status in (200, 206):
        if answer.status == 206 or "Content-Range" in answer.headers or answer.headers.get("Content-Length") == "1":
            return ViewerFinding(pages=pages)
        return ViewerFinding(
            problem=f"{place} ignores ranges",
            way_out="Players can't seek: what is in front has to pass Range on.",
            pages=pages,
        )
    named = _CODE.search(body)
    code = named[1].decode() if named else ""
    way_out = _WAYS_OUT.get(code, _ELSEWHERE)
    if code == "AccessDenied" and (apart := _apart(answer)) > _SKEW:
        way_out = f"Set this machine's clock (NTP): it is {apart.total_seconds():.0f} s apart from the store's."
    problem = f"{place} answers a signed URL with {answer.status} {code}".rstrip()
    return ViewerFinding(problem=problem, way_out=way_out, pages=pages, missing=code == "NoSuchKey")


def _apart(answer: aiohttp.ClientResponse) -> timedelta:
    try:
        return abs(parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC))
    except (KeyError, ValueError, TypeError):
        return timedelta(0)
