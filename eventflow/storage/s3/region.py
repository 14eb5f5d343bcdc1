"""Which region a bucket is in.

botocore sends a request again to the bucket's region when the service says that it is in another one. What it was
signed for in the end is where the bucket is, also where an answer doesn't name the region.
"""

import re
from collections.abc import Mapping
from typing import Any

#: Of an Authorization header: KEY/DATE/REGION/SERVICE/aws4_request.
_SCOPE = re.compile(r"Credential=[^/]+/[0-9]{8}/([^/]+)/")


class SignedRegion:
    """Of the requests that `note` has seen, each before it was sent; `last` is the region of the last one."""

    def __init__(self) -> None:
        self.last: str | None = None

    def note(self, request: Any, **_: Any) -> None:
        """For botocore's event `before-send`."""
        header = request.headers.get("Authorization", b"")
        text = header.decode() if isinstance(header, bytes) else str(header)
        if found := _SCOPE.search(text):
            self.last = found[1]

    def of(self, answer: Mapping[str, Any]) -> str | None:
        """The region of the bucket that was asked for with HeadBucket; None where nothing tells it.

        What the request was signed for was taken; a service may name a place that isn't the region of its signatures.
        """
        named = answer.get("BucketRegion")
        return self.last or (str(named) if named else None)
