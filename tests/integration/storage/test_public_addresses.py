"""The address that viewers get."""

from datetime import UTC, datetime, timedelta

import pytest

from eventflow.storage import PublicAddress, SigningKeys, open_store
from eventflow.storage.s3.client import S3Options


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
