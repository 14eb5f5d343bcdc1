"""What an answer of the store is turned into."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from eventflow.storage import StorageUnavailable
from eventflow.storage.s3.errors import Redactor, reported


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("٣", None)],
)
def test_a_store_that_asks_to_be_left_alone_is_heard(header: str, seconds: float | None) -> None:
    metadata = {"HTTPStatusCode": 503, "HTTPHeaders": {"retry-after": header} if header else {}}
    answer = {"Error": {"Code": "SlowDown", "Message": "Please reduce"}, "ResponseMetadata": metadata}
    with pytest.raises(StorageUnavailable) as caught, reported("PUT k", Redactor()):
        raise ClientError(answer, "PutObject")
    assert caught.value.retry_after_s == seconds
