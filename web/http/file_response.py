"""Sends a stored file through the app: whole or in part, in constant memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import BinaryIO

import structlog
from aiohttp import ClientConnectionResetError, hdrs, web
from attrs import frozen

from eventflow.storage import StorageError
from web.deps import REQUEST_ID
from web.http.cors import answer_headers
from web.http.errors import Problem
from web.http.middleware import REQUEST_ID_HEADER
from web.http.ranges import NotModified, Part, Unsatisfiable, select
from web.http.route_facts import facts_of

_log = structlog.get_logger()

#: (start, length) -> the bytes in chunks; the length is positive.
Read = Callable[[int, int], AsyncGenerator[bytes, None]]


@frozen
class Representation:
    """What is sent, as headers tell it. `etag` is strong and quoted; `disposition` None shows it inline."""

    size_bytes: int
    etag: str
    media_type: str
    cache_control: str
    disposition: str | None = None

    def headers(self) -> dict[str, str]:
        always: dict[str, str] = {
            hdrs.ETAG: self.etag,
            hdrs.ACCEPT_RANGES: "bytes",
            hdrs.CACHE_CONTROL: self.cache_control,
            hdrs.CONTENT_TYPE: self.media_type,
        }
        return {**always, hdrs.CONTENT_DISPOSITION: self.disposition} if self.disposition else always


@frozen
class Answer:
    """Status and headers of the answer, and which bytes of the file follow (none: `length` 0)."""

    response: web.StreamResponse
    start: int
    length: int


def begin(request: web.Request, what: Representation) -> Answer:
    """The answer to a GET or HEAD, not yet sent. Raises Problem 416."""
    of_all = answer_headers(request, facts_of(request.match_info))
    headers: dict[str, str] = {**what.headers(), REQUEST_ID_HEADER: request[REQUEST_ID], **of_all}
    chosen = select(request.method, request.headers, size_bytes=what.size_bytes, etag=what.etag)
    if isinstance(chosen, Unsatisfiable):
        raise Problem(
            416,
            "range_not_satisfiable",
            f"The file has {what.size_bytes} bytes.",
            headers={hdrs.CONTENT_RANGE: f"bytes */{what.size_bytes}", hdrs.ACCEPT_RANGES: "bytes"},
        )
    if isinstance(chosen, NotModified):
        kept = {name: value for name, value in headers.items() if name != hdrs.CONTENT_TYPE}
        return Answer(web.Response(status=304, headers=kept), 0, 0)
    start, length, status = 0, what.size_bytes, 200
    if isinstance(chosen, Part):
        start, length, status = chosen.start, chosen.length, 206
        headers[hdrs.CONTENT_RANGE] = f"bytes {chosen.start}-{chosen.end}/{what.size_bytes}"
    headers[hdrs.CONTENT_LENGTH] = str(length)
    if request.method == "HEAD" or length == 0:
        return Answer(web.Response(status=status, headers=headers), 0, 0)
    return Answer(web.StreamResponse(status=status, headers=headers), start, length)


async def send_read(request: web.Request, what: Representation, read: Read) -> web.StreamResponse:
    """Send by reading from a store. What goes wrong before the first byte is raised; afterwards the connection is cut,
    so that the client can tell."""
    answer = begin(request, what)
    if not answer.length:
        return answer.response
    async with aclosing(read(answer.start, answer.length)) as chunks:
        first = await anext(chunks, b"")
        response = answer.response
        await response.prepare(request)
        left = answer.length - len(first)
        try:
            await response.write(first)
            async for chunk in chunks:
                await response.write(chunk)
                left -= len(chunk)
        except (ClientConnectionResetError, ConnectionResetError):
            return response
        except StorageError as error:
            _log.warning("sending broke off", action="send", request_id=request[REQUEST_ID], error=str(error))
            _cut(request)
            return response
        if left:
            _cut(request)
            return response
        await response.write_eof()
    return response


async def send_file(request: web.Request, what: Representation, file: BinaryIO, read: Read) -> web.StreamResponse:
    """Send an open file with sendfile, or by `read` where the event loop has none. The caller closes the file."""
    answer = begin(request, what)
    transport = request.transport
    if not answer.length or transport is None:
        return answer.response
    await answer.response.prepare(request)
    try:
        await asyncio.get_running_loop().sendfile(transport, file, answer.start, answer.length)
    except NotImplementedError:
        async with aclosing(read(answer.start, answer.length)) as chunks:
            async for chunk in chunks:
                await answer.response.write(chunk)
    except (ClientConnectionResetError, ConnectionResetError, BrokenPipeError):
        return answer.response
    await answer.response.write_eof()
    return answer.response


def _cut(request: web.Request) -> None:
    """Close the connection without ending the body: fewer bytes than announced is an error that clients see."""
    with suppress(AttributeError):
        if request.transport is not None:
            request.transport.abort()
