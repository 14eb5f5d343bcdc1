"""Settings of signed URLs: how long they live, and under which address viewers reach what is delivered."""

from __future__ import annotations

from typing import Literal, cast

from attrs import frozen

from eventflow.light import environ
from eventflow.setting_checks import PREFIX, Checks

#: SigV4 allows no longer lives.
LONGEST_S = 604_800
SignedFor = Literal["store", "public"]


@environ.config(prefix=PREFIX)
class RawDelivery:
    """The variables as text, with their defaults and what they mean."""

    signed_url_min_seconds = environ.var("60", help="shortest life that a request may ask for by ?expires_in=")
    signed_url_max_seconds = environ.var("604800", help="longest life that a request may ask for (at most 604800)")
    delivery_public_url = environ.var(
        "", help="URL under which viewers reach the delivery store, such as a CDN's: https://cdn.example.org"
    )
    delivery_signed_for = environ.var(
        "store", help="whose host S3's signatures are for: store (the CDN asks it by its own name) or public"
    )


@frozen
class DeliverySettings:
    """Lives in seconds. `public_url` is empty where viewers reach the store itself; it doesn't end in a slash.

    `signed_for` "public": the domain leads to the S3 service, which sees that name. "store": what is in front of the
    store replaces the name, and passes path and query on.
    """

    min_seconds: int = 60
    max_seconds: int = LONGEST_S
    public_url: str = ""
    signed_for: SignedFor = "store"


def delivery_settings(check: Checks) -> DeliverySettings:
    url = r"(https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?)?"
    return DeliverySettings(
        check.number("signed_url_min_seconds", int, 1, LONGEST_S),
        check.number("signed_url_max_seconds", int, 1, LONGEST_S),
        check.matches("delivery_public_url", url, "https://cdn.example.org or https://cdn.example.org/videos").rstrip(
            "/"
        ),
        cast(SignedFor, check.choice("delivery_signed_for", ("store", "public"))),
    )


def check_delivery(settings: DeliverySettings, usual_seconds: int, problems: list[str]) -> None:
    """What doesn't fit together. `usual_seconds` is the life of URLs for which none is asked for."""
    if not settings.min_seconds <= usual_seconds <= settings.max_seconds:
        problems.append(
            f"{PREFIX}_SIGNED_URL_SECONDS: {usual_seconds} is not from {PREFIX}_SIGNED_URL_MIN_SECONDS "
            f"({settings.min_seconds}) to {PREFIX}_SIGNED_URL_MAX_SECONDS ({settings.max_seconds})"
        )
    path = settings.public_url.partition("://")[2].partition("/")[2]
    if settings.signed_for == "public" and not settings.public_url:
        problems.append(f"{PREFIX}_DELIVERY_SIGNED_FOR is public: {PREFIX}_DELIVERY_PUBLIC_URL has to say the domain")
    if settings.signed_for == "public" and path:
        problems.append(
            f"{PREFIX}_DELIVERY_PUBLIC_URL has the path /{path}, and the store would have to see it for signatures to "
            f"fit: leave it out, or set {PREFIX}_DELIVERY_SIGNED_FOR=store"
        )
