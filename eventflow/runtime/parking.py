"""What is kept of a delivery that nobody here can handle: enough to understand it and to send it again."""

from __future__ import annotations

import traceback
from datetime import datetime

from eventflow.log.commit import Parked
from eventflow.log.consume import Delivery


def parked_entry(delivery: Delivery, at: datetime, error: Exception) -> Parked:
    """The entry of the parked stream for `delivery`, which `error` kept from being handled."""
    claim = delivery.claim
    return Parked(
        (
            ("e", delivery.payload or b""),
            ("stream", claim.stream),
            ("group", claim.group),
            ("entry", claim.entry_id),
            ("count", str(claim.count)),
            ("at", at.isoformat()),
            ("reason", f"{type(error).__name__}: {error}"[:2_000].encode(errors="replace")),
            ("cause", "".join(traceback.format_exception(error))[-8_000:].encode(errors="replace")),
        )
    )
