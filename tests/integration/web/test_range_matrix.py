"""Ranges and conditions (RFC 9110, 13 and 14): every case, on every way that bytes go, by two clients.

The ways are the app's proxy over local files and over S3, the local store's signed URL (sendfile), and the redirect to
an S3 server. The last is another's server, and as free as the RFC leaves it: where it differs from ours, the matrix
says how.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, frozen

from eventflow.domain.values import StoreRole
from eventflow.storage import ObjectStore
from eventflow.storage.s3.store import S3Store
from tests.support.curl import Answered, Asked, ask, break_off
from tests.support.driving import Driver
from tests.support.s3_servers import S3Server, moto_server, options_for
from tests.support.waiting import wait_until
from tests.support.web_app import Client, StartClient, job_id
from web.deps import WebDeps

SIZE = 300_001
BIG = os.urandom(SIZE)
#: More than sockets hold between a client that doesn't read and the app.
HUGE_BYTES = 24_000_000
WAYS = ("proxy", "proxy-s3", "signed", "s3")
HUGE = "9" * 40
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
ETAG = "{etag}"


@frozen
class Case:
    """What is asked, and the answer: `start` and `end` (exclusive) of the bytes that come with 200 or 206."""

    name: str
    headers: dict[str, str]
    status: int
    start: int = 0
    end: int = SIZE
    method: str = "GET"
    empty: bool = False


def ranged(name: str, wanted: str, status: int, start: int = 0, end: int = SIZE) -> Case:
    return Case(name, {"Range": wanted}, status, start, end)


CASES = (
    Case("whole", {}, 200),
    ranged("first byte", "bytes=0-0", 206, 0, 1),
    ranged("last byte", "bytes=-1", 206, SIZE - 1),
    ranged("suffix", "bytes=-500", 206, SIZE - 500),
    ranged("suffix longer than the file", "bytes=-900000", 206),
    ranged("suffix of huge length", f"bytes=-{HUGE}", 206),
    ranged("suffix of no length", "bytes=-0", 416),
    ranged("middle", "bytes=1000-1999", 206, 1000, 2000),
    ranged("open end", f"bytes={SIZE - 7}-", 206, SIZE - 7),
    ranged("open end from the start", "bytes=0-", 206),
    ranged("all of it by name", f"bytes=0-{SIZE - 1}", 206),
    ranged("end beyond the last byte", f"bytes={SIZE - 2}-{SIZE + 99}", 206, SIZE - 2),
    ranged("end of a huge number", f"bytes=5-{HUGE}", 206, 5),
    ranged("start right behind the last byte", f"bytes={SIZE}-", 416),
    ranged("start far behind", "bytes=900000-900001", 416),
    ranged("start of a huge number", f"bytes={HUGE}-", 416),
    ranged("inverted", "bytes=9-5", 200),
    ranged("two ranges", "bytes=0-0,5-9", 200),
    ranged("many overlapping ranges", "bytes=" + ",".join(["0-"] * 200), 200),
    ranged("another unit", "items=0-5", 200),
    ranged("no unit", "0-5", 200),
    ranged("letters", "bytes=a-f", 200),
    ranged("nothing", "bytes=", 200),
    ranged("a dash alone", "bytes=-", 200),
    ranged("two dashes", "bytes=--5", 200),
    ranged("a sign", "bytes=+1-5", 200),
    ranged("digits of another script", "bytes=\u0663-\u0665", 200),
    ranged("unit in capitals", "BYTES=3-5", 206, 3, 6),
    Case("If-Range with the ETag", {"Range": "bytes=3-5", "If-Range": ETAG}, 206, 3, 6),
    Case("If-Range with another ETag", {"Range": "bytes=3-5", "If-Range": '"other"'}, 200),
    Case("If-Range with the ETag, but weak", {"Range": "bytes=3-5", "If-Range": f"W/{ETAG}"}, 200),
    Case("If-Range with an old date", {"Range": "bytes=3-5", "If-Range": DATE}, 200),
    Case("If-Range with a range that can't be", {"Range": f"bytes={SIZE}-", "If-Range": '"other"'}, 200),
    Case("If-None-Match with the ETag", {"If-None-Match": ETAG}, 304),
    Case("If-None-Match with the ETag, weak", {"If-None-Match": f"W/{ETAG}"}, 304),
    Case("If-None-Match with any", {"If-None-Match": "*"}, 304),
    Case("If-None-Match with a list", {"If-None-Match": f'"a", {ETAG}, "b"'}, 304),
    Case("If-None-Match with another", {"If-None-Match": '"other"'}, 200),
    Case("If-None-Match before Range", {"If-None-Match": ETAG, "Range": "bytes=3-5"}, 304),
    Case("If-None-Match with another, and Range", {"If-None-Match": '"other"', "Range": "bytes=3-5"}, 206, 3, 6),
    Case("HEAD", {}, 200, method="HEAD"),
    Case("HEAD has no ranges", {"Range": "bytes=3-5"}, 200, method="HEAD"),
    Case("HEAD with If-None-Match", {"If-None-Match": ETAG}, 304, method="HEAD"),
    Case("an empty file", {}, 200, 0, 0, empty=True),
    Case("a byte of an empty file", {"Range": "bytes=0-0"}, 416, 0, 0, empty=True),
    Case("a suffix of an empty file", {"Range": "bytes=-5"}, 416, 0, 0, empty=True),
)

#: Where moto answers otherwise: (status, start, end). It reads any unit, knows no If-Range, and If-None-Match as one
#: strong ETag only. S3 itself has ranges on HEAD, too.
S3_DIFFERS = {
    "another unit": (206, 0, 6),
    "no unit": (500, 0, 0),
    "a sign": (206, 1, 6),
    "If-Range with another ETag": (206, 3, 6),
    "If-Range with the ETag, but weak": (206, 3, 6),
    "If-Range with an old date": (206, 3, 6),
    "If-Range with a range that can't be": (416, 0, 0),
    "If-None-Match with the ETag, weak": (200, 0, SIZE),
    "If-None-Match with any": (200, 0, SIZE),
    "If-None-Match with a list": (200, 0, SIZE),
    "HEAD has no ranges": (206, 3, 6),
    "a suffix of an empty file": (200, 0, 0),
}


@define
class Watched:
    """A store, and how many of its readers are open."""

    inner: ObjectStore
    open: int = 0
    read_bytes: int = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    async def read(self, *args: object, **options: Any) -> AsyncIterator[bytes]:
        self.open += 1
        try:
            async for chunk in self.inner.read(*args, **options):  # type: ignore[arg-type]
                self.read_bytes += len(chunk)
                yield chunk
        finally:
            self.open -= 1


@define
class Site:
    """The app on one kind of store, with a job that has a big file, an empty one and a huge one."""

    client: Client
    store: Watched
    job: str

    def url(self, way: str, quality: str) -> str:
        proxy = "&proxy=true" if way.startswith("proxy") else ""
        path = f"/api/v1/videos/jobs/{self.job}/download?quality={quality}{proxy}"
        return str(self.client.make_url(path))


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with moto_server() as running:
        yield running


@pytest.fixture
async def site(
    server: S3Server, start: StartClient, deps: WebDeps, stores: dict[StoreRole, ObjectStore]
) -> AsyncIterator[Callable[[str], Awaitable[Site]]]:
    s3 = S3Store(server.bucket, "videos", options=options_for(server), environ={})

    async def begin(way: str) -> Site:
        watched = Watched(s3 if way.endswith("s3") else stores["delivery"])
        store = watched if way.startswith("proxy") else watched.inner
        used: dict[StoreRole, ObjectStore] = {**stores, "delivery": store}  # type: ignore[dict-item]
        driver, job = Driver(deps.log, used), job_id()
        await driver.create(job)
        await driver.publish(job, {"1080p": BIG, "720p": b"", "480p": BIG[:1000] * (HUGE_BYTES // 1000)})
        return Site(await start(stores=used), watched, job)

    yield begin
    await s3.close()


Ask = Callable[[list[Asked]], Awaitable[list[Answered]]]


async def by_aiohttp(site: Site, requests: list[Asked]) -> list[Answered]:
    found = []
    for asked in requests:
        async with site.client.session.request(asked.method, asked.url, headers=asked.headers) as answer:
            found.append(Answered(answer.status, answer.headers.copy(), await answer.read()))
    return found


@pytest.mark.parametrize("way", WAYS)
async def test_every_case_by_aiohttp(site: Callable[[str], Awaitable[Site]], way: str) -> None:
    one = await site(way)
    await _hold_in_every_case(one, way, lambda requests: by_aiohttp(one, requests))


@pytest.mark.parametrize("way", WAYS)
async def test_every_case_by_curl(site: Callable[[str], Awaitable[Site]], way: str, curl: str, tmp_path: Path) -> None:
    await _hold_in_every_case(await site(way), way, lambda requests: ask(curl, requests, tmp_path))


async def _hold_in_every_case(one: Site, way: str, answers_to: Ask) -> None:
    async with one.client.session.get(one.url(way, "1080p")) as answer:
        etag = answer.headers["ETag"]
    if way != "s3":
        assert etag == f'"{hashlib.sha256(BIG).hexdigest()}"'
    requests = [
        Asked(
            one.url(way, "720p" if case.empty else "1080p"),
            case.method,
            {name: value.replace(ETAG, etag) for name, value in case.headers.items()},
        )
        for case in CASES
    ]
    answers = await answers_to(requests)
    wrong = {
        case.name: found
        for case, answer in zip(CASES, answers, strict=True)
        if (found := problems(case, way, answer, etag))
    }
    assert not wrong
    await wait_until(lambda: one.store.open == 0, what="all readers are closed")


def problems(case: Case, way: str, answer: Answered, etag: str) -> str:
    """What is wrong with an answer; nothing if it is right."""
    content = b"" if case.empty else BIG
    status, start, end = case.status, case.start, case.end
    if way == "s3":
        status, start, end = S3_DIFFERS.get(case.name, (status, start, end))
    if answer.status != status:
        return f"{answer.status} instead of {status}"
    start, end = (start, end) if status == 206 else (0, len(content))
    if status in (200, 206):
        body = b"" if case.method == "HEAD" else content[start:end]
        if answer.body != body:
            return f"{len(answer.body)} bytes, or others, instead of {len(body)}"
        if answer.headers.get("Content-Length") != str(end - start):
            return f"Content-Length {answer.headers.get('Content-Length')}"
    told = {206: f"bytes {start}-{end - 1}/{len(content)}", 416: f"bytes */{len(content)}"}.get(status)
    if way != "s3" and answer.headers.get("Content-Range") != told:
        return f"Content-Range {answer.headers.get('Content-Range')} instead of {told}"
    if way != "s3" and status in (200, 206, 304) and not case.empty and answer.headers.get("ETag") != etag:
        return f"ETag {answer.headers.get('ETag')}"
    if way != "s3" and status != 304 and answer.headers.get("Accept-Ranges") != "bytes":
        return "no Accept-Ranges"
    return ""


@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_hangs_up_in_the_middle_leaves_nothing_behind(
    site: Callable[[str], Awaitable[Site]], way: str
) -> None:
    one = await site(way)
    async with one.client.session.get(one.url(way, "480p")) as answer:
        assert len(await answer.content.readexactly(1000)) == 1000
        answer.close()
    await _hold_nothing_open(one, way)


@pytest.mark.parametrize("way", WAYS)
async def test_a_slow_curl_that_hangs_up_leaves_nothing_behind(
    site: Callable[[str], Awaitable[Site]], way: str, curl: str
) -> None:
    one = await site(way)
    assert await break_off(curl, one.url(way, "480p"), 0.3) == 28
    await _hold_nothing_open(one, way)


async def _hold_nothing_open(one: Site, way: str) -> None:
    await wait_until(lambda: one.store.open == 0, what="the reader is closed")
    assert one.store.read_bytes < HUGE_BYTES, "nobody reads what nobody gets"
    async with one.client.session.get(one.url(way, "1080p"), headers={"Range": "bytes=-9"}) as answer:
        assert (answer.status, await answer.read()) == (206, BIG[-9:])


def test_the_matrix_is_as_large_as_it_says() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 40
    assert set(S3_DIFFERS) <= set(names)
