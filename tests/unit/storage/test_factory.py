"""From a setting to a store."""

from datetime import UTC, datetime

import pytest

from eventflow.storage import LocalStore, ObjectStore, open_store
from eventflow.storage.s3.client import S3Options
from eventflow.storage.s3.store import S3Store


def opened(url: str) -> ObjectStore:
    return open_store(url, now=lambda: datetime(2026, 5, 1, tzinfo=UTC), environ={})


@pytest.mark.parametrize(
    ("url", "kind", "description"),
    [
        ("/no/such/dir", LocalStore, "file:///no/such/dir"),
        ("file:///no/such/dir/", LocalStore, "file:///no/such/dir"),
        ("file:///no/such%20dir", LocalStore, "file:///no/such%20dir"),
        ("s3://bucket", S3Store, "s3://bucket"),
        ("s3://bucket/", S3Store, "s3://bucket"),
        ("s3://bucket/a/b/", S3Store, "s3://bucket/a/b"),
    ],
)
def test_urls(url: str, kind: type, description: str) -> None:
    store = opened(url)
    assert isinstance(store, kind)
    assert store.description == description


@pytest.mark.parametrize(
    "url",
    ["", "relative/dir", "file:relative", "file://host/dir", "s3://", "s3:///key", "http://host/x", "s3://b/../c"],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(Exception, match=r"store|root|bucket|key"):
        opened(url)


def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="AWS_") as refused:
        opened("s3://AKIA:topsecret@bucket/x")
    assert "topsecret" not in str(refused.value)


@pytest.mark.parametrize("endpoint", ["host:9000", "ftp://host", "http://user:topsecret@host", "http://"])
def test_endpoints_are_checked(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint_url") as refused:
        S3Options(endpoint_url=endpoint)
    assert "topsecret" not in str(refused.value)


def test_options_hide_the_secret() -> None:
    assert "topsecret" not in repr(S3Options(secret_access_key="topsecret", session_token="topsecret"))
