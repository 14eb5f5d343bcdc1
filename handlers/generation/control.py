"""The channel between a working pipeline and its caller: requests to stop, progress, and notes for the history."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from attrs import frozen

from eventflow.domain.values import OrderOutcome
from handlers.generation.errors import Stopped

T = TypeVar("T")


@frozen
class Warned:
    """A warning for the requester; `code` is for programs."""

    code: str
    message: str


@frozen(kw_only=True)
class RemoteOrdered:
    """An order is about to be sent to a service, at the time `at`. `order` is its idempotency key.

    `request` says what is ordered: orders with the same one ask for the same result.
    """

    service: str
    order: str
    request: str
    at: datetime


@frozen
class RemoteStarted:
    """A service has accepted an order under its own id."""

    service: str
    remote_id: str


@frozen
class RemoteEnded:
    """The last order at a service ended without a result; `answer` is what the service answered, shortened."""

    service: str
    outcome: OrderOutcome
    answer: str = ""


@frozen(kw_only=True)
class Charged:
    """A charge of a service: a decimal number as text; `currency` is an ISO 4217 code, "credits", "tokens" or
    "characters".

    `reference` is the service's id of the order or answer; a charge is recorded once per reference. May be empty.
    """

    service: str
    amount: str
    currency: str
    reference: str = ""


#: A note of a pipeline. It is in the job's history when `Control.note` returns.
Note = Warned | RemoteOrdered | RemoteStarted | RemoteEnded | Charged


@frozen(kw_only=True)
class Control:
    """The callbacks of blocking work: `should_stop` before every part of it, the fraction done (0..1), and notes.

    `unwanted` tells, once `should_stop` is true, whether nobody will ever want the result; otherwise another attempt
    resumes the orders at services.
    """

    should_stop: Callable[[], bool] = lambda: False
    unwanted: Callable[[], bool] = lambda: False
    on_progress: Callable[[float], None] = lambda fraction: None
    note: Callable[[Note], None] = lambda note: None


def until_stopped(items: Iterable[T], should_stop: Callable[[], bool]) -> Iterator[T]:
    """Yield the items one by one. Raises Stopped before the next one once `should_stop()` is true."""
    for item in items:
        if should_stop():
            raise Stopped("stopped while planning")
        yield item
