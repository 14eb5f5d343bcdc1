"""How long a request waits for the log in all; after that it is answered 503 with Retry-After."""

from __future__ import annotations

from eventflow.log.deadline import Deadline, set_deadline

#: Longer than a wait for the disk may take (`web.routes.generate.DURABLE_MS`), and well below what proxies grant.
LOG_SECONDS = 6.0


def begin_request() -> None:
    """For the task that serves the request. What it does besides (uploads, files, a wait for news) isn't counted."""
    set_deadline(Deadline(LOG_SECONDS))
