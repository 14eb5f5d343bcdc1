"""Settings of signed URLs: how long they live, and the address under which viewers reach the delivery store."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from eventflow.settings.declare import PREFIX, Group
from eventflow.settings.kinds import mapped, number, web_url

DELIVERY = Group("Delivery to viewers: signed URLs, playback tokens")

#: SigV4 allows no longer life: seven days.
MAX_LIFE_S = 604_800
SignedFor = Literal["store", "public"]
_PUBLIC_URL = r"(https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?)?"


@frozen(kw_only=True)
class DeliverySettings:
    """Lives in seconds. `public_url` has no slash at its end, and is empty where viewers reach the store itself.

    `signed_for` "public": the domain leads to the S3 service, which sees that name.
    `signed_for` "store": a CDN asks the store by the store's own name, and passes path and query on.
    """

    min_seconds: int = DELIVERY.setting(
        "60",
        number(int, 1, MAX_LIFE_S),
        "shortest life in seconds that a request may ask for by ?expires_in=",
        name="SIGNED_URL_MIN_SECONDS",
    )
    max_seconds: int = DELIVERY.setting(
        "604800",
        number(int, 1, MAX_LIFE_S),
        "longest life in seconds that a request may ask for by ?expires_in=",
        name="SIGNED_URL_MAX_SECONDS",
    )
    public_url: str = DELIVERY.setting(
        "",
        web_url(_PUBLIC_URL, "https://cdn.example.org or https://cdn.example.org/videos"),
        "URL under which viewers reach the delivery store, such as a CDN's; empty: the store's own",
        name="DELIVERY_PUBLIC_URL",
    )
    signed_for: SignedFor = DELIVERY.setting(
        "store",
        mapped({"store": "store", "public": "public"}),
        "host that S3 signatures are made for; store: the store's own, for a CDN that asks it by that name; public: "
        "that of EVENTFLOW_DELIVERY_PUBLIC_URL, for a domain that leads to the store itself",
        name="DELIVERY_SIGNED_FOR",
    )

    def faults(self, usual_seconds: int) -> list[str]:
        """Return what doesn't fit together; `usual_seconds` is the life of URLs where a request asks for none."""
        faults = []
        if not self.min_seconds <= usual_seconds <= self.max_seconds:
            faults.append(
                f"{PREFIX}SIGNED_URL_SECONDS: {usual_seconds} is not from {PREFIX}SIGNED_URL_MIN_SECONDS "
                f"({self.min_seconds}) to {PREFIX}SIGNED_URL_MAX_SECONDS ({self.max_seconds})"
            )
        path = self.public_url.partition("://")[2].partition("/")[2]
        if self.signed_for == "public" and not self.public_url:
            faults.append(f"{PREFIX}DELIVERY_SIGNED_FOR is public: set {PREFIX}DELIVERY_PUBLIC_URL to the domain, too")
        if self.signed_for == "public" and path:
            faults.append(
                f"{PREFIX}DELIVERY_PUBLIC_URL has the path /{path}, which the store would have to see for signatures "
                f"to fit: leave the path out, or set {PREFIX}DELIVERY_SIGNED_FOR=store"
            )
        return faults
