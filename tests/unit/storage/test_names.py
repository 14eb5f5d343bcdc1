"""Keys, media types, download names, and what may be said about errors."""

import re
import sys
import unicodedata

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from eventflow.storage import (
    DamagedOnTheWay,
    InvalidKey,
    ObjectMissing,
    RangeNotSatisfiable,
    StorageError,
    StorageRefused,
    StorageUnavailable,
    attachment,
    check_key,
    guess_media_type,
)
from eventflow.storage.content_disposition import safe_name
from eventflow.storage.object_keys import is_valid_key
from eventflow.storage.s3.errors import Redactor, reported


@given(st.text(alphabet=st.sampled_from("ab./\\\0\n~%é") | st.characters(), max_size=40))
def test_a_valid_key_stays_where_it_is(key: str) -> None:
    try:
        check_key(key)
    except InvalidKey as error:
        assert str(error).isprintable()  # noqa: PT017
        return
    assert not key.startswith("/")
    assert not {"", ".", ".."} & set(key.split("/"))
    assert not re.search(r"[\\\0-\x1f\x7f]", key)
    assert len(key.encode()) <= 512


def test_no_key_has_a_backslash_or_a_control_character() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    refused = [char for char in every if not is_valid_key(f"a{char}b")]
    assert refused == [char for char in every if char == "\\" or unicodedata.category(char) == "Cc"]


@pytest.mark.parametrize(
    ("key", "media_type"),
    [
        ("a/b.mp4", "video/mp4"),
        ("a/b.m4s", "video/iso.segment"),
        ("x.m3u8", "application/vnd.apple.mpegurl"),
        ("x.vtt", "text/vtt"),
        ("x.jpg", "image/jpeg"),
        ("x.png", "image/png"),
        ("x", "application/octet-stream"),
        ("x.unknown", "application/octet-stream"),
    ],
)
def test_media_types(key: str, media_type: str) -> None:
    assert guess_media_type(key) == media_type


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_a_disposition_is_one_safe_line(name: str) -> None:
    value = attachment(name)
    assert value.isascii()
    assert value.isprintable()
    assert re.fullmatch(r"""attachment; filename="[^"\\%/]+"(; filename\*=UTF-8''[A-Za-z0-9%._~-]+)?""", value)
    assert safe_name(safe_name(name)) == safe_name(name)


def test_dispositions_as_seen() -> None:
    assert attachment("movie.mp4") == 'attachment; filename="movie.mp4"'
    assert attachment("視頻.mp4") == "attachment; filename=\"download.mp4\"; filename*=UTF-8''%E8%A6%96%E9%A0%BB.mp4"
    assert attachment("x" * 500 + ".mp4") == f'attachment; filename="{"x" * 146}.mp4"'
    assert attachment("../..") == 'attachment; filename="_"'


def answer(code: str, status: int, message: str = "text") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject"
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answer("NoSuchKey", 404), ObjectMissing),
        (answer("404", 404), ObjectMissing),
        (answer("NoSuchBucket", 404), StorageRefused),
        (answer("NoSuchUpload", 404), StorageUnavailable),
        (answer("AccessDenied", 403), StorageRefused),
        (answer("SlowDown", 503), StorageUnavailable),
        (answer("RequestTimeout", 400), StorageUnavailable),
        (answer("TooManyRequests", 429), StorageUnavailable),
        (answer("500", 500), StorageUnavailable),
        (answer("502", 502), StorageUnavailable),
        (answer("NotImplemented", 501), StorageRefused),
        (answer("XMinioStorageFull", 507), StorageRefused),
        (answer("QuotaExceeded", 403), StorageRefused),
        (answer("BadDigest", 400), DamagedOnTheWay),
        (answer("XAmzContentSHA256Mismatch", 400), DamagedOnTheWay),
        (answer("InvalidRange", 416), RangeNotSatisfiable),
        (answer("RequestTimeTooSkewed", 403), StorageRefused),
        (ConnectionResetError("reset"), StorageUnavailable),
        (TimeoutError(), StorageUnavailable),
    ],
    ids=repr,
)
def test_what_errors_mean(error: Exception, kind: type[StorageError]) -> None:
    with pytest.raises(kind) as meant, reported("s3://b: 'x'", Redactor()):
        raise error
    assert type(meant.value) is kind
    assert meant.value.transient is (kind in (StorageUnavailable, DamagedOnTheWay))
    assert str(meant.value).startswith("s3://b: 'x': ")
    assert meant.value.__suppress_context__


def test_secrets_are_taken_out() -> None:
    text = (
        "Cannot reach http://user:pw@host/b/k?X-Amz-Credential=AK%2F1&X-Amz-Signature=5163, secret wJalr, "
        "Signature: 5163, AWSAccessKeyId=AK"
    )
    with pytest.raises(StorageRefused) as refused, reported("x", Redactor(("wJalr",))):
        raise answer("Odd", 400, text)
    for secret in ("pw@", "AK", "5163", "wJalr"):
        assert secret not in str(refused.value)
    assert "http://***@host/b/k?***" in str(refused.value)
