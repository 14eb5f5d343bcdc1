"""What every store's signed URLs let their bearer do."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.contract.storage.conftest import Backend
from tests.contract.storage.test_objects import AWKWARD_KEY
from tests.support.waiting import wait_until

SOON = timedelta(minutes=5)


async def test_a_signed_url_gives_the_object(backend: Backend) -> None:
    await backend.store.put_bytes(AWKWARD_KEY, b"0123456789", media_type="video/mp4")
    answer = await backend.get(await backend.store.signed_url(AWKWARD_KEY, expires_in=SOON))
    assert (answer.status, answer.body) == (200, b"0123456789")
    assert answer.headers["Content-Type"] == "video/mp4"
    assert "Content-Disposition" not in answer.headers


async def test_a_range_of_a_signed_url(backend: Backend) -> None:
    await backend.store.put_bytes("x", b"0123456789", media_type="video/mp4")
    url = await backend.store.signed_url("x", expires_in=SOON)
    answer = await backend.get(url, start=3, length=4)
    assert (answer.status, answer.body) == (backend.range_status, b"3456")


async def test_a_url_is_for_one_method(backend: Backend) -> None:
    await backend.store.put_bytes("x", b"0123456789", media_type="video/mp4")
    url = await backend.store.signed_url("x", expires_in=SOON, download_name="a.mp4", method="HEAD")
    head = await backend.get(url, method="HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "10")
    if backend.name != "moto":  # it has no response-content-disposition on HEAD
        assert head.headers["Content-Disposition"].startswith("attachment")
    assert ((await backend.get(url)).status == 403) is backend.checks_signatures
    for method in ("PUT", "DELETE", "POST"):
        for each in ("GET", "HEAD"):
            signed = await backend.store.signed_url("x", expires_in=SOON, method=each)
            if backend.checks_signatures:
                assert (await backend.get(signed, method=method)).status in (400, 403, 404, 405)
    if backend.checks_signatures:
        assert b"".join([chunk async for chunk in backend.store.read("x")]) == b"0123456789"


NAMES = [
    "movie.mp4",
    "Übersicht – 視頻.mp4",
    'quo"te.mp4',
    "semi;colon=1.mp4",
    "back\\slash.mp4",
    "../../etc/passwd",
    "new\r\nSet-Cookie: a=b",
    "\u202egpj.exe",
    "100%25 & more?.mp4",
    "x" * 500 + ".mp4",
    "",
    "\udcff",
]


async def test_download_names(backend: Backend) -> None:
    await backend.store.put_bytes("x", b"data", media_type="video/mp4")
    for name in NAMES:
        url = await backend.store.signed_url("x", expires_in=SOON, download_name=name, media_type="video/x")

        answer = await backend.get(url)

        assert (answer.status, answer.body) == (200, b"data")
        assert answer.headers["Content-Type"] == "video/x"
        assert "Set-Cookie" not in answer.headers
        disposition = answer.headers["Content-Disposition"]
        pattern = r"""attachment; filename="[^"\\%/:\x00-\x1f\x7f-\xff]+"(; filename\*=UTF-8''[A-Za-z0-9%._~-]+)?"""
        assert re.fullmatch(pattern, disposition)
        if name.startswith("Ü"):
            assert disposition.endswith(f"filename*=UTF-8''{quote(name, safe='')}")


async def test_tampered_urls_are_refused(backend: Backend) -> None:
    for key in ("private", "public"):
        await backend.store.put_bytes(key, key.encode(), media_type="text/plain")
    url = await backend.store.signed_url("public", expires_in=SOON, download_name="a.txt")

    for tampered in (
        url.replace("/public?", "/private?"),
        url.replace("a.txt", "b.txt"),
        re.sub(r"([?&])(e|X-Amz-Expires)=\d*", r"\1\2=604800", url),
        url[:-1] + ("a" if url[-1] != "a" else "b"),
    ):
        assert tampered != url
        answer = await backend.get(tampered)
        # moto looks at no signature; should it begin to, this tells us.
        assert (answer.status == 403) is backend.checks_signatures
    assert (await backend.get(url.split("?")[0] + "?x=1")).status in (400, 403)


async def test_expired_urls_are_refused(backend: Backend) -> None:
    await backend.store.put_bytes("x", b"data", media_type="text/plain")
    url = await backend.store.signed_url("x", expires_in=timedelta(seconds=1))
    if not backend.checks_signatures:
        assert (await backend.get(url)).status == 200
        return

    async def refused() -> bool:
        backend.clock.now += timedelta(seconds=0.25)  # the local store's time; rclone's passes by itself
        return (await backend.get(url)).status in (400, 403)  # rclone says 400 with AccessDenied

    await wait_until(refused)


@pytest.mark.parametrize("seconds", [0, -1, 7 * 86400 + 1])
async def test_lifetimes_out_of_bounds(backend: Backend, seconds: int) -> None:
    with pytest.raises(ValueError, match="7 days"):
        await backend.store.signed_url("x", expires_in=timedelta(seconds=seconds))


async def test_the_longest_lifetime(backend: Backend) -> None:
    await backend.store.put_bytes("x", b"data", media_type="text/plain")
    url = await backend.store.signed_url("x", expires_in=timedelta(days=7))
    assert (await backend.get(url)).status == 200
