"""A server that checks the region of signatures before an S3 server, as AWS, MinIO and Garage do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web
from yarl import URL

from tests.support.http_server import serving

_HEADER = re.compile(r"Credential=[^/]+/[0-9]+/([^/]+)/s3/")
_HOP = {"transfer-encoding", "connection", "content-encoding", "content-length", "x-amz-bucket-region"}


@contextmanager
def region_gate(origin: str, region: str, *, names_it: bool = True) -> Iterator[str]:
    """Its URL. What is signed for another region than `region` is refused; the rest is passed on to `origin`.

    With `names_it` each answer says the region, as AWS's do; the refusal always does.
    """

    async def pass_on(request: web.Request) -> web.Response:
        headers = {"x-amz-bucket-region": region} if names_it else {}
        if _region_of(request) not in (region, None):
            code = "AuthorizationHeaderMalformed" if "Authorization" in request.headers else _IN_QUERY
            text = f"<Error><Code>{code}</Code><Message>wrong region</Message><Region>{region}</Region></Error>"
            body = "" if request.method == "HEAD" else text
            where = {"x-amz-bucket-region": region}  # all that an answer to HEAD can tell
            return web.Response(status=400, text=body, content_type="application/xml", headers=where)
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            target = URL(origin + request.raw_path, encoded=True)
            sent = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
            data = await request.read()
            async with session.request(request.method, target, headers=sent, data=data) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
                if request.method == "HEAD" and "Content-Length" in answer.headers:
                    kept["Content-Length"] = answer.headers["Content-Length"]
                return web.Response(status=answer.status, body=await answer.read(), headers=kept | headers)

    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", pass_on)
    with serving(app) as url:
        yield url


_IN_QUERY = "AuthorizationQueryParametersError"


def _region_of(request: web.Request) -> str | None:
    if found := _HEADER.search(request.headers.get("Authorization", "")):
        return found[1]
    scope = request.query.get("X-Amz-Credential", "").split("/")
    return scope[-3] if len(scope) > 3 else None
