"""Our signed URLs are those that botocore's `generate_presigned_url` makes, letter by letter."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import count, product
from typing import Any

import pytest
from botocore import auth
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError

from eventflow.storage.port import Method
from eventflow.storage.s3.client import S3Connection, S3Options
from eventflow.storage.s3.presign import Presigner

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
KEYS: dict[str, Any] = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret+/="}
OPTIONS = {
    "aws": S3Options(region="eu-central-1", **KEYS),
    "us-east-1": S3Options(region="us-east-1", **KEYS),
    "china": S3Options(region="cn-north-1", **KEYS),
    "session": S3Options(region="eu-central-1", session_token="token+/=", **KEYS),
    "path": S3Options(region="eu-central-1", endpoint_url="http://127.0.0.1:9000", **KEYS),
    "folder": S3Options(region="auto", endpoint_url="https://s3.example.org:8443/base", **KEYS),
    "virtual": S3Options(region="x-1", endpoint_url="https://s3.example.org", addressing_style="virtual", **KEYS),
}
METHODS: dict[Method, str] = {"GET": "get_object", "HEAD": "head_object"}
ASKED = {"ResponseContentType": "video/mp4", "ResponseContentDisposition": 'attachment; a="ü"'}
AWKWARD = "a b/ü+%25&=?#~'!*()/視頻.mp4"


@pytest.fixture(autouse=True)
def frozen_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: NOW)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
async def test_urls_are_as_botocore_makes_them(options: S3Options) -> None:
    connection = S3Connection(options, {})
    client = await connection.client()
    for bucket, key, extra in product(("media", "with.dots"), ("video/k", "k", AWKWARD), (ASKED, {})):
        asked = {"Bucket": bucket, "Key": key, **extra}
        for method, operation in METHODS.items():
            ours = await connection.presign("k", asked, 3600, method)
            assert ours == await client.generate_presigned_url(operation, Params=asked, ExpiresIn=3600)
    await connection.close()


async def test_credentials_are_asked_for_each_time() -> None:
    connection = S3Connection(OPTIONS["aws"], {})
    given: list[ReadOnlyCredentials | None] = [
        ReadOnlyCredentials("FIRST", "secret", None),
        ReadOnlyCredentials("SECOND", "secret", "token"),
        None,
    ]

    async def credentials() -> Any:
        return given.pop(0)

    presigner = Presigner(await connection.client(), credentials, now=count().__next__)
    for name in ("FIRST", "SECOND"):
        url = await presigner.url("GET", {"Bucket": "media", "Key": "k"}, 60)
        assert f"X-Amz-Credential={name}%2F20260203%2Feu-central-1%2Fs3%2Faws4_request" in url
    with pytest.raises(NoCredentialsError):
        await presigner.url("GET", {"Bucket": "media", "Key": "k"}, 60)
    await connection.close()


async def test_within_a_second_the_same_is_signed_once() -> None:
    connection = S3Connection(OPTIONS["aws"], {})
    asked = 0

    async def credentials() -> Any:
        nonlocal asked
        asked += 1
        return ReadOnlyCredentials("ID", "secret", None)

    times = iter([10.0, 10.9, 10.9, 10.9, 10.9, 11.0])
    presigner = Presigner(await connection.client(), credentials, now=times.__next__)
    wanted = {"Bucket": "media", "Key": "k"}
    first = await presigner.url("GET", wanted, 60)
    assert await presigner.url("GET", dict(wanted), 60) == first
    assert asked == 1
    others = [
        await presigner.url("HEAD", wanted, 60),
        await presigner.url("GET", wanted, 61),
        await presigner.url("GET", {**wanted, "ResponseContentType": "video/mp4"}, 60),
    ]
    assert len({first, *others}) == 4
    await presigner.url("GET", wanted, 60)
    assert asked == 5
    await connection.close()


async def test_a_bucket_with_sessions_of_its_own_is_left_to_botocore() -> None:
    asked: list[tuple[str, Any, int]] = []

    class Client:
        async def generate_presigned_url(self, operation: str, *, Params: Any, ExpiresIn: int) -> str:
            asked.append((operation, Params, ExpiresIn))
            scope = "ID%2F20260203%2Feu-central-1%2Fs3express%2Faws4_request"
            return f"https://b--euc1-az1--x-s3.example.org/{Params['Key']}?X-Amz-Credential={scope}&n={len(asked)}"

    async def credentials() -> Any:
        raise AssertionError("these are not what it is signed with")

    presigner = Presigner(Client(), credentials)
    wanted = {"Bucket": "b--euc1-az1--x-s3", "Key": "video", "ResponseContentType": "video/mp4"}
    for number, method in enumerate(METHODS, 2):
        assert re.search(rf"/video\?.*&n={number}$", await presigner.url(method, wanted, 600))
    assert asked[1:] == [("get_object", wanted, 600), ("head_object", wanted, 600)]


async def test_a_closed_connection_signs_again_when_it_is_used_again() -> None:
    connection = S3Connection(OPTIONS["path"], {})
    first = await connection.presign("k", {"Bucket": "media", "Key": "k"}, 60)
    await connection.close()
    assert await connection.presign("k", {"Bucket": "media", "Key": "k"}, 60) == first
    await connection.close()
