"""From a setting to a store."""

from datetime import UTC, datetime, timedelta

import pytest

from eventflow.storage import LocalStore, ObjectStore, PublicAddress, SigningKeys, open_store
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


async def signed(url: str, public: PublicAddress) -> str:
    keys = SigningKeys.parse("k1:" + "5a" * 32)
    s3 = S3Options(endpoint_url="http://s3.internal:9000", region="r", access_key_id="a", secret_access_key="s" * 20)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    store = open_store(url, now=lambda: at, signing=keys, base_url="https://app", public=public, s3=s3, environ={})
    made = await store.signed_url("a/ü b.mp4", expires_in=timedelta(minutes=1))
    await store.close()
    return made


@pytest.mark.parametrize(
    ("url", "public", "begin"),
    [
        (
            "s3://b/v",
            PublicAddress("https://cdn.example.org/x"),
            "https://cdn.example.org/x/b/v/a/%C3%BC%20b.mp4?X-Amz-",
        ),
        (
            "s3://b/v",
            PublicAddress("https://s3.example.org", signed=True),
            "https://s3.example.org/b/v/a/%C3%BC%20b.mp4?",
        ),
        (
            "/dir",
            PublicAddress("https://cdn.example.org/x"),
            "https://cdn.example.org/x/media/local/a/%C3%BC%20b.mp4?e=",
        ),
        ("/dir", PublicAddress("https://s3.example.org", signed=True), "https://s3.example.org/media/local/a/%C3%BC"),
    ],
)
async def test_viewers_get_the_public_address(url: str, public: PublicAddress, begin: str) -> None:
    assert (await signed(url, public)).startswith(begin)


async def test_only_a_signature_for_the_public_host_is_another_one() -> None:
    def signature(url: str) -> str:
        return url.rpartition("X-Amz-Signature=")[2]

    store = await signed("s3://b", PublicAddress("https://one.example.org"))
    other = await signed("s3://b", PublicAddress("https://two.example.org"))
    public = await signed("s3://b", PublicAddress("https://one.example.org", signed=True))
    assert len({len(signature(each)) for each in (store, other, public)}) == 1
    assert signature(public) != signature(store)


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
