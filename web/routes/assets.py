"""Assets, the pictures, clips and sound files of users: upload, show, remove.

An asset belongs to its owner; for other owners it doesn't exist.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web
from attrs import frozen

from eventflow.assets.errors import RemoteFailed, RemoteRefused
from eventflow.assets.store import Asset
from eventflow.requests.errors import Fault, RequestInvalid
from eventflow.requests.json_reader import Cursor, JsonType, Object, Schema, read_value
from web.deps import DEPS, PRINCIPAL, WebDeps
from web.http.errors import Problem, not_available
from web.http.json_response import json_response
from web.requests.asset_intake import MAX_NAME_CHARS, assets_of, label_of, store
from web.requests.http_input import known_query, read_json
from web.requests.uploads import DISK_FULL, UPLOADS, Upload, no_disk_space, read_body, read_form_file, receive

ROUTE = "/api/v1/assets"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@frozen
class _Sent:
    """A file in transit, and its owner's name for it."""

    chunks: AsyncIterator[bytes]
    name: str


async def add(request: web.Request) -> web.Response:
    """Upload a file, or fetch one from a URL: 201 with the new asset, 200 if the owner has it already."""
    deps, owner = request.app[DEPS], request[PRINCIPAL].owner
    known_query(request.query, "name")
    given = request.query.get("name", "")
    if fault := label_fault("?name", given):
        raise RequestInvalid([fault])
    _check_announced(request, deps)
    with request.app[UPLOADS].folder(owner) as folder:
        try:
            upload, name = await _receive(request, deps, folder)
            asset, new = await store(deps, upload, owner=owner, name=given or name, folder=folder)
        except OSError as error:
            if error.errno in DISK_FULL:
                raise no_disk_space() from error
            raise
    return json_response(rendered(asset), status=201 if new else 200, headers={hdrs.LOCATION: f"{ROUTE}/{asset.id}"})


async def show(request: web.Request) -> web.Response:
    """The facts of an asset."""
    known_query(request.query)
    return json_response(rendered(await _owned(request)))


async def of_upload(request: web.Request) -> web.Response:
    """The facts of the asset that a file became, by the SHA-256 of the file: it needn't be sent again."""
    known_query(request.query)
    digest = request.match_info["sha256"]
    found = None
    if _SHA256.fullmatch(digest):
        found = await assets_of(request.app[DEPS]).of_upload(request[PRINCIPAL].owner, digest)
    if found is None:
        raise _unknown()
    return json_response(rendered(found))


async def remove(request: web.Request) -> web.Response:
    """Delete an asset; videos in progress that use it fail."""
    known_query(request.query)
    asset = await _owned(request)
    await assets_of(request.app[DEPS]).remove(request[PRINCIPAL].owner, asset)
    return web.Response(status=204)


async def _receive(request: web.Request, deps: WebDeps, folder: Path) -> tuple[Upload, str]:
    limits, path = deps.settings.asset_limits.max_bytes, folder / "upload"
    if request.content_type == "application/json":
        url, name = _remote_request(await read_json(request))
        if deps.remote is None:
            reason = "this service fetches no URLs (EVENTFLOW_ALLOW_REMOTE_MEDIA=on allows it); send the file itself"
            raise not_available("/url", reason)
        try:
            async with deps.remote.fetch(url) as chunks:
                return await receive(chunks, path, deps.inspector, limits), name
        except (RemoteRefused, RemoteFailed) as error:
            code = "remote_refused" if isinstance(error, RemoteRefused) else "remote_failed"
            raise Problem(422, code, str(error), errors=[Fault("/url", code, str(error))]) from error
    sent = await _sent(request)
    return await receive(sent.chunks, path, deps.inspector, limits), sent.name


async def _sent(request: web.Request) -> _Sent:
    if request.content_type.startswith("multipart/"):
        name, chunks = await read_form_file(request)
        return _Sent(chunks, label_of(name))
    return _Sent(read_body(request), "")


def _check_announced(request: web.Request, deps: WebDeps) -> None:
    """Raises Problem 413 if the announced length exceeds every kind's limit; 64 KiB are left to the parts of a form."""
    max_bytes = max(deps.settings.asset_limits.max_bytes.values())
    if (request.content_length or 0) > max_bytes + 64 * 1024:
        raise Problem(
            413,
            "media_too_large",
            f"The body has {request.content_length} bytes; files may have at most {max_bytes / 1e6:g} MB.",
        )


@frozen
class _Address(JsonType):
    """A URL; the fetcher checks it."""

    def read(self, at: Cursor) -> str:
        if not isinstance(at.value, str):
            at.wrong_type("a string")
        elif not at.value:
            at.fail("empty", "is empty")
        return str(at.value)

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


@frozen
class _Label(JsonType):
    """An owner's name for an asset. It is a label only: any printable text will do."""

    def read(self, at: Cursor) -> str:
        if not isinstance(at.value, str):
            at.wrong_type("a string")
        elif fault := label_fault(at.pointer, at.value):
            at.fail(fault.code, fault.reason)
        return str(at.value)

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": MAX_NAME_CHARS}


_REMOTE = Object({"url": _Address(), "name": _Label()})


def _remote_request(body: Any) -> tuple[str, str]:
    """(url, name). Raises RequestInvalid."""
    values = read_value(body, _read_remote)
    return values["url"], values.get("name", "")


def _read_remote(at: Cursor) -> dict[str, Any]:
    values = _REMOTE.values(at)
    if isinstance(at.value, dict) and "url" not in at.value:
        at.fail_at("url", "missing", "is needed, or the file itself as the body")
    return values


def label_fault(pointer: str, text: str) -> Fault | None:
    """The fault if an owner can't call an asset `text`."""
    if len(text) > MAX_NAME_CHARS:
        reason = f"has {len(text):,} characters; at most {MAX_NAME_CHARS} are allowed"
        return Fault(pointer, "too_long", reason)
    if not text.isprintable():
        return Fault(pointer, "not_printable", "has characters that can't be shown")
    return None


async def _owned(request: web.Request) -> Asset:
    """The asset of the path, if the requester owns it. Raises Problem 404."""
    found = await assets_of(request.app[DEPS]).find(request[PRINCIPAL].owner, request.match_info["asset_id"])
    if found is None:
        raise _unknown()
    return found


def _unknown() -> Problem:
    return Problem(404, "asset_not_found", "This asset doesn't exist, or it is another owner's.")


def rendered(asset: Asset) -> dict[str, Any]:
    """The asset as JSON: size in bytes, width and height in pixels, duration in seconds, all of the re-encoded file."""
    return {
        "id": asset.id,
        "kind": asset.kind,
        "media_type": asset.media_type,
        "size": asset.size_bytes,
        "sha256": asset.sha256,
        "width": asset.width,
        "height": asset.height,
        "duration": asset.duration_s,
        "name": asset.name,
        "created_at": asset.created_at,
        "warnings": [_OF_SEVERAL] if asset.of_several else [],
    }


_OF_SEVERAL = {
    "code": "first_of_several",
    "message": "the file has several frames or pages; the first is shown. To show it moving, send it as MP4 or WebM.",
}
