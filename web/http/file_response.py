"""Sends a stored file through the app, whole or in part, in constant memory."""

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

#: (start, length) -> the bytes in chunks; the length is at least 1.
Read = Callable[[int, int], AsyncGenerator[bytes, None]]


@frozen(kw_only=True)
class Representation:
    """The headers of a file. `etag` is strong and quoted; `disposition` None shows it inline."""

    size_bytes: int
    etag: str
    media_type: str
    cache_control: str
    disposition: str | None = None

    def headers(self) -> dict[str, str]:
        """The headers of an answer with the whole file, but for its length."""
        always: dict[str, str] = {
            hdrs.ETAG: self.etag,
            hdrs.ACCEPT_RANGES: "bytes",
            hdrs.CACHE_CONTROL: self.cache_control,
            hdrs.CONTENT_TYPE: self.media_type,
        }
        return {**always, hdrs.CONTENT_DISPOSITION: self.disposition} if self.disposition else always


@frozen
class Answer:
    """Status and headers of the answer, and the bytes of the file that follow (`length` 0: none)."""

    response: web.StreamResponse
    start: int
    length: int


def answer_for(request: web.Request, file: Representation) -> Answer:
    """The answer to a GET or HEAD of the file, not sent yet. Raises Problem 416."""
    cors_headers = answer_headers(request, facts_of(request.match_info))
    headers: dict[str, str] = {**file.headers(), REQUEST_ID_HEADER: request[REQUEST_ID], **cors_headers}
    chosen = select(request.method, request.headers, size_bytes=file.size_bytes, etag=file.etag)
    if isinstance(chosen, Unsatisfiable):
        raise Problem(
            416,
            "range_not_satisfiable",
            f"The range starts behind the last byte; the file has {file.size_bytes} bytes.",
            headers={hdrs.CONTENT_RANGE: f"bytes */{file.size_bytes}", hdrs.ACCEPT_RANGES: "bytes"},
        )
    if isinstance(chosen, NotModified):
        kept = {name: value for name, value in headers.items() if name != hdrs.CONTENT_TYPE}
        return Answer(web.Response(status=304, headers=kept), 0, 0)
    start, length, status = 0, file.size_bytes, 200
    if isinstance(chosen, Part):
        start, length, status = chosen.start, chosen.length, 206
        headers[hdrs.CONTENT_RANGE] = f"bytes {chosen.start}-{chosen.end}/{file.size_bytes}"
    headers[hdrs.CONTENT_LENGTH] = str(length)
    if request.method == "HEAD" or length == 0:
        return Answer(web.Response(status=status, headers=headers), 0, 0)
    return Answer(web.StreamResponse(status=status, headers=headers), start, length)


async def send_read(request: web.Request, file: Representation, read: Read) -> web.StreamResponse:
    """Send the file by reading it from a store.

    Raises Problem 416, and StorageError before the first byte. A later StorageError aborts the connection, so that the
    client sees that the file is cut short.
    """
    answer = answer_for(request, file)
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
            _log.warning("file sent in part only", action="send", request_id=request[REQUEST_ID], error=str(error))
            _abort(request)
            return response
        if left:
            _abort(request)
            return response
        await response.write_eof()
    return response


async def send_file(request: web.Request, file: Representation, opened: BinaryIO, read: Read) -> web.StreamResponse:
    """Send the opened file with sendfile, or by `read` on event loops without it. The caller closes `opened`.

    Raises Problem 416, and StorageError of `read`.
    """
    answer = answer_for(request, file)
    transport = request.transport
    if not answer.length or transport is None:
        return answer.response
    await answer.response.prepare(request)
    try:
        await asyncio.get_running_loop().sendfile(transport, opened, answer.start, answer.length)
    except NotImplementedError:
        async with aclosing(read(answer.start, answer.length)) as chunks:
            async for chunk in chunks:
                await answer.response.write(chunk)
    except (ClientConnectionResetError, ConnectionResetError, BrokenPipeError):
        return answer.response
    await answer.response.write_eof()
    return answer.response


def _abort(request: web.Request) -> None:
    """Close the connection before the end of the body: clients report fewer bytes than announced as an error."""
    with suppress(AttributeError):
        if request.transport is not None:
            request.transport.abort()
