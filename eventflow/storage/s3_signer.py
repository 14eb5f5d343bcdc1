"""Signatures of bodies whose SHA-256 is known already.

Over plain HTTP the body of a request is signed (SigV4, `x-amz-content-sha256`), and botocore reads the whole of it for
that, in the event loop, which then does nothing else for milliseconds a part. Where the digest has been computed in a
thread, it is taken from the body.
"""

from typing import Any

from botocore import auth

#: By this name botocore finds the class; see `choose`.
NAME = "s3v4-known-body"


class _KnownBodyAuth(auth.S3SigV4Auth):  # type: ignore[misc]  # botocore has no types
    def payload(self, request: Any) -> str:
        """What is signed of the body; UNSIGNED-PAYLOAD over HTTPS, as everybody does it."""
        digest = getattr(request.body, "sha256", None)
        if digest is None or not self._should_sha256_sign_payload(request):
            return str(super().payload(request))
        return str(digest)


auth.AUTH_TYPE_MAPS[NAME] = _KnownBodyAuth


def choose(client: Any) -> None:
    """Let the requests of `client` that carry a body be signed in this way; signed URLs are not among them."""
    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register_first(f"choose-signer.s3.{operation}", _choice)


def signs_bodies(client: Any) -> bool:
    return str(client.meta.endpoint_url).startswith("http://")


def _choice(**_: Any) -> str:
    return NAME
